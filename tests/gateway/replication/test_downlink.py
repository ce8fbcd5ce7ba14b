"""Central's word reaches journal and station; what goes wrong is told and tried again."""

import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from central.contract.notices import (
    DownAck,
    DownMessage,
    PrintRequested,
    SettingsChanged,
    StockChanged,
    StockLevel,
    TemplateChanged,
)
from central.contract.snapshots import encode_snapshot, manifest_of
from drivers.labels import Label
from gateway.config_sections import CentralSection
from gateway.health import Health
from gateway.journal.records import Applied
from gateway.replication.downlink import LOAD_PAUSE_S, SETTLED_S, SPREAD_S, Downlink
from gateway.replication.inbound import PAUSE_S, REPEAT_S
from gateway.replication.snapshot_load import SnapshotLoader
from gateway.station.effects import NewPrintJob
from tests.gateway.journal.samples import GATEWAY, StillClock, movement, open_journal
from tests.gateway.replication.snapshot_server import Central, sample_snapshot, serving
from tests.gateway.replication.test_snapshot_load import GATEWAY_KEY, is_signed
from tests.waiting import wait_for

LABEL = Label(Decimal(50), Decimal(30), ())


@dataclass
class Recorder:
    """A station that notes what it is told."""

    followed: list[Applied] = field(default_factory=list)
    refused: str = ""

    def follow(self, applied: Applied) -> None:
        self.followed.append(applied)

    def label_for(self, request: PrintRequested) -> tuple[NewPrintJob, str]:
        job = NewPrintJob(printer="p1", template=request.template, content="c", label=LABEL)
        return job, self.refused


class Bench:
    """A gateway's end, connected to a broker, and a central that answers over HTTP."""

    def __init__(self, path, central: Central) -> None:
        self.clock = StillClock()
        self.journal = open_journal(path / "journal.db", clock=self.clock)
        self.central = central
        self.health = Health()
        self.station = Recorder()
        numbers = itertools.count(1)
        self.loader = SnapshotLoader(
            CentralSection(url=central.url),
            gateway=GATEWAY,
            folder=path,
            sign=GATEWAY_KEY.sign,
            signed=lambda data, signature: is_signed(central, data, signature),
            nonce=lambda: f"n{next(numbers)}",
            now_ms=lambda: 0,
        )
        self.downlink = Downlink(
            journal=self.journal,
            loader=self.loader,
            follower=self.station,
            clock=self.clock,
            health=self.health,
            jitter=lambda: 0.5,
        )
        self.now_s = 0.0

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.clock.elapsed_ns += round(seconds * 1e9)
        self.downlink.tick(self.now_s)

    def acks(self) -> list[tuple[str, int]]:
        """Return what is acknowledged now."""
        found = []
        while self.downlink.ack_due(self.now_s):
            ack = self.downlink.ack()
            assert ack == DownAck(gateway=GATEWAY, stream=ack.stream, number=ack.number)
            self.downlink.acknowledged(self.now_s)
            found.append((ack.stream, ack.number))
        return found

    def load(self) -> None:
        """Let the load that is due come to its end, good or bad."""
        self.downlink.tick(self.now_s)
        thread = self.loader._thread
        assert thread is not None, "nothing is loaded"
        wait_for(lambda: not thread.is_alive(), what="the load ends")
        self.downlink.tick(self.now_s)

    def take(self, first_number: int, *notices, stream: str = "stream-1") -> None:
        message = DownMessage(
            gateway=GATEWAY, stream=stream, first_number=first_number, notices=notices
        )
        self.downlink.take(message, self.now_s)

    def close(self) -> None:
        self.downlink.stop()
        self.journal.close()


@contextmanager
def bench_of(path, central: Central | None = None):
    with serving(central or Central()) as served:
        bench = Bench(path, served)
        bench.downlink.connected(0.0)
        try:
            yield bench
        finally:
            bench.close()


@pytest.fixture
def bench(tmp_path):
    with bench_of(tmp_path) as bench:
        yield bench


def stock(units: int) -> StockChanged:
    level = StockLevel("A-1", "rice", "", "", "", "KGM", units * 1_000_000)
    return StockChanged(revision=8, levels=(level,), positions=())


