"""A device does what it is told, soon or not at all, and says what came of it. Edge of threads."""

from threading import Event, Thread

import pytest

from drivers.api import CommandResult, DeviceCommand
from drivers.errors import DeviceLost
from drivers.readings import BarcodeScanned
from tests.gateway.devices.floor import configured
from tests.gateway.devices.scripted import ScriptedPrinter, ScriptedReader
from tests.waiting import until, within

LOST = DeviceLost("port is gone", hint="Plug it in.")
CODE = BarcodeScanned("", "0112345", b"0112345\r")
ZERO, GREEN = DeviceCommand("zero"), DeviceCommand("signal", "success")


class Busy(ScriptedReader):
    """A device whose first command takes until `release`."""

    def __init__(self, *words, **settings) -> None:
        super().__init__(*words, **settings)
        self.busy, self.release = Event(), Event()

    def execute(self, command: DeviceCommand) -> CommandResult:
        self.busy.set()
        self.release.wait(60)
        return super().execute(command)


def test_a_command_is_done_between_two_reads_and_its_result_comes_back(floor) -> None:
    scale = ScriptedReader("scale", commands={"zero"})
    scale.answers = [CommandResult("done"), CommandResult("refused", "in motion")]
    supervisor = floor.start(configured("scale", scale))
    floor.until_state("scale", "ready")
    assert supervisor.execute("scale", ZERO, 5.0) == CommandResult("done")
    assert supervisor.execute("scale", ZERO, 5.0) == CommandResult("refused", "in motion")
    assert scale.executed == [ZERO, ZERO]
    counts = {(one.name, one.kind): one.count for one in floor.health.device_counts()}
    assert counts["commands", "done"] == counts["commands", "refused"] == 1


def test_a_command_that_its_driver_does_not_know_is_refused(floor) -> None:
    printer = ScriptedPrinter()
    supervisor = floor.start(
        configured("scanner", ScriptedReader()), configured("printer", printer)
    )
    floor.until_state("scanner", "ready")
    for name in ("scanner", "printer"):
        result = supervisor.execute(name, ZERO, 5.0)
        assert (result.outcome, result.detail) == ("refused", "its driver's commands: none")
    with pytest.raises(KeyError):
        supervisor.execute("nobody", ZERO, 5.0)


def test_a_device_that_is_not_open_refuses_at_once(floor) -> None:
    scale = ScriptedReader("scale", commands={"zero"})
    scale.open_errors = [LOST] * 99
    supervisor = floor.start(configured("scale", scale))
    floor.until_state("scale", "offline")
    assert supervisor.execute("scale", ZERO, 5.0) == CommandResult(
        "refused", "the device is not open"
    )


def test_a_device_lost_over_a_command_leaves_it_unknown_and_refuses_what_waits(floor) -> None:
    scale = Busy("scale", commands={"zero", "tare"})
    scale.answers = [LOST]
    supervisor = floor.start(configured("scale", scale))
    floor.until_state("scale", "ready")
    results: dict[str, CommandResult] = {}
    callers = [
        Thread(
            target=lambda one=one: results.update({one.name: supervisor.execute("scale", one, 9)})
        )
        for one in (ZERO, DeviceCommand("tare"))
    ]
    callers[0].start()
    assert scale.busy.wait(60)
    callers[1].start()
    until(lambda: supervisor.served_device("scale").loop._orders._waiting.qsize() == 1, "waiting")
    scale.release.set()
    for caller in callers:
        caller.join()
    assert results["zero"].outcome == "unknown"
    assert results["tare"] == CommandResult("refused", "the device is not open")
    # "ready" alone may still be the state from before the loss.
    until(lambda: scale.opens_count == 2, "lost and opened again")
    floor.until_state("scale", "ready")
    assert supervisor.execute("scale", ZERO, 5.0).outcome == "done"
    assert scale.executed == [ZERO, ZERO]


def test_a_scan_is_kept_whose_line_is_lost_over_the_command_right_after_it(floor) -> None:
    class Signalled(ScriptedReader):
        def read(self, timeout_s: float):
            readings = super().read(timeout_s)
            if readings:
                supervisor.signal_device("scanner", "success")
            return readings

    scanner = Signalled(commands={"signal"})
    scanner.answers = [LOST]
    supervisor = floor.start(configured("scanner", scanner))
    floor.until_state("scanner", "ready")
    scanner.say(CODE)
    until(lambda: scanner.opens_count == 2, "lost and opened again")
    assert floor.observations.get_nowait().reading == CODE


def test_a_command_given_up_is_never_done_later(floor) -> None:
    scale = Busy("scale", commands={"zero", "tare"})
    supervisor = floor.start(configured("scale", scale))
    floor.until_state("scale", "ready")
    first: list[CommandResult] = []
    caller = Thread(target=lambda: first.append(supervisor.execute("scale", ZERO, 0.2)))
    caller.start()
    assert scale.busy.wait(60)
    given_up = supervisor.execute("scale", DeviceCommand("tare"), 0.05)
    assert (given_up.outcome, given_up.detail) == ("refused", "the device had no time for it")
    caller.join()
    assert first[0].outcome == "unknown"
    scale.release.set()
    assert supervisor.execute("scale", ZERO, 5.0).outcome == "done"
    assert scale.executed == [ZERO, ZERO]


def test_more_commands_than_it_can_do_are_refused(floor) -> None:
    release = Event()
    light = ScriptedReader("io", commands={"signal"})
    light.read = lambda timeout_s: release.wait(60) and ()  # type: ignore[method-assign]
    supervisor = floor.start(configured("light", light))
    until(lambda: light.opens_count == 1, "open")
    until(lambda: supervisor.served_device("light").loop._open, "open")
    for _ in range(100):
        supervisor.signal_lights("success")
    assert supervisor.execute("light", GREEN, 5.0).outcome == "refused"
    release.set()
    until(lambda: len(light.executed) == 8, "done")


def test_lights_and_the_scanner_that_scanned_get_a_signal_within_100_ms(floor) -> None:
    light = ScriptedReader("io", commands={"signal"})
    beeping = ScriptedReader("scanner", commands={"signal"})
    other = ScriptedReader("scanner", commands={"signal"})
    mute = ScriptedReader("scanner")
    devices = {"light": light, "beeping": beeping, "other": other, "mute": mute}
    supervisor = floor.start(*[configured(name, device) for name, device in devices.items()])
    for name in devices:
        floor.until_state(name, "ready")
    with within(0.1, what="the signal"):
        supervisor.signal_lights("success")
        for name in ("beeping", "mute", "nobody", "screen"):
            supervisor.signal_device(name, "success")
        until(lambda: light.executed and beeping.executed, "signalled")
    assert (light.executed, beeping.executed, other.executed) == ([GREEN], [GREEN], [])
    assert light.read_timeout_s <= 0.05 < mute.read_timeout_s
