"""Devices are changed, woken, locked and watched while the others work. Edge of threads."""

import logging
from dataclasses import replace
from threading import Event

import pytest

from drivers.api import DeviceCommand
from drivers.errors import DeviceLost, DeviceSilent, SettingsInvalid
from drivers.readings import BarcodeScanned, DeviceFault, Reading
from gateway.devices.locks import DeviceLocks
from gateway.errors import DeviceCommandFailed
from tests.gateway.devices.floor import configured
from tests.gateway.devices.scripted import ScriptedReader
from tests.waiting import until, within

CODE = BarcodeScanned("", "0112345", b"0112345\r")
LOST = DeviceLost("port is gone", hint="Plug it in.")
ZERO = DeviceCommand("zero")


def test_devices_are_added_changed_and_removed_while_others_notice_nothing(floor) -> None:
    kept, changed, removed, added = (ScriptedReader() for _ in range(4))
    supervisor = floor.start(
        configured("kept", kept), configured("changed", changed), configured("removed", removed)
    )
    for name in ("kept", "changed", "removed"):
        floor.until_state(name, "ready")
    supervisor.set_devices(
        [configured("kept", kept), configured("changed", changed, port=2), configured("new", added)]
    )
    until(lambda: changed.opens_count == 2, "the changed one opened again")
    until(lambda: removed.closes_count == 1, "the removed one closed")
    floor.until_state("new", "ready")
    assert [device.name for device in floor.health.devices()] == ["changed", "kept", "new"]
    assert (kept.opens_count, kept.closes_count) == (1, 0)
    kept.say(CODE)
    assert floor.observations.get(timeout=60).device == "kept"


def test_a_changed_device_is_opened_only_after_its_line_is_given_back(floor) -> None:
    order: list[str] = []
    release = Event()

    class Slow(ScriptedReader):
        def read(self, timeout_s: float):
            release.wait(60)
            return super().read(timeout_s)

        def close(self) -> None:
            order.append("old closed")

    old, new = Slow(), ScriptedReader()
    new.driver = replace(new.driver, open_device=lambda _: (order.append("new opened"), new)[1])
    supervisor = floor.start(configured("scale", old))
    until(lambda: old.opens_count == 1, "open")
    supervisor.set_devices([configured("scale", new)])
    between = supervisor.served_device("scale").loop.thread
    supervisor.set_devices([configured("scale", new, again=1)])
    assert not between.join(0.5)  # It ends with the one before it, lest the last one begins now.
    assert order == []
    release.set()
    until(lambda: len(order) == 2, "opened")
    assert order == ["old closed", "new opened"]


def test_a_removed_device_that_hangs_is_not_heard_of_again(floor) -> None:
    device = ScriptedReader()
    release = Event()
    device.read = lambda timeout_s: release.wait(60) and (CODE,)  # type: ignore[method-assign]
    supervisor = floor.start(configured("gone", device))
    until(lambda: device.opens_count == 1, "open")
    supervisor.set_devices([])
    assert floor.health.devices() == ()
    release.set()
    until(lambda: device.closes_count == 1, "closed")
    assert floor.health.devices() == ()
    assert (floor.health.device_counts(), floor.health.last_readings_ns()) == ((), {})


def test_a_woken_device_is_opened_at_once_and_soon_again_however_long_it_was_away(floor) -> None:
    device = ScriptedReader()
    device.open_errors = [LOST] * 3
    supervisor = floor.start(configured("scanner", device))
    until(lambda: device.opens_count == 1, "first attempt")
    presence = supervisor.served_device("scanner").presence
    for _ in range(20):  # As if it had been away for long: the next pause is half a minute.
        presence._backoff.lost(0, jitter=0.0)
    supervisor.wake(["scanner", "nobody"])
    until(lambda: device.opens_count == 2, "second attempt")
    with within(2.0, what="the way back"):
        supervisor.wake(["scanner"])  # The third fails as well: its node may not be readable yet.
        floor.until_state("scanner", "ready")