def test_a_new_gateway_says_that_it_has_nothing_and_loads_a_snapshot(bench):
    assert bench.acks() == [("", 0)]
    bench.load()
    assert bench.acks() == [("stream-1", 0)]
    assert not bench.downlink.wants_snapshot
    assert len(bench.journal.stock()) == len(sample_snapshot().levels)
    assert [one.reference for one in bench.station.followed] == [True]
    bench.take(1, stock(77))
    assert bench.acks() == [("stream-1", 1)]
    assert bench.journal.stock(location="A-1")[0].on_hand == 77


def test_a_message_that_was_heard_before_is_acknowledged_and_changes_nothing(bench):
    bench.load()
    bench.take(1, stock(77))
    bench.acks()
    bench.wait(1)
    bench.take(1, stock(5))
    assert bench.acks() == [("stream-1", 1)]
    bench.take(1, stock(5))
    assert bench.acks() == []  # Not once for each double.
    bench.wait(PAUSE_S)
    assert bench.acks() == [("stream-1", 1)]
    assert bench.journal.stock(location="A-1")[0].on_hand == 77


def test_what_is_new_of_a_message_is_applied(bench):
    bench.load()
    bench.take(1, stock(1))
    bench.take(1, stock(2), stock(3))
    assert bench.downlink.standing.number == 2
    assert bench.journal.stock(location="A-1")[0].on_hand == 3


def test_a_gap_is_answered_with_what_is_here(bench):
    bench.load()
    bench.take(1, stock(1))
    bench.acks()
    bench.wait(1)
    bench.take(3, stock(3))
    assert bench.acks() == [("stream-1", 1)]
    assert bench.journal.stock(location="A-1")[0].on_hand == 1


def test_another_stream_means_another_snapshot_a_little_later(bench):
    bench.load()
    bench.acks()
    bench.wait(1)
    bench.central.data = encode_snapshot(sample_snapshot(stream="stream-2", number=3))
    bench.central.manifest = manifest_of(
        sample_snapshot(stream="stream-2", number=3), bench.central.data
    )
    bench.take(4, stock(9), stream="stream-2")
    assert bench.acks() == [("stream-1", 0)]
    bench.wait(0)
    assert not bench.loader.is_busy  # Spread, so that not all gateways ask at once.
    bench.wait(REPEAT_S)
    assert bench.acks() == [("stream-1", 0)]  # Central may not have heard the first time.
    bench.load()
    bench.take(4, stock(9), stream="stream-2")
    assert bench.acks() == [("stream-2", 4)]


def test_a_snapshot_that_notices_have_overtaken_is_not_applied(bench):
    bench.load()
    bench.take(1, stock(5))
    bench.take(1, stock(9), stream="stream-2")
    bench.wait(0)
    bench.wait(10)
    assert bench.loader.is_busy
    bench.take(2, stock(6))  # Central is back with the stream that we have.
    bench.load()
    assert bench.downlink.standing.number == 2
    assert bench.journal.stock(location="A-1")[0].on_hand == 6


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(lambda c: setattr(c, "status", 403), "refused", id="refused"),
        pytest.param(lambda c: setattr(c, "data", b"y" * len(c.data)), "damaged", id="another"),
    ],
)
def test_a_failed_load_is_told_and_tried_again_after_growing_pauses(tmp_path, spoil, problem):
    central = Central()
    central.manifest = manifest_of(sample_snapshot(), central.data)
    good = central.data
    spoil(central)
    with bench_of(tmp_path, central) as bench:
        for tries in range(3):
            bench.load()
            assert bench.health.knowledge().problem == problem
            bench.wait(LOAD_PAUSE_S * 2**tries - 0.1)
            assert not bench.loader.is_busy
            bench.wait(0.2)
            assert bench.loader.is_busy
        central.status, central.data = 200, good
        bench.load()
        if bench.downlink.wants_snapshot:  # The last one was begun before central was mended.
            bench.wait(300)
            bench.load()
        assert bench.health.knowledge().problem == ""
        assert bench.health.knowledge().stream == "stream-1"


