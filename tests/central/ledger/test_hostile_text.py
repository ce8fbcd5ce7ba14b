"""What a scanner can read is data: no text of a fact is ever a statement. Both databases."""

import pytest
from sqlalchemy import select

from central.ledger.verify import verify_ledger
from central.storage import tables
from tests.central.scenery import Gateway, furnished, on_hand, rows

HOSTILE = [
    pytest.param("'); DROP TABLE facts; --", id="ends a statement"),
    pytest.param("' OR '1'='1", id="is always true"),
    pytest.param('"; DELETE FROM balances; --', id="double quotes"),
    pytest.param("%_\\", id="wildcards and an escape"),
    pytest.param(":b_lot $1 %(lot)s ?", id="names of parameters"),
    pytest.param("<script>alert(1)</script>", id="mark-up"),
    pytest.param("=cmd|'/c calc'!A1", id="a formula"),
    pytest.param("^XA^JUS^XZ", id="commands of a printer"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_barcode_is_kept_as_it_is_and_runs_nowhere(database, text):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(quantity="5", lot=text)
    gateway.move(quantity="2", lot=text, source="BIN-1", target="BIN-2")
    (outcome,) = inbox.accept([gateway.offer()])
    assert outcome.kind == "accepted"
    assert on_hand(database) == {
        ("SH1", "BIN-1", text): 3_000_000,
        ("SH1", "BIN-2", text): 2_000_000,
        ("SH1", "supplier", text): -5_000_000,
    }
    assert verify_ledger(database).faults_count == 0
    with database.read() as connection:
        table = tables.balances.c
        found = connection.execute(select(table.lot).where(table.lot == text).distinct())
        assert found.scalars().all() == [text]
    assert len(rows(database, tables.facts, "record_no")) == 2
