"""Staff see who is behind, who is gone, what was lost, and what nobody takes; on both databases."""

import pytest
from sqlalchemy import text

from central.contract.states import CentralState, GatewayState, encode_state
from central.inbox.epoch_heads import EPOCHS_PER_GATEWAY_MAX
from central.inbox.gateways import record_states
from central.inbox.inbox import Inbox
from central.inbox.workers import FORGOTTEN_MS, record_worker
from central.stock.states import list_gateways
from central.stock.workers import SILENT_MS, list_workers
from central.storage import tables
from central.web.state_views import ranges_text
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.scenery import NOW_MS, FixedClock, Gateway, furnished, rows


class Dock:
    """One gateway as the ledger hears it."""

    def __init__(self, database):
        self.database = database
        self.clock = FixedClock()
        self.gateway = Gateway()
        furnished(database, self.gateway)
        self.inbox = Inbox(database, clock=self.clock)

    def scan(self, count=1, *, sent=0):
        for _ in range(count):
            self.gateway.move()
        if sent:
            self.inbox.accept([self.gateway.offer(1, sent)])

    def tell(self, **changes):
        values = {
            "gateway": self.gateway.code,
            "warehouse": "SH1",
            "epoch": str(self.gateway.epoch),
            "online": True,
            "time_ms": self.clock.time_ms,
            "head_seq": len(self.gateway.bodies),
            "boot_id": "boot-1",
            "monotonic_ms": 1000,
            "clock_synced": True,
        }
        payload = encode_state(GatewayState(**(values | changes)))
        return record_states(self.database, [(self.gateway.code, payload)], clock=self.clock)

    def row(self):
        with self.database.read() as connection:
            (row,) = list_gateways(connection, limit=10)
        return row

    def page(self, language="en"):
        app = application(database=self.database, clock=self.clock)
        return ask(app, f"/?lang={language}").text

    def get(self, path):
        app = application(database=self.database, clock=self.clock)
        return ask(app, path)


@pytest.fixture
def dock(database):
    return Dock(database)


def test_lag_is_told_in_movements_and_seconds_and_grows_while_a_gateway_is_silent(dock):
    dock.scan(5, sent=2)
    dock.tell(unsent_count=3, lag_s=40)
    dock.clock.time_ms += 20_000
    row = dock.row()
    assert (row.lag_movements, row.lag_s(now_ms=dock.clock.now_ms())) == (3, 60)
    assert row.told_age_s(now_ms=dock.clock.now_ms()) == 20
    (answer,) = dock.get("/api/v1/gateways").json()["gateways"]
    assert (answer["lag_count"], answer["lag_s"], answer["told_age_s"]) == (3, 60, 20)
    metrics = dock.get("/metrics").text
    labels = '{gateway="sh1-dock-1",warehouse="SH1"}'
    assert f"dockledger_gateway_lag_movements{labels} 3\n" in metrics
    assert f"dockledger_gateway_lag_seconds{labels} 60\n" in metrics
    assert "3 unsent · the oldest from" in dock.page()
    assert "3 条未发送 · 最早发生于" in dock.page("zh")
    dock.inbox.accept([dock.gateway.offer(3, 5)])
    dock.tell(unsent_count=0)
    assert dock.row().lag_s(now_ms=dock.clock.now_ms() + 99_000) == 0


def test_the_age_of_a_retained_state_is_that_of_its_words(dock):
    dock.tell(time_ms=NOW_MS - 90_000)
    assert dock.row().told_age_s(now_ms=NOW_MS) == 90
    dock.tell(time_ms=NOW_MS + 90_000)  # The ledger's clock is behind: no age is below zero.
    assert dock.row().told_age_s(now_ms=NOW_MS) == 0
    dock.tell(time_ms=5, clock_synced=False)
    assert dock.row().told_age_s(now_ms=NOW_MS) == 0


def test_a_last_will_says_that_a_gateway_is_gone_and_nothing_else(dock):
    dock.scan(5, sent=2)
    dock.tell(unsent_count=3, lag_s=40)
    dock.tell(online=False, time_ms=0, head_seq=0, unsent_count=0, software="old")
    row = dock.row()
    assert (row.online, row.head_seq, row.unsent_count, row.stated_lag_s) == (False, 5, 3, 40)
    assert "Offline" in dock.page()


def test_what_only_a_lost_card_held_is_known_and_told(dock):
    dock.scan(5, sent=2)
    dock.tell(unsent_count=3)
    assert dock.row().lost_count == 0  # It may still send them.
    dock.gateway = dock.gateway.next_epoch()
    dock.tell(unsent_count=3)
    assert dock.row().lost_count == 0  # An older epoch that drains.
    dock.tell(unsent_count=0)
    assert dock.row().lost_count == 3
    assert "3 facts lost with a card: count where it worked" in dock.page()
    assert "3 条事实随存储卡丢失" in dock.page("zh")
    (answer,) = dock.get("/api/v1/gateways").json()["gateways"]
    assert answer["lost_count"] == 3


def test_an_epoch_that_arrived_whole_is_no_loss_and_heads_are_bounded(dock):
    dock.scan(2, sent=2)
    dock.tell()
    first = (str(dock.gateway.epoch),)
    for _ in range(EPOCHS_PER_GATEWAY_MAX + 3):
        dock.gateway = dock.gateway.next_epoch()
        dock.tell(head_seq=1)
        assert first not in rows(dock.database, tables.epoch_heads, "epoch")
    dock.tell(epoch="none")
    assert len(rows(dock.database, tables.epoch_heads)) == EPOCHS_PER_GATEWAY_MAX
    assert dock.row().lost_count == EPOCHS_PER_GATEWAY_MAX


