"""Stock of an order's items is read together with the order, and is what it is just then."""

import pytest

from central.orders.sales.sales_book import approve_order
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.storage.counting import statements_of


def test_lines_of_one_item_share_what_there_is(database):
    scene = Scene(database, stock=[("BIN-1", 5), ("BIN-2", 4)])
    code = scene.order(4, ("NUT", 1), 4, 4)
    held = [line for line, *_ in scene.held(code)]
    assert sum(pieces for *_, pieces in scene.held(code)) == 9
    assert sorted(set(held)) == [1, 3, 4]
    scene.check()


def test_an_order_sees_what_another_one_has_set_aside_in_the_same_change(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    codes = [scene.order(3, upto="submitted") for _ in range(2)]
    with scene.desk.change(actor="li.na") as change:
        for code in codes:
            approve_order(change, code)
    assert [scene.held(code) for code in codes] == [
        [(1, "BIN-1", "", 3)],
        [(1, "BIN-1", "", 2)],
    ]
    scene.check()


def test_an_order_sees_what_was_posted_in_the_same_change(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = scene.order(9, upto="submitted")
    with scene.desk.change(actor="li.na") as change:
        draft = change.movement(
            warehouse="SH1",
            business_step="receiving",
            from_location="supplier",
            to_location="BIN-1",
            item="BOLT",
            quantity_micro=2 * ONE,
            unit="C62",
        )
        change.post([draft])
        approve_order(change, code)
    assert scene.held(code) == [(1, "BIN-1", "", 7)]
    scene.check()


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("lines_count", [1, 20])
def test_to_read_for_an_approval_takes_two_statements(database, lines_count):
    scene = Scene(database, stock=[("BIN-1", 50)])
    code = scene.order(*[1] * lines_count, upto="submitted")
    with scene.desk.change(actor="li.na") as change, statements_of(change.connection) as said:
        approve_order(change, code)
        assert len(said) == 2  # The lock; order and stock. The commit writes all by another.
