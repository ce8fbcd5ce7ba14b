"""Every kind of discrepancy has a settlement that can be posted as it is, or says what to do."""

import re
from typing import get_args

import pytest

from central.contract.reference import Barcode, DocumentLine, ExpectedDocument, Item, Location
from central.ledger.discrepancies import open_discrepancies
from central.ledger.entries import DiscrepancyKind, Finding
from central.ledger.reference_desk import put_document, put_item, put_location
from central.orders.counts.outdated_counts import OutdatedCounts
from central.orders.settling.cases import Case
from central.orders.settling.settlement_advice import ADVISED, advise
from central.orders.settling.settlement_proposals import PROPOSED, propose
from central.orders.transfers.transfer_book import LineWanted, create_transfer, decide
from central.orders.transfers.transfer_closing import Closing, Thing
from central.orders.transfers.transfer_end_book import close_transfer
from central.storage import tables
from central.web.drawing import drawing_in
from central.web.settlement_words import sentence
from tests.central.clients import call
from tests.central.orders.settling import Settling
from tests.central.scenery import NOW_MS, REFERENCE, rows, set_packs, set_policy, sscc

MICRO = 10**6
ITEMS = b"".join(
    b'[[items]]\ncode = "%s"\nname = "n"\nname_zh = "n"\nunit = "C62"\n' % code
    for code in (b"HAM", b"QI", b"MILK", b"DRILL")
)
DOCUMENT = REFERENCE.replace(b"[[documents]]", ITEMS + b"[[documents]]", 1)
KINDS = get_args(DiscrepancyKind)
SSCC = "106141412345678908"
BALANCE = ("warehouse", "location", "item", "lot", "serial", "unit", "status", "on_hand_micro")
OUTER = "006141411234567890"
UNIT = sscc(7)
TWICE = {"serial_twice", "unit_twice"}
# What is set aside is not moved back, nor what a count posts.
NOT_BACK = {("reservation_short", "reserve"), ("count_outdated", "adjust")}


@pytest.fixture
def site(database):
    made = Settling(database, DOCUMENT)
    set_policy(database, "HAM", weight_unit="GRM")
    set_policy(database, "QI", inspected=True)
    set_policy(database, "MILK", expiry_tracked=True, lot_tracked=True)
    set_policy(database, "DRILL", serial_tracked=True)
    yield made
    made.proved()


def test_every_kind_has_a_proposal_or_words():
    assert set(PROPOSED) == set(KINDS)
    for kind in KINDS:
        case = Case(kind=kind, on_hand_micro=1, subject="X", warehouse="SH1", gateway="g", item="I")
        assert propose(case) or advise(case), kind
    # What only people know, they are told to say, and where.
    assert {kind for kind in KINDS if not propose(Case(kind=kind, on_hand_micro=1))} == {
        "unknown_item",
        "unknown_location",
        "unit_differs",
        "weight_missing",
    }
    assert set(ADVISED) <= set(KINDS)


# --- Scenes: each raises one discrepancy of its kind and returns nothing.


def negative_balance(site):
    site.dock.move(quantity="10", target="BIN-2")
    site.dock.move(quantity="4", source="BIN-1", target="customer")


def filled_twice(site):
    site.dock.move(quantity="4", source="BIN-1", target="customer")
    site.send()
    assert site.settle("negative_balance", {"action": "adjust"}).status_code == 200
    site.dock.move(quantity="4", event_time_ms=NOW_MS - 90_000)


def reversed_twice(site):
    number = site.dock.move(quantity="60", document="PO-1", document_line=1)
    site.dock.move(quantity="60", target="BIN-2", document="PO-1", document_line=1)
    site.send()
    assert site.settle("over_received").status_code == 200
    site.dock.reverse(number)


def over_received(site):
    site.dock.move(quantity="108", document="PO-1", document_line=1)


def over_shipped(site):
    line = DocumentLine(line=1, item="BOLT", quantity="3")
    told = ExpectedDocument(
        code="OUT-1", warehouse="SH1", partner="Shop", lines=(line,), kind="shipment"
    )
    with site.desk.change(actor="x") as change:
        put_document(change, told)
    site.dock.move(quantity="9")
    site.dock.move(
        quantity="5", source="BIN-1", target="customer", document="OUT-1", document_line=1
    )


