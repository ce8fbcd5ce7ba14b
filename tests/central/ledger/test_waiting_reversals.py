"""Reversals that come before their movement, as after a fork or with a late epoch."""

import pytest

from central.ledger.state import read_state
from central.ledger.verify import rebuild_balances, verify_ledger
from central.storage import tables
from tests.central.scenery import Gateway, discrepancies, furnished, on_hand, rows


def waiting_count(database):
    with database.read() as connection:
        return read_state(connection).reversals_waiting_count


def early_reversal(database, say, *, reversed_seq=1):
    """A later epoch takes back what an earlier one says, and is posted first; the inbox."""
    earlier = Gateway()
    say(earlier)
    later = earlier.next_epoch()
    later.reverse(reversed_seq, epoch=earlier.epoch)
    inbox = furnished(database, earlier)
    (outcome,) = inbox.accept([later.offer()])
    assert outcome.kind == "accepted"
    return earlier, later, inbox


def movements(gateway):
    gateway.move(quantity="3", document="PO-1", document_line=1)
    gateway.move(quantity="7")


def test_a_reversal_waits_for_its_movement_and_takes_it_back_when_it_comes(database):
    earlier, _, inbox = early_reversal(database, movements)
    assert waiting_count(database) == 1
    assert verify_ledger(database).faults == ()
    inbox.accept([earlier.offer()])
    assert on_hand(database) == {
        ("SH1", "supplier", ""): -7_000_000,
        ("SH1", "BIN-1", ""): 7_000_000,
    }
    assert waiting_count(database) == 0
    assert rows(database, tables.lines, "record_no", "line_no", "location", "quantity_micro") == [
        (2, 1, "supplier", -3_000_000),
        (2, 2, "BIN-1", 3_000_000),
        (2, 3, "supplier", 3_000_000),
        (2, 4, "BIN-1", -3_000_000),
        (3, 1, "supplier", -7_000_000),
        (3, 2, "BIN-1", 7_000_000),
    ]
    ((kind, state, settlement),) = [
        row
        for row in rows(database, tables.discrepancies, "kind", "state", "settlement")
        if row[0] == "reversal_unmatched"
    ]
    assert (kind, state) == ("reversal_unmatched", "settled")
    assert settlement == "its movement came as record 2 and is taken back"
    assert verify_ledger(database).faults == ()
    rebuild_balances(database)
    assert rows(database, tables.balances, "location", "record_no") == [
        ("BIN-1", 3),
        ("supplier", 3),
    ]


def test_what_goes_and_comes_back_at_once_leaves_no_finding(database):
    def say(gateway):
        gateway.move(source="BIN-1", target="BIN-2", quantity="2")
        gateway.move(quantity="500", document="PO-1", document_line=1)

    earlier, later, inbox = early_reversal(database, say)
    later.reverse(2, epoch=earlier.epoch)
    inbox.accept([later.offer(2)])
    inbox.accept([earlier.offer()])
    assert on_hand(database) == {}
    assert {kind for kind, _, _ in discrepancies(database)} == {
        "broken_chain",
        "reversal_unmatched",
    }
    assert verify_ledger(database).faults == ()


@pytest.mark.parametrize("again", ["before it comes", "after it came"])
def test_a_movement_is_taken_back_once_also_if_it_comes_late(database, again):
    earlier, later, inbox = early_reversal(database, movements)
    later.reverse(1, epoch=earlier.epoch)
    offers = [later.offer(2), earlier.offer()]
    for offer in offers if again == "before it comes" else reversed(offers):
        inbox.accept([offer])
    assert on_hand(database)["SH1", "BIN-1", ""] == 7_000_000
    found = rows(database, tables.discrepancies, "kind", "epoch", "seq", "state")
    assert [row for row in found if row[0] == "reversal_unmatched"] == [
        ("reversal_unmatched", str(later.epoch), 1, "settled"),
        ("reversal_unmatched", str(later.epoch), 2, "open"),
    ]
    assert verify_ledger(database).faults == ()


SAYINGS = [
    pytest.param(lambda one: one.weigh(), id="a weighing"),
    pytest.param(lambda one: one.say(b"\xc1"), id="bytes that are no fact"),
]


@pytest.mark.parametrize("say", SAYINGS)
def test_a_reversal_stays_unmatched_if_what_comes_moves_nothing(database, say):
    earlier, later, inbox = early_reversal(database, say)
    inbox.accept([earlier.offer()])
    assert waiting_count(database) == 0
    assert rows(database, tables.reversals) == rows(database, tables.lines) == []
    later.reverse(1, epoch=earlier.epoch)
    inbox.accept([later.offer(2)])
    assert waiting_count(database) == 0
    found = rows(database, tables.discrepancies, "kind", "state")
    assert found.count(("reversal_unmatched", "open")) == 2
    assert verify_ledger(database).faults == ()


@pytest.mark.parametrize("calls_count", [1, 2, 3])
def test_a_reversal_of_a_reversal_takes_nothing_back_also_if_it_comes_first(database, calls_count):
    first = Gateway()
    movements(first)
    second = first.next_epoch()
    second.reverse(1, epoch=first.epoch)
    third = second.next_epoch()
    third.reverse(1, epoch=second.epoch)
    inbox = furnished(database, first)
    offers = [third.offer(), first.offer(), second.offer()]
    for payloads in (offers,) if calls_count == 1 else (offers[:-1], offers[-1:]):
        for call in [payloads] if calls_count < 3 else [[offer] for offer in payloads]:
            inbox.accept(call)
    assert on_hand(database)["SH1", "BIN-1", ""] == 7_000_000
    assert waiting_count(database) == 0
    assert [row[3:] for row in rows(database, tables.reversals)] == [(1, str(second.epoch), 1)]
    found = rows(database, tables.discrepancies, "kind", "epoch", "state")
    assert [row for row in found if row[0] == "reversal_unmatched"] == [
        ("reversal_unmatched", str(third.epoch), "open")
    ]
    assert verify_ledger(database).faults == ()


def test_a_movement_of_its_own_epoch_that_is_not_there_yet_is_not_waited_for(database):
    gateway = Gateway()
    gateway.reverse(2)
    gateway.move()
    furnished(database, gateway).accept([gateway.offer()])
    assert waiting_count(database) == 0
    assert on_hand(database)["SH1", "BIN-1", ""] == 1_000_000


DAMAGE = [
    pytest.param("DELETE FROM lines WHERE line_no > 2", id="the way back lost"),
    pytest.param("UPDATE lines SET location = 'BIN-3' WHERE line_no = 4", id="to another place"),
    pytest.param("DELETE FROM reversals", id="nobody knows what was reversed"),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_to_a_movement_that_was_taken_back_at_once_is_found(database, damage):
    earlier, _, inbox = early_reversal(database, movements)
    inbox.accept([earlier.offer()])
    with database.write() as connection:
        connection.exec_driver_sql(damage)
    assert verify_ledger(database).faults
