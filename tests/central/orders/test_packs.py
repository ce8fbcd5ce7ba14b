"""Packs and units convert exactly or not at all; what is divided adds up again."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.errors import Unusable
from central.ledger.unit_ratios import KINDS, unit_ratio
from central.orders.catalogue.packs import (
    QUANTITY_MICRO_MAX,
    ItemUnits,
    apportion,
    convert,
    join,
    largest_packs,
    ratio,
    split,
    text_of,
    to_base,
)

ONE = 1_000_000
BOLT = ItemUnits("BOLT", "C62", {"CT": Fraction(24), "PF": Fraction(960), "GRAIN": Fraction(1, 3)})
RICE = ItemUnits("RICE", "KGM", {"BAG": Fraction(25), "SCOOP": Fraction(1, 7)})
QUANTITIES = st.integers(min_value=-QUANTITY_MICRO_MAX, max_value=QUANTITY_MICRO_MAX)
RATIOS = st.fractions(min_value=Fraction(1, 10**6), max_value=10**6, max_denominator=10**6)


@pytest.mark.parametrize(
    ("quantity_micro", "units", "from_unit", "to_unit", "expected_micro"),
    [
        pytest.param(12 * ONE, BOLT, "CT", "C62", 288 * ONE, id="cartons to pieces"),
        pytest.param(480 * ONE, BOLT, "C62", "PF", ONE // 2, id="half a pallet"),
        pytest.param(40 * ONE, BOLT, "CT", "PF", ONE, id="cartons to a pallet"),
        pytest.param(3 * ONE, BOLT, "GRAIN", "C62", ONE, id="thirds"),
        pytest.param(2 * ONE, BOLT, "DZN", "C62", 24 * ONE, id="dozens"),
        pytest.param(ONE, BOLT, "DZN", "CT", ONE // 2, id="a dozen is half a carton"),
        pytest.param(ONE, RICE, "LBR", "GRM", 453_592_370, id="a pound in grams"),
        pytest.param(250 * ONE, RICE, "GRM", "BAG", 10_000, id="grams in bags"),
        pytest.param(-5 * ONE, RICE, "BAG", "TNE", -125_000, id="negative"),
        pytest.param(0, RICE, "BAG", "KGM", 0, id="nothing"),
    ],
)
def test_a_quantity_is_exactly_the_same_in_another_unit(
    quantity_micro, units, from_unit, to_unit, expected_micro
):
    found = convert(quantity_micro, units, from_unit=from_unit, to_unit=to_unit)
    assert found == expected_micro


@pytest.mark.parametrize(
    ("quantity_micro", "units", "from_unit", "to_unit", "words"),
    [
        pytest.param(ONE, BOLT, "C62", "CT", "no exact value in CT", id="a twenty-fourth"),
        pytest.param(ONE, BOLT, "GRAIN", "C62", "no exact value in C62", id="a third"),
        pytest.param(1, RICE, "GRM", "KGM", "no exact value", id="too small"),
        pytest.param(ONE, BOLT, "KGM", "C62", "not stated in 'KGM'", id="mass of pieces"),
        pytest.param(ONE, RICE, "CT", "KGM", "not stated in 'CT'", id="another item's pack"),
        pytest.param(QUANTITY_MICRO_MAX, BOLT, "PF", "C62", "out of range", id="too much"),
    ],
)
def test_what_does_not_convert_is_refused(quantity_micro, units, from_unit, to_unit, words):
    with pytest.raises(Unusable, match=words):
        convert(quantity_micro, units, from_unit=from_unit, to_unit=to_unit)


def test_the_packs_of_the_item_win_over_units_of_the_same_name():
    units = ItemUnits("EGG", "C62", {"DZN": Fraction(10)})
    assert to_base(ONE, units, unit="DZN") == 10 * ONE


def test_units_of_one_kind_convert_and_of_two_do_not():
    codes = [code for kind in KINDS for code in kind]
    assert len(codes) == len(set(codes))
    for one in codes:
        for other in codes:
            found = unit_ratio(from_unit=one, to_unit=other)
            same_kind = any(one in kind and other in kind for kind in KINDS)
            assert (found is not None) == same_kind
            if found is not None:
                assert found * unit_ratio(from_unit=other, to_unit=one) == 1


@given(QUANTITIES, RATIOS)
def test_what_converts_converts_back(quantity_micro, size):
    units = ItemUnits("X", "C62", {"CT": size})
    try:
        there = convert(quantity_micro, units, from_unit="CT", to_unit="C62")
    except Unusable:
        exact = quantity_micro * size
        assert exact.denominator != 1 or abs(exact) > QUANTITY_MICRO_MAX
        return
    assert type(there) is int
    assert convert(there, units, from_unit="C62", to_unit="CT") == quantity_micro


@given(QUANTITIES, RATIOS)
def test_packs_and_rest_are_what_was_split(quantity_micro, size):
    units = ItemUnits("X", "C62", {"CT": size})
    parts = split(quantity_micro, units, into="CT")
    assert join(parts, units) == quantity_micro
    assert type(parts.packs_count) is int and type(parts.rest_micro) is int
    assert parts.packs_count * quantity_micro >= 0 and parts.rest_micro * quantity_micro >= 0
    lot = ratio(units, "CT") * ONE
    assert abs(parts.rest_micro) < lot * lot.denominator


@given(QUANTITIES, st.lists(RATIOS, max_size=5))
def test_the_parts_of_a_quantity_in_largest_packs_are_the_quantity(quantity_micro, sizes):
    units = ItemUnits("X", "C62", {f"P{index}": size for index, size in enumerate(sizes)})
    parts = largest_packs(quantity_micro, units)
    assert sum(join(part, units) for part in parts) == quantity_micro
    assert parts[-1].unit == "C62" and abs(parts[-1].rest_micro) < ONE


@given(QUANTITIES, st.lists(st.integers(0, 10**12), min_size=1, max_size=50))
def test_what_is_apportioned_adds_up_and_is_fair(quantity_micro, shares):
    if not any(shares):
        shares[0] = 1
    parts = apportion(quantity_micro, shares)
    assert sum(parts) == quantity_micro
    total = sum(shares)
    for part, share in zip(parts, shares, strict=True):
        assert abs(part - Fraction(quantity_micro * share, total)) < 1
        assert share or not part


@given(QUANTITIES)
def test_a_quantity_as_text_is_the_quantity(quantity_micro):
    assert Fraction(text_of(quantity_micro)) * ONE == quantity_micro
