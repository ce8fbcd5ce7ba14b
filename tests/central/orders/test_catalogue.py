"""Items, places, warehouses and partners are added, changed and taken out, whole or not at all."""

import json
from functools import partial

import pytest
from sqlalchemy import insert, select

from central.contract.reference import DocumentLine, ExpectedDocument
from central.errors import Conflict, NotThere, Outdated, Unusable
from central.ledger.reference_desk import put_document
from central.orders.catalogue.catalogue_lists import (
    ItemFilter,
    PartnerFilter,
    PlaceFilter,
    list_items,
    list_partners,
    list_places,
)
from central.orders.catalogue.item_cards import HomePlace, ItemBarcode, Pack, Policy
from central.orders.catalogue.items import (
    create_item,
    item_conflicts,
    policies_of,
    put_cards,
    read_items,
    replace_item,
    retire_item,
    units_of,
)
from central.orders.catalogue.packs import to_base
from central.orders.catalogue.partners import (
    create_partner,
    replace_partner,
    require_partner,
    retire_partner,
)
from central.orders.catalogue.place_cards import WarehouseCard
from central.orders.catalogue.places import create_place, replace_place, require_place, retire_place
from central.orders.catalogue.uses import NAMING, ORDERS
from central.orders.catalogue.warehouses import (
    create_warehouse,
    replace_warehouse,
    retire_warehouse,
)
from central.storage import catalogue_tables, purchasing_tables, tables
from tests.central.orders.catalogue import (
    CARTON_GTIN,
    GTIN,
    ONE,
    furnished_desk,
    item,
    partner,
    place,
    plain_item,
)
from tests.central.orders.purchasing import row


def rows(database, table):
    with database.read() as connection:
        return connection.execute(select(table)).all()


@pytest.fixture
def desk(database):
    return furnished_desk(database)


def changed(desk, work):
    """What a piece of work returns, committed."""
    with desk.change(actor="li.na") as change:
        return work(change)


def stock_of(change, code, location="BIN-1", quantity_micro=ONE):
    draft = change.movement(
        warehouse="SH1",
        business_step="storing",
        from_location="adjustment",
        to_location=location,
        item=code,
        quantity_micro=quantity_micro,
        unit="C62",
    )
    change.post([draft])


def test_a_new_item_is_kept_whole_and_gateways_are_told_of_its_bar_codes(database, desk):
    card = item(places=(HomePlace("SH1", "BIN-1", 5 * ONE, 50 * ONE), HomePlace("BJ1", "")))
    with pytest.raises(Unusable, match="is there twice"):
        changed(desk, lambda change: create_item(change, item(barcodes=(ItemBarcode(GTIN),) * 2)))
    ordered = item(places=tuple(sorted(card.places)))
    stored = changed(desk, lambda change: create_item(change, card))
    assert (stored.card, stored.version, stored.source) == (ordered, 1, "desk")
    barcodes = {row.gtin: row.quantity_micro for row in rows(database, tables.item_barcodes)}
    assert barcodes == {GTIN: ONE, CARTON_GTIN: 24 * ONE}
    (event,) = rows(database, tables.object_events)
    assert (event.kind, event.code, event.action, event.actor) == (
        "item",
        "GEAR",
        "created",
        "li.na",
    )


def test_an_item_that_a_document_brought_gets_a_policy_and_stays_the_documents(database, desk):
    with database.read() as connection:
        before = read_items(connection, ["BOLT"])["BOLT"]
    assert (before.version, before.source, before.card.policy) == (0, "file", Policy())
    card = plain_item("BOLT", name="Bolt", name_zh="螺栓", policy=Policy(inspected=True))
    stored = changed(desk, lambda change: replace_item(change, card, version=0))
    assert (stored.version, stored.source) == (1, "file")
    renamed = plain_item("BOLT", name="Bolt M8", name_zh="螺栓", policy=Policy(inspected=True))
    stored = changed(desk, lambda change: replace_item(change, renamed, version=1))
    assert (stored.version, stored.source) == (2, "desk")
    with database.read() as connection:
        assert policies_of(connection, ["BOLT", "NUT"]) == {
            "BOLT": Policy(inspected=True),
            "NUT": Policy(),
        }


def test_what_an_item_was_and_is_stands_in_its_history(database, desk):
    changed(desk, lambda change: create_item(change, item()))
    after = item(name="Cog", packs=(), policy=Policy(inspected=True, abc="A", min_micro=ONE))
    changed(desk, lambda change: replace_item(change, after, version=1))
    changed(desk, lambda change: replace_item(change, after, version=None))
    events = rows(database, tables.object_events)
    assert [event.action for event in events] == ["created", "changed"]
    assert json.loads(events[1].fields_json)["changes"] == {
        "name": ["Gear", "Cog"],
        "packs": [[{"unit": "CT", "numerator": 24, "denominator": 1, "gtin": CARTON_GTIN}], []],
        "policy.min_micro": [20 * ONE, ONE],
    }