def test_a_second_card_with_the_same_identity_is_an_alarm(dock):
    dock.scan(2, sent=2)
    dock.tell()
    clone = Gateway()
    clone.move(quantity="7")
    dock.inbox.accept([clone.offer()])
    assert dock.row().forks_count == 1
    assert "a second card or machine speaks in its name" in dock.page()
    assert "另有存储卡或设备冒用其名" in dock.page("zh")


def test_how_old_a_gateways_knowledge_is_grows_until_it_hears_again(dock):
    dock.tell()
    assert dock.row().known_age_s(now_ms=NOW_MS) is None
    dock.tell(stream="s1", notice=7, stock_revision=5, known_age_s=100)
    dock.clock.time_ms += 60_000
    row = dock.row()
    assert row.known_age_s(now_ms=dock.clock.now_ms()) == 160
    assert (row.stream, row.notice, row.stock_revision) == ("s1", 7, 5)
    page = dock.get("/api/v1/gateways").json()
    assert (page["gateways"][0]["known_age_s"], page["record_no"]) == (160, 0)
    assert "knows the stock of" in dock.page()
    dock.tell(stream="s1", known_age_s=1)
    assert "knows the stock of" not in dock.page()


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        pytest.param({"clock_synced": False}, "Clock not set", "时钟未校准", id="no time"),
        pytest.param({"disk_used_percent": 93}, "disk 93% full", "磁盘已用 93%", id="disk"),
        pytest.param({"shed_count": 8}, "8 tag passages not", "8 次标签通过未记录", id="shed"),
    ],
)
def test_what_a_gateway_lacks_is_told_in_both_languages(dock, changes, english, chinese):
    dock.tell(**changes)
    assert english in dock.page()
    assert chinese in dock.page("zh")


def test_of_a_gateway_that_is_away_its_line_is_told_and_not_its_clock(dock):
    dock.tell(online=False, clock_synced=False)
    assert "check its power and network cable" in dock.page()
    assert "time server" not in dock.page()
    assert "请检查其电源和网线" in dock.page("zh")


def worker(name, shards, **changes):
    values = {"worker": name, "online": True, "generation": "g", "shards": shards}
    return CentralState(**(values | changes))


def unserved(dock):
    with dock.database.read() as connection:
        return list_workers(connection, now_ms=dock.clock.now_ms()).unserved


def test_shards_that_nobody_takes_are_an_alarm(dock):
    assert unserved(dock) == ()  # Nobody ever said that there are workers.
    assert "nobody takes" not in dock.page()
    record_worker(dock.database, worker("a", tuple(range(32))), clock=dock.clock)
    record_worker(dock.database, worker("b", tuple(range(32, 64))), clock=dock.clock)
    assert unserved(dock) == ()
    record_worker(dock.database, worker("b", tuple(range(32, 60)), online=False), clock=dock.clock)
    assert unserved(dock) == tuple(range(32, 64))
    assert "nobody takes the facts of shards 32-63: start a worker for them" in dock.page()
    assert "分片 32-63 的事实无人接收" in dock.page("zh")
    body = dock.get("/api/v1/workers").json()
    assert [(row["worker"], row["alive"]) for row in body["workers"]] == [("a", True), ("b", False)]
    assert body["unserved_shards"] == list(range(32, 64))
    metrics = dock.get("/metrics").text
    assert 'dockledger_worker_online{worker="a"} 1\n' in metrics
    assert 'dockledger_worker_online{worker="b"} 0\n' in metrics
    assert "dockledger_shards_unserved 32\n" in metrics


def test_a_worker_that_falls_silent_is_dead_and_later_forgotten(dock):
    record_worker(dock.database, worker("a", (1,)), clock=dock.clock)
    dock.clock.time_ms += SILENT_MS - 1
    assert 1 not in unserved(dock)
    dock.clock.time_ms += 1
    assert 1 in unserved(dock)
    dock.clock.time_ms += FORGOTTEN_MS
    record_worker(dock.database, worker("b", (2,)), clock=dock.clock)
    assert rows(dock.database, tables.workers, "worker") == [("b",)]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        pytest.param((), "", id="none"),
        pytest.param((3,), "3", id="one"),
        pytest.param((0, 1, 2, 5, 7, 8), "0-2, 5, 7-8", id="runs"),
    ],
)
def test_numbers_are_told_as_ranges(numbers, expected):
    assert ranges_text(numbers) == expected


def test_a_corrected_time_is_marked_and_what_was_said_stays(dock):
    seq = dock.gateway.move(clock_synced=False, event_time_ms=5_000, flags=("clock_unsynced",))
    dock.inbox.accept([dock.gateway.offer()])
    assert "clock not set" in dock.page()
    with dock.database.write() as connection:
        connection.execute(tables.facts.update().values(event_time_ms=NOW_MS - 1000))
        connection.execute(
            text(
                "INSERT INTO unsynced_facts VALUES"
                f" (1, 'SH1', 'sh1-dock-1', '{dock.gateway.epoch}', 1, 'boot-1', 0, 7)"
            )
        )
    (fact,) = dock.get("/api/v1/movements").json()["movements"]
    assert (fact["time_source"], fact["clock_synced"]) == ("corrected", False)
    assert fact["event_time"] == "2026-05-28T20:26:39.000Z"
    assert fact["stated_time"] == "1970-01-01T00:00:05.000Z"
    assert "time corrected" in dock.page() and "clock not set" not in dock.page()
    assert "时间已校正" in dock.page("zh")
    path = f"/fragments/evidence/{dock.gateway.code}/{dock.gateway.epoch}/{seq}"
    assert "By its own clock" in dock.get(path).text
