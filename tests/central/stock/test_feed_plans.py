"""What an item's page reads is its own, however much else a warehouse has, on both databases."""

import json
from itertools import product

import pytest
from sqlalchemy import event

from central.stock.closings import item_days
from central.stock.feed_numbers import record_numbers
from central.stock.rows import FeedFilter
from central.storage import tables
from tests.central.scenery import NOW_MS, rows
from tests.central.storage.test_line_blocks import (
    BLOCK,
    EPOCH,
    FACTS,
    ITEM,
    NUMBERS,
    STEP,
    filled,
)

END = NUMBERS[-1] + 1
FEEDS = [
    FeedFilter(),
    FeedFilter(warehouse="SH1"),
    FeedFilter(gateway="gw-1"),
    FeedFilter(gateway="gw-2"),
    FeedFilter(warehouse="BJ1", gateway="gw-1", epoch=EPOCH),
    FeedFilter(item=ITEM),
    FeedFilter(warehouse="SH1", item=ITEM),
    FeedFilter(warehouse="BJ1", item=ITEM),
    FeedFilter(warehouse="SH1", item=ITEM, gateway="gw-1", epoch=EPOCH, lot="L1", location="BIN-1"),
    FeedFilter(warehouse="SH1", kinds=("reversal",)),
    FeedFilter(location="BIN-1"),
    FeedFilter(location="BIN-2"),
    FeedFilter(warehouse="BJ1", location="BIN-1", lot="L1"),
    FeedFilter(warehouse="BJ1", lot="L2"),
]
OF_AN_ITEM = [one for one in FEEDS if one.item]
ENDS = [(0, END, 7), (NUMBERS[40], NUMBERS[900], 5), (0, END, FACTS), (NUMBERS[5], NUMBERS[5], 3)]
NEAR = (900, 10**9)
ROWS_LOOKED_AT_MAX = 200  # An item has ten facts, the ledger 20,000.
LINES_OF_A_BLOCK_MAX = 2 * BLOCK // STEP


@pytest.fixture
def many(own_database):
    """Two warehouses of 10,000 facts, with statistics where there are."""
    filled(own_database)
    if own_database.dialect == "postgresql":
        with own_database.write() as connection:
            connection.exec_driver_sql("ANALYZE")
    return own_database


def explained(connection, ask):
    """Ask, and return the plan of each statement: SQLite's steps, PostgreSQL's tree with rows."""
    asked, engine = [], connection.engine

    def note(*call):
        asked.append(call[2:4])

    event.listen(engine, "before_cursor_execute", note)
    ask(connection)
    event.remove(engine, "before_cursor_execute", note)
    for statement, values in asked:
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            yield statement, [step[3] for step in plan]
        else:
            plan = connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", values
            ).scalar_one()
            yield statement, (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]


def looked_at(plan):
    """How many rows the steps of a plan have read from tables and indexes."""
    kinds = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter")
    own = sum(plan.get(kind, 0) for kind in kinds) * plan["Actual Loops"]
    return (own if "Scan" in plan["Node Type"] else 0) + sum(
        looked_at(part) for part in plan.get("Plans", ())
    )


def read_whole(plan, table):
    """Which steps read all that a warehouse has of a table, or more."""
    if isinstance(plan, dict):
        return [plan] if looked_at(plan) > ROWS_LOOKED_AT_MAX else []
    ways = (f"SCAN {table}", f"SEARCH {table} USING PRIMARY KEY (warehouse=?)")
    return [step for step in plan if step.startswith(ways)]


def numbers(connection, wanted, **ends):
    ends = {"after": 0, "before": END, "limit": 50, "newest_first": True} | ends
    return record_numbers(connection, wanted, **ends)


def test_the_feed_of_an_item_reads_facts_of_that_item(many):
    with many.read() as connection:
        for wanted in OF_AN_ITEM:
            plans = list(explained(connection, lambda c, wanted=wanted: numbers(c, wanted)))
            assert [statement for statement, _ in plans if "facts" in statement]
            for statement, plan in plans:
                assert not read_whole(plan, "facts"), (wanted, statement)


