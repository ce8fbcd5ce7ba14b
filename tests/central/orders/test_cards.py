"""Every fault of a card is named, with the field and what to do."""

import pytest

from central.orders.catalogue.cards import gtin_forms
from central.orders.catalogue.item_cards import HomePlace, ItemBarcode, Pack, Policy, item_faults
from central.orders.catalogue.partner_cards import Certificate, partner_faults
from central.orders.catalogue.place_cards import place_faults, tree_faults
from tests.central.orders.catalogue import CARTON_GTIN, GTIN, ONE, item, partner, place


def test_sound_cards_have_no_faults():
    assert list(item_faults(item())) == []
    assert list(place_faults(place())) == []
    assert list(partner_faults(partner())) == []


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        pytest.param({"code": "a b"}, "code", "not usable", id="code"),
        pytest.param({"name": "  "}, "name", "nothing is there", id="no name"),
        pytest.param({"name": "x" * 257}, "name", "257 characters", id="long name"),
        pytest.param({"name_zh": "齿\u200b轮"}, "name_zh", "U\\+200B", id="unseen character"),
        pytest.param({"unit": "piece"}, "unit", "UN/CEFACT", id="unit"),
        pytest.param({"kind": "gas"}, "kind", "not a choice", id="kind"),
        pytest.param({"packs": (Pack("C62", 2),)}, "packs.C62.unit", "already", id="own unit"),
        pytest.param(
            {"packs": (Pack("CT", 1), Pack("CT", 2))}, "packs.CT.unit", "already", id="pack twice"
        ),
        pytest.param({"packs": (Pack("CT", 0),)}, "packs.CT.numerator", "between", id="no size"),
        pytest.param({"packs": (Pack("CT", 1, 0),)}, "packs.CT.denominator", "between", id="by 0"),
        pytest.param(
            {"packs": (Pack("DZN", 10),)}, "packs.DZN.numerator", "12 C62 everywhere", id="dozen"
        ),
        pytest.param(
            {"packs": (Pack("CT", 1, 3, CARTON_GTIN),)},
            "packs.CT.gtin",
            "no exact decimal",
            id="a third by bar code",
        ),
        pytest.param(
            {"barcodes": (ItemBarcode("6901234567891"),)},
            "barcodes.6901234567891.gtin",
            "check digit is 2",
            id="check digit",
        ),
        pytest.param(
            {"barcodes": (ItemBarcode("690123456789"),)},
            "barcodes.690123456789.gtin",
            "check digit",
            id="digit lost",
        ),
        pytest.param(
            {"barcodes": (ItemBarcode(GTIN[1:]), ItemBarcode(GTIN))},
            f"barcodes.{GTIN}.gtin",
            "twice",
            id="one GTIN in two forms",
        ),
        pytest.param(
            {"barcodes": (ItemBarcode(CARTON_GTIN),)}, "packs.CT.gtin", "twice", id="of pack, too"
        ),
        pytest.param(
            {"barcodes": (ItemBarcode(GTIN, 0),)},
            f"barcodes.{GTIN}.quantity",
            "between 1",
            id="scan of nothing",
        ),
        pytest.param(
            {"places": (HomePlace("SH1", "BIN-1", 5 * ONE, 4 * ONE),)},
            "places.SH1.BIN-1.max",
            "less than",
            id="more than most",
        ),
        pytest.param(
            {"policy": Policy(weight_unit="LTR")}, "policy.weight_unit", "choice", id="weight"
        ),
        pytest.param(
            {"unit": "KGM", "packs": (), "policy": Policy(weight_unit="KGM")},
            "policy.weight_unit",
            "by mass",
            id="weighed twice",
        ),
        pytest.param(
            {"policy": Policy(shelf_life_days=10, min_days_left_to_ship=11)},
            "policy.min_days_left_to_ship",
            "shelf life",
            id="never fresh",
        ),
        pytest.param(
            {"policy": Policy(min_micro=9 * ONE, max_micro=8 * ONE)},
            "policy.max",
            "less",
            id="min and max",
        ),
        pytest.param(
            {"policy": Policy(over_tolerance_percent_micro=-1)},
            "policy.over_tolerance_percent",
            "1000",
            id="tolerance",
        ),
        pytest.param(
            {"policy": Policy(expiry_tracked=True)},
            "policy.expiry_tracked",
            "without lots",
            id="dates of no lot",
        ),
        pytest.param({"policy": Policy(rotation="lifo")}, "policy.rotation", "choice", id="lifo"),
        pytest.param({"policy": Policy(abc="D")}, "policy.abc", "choice", id="class"),
    ],
)
def test_a_fault_of_an_item_is_named(fields, field, words):
    found = [fault for fault in item_faults(item(**fields)) if fault.field == field]
    assert len(found) == 1
    assert found[0].hint
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(found[0].message)


