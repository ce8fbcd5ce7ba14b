"""What cannot be is refused at the desk with what is wrong, in both languages, and changes nothing.

Parts of a piece, more coming back than went out, a place that is empty and not, units that nobody
knows or that contradict each other, and codes that only look different.
"""

import pytest
from sqlalchemy import update

from central.errors import Conflict, Unusable
from central.orders.catalogue.item_cards import HomePlace, ItemBarcode, Pack, Policy, item_faults
from central.orders.catalogue.items import create_item, read_items, replace_item
from central.orders.catalogue.places import create_place
from central.orders.catalogue.unit_codes import UNIT_CODES, likely_unit
from central.orders.sales.customer_return_book import DecisionAsked as Decided
from central.orders.sales.customer_return_book import (
    ReturnAsked,
    ReturnLineAsked,
    act_on_return,
    decide_on_return,
    request_return,
)
from central.orders.sales.sales_remainders import give_up, pick_short
from central.storage import catalogue_tables, tables
from tests.central.orders.catalogue import ONE, furnished_desk, place, plain_item
from tests.central.orders.purchasing import Purchasing
from tests.central.orders.sales_scenes import Scene
from tests.central.orders.test_imports import file_of, imported


@pytest.fixture
def site(database):
    """BOLT and NUT in pieces with cartons of 24, RICE by weight, REEL with serial numbers."""
    site = Purchasing(database)
    site.receive("48")
    site.receive("10.5", item="RICE")
    return site


def line(quantity, *, item="BOLT", **fields):
    return {"line": 1, "item": item, "quantity": quantity} | fields


HALVES = {
    "sales order": ("/sales-orders", {"warehouse": "SH1", "customer": "SHOP"}),
    "counter sale": ("/sales-orders/sell", {"warehouse": "SH1", "customer": "SHOP"}),
    "purchase order": ("/purchase-orders", {"warehouse": "SH1", "supplier": "ACME"}),
    "transfer": ("/transfers", {"source_warehouse": "SH1", "destination_warehouse": "BJ1"}),
    "customer return": (
        "/customer-returns",
        {"warehouse": "SH1", "customer": "SHOP", "reason": "damaged"},
    ),
    "supplier return": (
        "/supplier-returns",
        {"warehouse": "SH1", "supplier": "ACME", "reason": "damaged"},
    ),
}


def test_no_order_transfer_or_return_parts_a_piece(site):
    for name, (path, body) in HALVES.items():
        for said in (line("0.5"), line("0.3", unit="CT"), line("0.04", unit="DZN")):
            if path == "/transfers":
                said = {key: value for key, value in said.items() if key != "line"}
            refused = site.ask("POST", path, body | {"lines": [said]})
            assert refused.status_code == 422, (name, refused.text)
            unit = said.get("unit", "C62")
            assert refused.json()["fields"] == {
                "item": "BOLT",
                "unit": unit,
                "quantity": said["quantity"],
            }, name
            assert f"{said['quantity']} {unit} of item BOLT" in refused.json()["detail"]
    # Half a carton is twelve whole pieces, and rice is weighed.
    body = HALVES["sales order"][1] | {"lines": [line("0.5", unit="CT")]}
    assert site.post("/sales-orders", body, status=201)["lines"][0]["quantity"] == "12"
    body["lines"] = [line("2.5", item="RICE")]
    assert site.post("/sales-orders", body, status=201)["lines"][0]["quantity"] == "2.5"


def test_goods_with_serial_numbers_are_whole_and_bulk_goods_in_pieces_are_not(site):
    row = {"item": "NUT", "serial_tracked": True, "rotation": "fefo"}
    site.put(catalogue_tables.item_policies, row)
    with site.desk.change(actor="test") as change:
        change.connection.execute(
            update(tables.items).where(tables.items.c.item == "NUT").values(kind="bulk")
        )
    body = {"warehouse": "SH1", "customer": "SHOP", "lines": [line("1.5", item="NUT")]}
    assert site.ask("POST", "/sales-orders", body).status_code == 422
    with site.desk.change(actor="test") as change:
        change.connection.execute(
            update(catalogue_tables.item_policies)
            .where(catalogue_tables.item_policies.c.item == "NUT")
            .values(serial_tracked=False)
        )
    assert site.ask("POST", "/sales-orders", body).status_code == 201


