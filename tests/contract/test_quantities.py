"""Quantities are exact in every form. Pure."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contract import quantities
from central.contract.errors import ContractError


@given(st.integers(-9_999_999_999_000_000, 9_999_999_999_000_000))
def test_micro_and_decimal_are_two_forms_of_one_number(micro):
    value = quantities.from_micro(micro)
    assert quantities.to_micro(value) == micro
    text = quantities.canonical_text(value)
    assert "E" not in text
    assert quantities.canonical_text(quantities.parse_decimal(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("1.50", "1.5"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("-2.5", "-2.5"),
    ],
)
def test_a_number_has_one_text(value, text):
    assert quantities.canonical_text(Decimal(value)) == text


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "+1", "1e3", "1,5", ".5", "1.", "0x1", "٣", "inf", "1" * 20]
)
def test_only_plain_notation_is_a_number(text):
    with pytest.raises(ContractError, match="not a decimal number"):
        quantities.parse_decimal(text)


@pytest.mark.parametrize(
    ("value", "from_unit", "to_unit", "expected"),
    [
        ("1", "KGM", "GRM", "1000"),
        ("1250.5", "GRM", "KGM", "1.2505"),
        ("1", "LBR", "KGM", "0.45359237"),
        ("16", "ONZ", "LBR", "1"),
        ("0.5", "TNE", "KGM", "500"),
        ("1", "APZ", "GRM", "31.1034768"),
        ("7", "C62", "C62", "7"),
    ],
)
def test_masses_convert_exactly(value, from_unit, to_unit, expected):
    converted = quantities.convert_mass(Decimal(value), from_unit=from_unit, to_unit=to_unit)
    assert converted == Decimal(expected)


@pytest.mark.parametrize(("from_unit", "to_unit"), [("KGM", "C62"), ("KGM", "LBR"), ("LTR", "KGM")])
def test_what_has_no_exact_conversion_is_refused(from_unit, to_unit):
    with pytest.raises(ContractError) as caught:
        quantities.convert_mass(Decimal(1), from_unit=from_unit, to_unit=to_unit)
    assert caught.value.hint