@pytest.mark.parametrize(
    ("card", "faults", "field"),
    [
        pytest.param(place("adjustment"), place_faults, "code", id="virtual"),
        pytest.param(place("in_transit/TR-1"), place_faults, "code", id="in transit"),
        pytest.param(place(kind="shelf"), place_faults, "kind", id="kind of place"),
        pytest.param(place(parent="BIN-9"), place_faults, "parent", id="in itself"),
        pytest.param(place(kind="staging", pick_face=True), place_faults, "pick_face", id="face"),
        pytest.param(place(capacity_micro=-1), place_faults, "capacity", id="capacity"),
        pytest.param(place(warehouse=""), place_faults, "warehouse", id="nowhere"),
        pytest.param(partner(kind="friend"), partner_faults, "kind", id="kind of partner"),
        pytest.param(partner(email="nobody"), partner_faults, "email", id="e-mail"),
        pytest.param(partner(gln="123"), partner_faults, "gln", id="GLN"),
        pytest.param(partner(gln="6901234567891"), partner_faults, "gln", id="GLN digit"),
        pytest.param(partner(lead_time_days=-1), partner_faults, "lead_time_days", id="days"),
        pytest.param(
            partner(certificates=(Certificate("ISO", "1", "2027-02-30"),)),
            partner_faults,
            "certificates.ISO.valid_until",
            id="no such day",
        ),
        pytest.param(
            partner(certificates=(Certificate("ISO", "1"), Certificate("ISO", "1"))),
            partner_faults,
            "certificates.ISO",
            id="certificate twice",
        ),
    ],
)
def test_a_fault_of_a_place_or_partner_is_named(card, faults, field):
    assert field in [fault.field for fault in faults(card)]


@pytest.mark.parametrize(
    ("parents", "place_code", "words"),
    [
        pytest.param({"A": "B", "B": "A"}, "A", "A in B in A", id="two"),
        pytest.param({"X": "A", "A": "B", "B": "A"}, "X", "A in B in A", id="above"),
        pytest.param({"A": "GONE"}, "A", "no place is called 'GONE'", id="nowhere"),
        pytest.param({f"P{n}": f"P{n + 1}" for n in range(20)}, "P0", "more than 16", id="deep"),
    ],
)
def test_a_tree_without_an_end_is_refused(parents, place_code, words):
    ((code, fault),) = tree_faults(parents, [place_code])
    assert code == place_code
    assert words in fault.message


def test_a_tree_of_sixteen_levels_is_sound():
    parents = {f"P{number}": f"P{number + 1}" for number in range(16)} | {"P16": ""}
    assert list(tree_faults(parents, parents)) == []


@pytest.mark.parametrize(
    ("gtin", "forms"),
    [
        ("06901234567892", {"6901234567892", "06901234567892"}),
        ("6901234567892", {"6901234567892", "06901234567892"}),
        ("16901234567899", {"16901234567899"}),
        ("12345670", {"12345670", "000012345670", "0000012345670", "00000012345670"}),
    ],
)
def test_a_gtin_is_the_same_with_zeros_in_front(gtin, forms):
    assert set(gtin_forms(gtin)) == forms
