"""What is set aside follows its goods, and nothing is ever set aside twice."""

import pytest
from sqlalchemy import select

from central.errors import Conflict
from central.orders.reserving import reservation_proof
from central.orders.reserving.availability import availability, list_availability
from central.orders.reserving.shortages import HINTS
from central.orders.sales.sales_book import (
    approve_order,
    cancel_order,
    draft_order,
    reserve_order,
    submit_order,
)
from central.orders.sales.sales_lines import LineAsked, OrderAsked
from central.storage import sales_tables, tables, transfer_tables
from tests.central.orders.sales_scenes import ONE, SCARCE, Scene, policy, promise_scarce_goods
from tests.central.scenery import discrepancies, rows

EARLY = {"lot": "L1", "expiry_date": "2026-12-31"}
LATE = {"lot": "L2", "expiry_date": "2027-12-31"}
SOON = {"lot": "L0", "expiry_date": "2026-06-15"}
PAST = {"lot": "L9", "expiry_date": "2026-01-01"}
# The clock of a scene stands at 2026-05-28.


def test_the_lot_that_expires_first_is_set_aside_first(database):
    scene = Scene(database, stock=[("BIN-1", 5, LATE), ("BIN-2", 5, EARLY), ("BIN-3", 9, PAST)])
    code = scene.order(7)
    assert scene.held(code) == [(1, "BIN-1", "L2", 2), (1, "BIN-2", "L1", 5)]
    assert scene.stage(code) == "reserved"
    scene.check()


def test_goods_too_near_to_their_date_and_lots_that_came_later_wait(database):
    scene = Scene(database, stock=[("BIN-1", 5, SOON), ("BIN-2", 5, LATE), ("BIN-3", 5, EARLY)])
    policy(database, min_days_left=30)
    assert scene.held(scene.order(6)) == [(1, "BIN-2", "L2", 1), (1, "BIN-3", "L1", 5)]
    policy(database, rotation="fifo")
    assert scene.held(scene.order(6)) == [(1, "BIN-1", "L0", 5), (1, "BIN-2", "L2", 1)]
    scene.check()


def test_lots_of_which_nobody_stated_a_date_go_by_when_they_first_came(database):
    scene = Scene(database, stock=[("BIN-2", 5, {"lot": "B"}), ("BIN-3", 5, {"lot": "A"})])
    scene.receive("BIN-1", 5, lot="B")
    assert [one[2] for one in scene.held(scene.order(9))] == ["B", "B"]


def test_a_lot_that_the_customer_asked_for_is_the_only_one_that_will_do(database):
    scene = Scene(database, stock=[("BIN-1", 5, LATE), ("BIN-2", 5, EARLY)])
    code = scene.order(LineAsked(1, "BOLT", 7 * ONE, lot="L2"))
    assert scene.held(code) == [(1, "BIN-1", "L2", 5)]
    assert scene.stage(code) == "part_reserved"


