"""Drivers mt-sics-serial and mt-sics-tcp: scales that speak MT-SICS. Edge of the scale."""

from typing import Annotated, Literal

import msgspec

from drivers.api import Driver
from drivers.builtin.stream import ByteLine, Polling, StreamDevice
from drivers.protocols.scale_mt_sics import WEIGHT_COLUMNS, MtSicsProtocol, UnitSetting
from drivers.transports.serial_line import Parity, open_serial
from drivers.transports.tcp_client import open_tcp

HALF_REPLY_S = 0.5
SILENT_HINT = (
    "Switch the scale on, and set its interface to MT-SICS at the speed and parity given here."
)

PollSeconds = Annotated[float, msgspec.Meta(ge=0.05, le=60)]
PollCount = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Columns = Annotated[int, msgspec.Meta(ge=0, le=20)]


class SerialMtSicsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of mt-sics-serial.

    port: the port; a path that stays, such as /dev/serial/by-id/usb-...
    baud_rate, data_bits, parity, stop_bits: as set in the scale.
    poll_interval_s: from one question for the weight to the next.
    polls_unanswered_max: so many questions without an answer, and the scale is silent.
    weight_columns: width of the weight in a reply; 0 accepts any, a lost digit goes unnoticed then.
    unit: the only unit to accept: "any", "g", "kg", "mg", "t", "lb" or "oz"; better one than "any".
    """

    port: str
    baud_rate: Annotated[int, msgspec.Meta(ge=300, le=4_000_000)] = 9600
    data_bits: Literal[7, 8] = 8
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1
    poll_interval_s: PollSeconds = 0.2
    polls_unanswered_max: PollCount = 10
    weight_columns: Columns = WEIGHT_COLUMNS
    unit: UnitSetting = "any"


class TcpMtSicsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of mt-sics-tcp.

    host: name or address of the scale, or of the device server it is connected to.
    port: its TCP port.
    connect_timeout_s: limit for one attempt to connect.
    poll_interval_s: from one question for the weight to the next.
    polls_unanswered_max: so many questions without an answer, and the scale is silent.
    weight_columns: width of the weight in a reply; 0 accepts any, a lost digit goes unnoticed then.
    unit: the only unit to accept: "any", "g", "kg", "mg", "t", "lb" or "oz"; better one than "any".
    """

    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    connect_timeout_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 3.0
    poll_interval_s: PollSeconds = 0.2
    polls_unanswered_max: PollCount = 10
    weight_columns: Columns = WEIGHT_COLUMNS
    unit: UnitSetting = "any"


def _open_serial_scale(settings: SerialMtSicsSettings) -> StreamDevice:
    line = open_serial(
        settings.port,
        baud_rate=settings.baud_rate,
        data_bits=settings.data_bits,
        parity=settings.parity,
        stop_bits=settings.stop_bits,
    )
    return _scale(line, settings)


def _open_tcp_scale(settings: TcpMtSicsSettings) -> StreamDevice:
    line = open_tcp(settings.host, settings.port, connect_timeout_s=settings.connect_timeout_s)
    return _scale(line, settings)


def _scale(line: ByteLine, settings: SerialMtSicsSettings | TcpMtSicsSettings) -> StreamDevice:
    protocol = MtSicsProtocol(weight_columns=settings.weight_columns, unit=settings.unit)
    polling = Polling(
        command=protocol.poll(),
        interval_s=settings.poll_interval_s,
        unanswered_max=settings.polls_unanswered_max,
        silent_hint=SILENT_HINT,
    )
    return StreamDevice(line, protocol, idle_s=HALF_REPLY_S, polling=polling)


SERIAL = Driver(
    name="mt-sics-serial",
    device_class="scale",
    summary="Scales that speak MT-SICS (Mettler-Toledo, RADWAG, KERN) on a serial port.",
    settings_type=SerialMtSicsSettings,
    open_device=_open_serial_scale,
)
TCP = Driver(
    name="mt-sics-tcp",
    device_class="scale",
    summary="Scales that speak MT-SICS (Mettler-Toledo, RADWAG, KERN) over a TCP connection.",
    settings_type=TcpMtSicsSettings,
    open_device=_open_tcp_scale,
)