def over_returned(site):
    site.dock.move(quantity="9", target="BIN-1")
    site.send()
    order = ordered(site, "5")
    out = {"target": "customer", "document": order, "business_step": "shipping"}
    shipped = site.dock.move(quantity="5", source="BIN-1", **out)
    site.send()
    body = {"warehouse": "SH1", "customer": "SHOP", "reason": "damaged", "order_code": order}
    body["lines"] = [{"line": 1, "item": "BOLT", "quantity": "5"}]
    code = site.ask("POST", "/customer-returns", body).json()["code"]
    for action in ("approve", "release"):
        answer = site.ask("POST", f"/customer-returns/{code}/{action}", {}, If_Match="*")
        assert answer.status_code == 200, answer.text
    site.dock.move(quantity="5", source="customer", target="BIN-1", document=code, document_line=1)
    site.dock.reverse(shipped)


def moved_unavailable(site):
    site.dock.move("QI", "3")
    site.dock.move("QI", "2", source="BIN-1", target="customer", business_step="shipping")


def serial_twice(site):
    for place in ("BIN-1", "BIN-2", "BIN-3"):
        site.dock.move(quantity="1", target=place, serial="S9")


def unit_twice(site):
    for place in ("BIN-1", "BIN-2", "BIN-3"):
        site.dock.move(quantity="4", target=place, sscc=UNIT)


def reservation_short(site):
    site.dock.move(quantity="5")
    site.send()
    ordered(site, "5")
    site.dock.move(quantity="2", source="BIN-1", target="adjustment")
    site.send()
    site.dock.move(quantity="9", target="BIN-2")


def outside_tolerance(site):
    site.dock.move(quantity="2", document="PO-1", document_line=1, flags=("outside_tolerance",))


def weight_missing(site):
    site.dock.move("HAM", "3", net_weight="2500", weight_unit="GRM")
    site.dock.move("HAM", "2", source="BIN-1", target="customer")


def weight_differs(site):
    site.dock.move("HAM", "3", net_weight="2500", weight_unit="GRM")
    site.dock.move(
        "HAM", "3", source="BIN-1", target="customer", net_weight="2400", weight_unit="GRM"
    )


def received_before_shipped(site):
    site.transfer = released(site, ("BOLT", 10))
    arrived(site, "3")


def moved_after_end(site):
    received_before_shipped(site)
    site.send(site.other)
    with site.desk.change(actor="x") as change:
        found = Closing(Thing("BOLT", "", "", "C62"), 3 * MICRO, "found")
        close_transfer(change, site.transfer, [found], version=None)
    site.dock.move(quantity="9")
    fields = {"document": site.transfer, "document_line": 1, "business_step": "transferring"}
    site.dock.move(quantity="2", source="BIN-1", target="in_transit", **fields)


def count_outdated(site):
    body = {"warehouse": "SH1", "lines": [{"location": "BIN-1", "item": "BOLT"}]}
    code = site.post("/counts", body)["code"]
    site.post(f"/counts/{code}/release")
    entries = [{"location": "BIN-1", "item": "BOLT", "quantity": "5"}]
    site.post(f"/counts/{code}/entries", {"counted_by": "an", "entries": entries})
    site.post(f"/counts/{code}/finish")
    site.post(f"/counts/{code}/refer")
    answer = site.ask("POST", f"/counts/{code}/accept", {}, Dockledger_Actor="chief")
    assert answer.status_code == 200, answer.text
    site.dock.move(quantity="5", event_time_ms=NOW_MS - 1000)
    site.send()
    assert OutdatedCounts(site.database, clock=site.clock).tick()


def expiry_differs(site):
    site.dock.move(lot="E", expiry_date="2027-01-01")
    site.dock.move(lot="E", expiry_date="2027-02-01")


def lot_missing(site):
    site.dock.move("MILK", "5")


def serial_missing(site):
    site.dock.move("DRILL", "1")


def expiry_missing(site):
    site.dock.move("MILK", "5", lot="M1")


def piece_parted(site):
    site.dock.move(quantity="1.5")


def expired_shipped(site):
    site.dock.move("MILK", "5", lot="M1", expiry_date="2020-01-01")
    site.dock.move("MILK", "2", source="BIN-1", target="customer", lot="M1")


def packing_impossible(site):
    site.dock.pack(SSCC, OUTER)
    site.dock.pack(OUTER, SSCC)


def quantity_overflow(site):
    for _ in range(11):
        site.dock.move(quantity="9999999999")


def unknown_document(site):
    site.dock.move(quantity="5", document="PO-7")


def transit_unnamed(site):
    site.dock.move(quantity="9")
    site.dock.move(quantity="5", source="BIN-1", target="in_transit")


