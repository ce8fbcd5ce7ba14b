"""Drivers acme-scale-serial and acme-scale-tcp: a complete driver in one file.

The scale answers "W" CR with one line (ACME counting scale manual, section 4):

    W <S|D|O> <weight, 8 columns> <kg|lb> *<two hexadecimal digits> CR LF
      |                                    sum of all bytes before the asterisk
      S stable, D moving, O overload (then the weight is eight dashes)

    W S   12.500 kg *62
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import msgspec

from drivers.api import Driver
from drivers.builtin.stream import ByteLine, Polling, StreamDevice
from drivers.candidates import Matcher
from drivers.protocols.framing import LineFramer
from drivers.readings import DeviceFault, Reading, WeightMeasured
from drivers.transports.serial_line import open_serial
from drivers.transports.tcp_client import open_tcp

LINE_BYTES_MAX = 64
LINE = re.compile(rb"W ([SDO]) ( *-?[0-9]+\.?[0-9]*|-{8}) (kg|lb) \*([0-9A-F]{2})")
UNITS = {b"kg": "KGM", b"lb": "LBR"}
ASK = b"W\r"


class AcmeProtocol:
    """Bytes in, readings out; no line, no clock. Never raises, whatever the bytes."""

    def __init__(self) -> None:
        self._framer = LineFramer(line_end="cr_or_lf", frame_bytes_max=LINE_BYTES_MAX)

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`."""
        return [_reading(frame.data) for frame in self._framer.receive_data(data)]

    def idle(self) -> Sequence[Reading]:
        """Drop half a line: the rest of it will not come."""
        half = self._framer.idle()
        return [DeviceFault("unreadable", "the line broke off", half)] if half else []


class SerialSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of acme-scale-serial.

    port: the port; a path that stays, such as /dev/serial/by-id/usb-...
    baud_rate: as set in the scale.
    """

    port: str
    baud_rate: Annotated[int, msgspec.Meta(ge=300, le=115_200)] = 9600


class TcpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of acme-scale-tcp.

    host, port: where the scale listens.
    """

    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 4001


def _reading(line: bytes) -> Reading:
    match = LINE.fullmatch(line)
    if match is None or sum(line[: line.rindex(b"*")]) % 256 != int(match[4], 16):
        return DeviceFault("unreadable", "no line of this scale, or a wrong sum", line)
    if match[1] == b"O":
        return DeviceFault("overload", "the scale says O", line)
    if match[2].startswith(b"--"):
        return DeviceFault("unreadable", "no weight in the line", line)
    value = Decimal(match[2].decode().strip())
    return WeightMeasured(value, UNITS[match[3]], "gross", match[1] == b"S", line)


def _scale(line: ByteLine) -> StreamDevice:
    hint = "Switch the scale on and set its output to W on request."
    polling = Polling(command=ASK, interval_s=0.2, unanswered_max=10, silent_hint=hint)
    return StreamDevice(line, AcmeProtocol(), idle_s=0.5, polling=polling)


def _open_serial(settings: SerialSettings) -> StreamDevice:
    return _scale(
        open_serial(
            settings.port, baud_rate=settings.baud_rate, data_bits=8, parity="none", stop_bits=1
        )
    )


def _open_tcp(settings: TcpSettings) -> StreamDevice:
    return _scale(open_tcp(settings.host, settings.port, connect_timeout_s=3.0))


SERIAL = Driver(
    name="acme-scale-serial",
    device_class="scale",
    summary="ACME counting scales on a serial port.",
    settings_type=SerialSettings,
    open_device=_open_serial,
    matchers=(Matcher("serial", score=5),),
    node_setting="port",
    new_protocol=lambda settings: AcmeProtocol(),
    tier="silver",
)
TCP = Driver(
    name="acme-scale-tcp",
    device_class="scale",
    summary="ACME counting scales over a TCP connection.",
    settings_type=TcpSettings,
    open_device=_open_tcp,
    new_protocol=lambda settings: AcmeProtocol(),
    tier="silver",
)
