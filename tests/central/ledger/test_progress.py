"""What crosses the border that a document is about counts towards it, and where it is under way."""

import pytest

from central.contract.reference import DocumentLine, ExpectedDocument
from central.ledger.desk import Desk
from central.ledger.reference_desk import put_document, withdraw_document
from central.ledger.verify import verify_ledger
from central.storage import tables
from tests.central.scenery import FixedClock, Gateway, discrepancies, furnished, lines_of, rows

M = 1_000_000


def document(kind, *, quantity="5", warehouse="SH1", code="D-1"):
    return ExpectedDocument(
        code=code,
        warehouse=warehouse,
        partner="Acme",
        kind=kind,
        lines=(DocumentLine(line=1, item="BOLT", quantity=quantity),),
    )


def put(database, *documents):
    with Desk(database, clock=FixedClock()).change(actor="li.na") as change:
        for one in documents:
            put_document(change, one)


def done(database, document="D-1"):
    """{line: what is done} of a document, zeros left out."""
    found = rows(database, tables.document_progress, "document", "line", "received_micro")
    return {line: micro / M for code, line, micro in found if code == document and micro}


def stated(source, target, quantity="3", **fields):
    return {"source": source, "target": target, "quantity": quantity, "document_line": 1} | fields


COUNTED = [
    pytest.param("receipt", stated("supplier", "BIN-1"), 3, id="received"),
    pytest.param("receipt", stated("BIN-1", "supplier"), -3, id="sent back"),
    pytest.param("receipt", stated("BIN-1", "BIN-2"), 0, id="put away"),
    pytest.param("receipt", stated("supplier", "scrap"), 3, id="received and scrapped"),
    pytest.param("supplier_return", stated("BIN-1", "supplier"), 3, id="returned"),
    pytest.param("supplier_return", stated("supplier", "BIN-1"), -3, id="come again"),
    pytest.param("shipment", stated("STAGE-1", "customer"), 3, id="shipped"),
    pytest.param("shipment", stated("BIN-1", "STAGE-1"), 0, id="picked"),
    pytest.param("shipment", stated("customer", "STAGE-1"), -3, id="refused by the customer"),
    pytest.param("customer_return", stated("customer", "BIN-1"), 3, id="come back"),
    pytest.param("transfer_out", stated("BIN-1", "in_transit"), 3, id="sent"),
    pytest.param("transfer_out", stated("in_transit", "BIN-1"), -3, id="sent and come back"),
    pytest.param("transfer_in", stated("in_transit", "BIN-1"), 3, id="arrived"),
    pytest.param("transfer_out", stated("in_transit", "adjustment"), 0, id="lost on the way"),
    pytest.param("transfer_in", stated("adjustment", "in_transit"), 0, id="found on the way"),
    pytest.param("transfer_out", stated("in_transit", "scrap"), 0, id="broken on the way"),
    pytest.param("count", stated("adjustment", "BIN-1"), 0, id="found by a count"),
]


@pytest.mark.parametrize(("kind", "moved", "expected"), COUNTED)
def test_goods_count_the_way_that_the_document_goes(database, kind, moved, expected):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    put(database, document(kind))
    gateway.move(document="D-1", **moved)
    inbox.accept([gateway.offer()])
    assert done(database).get(1, 0) == expected
    told = [one[0] for one in discrepancies(database) if one[0] != "negative_balance"]
    assert told == ["unexpected"] * (expected < 0)  # It had not counted what goes back.
    assert verify_ledger(database).faults == ()
    gateway.reverse(1)
    inbox.accept([gateway.offer(2)])
    assert done(database) == {}
    assert verify_ledger(database).faults == ()


BEFORE = [
    pytest.param(("shipment",), {1: 3}, id="known then"),
    pytest.param(("shipment", "receipt", "shipment"), {1: 3}, id="its kind corrected"),
    pytest.param(("receipt",), {1: -3}, id="meant to come in"),
]


