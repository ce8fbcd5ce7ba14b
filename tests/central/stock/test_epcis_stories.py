"""What the desk decides and what cards become is told truly and once for all as EPCIS events."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.central.api.test_openapi import prepared
from tests.central.clients import call

GS1 = Path(__file__).parent / "gs1" / "EPCIS-JSON-Schema.json"
VALIDATOR = jsonschema.Draft7Validator(json.loads(GS1.read_bytes()))
LINK = "https://id.gs1.org/01/"
PIECE, LOWER, CARTON = "04006381333931", "00012345678905", "14006381333938"
CARD = {
    "code": "G",
    "name": "Goods",
    "unit": "C62",
    "barcodes": [{"gtin": PIECE[1:]}],
    "packs": [{"unit": "CT", "numerator": 12, "gtin": CARTON}, {"unit": "BX", "numerator": 6}],
}


class Desk:
    def __init__(self, database):
        self.walk = prepared(database)
        self.clock = self.walk.app.state.read_side.clock

    def __call__(self, method, path, body=None, **headers):
        sent = {"headers": headers} | ({} if body is None else {"json": body})
        answer = call(self.walk.app, method, f"/api/v1{path}", **sent)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def change(self, **fields):
        self.clock.time_ms += 60_000
        return self("PATCH", "/items/G", fields, **{"If-Match": "*"})

    def events(self):
        found, path = [], "/epcis/events?limit=5"
        while path:
            answer = call(self.walk.app, "GET", f"/api/v1{path}")
            document = answer.json()
            VALIDATOR.validate(document)
            found += document["epcisBody"]["eventList"]
            more = answer.headers["dockledger-more"] == "true"
            cursor = answer.headers["dockledger-next-cursor"]
            path = f"/epcis/events?limit=5&cursor={cursor}" if more else ""
        return found

    def settle(self, kind, **body):
        (one,) = self("GET", f"/discrepancies?kind={kind}&state=open")["discrepancies"]
        self("POST", f"/discrepancies/{one['id']}/settle", {"reason": "looked"} | body)
        return one["id"]


@pytest.fixture
def desk(database):
    desk = Desk(database)
    desk("POST", "/items", CARD)
    return desk


def said(event):
    return event["type"], event["action"], event["bizStep"], event.get("disposition")


def document(event):
    return [(one.get("type"), one["bizTransaction"][-9:]) for one in event["bizTransactionList"]]


def test_what_a_count_missed_left_and_what_it_found_came(desk):
    desk("POST", "/items", {"code": "SN", "name": "N", "unit": "C62", "kind": "piece"})
    for serial in ("S1", "S2"):
        desk.walk.move("SN", "1", "supplier", "BIN-1", serial=serial)
    lines = [{"location": "BIN-1"}]
    body = {"warehouse": "SH1", "lines": lines, "rounds_max": 1}
    code = desk("POST", "/counts", body)["code"]
    desk("POST", f"/counts/{code}/release")
    there = {"location": "BIN-1"}
    entries = [
        {"item": "SN", "serial": "S1", "quantity": "1"} | there,
        {"item": "G", "quantity": "3"} | there,
    ]
    desk("POST", f"/counts/{code}/entries", {"counted_by": "an", "entries": entries})
    for step in ("finish", "accept"):
        desk("POST", f"/counts/{code}/{step}", **{"Dockledger-Actor": "li"})
    adjusted = [event for event in desk.events() if "bizTransactionList" in event]
    missed = next(event for event in adjusted if "epcList" in event)
    found = next(event for event in adjusted if "quantityList" in event)
    assert len(adjusted) == 2
    assert said(missed) == ("ObjectEvent", "DELETE", "cycle_counting", "unknown")
    assert missed["epcList"][0].endswith("/item/SN/21/S2") and "bizLocation" not in missed
    assert said(found) == ("ObjectEvent", "ADD", "cycle_counting", None)
    assert found["bizLocation"]["id"].endswith("/SH1/BIN-1")
    assert document(missed) == document(found) == [(None, code[-9:])]


def test_what_a_transfer_lost_is_not_told_as_under_way(desk):
    desk.walk.move("G", "10", "supplier", "BIN-1")
    lines = [{"item": "G", "quantity": "10"}]
    body = {"source_warehouse": "SH1", "destination_warehouse": "BJ1", "lines": lines}
    code = desk("POST", "/transfers", body)["code"]
    for step in ("request", "approve", "release"):
        desk("POST", f"/transfers/{code}/{step}")
    under = {"document": code, "document_line": 1}
    desk.walk.move("G", "10", "BIN-1", "in_transit", business_step="shipping", **under)
    desk.walk.move("G", "8", "in_transit", "BIN-1", warehouse="BJ1", **under)
    closings = [
        {"item": "G", "unit": "C62", "quantity": "1", "reason": why} for why in ("lost", "damaged")
    ]
    desk("POST", f"/transfers/{code}/close", {"closings": closings, "reason": "seen"})
    lost, damaged = desk.events()[-2:]
    assert said(lost) == ("ObjectEvent", "DELETE", "other", "unknown")
    assert said(damaged) == ("ObjectEvent", "DELETE", "destroying", None)
    assert "bizLocation" not in lost and document(lost) == [("desadv", code[-9:])]


def test_what_was_sent_back_on_the_way_is_received_again(desk):
    desk.walk.move("G", "10", "supplier", "BIN-1")
    lines = [{"item": "G", "quantity": "10"}]
    body = {"source_warehouse": "SH1", "destination_warehouse": "BJ1", "lines": lines}
    code = desk("POST", "/transfers", body)["code"]
    for step in ("request", "approve", "release"):
        desk("POST", f"/transfers/{code}/{step}")
    under = {"document": code, "document_line": 1}
    desk.walk.move("G", "10", "BIN-1", "in_transit", business_step="shipping", **under)
    back = {"item": "G", "unit": "C62", "quantity": "10", "reason": "sent_back"}
    closings = [back | {"location": "BIN-2"}]
    desk("POST", f"/transfers/{code}/close", {"closings": closings, "reason": "seen"})
    returned = desk.events()[-1]
    assert said(returned) == ("TransactionEvent", "ADD", "receiving", "returned")
    assert returned["bizLocation"]["id"].endswith("/SH1/BIN-2")
    assert document(returned) == [("desadv", code[-9:])]


MOVED_UNDER = {
    ("supplier", "BIN-1"): "po",
    ("BIN-1", "supplier"): "rma",
    ("BIN-1", "customer"): "poc",
    ("customer", "BIN-1"): "rma",
    ("BIN-1", "in_transit"): "desadv",
    ("in_transit", "BIN-1"): "desadv",
    ("BIN-1", "production"): "prodorder",
    ("production", "BIN-1"): "prodorder",
    ("BIN-1", "BIN-2"): None,  # Picked for whom, or put away of what, it does not tell.
}


@pytest.mark.parametrize("ends", MOVED_UNDER, ids="-to-".join)
def test_a_document_is_of_the_type_that_its_movement_shows(desk, ends):
    desk.walk.move("G", "1", *ends, document="DOC-0001", document_line=1)
    (event,) = desk.events()
    assert document(event) == [(MOVED_UNDER[ends], "/DOC-0001")]


def test_an_event_says_ever_after_what_it_said_first(desk):
    def move():
        desk.walk.move("G", "1", "supplier", "BIN-1")
        desk.walk.move("G", "2", "supplier", "BIN-1", unit="CT")
        desk.walk.move("G", "3", "supplier", "BIN-1", unit="BX")
        return desk.events()

    told = move()
    both = [{"gtin": PIECE[1:]}, {"gtin": LOWER[1:]}]
    changes = (
        {"barcodes": both},
        {"barcodes": both[1:]},
        {"packs": [{"unit": "CT", "numerator": 10}, {"unit": "BX", "numerator": 5}]},
        {"barcodes": []},
    )
    for change in changes:
        desk.change(**change)
        assert desk.events() == told
        told = move()
    first = [one["quantityList"][0] for one in told]
    classes = [(one["epcClass"], one["quantity"]) for one in first]
    own = "https://dockledger.invalid/demo/item/G"
    assert classes == [
        *((LINK + PIECE, 1), (LINK + CARTON, 2), (LINK + PIECE, 18)),
        *((LINK + PIECE, 1), (LINK + CARTON, 2), (LINK + PIECE, 18)),
        *((LINK + LOWER, 1), (LINK + CARTON, 2), (LINK + LOWER, 18)),
        *((LINK + LOWER, 1), (LINK + LOWER, 20), (LINK + LOWER, 15)),
        *((own, 1), (own, 20), (own, 15)),
    ]
    assert not any("uom" in one for one in first)


def test_what_a_retired_item_was_called_stays(desk):
    desk.walk.move("G", "2", "supplier", "BIN-1", unit="CT")
    desk.walk.move("G", "24", "BIN-1", "scrap")
    told = desk.events()
    assert told[0]["quantityList"] == [{"epcClass": LINK + CARTON, "quantity": 2}]
    desk.clock.time_ms += 60_000
    desk("DELETE", "/items/G", **{"If-Match": "*"})
    assert desk.events() == told
    desk.clock.time_ms += 60_000
    desk("POST", "/items", CARD | {"barcodes": [{"gtin": LOWER[1:]}], "packs": []})
    assert desk.events() == told


def test_parts_of_a_pack_are_told_in_pieces(desk):
    desk.walk.move("G", "0.5", "supplier", "BIN-1", unit="CT")
    (event,) = desk.events()
    assert event["quantityList"] == [{"epcClass": LINK + PIECE, "quantity": 6}]


def declared(event, wrong):
    """Whether an event is another one once more, declared wrong."""
    return {**event, "errorDeclaration": 0, "recordTime": 0} == {
        **wrong,
        "errorDeclaration": 0,
        "recordTime": 0,
    }


def test_what_a_settlement_takes_back_is_declared_wrong_and_told_again_when_it_is_reopened(desk):
    desk.walk.move("G", "4", "supplier", "BIN-2", document="PO-404")
    desk.clock.time_ms += 60_000
    which = desk.settle("unknown_document", action="reverse")
    received, back = desk.events()
    assert declared(back, received) and "errorDeclaration" not in received
    assert back["errorDeclaration"]["reason"] == "did_not_occur"
    assert back["errorDeclaration"]["declarationTime"] == back["recordTime"]
    desk("POST", f"/discrepancies/{which}/reopen", {"reason": "it did"}, **{"If-Match": "*"})
    _, _, again = desk.events()
    assert again["eventID"] != received["eventID"] and "errorDeclaration" not in again
    assert again["bizTransactionList"] == received["bizTransactionList"]
    assert again["quantityList"] == received["quantityList"] and said(again) == said(received)
    assert desk.events()[:2] == [received, back]
    desk("POST", f"/discrepancies/{which}/settle", {"reason": "no", "action": "reverse"})
    last = desk.events()[-1]
    assert declared(last, again) and last["eventID"] == again["eventID"]


def test_what_was_posted_instead_corrects_what_was_wrong(desk):
    desk.walk.move("BOLT", "4", "supplier", "BIN-2", document="PO-404")
    desk.settle(
        "unknown_document", action="reassign", document="PO-1", document_line=1, quantity="1"
    )
    told = desk.events()
    (back,) = [event for event in told if "errorDeclaration" in event]
    right = [event["eventID"] for event in told if event["eventID"] != back["eventID"]]
    assert declared(back, told[0])
    assert back["errorDeclaration"]["reason"] == "incorrect_data"
    assert len(right) == 2 and set(back["errorDeclaration"]["correctiveEventIDs"]) == set(right)
