"""Drivers toledo-8217-serial and toledo-8217-tcp. Edge of the scale."""

from typing import Literal

from drivers.api import CommandName
from drivers.builtin.scale_ports import SerialScale, TcpScale, scale_driver
from drivers.protocols.scale_toledo_8217 import Toledo8217Protocol, UnitOfScale, Variant
from drivers.transports.serial_line import Parity


class SerialToledo8217(SerialScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of toledo-8217-serial.

    port, baud_rate, data_bits, parity, stop_bits: as set in the scale.
    poll_interval_s, polls_unanswered_max, command_timeout_s: as in SerialScale.
    unit: what the scale weighs in: "kg", "lb", "g" or "oz"; it does not send it.
    variant: "8217" or "8213": what bits 5 and 6 of its status mean.
    """

    data_bits: Literal[7, 8] = 7
    parity: Parity = "even"
    unit: UnitOfScale = "kg"
    variant: Variant = "8217"


class TcpToledo8217(TcpScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of toledo-8217-tcp.

    host, port, connect_timeout_s, poll_interval_s, polls_unanswered_max,
    command_timeout_s: as in TcpScale.
    unit: what the scale weighs in: "kg", "lb", "g" or "oz"; it does not send it.
    variant: "8217" or "8213": what bits 5 and 6 of its status mean.
    """

    unit: UnitOfScale = "kg"
    variant: Variant = "8217"


def _protocol(settings: SerialToledo8217 | TcpToledo8217) -> Toledo8217Protocol:
    return Toledo8217Protocol(unit=settings.unit, variant=settings.variant)


def _poll(_: SerialToledo8217 | TcpToledo8217, protocol: Toledo8217Protocol) -> bytes:
    return protocol.poll()


COMMANDS: frozenset[CommandName] = frozenset({"zero"})

SERIAL = scale_driver(
    name="toledo-8217-serial",
    summary="Scales in Toledo 8217 or 8213 mode on a serial port.",
    settings_type=SerialToledo8217,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="Toledo 8217 or 8213",
    commands=COMMANDS,
    tier="gold",
)
TCP = scale_driver(
    name="toledo-8217-tcp",
    summary="Scales in Toledo 8217 or 8213 mode over a TCP connection.",
    settings_type=TcpToledo8217,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="Toledo 8217 or 8213",
    commands=COMMANDS,
    tier="gold",
)