def test_a_count_sheet_parts_no_piece_and_leaves_no_place_both_empty_and_full(site):
    body = {"warehouse": "SH1", "lines": [{"location": "BIN-1", "item": ""}]}
    code = site.post("/counts", body, status=201)["code"]
    site.post(f"/counts/{code}/release")
    bolts = {"location": "BIN-1", "item": "BOLT", "quantity": "3"}
    path = f"/counts/{code}/entries"
    half = site.ask("POST", path, {"counted_by": "an", "entries": [bolts | {"quantity": "2.5"}]})
    assert (half.status_code, half.json()["fields"]["quantity"]) == (422, "2.5")
    both = {"counted_by": "an", "entries": [bolts], "empty": ["BIN-1"]}
    refused = site.ask("POST", path, both)
    assert refused.status_code == 422
    assert refused.json()["fields"] == {"location": "BIN-1", "item": "BOLT"}
    assert site.get(f"/counts/{code}")["observations_count"] == 0
    nothing = both | {"entries": [bolts | {"quantity": "0"}]}
    assert site.post(path, nothing)["observations_count"] == 3  # Of the rice there, too.


def test_a_part_of_a_piece_that_came_anyway_is_decided_on_whole_parts_and_the_rest(site):
    site.put(catalogue_tables.item_policies, {"item": "NUT", "inspected": True, "rotation": "fefo"})
    site.receive("2.5", item="NUT")
    (inspection,) = site.get("/inspections", item="NUT")["inspections"]
    path = f"/inspections/{inspection['code']}/decisions"
    for quantity, status in (("0.7", 422), ("2", 200), ("0.5", 200)):
        body = {"decisions": [{"decision": "accept", "quantity": quantity}]}
        assert site.ask("POST", path, body).status_code == status, quantity
    assert site.faults() == []


