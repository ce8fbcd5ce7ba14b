"""The checks that every driver on a line of bytes passes, over a real line. Loop.

A capture says what the device says: its first message that gives a reading and no fault. A far end
(pseudo terminal or TCP port) speaks it as the device would: unasked, or as the answer to whatever
the driver writes if the capture shows a question before it.

    reads        the reading comes, whole and byte by byte with pauses; then the device is mute, and
                 nothing more is read
    half         half a message and a pause, or half an answer and the next: never joined
    silence      no answer is no reading: nothing, or DeviceSilent; and `read` comes back in time
    unplugged    in the middle of a message: DeviceLost; afterwards nothing of the half is joined
    two at once  each of two alike devices says its own
    reopened     one is closed and opened again while the other works
    alone        a port that is open is not opened twice (serial)
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from drivers.api import Driver, ReadingDevice
from drivers.errors import DeviceLost, DeviceSilent
from drivers.kit.captures import Capture
from drivers.kit.conformance import NotConforming
from drivers.kit.descriptions import describe, is_value
from drivers.kit.far_ends import FarEnd, SerialEnd, TcpEnd
from drivers.kit.speaking import Speaker

__all__ = [
    "FarEnd",
    "Message",
    "SerialEnd",
    "TcpEnd",
    "check_device",
    "check_device_silent",
    "first_message",
]

READ_S = 0.05
ANSWER_S_MAX = 5.0
SILENT_FOR_S = 0.3
SETTLE_S = 0.15  # Answers that were under way have come by then.
COME_BACK_S_MAX = 2.0  # `read(READ_S)` must return within this, whatever the device does.
HALF_FOR_S = 2.5  # So long at most a half message waits for its end.
# A pseudo terminal has no other frame; the kernel may refuse 7 bits on it.
PTY_FRAME: dict[str, Any] = {"data_bits": 8, "parity": "none"}


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that a device says. polled: only when asked. readings: as `describe` puts them."""

    data: bytes
    readings: tuple[str, ...]
    polled: bool


def first_message(capture: Capture) -> Message:
    """Return the first message of a capture that gives readings, all without fault.

    Raises NotConforming if it holds none.
    """
    data, polled, readings = b"", False, []
    for step in (*capture.steps, None):
        if step is not None and step.kind == "expected":
            readings.append(step.text)
            continue
        if readings and data and all(map(is_value, readings)):
            return Message(data, tuple(readings), polled)
        if readings:
            data, polled, readings = b"", False, []
        if step is not None and step.kind == "sent":
            data, polled = b"", True
        if step is not None and step.kind == "received":
            data += step.data
    raise NotConforming("no message of the capture gives a reading")


def check_device(
    driver: Driver, capture: Capture, new_end: Callable[[], FarEnd], *, folder: Path
) -> None:
    """Run all checks of this module. folder: an empty one, for the names of pseudo terminals.

    Raises NotConforming, or whatever error the driver should not have raised.
    """
    with ExitStack() as stack:
        benches = []
        for number in range(2):
            end = new_end()
            end.open(folder, number)
            stack.callback(end.close)
            benches.append(_Bench(driver, capture, end))
        first, second = benches
        _check_reads(first)
        _check_half(first)
        _check_silence(first)
        _check_unplugged(first)
        _check_two_at_once(first, second)
        if first.end.alone:
            _check_alone(first)


def check_device_silent(
    driver: Driver,
    capture: Capture,
    new_end: Callable[[], FarEnd],
    *,
    folder: Path,
    within_s: float = 20.0,
) -> None:
    """Check that a device which never answers is DeviceSilent, with a hint, `within_s`.

    For drivers that poll; apart from `check_device`, since it takes as long as the driver's
    patience. Raises NotConforming.
    """
    end = new_end()
    end.open(folder, 0)
    with closing(end), closing(_Bench(driver, capture, end).open()) as device:
        deadline_s = time.monotonic() + within_s
        try:
            while time.monotonic() < deadline_s:
                device.read(READ_S)
        except DeviceSilent as error:
            if error.hint:
                return
            raise NotConforming(f"{driver.name}: silence without a hint") from error
    raise NotConforming(f"{driver.name} is not DeviceSilent after {within_s} s without an answer")


class _Bench:
    """One device on a line, and what it says."""

    def __init__(self, driver: Driver, capture: Capture, end: FarEnd) -> None:
        self.driver = driver
        self.end = end
        self.message = first_message(capture)
        fields = driver.settings_type.__struct_fields__
        frame = {name: value for name, value in PTY_FRAME.items() if end.alone and name in fields}
        self._settings = driver.parse_settings(capture.settings | frame | end.settings)

    def open(self) -> ReadingDevice:
        self.end.expect()
        while self.end.read(0.0):
            pass  # What a driver before this one asked.
        device = cast(ReadingDevice, self.driver.open_device(self._settings))
        if not self.end.connected():
            device.close()
            raise NotConforming(f"{self.driver.name} does not connect")
        return device

    def hear(self, device: ReadingDevice, pieces: Sequence[bytes]) -> list[str]:
        """Let the device say `pieces`, once or when asked; return the first full set of readings.

        A polled device goes on answering, so more readings may come; they are dropped.
        """
        with Speaker(self.end, pieces, polled=self.message.polled):
            heard: list[str] = []
            deadline_s = time.monotonic() + ANSWER_S_MAX
            while len(heard) < len(self.message.readings):
                if time.monotonic() > deadline_s:
                    raise NotConforming(f"{self.driver.name} gave {heard} of {pieces!r}")
                heard += [describe(reading) for reading in device.read(READ_S)]
        return heard[: len(self.message.readings)]

    def check_heard(self, device: ReadingDevice, pieces: Sequence[bytes], when: str) -> None:
        heard = self.hear(device, pieces)
        if heard != list(self.message.readings):
            wanted = list(self.message.readings)
            raise NotConforming(f"{self.driver.name}, {when}: {heard}, expected {wanted}")