def test_two_people_cannot_change_one_item_unseen(desk):
    changed(desk, lambda change: create_item(change, item()))
    changed(desk, lambda change: replace_item(change, item(name="Cog"), version=1))
    with pytest.raises(Outdated) as caught:
        changed(desk, lambda change: replace_item(change, item(name="Wheel"), version=1))
    assert caught.value.fields == {"version": 2}


@pytest.mark.parametrize(
    ("second", "words"),
    [
        pytest.param(item(), "item GEAR is there already", id="code"),
        pytest.param(plain_item("COG", barcodes=(ItemBarcode(GTIN),)), "of item GEAR", id="GTIN"),
        pytest.param(
            plain_item("COG", barcodes=(ItemBarcode(GTIN[1:]),)), "of item GEAR", id="short GTIN"
        ),
        pytest.param(
            plain_item("COG", packs=(Pack("CT", 2, 1, CARTON_GTIN),)), "of item GEAR", id="pack"
        ),
        pytest.param(
            plain_item("COG", places=(HomePlace("SH1", "BIN-77"),)),
            "no place SH1 BIN-77",
            id="place",
        ),
    ],
)
def test_what_another_item_has_cannot_be_given_again(database, desk, second, words):
    changed(desk, lambda change: create_item(change, item()))
    with pytest.raises(Conflict, match=words):
        changed(desk, lambda change: create_item(change, second))
    assert "COG" not in {row.item for row in rows(database, tables.items)}


def test_an_item_is_taken_out_only_when_nothing_needs_it(database, desk):
    changed(desk, lambda change: create_item(change, item()))
    document = ExpectedDocument(
        code="PO-7",
        warehouse="SH1",
        partner="Acme",
        lines=(DocumentLine(line=1, item="GEAR", quantity="5"),),
    )

    def need(change):
        stock_of(change, "GEAR")
        put_document(change, document)

    changed(desk, need)
    with pytest.raises(Conflict) as caught:
        changed(desk, lambda change: retire_item(change, "GEAR", version=1))
    assert caught.value.fields["uses"] == ["stock at SH1 BIN-1", "document PO-7 of SH1"]
    with pytest.raises(Conflict, match="cannot change while in use"):
        changed(desk, lambda change: replace_item(change, item(unit="KGM"), version=None))
    with pytest.raises(NotThere):
        changed(desk, lambda change: retire_item(change, "GONE", version=None))