def unexpected(site):
    site.dock.move("NUT", "5", document="PO-1", document_line=1)


def unknown_item(site):
    site.dock.move("4006381333931", "2")
    site.send()
    with site.desk.change(actor="x") as change:
        barcodes = (Barcode(gtin="04006381333931", quantity="12"),)
        put_item(change, Item(code="BOLT", name="B", name_zh="B", unit="C62", barcodes=barcodes))


def unknown_location(site):
    site.dock.move(quantity="5", target="BIN-9")
    site.dock.move(quantity="5", source="BIN-9", target="BIN-1")


def unit_differs(site):
    site.dock.move("RICE", "3", unit="LBR")


def unreadable_fact(site):
    site.dock.say(b"\xc1")


def wrong_warehouse(site):
    site.dock.move(quantity="1")
    site.dock.move(quantity="5", warehouse="BJ1")


def reversal_unmatched(site):
    site.dock.reverse(1)


def fork(site):
    clone = type(site.dock)()
    site.dock.move()
    site.send()
    clone.move("NUT")
    (outcome,) = site.inbox.accept([clone.offer()])
    assert outcome.kind == "quarantined"


def broken_chain(site):
    site.dock.move()
    site.send()
    later = site.dock.next_epoch(previous_head=b"\1" * 32)
    later.move()
    site.send(later)


def stock_differs(site):
    finding = Finding(
        kind="stock_differs",
        subject=f"{site.dock.code}/BIN-1",
        warehouse="SH1",
        gateway=site.dock.code,
        epoch="",
        seq=0,
        record_no=0,
        location="BIN-1",
        detail="BOLT 1 here, 2 there",
    )
    with site.database.write() as connection:
        open_discrepancies(connection, [finding], now_ms=NOW_MS)


def ordered(site, quantity):
    partner = {"code": "SHOP", "name": "s", "kind": "customer"}
    assert site.ask("POST", "/partners", partner).status_code == 201
    line = {"line": 1, "item": "BOLT", "quantity": quantity}
    body = {"customer": "SHOP", "warehouse": "SH1", "lines": [line]}
    body |= {"promised_on": "2026-06-05", "backorders": True}
    code = site.ask("POST", "/sales-orders", body).json()["code"]
    for action in ("submit", "approve"):
        answer = site.ask("POST", f"/sales-orders/{code}/{action}", {}, If_Match="*")
        assert answer.status_code == 200, answer.text
    return code


def released(site, *lines):
    site.dock.move(quantity="20", target="BIN-2")
    site.send()
    wanted = [LineWanted(item, quantity * MICRO) for item, quantity in lines]
    with site.desk.change(actor="x") as change:
        code = create_transfer(change, wanted, source="SH1", destination="BJ1").code
    for action in ("request", "approve", "release"):
        with site.desk.change(actor="x") as change:
            decide(change, code, action, version=None, reason="")
    return code


def arrived(site, quantity):
    fields = {"document": site.transfer, "document_line": 1, "business_step": "transferring"}
    site.other.move(quantity=quantity, source="in_transit", target="BIN-1", **fields)


def _in_chinese(text):
    words = sentence(text, drawing_in("zh").texts)
    return re.search(r"[\u4e00-\u9fff]", words) and not re.search(r"%\(| the | it ", words)


def under_way(site):
    """Whole units at the in-transit places of all books."""
    held = rows(site.database, tables.balances, "location", "on_hand_micro")
    return [micro / MICRO for place, micro in held if place.startswith("in_transit")]


