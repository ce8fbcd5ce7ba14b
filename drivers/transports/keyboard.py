"""Key events of one input device, taken from everyone else. Edge of evdev (Linux input)."""

import contextlib
import errno
import fcntl
import select
import struct
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import evdev

from drivers.errors import DeviceLost, SettingsInvalid

# The kernel's struct input_event without its time: type, code, value.
_EVENT = struct.Struct("<HHi")
_EV_SYN = 0
_SYN_PAUSE = 0x7F00  # Ours, see drivers/protocols/scanner_keyboard.py.
_PAUSE_MS_MAX = 0x7FFFFFFF
EVIOCSCLOCKID = 0x400445A0  # _IOW('E', 0xa0, int): which clock stamps the events.
_UNPLUGGED_HINT = "Plug the scanner in again."


class InputEvent(Protocol):
    """One event as evdev reads it."""

    @property
    def type(self) -> int: ...
    @property
    def code(self) -> int: ...
    @property
    def value(self) -> int: ...
    @property
    def sec(self) -> int: ...
    @property
    def usec(self) -> int: ...


class InputSource(Protocol):
    """What of evdev.InputDevice is used here; all raise OSError."""

    @property
    def fd(self) -> int: ...
    @property
    def name(self) -> str: ...
    def read(self) -> Iterable[InputEvent]: ...
    def grab(self) -> None: ...
    def ungrab(self) -> None: ...
    def close(self) -> None: ...


class KeyboardLine:
    """A grabbed input device; one thread uses it. Made by `open_keyboard`."""

    def __init__(self, source: InputSource, *, path: str, pause_s: float = 0.0) -> None:
        self._source = source
        self._path = path
        self._pause_ms = round(pause_s * 1000)
        self._last_ms: int | None = None
        self._closed = False
        self._poller = select.poll()
        self._poller.register(source.fd, select.POLLIN)

    def read(self, timeout_s: float) -> bytes:
        """Return the events that have arrived, 8 bytes each; b"" if none came in `timeout_s`.

        At most as many as evdev reads at once (64). Raises DeviceLost when it is unplugged.
        """
        if self._closed:
            raise DeviceLost(f"{self._path} is closed", hint=_UNPLUGGED_HINT)
        try:
            if not self._poller.poll(max(timeout_s, 0.0) * 1000):
                return b""
            events = self._source.read()
            return b"".join(self._record(one) for one in events)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise DeviceLost(f"{self._path} lost: {error}", hint=_UNPLUGGED_HINT) from error

    def write(self, data: bytes) -> None:
        """Refuse: a keyboard is only read."""
        raise AssertionError(f"a keyboard takes no bytes, got {len(data)}")

    def close(self) -> None:
        """Give the device back to the system. Never raises; may be called twice."""
        if self._closed:
            return
        self._closed = True
        for give_back in (self._source.ungrab, self._source.close):
            try:
                give_back()
            except OSError:
                continue  # It is unplugged; there is nothing left to give back.

    def _record(self, event: InputEvent) -> bytes:
        record = _EVENT.pack(event.type, event.code, event.value)
        now_ms = event.sec * 1000 + event.usec // 1000
        last_ms, self._last_ms = self._last_ms, now_ms
        if not self._pause_ms or last_ms is None or now_ms - last_ms < self._pause_ms:
            return record
        # A reader that came late finds both sides of a pause waiting; the kernel's time tells.
        paused_ms = min(now_ms - last_ms, _PAUSE_MS_MAX)
        return _EVENT.pack(_EV_SYN, _SYN_PAUSE, paused_ms) + record


def open_keyboard(
    path: str,
    *,
    pause_s: float = 0.0,
    open_source: Callable[[str], InputSource] | None = None,
) -> KeyboardLine:
    """Return the input device at `path`, grabbed: nobody else sees its keys, no console either.

    path: one that stays the same, such as /dev/input/by-id/...-event-kbd.
    pause_s: so long a time between two events is passed on as a record of its own; 0 never.
    open_source: how a path is opened; evdev by default.
    Raises DeviceLost.
    """
    try:
        source = (open_source or _open_evdev)(path)
    except OSError as error:
        raise DeviceLost(f"cannot open {path}: {error}", hint=_open_hint(error)) from error
    try:
        source.grab()
    except OSError as error:
        source.close()
        raise DeviceLost(
            f"cannot grab {path}: {error}",
            hint="Close the other program that has grabbed this scanner.",
        ) from error
    return KeyboardLine(source, path=path, pause_s=pause_s)


def find_keyboard(name: str) -> str:
    """Return the path of the one input device that calls itself exactly `name`.

    Raises DeviceLost if there is none, SettingsInvalid if there are several: nothing is guessed.
    """
    paths: list[str] = []
    for path in evdev.list_devices():
        try:
            device = _open_evdev(path)
        except OSError:
            continue  # Unplugged since the listing.
        if device.name == name:
            paths.append(path)
        device.close()
    if not paths:
        raise DeviceLost(f"no input device is called {name!r}", hint=_UNPLUGGED_HINT)
    if len(paths) > 1:
        raise SettingsInvalid(
            f"several input devices are called {name!r}: {', '.join(sorted(paths))}",
            hint="Set `path` (see ls -l /dev/input/by-id) instead of `name`.",
        )
    return paths[0]


def _open_evdev(path: str) -> InputSource:
    if not Path(path).is_char_device():
        missing = not Path(path).exists()
        raise OSError(errno.ENOENT if missing else errno.ENOTTY, "not an input device", path)
    source: InputSource = evdev.InputDevice(path, readonly=True)
    with contextlib.suppress(OSError):  # An old kernel keeps the wall clock, which may be set.
        fcntl.ioctl(source.fd, EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
    return source


def _open_hint(error: OSError) -> str:
    if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return "Plug the scanner in, or correct `path` in its settings."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "Allow the gateway's user to read input devices (group input)."
    return "Correct `path`: it must name an input device below /dev/input."
