"""A device may come and go; what it says is stamped and never dropped. Edge of threads."""

import logging
import queue
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from drivers.errors import DeviceLost, DeviceSilent, SettingsInvalid
from drivers.readings import BarcodeScanned, WeightMeasured
from gateway.devices.device_loop import DeviceLoop
from gateway.devices.presence import Presence
from gateway.health import Health
from gateway.station.observations import Observation
from tests.gateway.devices.scripted import NoSettings, ScriptedReader
from tests.gateway.journal.samples import StillClock
from tests.waiting import until

CODE = BarcodeScanned("]C1", "0112345", b"]C10112345\r")
LOST = DeviceLost("port is gone", hint="Plug the scanner in.")


class Bench:
    """One device loop, its queue, clock and health."""

    def __init__(self, device_class: str = "scanner", *, room: int = 10) -> None:
        self.device = ScriptedReader(device_class)
        self.observations: queue.Queue[Observation] = queue.Queue(maxsize=room)
        self.clock = StillClock()
        self.health = Health()
        self.presence = Presence(
            "dock-1-scanner",
            self.device.driver,
            clock=self.clock,
            health=self.health,
            jitter=lambda: 0.0,
        )
        self.loop = DeviceLoop(
            driver=self.device.driver,
            settings=NoSettings(),
            presence=self.presence,
            observations=self.observations,
            clock=self.clock,
            health=self.health,
        )

    def state(self) -> str:
        return self.health.devices()[0].state

    def problem(self) -> str:
        return self.health.devices()[0].problem

    def next(self) -> Observation:
        return self.observations.get(timeout=60)


@pytest.fixture
def benches() -> Iterator[list[Bench]]:
    started: list[Bench] = []
    yield started
    for bench in started:
        bench.loop.thread.stop()
    for bench in started:
        assert bench.loop.thread.join(60)
        assert bench.device.closes_count <= bench.device.opens_count


@pytest.fixture
def start(benches):
    def started(device_class: str = "scanner", **settings) -> Bench:
        bench = Bench(device_class, **settings)
        benches.append(bench)
        return bench

    return started


def test_a_reading_is_stamped_with_the_moment_it_was_read(start) -> None:
    bench = start()
    bench.clock.elapsed_ns = 7_000_000
    bench.loop.thread.start()
    bench.device.say(CODE)
    assert bench.next() == Observation(
        device="dock-1-scanner",
        reading=CODE,
        event_time_ms=1_795_000_000_007,
        clock_synced=True,
        boot_id="boot-1",
        monotonic_ns=7_000_000,
    )
    assert bench.state() == "ready"


def test_a_lost_device_is_opened_again_and_logged_once_each_way(start, caplog) -> None:
    caplog.set_level(logging.INFO, logger="gateway")
    bench = start()
    bench.device.open_errors = [LOST, LOST]
    bench.loop.thread.start()
    bench.device.say(CODE)
    bench.next()
    assert bench.device.opens_count == 3
    bench.device.fail(LOST)
    bench.device.say(CODE)
    bench.next()
    until(lambda: bench.state() == "ready", "ready again")
    texts = [record.getMessage() for record in caplog.records]
    assert texts == ["device lost", "device back"] * 2


def test_a_lost_device_is_shown_as_lost_and_logged_with_what_a_person_can_do(start, caplog) -> None:
    bench = start()
    bench.device.open_errors = [LOST] * 99
    bench.loop.thread.start()
    until(lambda: bench.state() == "offline", "offline")
    health = bench.health.devices()[0]
    assert (health.problem, health.detail) == ("lost", "port is gone")
    assert vars(caplog.records[0])["fields"]["hint"] == "Plug the scanner in."


def test_a_silent_device_is_ready_again_only_when_it_speaks(start) -> None:
    bench = start("scale")
    bench.loop.thread.start()
    bench.device.fail(DeviceSilent("no answer", hint="Switch the scale on."))
    until(lambda: bench.device.opens_count == 2, "opened again")
    reads_count = bench.device.reads_count
    until(lambda: bench.device.reads_count >= reads_count + 3, "read, without a word")
    assert (bench.state(), bench.problem()) == ("offline", "silent")
    bench.device.say(weight())
    bench.next()
    assert (bench.state(), bench.problem()) == ("ready", "")