def test_no_part_of_a_piece_is_given_up_found_or_decided_on(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    code = scene.order(4, upto="released")
    with pytest.raises(Unusable, match="part of a piece"):
        scene.change(give_up, code, 1, reason="x", quantity_micro=ONE // 2)
    with pytest.raises(Unusable, match="part of a piece"):
        scene.change(pick_short, code, 1, found_micro=ONE // 2)
    scene.ship(code, "BIN-1", 4)
    asked = ReturnAsked(
        "SH1", "SHOP", "damaged", (ReturnLineAsked(1, "BOLT", 2 * ONE),), order_code=code
    )
    returned = scene.change(request_return, asked).returned.code
    for action in ("approve", "release"):
        scene.change(act_on_return, returned, action, version=None)
    scene.move("customer", "BIN-1", 2, step="receiving", document=returned, document_line=1)
    half = Decided(1, "restock", ONE // 2, location="BIN-1")
    with pytest.raises(Unusable, match="part of a piece"):
        scene.change(decide_on_return, returned, [half], version=None)
    scene.check()


def test_no_more_of_an_order_comes_back_than_it_shipped(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    order = scene.order(5, upto="released")

    def come_back(pieces, item="BOLT", **fields):
        lines = tuple(ReturnLineAsked(no, item, one * ONE) for no, one in enumerate(pieces, 1))
        asked = ReturnAsked("SH1", "SHOP", "damaged", lines, **{"order_code": order} | fields)
        return scene.change(request_return, asked).returned.code

    with pytest.raises(Conflict, match="shipped 0, and returns took up 0"):
        come_back([1])
    scene.ship(order, "BIN-1", 5, line=1)
    with pytest.raises(Conflict, match="has no line of NUT") as caught:
        come_back([1], item="NUT")
    assert caught.value.fields == {"item": "NUT", "items": ["BOLT"]}
    with pytest.raises(Conflict, match="6 of BOLT cannot come back") as caught:
        come_back([3, 3])
    assert caught.value.fields == {"item": "BOLT", "shipped": "5", "returned": "0"}
    first, second = come_back([3]), come_back([2])
    with pytest.raises(Conflict, match="took up 5"):
        come_back([1])
    come_back([50], order_code="")  # Nobody knows what it went out under.
    # What is called off, or closed with less, can come back under another return.
    scene.change(act_on_return, first, "cancel", version=None, reason="kept")
    for action in ("approve", "release"):
        scene.change(act_on_return, second, action, version=None)
    scene.move("customer", "BIN-1", 1, step="receiving", document=second, document_line=1)
    scene.change(
        decide_on_return, second, [Decided(1, "restock", ONE, location="BIN-1")], version=None
    )
    scene.change(act_on_return, second, "close", version=None, reason="kept one")
    with pytest.raises(Conflict, match="took up 1"):
        come_back([5])
    come_back([4])
    scene.check()


def test_no_more_goes_back_to_a_supplier_than_is_there_and_free(site):
    order = {"warehouse": "SH1", "customer": "SHOP", "lines": [line("40")]}
    sold = site.post("/sales-orders", order, status=201)["code"]
    for action in ("submit", "approve"):
        site.post(f"/sales-orders/{sold}/{action}")

    def released(*lines):
        said = [one | {"line": number} for number, one in enumerate(lines, 1)]
        body = HALVES["supplier return"][1] | {"lines": said}
        code = site.post("/supplier-returns", body, status=201)["code"]
        site.post(f"/supplier-returns/{code}/approve")
        return site.ask("POST", f"/supplier-returns/{code}/release")

    for lines, free, asked in (
        ([line("9")], "8", "9"),
        ([line("5"), line("4", location="BIN-1")], "8", "9"),
        ([line("1", location="BIN-2")], "0", "1"),
        ([line("1", lot="L9")], "0", "1"),
    ):
        refused = released(*lines)
        assert refused.status_code == 409, refused.text
        fields = refused.json()["fields"]
        assert (fields["item"], fields["free"], fields["asked"]) == ("BOLT", free, asked)
    assert released(line("8", location="BIN-1")).status_code == 200
    assert released(line("10.5", item="RICE")).status_code == 200  # It waits for inspection.
    assert site.faults() == []


@pytest.mark.parametrize(
    ("fields", "where", "words"),
    [
        pytest.param({"unit": "KG"}, "unit", "'KG' is not", id="a keg"),
        pytest.param({"unit": "PCS"}, "unit", "'PCS' is not", id="what people write"),
        pytest.param({"unit": "ZZ9"}, "unit", "'ZZ9' is not", id="no code"),
        pytest.param(
            {"packs": (Pack("GRM", 5), Pack("KGM", 3))},
            "packs.KGM.numerator",
            "one KGM is 1000 GRM everywhere, and would be 3/5 here",
            id="two weights",
        ),
        pytest.param(
            {"packs": (Pack("LTR", 10), Pack("MLT", 1))},
            "packs.MLT.numerator",
            "one MLT is 1/1000 LTR",
            id="two volumes",
        ),
        pytest.param({"policy": Policy(min_micro=1)}, "policy.min", "0.000001 C62", id="min"),
        pytest.param(
            {"policy": Policy(safety_micro=ONE // 2)}, "policy.safety", "0.5 C62", id="safety"
        ),
        pytest.param(
            {"barcodes": (ItemBarcode("06901234567892", ONE // 2),)},
            "barcodes.06901234567892.quantity",
            "0.5 C62",
            id="half by bar code",
        ),
        pytest.param(
            {"places": (HomePlace("SH1", "BIN-1", 0, ONE // 2),)},
            "places.SH1.BIN-1.max",
            "0.5 C62",
            id="home place",
        ),
    ],
)
def test_a_card_that_cannot_be_is_told_why(fields, where, words):
    (fault,) = item_faults(plain_item(**fields))
    assert (fault.field, words in fault.message) == (where, True), fault


def test_what_is_sound_has_no_fault():
    for fields in (
        {"unit": "KGM", "policy": Policy(min_micro=ONE // 2)},
        {"unit": "XCT"},
        {"kind": "bulk", "policy": Policy(min_micro=ONE // 2)},
        {"packs": (Pack("KGM", 1000), Pack("GRM", 1), Pack("CT", 24))},
        {"unit": "DZN", "policy": Policy(min_micro=ONE // 2)},  # Six pieces.
    ):
        assert list(item_faults(plain_item(**fields))) == [], fields


def test_units_are_those_of_the_code_list_and_what_people_mean_is_proposed():
    assert {"C62", "H87", "EA", "KGM", "MTR", "LTR", "XCT", "XPX"} <= UNIT_CODES
    assert not {"KG", "PCS", "KGX", "ZZ9", "CT", "05"} & UNIT_CODES
    assert all(2 <= len(code) <= 3 and code.isalnum() for code in UNIT_CODES)
    assert [likely_unit(code) for code in ("KG", "PCS", "CT", "ZZ9")] == ["KGM", "C62", "XCT", ""]


def test_what_was_wrong_before_does_not_keep_an_item_from_being_changed(database):
    desk = furnished_desk(database)
    with desk.change(actor="li.na") as change:
        create_item(change, plain_item(policy=Policy(min_micro=ONE)))
    with desk.change(actor="test") as change:
        change.connection.execute(
            update(tables.items).where(tables.items.c.item == "GEAR").values(unit="PCS")
        )
    with desk.change(actor="li.na") as change:
        stored = read_items(change.connection, ["GEAR"])["GEAR"].card
        assert stored.unit == "PCS"
        renamed = plain_item(unit="PCS", name="Wheel", policy=stored.policy)
        assert replace_item(change, renamed, version=None).card.name == "Wheel"
    with pytest.raises(Unusable, match="'KG' is not a UN/CEFACT"), desk.change(actor="x") as change:
        replace_item(change, plain_item(unit="KG", policy=stored.policy), version=None)


def test_a_file_names_its_rows_with_units_nobody_knows_and_codes_that_look_alike(database):
    desk = furnished_desk(database)
    lines = ("item|name|unit|kind", "GEAR|Gear|KG|piece", "Gear|Gear|C62|piece")
    lines += ("bolt|Bolt|C62|piece", "PIN|Pin|C62|piece", "pin|Pin|C62|piece")
    with pytest.raises(Unusable) as caught:
        imported(desk, "items", file_of(*lines))
    found = [(one["row"], one["column"], one["message"]) for one in caught.value.fields["faults"]]
    assert found == [
        (2, "unit", "unit 'KG' is not a UN/CEFACT unit code"),
        (4, "item", "bolt and BOLT differ in upper and lower case alone"),
        (6, "item", "pin and PIN differ in upper and lower case alone"),
    ]
    assert imported(desk, "items", file_of(*lines), only_valid=True).counts.created == 2
    places = file_of("warehouse|location|kind", "SH1|bin-1|bin", "BJ1|bin-2|bin")
    with pytest.raises(Unusable, match="bin-1 and BIN-1 differ") as caught:
        imported(desk, "locations", places)
    assert [(one["row"], one["column"]) for one in caught.value.fields["faults"]] == [
        (2, "location")
    ]
    with pytest.raises(Unusable, match="acme and Acme differ"):
        imported(desk, "partners", file_of("partner|name", "Acme|Acme", "acme|Acme"))


def test_a_code_that_looks_like_another_one_is_refused_and_old_twins_stay_usable(site):
    bodies = {
        "/items": {"code": "bolt", "name": "Bolt", "unit": "C62"},
        "/warehouses/SH1/places": {"code": "bin-1", "kind": "bin"},
        "/partners": {"code": "Acme", "name": "Acme", "kind": "supplier"},
        "/warehouses": {"code": "sh1", "name": "Shanghai"},
    }
    for path, body in bodies.items():
        refused = site.ask("POST", path, body)
        assert refused.status_code == 409, refused.text
        problem = refused.json()
        assert "differ in upper and lower case alone" in problem["detail"]
        assert problem["hint"].startswith("Use ")
    old = dict.fromkeys(("name_zh",), "") | {"name": "Bolt", "unit": "C62", "kind": "piece"}
    site.put(tables.items, old | {"item": "bolt", "source": "desk"})
    site.ask("PATCH", "/items/bolt", {"name": "Small bolt"}, version="*").raise_for_status()
    assert site.get("/items/bolt")["name"] == "Small bolt"
    assert site.ask("POST", "/items", bodies["/items"] | {"code": "BOLt"}).status_code == 409


def test_areas_and_places_are_twins_too(database):
    desk = furnished_desk(database)
    with desk.change(actor="li.na") as change:
        create_place(change, place("ZONE-A", kind="area"))
    with pytest.raises(Conflict, match="zone-a and ZONE-A"), desk.change(actor="x") as change:
        create_place(change, place("zone-a"))
    with desk.change(actor="li.na") as change:  # Another warehouse has places of its own.
        create_place(change, place("zone-a", warehouse="BJ1"))