def test_a_locked_device_is_closed_stays_closed_over_a_restart_and_opens_again(floor) -> None:
    device, other = ScriptedReader(), ScriptedReader()
    devices = (configured("scale", device), configured("other", other))
    first = floor.start(*devices)
    floor.until_state("scale", "ready")
    first.lock("scale")
    until(lambda: floor.of("scale").locked, "locked")
    assert device.closes_count == 1
    shown = floor.of("scale")
    assert (shown.state, shown.problem) == ("configured", "locked")
    first.wake(["scale"])
    first.set_devices([configured("scale", device, port=2), devices[1]])
    first.stop()
    second = floor.start(*devices)
    floor.until_state("other", "ready")
    assert floor.of("scale").locked
    assert second.execute("scale", ZERO, 0.1).outcome == "refused"
    assert device.opens_count == 1
    second.unlock("scale")
    floor.until_state("scale", "ready")
    assert (floor.of("scale").locked, floor.of("scale").problem) == (False, "")


@pytest.mark.parametrize("call", ["lock", "unlock"])
def test_no_device_can_be_locked_that_is_not_there(floor, call) -> None:
    supervisor = floor.start()
    with pytest.raises(KeyError):
        getattr(supervisor, call)("nobody")


def test_a_device_with_wrong_settings_can_be_locked_and_is_tried_again_when_unlocked(floor) -> None:
    device = ScriptedReader()
    device.open_errors = [SettingsInvalid("no such map", hint="Name another.")]
    supervisor = floor.start(configured("scale", device))
    floor.until_state("scale", "fault")
    supervisor.lock("scale")
    until(lambda: floor.of("scale").locked, "locked")
    supervisor.unlock("scale")
    floor.until_state("scale", "ready")


def test_a_lock_is_a_file_that_nobody_can_name_out_of_its_folder(tmp_path) -> None:
    locks = DeviceLocks(tmp_path)
    locks.lock("dock-1-scale")
    assert DeviceLocks(tmp_path).holds("dock-1-scale")
    assert [path.name for path in (tmp_path / "locked-devices").iterdir()] == ["dock-1-scale"]
    locks.unlock("dock-1-scale")
    locks.unlock("dock-1-scale")
    assert not locks.holds("dock-1-scale")
    for call in (locks.lock, locks.unlock, locks.holds):
        with pytest.raises(DeviceCommandFailed):
            call("../gateway.key")


def test_a_lock_that_cannot_be_written_is_told_and_the_device_goes_on(floor) -> None:
    device = ScriptedReader()
    (floor.folder / "locked-devices").write_text("in the way")
    supervisor = floor.start(configured("scale", device))
    floor.until_state("scale", "ready")
    with pytest.raises(DeviceCommandFailed, match="cannot be changed"):
        supervisor.lock("scale")
    assert device.closes_count == 0


def test_readings_go_through_the_filter_of_their_device_also_when_nothing_came(floor) -> None:
    class Departures:
        """Passes a reading on only when the device has been quiet after it."""

        def __init__(self) -> None:
            self.seen: list[Reading] = []

        def pass_on(self, readings, monotonic_ns):
            self.seen += readings
            if readings:
                return ()
            gone, self.seen = self.seen, []
            return gone

    reader, scanner = ScriptedReader("rfid_reader"), ScriptedReader()
    floor.start(
        configured("gate", reader),
        configured("scanner", scanner),
        reading_filter=lambda one: Departures() if one.section.name == "gate" else None,
    )
    reader.say(CODE)
    scanner.say(CODE)
    got = {floor.observations.get(timeout=60).device for _ in range(2)}
    assert got == {"gate", "scanner"}


def test_a_scanner_that_sends_rubbish_is_degraded_logged_once_and_recovers(floor, caplog) -> None:
    caplog.set_level(logging.INFO, logger="gateway")
    device = ScriptedReader()
    floor.start(configured("scanner", device))
    device.say(CODE)
    device.say(*[DeviceFault("unreadable", "noise", b"\xff")] * 7)
    floor.until_state("scanner", "degraded")
    assert floor.of("scanner").problem == "unreadable"
    floor.clock.elapsed_ns += 61_000_000_000
    floor.until_state("scanner", "ready")
    # The board says it a moment before the log does.
    until(lambda: len(caplog.records) == 2, "both are logged")
    texts = [record.getMessage() for record in caplog.records]
    assert texts == ["device degraded", "device recovered"]
    counts = {(one.name, one.kind): one.count for one in floor.health.device_counts()}
    assert counts == {("readings", ""): 8, ("faults", "unreadable"): 7}


