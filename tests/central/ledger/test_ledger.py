"""Balances, progress, reversals and discrepancies, on both databases."""

import pytest

from central.errors import ReferenceRefused
from central.ledger.verify import verify_ledger
from central.storage import tables
from tests.central.scenery import (
    REFERENCE,
    Gateway,
    discrepancies,
    furnished,
    load,
    on_hand,
    rows,
)


def accepted(database, gateway, *, at_once=1000):
    """Post everything a gateway said, in batches of so many facts."""
    inbox = furnished(database, gateway)
    for first in range(1, len(gateway.bodies) + 1, at_once):
        last = min(first + at_once - 1, len(gateway.bodies))
        (outcome,) = inbox.accept([gateway.offer(first, last)])
        assert outcome.kind == "accepted"
    assert verify_ledger(database).faults == ()
    return inbox


def progress(database):
    return rows(
        database,
        tables.document_progress,
        "document",
        "line",
        "item",
        "expected_micro",
        "received_micro",
    )


@pytest.mark.parametrize("at_once", [1, 2, 1000])
def test_balances_are_kept_by_place_lot_and_unit(database, at_once):
    gateway = Gateway()
    gateway.move(quantity="10", lot="A")
    gateway.move(quantity="5", lot="B")
    gateway.move(quantity="4", lot="A", source="BIN-1", target="BIN-2")
    gateway.move(quantity="1", lot="A", source="BIN-2", target="customer")
    accepted(database, gateway, at_once=at_once)
    assert on_hand(database) == {
        ("SH1", "BIN-1", "A"): 6_000_000,
        ("SH1", "BIN-1", "B"): 5_000_000,
        ("SH1", "BIN-2", "A"): 3_000_000,
        ("SH1", "customer", "A"): 1_000_000,
        ("SH1", "supplier", "A"): -10_000_000,
        ("SH1", "supplier", "B"): -5_000_000,
    }


@pytest.mark.parametrize("at_once", [1, 1000])
def test_a_place_below_zero_is_posted_and_reported_once_while_open(database, at_once):
    gateway = Gateway()
    gateway.move(quantity="2")
    gateway.move(quantity="3", source="BIN-1", target="BIN-2")
    gateway.move(quantity="1", source="BIN-1", target="BIN-2")
    gateway.move(quantity="9")
    accepted(database, gateway, at_once=at_once)
    assert on_hand(database)["SH1", "BIN-1", ""] == 7_000_000
    assert discrepancies(database) == [("negative_balance", "BIN-1/BOLT////C62", 2)]
    assert rows(database, tables.discrepancies, "seq", "actual_micro", "state", "location") == [
        (2, -2_000_000, "open", "BIN-1")
    ]


def test_a_settled_discrepancy_opens_anew_for_a_later_fact(database):
    gateway = Gateway()
    gateway.move(source="BIN-1", target="BIN-2")
    inbox = accepted(database, gateway)
    with database.write() as connection:
        connection.execute(tables.discrepancies.update().values(state="settled"))
    gateway.move(source="BIN-1", target="BIN-2")
    inbox.accept([gateway.offer(2)])
    assert rows(database, tables.discrepancies, "seq", "state") == [(1, "settled"), (2, "open")]


@pytest.mark.parametrize("at_once", [1, 1000])
def test_document_progress_counts_and_says_when_too_much_came(database, at_once):
    gateway = Gateway()
    for quantity in ("60", "45", "1"):
        gateway.move(quantity=quantity, document="PO-1", document_line=1)
    accepted(database, gateway, at_once=at_once)
    assert progress(database) == [
        ("PO-1", 1, "BOLT", 100_000_000, 106_000_000),
        ("PO-1", 2, "RICE", 50_000_000, 0),
    ]
    assert rows(
        database, tables.discrepancies, "kind", "seq", "expected_micro", "actual_micro", "document"
    ) == [("over_received", 3, 100_000_000, 106_000_000, "PO-1")]


def test_goods_that_go_back_are_not_over_received_again(database):
    gateway = Gateway()
    gateway.move(quantity="120", document="PO-1", document_line=1)
    gateway.move(quantity="5", source="BIN-1", target="supplier", document="PO-1", document_line=1)
    accepted(database, gateway)
    assert progress(database)[0] == ("PO-1", 1, "BOLT", 100_000_000, 115_000_000)
    assert discrepancies(database) == [("over_received", "PO-1/1/BOLT", 1)]


def test_what_came_before_its_document_counts_once_the_document_is_loaded(database):
    gateway = Gateway()
    gateway.move(quantity="7", document="PO-2", document_line=1)
    accepted(database, gateway)
    assert discrepancies(database) == [("unknown_document", "PO-2", 1)]
    later = REFERENCE.replace(b"revision = 1", b"revision = 2").replace(b'"PO-1"', b'"PO-2"')
    assert load(database, later)
    assert progress(database) == [
        ("PO-2", 1, "BOLT", 100_000_000, 7_000_000),
        ("PO-2", 2, "RICE", 50_000_000, 0),
    ]
    assert verify_ledger(database).faults == ()


