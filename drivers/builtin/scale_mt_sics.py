"""Drivers mt-sics-serial and mt-sics-tcp: scales that speak MT-SICS. Edge of the scale."""

from typing import Annotated

import msgspec

from drivers.api import CommandName
from drivers.builtin.scale_ports import SerialScale, TcpScale, scale_driver
from drivers.protocols.scale_mt_sics import (
    WEIGHT_COLUMNS,
    Dialect,
    MtSicsProtocol,
    TareUse,
    UnitSetting,
)

Columns = Annotated[int, msgspec.Meta(ge=0, le=20)]


class SerialMtSicsSettings(SerialScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of mt-sics-serial.

    port, baud_rate, data_bits, parity, stop_bits: as set in the scale.
    poll_interval_s, polls_unanswered_max, command_timeout_s: as in SerialScale.
    weight_columns: width of the weight in a reply; 0 accepts any, a lost digit goes unnoticed then.
    unit: the only unit to accept: "any", "g", "kg", "mg", "t", "lb" or "oz"; better one than "any".
    tare: "locked" (nobody tares on the scale, all weights are gross) or "asked" (TA after each SI).
    dialect: "mettler" or "radwag" (also KERN): which commands tare, clear and ask the tare.
    """

    weight_columns: Columns = WEIGHT_COLUMNS
    unit: UnitSetting = "any"
    tare: TareUse = "locked"
    dialect: Dialect = "mettler"


class TcpMtSicsSettings(TcpScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of mt-sics-tcp.

    host, port, connect_timeout_s, poll_interval_s, polls_unanswered_max,
    command_timeout_s: as in TcpScale.
    weight_columns, unit, tare, dialect: as in SerialMtSicsSettings.
    """

    weight_columns: Columns = WEIGHT_COLUMNS
    unit: UnitSetting = "any"
    tare: TareUse = "locked"
    dialect: Dialect = "mettler"


def _protocol(settings: SerialMtSicsSettings | TcpMtSicsSettings) -> MtSicsProtocol:
    return MtSicsProtocol(
        weight_columns=settings.weight_columns,
        unit=settings.unit,
        tare=settings.tare,
        dialect=settings.dialect,
    )


def _poll(_: SerialMtSicsSettings | TcpMtSicsSettings, protocol: MtSicsProtocol) -> bytes:
    return protocol.poll()


COMMANDS: frozenset[CommandName] = frozenset({"zero", "tare", "clear_tare"})

SERIAL = scale_driver(
    name="mt-sics-serial",
    summary="Scales that speak MT-SICS (Mettler-Toledo, RADWAG, KERN) on a serial port.",
    settings_type=SerialMtSicsSettings,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="MT-SICS",
    commands=COMMANDS,
    tier="gold",
)
TCP = scale_driver(
    name="mt-sics-tcp",
    summary="Scales that speak MT-SICS (Mettler-Toledo, RADWAG, KERN) over a TCP connection.",
    settings_type=TcpMtSicsSettings,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="MT-SICS",
    commands=COMMANDS,
    tier="gold",
)
