"""A page of the past looks at each of its amounts a few times, however many items there are."""

import json

import pytest
from sqlalchemy import event

from central.contract.reference import parse_reference
from central.ledger.reference_book import load_reference
from central.stock.grid import grid_as_of
from central.stock.moments import moment_at
from central.stock.rows import MatrixQuery
from central.stock.strays import StrayItems
from central.storage import bulk, tables
from tests.central.scenery import NOW_MS

ITEMS = 10_000
STOCKED = ITEMS - 1_000
LOOKS_MAX = 20  # At each item and amount, in all steps of a statement together.
ASKED = [
    pytest.param(MatrixQuery(warehouse="SH1"), id="what stood in a warehouse"),
    pytest.param(MatrixQuery(warehouse="SH1", sort="total"), id="in a warehouse, by total"),
    pytest.param(MatrixQuery(sort="w:SH1", descending=True), id="by the figure of a warehouse"),
    pytest.param(MatrixQuery(sort="transit"), id="by what was in transit"),
    pytest.param(MatrixQuery(stocked=True), id="what stood anywhere"),
]


def reference():
    warehouses = "".join(
        f'[[warehouses]]\ncode = "{code}"\nname = "W"\nname_zh = "W"\n'
        'locations = [{ code = "BIN-1", kind = "bin" }]\n'
        for code in ("SH1", "BJ1")
    )
    items = "".join(
        f'[[items]]\ncode = "P{number:05d}"\nname = "P"\nname_zh = "P"\nunit = "C62"\n'
        for number in range(ITEMS)
    )
    return parse_reference(f"revision = 1\n{warehouses}{items}".encode())


@pytest.fixture
def stocked(own_database):
    """A ledger with two warehouses in which something stands of almost every item."""
    rows = [
        (warehouse, "BIN-1", f"P{number:05d}", *[""] * 3, "C62", "available", 1_000_000, 1, 0)
        for warehouse in ("BJ1", "SH1")
        for number in range(STOCKED)
    ]
    with own_database.write() as connection:
        load_reference(connection, reference())
        bulk.insert_rows(connection, tables.balances, rows)
    with own_database.write() as connection:
        connection.exec_driver_sql("ANALYZE")
    return own_database


def looks(plan):
    """How many rows all steps of a plan have looked at."""
    kinds = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter")
    own = sum(plan.get(kind, 0) for kind in kinds) * plan["Actual Loops"]
    return own + sum(looks(part) for part in plan.get("Plans", ()))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("wanted", ASKED)
def test_each_amount_is_looked_at_a_few_times(stocked, wanted):
    asked = []
    with stocked.read() as connection:
        moment = moment_at(connection, NOW_MS, kind="event", warehouse="")
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        page = grid_as_of(connection, wanted, StrayItems(), moment)
        assert page.item_count
        for statement, values in list(asked):
            explained = connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", values
            ).scalar_one()
            plan = explained if isinstance(explained, list) else json.loads(explained)
            assert looks(plan[0]["Plan"]) <= LOOKS_MAX * (ITEMS + 2 * STOCKED)
