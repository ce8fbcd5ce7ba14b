"""A card does not become what the stock that lies there is not; refusals name it and what to do."""

import pytest

from central.contract.reference import parse_reference
from central.errors import Conflict, ReferenceRefused, Unusable
from central.ledger.reference_book import load_reference
from central.orders.catalogue.item_cards import HomePlace, ItemBarcode, Pack, Policy
from central.orders.catalogue.items import create_item, read_items, replace_item, retire_item
from central.orders.spreadsheets.imports import check_import, read_upload
from central.stock.cleaning import list_gaps
from tests.central.orders.catalogue import GTIN, ONE, furnished_desk, plain_item
from tests.central.scenery import set_policy

WEIGHED = {"net_weight": "16", "weight_unit": "KGM"}


@pytest.fixture
def desk(database):
    return furnished_desk(database)


def changed(desk, work):
    """What a piece of work returns, committed."""
    with desk.change(actor="li.na") as change:
        return work(change)


def moved(desk, code, *, to="BIN-1", unit="C62", pieces=4, **fields):
    """Post a movement, from the supplier if it goes to a place, else from BIN-1."""

    def post(change):
        is_in = to.startswith("BIN")
        draft = change.movement(
            warehouse="SH1",
            business_step="receiving" if is_in else "shipping",
            from_location="supplier" if is_in else "BIN-1",
            to_location=to,
            item=code,
            quantity_micro=pieces * ONE,
            unit=unit,
            **fields,
        )
        change.post([draft])

    changed(desk, post)


def card(*, unit="C62", lot_tracked=False, **policy):
    return plain_item("HAM", unit=unit, lot_tracked=lot_tracked, policy=Policy(**policy))


def becomes(desk, to):
    return changed(desk, lambda change: replace_item(change, to, version=None)).card


def refused(desk, to):
    """What is said of a card that is refused, and what to do about it."""
    with pytest.raises(Conflict) as caught:
        becomes(desk, to)
    return str(caught.value), caught.value.hint


def test_what_was_weighed_in_kilograms_does_not_count_as_pounds(database, desk):
    changed(desk, lambda change: create_item(change, card(weight_unit="KGM")))
    moved(desk, "HAM", **WEIGHED)
    said, hint = refused(desk, card(weight_unit="LBR"))
    assert "kept in KGM, 4 C62 at SH1 BIN-1 among them" in said
    assert "is converted" in hint
    (fault,) = imported(database, "HAM|Ham|C62|LBR").faults
    assert (fault.row, fault.column) == (2, "weight_unit")
    # The weights of goods that have left are as true: their movement may still be taken back.
    moved(desk, "HAM", to="customer", **WEIGHED)
    said, _ = refused(desk, card(weight_unit="LBR"))
    assert said.endswith("kept in KGM")
    assert becomes(desk, card()) == card()  # Kilograms without saying so.
    assert becomes(desk, card(weight_unit="KGM")) == card(weight_unit="KGM")


def test_an_item_that_comes_back_is_weighed_as_its_books_are(desk):
    changed(desk, lambda change: create_item(change, card(weight_unit="LBR")))
    moved(desk, "HAM", **WEIGHED)
    moved(desk, "HAM", to="customer", **WEIGHED)
    changed(desk, lambda change: retire_item(change, "HAM", version=None))
    with pytest.raises(Conflict, match="kept in LBR"):
        changed(desk, lambda change: create_item(change, card(weight_unit="KGM")))
    back = changed(desk, lambda change: create_item(change, card(weight_unit="LBR")))
    assert back.card == card(weight_unit="LBR")


def test_what_came_before_its_card_was_weighed_in_kilograms(desk):
    moved(desk, "HAM", **WEIGHED)
    with pytest.raises(Conflict, match="kept in KGM"):
        changed(desk, lambda change: create_item(change, card(weight_unit="LBR")))
    changed(desk, lambda change: create_item(change, card(weight_unit="KGM")))


