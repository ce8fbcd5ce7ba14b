"""Facts of an item are found block by block, none is missed, and every reader names the blocks."""

import json
import re
from itertools import product
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select

from central.contract.facts import Movement, encode_fact
from central.contract.reference import parse_reference
from central.ledger.line_movements import read_movements
from central.ledger.reference_book import load_reference
from central.ledger.share_check import share_faults
from central.orders.counts.count_judging import Thing
from central.orders.counts.count_moves import moves_since
from central.orders.settling.discrepancy_facts import numbers_behind
from central.stock.as_of import list_stock_as_of
from central.stock.closings import item_days
from central.stock.feed_numbers import numbers_touching
from central.stock.in_transit import TransitFilter, list_in_transit
from central.stock.moments import Moment
from central.stock.past_sums import sums_of
from central.stock.rows import FeedFilter, MatrixQuery, StockFilter
from central.stock.trace import trace
from central.storage import bulk, tables
from central.storage.line_blocks import (
    Reach,
    first_lines,
    first_of_lot,
    in_blocks,
    last_to_read,
    reach_of,
    record_ranges,
)
from central.storage.tables import BLOCK_BITS
from tests.central.scenery import NOW_MS, rows

BLOCK = 1 << BLOCK_BITS
ITEMS, HOUSES = 1_000, ("BJ1", "SH1")
STEP = 50  # Of record numbers: 20,000 facts are in four blocks.
FACTS = 20_000
NUMBERS = range(STEP, (FACTS + 1) * STEP, STEP)
EPOCH = "00000001-0000000000000001"
ITEM = "P0007"
OF_ITEM = [number for number in NUMBERS if number // STEP % ITEMS == 7 and number // STEP % 2]
PAST = Moment(BLOCK + 7, NOW_MS, 2 * BLOCK, 0, BLOCK)
DISCREPANCY = SimpleNamespace(
    kind="unknown_item",
    warehouse="SH1",
    item=ITEM,
    record_no=OF_ITEM[0],
    epoch=EPOCH,
    location="",
    lot="",
    unit="C62",
)
READERS = {
    "closings": lambda c: item_days(c, ITEM, now_ms=NOW_MS, days=30, read_max=5),
    "feed": lambda c: c.execute(numbers_touching(c, FeedFilter(item=ITEM))).all(),
    "feed of a place": lambda c: c.execute(
        numbers_touching(c, FeedFilter(item=ITEM, lot="L1", location="BIN-1"))
    ).all(),
    "count": lambda c: moves_since(
        c,
        warehouse="SH1",
        items=[ITEM],
        locations=["BIN-1"],
        books={Thing("BIN-1", ITEM, "L1", "", "", "C62"): (0, NUMBERS[-1])},
        record_no=9,
        count="C-1",
    ),
    "line movements": lambda c: list(
        read_movements(c, warehouse="SH1", item=ITEM, unit="C62", location="BIN-1")
    ),
    "discrepancy": lambda c: numbers_behind(c, DISCREPANCY),
    "shares": lambda c: list(share_faults(c)),
    "as of": lambda c: list_stock_as_of(
        c, StockFilter(warehouse="SH1", item=ITEM), PAST, after=None, limit=9
    ),
    "in transit": lambda c: list_in_transit(c, TransitFilter(item=ITEM), PAST, after=None, limit=9),
    "trace of a lot": lambda c: trace(c, item=ITEM, lot="L1"),
    "trace of a serial number": lambda c: trace(c, item=ITEM, serial="S1"),
    "past sums": lambda c: sums_of(c, MatrixQuery(), PAST, [ITEM, "P0008"]),
}


@given(after=st.integers(0, 40 * BLOCK), count=st.integers(0, 40 * BLOCK), newest=st.booleans())
def test_ranges_cover_every_record_number_once_and_in_order(after, count, newest):
    ranges = list(record_ranges(after=after, through=after + count, newest_first=newest))
    if newest:
        ranges.reverse()
    ends = [after, *(end for _, end in ranges)]
    assert [begin for begin, _ in ranges] == ends[:-1]
    assert ends[-1] == after + count
    assert len(ranges) <= (count // BLOCK + 2).bit_length()  # Twice as many blocks each time.


@given(after=st.integers(0, 9 * BLOCK), count=st.integers(1, 3 * BLOCK))
def test_the_blocks_of_a_range_are_those_of_its_ends_and_all_between(after, count):
    condition = in_blocks(after=after, through=after + count)
    named = [int(one) for one in condition.split("(")[2].rstrip(")").split(",")]
    assert named == list(range((after + 1) // BLOCK, (after + count) // BLOCK + 1))


def said(number):
    """The body of a fact that says its own number."""
    return encode_fact(
        Movement(
            seq=number,
            event_time_ms=NOW_MS,
            clock_synced=True,
            boot_id="b",
            monotonic_ns=1,
            warehouse="SH1",
            station="s",
            business_step="receiving",
            from_location="supplier",
            to_location="BIN-1",
            item=ITEM,
            quantity="1",
            unit="C62",
        )
    )


def filled(database):
    """Two warehouses, 1,000 items and 20,000 facts, every second one of the other warehouse."""
    houses = "".join(
        f'[[warehouses]]\ncode = "{code}"\nname = "W"\nname_zh = "W"\n'
        'locations = [{ code = "BIN-1", kind = "bin" }]\n'
        for code in HOUSES
    )
    items = "".join(
        f'[[items]]\ncode = "P{number:04d}"\nname = "P"\nname_zh = "P"\nunit = "C62"\n'
        for number in range(ITEMS)
    )
    facts, lines = [], []
    for number in NUMBERS:
        house, item = HOUSES[number // STEP % 2], f"P{number // STEP % ITEMS:04d}"
        body = said(number) if item == ITEM else b""
        times = (NOW_MS, True, NOW_MS, number)
        facts.append((house, "gw-1", EPOCH, number, "movement", body, b"d" * 32, *times))
        weight = 1_000 if item == ITEM else 0
        for line_no, place, sign in ((1, "supplier", -1), (2, "BIN-1", 1)):
            what = (item, "L1", "", "", "", "C62", sign * 1_000_000, "available", sign * weight)
            lines.append((house, number, line_no, place, *what))
    # Who looks for a time halves the record numbers, and meets these of the numbers left out.
    high = NUMBERS[-1]
    while (middle := (high + 1) // 2) > 0:
        if middle not in NUMBERS:
            facts.append(("SH1", "gw-1", EPOCH, middle, "movement", *facts[0][5:-1], middle))
        high = middle - 1
    with database.write() as connection:
        load_reference(connection, parse_reference(f"revision = 1\n{houses}{items}".encode()))
        bulk.insert_rows(connection, tables.facts, facts)
        bulk.insert_rows(connection, tables.lines, lines)
        bulk.insert_rows(
            connection,
            tables.balances,
            [
                (house, "BIN-1", f"P{number:04d}", "L1", "", "", "C62", "available", 1, 1, 0)
                for house in HOUSES
                for number in range(ITEMS)
            ],
        )
        state = tables.ledger_state
        connection.execute(
            state.update().where(state.c.key == "record_no").values(value=str(NUMBERS[-1]))
        )
    return database


@pytest.fixture
def many(own_database):
    """A ledger whose facts of an item are in several blocks, with statistics where there are."""
    filled(own_database)
    if own_database.dialect == "postgresql":
        with own_database.write() as connection:
            connection.exec_driver_sql("ANALYZE")
    return own_database


def uses_of_the_index(connection, statement, values):
    """How a statement looks for first lines: the conditions of each look."""
    if connection.dialect.name == "sqlite":
        steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        return [step[3] for step in steps if INDEXES.search(step[3])]
    explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values)
    plan = explained.scalar_one()
    return list(_looks((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]))


def _looks(plan):
    if plan.get("Alias") == "first" and plan["Node Type"] != "Bitmap Heap Scan":
        yield plan.get("Index Cond", plan["Node Type"])
    if INDEXES.search(plan.get("Index Name", "")) and plan.get("Alias") != "first":
        yield plan.get("Index Cond", plan["Node Type"])
    for part in plan.get("Plans", ()):
        yield from _looks(part)


INDEXES = re.compile(r"\blines_(item|lot|serial)\b| first ")
# What the conditions of a look have to begin with; which warehouse or which lot is in them as well.
BY_BLOCK_AND_ITEM = {
    "sqlite": r"lines_item \(warehouse=\? AND <expr>=\? AND item=\?"
    r"|lines_(lot|serial) \(<expr>=\? AND item=\? AND (lot|serial)=\?",
    "postgresql": rf"(?=.*\(record_no >> {BLOCK_BITS}\))(?=.*\bitem = )"
    r".*(\bwarehouse = |\b(lot|serial) = )",
}


def test_every_reader_of_an_item_looks_by_warehouse_block_and_item(many):
    with many.read() as connection:
        asked = []
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        wanted = BY_BLOCK_AND_ITEM[connection.dialect.name]
        for name, read in READERS.items():
            asked.clear()
            read(connection)
            told = [one for one in asked if "lines AS first" in one[0]]
            assert told, f"{name} asks for no first lines"
            for statement, values in told:
                looks = uses_of_the_index(connection, statement, values)
                assert looks, (name, statement)
                short = [look for look in looks if not re.search(wanted, look)]
                assert not short, (name, short)


def test_no_fact_of_an_item_is_missed(many):
    with many.read() as connection:
        first = first_lines(connection, warehouses=["SH1"], items=[ITEM])
        found = connection.execute(select(first.c.record_no)).scalars()
        assert sorted(found) == OF_ITEM
        after, through = OF_ITEM[2], OF_ITEM[-3]
        some = first_lines(
            connection, warehouses=HOUSES, items=[ITEM], after=after, through=through
        )
        found = connection.execute(select(some.c.warehouse, some.c.record_no)).all()
        assert sorted(found) == [("SH1", number) for number in OF_ITEM[3:-2]]


def test_the_newest_and_the_oldest_facts_are_reached_from_their_end(many):
    with many.read() as connection:
        for limit, skipped in product((1, 4, 9, len(OF_ITEM), 1_000), (0, 3, len(OF_ITEM))):
            after, there = OF_ITEM[skipped - 1] if skipped else 0, OF_ITEM[skipped:]
            newest, oldest = there[-limit:], there[:limit]
            reached = {
                True: Reach(len(newest), newest[0] if newest else 0),
                False: Reach(len(oldest), oldest[-1] if oldest else 0),
            }
            for newest_first, wanted in reached.items():
                of_item = {"warehouse": "SH1", "item": ITEM, "after": after, "limit": limit}
                assert reach_of(connection, newest_first=newest_first, **of_item) == wanted


def test_when_a_lot_first_came_is_read_by_one_look_a_block(many):
    late, never = OF_ITEM[len(OF_ITEM) // 2], "L3"
    with many.write() as connection:
        change = tables.lines.update().where(tables.lines.c.record_no == late)
        connection.execute(change.values(lot="L2"))
        stock = {"warehouse": "SH1", "location": "BIN-1", "item": ITEM, "unit": "C62"}
        stock |= {"serial": "", "sscc": "", "status": "available", "on_hand_micro": 1}
        for lot in ("L2", never):
            added = tables.balances.insert().values(**stock, lot=lot, record_no=1, weight_micro=0)
            connection.execute(added)
    with many.read() as connection:
        dialect = connection.dialect.name
        asked = f"SELECT b.lot, ({first_of_lot(dialect)}) FROM balances b"
        asked += f" WHERE b.warehouse = 'SH1' AND b.item = '{ITEM}'"
        found = dict(connection.exec_driver_sql(asked).fetchall())
        assert found == {"L1": OF_ITEM[0], "L2": late, never: None}
        looks = uses_of_the_index(connection, asked, ())
        assert [bool(re.search(BY_BLOCK_AND_ITEM[dialect], look)) for look in looks] == [True]


def test_one_recent_fact_is_found_without_a_look_into_older_blocks(many):
    with many.read() as connection:
        asked = []
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))
        reach = reach_of(
            connection, warehouse="SH1", item=ITEM, after=0, limit=1, newest_first=True
        )
    assert reach == Reach(1, OF_ITEM[-1])
    named = " ".join(one for one in asked if "first.record_no" in one)
    assert f">> {BLOCK_BITS}) IN (3" in named or f">> {BLOCK_BITS}) IN (2, 3)" in named
    assert "(0" not in named


def test_a_fact_that_comes_meanwhile_is_within_what_is_read(many):
    with many.read() as connection:
        assert last_to_read(connection) >= NUMBERS[-1] + BLOCK
    assert len(rows(many, tables.lines, "record_no")) == 2 * FACTS
