"""Drivers sma-serial and sma-tcp: SMA SCP-0499. Edge of the scale."""

from drivers.api import CommandName
from drivers.builtin.scale_ports import SerialScale, TcpScale, scale_driver
from drivers.protocols.scale_sma import SmaProtocol


class SerialSma(SerialScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of sma-serial.

    port, baud_rate, data_bits, parity, stop_bits: as set in the scale.
    poll_interval_s, polls_unanswered_max, command_timeout_s: as in SerialScale.
    """


class TcpSma(TcpScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of sma-tcp.

    host, port, connect_timeout_s, poll_interval_s, polls_unanswered_max,
    command_timeout_s: as in TcpScale.
    """


def _protocol(_: SerialSma | TcpSma) -> SmaProtocol:
    return SmaProtocol()


def _poll(_: SerialSma | TcpSma, protocol: SmaProtocol) -> bytes:
    return protocol.poll()


COMMANDS: frozenset[CommandName] = frozenset({"zero", "tare", "clear_tare"})

SERIAL = scale_driver(
    name="sma-serial",
    summary="Scales that speak SMA SCP-0499 (Fairbanks, B-TEK, Minebea) on a serial port.",
    settings_type=SerialSma,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="SMA SCP-0499",
    commands=COMMANDS,
    tier="gold",
)
TCP = scale_driver(
    name="sma-tcp",
    summary="Scales that speak SMA SCP-0499 (Fairbanks, B-TEK, Minebea) over a TCP connection.",
    settings_type=TcpSma,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="SMA SCP-0499",
    commands=COMMANDS,
    tier="gold",
)
