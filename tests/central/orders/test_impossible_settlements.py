"""No settlement moves more than there is, or parts a piece: it is refused, with the figures."""

import pytest

from central.contract.reference import DocumentLine, ExpectedDocument
from central.ledger.reference_desk import put_document
from central.orders.transfers.transfer_book import LineWanted, create_transfer, decide
from tests.central.orders.settling import Settling


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def refused(site, kind, body):
    """The fields of a refusal, which changes nothing."""
    before = site.found(kind)
    answer = site.settle(kind, body)
    assert answer.status_code == 422, answer.text
    assert site.found(kind) == before
    return answer.json()["fields"]


def parted(quantity, *, item="NUT"):
    return {"item": item, "unit": "C62", "quantity": quantity}


def test_no_more_is_reassigned_than_is_missing(site):
    site.dock.move("NUT", "1", source="BIN-2", target="customer")
    site.send()
    body = {"action": "reassign", "location": "BIN-3", "quantity": "99"}
    assert refused(site, "negative_balance", body) == {"missing": "1", "asked": "99"}
    # It was meant for another place: below zero there, which is open in its turn.
    assert site.settle("negative_balance", body | {"quantity": "1"}).status_code == 200
    assert site.found("negative_balance")["location"] == "BIN-3"


def test_a_hole_is_filled_by_whole_pieces(site):
    site.dock.move("NUT", "1.5", target="BIN-3")
    site.dock.move("NUT", "2", source="BIN-2", target="customer")
    site.send()
    half = {"action": "reassign", "location": "BIN-3", "quantity": "0.5"}
    assert refused(site, "negative_balance", half) == parted("0.5")
    half = {"action": "adjust", "counted": "0.5"}
    assert refused(site, "negative_balance", half) == parted("0.5")
    assert refused(site, "negative_balance", {"action": "reverse", "quantity": "0.5"}) == parted(
        "0.5"
    )
    # Nor is it proposed: somebody has to count.
    (proposal,) = site.found("negative_balance")["proposals"]
    assert proposal["body"]["action"] == "adjust"


def test_a_hole_that_has_a_part_of_a_piece_is_filled_by_that_part(site):
    site.dock.move("NUT", "3", target="BIN-3")
    site.dock.move("NUT", "1.5", source="BIN-2", target="customer")
    site.send()
    assert site.found("negative_balance")["proposals"][0]["body"]["quantity"] == "1.5"
    assert site.settle("negative_balance").json()["state"] == "settled"


def test_goods_that_are_measured_are_parted_as_they_are(site):
    site.dock.move("RICE", "2.5", target="BIN-3", unit="KGM")
    site.dock.move("RICE", "4", source="BIN-2", target="customer", unit="KGM")
    site.send()
    assert site.settle("negative_balance").json()["actual"] == "-1.5"
    body = {"action": "adjust", "counted": "0.25"}
    assert site.settle("negative_balance", body).json()["state"] == "settled"


def test_what_came_above_the_expected_goes_back_in_whole_pieces_and_no_more_than_came(site):
    site.dock.move(quantity="100", document="PO-1", document_line=1)
    site.dock.move(quantity="8", document="PO-1", document_line=1)
    site.send()
    back = {"action": "reverse", "quantity": "0.5"}
    assert refused(site, "over_received", back) == parted("0.5", item="BOLT")
    back = {"action": "reverse", "quantity": "99"}
    assert refused(site, "over_received", back) == {"moved": "8", "asked": "99"}
    lines = (DocumentLine(line=1, item="BOLT", quantity="3"),)
    with site.desk.change(actor="x") as change:
        put_document(
            change, ExpectedDocument(code="PO-2", warehouse="SH1", partner="Acme", lines=lines)
        )
    site.dock.move(quantity="0.5", document="PO-2", document_line=1)
    site.send()
    # PO-2 expects 2.5 more: a part of a piece is not given to it.
    actions = [one["body"]["action"] for one in site.found("over_received")["proposals"]]
    assert actions == ["reverse", "accept"]


def test_what_is_above_by_a_part_of_a_piece_goes_back_as_it_came(site):
    site.dock.move(quantity="100", document="PO-1", document_line=1)
    site.dock.move(quantity="8.5", document="PO-1", document_line=1)
    site.send()
    assert site.settle("over_received").status_code == 200
    assert site.received("PO-1") == {1: 100}


def under_way(site, quantity, *, item="BOLT", unit="C62"):
    """A transfer of which so much has left and nothing has come."""
    site.dock.move(item, "9", target="BIN-1", unit=unit)
    site.send()
    with site.desk.change(actor="x") as change:
        lines = (LineWanted(item, int(float(quantity) * 10**6)),)
        code = create_transfer(change, source="SH1", destination="BJ1", lines=lines).code
    for action in ("request", "approve", "release"):
        with site.desk.change(actor="y") as change:
            decide(change, code, action, version=None)
    site.dock.move(
        item,
        quantity,
        source="BIN-1",
        target="in_transit",
        unit=unit,
        document=code,
        document_line=1,
    )
    site.send()
    return code


def closed(site, code, *parts, item="BOLT", unit="C62"):
    said = [
        {"item": item, "unit": unit, "quantity": quantity, "reason": reason}
        | ({"location": "BIN-1"} if reason == "sent_back" else {})
        for quantity, reason in parts
    ]
    return site.ask("POST", f"/transfers/{code}/close", {"closings": said, "reason": "r"})


def test_a_transfer_is_closed_by_whole_pieces(site):
    code = under_way(site, "2")
    answer = closed(site, code, ("0.5", "lost"), ("1.5", "sent_back"))
    assert (answer.status_code, answer.json()["fields"]) == (422, parted("0.5", item="BOLT"))
    assert site.on_hand()["BIN-1", ""] == 7
    assert closed(site, code, ("1", "lost"), ("1", "sent_back")).status_code == 200
    assert site.on_hand()["BIN-1", ""] == 8


def test_a_transfer_of_what_is_measured_is_closed_by_any_part(site):
    code = under_way(site, "2", item="RICE", unit="KGM")
    parts = ("0.5", "lost"), ("1.5", "sent_back")
    assert closed(site, code, *parts, item="RICE", unit="KGM").status_code == 200
