"""Words and a register map become weights or faults, never a wrong weight."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocols.scale_modbus import (
    ConstantWords,
    RegisterMap,
    StatusBit,
    interpret_block,
    interpret_refusal,
)
from drivers.protocols.scale_modbus_maps import (
    DiniArgeoDgt,
    FlintecFt112,
    LaumasTlb,
    Pt113,
    register_map,
)
from drivers.readings import DeviceFault, Reading, WeightMeasured

LAUMAS = register_map(LaumasTlb(decimals_count=2, unit="KGM"))
DGT = register_map(DiniArgeoDgt(decimals_count=3, unit="KGM"))
PT113 = register_map(Pt113(decimals_count=1, unit="KGM"))
FT112 = register_map(FlintecFt112(decimals_count=2, unit="KGM"))
FT112_LITTLE = register_map(FlintecFt112(decimals_count=0, unit="LBR", word_order="little"))
POINT_2 = 1 << (29 - 16)  # B29 of the FT-112: two decimals; in the high word.
POINT_0 = 1 << (31 - 16)
STABLE, NEGATIVE = 1 << 11, 1 << 7


def custom(**changed: object) -> RegisterMap:
    """Weight at 100, status at 102 with bit 0 "in motion", serial number at 103."""
    settings: dict[str, object] = {
        "block_address": 100,
        "block_count": 4,
        "weight_address": 100,
        "weight_type": "int32",
        "decimals_count": 3,
        "unit": "GRM",
        "status_address": 102,
        "stable": {"bit": 0, "is_true_when": "clear"},
        "overload": [{"bit": 1}],
        "underload": [{"bit": 2}],
        "fault": [{"bit": 3}],
        "not_ready": [{"bit": 15, "is_true_when": "clear"}],
        "constant": {"address": 103, "words": [4711]},
    }
    return msgspec.convert({"name": "custom", **settings, **changed}, RegisterMap)


OK = 1 << 15

READINGS: dict[str, tuple[RegisterMap, tuple[int, ...], str | None, bool]] = {
    "Laumas, stable": (LAUMAS, (STABLE, 0, 1250), "12.50", True),
    "Laumas, moving": (LAUMAS, (0, 0, 1250), "12.50", False),
    "Laumas, negative": (LAUMAS, (STABLE | NEGATIVE, 0, 5), "-0.05", True),
    "Laumas, high word": (LAUMAS, (STABLE, 1, 0), "655.36", True),
    "Laumas, no weight is no negative weight": (LAUMAS, (STABLE | NEGATIVE, 0, 0), "0.00", True),
    # Examples of the DGT1S quick start manual: 6000 is 00 00 17 70, 350000 is 00 05 57 30.
    "DGT, 6000": (DGT, (0, 0x1770, 0, 0, 0b100), "6.000", True),
    "DGT, 350000": (DGT, (5, 0x5730, 0, 0, 0b100), "350.000", True),
    "DGT, negative": (DGT, (0, 1000, 0, 0, 0b110), "-1.000", True),
    "DGT, moving, net negative": (DGT, (0, 1000, 0, 7, 0b001), "1.000", False),
    "PT113, gross beside net": (PT113, (0, 9, 0b1010, 0, 3, 0, 12, 0), "1.2", True),
    "PT113, negative": (PT113, (0, 9, 0b0010, 0, 0, 0xFFFF, 0xFFFE, 0), "-0.2", True),
    "PT113, moving": (PT113, (0, 9, 0b0110, 0, 0, 0, 12, 0), "1.2", False),
    "FT-112": (FT112, (0, 9, 0, 3, 0, 1250, POINT_2, 0, 0, 0), "12.50", True),
    "FT-112, moving": (FT112, (0, 9, 0, 3, 0, 1250, POINT_2, 4, 0, 0), "12.50", False),
    "FT-112, low word first": (FT112_LITTLE, (9, 0, 3, 0, 7, 1, 0, POINT_0, 0, 0), "65543", True),
    "signed": (custom(), (0xFFFF, 0xFFFE, OK, 4711), "-0.002", True),
    "signed, moving": (custom(), (0, 7, OK | 1, 4711), "0.007", False),
    "low word first": (custom(word_order="little"), (1, 2, OK, 4711), "131.073", True),
    "16 bits signed": (custom(weight_type="int16"), (0xFFFF, 9, OK, 4711), "-0.001", True),
    "16 bits unsigned": (custom(weight_type="uint16"), (0xFFFF, 9, OK, 4711), "65.535", True),
    "no decimals": (custom(decimals_count=0), (0, 12, OK, 4711), "12", True),
}


@pytest.mark.parametrize(("registers", "words", "value", "stable"), READINGS.values(), ids=READINGS)
def test_words_are_a_weight(
    registers: RegisterMap, words: tuple[int, ...], value: str, stable: bool
) -> None:
    reading = interpret_block(registers, words)
    assert isinstance(reading, WeightMeasured)
    assert str(reading.value) == value
    assert (reading.stable, reading.unit) == (stable, registers.unit)
    assert reading.raw == b"".join(word.to_bytes(2, "big") for word in words)


FAULTS: dict[str, tuple[RegisterMap, tuple[int, ...], str]] = {
    "DGT, overload": (DGT, (0, 6000, 0, 0, 0b10100), "overload"),
    "DGT, underload": (DGT, (0, 6000, 0, 0, 0b01100), "underload"),
    "PT113, busy": (PT113, (0, 9, 0b0011, 0, 0, 0, 12, 0), "not_ready"),
    "PT113, data not good": (PT113, (0, 9, 0b0000, 0, 0, 0, 12, 0), "not_ready"),
    "PT113, converter over range": (PT113, (0, 9, 2 << 13 | 2, 0, 0, 0, 12, 0), "zero_error"),
    "FT-112, another decimal point": (
        FT112,
        (0, 9, 0, 3, 0, 1250, POINT_2 << 1, 0, 0, 0),
        "unreadable",
    ),
    "FT-112, second unit": (FT112, (0, 9, 0, 3, 0, 1250, POINT_2, 64, 0, 0), "unreadable"),
    "FT-112, over range": (FT112, (0, 9, 0, 3, 0, 1250, POINT_2, 0, 0, 16), "overload"),
    "FT-112, under range": (FT112, (0, 9, 0, 3, 0, 1250, POINT_2, 0, 0, 8), "underload"),
    "FT-112, system error": (FT112, (0, 9, 0, 3, 0, 1250, POINT_2, 0, 0, 4), "zero_error"),
    "FT-112, high resolution": (
        FT112,
        (0, 9, 0, 3, 0, 1250, POINT_2, 1 << 13, 0, 0),
        "not_ready",
    ),
    "FT-112, programming": (FT112, (0, 9, 0, 3, 0, 1250, POINT_2, 0, 0, 2), "not_ready"),
    "load cell": (LAUMAS, (STABLE | 1, 0, 1250), "zero_error"),
    "converter": (LAUMAS, (STABLE | 2, 0, 1250), "zero_error"),
    "over maximum": (LAUMAS, (STABLE | 4, 0, 1250), "overload"),
    "over 110 %": (LAUMAS, (STABLE | 8, 0, 1250), "overload"),
    "gross overflow": (LAUMAS, (STABLE | 16, 0, 1250), "overload"),
    "short answer": (LAUMAS, (STABLE, 0), "unreadable"),
    "long answer": (LAUMAS, (STABLE, 0, 1, 2), "unreadable"),
    "no answer": (LAUMAS, (), "unreadable"),
    "overload": (custom(), (0, 7, OK | 2, 4711), "overload"),
    "underload": (custom(), (0, 7, OK | 4, 4711), "underload"),
    "fault goes before overload": (custom(), (0, 7, OK | 2 | 8, 4711), "zero_error"),
    "data not valid": (custom(), (0, 7, 0, 4711), "not_ready"),
    "another device answers": (custom(), (0, 7, OK, 4712), "unreadable"),
}


@pytest.mark.parametrize(("register_map", "words", "code"), FAULTS.values(), ids=FAULTS)
def test_a_fault_never_carries_a_weight(
    register_map: RegisterMap, words: tuple[int, ...], code: str
) -> None:
    reading = interpret_block(register_map, words)
    assert isinstance(reading, DeviceFault)
    assert reading.code == code


@given(st.lists(st.integers(0, 0xFFFF), max_size=12).map(tuple))
def test_no_words_raise(words: tuple[int, ...]) -> None:
    for registers in (LAUMAS, DGT, PT113, FT112, custom()):
        reading: Reading = interpret_block(registers, words)
        assert isinstance(reading, DeviceFault) or reading.value.is_finite()


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF))
def test_every_laumas_status_is_a_fault_or_the_weight(status: int, number: int) -> None:
    reading = interpret_block(LAUMAS, (status, number >> 16, number & 0xFFFF))
    if status & 0b111111:
        assert isinstance(reading, DeviceFault)
    else:
        assert isinstance(reading, WeightMeasured)
        assert abs(reading.value) == Decimal(number) / 100
        assert reading.stable == bool(status & STABLE)


@given(st.integers(0, 255))
def test_every_exception_code_is_a_fault(exception_code: int) -> None:
    assert interpret_refusal(exception_code).code == "not_ready"


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight_address": 103},
        {"weight_address": 99},
        {"status_address": 104},
        {"block_count": 126},
        {"block_count": 0},
        {
            "block_address": 65535,
            "weight_address": 65535,
            "status_address": 65536,
            "constant": None,
        },
        {"decimals_count": -1},
        {"unit": "kg"},
        {"weight_type": "float32"},
        {"negative": {"bit": 3}},
        {"stable": {"bit": 16}},
        {"stable": {"bit": 1, "address": 104}},
        {"overload": [{"bit": 1, "address": 99}]},
        {"zero": [{"address": 1, "words": []}]},
        {"zero": [{"address": 1, "words": [65536]}]},
        {"zero": [{"address": 1, "words": [1]}] * 5},
        {"status_address": 101},
        {"overload": [{"bit": 1, "address": 101}]},
        {"constant": {"address": 103, "words": [65536]}},
        {"constant": {"address": 103, "words": []}},
        {"constant": {"address": 103, "words": [1, 2]}},
        {"unknown": 1},
        {"name": "other"},
    ],
    ids=str,
)
def test_a_map_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        custom(**wrong)


def test_a_map_can_be_written_in_code() -> None:
    assert custom(constant=None).constant is None
    assert ConstantWords(103, (4711,)) == custom().constant
    assert custom().stable == StatusBit(0, "clear")