def test_a_weight_is_not_asked_for_over_stock_that_has_none(desk):
    changed(desk, lambda change: create_item(change, card()))
    moved(desk, "HAM")
    said, _ = refused(desk, card(weight_unit="KGM"))
    assert "while 4 C62 at SH1 BIN-1 have no weight" in said
    moved(desk, "HAM", to="customer")
    assert becomes(desk, card(weight_unit="KGM")).policy.weight_unit == "KGM"


@pytest.mark.parametrize(
    ("asking", "words", "identified"),
    [
        ({"lot_tracked": True}, "have no lot", {"lot": "A"}),
        ({"serial_tracked": True}, "have no serial number", {"serial": "S1", "pieces": 1}),
        (
            {"lot_tracked": True, "expiry_tracked": True},
            "have no expiry date",
            {"lot": "A", "expiry_date": "2027-01-31"},
        ),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else one,
)
def test_what_lies_there_without_is_named_before_it_is_asked_for(desk, asking, words, identified):
    lots = len(asking) > 1
    changed(desk, lambda change: create_item(change, card(lot_tracked=lots)))
    moved(desk, "HAM")
    moved(desk, "HAM", **identified)
    said, hint = refused(desk, card(**asking))
    assert f"while 4 C62 at SH1 BIN-1 {words}" in said
    assert "or use them up" in hint
    moved(desk, "HAM", to="customer")
    assert becomes(desk, card(**asking)) == card(**asking)
    # What is asked for already is no news.
    moved(desk, "HAM")
    assert becomes(desk, card(**asking, abc="A")).policy.abc == "A"


def test_a_card_that_asks_for_dates_of_no_lot_is_told_and_can_be_mended(database, desk):
    """Such cards were taken once: what lies there of them can never be set aside."""
    with pytest.raises(Unusable) as caught:
        changed(desk, lambda change: create_item(change, card(expiry_tracked=True)))
    assert "policy.expiry_tracked: cannot be asked for without lots" in str(caught.value)
    heading = "item,name,unit,lot_tracked,expiry_tracked\n"
    for lots, faults in (("no", 1), ("yes", 0)):
        data = f"{heading}EGG,Egg,C62,{lots},yes\n".encode()
        with database.read() as connection:
            report = check_import(connection, read_upload("items", data))
        assert [one.column for one in report.faults] == ["expiry_tracked"] * faults
    changed(desk, lambda change: create_item(change, card()))
    changed(desk, lambda change: create_item(change, plain_item("EGG")))
    set_policy(database, "HAM", expiry_tracked=True)
    assert lacking_lots(database) == ["HAM"]
    # What it was taken with is no news; nor does anything keep it from being mended.
    assert becomes(desk, card(expiry_tracked=True, abc="A")).policy.abc == "A"
    assert becomes(desk, card(lot_tracked=True, expiry_tracked=True)).lot_tracked
    assert lacking_lots(database) == []
    with pytest.raises(Unusable, match="without lots"):
        becomes(desk, card(expiry_tracked=True))


def lacking_lots(database):
    """What the aid for cleaning tells of the catalogue."""
    with database.read() as connection:
        return [code for code, _ in list_gaps(connection, "lots", after="", limit=10)]


def test_a_lot_of_which_nobody_knows_the_date_has_none(desk):
    changed(desk, lambda change: create_item(change, card(lot_tracked=True)))
    moved(desk, "HAM", lot="R")
    said, _ = refused(desk, card(lot_tracked=True, expiry_tracked=True))
    assert "4 C62 at SH1 BIN-1 have no expiry date" in said
    moved(desk, "HAM", to="BIN-2", lot="R", expiry_date="2027-01-31")
    assert becomes(desk, card(lot_tracked=True, expiry_tracked=True)).policy.expiry_tracked


def test_what_arrived_from_another_warehouse_is_under_way_no_longer(desk):
    changed(desk, lambda change: create_item(change, card()))
    moved(desk, "HAM", to="in_transit", document="TR-1")
    moved(desk, "HAM")
    said, _ = refused(desk, card(lot_tracked=True))
    assert "4 C62 at in_transit/TR-1 have no lot" in said

    def arrive(change):
        draft = change.movement(
            warehouse="BJ1",
            business_step="receiving",
            from_location="in_transit",
            to_location="BIN-1",
            item="HAM",
            quantity_micro=4 * ONE,
            unit="C62",
            document="TR-1",
            lot="A",
        )
        change.post([draft])

    changed(desk, arrive)
    assert becomes(desk, card(lot_tracked=True)).lot_tracked


@pytest.mark.parametrize(
    ("figures", "named"),
    [
        ({"policy": Policy(min_micro=5 * ONE)}, "min 5"),
        ({"policy": Policy(cost_micro=3 * ONE)}, "cost 3"),
        ({"packs": (Pack("BG", 25),)}, "BG 25"),
        ({"places": (HomePlace("SH1", "BIN-1", ONE, 10 * ONE),)}, "SH1 BIN-1 max 10"),
        ({"barcodes": (ItemBarcode(GTIN, 2 * ONE),)}, f"{GTIN} 2"),
    ],
    ids=["level", "cost", "pack", "place", "scan"],
)
def test_five_kilograms_do_not_become_five_grams(database, desk, figures, named):
    fields = {"kind": "bulk", "code": "HAM"} | figures
    changed(desk, lambda change: create_item(change, plain_item(unit="KGM", **fields)))
    said, hint = refused(desk, plain_item(unit="GRM", **fields))
    assert "cannot change from KGM to GRM" in said
    assert named in said
    assert "State them in GRM" in hint
    (fault,) = imported(database, "HAM|Ham|GRM|").faults
    assert (fault.row, fault.column) == (2, "unit")
    bare = plain_item("HAM", kind="bulk", unit="GRM")
    assert becomes(desk, bare) == bare


def imported(database, *rows):
    lines = ["item|name|unit|weight_unit", *rows]
    data = "\r\n".join(line.replace("|", ",") for line in lines).encode()
    with database.read() as connection:
        return check_import(connection, read_upload("items", data))


DOCUMENT = """
revision = {revision}
[[warehouses]]
code = "SH1"
name = "W"
name_zh = "W"
locations = [{{ code = "BIN-1", kind = "bin" }}, {{ code = "BIN-2", kind = "bin" }}]
[[items]]
code = "HAM"
name = "Ham"
name_zh = "H"
unit = "{unit}"
kind = "bulk"
lot_tracked = {lot_tracked}
"""


def loaded(database, revision, *, unit="KGM", lot_tracked="false"):
    text = DOCUMENT.format(revision=revision, unit=unit, lot_tracked=lot_tracked)
    with database.write() as connection:
        load_reference(connection, parse_reference(text.encode()))


@pytest.mark.parametrize("change", [{"unit": "GRM"}, {"lot_tracked": "true"}], ids=["unit", "lot"])
def test_a_reference_document_does_not_change_what_lies_there(database, desk, change):
    loaded(database, 8)
    moved(desk, "HAM", unit="KGM")
    with pytest.raises(ReferenceRefused, match="4 KGM at SH1 BIN-1") as caught:
        loaded(database, 9, **change)
    assert "use" in caught.value.hint
    with database.read() as connection:
        kept = read_items(connection, ["HAM"])["HAM"].card
    assert (kept.unit, kept.lot_tracked) == ("KGM", False)
    moved(desk, "HAM", unit="KGM", to="customer")
    loaded(database, 9, **change)


def test_a_reference_document_leaves_no_figures_of_the_desk_in_another_unit(database, desk):
    loaded(database, 8)
    levels = plain_item("HAM", unit="KGM", kind="bulk", policy=Policy(min_micro=5 * ONE))
    becomes(desk, levels)
    with pytest.raises(ReferenceRefused, match="figures in KGM"):
        loaded(database, 99, unit="GRM")
