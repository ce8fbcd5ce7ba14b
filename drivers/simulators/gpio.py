"""A virtual GPIO chip: answers the ioctls of a Linux GPIO character device. Edge of sockets.

There is no chip without hardware or a kernel module. This one is called where `fcntl.ioctl` would
be; it reads the request with ctypes, laid out anew from linux/gpio.h, and gives real descriptors.
"""

import ctypes
import socket
import struct
import threading

LINES_COUNT = 54  # As many as the chip of a Raspberry Pi 4 has.
EVENT = struct.Struct("<QIIII24x")
RISING, FALLING = 1, 2
GET_LINE, GET_VALUES, SET_VALUES = 0x07, 0x0E, 0x0F
ATTRIBUTE_FLAGS, ATTRIBUTE_DEBOUNCE = 1, 3


class Attribute(ctypes.Structure):
    """struct gpio_v2_line_config_attribute, the union as its widest member."""

    _fields_ = (
        ("id", ctypes.c_uint32),
        ("padding", ctypes.c_uint32),
        ("value", ctypes.c_uint64),
        ("mask", ctypes.c_uint64),
    )


class Request(ctypes.Structure):
    """struct gpio_v2_line_request with its config in place."""

    _fields_ = (
        ("offsets", ctypes.c_uint32 * 64),
        ("consumer", ctypes.c_char * 32),
        ("flags", ctypes.c_uint64),
        ("num_attrs", ctypes.c_uint32),
        ("config_padding", ctypes.c_uint32 * 5),
        ("attrs", Attribute * 10),
        ("num_lines", ctypes.c_uint32),
        ("event_buffer_size", ctypes.c_uint32),
        ("padding", ctypes.c_uint32 * 5),
        ("fd", ctypes.c_int32),
    )


class VirtualGpioChip:
    """Use `ioctl` in place of fcntl.ioctl, and `close` it at the end; any threads may call.

    active: which lines are active, as the one outside of the chip sees it, active_low undone.
    flags, debounce_us: of each requested line. history: each state that outputs were switched to.
    debounces: False for a chip that the kernel has to ask, on I2C or USB.
    """

    def __init__(self, *, debounces: bool = True) -> None:
        self._debounces = debounces
        self.active: set[int] = set()
        self.flags: dict[int, int] = {}
        self.debounce_us: dict[int, int] = {}
        self.history: list[frozenset[int]] = []
        self.consumer = b""
        self._changed = threading.Condition()
        self._requests: dict[int, tuple[int, ...]] = {}
        self._ends: dict[int, socket.socket] = {}
        self._sequence = 0

    def ioctl(self, descriptor: int, request: int, buffer: bytearray) -> int:
        """Do what the kernel would. Raises OSError."""
        with self._changed:
            match request & 0xFF:
                case number if number == GET_LINE:
                    self._request(buffer)
                case number if number == GET_VALUES:
                    bits, mask = struct.unpack("<QQ", buffer)
                    lines = self._requests[descriptor]
                    found = (1 << at for at, line in enumerate(lines) if line in self.active)
                    bits = sum(found) & mask
                    buffer[:] = struct.pack("<QQ", bits, mask)
                case number if number == SET_VALUES:
                    self._set(descriptor, *struct.unpack("<QQ", buffer))
            self._changed.notify_all()
        return 0

    def press(self, line: int, *, active: bool = True) -> None:
        """Make an input active or inactive; whoever requested it is told."""
        with self._changed:
            (self.active.add if active else self.active.discard)(line)
            self._sequence += 1
            kind = RISING if active else FALLING
            event = EVENT.pack(self._sequence * 1000, kind, line, self._sequence, self._sequence)
            for descriptor, lines in self._requests.items():
                if line in lines:
                    self._ends[descriptor].send(event)

    def lose_an_event(self) -> None:
        """Let one event go missing, as with a full buffer."""
        with self._changed:
            self._sequence += 1

    def wait_for_history(self, count: int, timeout_s: float) -> list[frozenset[int]]:
        """Return the states of the outputs as soon as there were so many, or what there was."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.history) >= count, timeout_s)
            return list(self.history)

    def unplug(self) -> None:
        """Let the chip go away; readers see its end."""
        with self._changed:
            for end in self._ends.values():
                end.close()
            self._ends.clear()
            self._requests.clear()

    def close(self) -> None:
        """Give all descriptors back. May be called twice."""
        self.unplug()

    def _request(self, buffer: bytearray) -> None:
        request = Request.from_buffer_copy(buffer)
        lines = tuple(request.offsets[: request.num_lines])
        if not lines or max(lines) >= LINES_COUNT:
            raise OSError(22, "Invalid argument")
        if set(lines) & {line for taken in self._requests.values() for line in taken}:
            raise OSError(16, "Device or resource busy")
        attributes = request.attrs[: request.num_attrs]
        if not self._debounces and any(one.id == ATTRIBUTE_DEBOUNCE for one in attributes):
            raise OSError(22, "Invalid argument")
        self.consumer = request.consumer
        for at, line in enumerate(lines):
            own = [one for one in request.attrs[: request.num_attrs] if one.mask >> at & 1]
            flags = [one.value for one in own if one.id == ATTRIBUTE_FLAGS]
            self.flags[line] = flags[0] if flags else request.flags
            waits = [one.value for one in own if one.id == ATTRIBUTE_DEBOUNCE]
            self.debounce_us[line] = waits[0] if waits else 0
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        descriptor = theirs.detach()
        self._ends[descriptor], self._requests[descriptor] = ours, lines
        buffer[-4:] = struct.pack("<i", descriptor)

    def _set(self, descriptor: int, bits: int, mask: int) -> None:
        if descriptor not in self._requests:
            raise OSError(19, "No such device")
        for at, line in enumerate(self._requests[descriptor]):
            if mask >> at & 1:
                (self.active.add if bits >> at & 1 else self.active.discard)(line)
        self.history.append(frozenset(self.active))
