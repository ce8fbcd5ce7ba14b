"""Driver gpio-lines: buttons, lights and buzzers on the lines of a GPIO chip. Edge of the chip."""

import contextlib
import errno
import fcntl
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

import msgspec

from drivers.api import CommandResult, DeviceCommand, Driver
from drivers.candidates import Matcher
from drivers.errors import DeviceLost, SettingsInvalid
from drivers.protocols.gpio_lines import (
    GET_LINE_IOCTL,
    GET_VALUES_IOCTL,
    SET_VALUES_IOCTL,
    Bias,
    GpioInputs,
    InputLine,
    input_request,
    output_request,
    values,
)
from drivers.protocols.gpio_outputs import OutputLine, OutputSchedule
from drivers.protocols.gpio_settling import Settling
from drivers.readings import Reading
from drivers.transports.gpio_chip import GpioChip, Ioctl, open_gpio_chip

LineNumber = Annotated[int, msgspec.Meta(ge=0, le=1023)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class InputSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One input of the setting `inputs`, see GpioSettings."""

    name: Name
    line: LineNumber
    active_low: bool = False
    bias: Bias = "as_is"
    debounce_ms: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 20
    code: Annotated[str, msgspec.Meta(max_length=64)] = ""


class OutputSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One output of the setting `outputs`, see GpioSettings."""

    line: LineNumber
    shows: Annotated[
        tuple[Literal["success", "warning", "error"], ...], msgspec.Meta(min_length=1, max_length=3)
    ]
    active_low: bool = False
    on_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.0
    pulses_count: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1


class GpioSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of gpio-lines.

    path: the chip, such as /dev/gpiochip0.
    inputs: tables with `name`, `line`, `active_low`, `bias`, `debounce_ms` and `code`.
    outputs: tables with `line`, `shows`, `active_low`, `on_s` and `pulses_count`.
    """

    path: str
    inputs: Annotated[tuple[InputSection, ...], msgspec.Meta(max_length=64)] = ()
    outputs: Annotated[tuple[OutputSection, ...], msgspec.Meta(max_length=64)] = ()

    def __post_init__(self) -> None:
        lines = [one.line for one in self.inputs] + [one.line for one in self.outputs]
        names = [one.name for one in self.inputs]
        if not lines:
            raise ValueError("give at least one of `inputs` and `outputs`")
        if len(set(lines)) < len(lines) or len(set(names)) < len(names):
            raise ValueError("each `line` and each `name` may be there only once")


class GpioDevice:
    """A CommandedDevice on requested lines; one thread uses it.

    settles: whether it has to wait itself until the inputs rest, as the kernel does not.
    """

    def __init__(
        self,
        chip: GpioChip,
        inputs: Sequence[InputLine],
        outputs: Sequence[OutputLine],
        *,
        settles: bool,
    ) -> None:
        self._chip = chip
        self._protocol = GpioInputs(inputs)
        self._schedule = OutputSchedule(outputs)
        self._outputs_mask = (1 << len(outputs)) - 1
        self._shown_bits = 0
        self._first: Sequence[Reading] = ()
        bits = 0
        if inputs:
            mask = (1 << len(inputs)) - 1
            bits = chip.input_bits(request=GET_VALUES_IOCTL, mask=mask)
            self._first = self._protocol.initial(bits)
        self._settling = Settling(
            {one.name: one.debounce_ms / 1000 for one in inputs if settles},
            active=[one.name for index, one in enumerate(inputs) if bits >> index & 1],
        )

    def read(self, timeout_s: float) -> Sequence[Reading]:
        """Return what changed as soon as something did; empty after `timeout_s`.

        Switches the outputs meanwhile, when their time has come. Raises DeviceLost.
        """
        if self._first:
            first, self._first = self._first, ()
            return first
        deadline_s = time.monotonic() + timeout_s
        while True:
            now_s = time.monotonic()
            self._show(now_s)
            changes_s = (self._schedule.next_change_s(now_s), self._settling.next_s())
            wake_s = min([deadline_s, *(at_s for at_s in changes_s if at_s is not None)])
            data = self._chip.read(max(wake_s - now_s, 0.0))
            now_s = time.monotonic()
            readings = [
                *self._settling.feed(self._protocol.receive_data(data), now_s),
                *self._settling.rested(now_s),
            ]
            if readings or now_s >= deadline_s:
                return readings

    def execute(self, command: DeviceCommand) -> CommandResult:
        """Show a signal on the outputs, at once. Raises DeviceLost."""
        if command.name != "signal" or not self._schedule.shown_by(command.signal):
            return CommandResult("refused", f"no output shows {command.name} {command.signal}")
        now_s = time.monotonic()
        self._schedule.begin(command.signal, now_s)
        self._show(now_s)
        return CommandResult("done")

    def close(self) -> None:
        """Switch the outputs off and give the lines back. Never raises; may be called twice."""
        self._schedule.begin("off", 0.0)
        with contextlib.suppress(DeviceLost):  # The chip may have gone first.
            self._show(0.0)
        self._chip.close()

    def _show(self, now_s: float) -> None:
        bits = self._schedule.bits(now_s)
        if bits != self._shown_bits:
            self._chip.set_outputs(
                request=SET_VALUES_IOCTL, values=values(bits, mask=self._outputs_mask)
            )
            self._shown_bits = bits


def open_gpio(settings: GpioSettings, *, ioctl: Ioctl = fcntl.ioctl) -> GpioDevice:
    """Return the lines of the settings, requested. Raises DeviceLost or SettingsInvalid."""
    inputs, outputs = _inputs(settings), _outputs(settings)
    wanted_in = input_request(inputs) if inputs else None
    if inputs and wanted_in is None:
        raise SettingsInvalid(
            "the inputs differ in more ways than a chip takes at once",
            hint="Give the inputs the same `bias` and `debounce_ms`, or use a second device.",
        )
    lows = [one.active_low for one in outputs]
    wanted_out = output_request([one.line for one in outputs], lows) if outputs else None

    def requested(wanted: bytes | None) -> GpioChip:
        return open_gpio_chip(
            settings.path, request=GET_LINE_IOCTL, inputs=wanted, outputs=wanted_out, ioctl=ioctl
        )

    settles = False
    try:
        chip = requested(wanted_in)
    except DeviceLost as error:
        # It may be the debouncing alone that this chip's driver cannot do.
        if not any(one.debounce_ms for one in inputs) or not _is_refusal(error):
            raise
        chip = requested(input_request([replace(one, debounce_ms=0) for one in inputs]))
        settles = True
    try:
        return GpioDevice(chip, inputs, outputs, settles=settles)
    except DeviceLost:
        chip.close()
        raise


def _is_refusal(error: DeviceLost) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EINVAL


def _inputs(settings: GpioSettings) -> list[InputLine]:
    return [InputLine(**msgspec.structs.asdict(one)) for one in settings.inputs]


def _outputs(settings: GpioSettings) -> list[OutputLine]:
    return [OutputLine(**msgspec.structs.asdict(one)) for one in settings.outputs]


def _protocol(settings: GpioSettings) -> GpioInputs:
    return GpioInputs(_inputs(settings))


LINES = Driver(
    name="gpio-lines",
    device_class="io",
    summary="Buttons, light barriers, lights and buzzers on the lines of a Linux GPIO chip.",
    settings_type=GpioSettings,
    open_device=open_gpio,
    commands=frozenset({"signal"}),
    matchers=(Matcher("gpio", 30),),
    node_setting="path",
    new_protocol=_protocol,
    tier="bronze",
)