@pytest.mark.parametrize(
    "fields", [{"warehouse": "sh2"}, {"gateway": "another"}], ids=["warehouse", "gateway"]
)
def test_a_snapshot_of_another_place_is_not_applied(tmp_path, fields):
    wrong = sample_snapshot(**fields)
    data = encode_snapshot(wrong)
    central = Central(data=data, manifest=manifest_of(sample_snapshot(), data))
    with bench_of(tmp_path, central) as bench:
        bench.load()
        assert bench.health.knowledge().problem == "damaged"
        assert bench.journal.stock() == []
        assert not list(tmp_path.glob("snapshot-*"))


def test_without_an_address_of_central_the_gateway_works_and_says_so_once(tmp_path):
    bench = Bench(tmp_path, Central())
    bench.downlink.connected(0.0)
    assert bench.acks() == [("", 0)]
    bench.wait(10 * REPEAT_S)
    assert bench.acks() == []
    assert not bench.loader.is_busy
    assert bench.health.knowledge().problem == "no_url"
    bench.close()


def test_a_full_disk_leaves_the_notice_to_be_sent_again(bench):
    bench.load()
    bench.acks()
    connection = bench.journal._connection
    connection.execute("VACUUM")
    connection.execute("PRAGMA max_page_count = 1")
    template = TemplateChanged(name="bin", text="x" * 60_000)
    bench.wait(1)
    bench.take(1, template, stock(5))
    assert bench.downlink.standing.number == 0
    assert bench.health.counters()["notices_not_applied_total"] == 1
    connection.execute("PRAGMA max_page_count = 1073741823")
    bench.wait(3)
    bench.take(1, template, stock(5))
    assert bench.downlink.standing.number == 2


def test_a_message_for_another_gateway_is_none(bench):
    bench.load()
    message = DownMessage(gateway="another", stream="stream-1", first_number=1, notices=(stock(5),))
    bench.downlink.take(message, 0.0)
    assert bench.downlink.standing.number == 0


@pytest.mark.parametrize("refused", ["", "No label printer here is called x."])
def test_a_label_that_central_wants_is_queued_or_refused_once(bench, refused):
    bench.station.refused = refused
    bench.load()
    request = PrintRequested(job="J-1", printer="", template="bin", fields=())
    bench.take(1, request)
    bench.wait(0)
    bench.take(2, request)
    bench.wait(0)
    (job,) = bench.journal.print_jobs(10)
    assert job.state == ("failed" if refused else "queued")
    assert len(bench.journal.recent(10)) == (1 if refused else 0)


def test_how_old_the_knowledge_is_follows_from_when_central_was_last_heard(bench):
    assert bench.health.knowledge().stream == ""
    bench.load()
    bench.wait(0)
    assert not bench.health.knowledge().is_live  # Nobody has said that central serves us.
    bench.downlink.listening(bench.now_s, yes=True)
    bench.wait(SETTLED_S)
    assert bench.health.knowledge().is_live
    bench.wait(3600)
    live_until_ms = bench.clock.now_ms()
    bench.downlink.disconnected()
    bench.wait(1800)
    knowledge = bench.health.knowledge()
    assert (knowledge.is_live, knowledge.as_of_ms) == (False, live_until_ms)
    assert (knowledge.stream, knowledge.stock_revision) == ("stream-1", 7)


def test_own_facts_stay_beside_the_snapshot(bench):
    bench.journal.append([movement(to_location="A-1", quantity="2")])
    bench.load()
    assert bench.journal.stock(location="A-1")[0].on_hand == 3


def test_an_old_message_makes_one_load_not_loads_without_end(tmp_path):
    with bench_of(tmp_path) as bench:
        bench.load()
        bench.take(1, SettingsChanged(settings=()), stream="stream-of-last-week")
        assert bench.downlink.wants_snapshot
        bench.wait(0.0)
        bench.wait(SPREAD_S)
        bench.load()  # The same one again: central has nothing newer.
        assert not bench.downlink.wants_snapshot
        assert bench.downlink.standing.stream == "stream-1"
