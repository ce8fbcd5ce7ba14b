"""Buttons and lights on a USB adapter's lines, through the guest's kernel and the driver."""

import time
from itertools import groupby, pairwise

import pytest

from drivers.api import DeviceCommand
from drivers.errors import DeviceLost
from drivers.readings import InputChanged
from tests.hardware.in_guest.gadget import wait_until
from tests.hardware.in_guest.gpio_gadget import GpioAdapter, wait_for_end

CONFIRM = {"name": "confirm", "line": 0, "code": "CMD-CONFIRM", "debounce_ms": 0}
GATE = {"name": "gate", "line": 1, "active_low": True, "debounce_ms": 0}
GREEN = {"line": 4, "shows": ["success"]}
RED = {"line": 5, "shows": ["error"], "active_low": True}
BUZZER = {"line": 6, "shows": ["error"], "on_s": 2.0, "pulses_count": 2}
BOUNCES, BOUNCE_S, STILL_S = 8, 0.1, 1.0


@pytest.fixture
def adapter():
    """An adapter that is pulled out after the lines were given back: tests name it first."""
    with GpioAdapter() as made:
        yield made


def changes(device, count):
    """Read until so many inputs have changed, and return name, state and code of each."""

    def found(readings):
        changed = [one for one in readings if isinstance(one, InputChanged)]
        return [(one.name, one.active, one.code) for one in changed][: count or None]

    return device.until(lambda readings: len(found(readings)) >= count and found(readings))


def signal(device, kind):
    return device.device.execute(DeviceCommand("signal", kind)).outcome


@pytest.mark.drivers("gpio-lines")
def test_buttons_are_told_as_they_are_pressed_and_let_go(adapter, opened):
    adapter.press(1)  # What is active low rests high.
    device = opened("gpio-lines", path=adapter.chip(), inputs=[CONFIRM, GATE])
    adapter.press(0)
    assert changes(device, 1) == [("confirm", True, "CMD-CONFIRM")]
    adapter.let_go(0)
    adapter.let_go(1)
    assert sorted(changes(device, 3)[1:]) == [("confirm", False, ""), ("gate", True, "")]


def test_a_contact_that_bounces_is_one_press(adapter, opened):
    still = CONFIRM | {"debounce_ms": int(STILL_S * 1000)}
    device = opened("gpio-lines", path=adapter.chip(), inputs=[still])
    while not bounced(adapter):  # This machine held the guest up: not a bounce any more.
        adapter.let_go(0)
        while device.device.read(2 * STILL_S):
            pass
    changes(device, 1)
    device.readings += device.device.read(2 * STILL_S)
    assert changes(device, 1) == [("confirm", True, "CMD-CONFIRM")]
    assert len(device.readings) == 1


def bounced(adapter):
    """Press with bounces; return whether each came soon enough after the other."""
    adapter.let_go(0)
    moments = [time.monotonic()]
    for number in range(BOUNCES):
        adapter.press(0) if number % 2 else adapter.let_go(0)
        time.sleep(BOUNCE_S)  # As long as the kernel takes to look at the lines.
        moments.append(time.monotonic())
    return max(b - a for a, b in pairwise(moments)) < STILL_S / 2


def test_lights_and_a_buzzer_show_what_the_station_says(adapter, opened):
    device = opened("gpio-lines", path=adapter.chip(), outputs=[GREEN, RED, BUZZER])
    wait_until(lambda: adapter.lit == {5}, "red off: it is active low")
    assert signal(device, "success") == "done"
    wait_until(lambda: adapter.lit == {4, 5}, "green")
    assert signal(device, "error") == "done"
    device.until(lambda _: buzzes(adapter) == [True, False, True, False])
    assert adapter.lit == set()
    device.device.close()
    wait_until(lambda: adapter.lit == {5}, "everything off")


def buzzes(adapter):
    """Return when the buzzer's line changed: what it became, one after the other."""
    return [on for on, _ in groupby(6 in lit for lit in [*adapter.shown])][1:]


def test_lines_in_use_are_named_and_free_again_after_that(adapter, opened):
    path = adapter.chip()
    first = opened("gpio-lines", path=path, inputs=[CONFIRM])
    with pytest.raises(DeviceLost, match="busy") as lost:
        opened("gpio-lines", path=path, inputs=[CONFIRM], outputs=[GREEN])
    assert "gpioinfo" in lost.value.hint
    with pytest.raises(DeviceLost) as lost:
        opened("gpio-lines", path=path, inputs=[GATE | {"line": 8}])
    assert "line numbers" in lost.value.hint
    first.device.close()
    opened("gpio-lines", path=path, inputs=[CONFIRM], outputs=[GREEN])


@pytest.mark.parametrize(
    "lines",
    [{"outputs": [GREEN]}, {"inputs": [CONFIRM], "outputs": [GREEN]}],
    ids=["lights", "buttons and lights"],
)
def test_an_adapter_that_is_pulled_out_is_lost_and_found_again(adapter, opened, lines):
    path = adapter.chip()
    device = opened("gpio-lines", path=path, **lines)
    adapter.unplug()
    assert device.lost().hint
    with pytest.raises(DeviceLost):
        signal(device, "success")
    device.device.close()
    wait_for_end(path)
    adapter.plug()
    again = opened("gpio-lines", path=adapter.chip(), **lines)
    assert signal(again, "success") == "done"
    wait_until(lambda: adapter.lit == {4}, "green")
