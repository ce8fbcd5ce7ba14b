"""Drivers nci-serial and nci-tcp: NCI SCP-01 and SCP-02. Edge of the scale."""

from typing import Literal

from drivers.api import CommandName
from drivers.builtin.scale_ports import SerialScale, TcpScale, scale_driver
from drivers.protocols.scale_nci import NciProtocol
from drivers.transports.serial_line import Parity


class SerialNci(SerialScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of nci-serial.

    port, baud_rate, data_bits, parity, stop_bits: as set in the scale.
    poll_interval_s, polls_unanswered_max, command_timeout_s: as in SerialScale.
    """

    data_bits: Literal[7, 8] = 7
    parity: Parity = "even"


class TcpNci(TcpScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of nci-tcp.

    host, port, connect_timeout_s, poll_interval_s, polls_unanswered_max,
    command_timeout_s: as in TcpScale.
    """


def _protocol(_: SerialNci | TcpNci) -> NciProtocol:
    return NciProtocol()


def _poll(_: SerialNci | TcpNci, protocol: NciProtocol) -> bytes:
    return protocol.poll()


COMMANDS: frozenset[CommandName] = frozenset({"zero", "tare"})

SERIAL = scale_driver(
    name="nci-serial",
    summary="Scales that speak NCI SCP-01 or SCP-02 (Weigh-Tronix, Ohaus) on a serial port.",
    settings_type=SerialNci,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="NCI (SCP-01)",
    commands=COMMANDS,
    tier="silver",
)
TCP = scale_driver(
    name="nci-tcp",
    summary="Scales that speak NCI SCP-01 or SCP-02 (Weigh-Tronix, Ohaus) over a TCP connection.",
    settings_type=TcpNci,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="NCI (SCP-01)",
    commands=COMMANDS,
    tier="silver",
)
