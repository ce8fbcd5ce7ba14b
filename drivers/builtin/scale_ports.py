"""What the drivers of scales share: settings of the line, opening, probing. Edge of the scale."""

import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from drivers.api import CommandName, Driver, Tier
from drivers.builtin.stream import ByteLine, Polling, StreamDevice
from drivers.candidates import Matcher
from drivers.errors import DeviceSilent
from drivers.readings import WeightMeasured
from drivers.transports.serial_line import Parity, open_serial
from drivers.transports.tcp_client import open_tcp

HALF_REPLY_S = 0.5
PROBE_S = 1.9
SILENT_HINT = (
    "Switch the scale on, and set its interface to this driver's protocol and line settings."
)

BaudRate = Annotated[int, msgspec.Meta(ge=300, le=4_000_000)]
TcpPort = Annotated[int, msgspec.Meta(ge=1, le=65535)]
ConnectSeconds = Annotated[float, msgspec.Meta(ge=0.05, le=60)]
PollSeconds = Annotated[float, msgspec.Meta(ge=0.05, le=60)]
PollCount = Annotated[int, msgspec.Meta(ge=1, le=1000)]
CommandSeconds = Annotated[float, msgspec.Meta(ge=0.1, le=60)]

SERIAL_MATCHERS = (Matcher(kind="serial", score=5),)


class SerialScale(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The line of a scale on a serial port.

    port: the port; a path that stays, such as /dev/serial/by-id/usb-...
    baud_rate, data_bits, parity, stop_bits: as set in the scale.
    poll_interval_s: from one question for the weight to the next.
    polls_unanswered_max: so many questions without an answer, or as many intervals without a word
        of a scale that speaks by itself, and the scale is silent.
    command_timeout_s: so long a command (zero, tare) waits for its answer.
    """

    port: str
    baud_rate: BaudRate = 9600
    data_bits: Literal[7, 8] = 8
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1
    poll_interval_s: PollSeconds = 0.2
    polls_unanswered_max: PollCount = 10
    command_timeout_s: CommandSeconds = 3.0


class TcpScale(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The line of a scale on a TCP connection.

    host: name or address of the scale, or of the device server it is connected to.
    port: its TCP port.
    connect_timeout_s: limit for one attempt to connect.
    poll_interval_s, polls_unanswered_max, command_timeout_s: as in SerialScale.
    """

    host: str
    port: TcpPort
    connect_timeout_s: ConnectSeconds = 3.0
    poll_interval_s: PollSeconds = 0.2
    polls_unanswered_max: PollCount = 10
    command_timeout_s: CommandSeconds = 3.0


def scale_driver(
    *,
    name: str,
    summary: str,
    settings_type: type[SerialScale] | type[TcpScale],
    new_protocol: Callable[[Any], Any],
    poll: Callable[[Any, Any], bytes],
    commands: frozenset[CommandName] = frozenset(),
    protocol_name: str,
    tier: Tier = "silver",
) -> Driver:
    """Return the driver of a scale on a byte line.

    new_protocol: makes the protocol from the settings. poll: the bytes that ask for a weight, from
        settings and protocol; b"" if the scale speaks by itself. protocol_name: for the hint of a
        silent scale.
    """
    open_device = _opener(new_protocol, poll, protocol_name, has_commands=bool(commands))
    is_serial = issubclass(settings_type, SerialScale)
    return Driver(
        name=name,
        device_class="scale",
        summary=summary,
        settings_type=settings_type,
        open_device=open_device,
        commands=commands,
        matchers=SERIAL_MATCHERS if is_serial else (),
        node_setting="port" if is_serial else "host",
        tcp_port_setting="" if is_serial else "port",
        probe=lambda settings: _first_weight(open_device(settings)),
        new_protocol=new_protocol,
        tier=tier,
    )


def open_line(settings: SerialScale | TcpScale) -> ByteLine:
    """Return the open line of these settings. Raises DeviceLost or SettingsInvalid."""
    if isinstance(settings, TcpScale):
        return open_tcp(settings.host, settings.port, connect_timeout_s=settings.connect_timeout_s)
    return open_serial(
        settings.port,
        baud_rate=settings.baud_rate,
        data_bits=settings.data_bits,
        parity=settings.parity,
        stop_bits=settings.stop_bits,
    )


def _opener(
    new_protocol: Callable[[Any], Any],
    poll: Callable[[Any, Any], bytes],
    protocol_name: str,
    *,
    has_commands: bool,
) -> Callable[[SerialScale | TcpScale], StreamDevice]:
    hint = f"Switch the scale on, and set its interface to {protocol_name}, as set here."

    def open_device(settings: SerialScale | TcpScale) -> StreamDevice:
        protocol = new_protocol(settings)
        polling = Polling(
            command=poll(settings, protocol),
            interval_s=settings.poll_interval_s,
            unanswered_max=settings.polls_unanswered_max,
            silent_hint=hint,
        )
        return StreamDevice(
            open_line(settings),
            protocol,
            idle_s=HALF_REPLY_S,
            polling=polling,
            commands=protocol if has_commands else None,
            command_timeout_s=settings.command_timeout_s,
        )

    return open_device


def _first_weight(device: StreamDevice) -> str:
    """Return the first weight as text, "" if none came; a fault may be the noise of another."""
    deadline_s = time.monotonic() + PROBE_S
    try:
        while (left_s := deadline_s - time.monotonic()) > 0:
            for reading in device.read(left_s):
                if isinstance(reading, WeightMeasured):
                    return f"a weight of {reading.value} {reading.unit}"
    except DeviceSilent:
        return ""
    finally:
        device.close()
    return ""
