"""What moved since a count is looked for as far as the books say that anything has."""

import pytest
from sqlalchemy import event

from central.orders.counts.count_judging import Thing
from central.orders.counts.count_moves import books_now, moves_since
from central.storage import bulk, tables
from central.storage.line_blocks import in_blocks
from tests.central.storage.test_line_blocks import ITEM, OF_ITEM, filled

THING = Thing("BIN-1", ITEM, "L1", "", "", "C62")


@pytest.fixture
def many(own_database):
    """A ledger whose facts of an item are in several blocks."""
    return filled(own_database)


def moved_since(database, record_no, *, changed_last):
    """The records that moved the thing since one, and the statements that look for lines."""
    kept = ("SH1", *THING, "available", 1, changed_last, 0)
    with database.write() as connection:
        bulk.upsert_rows(connection, tables.balances, [kept])
    asked = []
    with database.read() as connection:
        books = books_now(connection, warehouse="SH1", locations=["BIN-1"])
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))
        moves, own = moves_since(
            connection,
            warehouse="SH1",
            items=[ITEM],
            locations=["BIN-1"],
            books=books,
            record_no=record_no,
            count="C-1",
        )
    assert not own
    numbers = sorted(one.moment.record_no for one in moves.get(THING, ()))
    return numbers, [statement for statement in asked if "lines AS first" in statement]


def test_nothing_is_looked_for_of_what_rested_since(many):
    numbers, looks = moved_since(many, OF_ITEM[3] + 1, changed_last=OF_ITEM[3])
    assert numbers == []
    assert not looks


def test_lines_are_looked_for_up_to_the_last_change(many):
    numbers, looks = moved_since(many, OF_ITEM[1], changed_last=OF_ITEM[3])
    assert numbers == OF_ITEM[1:4]
    assert len(looks) == 1
    assert in_blocks(after=OF_ITEM[1] - 1, through=OF_ITEM[3]) in looks[0]


def test_a_count_that_is_as_old_as_the_ledger_finds_all_that_moved(many):
    numbers, _ = moved_since(many, 1, changed_last=OF_ITEM[-1])
    assert numbers == OF_ITEM
