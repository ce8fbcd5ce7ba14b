"""The checks that every driver on a line of bytes passes, over a real line. Loop.

A capture says what the device says: its first message that gives a reading and no fault. A far end
(pseudo terminal or TCP port) speaks it as the device would: unasked, or as the answer to whatever
the driver writes if the capture shows a question before it.

    reads        the reading comes, whole and byte by byte with pauses
    silence      no answer is no reading: nothing, or DeviceSilent; and `read` comes back in time
    unplugged    in the middle of a message: DeviceLost; afterwards nothing of the half is joined
    two at once  each of two alike devices says its own
    reopened     one is closed and opened again while the other works
    alone        a port that is open is not opened twice (serial)
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from drivers.api import Driver, ReadingDevice
from drivers.errors import DeviceLost, DeviceSilent
from drivers.kit.captures import Capture
from drivers.kit.conformance import NotConforming
from drivers.kit.descriptions import describe
from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort

READ_S = 0.05
ANSWER_S_MAX = 5.0
SILENT_FOR_S = 0.3
COME_BACK_S_MAX = 2.0  # `read(READ_S)` must return within this, whatever the device does.
BYTE_PAUSE_S = 0.001


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that a device says. polled: only when asked. readings: as `describe` puts them."""

    data: bytes
    readings: tuple[str, ...]
    polled: bool


class FarEnd(Protocol):
    """The device's end of a line, and the settings of a driver that opens the near end."""

    settings: dict[str, Any]
    alone: bool

    def open(self, folder: Path, number: int) -> None:
        """Make the line; may be called once."""
        ...

    def read(self, timeout_s: float) -> bytes: ...

    def write(self, data: bytes) -> bool: ...

    def unplug(self) -> None: ...

    def plug_in(self) -> None: ...

    def connected(self) -> bool:
        """Return True if what is written now reaches the driver."""
        ...

    def close(self) -> None: ...


class SerialEnd:
    """A pseudo terminal."""

    alone = True

    def open(self, folder: Path, number: int) -> None:
        self._line = VirtualSerialLine(folder / f"device-{number}")
        self.settings: dict[str, Any] = {"port": str(self._line.path)}
        self.read, self.write = self._line.read, self._line.write
        self.unplug, self.plug_in = self._line.unplug, self._line.plug_in
        self.close = self._line.close

    def connected(self) -> bool:
        return True


class TcpEnd:
    """A TCP port on 127.0.0.1 to which the driver connects."""

    alone = False

    def open(self, folder: Path, number: int) -> None:
        del folder, number
        self._port = VirtualTcpPort()
        self.settings: dict[str, Any] = {"host": "127.0.0.1", "port": self._port.port}
        self.read, self.write = self._port.read, self._port.write
        self.unplug, self.plug_in = self._port.refuse, self._port.listen
        self.close = self._port.close

    def connected(self) -> bool:
        return self._port.wait_for_client(ANSWER_S_MAX)


def first_message(capture: Capture) -> Message:
    """Return the first message of a capture that gives readings, all without fault.

    Raises NotConforming if it holds none.
    """
    data, polled, readings = b"", False, []
    for step in (*capture.steps, None):
        if step is not None and step.kind == "expected":
            readings.append(step.text)
            continue
        if readings and data and not any(text.startswith("fault") for text in readings):
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
        _check_silence(first)
        _check_unplugged(first)
        _check_two_at_once(first, second)
        if first.end.alone:
            _check_alone(first)


class _Bench:
    """One device on a line, and what it says."""

    def __init__(self, driver: Driver, capture: Capture, end: FarEnd) -> None:
        self.driver = driver
        self.end = end
        self.message = first_message(capture)
        self._settings = driver.parse_settings(capture.settings | end.settings)

    def open(self) -> ReadingDevice:
        device = cast(ReadingDevice, self.driver.open_device(self._settings))
        if not self.end.connected():
            device.close()
            raise NotConforming(f"{self.driver.name} does not connect")
        return device

    def hear(self, device: ReadingDevice, pieces: Sequence[bytes]) -> list[str]:
        """Let the device say `pieces`, once or when asked; return the first full set of readings.

        A polled device goes on answering, so more readings may come; they are dropped.
        """
        with _Speaker(self.end, pieces, polled=self.message.polled):
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


class _Speaker:
    """Says the pieces on a far end, in a thread; a polled one each time that it is asked."""

    def __init__(self, end: FarEnd, pieces: Sequence[bytes], *, polled: bool) -> None:
        self._end = end
        self._pieces = pieces
        self._polled = polled
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="kit-speaker", daemon=True)

    def __enter__(self) -> "_Speaker":
        self._thread.start()
        return self

    def __exit__(self, *trace: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _speak(self) -> None:
        if not self._polled:
            self._say()
        while self._polled and not self._stopping.is_set():
            if self._end.read(READ_S):
                self._say()

    def _say(self) -> None:
        for piece in self._pieces:
            self._end.write(piece)
            if len(self._pieces) > 1:
                self._stopping.wait(BYTE_PAUSE_S)


def _check_reads(bench: _Bench) -> None:
    data = bench.message.data
    with closing(bench.open()) as device:
        bench.check_heard(device, [data], "whole")
    with closing(bench.open()) as device:
        slowly = [data[index : index + 1] for index in range(len(data))]
        bench.check_heard(device, slowly, "byte by byte")
    device.close()  # A second time: must not raise.


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
        with _Speaker(bench.end, [half], polled=bench.message.polled):
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
        if any(not describe(reading).startswith("fault") for reading in readings):
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