def test_no_more_is_sold_than_there_is_and_the_answer_says_what_is_available(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    first = scene.order(3)
    with pytest.raises(Conflict) as caught:
        scene.order(3, ("NUT", 1), backorders=False)
    assert caught.value.fields["lines"] == [
        {"line": 1, "item": "BOLT", "wanted": "3", "available": "2"},
        {"line": 2, "item": "NUT", "wanted": "1", "available": "0"},
    ]
    waiting = scene.order(3)
    assert (scene.stage(first), scene.stage(waiting)) == ("reserved", "part_reserved")
    assert scene.stage(scene.order(1)) == "backorder"
    scene.check()


@pytest.mark.parametrize(
    ("asked", "stock", "held", "unfit"),
    [
        pytest.param(
            {"min_days_left": 30},
            [SOON, LATE, PAST],
            [(1, "BIN-2", "L2", 5)],
            {"expires_too_soon": "10"},
            id="the date is too near, or past",
        ),
        pytest.param(
            {"expiry_tracked": True},
            [{"lot": "L3"}, LATE, {}],
            [(1, "BIN-2", "L2", 5)],
            {"expiry_missing": "10"},
            id="nobody said a date",
        ),
        pytest.param(
            {"serial_tracked": True},
            [{"lot": "L3"}, {"serial": "S1"}, {"serial": "S2"}],
            [(1, "BIN-2", "", 5), (1, "BIN-3", "", 5)],
            {"serial_missing": "5"},
            id="nobody said a serial number",
        ),
        pytest.param({}, [{"lot": "L3"}], [(1, "BIN-1", "L3", 5)], None, id="it asks for nothing"),
    ],
)
def test_what_lacks_what_its_item_asks_for_is_not_set_aside(database, asked, stock, held, unfit):
    places = ("BIN-1", "BIN-2", "BIN-3")
    found = [(place, 5, of) for place, of in zip(places, stock, strict=False)]
    scene = Scene(database, stock=found)
    policy(database, **asked)
    with pytest.raises(Conflict) as caught:
        scene.order(12 + 3 * len(stock), backorders=False)
    (line,) = caught.value.fields["lines"]
    assert line.get("unfit") == unfit
    assert line["available"] == str(sum(one[3] for one in held))
    assert caught.value.hint == HINTS[next(iter(unfit or {}), "")]
    assert scene.held(scene.order(12 + 3 * len(stock))) == held
    scene.check()


def test_what_is_set_aside_is_changed_if_its_item_asks_for_a_date_since(database):
    scene = Scene(database, stock=[("BIN-1", 5, {"lot": "L3"})])
    code = scene.order(5)
    assert scene.held(code) == [(1, "BIN-1", "L3", 5)]
    policy(database, expiry_tracked=True)
    scene.receive("BIN-2", 5, **LATE)
    scene.change(reserve_order, code)
    assert scene.held(code) == [(1, "BIN-2", "L2", 5)]
    assert scene.reasons(code) == [("BIN-1", "L3", 5, "may no longer be shipped")]
    scene.receive("BIN-3", 1, lot="L3", expiry_date="2026-12-31")
    assert scene.held(scene.order(6)) == [(1, "BIN-1", "L3", 5), (1, "BIN-3", "L3", 1)]
    scene.check()


def test_a_date_that_another_warehouse_has_stated_decides_what_goes_first(database):
    scene = Scene(database, stock=[("BIN-1", 5, {"lot": "L7"}), ("BIN-2", 5, LATE)])
    policy(database, expiry_tracked=True)
    stated = {
        "warehouse": "BJ1",
        "business_step": "receiving",
        "from_location": "supplier",
        "to_location": "BIN-1",
        "item": "BOLT",
        "quantity_micro": ONE,
        "unit": "C62",
        "lot": "L7",
    }
    for expiry_date in ("2026-12-31", "2026-12-01"):
        what = stated | {"expiry_date": expiry_date}
        scene.change(lambda change, what=what: change.post([change.movement(**what)]))
    assert scene.held(scene.order(7)) == [(1, "BIN-1", "L7", 5), (1, "BIN-2", "L2", 2)]
    scene.check()


def test_what_is_held_waits_for_inspection_or_is_under_quality_is_not_set_aside(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    scene.change(
        lambda change: change.post(
            [
                change.movement(
                    warehouse="SH1",
                    business_step="storing",
                    from_location="BIN-1",
                    to_location="BIN-2",
                    item="BOLT",
                    quantity_micro=2 * ONE,
                    unit="C62",
                    from_status="available",
                    to_status="held",
                )
            ]
        )
    )
    code = scene.order(5)
    assert scene.held(code) == [(1, "BIN-1", "", 3)]
    with database.read() as connection:
        found = availability(connection, item="BOLT", warehouse="SH1")
    assert (found.on_hand_micro, found.held_micro) == (3 * ONE, 2 * ONE)
    assert (found.allocated_micro, found.available_micro) == (3 * ONE, 0)


def test_a_cancelled_order_frees_what_was_set_aside(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    first, second = scene.order(5), scene.order(5)
    assert scene.stage(second) == "backorder"
    scene.change(cancel_order, first, reason="the customer has changed his mind")
    assert (scene.stage(first), scene.held(first)) == ("cancelled", [])
    assert rows(database, sales_tables.allocated) == []
    scene.change(reserve_order, second)
    assert scene.held(second) == [(1, "BIN-1", "", 5)]
    assert scene.reasons(first)[0][3] == "order cancelled: the customer has changed his mind"
    scene.check()


def test_stock_that_moves_elsewhere_is_set_aside_there(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = scene.order(4)
    scene.move("BIN-1", "BIN-3", 3)
    assert scene.held(code) == [(1, "BIN-1", "", 2), (1, "BIN-3", "", 2)]
    assert scene.reasons(code) == [("BIN-1", "", 2, "no longer at BIN-1")]
    assert discrepancies(database) == []
    scene.check()


def test_stock_that_is_gone_leaves_whoever_reserved_last_short_and_says_so(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    first = scene.order(2)
    scene.clock.time_ms += 1000
    second = scene.order(3)
    scene.move("BIN-1", "adjustment", 2, step="counting")
    assert (scene.held(first), scene.held(second)) == (
        [(1, "BIN-1", "", 2)],
        [(1, "BIN-1", "", 1)],
    )
    assert discrepancies(database) == [("reservation_short", f"{second}/1", 1)]
    (found,) = rows(database, tables.discrepancies, "document", "expected_micro", "actual_micro")
    assert found == (second, 2 * ONE, 0)
    scene.check()
    scene.receive("BIN-2", 9)
    scene.change(reserve_order, second)
    assert scene.held(second) == [(1, "BIN-1", "", 1), (1, "BIN-2", "", 2)]
    assert rows(database, tables.discrepancies, "state", "settlement") == [
        ("settled", "other stock was set aside")
    ]
    scene.check()


def test_picked_goods_stay_set_aside_where_they_stand_ready(database):
    scene = Scene(database, stock=[("BIN-1", 10)])
    code = scene.order(4, upto="released")
    scene.move("BIN-1", "STAGE-1", 4, step="picking", document=code, document_line=1)
    assert scene.held(code) == [(1, "STAGE-1", "", 4)]
    assert scene.stage(code) == "picking"
    scene.move("STAGE-1", "BIN-2", 1)
    assert scene.held(code) == [(1, "BIN-1", "", 1), (1, "STAGE-1", "", 3)]
    scene.check()
    scene.ship(code, "STAGE-1", 3, line=1)
    scene.ship(code, "BIN-1", 1, line=1)
    assert (scene.held(code), scene.stage(code)) == ([], "shipped")
    scene.check()


def test_another_lot_that_went_out_frees_the_one_that_was_set_aside_and_says_why(database):
    scene = Scene(database, stock=[("BIN-1", 5, LATE), ("BIN-2", 5, EARLY)])
    code, other = scene.order(4, upto="released"), scene.order(5)
    assert scene.held(other) == [(1, "BIN-1", "L2", 4), (1, "BIN-2", "L1", 1)]
    scene.ship(code, "BIN-1", 3, line=1, lot="L2")
    assert scene.held(code) == [(1, "BIN-2", "L1", 1)]
    assert scene.reasons(code) == [("BIN-2", "L1", 3, "lot L2 of BIN-1 went out instead")]
    # Of the other order's goods 2 are gone; it has what has become free instead.
    assert scene.held(other) == [(1, "BIN-1", "L2", 2), (1, "BIN-2", "L1", 3)]
    assert scene.stage(code) == "part_shipped"
    assert [kind for kind, _, _ in discrepancies(database) if "reserv" in kind] == []
    scene.check()


def test_what_a_station_ships_without_naming_a_pick_is_taken_from_the_lines_that_it_counts_for(
    database,
):
    scene = Scene(database, stock=[("BIN-1", 4, EARLY), ("BIN-2", 9, LATE)])
    code = scene.order(4, 2, upto="released")
    assert scene.held(code) == [(1, "BIN-1", "L1", 4), (2, "BIN-2", "L2", 2)]
    scene.ship(code, "BIN-2", 2, lot="L2")  # It fills line 1; of line 2 nothing has gone.
    assert [
        (line.progress.done_micro // ONE, line.reserved_micro // ONE, line.backorder_micro)
        for line in scene.figures(code).lines
    ] == [(2, 2, 0), (0, 2, 0)]
    scene.check()


def test_goods_put_ready_where_the_books_were_below_zero_are_set_aside_elsewhere(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    code = scene.order(3, upto="released")
    scene.move("STAGE-1", "customer", 3)
    scene.move("BIN-1", "STAGE-1", 3, step="picking", document=code)
    assert scene.held(code) == [(1, "BIN-1", "", 3)]
    scene.check()


def test_what_was_taken_back_is_no_longer_shipped_and_waits(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = scene.order(4, upto="released")
    scene.ship(code, "BIN-1", 4, line=1)
    assert scene.stage(code) == "shipped"
    scene.gateway.reverse(len(scene.gateway.bodies))
    scene.send()
    assert scene.stage(code) == "released"
    assert scene.figures(code).lines[0].backorder_micro == 4 * ONE
    scene.change(reserve_order, code)
    assert scene.held(code) == [(1, "BIN-1", "", 4)]
    scene.check()


def test_a_counter_or_a_row_that_is_off_is_found(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = scene.order(4)
    allocated, reservations = sales_tables.allocated, sales_tables.reservations
    for statement, text in (
        (allocated.update().values(allocated_micro=3 * ONE), "1000000 more than the counter"),
        (allocated.update().values(allocated_micro=9 * ONE), "9000000 is set aside of 5000000"),
        (reservations.update().values(quantity_micro=5 * ONE), "4000000 ordered"),
    ):
        with database.write() as connection:
            connection.execute(statement)
        with database.read() as connection:
            assert any(text in one.detail for one in reservation_proof.faults(connection)), text
    del code


def test_figures_by_warehouse_leave_nothing_out(database):
    scene = Scene(database, stock=[("BIN-1", 5), ("BIN-2", 2, {"item": "NUT"})])
    scene.order(4)
    with database.read() as connection:
        found = list_availability(connection, warehouse="SH1", limit=10)
        assert [
            (one.key.item, one.on_hand_micro // ONE, one.available_micro // ONE) for one in found
        ] == [("BOLT", 5, 1), ("NUT", 2, 2)]
        second = list_availability(connection, after=found[0].key, limit=1)
        assert [one.key.item for one in second] == ["NUT"]
        assert availability(connection, item="BOLT", warehouse="BJ1").on_hand_micro == 0


def test_what_is_under_way_stands_at_the_warehouse_that_it_goes_to(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    scene.move("BIN-1", "in_transit", 2, step="transferring", document="TR-9")
    names = [column.name for column in transfer_tables.transfers.columns]
    texts = dict.fromkeys(names, "") | {"transfer": "TR-9", "source_warehouse": "SH1"}
    numbers = {name: 1 for name in names if name.endswith("_ms") or name == "version"}
    row = texts | numbers | {"destination_warehouse": "BJ1", "strayed": 0}
    row |= {"second_person": 0, "backorders": 0, "stale": 0}
    with database.write() as connection:
        connection.execute(transfer_tables.transfers.insert().values(**row))
    with database.read() as connection:
        found = list_availability(connection, item="BOLT", limit=None)
        assert [(one.key.warehouse, one.on_hand_micro // ONE) for one in found] == [
            ("BJ1", 0),
            ("SH1", 3),
        ]
        assert [one.in_transit_micro // ONE for one in found] == [2, 0]
        assert list_availability(connection, limit=9) == found
        assert list_availability(connection, after=found[0].key, limit=9) == found[1:]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_read_under_the_lock_is_found_by_its_key_however_much_there_is(database):
    scene = Scene(database, stock=[("BIN-1", 5, EARLY)])
    asked = []
    with database.write() as connection:
        connection.connection.driver_connection.set_trace_callback(asked.append)
    code = scene.order(4, upto="released")
    scene.move("BIN-1", "BIN-2", 5, lot="L1")
    scene.change(cancel_order, code, reason="x")
    with database.write() as connection:
        connection.connection.driver_connection.set_trace_callback(None)
    looked = [one for one in asked if one.split()[0] in ("SELECT", "WITH", "DELETE", "UPDATE")]
    with database.read() as connection:
        steps = [
            (step[3], statement)
            for statement in looked
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
        ]
    large = ("balances", "b ", "t ", "f ", "lines", "facts", "reservations", "allocated")
    for step, statement in steps:
        scanned = step.startswith("SCAN") and step.split()[1] in {one.strip() for one in large}
        assert not scanned, statement
        assert "balances" not in step or "(warehouse=?)" not in step, statement
        assert not step.endswith("PRIMARY KEY (warehouse=?)"), statement


def test_32_clients_who_reserve_the_same_goods_at_once_sell_no_more_than_there_is(database):
    def buy(change, _number, items):
        lines = tuple(LineAsked(line, item, ONE) for line, item in enumerate(items, 1))
        code = draft_order(change, OrderAsked("SH1", "SHOP", lines, backorders=False)).code
        submit_order(change, code)
        approve_order(change, code)

    promise_scarce_goods(database, buy)
    with database.read() as connection:
        states = connection.execute(select(sales_tables.sales_orders.c.state)).scalars().all()
    assert states == ["approved"] * SCARCE