def test_the_feed_of_a_warehouse_reads_the_newest_facts(many):
    with many.read() as connection:
        ask = FeedFilter(warehouse="SH1")
        plans = list(explained(connection, lambda c: numbers(c, ask, near_count=9_000)))
    assert len(plans) == 1  # 50 of the 180 newest facts are not looked for among all.
    assert not read_whole(plans[0][1], "facts")


def test_the_feed_of_a_place_reads_the_newest_lines(many):
    with many.read() as connection:
        for wanted in (FeedFilter(location="BIN-1"), FeedFilter(warehouse="SH1", lot="L1")):
            plans = list(explained(connection, lambda c, wanted=wanted: numbers(c, wanted)))
            plans = [(said, plan) for said, plan in plans if "lines" in said]
            assert len(plans) == 1  # 50 of a block's 5,000 facts are enough.
            statement, plan = plans[0]
            if isinstance(plan, dict):
                assert looked_at(plan) <= 2 * LINES_OF_A_BLOCK_MAX, statement
            else:
                assert not read_whole(plan, "facts") + read_whole(plan, "lines"), statement


@pytest.mark.parametrize("wanted", [FeedFilter(location="BIN-1"), FeedFilter(lot="L1")], ids=repr)
def test_a_page_that_is_full_is_read_from_the_newest_block(many, wanted):
    asked = []
    with many.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        assert len(numbers(connection, wanted)) == 50
    looks = [values for statement, values in asked if "lines.record_no >" in statement]
    assert len(looks) == 1
    bounds = looks[0].values() if isinstance(looks[0], dict) else looks[0]
    assert NUMBERS[-1] // BLOCK * BLOCK - 1 in bounds


def is_wanted(fact, wanted, *, touching):
    warehouse, gateway, _, kind, number = fact
    return (
        kind in wanted.kinds
        and wanted.warehouse in {"", warehouse}
        and wanted.gateway in {"", gateway}
        and (number in touching or not (wanted.item or wanted.location or wanted.lot))
    )


def test_a_feed_has_the_facts_next_to_its_end(many):
    columns = ("warehouse", "gateway", "epoch", "kind", "record_no")
    facts = sorted(rows(many, tables.facts, *columns), key=lambda fact: fact[-1])
    lines = rows(many, tables.lines, "location", "item", "lot", "record_no")
    with many.read() as connection:
        for wanted in FEEDS:
            asked = (wanted.location, wanted.item, wanted.lot)
            touching = {
                line[-1]
                for line in lines
                if all(one in {"", said} for one, said in zip(asked, line[:-1], strict=True))
            }
            there = [fact[-1] for fact in facts if is_wanted(fact, wanted, touching=touching)]
            for (after, before, limit), newest, near in product(ENDS, (True, False), NEAR):
                within = [number for number in there if after < number < before]
                ends = {"after": after, "before": before, "limit": limit, "newest_first": newest}
                found = numbers(connection, wanted, **ends, near_count=near)
                assert found == (within[::-1] if newest else within)[:limit], wanted


def test_the_days_of_an_item_read_its_balances(many):
    with many.read() as connection:
        days = item_days(connection, ITEM, now_ms=NOW_MS, days=30)
        assert {(one.warehouse, str(one.on_hand[-1])) for one in days.rows} >= {
            ("BJ1", "0.000001"),
            ("SH1", "0.000001"),
        }
        plans = explained(connection, lambda c: item_days(c, ITEM, now_ms=NOW_MS, days=30))
        of_balances = [(said, plan) for said, plan in plans if "balances" in said]
        assert len(of_balances) == 1
        for statement, plan in of_balances:
            assert not read_whole(plan, "l"), statement
            if isinstance(plan, list):
                assert "SEARCH l USING INDEX balances_item (warehouse=? AND item=?)" in plan