@pytest.mark.parametrize(
    ("what", "lines", "order", "orders", "code"), ORDERS, ids=[one[0] for one in ORDERS]
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_item_stays_while_an_open_order_names_it(desk, what, lines, order, orders, code):
    def ordered(change, *, name, state):
        change.connection.execute(insert(orders), row(orders, **{code: name, "state": state}))
        change.connection.execute(insert(lines), row(lines, **{order: name}, line=1, item="GEAR"))

    changed(desk, lambda change: create_item(change, item()))
    changed(desk, lambda change: ordered(change, name="O-1", state="approved"))
    changed(desk, lambda change: ordered(change, name="O-2", state="closed"))
    with pytest.raises(Conflict) as caught:
        changed(desk, lambda change: retire_item(change, "GEAR", version=None))
    assert caught.value.fields["uses"] == [f"{what} O-1"]


@pytest.mark.parametrize(("what", "orders", "code", "ends"), NAMING)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_warehouse_stays_while_anything_open_names_it(desk, what, orders, code, ends):
    def named(change, *, name, state, end):
        values = row(orders, **{code: name, "state": state, end: "HZ1"})
        change.connection.execute(insert(orders), values)

    changed(desk, lambda change: create_warehouse(change, WarehouseCard("HZ1", "Hangzhou")))
    changed(desk, lambda change: named(change, name="O-0", state="cancelled", end=ends[0]))
    open_ones = {f"O-{number}": end for number, end in enumerate(ends, 1)}
    for name, end in open_ones.items():
        changed(desk, partial(named, name=name, state="draft", end=end))
    with pytest.raises(Conflict, match=f"in use: {what} O-1") as caught:
        changed(desk, lambda change: retire_warehouse(change, "HZ1", version=None))
    assert caught.value.fields["uses"] == [f"{what} {name}" for name in open_ones]
    changed(
        desk, lambda change: change.connection.execute(orders.update().values(state="cancelled"))
    )
    changed(desk, lambda change: retire_warehouse(change, "HZ1", version=None))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_partner_that_an_order_names_is_made_inactive_instead(desk):
    orders = purchasing_tables.purchase_orders

    def order(change):
        values = row(orders, code="PO-9", supplier="ACME", state="closed")
        change.connection.execute(insert(orders), values)

    changed(desk, lambda change: create_partner(change, partner()))
    changed(desk, order)
    with pytest.raises(Conflict, match="in use: purchase order PO-9") as caught:
        changed(desk, lambda change: retire_partner(change, "ACME", version=None))
    assert "inactive" in caught.value.hint
    inactive = partner(active=False)
    changed(desk, lambda change: replace_partner(change, inactive, version=1))


def test_bar_codes_go_from_one_item_to_another_in_one_change(database, desk):
    changed(desk, lambda change: create_item(change, item()))
    changed(desk, lambda change: create_item(change, plain_item("COG")))
    given = plain_item("COG", barcodes=(ItemBarcode(GTIN),))
    with database.read() as connection:
        stored = read_items(connection, ["GEAR", "COG"])
        assert list(item_conflicts(connection, [item(barcodes=()), given], stored)) == []
    changed(desk, lambda change: put_cards(change, [given, item(barcodes=())], stored))
    owners = {row.gtin: row.item for row in rows(database, tables.item_barcodes)}
    assert owners == {GTIN: "COG", CARTON_GTIN: "GEAR"}


@pytest.mark.parametrize(
    "policy",
    [
        {"inspected": True},
        {"serial_tracked": True},
        {"expiry_tracked": True},
        {"min_days_left_to_ship": 5},
    ],
    ids=lambda policy: next(iter(policy)),
)
def test_the_ledger_learns_at_once_how_an_item_is_kept(database, desk, policy):
    changed(desk, lambda change: stock_of(change, "BOLT", "scrap"))
    before = rows(database, tables.reference_changes)
    kept = {"name": "Bolt", "name_zh": "螺栓", "lot_tracked": "expiry_tracked" in policy}
    card = plain_item("BOLT", **kept, policy=Policy(**policy))
    changed(desk, lambda change: replace_item(change, card, version=0))
    touched = set(rows(database, tables.reference_changes)) - set(before)
    assert [(row.kind, row.code) for row in touched] == [("item", "BOLT")]
    other = plain_item("BOLT", **kept, policy=Policy(**policy, abc="A"))
    changed(desk, lambda change: replace_item(change, other, version=1))
    assert set(rows(database, tables.reference_changes)) - set(before) == touched


def test_an_item_that_nothing_needs_leaves_nothing_behind_but_its_history(database, desk):
    changed(desk, lambda change: create_item(change, item(places=(HomePlace("SH1", "BIN-1"),))))
    changed(desk, lambda change: retire_item(change, "GEAR", version=1))
    for table in (
        catalogue_tables.item_policies,
        catalogue_tables.item_units,
        catalogue_tables.item_places,
        tables.item_barcodes,
    ):
        assert rows(database, table) == []
    actions = [event.action for event in rows(database, tables.object_events)]
    assert actions == ["created", "retired"]


def test_orders_may_be_stated_in_the_packs_of_an_item(database, desk):
    changed(desk, lambda change: create_item(change, item()))
    with database.read() as connection:
        units = units_of(connection, ["GEAR", "RICE", "GONE"])
    assert to_base(3 * ONE, units["GEAR"], unit="CT") == 72 * ONE
    assert to_base(ONE, units["RICE"], unit="TNE") == 1000 * ONE
    assert "GONE" not in units


def test_items_are_found_by_what_people_know_of_them(database, desk):
    changed(desk, lambda change: create_item(change, item()))
    changed(desk, lambda change: create_item(change, plain_item("X_1", name="100% cotton")))

    def found(**wanted):
        with database.read() as connection:
            listed = list_items(connection, ItemFilter(**wanted), after="", limit=10)
        return [one.card.code for one in listed]

    assert found() == ["BOLT", "GEAR", "NUT", "RICE", "X_1"]
    assert found(search="gea") == found(search="齿") == found(gtin=GTIN[1:]) == ["GEAR"]
    assert found(search="%") == found(search="x_") == ["X_1"]
    assert found(abc="A") == ["GEAR"]
    assert found(kind="bulk") == ["RICE"]


def test_a_tree_of_places_has_areas_that_gateways_do_not_know(database, desk):
    changed(desk, lambda change: create_place(change, place("AISLE", kind="area")))
    card = place(parent="AISLE", walk_order=10, pick_face=True, capacity_micro=9 * ONE, zone="A")
    stored = changed(desk, lambda change: create_place(change, card))
    assert (stored.card, stored.version, stored.source) == (card, 1, "desk")
    codes = {row.location for row in rows(database, tables.locations) if row.warehouse == "SH1"}
    assert "BIN-9" in codes and "AISLE" not in codes
    of_file = place("BIN-1", walk_order=5, parent="AISLE")
    stored = changed(desk, lambda change: replace_place(change, of_file, version=0))
    assert (stored.card, stored.version, stored.source) == (of_file, 1, "file")
    with database.read() as connection:
        below = list_places(connection, PlaceFilter("SH1", parent="AISLE"), after=("", ""), limit=9)
        faces = list_places(connection, PlaceFilter("SH1", pick_face=True), after=("", ""), limit=9)
        rest = list_places(connection, PlaceFilter(), after=("SH1", "BIN-3"), limit=9)
    assert [one.card.code for one in below] == ["BIN-1", "BIN-9"]
    assert [one.card.code for one in faces] == ["BIN-9"]
    assert [one.card.code for one in rest] == ["BIN-9", "DOCK-1", "STAGE-1"]


def test_places_in_a_circle_are_refused(desk):
    changed(desk, lambda change: create_place(change, place("A", kind="area")))
    changed(desk, lambda change: create_place(change, place("B", kind="area", parent="A")))
    with pytest.raises(Conflict, match="A in B in A"):
        changed(
            desk,
            lambda change: replace_place(change, place("A", kind="area", parent="B"), version=None),
        )
    with pytest.raises(Conflict, match="no place is called 'GONE'"):
        changed(desk, lambda change: create_place(change, place("C", parent="GONE")))
    with pytest.raises(Conflict, match="no warehouse 'XX1'"):
        changed(desk, lambda change: create_place(change, place("C", warehouse="XX1")))


def test_a_place_is_taken_out_only_when_it_is_empty(database, desk):
    changed(desk, lambda change: stock_of(change, "BOLT", "BIN-2"))
    with pytest.raises(Conflict, match="stock of item BOLT"):
        changed(desk, lambda change: retire_place(change, "SH1", "BIN-2", version=None))
    with pytest.raises(Conflict, match="cannot become or cease to be an area"):
        changed(
            desk,
            lambda change: replace_place(change, place("BIN-2", kind="area"), version=None),
        )
    changed(desk, lambda change: retire_place(change, "SH1", "BIN-3", version=0))
    with database.read() as connection, pytest.raises(NotThere):
        require_place(connection, "SH1", "BIN-3")


def test_a_warehouse_is_added_renamed_and_taken_out(database, desk):
    card = WarehouseCard("GZ1", "Guangzhou", "广州", "", "Road 1")
    assert changed(desk, lambda change: create_warehouse(change, card)).version == 1
    with pytest.raises(Conflict):
        changed(desk, lambda change: create_warehouse(change, card))
    moved = WarehouseCard("GZ1", "Guangzhou 1", "广州", "6901234567892", "Road 2")
    assert changed(desk, lambda change: replace_warehouse(change, moved, version=1)).card == moved
    changed(desk, lambda change: retire_warehouse(change, "GZ1", version=2))
    with pytest.raises(Conflict, match="place BIN-1"):
        changed(desk, lambda change: retire_warehouse(change, "BJ1", version=None))
    assert {row.warehouse for row in rows(database, tables.warehouses)} == {"SH1", "BJ1"}


def test_a_partner_is_added_changed_and_found_by_certificates_that_end(database, desk):
    stored = changed(desk, lambda change: create_partner(change, partner()))
    assert (stored.card, stored.version) == (partner(), 1)
    with pytest.raises(Conflict):
        changed(desk, lambda change: create_partner(change, partner()))
    customer = partner("SHOP", kind="customer", certificates=(), region="North", active=False)
    changed(desk, lambda change: create_partner(change, customer))
    stored = changed(desk, lambda change: replace_partner(change, partner(kind="both"), version=1))
    assert (stored.card.kind, stored.version) == ("both", 2)

    def found(**wanted):
        with database.read() as connection:
            listed = list_partners(connection, PartnerFilter(**wanted), after="", limit=9)
        return [one.card.code for one in listed]

    assert found(kind="customer") == ["ACME", "SHOP"]
    assert found(kind="supplier") == found(active=True) == ["ACME"]
    assert found(region="North") == ["SHOP"]
    assert found(certificate_ends_before="2027-07-01") == ["ACME"]
    assert found(certificate_ends_before="2027-06-30") == []


def test_a_partner_that_no_order_names_can_be_taken_out(database, desk):
    changed(desk, lambda change: create_partner(change, partner()))
    changed(desk, lambda change: retire_partner(change, "ACME", version=1))
    assert rows(database, catalogue_tables.partner_certificates) == []
    with database.read() as connection, pytest.raises(NotThere):
        require_partner(connection, "ACME")