def test_a_device_of_another_protocol_is_a_fault_until_something_is_readable(floor) -> None:
    device = ScriptedReader()
    floor.start(configured("scanner", device))
    device.say(*[DeviceFault("unreadable", "noise", b"\xff")] * 10)
    floor.until_state("scanner", "fault")
    assert floor.of("scanner").problem == "wrong_driver"
    device.say(CODE)
    floor.until_state("scanner", "degraded")
    assert floor.of("scanner").problem == "unreadable"
    floor.clock.elapsed_ns += 61_000_000_000
    floor.until_state("scanner", "ready")


def test_a_device_that_flaps_is_unsteady_and_its_history_says_when(floor) -> None:
    device = ScriptedReader()
    supervisor = floor.start(configured("scanner", device))
    for count in range(1, 4):
        until(lambda count=count: device.opens_count == count, "open")
        floor.until_state("scanner", "ready")
        device.fail(LOST)
        floor.until_state("scanner", "offline")
        supervisor.wake(["scanner"])
    floor.until_state("scanner", "degraded")
    assert floor.of("scanner").problem == "unsteady"
    history = supervisor.served_device("scanner").presence.lifecycle.history
    assert [(change.cause, change.to_state) for change in history][:4] == [
        ("starting", "opening"),
        ("opened", "ready"),
        ("lost", "offline"),
        ("opened", "ready"),
    ]
    assert history[2].problem == "lost" and history[2].detail == "port is gone"


def test_a_scale_that_was_off_all_night_is_well_in_the_morning(floor) -> None:
    scale = ScriptedReader("scale")
    supervisor = floor.start(configured("scale", scale))
    for count in range(1, 6):
        scale.fail(DeviceSilent("no answer", hint="Switch it on."))
        until(lambda count=count: scale.opens_count > count, "opened again")
        supervisor.wake(["scale"])
    scale.say(CODE)
    floor.until_state("scale", "ready")
    reopens = [one.count for one in floor.health.device_counts() if one.name == "reopens"]
    assert reopens == [5]


def test_a_locked_device_that_is_claimed_anew_at_once_is_shown_as_locked(floor) -> None:
    release = Event()
    device = ScriptedReader()
    device.read = lambda timeout_s: release.wait(60) and ()  # type: ignore[method-assign]
    supervisor = floor.start(configured("scanner", device))
    until(lambda: device.opens_count == 1, "open")
    supervisor.lock("scanner")
    supervisor.set_devices([])
    supervisor.set_devices([configured("scanner", device)])
    assert (floor.of("scanner").locked, floor.of("scanner").problem) == (True, "locked")
    release.set()
    until(lambda: device.closes_count == 1, "closed")
    assert floor.of("scanner").locked


@pytest.mark.parametrize(
    ("cause", "problem"),
    [
        pytest.param(PermissionError(13, "denied"), "no_permission", id="no permission"),
        pytest.param(OSError(16, "busy"), "in_use", id="in use"),
        pytest.param(OSError(11, "locked"), "in_use", id="another has it alone"),
        pytest.param(OSError(98, "address in use"), "in_use", id="another listens there"),
        pytest.param(OSError(2, "no such file"), "lost", id="not there"),
        pytest.param(None, "lost", id="no cause told"),
    ],
)
def test_why_a_line_cannot_be_opened_is_told(floor, cause, problem) -> None:
    device = ScriptedReader()
    error = DeviceLost("cannot open", hint="Look.")
    error.__cause__ = cause
    device.open_errors = [error] * 99
    floor.start(configured("scanner", device))
    until(lambda: floor.of("scanner").problem == problem, problem)
