"""What a page asks again and again reads a few rows of SQLite, however many there are."""

import pytest
from sqlalchemy import event

from central.stock.feed import (
    find_fact,
    items_changed,
    list_corrected,
    list_movements,
    list_movements_after,
)
from central.stock.rows import FeedFilter
from tests.central.scenery import Gateway, furnished

HOT = [
    pytest.param(lambda c, _: items_changed(c, record_no=1), id="items changed"),
    pytest.param(lambda c, _: list_movements_after(c, record_no=1, limit=50), id="newest facts"),
    pytest.param(lambda c, _: list_corrected(c, record_no=2, limit=50), id="corrected times"),
    pytest.param(
        lambda c, _: list_movements(c, FeedFilter(item="BOLT"), before_record_no=None, limit=50),
        id="movements of an item",
    ),
    pytest.param(find_fact, id="one fact"),
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("ask", HOT)
def test_no_hot_query_walks_over_all_facts_or_lines(database, ask):
    gateway = Gateway()
    gateway.move()
    gateway.reverse(1)
    furnished(database, gateway).accept([gateway.offer()])
    with database.read() as connection:
        newest = list_movements(connection, FeedFilter(), before_record_no=None, limit=1)[0]
        asked = []
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        ask(connection, newest.fact_id)
        for statement, values in list(asked):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            steps = [step[3] for step in plan]
            assert not [step for step in steps if step.startswith(("SCAN facts", "SCAN lines"))]
    assert asked
