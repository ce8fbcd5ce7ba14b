"""From a tag before real readers to a durable passage on the screen. Edge of a temporary folder."""

import queue
import random
import time

import pytest

from central.contract.epc import Gs1Epc, encode_epc
from drivers.readings import TagRead
from drivers.registry import load_driver
from drivers.simulators.lines import VirtualTcpPort
from drivers.simulators.reader_uhf_serial import VirtualR200Module
from gateway.config_doors import DoorSection
from gateway.devices.device_loop import DeviceLoop
from gateway.devices.presence import Presence
from gateway.devices.tag_loop import DoorFilter, TagDoors, door_setup
from gateway.health import StorageHealth
from gateway.journal.reading import open_reader
from gateway.journal.verify import verify_journal
from gateway.screen.page_state import PageSources, page_state
from gateway.screen.page_unsent import Unsent
from gateway.screen.translation import translator
from gateway.station.doors import AntennaRef, DoorSetup, DoorWatch, Moment
from tests.gateway.station.bench import TIME_MS, Bench, bench_at, english
from tests.gateway.station.test_station_loop import disk_failing
from tests.gateway.station.walks import EPC, SECOND_NS, inwards, outwards, walk
from tests.waiting import wait_for

DOOR = DoorSetup("DOCK-1", inside=(AntennaRef("wide", 1),), outside=(AntennaRef("wide", 2),))


