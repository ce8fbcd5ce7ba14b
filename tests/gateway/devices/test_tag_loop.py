"""Tag reads become passages in the reader's thread, and never stand before a scan. Loop."""

import random
import sys
import threading
import time

from drivers.readings import BarcodeScanned, DeviceFault, TagRead
from drivers.registry import load_driver
from gateway.config_doors import DoorSection
from gateway.config_sections import DeviceSection
from gateway.devices.check import ConfiguredDevice
from gateway.devices.tag_loop import DoorFilter, TagDoors, door_setup
from gateway.health import Health
from gateway.station.passages import TagPassage
from tests.gateway.station.bench import BenchClock
from tests.gateway.station.walks import SECOND_NS, inwards, outwards, walk

DOCK_1 = DoorSection(read_point="DOCK-1", inside=("wide:1",), outside=("wide:2",))
DOCK_2 = DoorSection(read_point="DOCK-2", inside=("wide:3",), outside=("wide:4",))


def doors(*sections, health=None):
    setups = [door_setup(section) for section in sections]
    return TagDoors(setups, clock=BenchClock(), health=health or Health())


def passages(found):
    return [reading for reading in found if isinstance(reading, TagPassage)]


def test_only_rfid_readers_have_a_filter():
    made = doors(DOCK_1)
    for driver, expected in (("uhf-r200-tcp", DoorFilter), ("scanner-tcp", type(None))):
        section = DeviceSection(name="wide", driver=driver, settings={})
        loaded = load_driver(driver)
        settings = loaded.parse_settings({"host": "127.0.0.1", "port": 1})
        assert isinstance(made.filter_of(ConfiguredDevice(section, loaded, settings)), expected)


def test_what_is_no_tag_passes_at_once_and_in_order():
    scan, fault = BarcodeScanned("", "X", b"X"), DeviceFault("reader_error", "hot")
    readings = [TagRead(epc="AA"), scan, TagRead(epc="AA"), fault]
    assert doors(DOCK_1).take("wide", readings, SECOND_NS) == [scan, fault]


def test_one_reader_serves_two_doors_by_its_antennas_and_counts_what_it_saw():
    health = Health()
    made = doors(DOCK_1, DOCK_2, health=health)
    found = []
    first = walk(inwards, random.Random(1), seconds=10, epc="AA")
    second = walk(outwards, random.Random(2), seconds=10, epc="BB", antennas={3: 1.0, 4: -1.0})
    for timed in sorted(first + second, key=lambda timed: timed.at_ns):
        found += made.take("wide", [timed.read], timed.at_ns)
    found += made.take("wide", [], 60 * SECOND_NS)
    assert sorted(
        (passage.read_point, passage.track.epc, passage.direction) for passage in passages(found)
    ) == [("DOCK-1", "AA", "in"), ("DOCK-2", "BB", "out")]
    counters = health.counters()
    assert counters["passages_total"] == counters["tags_arrived_total"] == 2
    assert counters["tag_reads_total"] == len(first) + len(second)


def test_a_tag_is_told_of_though_its_reader_says_nothing_more():
    made = doors(DOCK_1)
    made.take("wide", [TagRead(epc="AA"), TagRead(epc="AA")], SECOND_NS)
    assert passages(made.take("wide", [], 3 * SECOND_NS)) == []
    assert len(passages(made.take("wide", [], 5 * SECOND_NS))) == 1


def test_a_reader_of_no_door_is_a_read_point_of_its_own():
    made = doors(DOCK_1)
    made.take("other", [TagRead(epc="AA", antenna=1)] * 2, SECOND_NS)
    [passage] = passages(made.take("other", [], 60 * SECOND_NS))
    assert (passage.read_point, passage.direction) == ("other", "unknown")


def test_two_threads_may_feed_one_door():
    section = DoorSection(read_point="DOCK-3", inside=("a",), outside=("b",))
    health = Health()
    made = doors(section, health=health)

    def feed(device):
        for number in range(500):
            made.take(device, [TagRead(epc=f"{number % 10:02X}")], SECOND_NS + number)

    threads = [threading.Thread(target=feed, args=(device,)) for device in ("a", "b")]
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # So that threads meet in the middle of everything.
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval_s)
    found = passages(made.take("a", [], 60 * SECOND_NS))
    assert sum(passage.track.reads_count for passage in found) == 1000
    assert len(found) == 10


def test_fifteen_hundred_reads_a_second_leave_most_of_a_core_free():
    made = doors(DOCK_1)
    reads = [
        TagRead(epc=f"{number % 300:024X}", antenna=1 + number % 2, rssi_cdbm=-5_000)
        for number in range(1_500)
    ]
    started_s = time.thread_time()
    for number, read in enumerate(reads):
        made.take("wide", [read], SECOND_NS + number * SECOND_NS // 1_500)
    assert time.thread_time() - started_s < 0.4
