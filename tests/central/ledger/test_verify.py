"""Every kind of damage is found, and balances come back from the lines."""

import pytest
from sqlalchemy import text

from central.ledger.fact_check import Fault
from central.ledger.verify import rebuild_balances, verify_ledger
from tests.central.scenery import Gateway, furnished, on_hand


@pytest.fixture
def ledger(database):
    """A ledger with some of everything."""
    first, second = Gateway("gw-1"), Gateway("gw-2")
    for one in (first, second):
        one.move(quantity="10", document="PO-1", document_line=1)
        one.move(quantity="4", source="BIN-1", target="BIN-2")
        one.weigh()
        one.reverse(2)
        one.say(b"\xc1")
        one.reverse(2)
    inbox = furnished(database, first, second)
    inbox.accept([first.offer(), second.offer()])
    later = first.next_epoch()
    later.move(document="PO-1", document_line=1, lot="L1", expiry_date="2027-01-31")
    inbox.accept([later.offer()])
    return database


def test_a_sound_ledger_has_no_faults(ledger):
    report = verify_ledger(ledger)
    assert (report.facts_count, report.lines_count, report.faults_count) == (13, 14, 0)
    assert report.balances_count == 5


DAMAGE = [
    pytest.param(
        "UPDATE balances SET on_hand_micro = on_hand_micro + 1 WHERE location = 'BIN-2'",
        {"balance", "conservation"},
        id="a balance changed",
    ),
    pytest.param(
        "DELETE FROM balances WHERE location = 'BIN-1'",
        {"balance", "conservation"},
        id="a balance lost",
    ),
    pytest.param(
        "UPDATE lines SET quantity_micro = 1 WHERE record_no = 1",
        {"lines", "balance"},
        id="lines changed",
    ),
    pytest.param(
        "UPDATE lines SET location = 'BIN-3' WHERE record_no = 4",
        {"lines", "balance"},
        id="a reversal's place changed",
    ),
    pytest.param(
        "DELETE FROM lines WHERE record_no = 7",
        {"lines", "balance"},
        id="lines lost",
    ),
    pytest.param(
        "DELETE FROM facts WHERE gateway = 'gw-1' AND seq = 1",
        {"sequence", "chain", "lines", "record_number", "progress"},
        id="a fact lost",
    ),
    pytest.param(
        "DELETE FROM facts WHERE gateway = 'gw-1' AND seq = 2",
        {"sequence", "chain", "lines", "record_number"},
        id="a fact lost in the middle",
    ),
    pytest.param(
        "UPDATE facts SET body = digest WHERE gateway = 'gw-1' AND seq = 3",
        {"chain", "fact", "position"},
        id="a fact changed",
    ),
    pytest.param(
        "UPDATE facts SET kind = 'print' WHERE gateway = 'gw-1' AND seq = 3",
        {"fact"},
        id="a kind changed",
    ),
    pytest.param(
        "UPDATE facts SET digest = body WHERE gateway = 'gw-2' AND seq = 6",
        {"chain"},
        id="a digest changed",
    ),
    pytest.param(
        "UPDATE positions SET acked_seq = 5 WHERE gateway = 'gw-2'",
        {"position"},
        id="a position changed",
    ),
    pytest.param("DELETE FROM positions WHERE gateway = 'gw-2'", {"position"}, id="no position"),
    pytest.param(
        "INSERT INTO positions (gateway, epoch, warehouse, acked_seq, head_digest,"
        " previous_epoch_head, updated_ms) SELECT gateway, '00000009-0000000000000000', warehouse,"
        " 3, head_digest, head_digest, 0 FROM positions WHERE gateway = 'gw-2'",
        {"position"},
        id="a position without facts",
    ),
    pytest.param(
        "UPDATE document_progress SET received_micro = 5 WHERE line = 1",
        {"progress"},
        id="progress changed",
    ),
    pytest.param("DELETE FROM document_progress", {"progress"}, id="progress lost"),
    pytest.param(
        "UPDATE ledger_state SET value = '14' WHERE key = 'record_no'",
        {"record_number"},
        id="a number given to nobody",
    ),
    pytest.param(
        "UPDATE lines SET status = 'held' WHERE record_no = 1 AND line_no = 2",
        {"lines", "balance"},
        id="a status changed",
    ),
    pytest.param(
        "UPDATE lines SET weight_micro = 5 WHERE record_no = 1",
        {"lines", "balance"},
        id="a weight changed",
    ),
    pytest.param(
        "UPDATE balances SET weight_micro = 5 WHERE location = 'BIN-1'",
        {"balance", "conservation"},
        id="the weight of a balance changed",
    ),
    pytest.param(
        "UPDATE document_progress SET direction = -1 WHERE line = 1",
        {"progress"},
        id="progress turned",
    ),
    pytest.param(
        "UPDATE ledger_state SET value = '1' WHERE key = 'reversals_waiting_count'",
        {"waiting"},
        id="a reversal counted that does not wait",
    ),
    pytest.param("UPDATE lots SET expiry_date = '2030-01-01'", {"lot"}, id="another expiry date"),
    pytest.param("UPDATE lots SET first_record_no = 7", {"lot"}, id="of another movement"),
    pytest.param("DELETE FROM lots", {"lot"}, id="a lot lost"),
    pytest.param(
        "INSERT INTO lots SELECT warehouse, item, 'L9', expiry_date, 1 FROM lots",
        {"lot"},
        id="a lot that nobody named",
    ),
    pytest.param("DELETE FROM discrepancies", {"lines"}, id="no reason for missing lines"),
    pytest.param("DELETE FROM reversals", {"lines"}, id="nobody knows what was reversed"),
]


@pytest.mark.parametrize(("damage", "checks"), DAMAGE)
def test_damage_is_found(ledger, damage, checks):
    with ledger.write() as connection:
        connection.execute(text(damage))
    report = verify_ledger(ledger)
    assert {fault.check for fault in report.faults} >= checks
    assert report.faults_count == len(report.faults)


def test_progress_is_checked_in_parts_where_it_is_large(ledger):
    assert verify_ledger(ledger, progress_rows_max=1).faults == ()
    with ledger.write() as connection:
        connection.execute(text("UPDATE document_progress SET received_micro = 5 WHERE line = 1"))
    (fault,) = verify_ledger(ledger, progress_rows_max=1).faults
    assert fault.check == "progress"


def test_balances_are_rebuilt_from_lines_and_what_changed_is_said(ledger):
    before = on_hand(ledger)
    with ledger.write() as connection:
        connection.execute(
            text("UPDATE balances SET on_hand_micro = 7 WHERE location = 'BIN-1' AND lot = ''")
        )
    report = rebuild_balances(ledger)
    (change,) = report.changes
    assert (change.key.location, change.actual_micro) == ("BIN-1", 7)
    assert change.expected_micro == before["SH1", "BIN-1", ""]
    assert (report.changes_count, report.balances_count) == (1, 5)
    assert on_hand(ledger) == before
    assert verify_ledger(ledger).faults == ()
    assert rebuild_balances(ledger).changes_count == 0


def test_what_others_keep_beside_the_books_is_proved_in_the_same_state(ledger):
    def more_than(count):
        def proof(connection):
            found = connection.execute(text("SELECT count(*) FROM facts")).scalar_one()
            if found > count:
                yield Fault("count", "facts", f"{found}")

        return proof

    report = verify_ledger(ledger, proofs=[more_than(13), more_than(12), more_than(1)])
    assert report.faults == (Fault("count", "facts", "13"), Fault("count", "facts", "13"))
    assert report.faults_count == 2
