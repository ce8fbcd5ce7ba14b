"""Key events of one input device, taken from everyone else. Edge of evdev (Linux input)."""

import errno
import select
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import evdev

from drivers.errors import DeviceLost, SettingsInvalid

# The kernel's struct input_event without its time: type, code, value.
_EVENT = struct.Struct("<HHi")
_UNPLUGGED_HINT = "Plug the scanner in again."


class InputEvent(Protocol):
    """One event as evdev reads it."""

    @property
    def type(self) -> int: ...
    @property
    def code(self) -> int: ...
    @property
    def value(self) -> int: ...


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

    def __init__(self, source: InputSource, *, path: str) -> None:
        self._source = source
        self._path = path
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
            return b"".join(_EVENT.pack(one.type, one.code, one.value) for one in events)
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


def open_keyboard(
    path: str, *, open_source: Callable[[str], InputSource] | None = None
) -> KeyboardLine:
    """Return the input device at `path`, grabbed: nobody else sees its keys, no console either.

    path: one that stays the same, such as /dev/input/by-id/...-event-kbd.
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
    return KeyboardLine(source, path=path)


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
    return source


def _open_hint(error: OSError) -> str:
    if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return "Plug the scanner in, or correct `path` in its settings."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "Allow the gateway's user to read input devices (group input)."
    return "Correct `path`: it must name an input device below /dev/input."