@pytest.mark.parametrize(("kinds", "expected"), BEFORE)
@pytest.mark.parametrize("withdrawn", [False, True])
def test_what_moved_before_a_document_was_known_counts_as_the_document_goes(
    database, kinds, expected, withdrawn
):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(document="D-1", **stated("BIN-1", "customer"))
    gateway.move(document="D-1", **stated("BIN-1", "customer", "1"))
    gateway.reverse(2)
    inbox.accept([gateway.offer(1, 2)])
    assert done(database) == {1: -4}
    put(database, *(document(kind) for kind in kinds))
    inbox.accept([gateway.offer(3)])
    assert done(database) == expected
    if withdrawn:
        with Desk(database, clock=FixedClock()).change(actor="li.na") as change:
            withdraw_document(change, warehouse="SH1", code="D-1")
        gateway.move(document="D-1", **stated("BIN-1", "customer", "1"))
        inbox.accept([gateway.offer(4)])
        assert done(database) == {1: expected[1] * 4 / 3}
    assert verify_ledger(database).faults == ()


def test_more_than_a_document_asks_for_is_found_in_its_own_words(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    put(database, document("shipment"), document("receipt", code="D-2"))
    gateway.move(document="D-2", **stated("supplier", "BIN-1", "9"))
    gateway.move(document="D-1", **stated("BIN-1", "customer", "5"))
    inbox.accept([gateway.offer()])
    assert discrepancies(database) == [("over_received", "D-2/1/BOLT", 1)]
    gateway.move(document="D-1", **stated("BIN-1", "customer", "1"))
    gateway.reverse(3)
    inbox.accept([gateway.offer(3)])
    assert discrepancies(database)[1:] == [("over_shipped", "D-1/1/BOLT", 1)]


def test_goods_of_a_transfer_are_apart_in_the_books_of_both_warehouses(database):
    here, there = Gateway("here"), Gateway("there", warehouse="BJ1")
    inbox = furnished(database, here, there)
    put(
        database,
        document("transfer_out", code="TR-1"),
        document("transfer_in", warehouse="BJ1", code="TR-1"),
    )
    here.move(quantity="9")
    here.move(document="TR-1", **stated("BIN-1", "in_transit"))
    here.move(source="BIN-1", target="in_transit")
    there.move(document="TR-1", **stated("in_transit", "BIN-1", "2"))
    inbox.accept([here.offer(), there.offer()])
    under_way = {
        row[:2]: row[8] // M
        for row in rows(database, tables.balances)
        if row[1].startswith("in_transit")
    }
    assert under_way == {
        ("SH1", "in_transit/TR-1"): 3,
        ("SH1", "in_transit"): 1,
        ("BJ1", "in_transit/TR-1"): -2,
    }
    assert lines_of(database, 2)[1][1] == "in_transit/TR-1"
    assert discrepancies(database) == [("transit_unnamed", "BOLT", 1)]
    assert verify_ledger(database).faults == ()


def test_lines_of_an_older_version_at_the_one_place_for_all_transit_are_right(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(quantity="9", document="TR-1", source="in_transit")
    inbox.accept([gateway.offer()])
    with database.write() as connection:
        for table in (tables.lines, tables.balances):
            connection.execute(
                table.update()
                .where(table.c.location == "in_transit/TR-1")
                .values(location="in_transit")
            )
    assert verify_ledger(database).faults == ()


def test_goods_of_two_statuses_count_and_are_taken_back_together(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    put(database, document("shipment"))
    gateway.move(quantity="3")
    gateway.move(quantity="9", to_status="held")
    gateway.move(document="D-1", **stated("BIN-1", "customer", "5"))
    gateway.reverse(3)
    inbox.accept([gateway.offer(1, 3)])
    assert done(database) == {1: 5}
    assert len(lines_of(database, 3)) == 4
    assert verify_ledger(database).faults == ()
    inbox.accept([gateway.offer(4)])
    assert done(database) == {}
    assert verify_ledger(database).faults == ()


@pytest.mark.parametrize("source", ["adjustment", "supplier"])
def test_a_count_finds_what_it_finds(database, source):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(source=source, document="CNT-9", document_line=7, business_step="counting")
    inbox.accept([gateway.offer()])
    assert discrepancies(database) == []
    assert rows(database, tables.document_progress, "document", "received_micro")[0][1] == 0
    assert verify_ledger(database).faults == ()
