"""Drivers toledo-continuous-serial and toledo-continuous-tcp. Edge of the scale."""

from typing import Literal

from drivers.api import CommandName
from drivers.builtin.scale_ports import SerialScale, TcpScale, scale_driver
from drivers.protocols.scale_toledo_continuous import (
    FrameForm,
    ProfileName,
    ToledoContinuousProtocol,
)
from drivers.transports.serial_line import Parity


class SerialToledoContinuous(SerialScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of toledo-continuous-serial.

    port, baud_rate, data_bits, parity, stop_bits: as set in the scale.
    poll_interval_s, polls_unanswered_max, command_timeout_s: as in SerialScale.
    profile: whose bits: "standard" (Mettler-Toledo, KERN, Cardinal, Ohaus, Wildcat), "fairbanks",
        "liden".
    form: "tare" (17 bytes) or "short" (11 bytes, without the tare).
    checksum: true if the indicator sends one more byte, the checksum.
    """

    data_bits: Literal[7, 8] = 7
    parity: Parity = "even"
    profile: ProfileName = "standard"
    form: FrameForm = "tare"
    checksum: bool = False


class TcpToledoContinuous(TcpScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of toledo-continuous-tcp.

    host, port, connect_timeout_s, poll_interval_s, polls_unanswered_max,
    command_timeout_s: as in TcpScale.
    profile: whose bits: "standard" (Mettler-Toledo, KERN, Cardinal, Ohaus, Wildcat), "fairbanks",
        "liden".
    form: "tare" (17 bytes) or "short" (11 bytes, without the tare).
    checksum: true if the indicator sends one more byte, the checksum.
    """

    profile: ProfileName = "standard"
    form: FrameForm = "tare"
    checksum: bool = False


def _protocol(
    settings: SerialToledoContinuous | TcpToledoContinuous,
) -> ToledoContinuousProtocol:
    return ToledoContinuousProtocol(
        profile=settings.profile, form=settings.form, has_checksum=settings.checksum
    )


def _poll(_: SerialToledoContinuous | TcpToledoContinuous, __: ToledoContinuousProtocol) -> bytes:
    return b""


COMMANDS: frozenset[CommandName] = frozenset({"zero", "tare", "clear_tare"})

SERIAL = scale_driver(
    name="toledo-continuous-serial",
    summary="Indicators with Toledo continuous output on a serial port.",
    settings_type=SerialToledoContinuous,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="Toledo continuous output",
    commands=COMMANDS,
    tier="silver",
)
TCP = scale_driver(
    name="toledo-continuous-tcp",
    summary="Indicators with Toledo continuous output over a TCP connection.",
    settings_type=TcpToledoContinuous,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="Toledo continuous output",
    commands=COMMANDS,
    tier="silver",
)
