"""The register maps of published weighing instruments, as data. Pure.

None was read on a device; each follows its maker's manual, which is named with it. All give the
gross weight, so that a tare key on the instrument changes nothing here. A map of one's own is
the same `RegisterMap`, written in the settings (`name = "custom"`).
"""

from typing import Literal

import msgspec

from drivers.protocols.scale_modbus import (
    DECIMALS_MAX,
    RegisterMap,
    RegisterWrite,
    StatusBit,
    UnitCode,
)


class _Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an instrument does not send with the weight.

    decimals_count, unit: as the instrument is set.
    """

    decimals_count: int
    unit: UnitCode

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for what no weight has."""
        if not 0 <= self.decimals_count <= DECIMALS_MAX:
            raise ValueError(f"expected 0 <= decimals_count <= {DECIMALS_MAX}")


class LaumasTlb(_Published, frozen=True, tag_field="name", tag="laumas-tlb"):
    """Laumas TLB, TLB4, W100 and what other makers sell of them."""


class DiniArgeoDgt(_Published, frozen=True, tag_field="name", tag="dini-argeo-dgt"):
    """Dini Argeo DGT1P, DGT4X (one scale) and relatives."""


class Pt113(_Published, frozen=True, tag_field="name", tag="pt113"):
    """PT Global PT113.

    word_order: as the instrument is set.
    """

    word_order: Literal["big", "little"] = "big"


class FlintecFt112(_Published, frozen=True, tag_field="name", tag="flintec-ft-112"):
    """Flintec FT-112; its decimal point is compared with `decimals_count`.

    word_order: as the instrument is set.
    """

    word_order: Literal["big", "little"] = "big"

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for a decimal point that it does not have."""
        if not 0 <= self.decimals_count <= 4:
            raise ValueError("expected 0 <= decimals_count <= 4")


MapChoice = LaumasTlb | DiniArgeoDgt | Pt113 | FlintecFt112 | RegisterMap


def register_map(choice: MapChoice) -> RegisterMap:
    """Return the registers of an instrument, or the user's own."""
    match choice:
        case RegisterMap():
            return choice
        case LaumasTlb():
            return _laumas_tlb(choice)
        case DiniArgeoDgt():
            return _dini_argeo_dgt(choice)
        case Pt113():
            return _pt113(choice)
        case FlintecFt112():
            return _flintec_ft_112(choice)


def _laumas_tlb(choice: LaumasTlb) -> RegisterMap:
    """Return the map: 40007 status, 40008-40009 gross weight, unsigned, the sign in the status.

    Source: Laumas TLU manual p. 30 and TLB4 map (registers), LCB manual p. 8 (bits).
    """
    return RegisterMap(
        block_address=6,
        block_count=3,
        weight_address=7,
        weight_type="uint32",
        decimals_count=choice.decimals_count,
        unit=choice.unit,
        status_address=6,
        stable=StatusBit(11),
        negative=StatusBit(7),
        # 2: over maximum by 9 divisions, 3: over 110 % of full scale, 4 and 5: gross, net overflow.
        overload=(StatusBit(2), StatusBit(3), StatusBit(4), StatusBit(5)),
        # 0: load cell, 1: converter.
        fault=(StatusBit(0), StatusBit(1)),
    )


def _dini_argeo_dgt(choice: DiniArgeoDgt) -> RegisterMap:
    """Return the map: input registers 30001-30002 gross weight, absolute, 30005 status.

    A command is written to 40001 and must be preceded by "no command", or the second of two equal
    ones is not seen. Source: TECH_MAN_ENG_DGT4X p. 57, TECH_MAN_ENG_DGT1P p. 45 and
    TECH_MAN_ENG_DGT1S_QSG (commands).
    """
    return RegisterMap(
        function="input",
        block_address=0,
        block_count=5,
        weight_address=0,
        weight_type="uint32",
        decimals_count=choice.decimals_count,
        unit=choice.unit,
        status_address=4,
        stable=StatusBit(2),
        negative=StatusBit(1),
        overload=(StatusBit(4),),
        underload=(StatusBit(3),),
        zero=_commands(0, ((0,), (1,))),
        tare=_commands(0, ((0,), (2,))),
    )


def _pt113(choice: Pt113) -> RegisterMap:
    """Return the map: 40003 status, 40006-40007 gross weight, two's complement, 40009 commands.

    Bits 13 to 15 of the status are an error number, 0 for none; bit 1 says that the data are good.
    Source: PT113 instruction manual, 9.1.2.1 (p. 38) and notes p. 39-40.
    """
    return RegisterMap(
        block_address=0,
        block_count=8,
        weight_address=5,
        weight_type="int32",
        word_order=choice.word_order,
        decimals_count=choice.decimals_count,
        unit=choice.unit,
        status_address=2,
        stable=StatusBit(2, "clear"),
        fault=(StatusBit(13), StatusBit(14), StatusBit(15)),
        not_ready=(StatusBit(0), StatusBit(1, "clear")),
        zero=_commands(8, ((1,),)),
        tare=_commands(8, ((2,),)),
        clear_tare=_commands(8, ((3,),)),
    )


def _flintec_ft_112(choice: FlintecFt112) -> RegisterMap:
    """Return the map: 40005-40006 gross weight, 40007-40008 status, 40009-40010 errors, 32 bits.

    Bits 27 to 31 of the status are the decimal point, 31 for none. Commands are 32 bits at 40025.
    Source: FT-112(D) technical manual, rev. 1.0.0, 13.2.1 (p. 120).
    """
    big = choice.word_order == "big"
    status_high, status_low = (6, 7) if big else (7, 6)
    error_low = 9 if big else 8
    point = StatusBit(15 - choice.decimals_count, "clear", status_high)

    def command(number: int) -> tuple[RegisterWrite, ...]:
        return _commands(24, ((0, number) if big else (number, 0),))

    return RegisterMap(
        block_address=0,
        block_count=10,
        weight_address=4,
        weight_type="int32",
        word_order=choice.word_order,
        decimals_count=choice.decimals_count,
        unit=choice.unit,
        status_address=status_low,
        stable=StatusBit(2, "clear"),
        # 4: over range of the converter, 3: under range.
        overload=(StatusBit(4, address=error_low),),
        underload=(StatusBit(3, address=error_low),),
        # 0: low voltage, 2: system, 5: out of range, 6: tilted.
        fault=tuple(StatusBit(bit, address=error_low) for bit in (0, 2, 5, 6)),
        # 13: high resolution; the manual does not say whether the point counts the further digit.
        not_ready=(StatusBit(1, address=error_low), StatusBit(13)),
        # 6: the second unit is shown.
        other_settings=(point, StatusBit(6)),
        zero=command(1),
        tare=command(2),
        clear_tare=command(3),
    )


def _commands(address: int, words: tuple[tuple[int, ...], ...]) -> tuple[RegisterWrite, ...]:
    return tuple(RegisterWrite(address, one) for one in words)