def walk_past(bench: Bench, position_m, *, epc=EPC, seed=1):
    """Let a tag pass the door of a bench, as its reader's thread would tell of it."""
    watch = DoorWatch(DOOR)
    start_ns = bench.clock.elapsed_ns
    found = []
    for timed in walk(position_m, random.Random(seed), seconds=10, epc=epc, start_ns=start_ns):
        now = Moment(TIME_MS + timed.at_ns // 1_000_000, timed.at_ns)
        found += watch.observe("wide", timed.read, now)
    bench.clock.elapsed_ns = start_ns + 20 * SECOND_NS
    found += watch.advance(Moment(bench.clock.now_ms(), bench.clock.elapsed_ns))
    for passage in found:
        bench.put(passage, device="wide")


def test_a_passage_becomes_a_durable_fact_that_moves_no_stock(bench):
    walk_past(bench, inwards)
    seen = bench.step()
    [fact] = seen.facts
    assert (fact.direction, fact.read_point, fact.gtin, fact.serial) == (
        "in",
        "DOCK-1",
        "80614141123458",
        "6789",
    )
    assert [sighting.group for sighting in fact.sightings] == ["inside", "outside"]
    assert sum(sighting.reads_count for sighting in fact.sightings) == fact.reads_count
    assert {evidence.kind for evidence in fact.evidence} == {"tag"}
    assert fact.first_seen_ms < fact.last_seen_ms == fact.event_time_ms
    assert bench.stock() == {}


def test_a_passage_leaves_the_operators_work_and_the_last_signal_alone(bench):
    before = bench.scan("CMD-RECEIVE", "nonsense\x01")
    walk_past(bench, outwards)
    seen = bench.step()
    assert (seen.kind, seen.prompt) == ("", before.prompt)
    [shown] = bench.board.state().passages
    assert english(shown.message) == "80614141123458 went out at DOCK-1"


def test_an_item_that_the_station_knows_is_shown_by_its_name_in_both_languages(bench):
    walk_past(bench, inwards, epc=tea_epc())
    bench.step()
    sources = PageSources(bench.board.state(), (), bench.health.link(), "", Unsent())
    texts = {
        language: page_state(sources, language=language, translate=translator(language))
        .passages[0]
        .text
        for language in ("en", "zh")
    }
    assert texts == {
        "en": "Green tea 250 g (TEA-250) came in at DOCK-1",
        "zh": "Lv cha (TEA-250) 在 DOCK-1 进入",
    }


def tea_epc():
    return encode_epc(Gs1Epc("sgtin-96", 1, "6901234", "056789", "7"))


def test_a_tag_without_a_gs1_key_is_kept_as_it_is(bench):
    walk_past(bench, inwards, epc="E28011700000020A1C2D3E4F")
    [fact] = bench.step().facts
    assert (fact.epc, fact.gtin, fact.sscc) == ("E28011700000020A1C2D3E4F", "", "")
    [shown] = bench.board.state().passages
    assert english(shown.message) == "E28011700000020A1C2D3E4F came in at DOCK-1"


def test_passages_and_scans_of_one_moment_are_one_commit(bench):
    bench.queue_scan("CMD-RECEIVE")
    bench.queue_scan("6901234567892")
    walk_past(bench, inwards)
    kinds = [type(fact).__name__ for fact in bench.step().facts]
    assert kinds == ["Movement", "Passage"]


def test_a_passage_waits_while_nothing_can_be_recorded_and_is_recorded_later(bench):
    with disk_failing(bench):
        walk_past(bench, inwards)
        bench.step()
        assert bench.board.state().passages == ()
        assert bench.health.journal_problem()
    bench.step()  # Too soon: a failing disk is not asked at every turn.
    assert bench.board.state().passages == ()
    bench.clock.elapsed_ns += 20 * SECOND_NS
    [fact] = bench.step().facts
    assert fact.epc == EPC
    assert bench.health.journal_problem() == ""
    assert len(bench.board.state().passages) == 1


def test_an_epc_that_cannot_be_is_counted_and_hurts_nothing(bench):
    walk_past(bench, inwards, epc="not hexadecimal")
    walk_past(bench, inwards)
    assert [fact.epc for fact in bench.step().facts] == [EPC]
    assert bench.health.counters()["passages_lost_total"] == 1


def test_the_journal_with_passages_verifies(tmp_path):
    with bench_at(tmp_path) as bench:
        bench.scan("CMD-RECEIVE", "6901234567892")
        walk_past(bench, inwards)
        bench.step()
        bench.scan("CMD-UNDO")
        reader = open_reader(tmp_path / "journal.db")
        try:
            verified = verify_journal(reader)
        finally:
            reader.close()
    assert (verified.facts_count, verified.findings) == (3, ())


@pytest.fixture
def door_of_two():
    """Two real serial readers behind TCP, one on either side of a door, with their tags."""
    with (
        VirtualTcpPort() as inside_port,
        VirtualTcpPort() as outside_port,
        VirtualR200Module(inside_port) as inside,
        VirtualR200Module(outside_port) as outside,
    ):
        yield {"in": (inside_port, inside), "out": (outside_port, outside)}


def test_a_tag_that_goes_from_one_reader_to_the_other_is_a_passage_within_seconds(
    door_of_two, bench
):
    section = DoorSection(
        # Longer than a loaded machine stalls: a pause of that length would cut the passage in two.
        read_point="DOCK-1",
        inside=("in",),
        outside=("out",),
        departed_after_s=2.5,
    )
    clock = RunningClock()
    doors = TagDoors([door_setup(section)], clock=clock, health=bench.health)
    observations: queue.Queue = queue.Queue(256)
    driver = load_driver("uhf-r200-tcp")
    loops = []
    for name, (port, _) in door_of_two.items():
        presence = Presence(name, driver, clock=clock, health=bench.health, jitter=lambda: 0.0)
        loops.append(
            DeviceLoop(
                driver=driver,
                settings=driver.parse_settings({"host": "127.0.0.1", "port": port.port}),
                presence=presence,
                observations=observations,
                clock=clock,
                health=bench.health,
                reading_filter=DoorFilter(doors, name),
            )
        )
    for loop in loops:
        loop.thread.start()
    try:
        (_, inside), (_, outside) = door_of_two["in"], door_of_two["out"]
        outside.lay(EPC, -45)
        wait_for(lambda: bench.health.counters().get("tag_reads_total", 0) > 10)
        inside.lay(EPC, -70)
        moved = bench.health.counters()["tag_reads_total"] + 10
        wait_for(lambda: bench.health.counters()["tag_reads_total"] > moved)
        outside.lay(EPC, -75)
        inside.lay(EPC, -42)
        moved = bench.health.counters()["tag_reads_total"] + 40
        wait_for(lambda: bench.health.counters()["tag_reads_total"] > moved)
        outside.take_away(EPC)
        inside.take_away(EPC)
        bench.observations.put(observations.get(timeout=60))
        [fact] = bench.step().facts
        assert (fact.direction, fact.epc, fact.read_point) == ("in", EPC, "DOCK-1")
        assert {evidence.device for evidence in fact.evidence} == {"in", "out"}
        assert observations.empty()  # Hundreds of reads, one observation.
    finally:
        for loop in loops:
            loop.thread.stop()
        for loop in loops:
            assert loop.thread.join(60)


class RunningClock:
    """A clock that runs."""

    boot_id = "boot-1"

    def now_ms(self) -> int:
        return TIME_MS + self.monotonic_ns() // 1_000_000

    def monotonic_ns(self) -> int:

        return time.monotonic_ns()

    def synced(self) -> bool:
        return True


def test_a_read_that_no_filter_took_is_no_step_of_a_workflow(bench):
    bench.put(TagRead(epc=EPC), device="wide")
    assert bench.step().facts == ()


def test_on_a_nearly_full_disk_passages_are_shed_and_counted_while_scans_go_on(bench):
    bench.health.set_storage(StorageHealth(level="shedding", disk_used_percent=96))
    walk_past(bench, inwards)
    bench.queue_scan("CMD-RECEIVE")
    bench.queue_scan("6901234567892")
    assert [type(fact).__name__ for fact in bench.step().facts] == ["Movement"]
    assert bench.health.counters()["passages_shed_total"] == 1
    bench.health.set_storage(StorageHealth())
    walk_past(bench, inwards)
    assert [type(fact).__name__ for fact in bench.step().facts] == ["Passage"]
