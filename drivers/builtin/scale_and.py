"""Drivers and-serial and and-tcp: A&D standard format. Edge of the scale."""

from drivers.api import CommandName
from drivers.builtin.scale_ports import SerialScale, TcpScale, scale_driver
from drivers.protocols.scale_and import AndProtocol, Model


class SerialAnd(SerialScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of and-serial.

    port, baud_rate, data_bits, parity, stop_bits: as set in the scale.
    poll_interval_s, polls_unanswered_max, command_timeout_s: as in SerialScale.
    model: "scale" (balances and platform scales: Q, Z, T, CT) or "indicator" (RW, MZ, MT, CT).
    poll: false for a device in stream mode, which sends by itself.
    """

    model: Model = "scale"
    poll: bool = True


class TcpAnd(TcpScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of and-tcp.

    host, port, connect_timeout_s, poll_interval_s, polls_unanswered_max,
    command_timeout_s: as in TcpScale.
    model: "scale" (balances and platform scales: Q, Z, T, CT) or "indicator" (RW, MZ, MT, CT).
    poll: false for a device in stream mode, which sends by itself.
    """

    model: Model = "scale"
    poll: bool = True


def _protocol(settings: SerialAnd | TcpAnd) -> AndProtocol:
    return AndProtocol(model=settings.model, speaks_by_itself=not settings.poll)


def _poll(settings: SerialAnd | TcpAnd, protocol: AndProtocol) -> bytes:
    return protocol.poll() if settings.poll else b""


COMMANDS: frozenset[CommandName] = frozenset({"zero", "tare", "clear_tare"})

SERIAL = scale_driver(
    name="and-serial",
    summary="A&D balances, scales and indicators (standard format) on a serial port.",
    settings_type=SerialAnd,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="A&D standard format",
    commands=COMMANDS,
    tier="silver",
)
TCP = scale_driver(
    name="and-tcp",
    summary="A&D balances, scales and indicators (standard format) over a TCP connection.",
    settings_type=TcpAnd,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="A&D standard format",
    commands=COMMANDS,
    tier="silver",
)
