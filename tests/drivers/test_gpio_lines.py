"""Inputs and outputs of a GPIO chip, down to the structs of the kernel's header. Edge of gcc."""

import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest

from drivers.api import DeviceCommand
from drivers.builtin.gpio_lines import LINES, open_gpio
from drivers.errors import DeviceLost, SettingsInvalid
from drivers.protocols import gpio_lines
from drivers.protocols.gpio_lines import GpioInputs, InputLine, input_request, output_request
from drivers.protocols.gpio_outputs import OutputLine, OutputSchedule
from drivers.protocols.gpio_settling import Settling
from drivers.readings import InputChanged
from drivers.simulators import gpio
from drivers.simulators.gpio import VirtualGpioChip
from tests.drivers.check_stream import check_stream, feed
from tests.drivers.waiting import DEADLINE_S, read_until, read_until_raises

HEADER = Path("/usr/include/linux/gpio.h")
BUTTON = {"name": "confirm", "line": 17, "code": "CMD-CONFIRM", "bias": "pull_up"}
GATE = {"name": "gate", "line": 27, "active_low": True, "debounce_ms": 0}
GREEN = {"line": 5, "shows": ["success"], "on_s": 60}
BUZZER = {"line": 6, "shows": ["error", "warning"], "on_s": 0.02, "pulses_count": 2}
RED = {"line": 13, "shows": ["error"], "active_low": True}


@pytest.fixture
def chip():
    made = VirtualGpioChip()
    yield made
    made.close()


def open_device(chip, **settings):
    parsed = LINES.parse_settings({"path": __file__} | settings)
    return open_gpio(parsed, ioctl=chip.ioctl)


def event(kind, line, sequence):
    return gpio.EVENT.pack(1_000_000, kind, line, sequence, sequence)


def test_a_button_stands_for_its_code_when_it_is_pressed_alone(chip):
    device = open_device(chip, inputs=[BUTTON, GATE])
    chip.press(17)
    chip.press(17, active=False)
    chip.press(27)
    readings = read_until(device, 3)
    assert [(one.name, one.active, one.code) for one in readings] == [
        ("confirm", True, "CMD-CONFIRM"),
        ("confirm", False, ""),
        ("gate", True, ""),
    ]
    assert len(readings[0].raw) == 48
    device.close()
    device.close()
    with pytest.raises(DeviceLost):
        device.read(0.01)


def test_a_chip_for_which_the_kernel_waits_for_no_rest_is_waited_for():
    chip = VirtualGpioChip(debounces=False)
    chip.active = {4}
    gate = GATE | {"line": 4, "debounce_ms": 30}
    device = open_device(chip, inputs=[BUTTON | {"debounce_ms": 300}, gate], outputs=[GREEN])
    assert chip.debounce_us == {17: 0, 4: 0, 5: 0}
    for pressed in (True, False, True, False, True):  # It bounces.
        chip.press(17, active=pressed)
    chip.press(4, active=False)
    begin = time.monotonic()
    found = [(one.name, one.active) for one in read_until(device, 3)]
    assert found == [("gate", True), ("gate", False), ("confirm", True)]
    assert time.monotonic() - begin >= 0.29
    for pressed in (False, True):  # Too short to be a hand.
        chip.press(17, active=pressed)
    assert list(device.read(0.5)) == []
    device.close()
    chip.close()


@pytest.mark.parametrize(
    ("fed", "told"),
    [
        pytest.param([(0.0, True)], [(0.5, True)], id="pressed"),
        pytest.param([(0.0, True), (0.1, False)], [], id="too short"),
        pytest.param([(0.0, True), (0.4, False), (0.8, True)], [(1.3, True)], id="begins anew"),
        pytest.param([(0.0, True), (1.0, False)], [(0.5, True), (1.5, False)], id="and let go"),
        pytest.param([(0.0, False)], [], id="lost the change before"),
    ],
)
def test_an_input_is_told_when_it_has_rested(fed, told):
    settling = Settling({"confirm": 0.5}, active=())
    found = []
    waiting = dict(fed)
    for tenth in range(30):
        now_s = tenth / 10
        if now_s in waiting:
            settling.feed([InputChanged("confirm", active=waiting[now_s])], now_s)
        found += [(now_s, one.active) for one in settling.rested(now_s)]
    assert found == told
    assert settling.next_s() is None