def test_wrong_settings_are_a_fault_that_is_not_tried_again(start) -> None:
    bench = start()
    bench.device.open_errors = [SettingsInvalid("no such mode", hint="Write mode = 1.")]
    bench.loop.thread.start()
    until(lambda: bench.state() == "fault", "fault")
    health = bench.health.devices()[0]
    assert (health.state, health.problem) == ("fault", "settings")
    bench.loop.wake()
    assert not bench.loop.thread.join(0.05)
    assert bench.device.opens_count == 1


def test_a_mistake_in_a_driver_is_told_and_the_line_given_back(start) -> None:
    bench = start()
    bench.loop.thread.start()
    bench.device.fail(ZeroDivisionError("oops"))
    until(lambda: bench.state() == "offline", "offline")
    assert bench.problem() == "crashed"
    assert bench.device.closes_count == 1
    assert bench.health.counters()["device_crashes_total"] == 1


def test_a_full_queue_holds_the_device_back_and_drops_nothing(start) -> None:
    bench = start(room=1)
    bench.loop.thread.start()
    bench.device.say(*[CODE] * 5)
    until(lambda: bench.health.counters().get("observations_waited_total"), "waiting")
    assert [bench.next().reading for _ in range(5)] == [CODE] * 5
    # The station counts what it takes; a second count here would double each.
    assert "observations_total" not in bench.health.counters()


def test_a_device_that_is_closed_while_the_queue_is_full_waits_a_moment_for_room(start) -> None:
    bench = start(room=1)
    bench.loop.thread.start()
    bench.device.say(CODE, CODE, CODE)
    until(lambda: bench.health.counters().get("observations_waited_total"), "waiting")
    bench.loop.thread.stop()
    assert [bench.next().reading for _ in range(3)] == [CODE] * 3
    assert bench.loop.thread.join(60)
    assert "observations_dropped_total" not in bench.health.counters()


def test_a_device_that_is_closed_while_nothing_is_taken_ends_and_says_what_it_lost(
    start, caplog
) -> None:
    bench = start(room=1)
    bench.loop.thread.start()
    bench.device.say(*[CODE] * 20)
    until(lambda: bench.health.counters().get("observations_waited_total"), "waiting")
    bench.loop.thread.stop()
    assert bench.loop.thread.join(60)
    assert bench.health.counters()["observations_dropped_total"] == 19
    assert sum(record.message == "reading dropped" for record in caplog.records) == 19


def test_a_resting_scale_repeats_itself_five_times_a_second_and_hides_no_change(start) -> None:
    bench = start("scale", room=1000)
    bench.loop.thread.start()
    said = [weight("1.50")] * 3 + [weight("1.5"), weight("1.50", stable=False)]
    said += [weight("1.50"), weight("1.50", device_alibi="7"), weight("1.50", device_alibi="7")]
    net = replace(weight("1.50"), kind="net", tare=Decimal("0.20"))
    said += [net, net, replace(net, tare=Decimal("0.30")), weight("1.50", device_alibi="7")]
    bench.device.say(*said)
    expected = [said[0], said[3], said[4], said[5], said[6], net, said[10], said[11]]
    assert [bench.next().reading for _ in expected] == expected
    bench.clock.elapsed_ns = 199_999_999
    bench.device.say(said[6])
    bench.device.say(weight("9"))
    assert bench.next().reading == weight("9")
    bench.clock.elapsed_ns += 200_000_000
    bench.device.say(weight("9"))
    assert bench.next().reading == weight("9")


def test_repeated_scans_of_one_code_all_count(start) -> None:
    bench = start()
    bench.loop.thread.start()
    bench.device.say(CODE, CODE, CODE)
    assert [bench.next().reading for _ in range(3)] == [CODE] * 3


def weight(value: str = "1.50", *, stable: bool = True, device_alibi: str = "") -> WeightMeasured:
    return WeightMeasured(Decimal(value), "KGM", "gross", stable, b"raw", device_alibi)