SCENES = {
    kind: (globals()[kind], actions.split())
    for kind, actions in {
        "negative_balance": "reassign adjust",
        "filled_twice": "reverse accept",
        "reversed_twice": "reverse accept",
        "transit_unnamed": "adjust reverse",
        "over_received": "reverse accept",
        "over_shipped": "reverse accept",
        "over_returned": "reverse accept",
        "moved_unavailable": "accept reverse",
        "serial_twice": "reverse adjust adjust",
        "unit_twice": "reverse accept adjust adjust",
        "reservation_short": "reserve accept",
        "outside_tolerance": "accept reverse",
        "weight_missing": "accept",
        "weight_differs": "accept",
        "received_before_shipped": "adjust",
        "moved_after_end": "adjust",
        "count_outdated": "adjust accept",
        "expiry_differs": "accept correct reverse",
        "lot_missing": "accept",
        "serial_missing": "accept",
        "expiry_missing": "accept",
        "expired_shipped": "accept",
        "piece_parted": "accept",
        "packing_impossible": "accept",
        "quantity_overflow": "accept",
        "unknown_document": "reassign accept",
        "unexpected": "accept",
        "unknown_item": "reassign",
        "unknown_location": "accept",
        "unit_differs": "reassign",
        "unreadable_fact": "accept",
        "wrong_warehouse": "reassign reassign",
        "reversal_unmatched": "accept",
        "fork": "accept",
        "broken_chain": "accept",
        "stock_differs": "accept",
    }.items()
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_proposal_is_posted_as_it_stands_and_the_books_are_right(site, kind):
    scene, actions = SCENES[kind]
    scene(site)
    site.send(site.dock)
    site.send(site.other)
    row = site.found(kind)
    assert [one["body"]["action"] for one in row["proposals"]] == actions
    said = [one["why"] for one in row["proposals"]] + [one["text"] for one in row["advice"]]
    assert all(_in_chinese(text) for text in said), said
    before = rows(site.database, tables.balances, *BALANCE)
    for proposal in row["proposals"]:
        path = f"/discrepancies/{row['id']}"
        body = {"reason": proposal["why"], **proposal["body"]}
        answer = site.ask("POST", f"{path}/settle", body)
        assert answer.status_code == 200, answer.text
        site.proved()
        if kind in TWICE and body["action"] == "adjust":
            continue  # A place at a time.
        assert (answer.json()["state"], answer.json()["proposals"]) == ("settled", [])
        if (kind, body["action"]) in NOT_BACK:
            return
        assert site.ask("POST", f"{path}/reopen", {"reason": "no"}).status_code == 200
        site.proved()
        after = rows(site.database, tables.balances, *BALANCE)
        assert [one for one in after if one[-1]] == [one for one in before if one[-1]]
    assert kind not in TWICE or site.found(kind, "settled")


def test_a_serial_number_at_several_places_is_at_one_when_it_is_settled(site):
    serial_twice(site)
    site.send()
    places = ("BIN-3", "BIN-2", "BIN-1")
    for left in (2, 1):
        row = site.found("serial_twice")
        assert row["detail"].startswith("it is at BIN-1, BIN-2")
        body = {"reason": "looked", **row["proposals"][1]["body"]}
        assert body["location"] == places[3 - left]
        answer = site.ask("POST", f"/discrepancies/{row['id']}/settle", body)
        assert answer.json()["state"] == ("open" if left > 1 else "settled"), answer.text
    held = rows(site.database, tables.balances, "location", "serial", "on_hand_micro")
    assert [one for one in held if one[0].startswith("BIN") and one[2]] == [("BIN-3", "S9", MICRO)]
    wrong = {"action": "adjust", "reason": "x"}
    path = f"/discrepancies/{site.found('serial_twice', 'settled')['id']}"
    site.ask("POST", f"{path}/reopen", {"reason": "no"})
    assert site.ask("POST", f"{path}/settle", wrong).status_code == 422
    assert site.ask("POST", f"{path}/settle", wrong | {"location": "DOCK-1"}).status_code == 409


@pytest.mark.parametrize("kind", ["received_before_shipped", "moved_after_end"])
def test_what_stays_under_way_is_not_accepted_but_accounted_for(site, kind):
    SCENES[kind][0](site)
    site.send(site.dock)
    site.send(site.other)
    answer = site.settle(kind, {"action": "accept"})
    assert (answer.status_code, answer.json()["fields"]["possible"]) == (409, ["adjust"])
    assert "close the transfer" in answer.json()["hint"]
    assert sum(under_way(site)) in {-3, 2}
    settled = site.settle(kind)
    assert settled.json()["state"] == "settled", settled.text
    assert sum(under_way(site)) == 0
    # Opened again without moving it back, nothing is under way, and it may be accepted.
    path = f"/discrepancies/{settled.json()['id']}"
    body = {"reason": "no", "take_back": False}
    assert site.ask("POST", f"{path}/reopen", body).status_code == 200
    assert site.settle(kind, {"action": "adjust"}).status_code == 409
    assert site.settle(kind).json()["settlement"].startswith("accept by")


def test_an_order_is_given_other_stock_as_far_as_there_is(site):
    site.dock.move(quantity="5")
    site.send()
    code = ordered(site, "5")
    site.dock.move(quantity="3", source="BIN-1", target="adjustment")
    site.send()
    row = site.found("reservation_short")
    assert [one["body"]["action"] for one in row["proposals"]] == ["accept"]
    assert row["advice"][0]["page"] == "/items/BOLT"
    refused = site.settle("reservation_short", {"action": "reserve"})
    assert (refused.status_code, refused.json()["fields"]["lines"][0]["item"]) == (409, "BOLT")
    site.dock.move(quantity="2", target="BIN-2")
    site.send()
    assert site.settle("reservation_short").json()["state"] == "open"
    site.dock.move(quantity="2", target="BIN-2")
    site.send()
    answer = site.settle("reservation_short", Dockledger_Actor="li.na")
    assert answer.json()["settlement"] == "reserve by li.na: looked"
    figures = site.get(f"/sales-orders/{code}")["lines"][0]
    assert figures["reserved"] == "5"


def test_an_item_that_is_added_in_another_unit_has_its_stock_in_that_unit(site):
    site.dock.move("FLOUR", "2000", unit="GRM")
    site.dock.move("WHAT", "2")
    site.send()
    kinds = site.get("/discrepancies?kind=unknown_item")["discrepancies"]
    what, flour = (f"/discrepancies/{one['id']}" for one in kinds)
    assert site.get(what)["advice"][0]["page"] == "/catalogue/items/new?code=WHAT"
    with site.desk.change(actor="x") as change:
        put_item(change, Item(code="FLOUR", name="F", name_zh="F", unit="KGM"))
        put_item(change, Item(code="WHAT", name="W", name_zh="W", unit="KGM"))
    proposal = site.get(flour)["proposals"][0]
    assert proposal["body"] == {"action": "reassign", "item": "FLOUR", "factor": "1/1000"}
    body = {"reason": "seen", **proposal["body"]}
    assert site.ask("POST", f"{flour}/settle", body).status_code == 200
    assert site.on_hand("FLOUR") == {("supplier", ""): -2, ("BIN-1", ""): 2}
    assert site.get(what)["proposals"] == []
    assert site.get(what)["advice"][0]["page"] == "/catalogue/items/WHAT"


def test_goods_at_an_unknown_place_and_without_a_weight_say_what_is_to_be_done(site):
    site.dock.move(quantity="5", target="BIN-9")
    site.dock.move("HAM", "3")
    site.send()
    for kind, page in (
        ("unknown_location", "/catalogue/places/SH1/new?code=BIN-9"),
        ("weight_missing", "/warehouses/SH1/places/BIN-1"),
    ):
        row = site.found(kind)
        assert (row["proposals"], [one["page"] for one in row["advice"]]) == ([], [page])
        assert _in_chinese(row["advice"][0]["text"])
        for place in (f"/discrepancies/{row['id']}", f"/fragments/discrepancy/{row['id']}"):
            drawn = call(site.app, "GET", place, headers={"Accept-Language": "zh"}).text
            assert f'<a href="{page}">前往</a>' in drawn
    with site.desk.change(actor="x") as change:
        put_location(change, "SH1", Location(code="BIN-9", kind="bin"))
    assert site.settle("unknown_location").json()["state"] == "settled"


def test_goods_of_another_date_are_given_to_the_lot_that_was_meant(site):
    expiry_differs(site)
    site.send()
    body = {"action": "reassign", "lot": "F"}
    assert site.settle("expiry_differs", {"action": "reassign"}).status_code == 422
    assert site.settle("expiry_differs", body).status_code == 200
    held = {key: amount for key, amount in site.on_hand().items() if key[0] == "BIN-1"}
    assert held == {("BIN-1", "E"): 1, ("BIN-1", "F"): 1}
    dates = rows(site.database, tables.lots, "lot", "expiry_date")
    assert sorted(dates) == [("E", "2027-01-01"), ("F", "2027-02-01")]


def test_a_unit_that_is_added_to_the_card_takes_what_came_in_it_before(site):
    site.dock.move(quantity="2", unit="PF", document="PO-1", document_line=1)
    site.send()
    row = site.found("unit_differs")
    assert (row["proposals"], row["advice"][0]["page"]) == ([], "/catalogue/items/BOLT")
    set_packs(site.database, "BOLT", PF=(12, 1))
    assert site.found("unit_differs")["proposals"][0]["body"]["factor"] == "12"
    assert site.settle("unit_differs").status_code == 200
    assert site.on_hand() == {("supplier", ""): -24, ("BIN-1", ""): 24}
    assert site.received("PO-1") == {1: 24}