def test_what_is_active_at_the_start_is_told_but_a_stuck_button_confirms_nothing(chip):
    chip.active = {17, 27}
    device = open_device(chip, inputs=[BUTTON, GATE])
    assert [(one.name, one.active) for one in device.read(0.01)] == [("gate", True)]
    assert list(device.read(0.01)) == []
    device.close()


def test_the_chip_is_asked_for_what_the_settings_say(chip):
    device = open_device(chip, inputs=[BUTTON, GATE], outputs=[GREEN, RED])
    both_edges = gpio_lines.EDGE_RISING | gpio_lines.EDGE_FALLING | gpio_lines.INPUT
    assert chip.flags == {
        17: both_edges | 1 << 8,
        27: both_edges | gpio_lines.ACTIVE_LOW,
        5: gpio_lines.OUTPUT,
        13: gpio_lines.OUTPUT | gpio_lines.ACTIVE_LOW,
    }
    assert chip.debounce_us == {17: 20_000, 27: 0, 5: 0, 13: 0}
    assert chip.consumer == b"dockledger"
    device.close()


def test_an_event_that_the_system_lost_is_told(chip):
    device = open_device(chip, inputs=[GATE])
    chip.press(27)
    chip.lose_an_event()
    chip.press(27)
    assert [getattr(one, "code", "") for one in read_until(device, 3)] == ["", "unreadable", ""]
    device.close()


def test_a_signal_is_shown_as_long_as_it_should_be(chip):
    device = open_device(chip, outputs=[GREEN, BUZZER, RED])
    assert device.execute(DeviceCommand("signal", "error")).outcome == "done"
    while len(chip.history) < 4:
        device.read(0.01)
    assert chip.history == [{6, 13}, {13}, {6, 13}, {13}]
    assert device.execute(DeviceCommand("signal", "success")).outcome == "done"
    assert chip.history[-1] == {5}
    assert device.execute(DeviceCommand("signal", "off")).outcome == "done"
    assert chip.history[-1] == set()
    device.execute(DeviceCommand("signal", "success"))
    device.close()
    assert chip.history[-1] == set()


@pytest.mark.parametrize("command", [DeviceCommand("signal", "warning"), DeviceCommand("zero")])
def test_what_no_output_shows_is_refused(chip, command):
    device = open_device(chip, outputs=[GREEN])
    assert device.execute(command).outcome == "refused"
    assert chip.history == []
    device.close()


def test_a_chip_that_goes_away_is_lost(chip):
    device = open_device(chip, inputs=[GATE], outputs=[GREEN])
    chip.unplug()
    assert read_until_raises(device, DeviceLost).hint
    with pytest.raises(DeviceLost):
        device.execute(DeviceCommand("signal", "success"))
    device.close()
    open_device(chip, inputs=[GATE]).close()


def test_a_chip_with_lights_alone_is_missed_before_the_next_signal(chip):
    device = open_device(chip, outputs=[GREEN])
    assert list(device.read(0.01)) == []
    chip.unplug()
    assert read_until_raises(device, DeviceLost).hint
    device.close()


def test_lines_that_are_taken_or_are_not_there_say_what_to_choose(chip):
    device = open_device(chip, inputs=[GATE])
    with pytest.raises(DeviceLost, match="busy") as lost:
        open_device(chip, inputs=[GATE])
    assert "gpioinfo" in lost.value.hint
    with pytest.raises(DeviceLost) as lost:
        open_device(chip, inputs=[BUTTON | {"line": 900}])
    assert "line numbers" in lost.value.hint
    device.close()


