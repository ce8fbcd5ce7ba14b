"""What a scan means, as a table. Pure."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.readings import BarcodeScanned, DeviceFault, WeightMeasured
from gateway.station.catalogue import Catalogue
from gateway.station.commands import Command, ScannedCommand
from gateway.station.interpret import interpret, unknown_code
from gateway.station.meanings import (
    DeviceTrouble,
    ScannedBadge,
    ScannedBin,
    ScannedDocument,
    ScannedItem,
    ScannedSscc,
    Unreadable,
    WeightSeen,
)
from gateway.station.observations import Observation
from tests.gateway.station.bench import REFERENCE, TIME_MS

CATALOGUE = Catalogue(REFERENCE, warehouse="sh1")
SSCC = "006141411234567890"


def meaning_of(data: str, symbology: str = "", *, time_ms: int = TIME_MS):
    reading = BarcodeScanned(symbology, data, data.encode("utf-8", "replace"))
    return interpret(Observation("scanner", reading, time_ms, True, "boot-1", 1), CATALOGUE)


ITEMS = [
    # code, symbology, (item, quantity, lot, serial, expiry date, sscc, catch weight)
    ("6901234567892", "]E0", ("TEA-250", "1", "", "", "", "", "")),
    ("6901234567892", "", ("TEA-250", "1", "", "", "", "", "")),
    ("16901234567899", "]I1", ("TEA-250", "12", "", "", "", "", "")),
    ("96385074", "]E4", ("SALT", "1", "", "", "", "", "")),
    ("690123456789212345", "]E3", ("TEA-250", "1", "", "", "", "", "")),
    ("TEA-250", "]C0", ("TEA-250", "1", "", "", "", "", "")),
    (
        "010950110153000310ABC\x1d1727123121S1",
        "]C1",
        ("MILK-1", "1", "ABC", "S1", "2027-12-31", "", ""),
    ),
    ("010950110153000317270200", "]d2", ("MILK-1", "1", "", "", "2027-02-28", "", "")),
    ("0109501101530003", "", ("MILK-1", "1", "", "", "", "", "")),
    ("(01)09501101530003", "", ("MILK-1", "1", "", "", "", "", "")),
    (
        "(01) 09501101530003 (10) A(1)B (17)271231(21)S1",
        "",
        ("MILK-1", "1", "A(1)B", "S1", "2027-12-31", "", ""),
    ),
    ("021690123456789937 5".replace(" ", ""), "]C1", ("TEA-250", "60", "", "", "", "", "")),
    ("01095011015300033010", "]C1", ("MILK-1", "10", "", "", "", "", "")),
    ("01000000963850743103012500", "]C1", ("SALT", "12.5", "", "", "", "", "")),
    ("01095011015300033103001250", "]C1", ("MILK-1", "1", "", "", "", "", "1.25")),
    (
        f"00{SSCC}020690123456789237 7".replace(" ", ""),
        "]C1",
        ("TEA-250", "7", "", "", "", SSCC, ""),
    ),
]


@pytest.mark.parametrize(("code", "symbology", "expected"), ITEMS, ids=[row[0] for row in ITEMS])
def test_a_known_item_is_found_with_all_that_its_code_says(code, symbology, expected):
    found = meaning_of(code, symbology)
    assert isinstance(found, ScannedItem)
    assert found.item is not None
    shown = (
        found.item.code,
        f"{found.quantity.normalize():f}",
        found.lot,
        found.serial,
        found.expiry_date,
        found.sscc,
        found.net_weight,
    )
    assert shown == expected


def test_an_item_that_bears_the_code_of_a_place_is_the_item():
    item = msgspec.structs.replace(CATALOGUE.item("SALT"), code="A-01-03")
    catalogue = Catalogue(msgspec.structs.replace(REFERENCE, items=(item,)), warehouse="sh1")
    reading = BarcodeScanned("", "A-01-03", b"A-01-03")
    found = interpret(Observation("scanner", reading, TIME_MS, True, "boot-1", 1), catalogue)
    assert (type(found), found.item) == (ScannedItem, item)


NET_WEIGHTS = [
    # elements after the GTIN, (quantity, unit, catch weight, its unit): of salt (kg), of milk (pcs)
    ("3103012500", ("12.5", "KGM", "", ""), ("1", "C62", "12.5", "KGM")),
    ("3202001234", ("12.34", "LBR", "", ""), ("1", "C62", "12.34", "LBR")),
    ("3200000100", ("45.359237", "KGM", "", ""), ("1", "C62", "100", "LBR")),
    ("3562001234\x1d", ("12.34", "APZ", "", ""), ("1", "C62", "12.34", "APZ")),
    ("3572001234\x1d", ("12.34", "ONZ", "", ""), ("1", "C62", "12.34", "ONZ")),
    ("32020027563103012500", ("12.5", "KGM", "", ""), ("1", "C62", "12.5", "KGM")),
    ("31030000003202001234", ("12.34", "LBR", "", ""), ("1", "C62", "12.34", "LBR")),
    ("3302001234", ("1", "KGM", "", ""), ("1", "C62", "", "")),
    ("3402001234", ("1", "KGM", "", ""), ("1", "C62", "", "")),
]


@pytest.mark.parametrize(
    ("elements", "of_salt", "of_milk"), NET_WEIGHTS, ids=[repr(row[0]) for row in NET_WEIGHTS]
)
def test_a_net_weight_counts_in_whichever_unit_the_label_says_it(elements, of_salt, of_milk):
    for gtin, expected in (("00000096385074", of_salt), ("09501101530003", of_milk)):
        found = meaning_of(f"01{gtin}{elements}", "]C1")
        quantity = f"{found.quantity.normalize():f}"
        assert (quantity, found.unit, found.net_weight, found.weight_unit) == expected


def test_of_two_exact_net_weights_the_one_in_the_items_own_unit_counts():
    salt = msgspec.structs.replace(CATALOGUE.item("SALT"), unit="ONZ")
    catalogue = Catalogue(msgspec.structs.replace(REFERENCE, items=(salt,)), warehouse="sh1")
    code = "010000009638507432010000283571000441"  # 2.8 pounds, rounded, are 44.1 ounces.
    reading = BarcodeScanned("]C1", code, code.encode())
    found = interpret(Observation("scanner", reading, TIME_MS, True, "boot-1", 1), catalogue)
    assert (found.quantity, found.unit) == (Decimal("44.1"), "ONZ")


OTHERS = [
    ("LOC-A-01-03", ScannedBin("A-01-03", REFERENCE.warehouses[0].locations[2])),
    ("LOC-Z-99", ScannedBin("Z-99", None)),
    ("A-01-03", ScannedBin("A-01-03", REFERENCE.warehouses[0].locations[2])),
    ("(00)006141411234567890", ScannedSscc("006141411234567890")),
    ("DOC-PO-7", ScannedDocument("PO-7", REFERENCE.documents[0])),
    ("DOC-PO-8", ScannedDocument("PO-8", None)),
    ("OPR-ann", ScannedBadge("ann", REFERENCE.operators[0])),
    ("CMD-DONE", ScannedCommand(Command.DONE)),
    ("cmd-done", ScannedCommand(Command.DONE)),
    ("CMD-QTY-2.5", ScannedCommand(Command.QUANTITY, Decimal("2.5"))),
    (f"00{SSCC}", ScannedSscc(SSCC)),
    (SSCC, ScannedSscc(SSCC)),
]


@pytest.mark.parametrize(("code", "expected"), OTHERS, ids=[row[0] for row in OTHERS])
def test_places_documents_people_commands_and_pallets_are_known_by_their_code(code, expected):
    assert meaning_of(code) == expected


@pytest.mark.parametrize(
    "code", ["4006381333931", "HELLO", "12345678901", "12345678", "name\tx", "茶叶"]
)
def test_an_unknown_code_is_an_unknown_item_and_never_refused(code):
    found = meaning_of(code)
    assert isinstance(found, ScannedItem)
    assert found.item is None
    assert found.quantity == 1


UNREADABLE = [
    ("6901234567893", "]E0", "Wrong check digit"),
    ("6901234567893", "", "Wrong check digit"),
    ("96385075", "]E4", "Wrong check digit"),
    ("0109501101530004", "]C1", "Wrong check digit"),
    (f"00{SSCC[:-1]}1", "]C1", "Wrong check digit"),
    ("0109501101530003171399", "]C1", "cannot be read"),
    ("010950110153000317279931", "]C1", "cannot be read"),
    ("10ABC", "]C1", "names no item"),
    ("CMD-FLY", "", "is no command"),
    ("CMD-QTY-0", "", "is no command"),
    ("CMD-QTY-1e3", "", "is no command"),
    ("CMD-QTY", "", "is no command"),
    ("LOC-supplier", "", "is no place"),
    ("LOC-", "", "cannot be read"),
    ("DOC-../x", "", "cannot be read"),
    ("   ", "", "empty"),
    ("\x1d", "]C1", "empty"),
]


@pytest.mark.parametrize(
    ("code", "symbology", "reason"), UNREADABLE, ids=[f"{row[0]}{row[1]}" for row in UNREADABLE]
)
def test_what_cannot_be_read_says_why(code, symbology, reason):
    found = meaning_of(code, symbology)
    assert isinstance(found, Unreadable)
    assert reason in found.message.text


def test_the_century_of_an_expiry_date_is_not_taken_from_a_clock_that_was_never_set():
    found = meaning_of("010950110153000317900101", "]C1", time_ms=0)
    assert found.expiry_date == "2090-01-01"


def test_two_long_unknown_codes_stay_two():
    first, second = unknown_code("x" * 100 + "1"), unknown_code("x" * 100 + "2")
    assert len(first) == len(second) == 64
    assert first != second


def test_weights_and_faults_keep_what_the_device_said():
    weight = WeightMeasured(Decimal("1.50"), "KGM", "gross", True, b"")
    fault = DeviceFault("overload", "+")
    assert interpret(Observation("s", weight, 0, True, "b", 1), CATALOGUE) == WeightSeen(weight)
    found = interpret(Observation("s", fault, 0, True, "b", 1), CATALOGUE)
    assert found == DeviceTrouble("s", fault)


@given(st.text(max_size=80), st.sampled_from(["", "]C1", "]d2", "]E0", "]I1", "]Q3"]))
def test_any_text_has_a_meaning(text, symbology):
    assert meaning_of(text, symbology) is not None