@pytest.mark.parametrize("at_once", [1, 1000], ids=["apart", "in one batch"])
def test_a_reversal_takes_lines_and_progress_back(database, at_once):
    gateway = Gateway()
    gateway.move("RICE", "1500", unit="GRM", document="PO-1", document_line=2)
    gateway.reverse(1)
    accepted(database, gateway, at_once=at_once)
    assert on_hand(database, "RICE") == {}
    assert progress(database)[1] == ("PO-1", 2, "RICE", 50_000_000, 0)
    assert rows(database, tables.lines, "record_no", "line_no", "location", "quantity_micro") == [
        (1, 1, "supplier", -1_500_000),
        (1, 2, "BIN-1", 1_500_000),
        (2, 1, "supplier", 1_500_000),
        (2, 2, "BIN-1", -1_500_000),
    ]
    assert discrepancies(database) == []


@pytest.mark.parametrize("at_once", [1, 1000], ids=["apart", "in one batch"])
def test_a_reversal_without_a_movement_to_take_back_is_reported(database, at_once):
    gateway = Gateway()
    gateway.move()
    gateway.weigh()
    gateway.reverse(1)
    for seq in (1, 2, 3, 99):
        gateway.reverse(seq)
    accepted(database, gateway, at_once=at_once)
    assert [kind for kind, _, _ in discrepancies(database)] == ["reversal_unmatched"] * 4
    assert on_hand(database) == {}


def test_a_movement_of_an_earlier_epoch_can_be_taken_back(database):
    gateway = Gateway()
    gateway.move()
    inbox = accepted(database, gateway)
    later = gateway.next_epoch()
    later.reverse(1, epoch=gateway.epoch)
    inbox.accept([later.offer()])
    assert on_hand(database) == {}
    assert discrepancies(database) == []


def test_another_gateways_movement_cannot_be_taken_back(database):
    first, second = Gateway("gw-1"), Gateway("gw-2")
    first.move()
    second.reverse(1)
    inbox = furnished(database, first, second)
    inbox.accept([first.offer(), second.offer()])
    assert on_hand(database)["SH1", "BIN-1", ""] == 1_000_000
    assert [kind for kind, _, _ in discrepancies(database)] == ["reversal_unmatched"]


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_an_absurd_quantity_is_kept_but_never_breaks_a_balance(database, at_once):
    gateway = Gateway()
    for _ in range(12):
        gateway.move(quantity="9999999999", document="PO-1", document_line=1)
    gateway.reverse(11)
    accepted(database, gateway, at_once=at_once)
    assert on_hand(database)["SH1", "BIN-1", ""] == 10 * 9_999_999_999_000_000
    found = [kind for kind, _, _ in discrepancies(database)]
    assert found == [*["over_received"], *["quantity_overflow"] * 2, "reversal_unmatched"]


def test_a_fact_about_another_warehouse_is_kept_and_moves_nothing(database):
    gateway = Gateway()
    gateway.print_label()
    gateway.move(warehouse="BJ1")
    accepted(database, gateway)
    assert rows(database, tables.lines) == []
    assert discrepancies(database) == [("wrong_warehouse", f"{gateway.code}/{gateway.epoch}/2", 1)]


def test_each_fact_behind_a_discrepancy_is_counted(database):
    gateway = Gateway()
    for _ in range(3):
        gateway.move("GHOST", target="BIN-8")
    accepted(database, gateway, at_once=2)
    assert discrepancies(database) == [
        ("unknown_item", "GHOST", 3),
        ("unknown_location", "BIN-8", 3),
    ]


def test_reference_data_is_replaced_whole_and_never_by_an_older_revision(database):
    load(database, REFERENCE.replace(b"revision = 1", b"revision = 3"))
    assert not load(database, REFERENCE.replace(b"revision = 1", b"revision = 3"))
    with pytest.raises(ReferenceRefused):
        load(database, REFERENCE)
    smaller = REFERENCE.replace(b"revision = 1", b"revision = 4")
    smaller = smaller[: smaller.index(b"[[documents]]")]
    assert load(database, smaller)
    assert rows(database, tables.documents) == [] == rows(database, tables.document_progress)
    assert [row[0] for row in rows(database, tables.items)] == ["BOLT", "NUT", "RICE"]


@pytest.mark.parametrize("table", ["items", "locations", "documents", "document_lines"])
def test_a_look_up_that_failed_is_not_remembered_as_unknown(database, table):
    gateway = Gateway()
    gateway.move("RICE", "5000", unit="GRM", document="PO-1", document_line=2)
    inbox = furnished(database, gateway)
    with database.write() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO away")
    with pytest.raises(Exception, match=table):
        inbox.accept([gateway.offer()])
    with database.write() as connection:
        connection.exec_driver_sql(f"ALTER TABLE away RENAME TO {table}")
    inbox.accept([gateway.offer()])
    assert discrepancies(database) == []
    assert on_hand(database, "RICE")["SH1", "BIN-1", ""] == 5_000_000


def test_new_reference_data_counts_from_the_next_batch_on(database):
    gateway = Gateway()
    gateway.move("SCREW")
    gateway.move("SCREW")
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer(1, 1)])
    load(database, REFERENCE.replace(b"revision = 1", b"revision = 2").replace(b"NUT", b"SCREW"))
    inbox.accept([gateway.offer(2, 2)])
    assert discrepancies(database) == [("unknown_item", "SCREW", 1)]