@pytest.mark.parametrize(("path", "hint"), [("/dev/gpiochip-none", "gpiodetect"), ("/", "path")])
def test_what_is_no_chip_is_lost_with_a_hint(path, hint):
    settings = LINES.parse_settings({"path": path, "inputs": [GATE]})
    with pytest.raises(DeviceLost) as lost:
        LINES.open_device(settings)
    assert hint in lost.value.hint


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        pytest.param({}, "at least one", id="no line at all"),
        pytest.param({"inputs": [GATE, GATE]}, "only once", id="a line twice"),
        pytest.param({"inputs": [GATE], "outputs": [GREEN | {"line": 27}]}, "once", id="both"),
        pytest.param({"inputs": [{"line": 1}]}, "name", id="no name"),
        pytest.param({"outputs": [GREEN | {"shows": ["off"]}]}, "shows", id="shows off"),
    ],
)
def test_wrong_settings_are_refused_by_name(settings, named):
    with pytest.raises(SettingsInvalid, match=named):
        LINES.parse_settings({"path": "/dev/gpiochip0"} | settings)


def test_inputs_that_differ_in_too_many_ways_are_refused(chip):
    inputs = [{"name": str(at), "line": at, "debounce_ms": at + 1} for at in range(11)]
    with pytest.raises(SettingsInvalid):
        open_device(chip, inputs=inputs)
    assert input_request([InputLine(str(at), at, debounce_ms=5) for at in range(64)]) is not None
    assert input_request([InputLine(str(at), at) for at in range(65)]) is None
    assert output_request(range(65), [False] * 65) is None


def test_events_pass_however_they_are_cut_and_what_is_none_is_a_fault():
    def new_inputs():
        return GpioInputs([InputLine("gate", 27)])

    stream = event(1, 27, 1) + event(2, 27, 2)
    readings = feed(new_inputs(), [stream])
    assert [(one.name, one.active) for one in readings] == [("gate", True), ("gate", False)]
    check_stream(new_inputs, stream, readings, tail=event(1, 27, 3)[:-1])
    assert [one.code for one in feed(new_inputs(), [event(1, 4, 1) + event(7, 27, 1)])] == [
        "unreadable"
    ] * 2
    inputs = new_inputs()
    feed(inputs, [event(1, 27, 0xFFFFFFFF) + b"half"])
    assert [one.code for one in inputs.idle()] == ["unreadable"]
    assert [one.name for one in feed(inputs, [event(2, 27, 0)])] == ["gate"]


@pytest.mark.parametrize(
    ("at_s", "bits", "next_s"),
    [
        (10.0, 0b111, 10.5),
        (10.4, 0b111, 10.5),
        (10.6, 0b110, 11.0),
        (11.2, 0b111, 11.5),
        (11.6, 0b110, 12.0),
        (12.1, 0b100, None),
    ],
)
def test_lights_and_buzzers_follow_their_times(at_s, bits, next_s):
    schedule = OutputSchedule(
        [
            OutputLine(1, ("error",), on_s=0.5, pulses_count=2),
            OutputLine(2, ("error",), on_s=2.0),
            OutputLine(3, ("error", "warning")),
            OutputLine(4, ("success",)),
        ]
    )
    assert schedule.bits(5.0) == 0
    schedule.begin("error", 10.0)
    assert schedule.bits(at_s) == bits
    assert schedule.next_change_s(at_s) == next_s
    schedule.begin("off", at_s)
    assert (schedule.bits(at_s), schedule.next_change_s(at_s)) == (0, None)


def test_waiting_without_inputs_takes_its_time(chip):
    device = open_device(chip, outputs=[GREEN])
    started_s = time.monotonic()
    assert list(device.read(0.05)) == []
    assert 0.04 < time.monotonic() - started_s < DEADLINE_S
    device.close()