def _check_reads(bench: _Bench) -> None:
    data = bench.message.data
    with closing(bench.open()) as device:
        bench.check_heard(device, [data], "whole")
        _check_no_repeat(bench, device)
    with closing(bench.open()) as device:
        slowly = [data[index : index + 1] for index in range(len(data))]
        bench.check_heard(device, slowly, "byte by byte")
    device.close()  # A second time: must not raise.


def _check_no_repeat(bench: _Bench, device: ReadingDevice) -> None:
    mute_s = time.monotonic() + SETTLE_S
    try:
        while time.monotonic() < mute_s + SILENT_FOR_S:
            is_late = time.monotonic() >= mute_s
            readings = device.read(READ_S)
            if is_late and any(is_value(describe(reading)) for reading in readings):
                raise NotConforming(f"{bench.driver.name} read {readings} again from a mute device")
    except DeviceSilent:
        return


def _check_half(bench: _Bench) -> None:
    data, polled = bench.message.data, bench.message.polled
    wanted = list(bench.message.readings)
    for half in (data[: len(data) // 2], data[:-1] if polled else b""):
        if not half:
            continue
        found: list[str] = []
        with closing(bench.open()) as device:
            if not polled:
                bench.end.write(half)
                deadline_s = time.monotonic() + HALF_FOR_S
                try:
                    while not found and time.monotonic() < deadline_s:
                        found += map(describe, device.read(READ_S))
                except DeviceSilent:
                    continue  # It is opened anew then, and the half is forgotten.
            with Speaker(bench.end, [data], polled=polled, first=half):
                deadline_s = time.monotonic() + ANSWER_S_MAX
                while len(_values(found)) < len(wanted) and time.monotonic() < deadline_s:
                    found += map(describe, device.read(READ_S))
        if _values(found)[: len(wanted)] != wanted:
            raise NotConforming(
                f"{bench.driver.name}: {half!r}, a pause and {data!r} gave {found}, expected "
                f"{wanted}; a shorter idle_s, shorter than interval_s if it polls, parts them"
            )


def _values(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if is_value(text)]


def _check_silence(bench: _Bench) -> None:
    with closing(bench.open()) as device:
        deadline_s = time.monotonic() + SILENT_FOR_S
        while time.monotonic() < deadline_s:
            started_s = time.monotonic()
            try:
                readings = device.read(READ_S)
            except DeviceSilent as error:
                if not error.hint:
                    raise NotConforming(f"{bench.driver.name}: silence without a hint") from error
                break
            if readings:
                raise NotConforming(f"{bench.driver.name} read {readings} from a mute device")
            if time.monotonic() - started_s > COME_BACK_S_MAX:
                raise NotConforming(f"{bench.driver.name} does not come back from a mute device")
    bench.end.read(0.0)  # What it asked meanwhile.


def _check_unplugged(bench: _Bench) -> None:
    data = bench.message.data
    half = data[: len(data) // 2]
    with closing(bench.open()) as device:
        with Speaker(bench.end, [half], polled=bench.message.polled):
            device.read(READ_S)
        bench.end.unplug()
        _wait_lost(bench, device)
    try:
        bench.open().close()
    except DeviceLost as error:
        if not error.hint:
            raise NotConforming(f"{bench.driver.name}: lost without a hint") from error
    else:
        raise NotConforming(f"{bench.driver.name} opens a device that is not there")
    bench.end.plug_in()
    with closing(bench.open()) as device:
        bench.check_heard(device, [data], "after it was unplugged in the middle of a message")


def _wait_lost(bench: _Bench, device: ReadingDevice) -> None:
    deadline_s = time.monotonic() + ANSWER_S_MAX
    while time.monotonic() < deadline_s:
        try:
            readings = device.read(READ_S)
        except DeviceLost:
            return
        if any(is_value(describe(reading)) for reading in readings):
            raise NotConforming(f"{bench.driver.name} read {readings} from half a message")
    raise NotConforming(f"{bench.driver.name} does not notice that its device is gone")


def _check_two_at_once(first: _Bench, second: _Bench) -> None:
    with closing(second.open()) as other:
        with closing(first.open()) as device:
            data = first.message.data
            middle = len(data) // 2
            if first.message.polled:
                first.check_heard(device, [data], "beside another")
            else:
                # Halves of two devices, one within the other.
                second.end.write(data[:middle])
                first.check_heard(device, [data], "within the message of another")
                second.check_heard(other, [data[middle:]], "around the message of another")
        with closing(first.open()) as device:
            second.check_heard(other, [second.message.data], "while another is opened again")
            first.check_heard(device, [first.message.data], "opened again beside another")


def _check_alone(bench: _Bench) -> None:
    with closing(bench.open()):
        try:
            bench.open().close()
        except DeviceLost:
            return
    raise NotConforming(f"{bench.driver.name} opens a port that is open already")
