"""A change at the desk is whole or nothing, and the ledger's own facts are facts like any."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event, select, text

from central.contract.errors import ContractError
from central.contract.reference import Barcode, DocumentLine, ExpectedDocument, Item
from central.errors import EnrolmentRefused, LedgerUnavailable, Outdated, Unusable
from central.inbox.gateways import enrol_gateway
from central.ledger.desk import Desk, require_version
from central.ledger.own_facts import OWN_GATEWAY
from central.ledger.reference_desk import put_document, put_item, withdraw_document
from central.ledger.state import lock_ledger, read_state
from central.ledger.verify import verify_ledger
from central.storage import bulk, tables
from tests.central.scenery import NOW_MS, REFERENCE, FixedClock, Gateway, load
from tests.waiting import wait_for


def rows(database, table):
    """Every row, by column names."""
    with database.read() as connection:
        return connection.execute(select(table)).all()


def waiting_count(database):
    """How many wait for a lock; SQLite has no such list, and hands out its one writer in turn."""
    if database.dialect == "sqlite":
        return 2
    with database.read() as connection:
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return connection.execute(waiting).scalar_one()


def moved(change, quantity_micro=2_000_000, *, warehouse="SH1", **fields):
    values = {
        "business_step": "storing",
        "from_location": "adjustment",
        "to_location": "BIN-1",
        "item": "BOLT",
        "unit": "C62",
    }
    return change.movement(warehouse=warehouse, quantity_micro=quantity_micro, **(values | fields))


@pytest.fixture
def desk(database):
    load(database)
    return Desk(database, clock=FixedClock())


def test_own_facts_are_numbered_chained_posted_and_proved_like_any(database, desk):
    with desk.change(actor="li.na") as change:
        first = change.post([moved(change), moved(change, 500_000)])
    with desk.change(actor="li.na") as change:
        second = change.post([moved(change)])
        third = change.post([moved(change, warehouse="BJ1")])
    assert [key.seq for key in (*first, *second, *third)] == [1, 2, 3, 1]
    assert {key.gateway for key in (*first, *third)} == {OWN_GATEWAY}
    assert first[0].epoch == second[0].epoch != third[0].epoch
    held = {
        (row.warehouse, row.location): row.on_hand_micro for row in rows(database, tables.balances)
    }
    assert held["SH1", "BIN-1"] == 4_500_000 == -held["SH1", "adjustment"]
    assert verify_ledger(database).faults == ()
    with database.read() as connection:
        assert read_state(connection).record_no == 4


def test_whatever_a_change_did_is_undone_if_it_fails(database, desk):
    def fail():
        with desk.change(actor="x") as change:
            put_item(change, Item(code="NEW", name="New", name_zh="新", unit="C62"))
            change.post([moved(change, item="NEW")])
            change.note("item", "NEW", "added")
            change.next_code("TR")
            change.post([moved(change, item="BOLT", from_location="BIN-1")])

    with pytest.raises(ContractError, match="itself"):
        fail()
    for table in (tables.facts, tables.object_events, tables.object_numbers, tables.balances):
        assert rows(database, table) == []
    with desk.change(actor="x") as change:
        put_item(change, Item(code="OTHER", name="Other", name_zh="另", unit="C62"))
        change.post([moved(change, item="NEW")])
    # NEW was never there: what the failed change knew of it is forgotten with it.
    assert [row.kind for row in rows(database, tables.discrepancies)] == ["unknown_item"]


def test_a_change_that_waited_beside_one_that_failed_knows_nothing_of_what_that_one_saw(
    database, desk
):
    def break_off():
        with desk.change(actor="x") as change:
            put_item(change, Item(code="NEW", name="New", name_zh="新", unit="C62"))
            change.post([moved(change, item="NEW")])
            change.post([moved(change, item="BOLT", from_location="BIN-1")])

    def fail():
        with pytest.raises(ContractError, match="itself"):
            break_off()

    def go_on():
        with desk.change(actor="x") as change:
            put_item(change, Item(code="OTHER", name="Other", name_zh="另", unit="C62"))
            change.post([moved(change, item="NEW")])

    with ThreadPoolExecutor(2) as pool:
        with database.write() as connection:
            lock_ledger(connection)
            both = []
            for work in (fail, go_on):
                both.append(pool.submit(work))
                wait_for(
                    lambda: waiting_count(database) >= len(both),
                    what="it waits for the ledger",
                )
        for done in both:
            done.result(timeout=60)
    assert [row.kind for row in rows(database, tables.discrepancies)] == ["unknown_item"]


def test_what_a_change_remembers_is_forgotten_if_its_commit_fails(database, desk):
    def lost(_connection):
        raise LedgerUnavailable("the server is gone", hint="Look.")

    def make():
        with desk.change(actor="x") as change:
            put_item(change, Item(code="NEW", name="New", name_zh="新", unit="C62"))
            change.post([moved(change, item="NEW")])

    event.listen(Engine, "commit", lost)
    try:
        with pytest.raises(LedgerUnavailable):
            make()
    finally:
        event.remove(Engine, "commit", lost)
    with desk.change(actor="x") as change:
        put_item(change, Item(code="OTHER", name="Other", name_zh="另", unit="C62"))
        change.post([moved(change, item="NEW")])
    assert [row.kind for row in rows(database, tables.discrepancies)] == ["unknown_item"]


def test_an_item_made_in_a_change_is_known_to_what_it_posts(database, desk):
    with desk.change(actor="x") as change:
        change.post([moved(change, item="NEW")])
        barcodes = (Barcode(gtin="04006381333931"),)
        put_item(change, Item(code="NEW", name="N", name_zh="新", unit="C62", barcodes=barcodes))
        change.post([moved(change, item="NEW")])
    (found,) = rows(database, tables.discrepancies)
    assert (found.kind, found.facts_count) == ("unknown_item", 1)
    with pytest.raises(Unusable, match="bar code of item NEW"), desk.change(actor="x") as change:
        put_item(change, Item(code="TWO", name="T", name_zh="二", unit="C62", barcodes=barcodes))


def test_a_document_of_the_desk_outlives_the_next_reference_document(database, desk):
    line = DocumentLine(line=1, item="BOLT", quantity="7")
    with desk.change(actor="x") as change:
        put_document(
            change, ExpectedDocument(code="PO-9", warehouse="SH1", partner="A", lines=(line,))
        )
        before = change.state.reference_revision
    newer = b"revision = %d" % (before + 5)
    load(database, REFERENCE.replace(b"revision = 1", newer))
    codes = {row.document for row in rows(database, tables.documents)}
    assert codes == {"PO-1", "PO-9"}
    expected = {
        row.document: row.expected_micro
        for row in rows(database, tables.document_progress)
        if row.item == "BOLT"
    }
    assert expected == {"PO-1": 100_000_000, "PO-9": 7_000_000}
    with desk.change(actor="x") as change:
        withdraw_document(change, warehouse="SH1", code="PO-9")
    assert {row.document for row in rows(database, tables.document_progress)} == {"PO-1"}


def test_events_are_numbered_without_gaps_and_codes_never_repeat(database, desk):
    for _ in range(2):
        with desk.change(actor="li.na") as change:
            code = change.next_code("TR")
            change.note("transfer", code, "drafted", warehouse="SH1", lines_count=2)
            change.note("transfer", code, "approved")
    with database.read() as connection:
        events = connection.execute(
            select(tables.object_events).order_by(tables.object_events.c.event_no)
        ).all()
    assert [(one.event_no, one.code) for one in events] == [
        (1, "TR-000001"),
        (2, "TR-000001"),
        (3, "TR-000002"),
        (4, "TR-000002"),
    ]
    assert (events[0].actor, events[0].at_ms, events[0].fields_json) == (
        "li.na",
        NOW_MS,
        '{"lines_count":2}',
    )


def test_an_object_that_has_changed_is_refused_with_its_present_version():
    require_version(3, None, what="transfer TR-1")
    require_version(3, 3, what="transfer TR-1")
    with pytest.raises(Outdated) as caught:
        require_version(3, 2, what="transfer TR-1")
    assert caught.value.fields == {"version": 3}


def test_no_gateway_speaks_in_the_name_of_the_ledger(database):
    load(database)
    with pytest.raises(EnrolmentRefused, match="calls itself"):
        enrol_gateway(
            database,
            gateway=OWN_GATEWAY,
            site="main",
            warehouse="SH1",
            public_key=Gateway().public_key,
            clock=FixedClock(),
        )


def test_two_desks_take_turns_and_neither_trusts_what_it_remembers_of_before(database, desk):
    other = Desk(database, clock=FixedClock())
    for number in range(6):
        with (desk, other)[number % 3 == 1].change(actor="li.na") as change:
            change.post([moved(change)])
            change.post([moved(change, warehouse="BJ1")])
            change.note("transfer", f"TR-{number}", "drafted")
    numbers = [row.event_no for row in rows(database, tables.object_events)]
    assert sorted(numbers) == list(range(1, 7))
    heads = {row.warehouse: row.acked_seq for row in rows(database, tables.positions)}
    assert heads == {"SH1": 6, "BJ1": 6}
    assert verify_ledger(database).faults == ()


def test_a_change_that_fails_leaves_no_head_behind(database, desk):
    def post_and_fail():
        with desk.change(actor="li.na") as change:
            change.post([moved(change)])
            raise ZeroDivisionError

    with desk.change(actor="li.na") as change:
        change.post([moved(change)])
    with pytest.raises(ZeroDivisionError):
        post_and_fail()
    with desk.change(actor="li.na") as change:
        (key,) = change.post([moved(change)])
    assert key.seq == 2
    assert verify_ledger(database).faults == ()


def test_what_the_database_refuses_leaves_neither_a_head_nor_a_number_behind(database, desk):
    def post_and_be_refused():
        with desk.change(actor="li.na") as change:
            change.post([moved(change)])
            change.note("transfer", "TR-1", "drafted")
            bulk.insert_rows(change.connection, tables.object_numbers, [("TR", 1), ("TR", 2)])

    for seq in (1, 2):
        with pytest.raises(Exception, match=r"(?i)unique"):
            post_and_be_refused()
        with desk.change(actor="li.na") as change:
            (key,) = change.post([moved(change)])
            assert (key.seq, change.note("transfer", "TR-1", "drafted")) == (seq, seq)
    assert len(rows(database, tables.facts)) == 2
    assert rows(database, tables.object_numbers) == []
    assert verify_ledger(database).faults == ()
