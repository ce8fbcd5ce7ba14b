"""What a reader notifies of: its connection, its inputs, its faults. Pure.

    READER_EVENT_NOTIFICATION 63 -- ReaderEventNotificationData 246
        UTCTimestamp 128 or Uptime 129 (u64 us), then one parameter per event:
        GPIEvent 248 (u16 port, bit level)       ReportBufferLevelWarning 250 (u8 percent)
        ReaderExceptionEvent 252 (text)          ReportBufferOverflowError 251 (nothing)
        AntennaEvent 255 (u8 0 off 1 on, u16)    ConnectionAttemptEvent 256 (u16), Close 257
Source: EPCglobal LLRP 1.1, sections 14.2.6 and 17.2.7.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.protocols.llrp_frames import Parameter, parameters, text_at, unpack
from drivers.protocols.llrp_numbers import ParameterType
from drivers.readings import DeviceFault, InputChanged

CONNECTED = 0
ANOTHER_TRIED = 4  # Told to the client that is connected; it may go on.
EVENTS_MAX = 64

_U64 = struct.Struct(">Q")
_U16 = struct.Struct(">H")
_GPI = struct.Struct(">HB")
_ANTENNA = struct.Struct(">BH")
_U8 = struct.Struct(">B")


@dataclass(frozen=True, slots=True)
class Input:
    """What an input of the reader is for. active_high: the level at which it is active."""

    name: str
    active_high: bool = True
    code: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification. utc_us, uptime_us: the reader's clock, one of them; None if not said.

    connection: status of a ConnectionAttemptEvent, None if there is none. closing: the reader ends
    the connection.
    """

    readings: tuple[InputChanged | DeviceFault, ...]
    utc_us: int | None = None
    uptime_us: int | None = None
    connection: int | None = None
    closing: bool = False


def parse_notification(body: bytes, inputs: Mapping[int, Input]) -> Notification:
    """Return what the body of a READER_EVENT_NOTIFICATION says. Raises LlrpInvalid.

    inputs: by port; a port that is not among them is called "gpi-<port>".
    """
    readings: list[InputChanged | DeviceFault] = []
    clock: dict[int, int] = {}
    connection: int | None = None
    closing = False
    for outer in parameters(body):
        if outer.kind != ParameterType.READER_EVENT_NOTIFICATION_DATA:
            continue
        for event in parameters(outer.value):
            match event.kind:
                case ParameterType.UTC_TIMESTAMP | ParameterType.UPTIME:
                    clock[event.kind] = unpack(_U64, event.value)[0]
                case ParameterType.CONNECTION_ATTEMPT:
                    connection = unpack(_U16, event.value)[0]
                case ParameterType.CONNECTION_CLOSE:
                    closing = True
                case _:
                    reading = _reading(event, inputs)
                    if reading is not None and len(readings) < EVENTS_MAX:
                        readings.append(reading)
    return Notification(
        tuple(readings),
        utc_us=clock.get(ParameterType.UTC_TIMESTAMP),
        uptime_us=clock.get(ParameterType.UPTIME),
        connection=connection,
        closing=closing,
    )


def _reading(event: Parameter, inputs: Mapping[int, Input]) -> InputChanged | DeviceFault | None:
    raw = event.value[:256]
    match event.kind:
        case ParameterType.GPI_EVENT:
            port, level = unpack(_GPI, event.value)
            known = inputs.get(port, Input(f"gpi-{port}"))
            active = bool(level & 0x80) == known.active_high
            return InputChanged(known.name, active, known.code if active else "", raw)
        case ParameterType.REPORT_BUFFER_LEVEL_WARNING:
            percent = unpack(_U8, event.value)[0]
            return DeviceFault("reader_error", f"its report memory is {percent} % full", raw)
        case ParameterType.REPORT_BUFFER_OVERFLOW:
            return DeviceFault("reads_lost", "its report memory overflowed", raw)
        case ParameterType.READER_EXCEPTION:
            return DeviceFault("reader_error", f"exception: {text_at(event.value, 0)[0]}", raw)
        case ParameterType.ANTENNA_EVENT:
            connected, antenna = unpack(_ANTENNA, event.value)
            if not connected:
                return DeviceFault("reader_error", f"antenna {antenna} is disconnected", raw)
    return None  # An antenna that is back, a ROSpec that began, what later versions add.