PROGRAM = r"""
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <linux/gpio.h>
#define SAY(value) printf("%llu\n", (unsigned long long)(value))
int main(void) {
    SAY(GPIO_V2_GET_LINE_IOCTL);
    SAY(GPIO_V2_LINE_GET_VALUES_IOCTL);
    SAY(GPIO_V2_LINE_SET_VALUES_IOCTL);
    SAY(sizeof(struct gpio_v2_line_request));
    SAY(sizeof(struct gpio_v2_line_config_attribute));
    SAY(sizeof(struct gpio_v2_line_values));
    SAY(sizeof(struct gpio_v2_line_event));
    SAY(GPIO_V2_LINE_FLAG_ACTIVE_LOW);
    SAY(GPIO_V2_LINE_FLAG_INPUT);
    SAY(GPIO_V2_LINE_FLAG_OUTPUT);
    SAY(GPIO_V2_LINE_FLAG_EDGE_RISING);
    SAY(GPIO_V2_LINE_FLAG_EDGE_FALLING);
    SAY(GPIO_V2_LINE_FLAG_BIAS_PULL_UP);
    SAY(GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN);
    SAY(GPIO_V2_LINE_FLAG_BIAS_DISABLED);
    SAY(GPIO_V2_LINES_MAX);
    SAY(GPIO_V2_LINE_NUM_ATTRS_MAX);
    struct gpio_v2_line_request request;
    if (fread(&request, sizeof request, 1, stdin) != 1) return 1;
    SAY(request.offsets[1]);
    SAY(request.num_lines);
    SAY(request.config.flags);
    SAY(request.config.num_attrs);
    SAY(request.config.attrs[0].attr.id);
    SAY(request.config.attrs[0].attr.flags);
    SAY(request.config.attrs[0].mask);
    SAY(request.config.attrs[1].attr.id);
    SAY(request.config.attrs[1].attr.debounce_period_us);
    SAY(request.config.attrs[1].mask);
    struct gpio_v2_line_event event;
    if (fread(&event, sizeof event, 1, stdin) != 1) return 1;
    SAY(event.id);
    SAY(event.offset);
    SAY(event.seqno);
    printf("%s\n", request.consumer);
    return 0;
}
"""


@pytest.mark.skipif(
    shutil.which("gcc") is None or not HEADER.exists(), reason="needs gcc and linux/gpio.h"
)
def test_structs_and_numbers_are_those_of_the_kernel_header(tmp_path):
    (tmp_path / "gpio.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-o", tmp_path / "gpio", tmp_path / "gpio.c"], check=True)
    inputs = [InputLine("a", 17, debounce_ms=20), InputLine("b", 27, active_low=True)]
    request = input_request(inputs)
    shown = subprocess.run(
        [tmp_path / "gpio"], input=request + event(2, 27, 9), check=True, capture_output=True
    )
    *numbers, consumer = shown.stdout.decode().split()
    edges = gpio_lines.INPUT | gpio_lines.EDGE_RISING | gpio_lines.EDGE_FALLING
    flags = gpio_lines.BIAS_FLAGS
    assert [int(number) for number in numbers] == [
        gpio_lines.GET_LINE_IOCTL,
        gpio_lines.GET_VALUES_IOCTL,
        gpio_lines.SET_VALUES_IOCTL,
        gpio_lines.REQUEST.size,
        gpio_lines.ATTRIBUTE.size,
        gpio_lines.VALUES.size,
        gpio_lines.EVENT.size,
        gpio_lines.ACTIVE_LOW,
        gpio_lines.INPUT,
        gpio_lines.OUTPUT,
        gpio_lines.EDGE_RISING,
        gpio_lines.EDGE_FALLING,
        flags["pull_up"],
        flags["pull_down"],
        flags["disabled"],
        gpio_lines.LINES_MAX,
        gpio_lines.ATTRIBUTES_MAX,
        *(27, 2, edges, 2),
        *(gpio_lines.ATTRIBUTE_FLAGS, edges | gpio_lines.ACTIVE_LOW, 0b10),
        *(gpio_lines.ATTRIBUTE_DEBOUNCE, 20_000, 0b01),
        *(2, 27, 9),
    ]
    assert consumer == "dockledger"
    assert struct.calcsize("<QIIII24x") == gpio_lines.EVENT.size
