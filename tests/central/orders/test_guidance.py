"""Pick lists in walking order, rounds of several orders, where to put goods, what faces lack."""

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, text

from central.errors import Conflict, NotThere, Outdated, Unusable
from central.ledger.desk import Desk
from central.ledger.reference_desk import withdraw_item
from central.orders.following import FOLLOWERS
from central.orders.reserving.allocation import Candidate, StockKey
from central.orders.sales.pick_waves import (
    break_up_wave,
    list_waves,
    make_wave,
    refresh_stations,
    view_wave,
)
from central.orders.sales.putaway import Goods, Place, suggest
from central.orders.sales.putaway_reading import (
    EMPTY_PLACES_MAX,
    PutawayAsked,
    suggest_putaway,
)
from central.orders.sales.replenishment import Face, replenish
from central.orders.sales.replenishment_reading import list_replenishments
from central.orders.sales.sales_book import cancel_order
from central.orders.sales.sales_store import read_orders, write_order
from central.orders.sales.stale_guidance import ORDERS_PER_TICK_MAX, StaleGuidance
from central.storage import bulk, catalogue_tables, tables
from central.storage.sales_tables import STALE, sales_orders
from tests.central.orders.purchasing import row as table_row
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.scenery import NOW_MS, rows


def place(location, walk_order=0, used=0, **fields):
    values = {"zone": "", "storage_class": "", "capacity_micro": 0, "has_item": False}
    values |= {"has_lot": False} | fields
    return Place(location=location, walk_order=walk_order, used_micro=used, **values)


HOME = place("HOME", 90, is_home=True, home_max_micro=10, home_used_micro=4, used=4)
LOT = place("LOT", 80, used=5, has_item=True, has_lot=True, capacity_micro=20)
ITEM = place("ITEM", 70, used=5, has_item=True)
NEAR, FAR, NOWHERE = place("NEAR", 12), place("FAR", 60), place("NOWHERE")
OTHER = place("OTHER", 11, used=5)


@pytest.mark.parametrize(
    ("places", "goods", "expected"),
    [
        ([ITEM, LOT, HOME, NEAR], 6, [("HOME", 6, "home")]),
        ([ITEM, LOT, HOME, NEAR], 9, [("HOME", 6, "home"), ("LOT", 3, "same_lot")]),
        ([ITEM, LOT], 16, [("LOT", 15, "same_lot"), ("ITEM", 1, "same_item")]),
        ([FAR, NOWHERE, NEAR], 6, [("NEAR", 6, "empty")]),
        ([NOWHERE, OTHER], 6, [("NOWHERE", 6, "empty")]),
        ([place("SMALL", 10, capacity_micro=2), FAR], 6, [("FAR", 6, "empty")]),
        (
            [place("SMALL", 10, capacity_micro=2), place("SMALLER", 11, capacity_micro=1)],
            6,
            [("SMALL", 2, "empty"), ("SMALLER", 1, "empty")],
        ),
        ([place("COLD", 10, storage_class="cold"), FAR], 6, [("FAR", 6, "empty")]),
        ([place("SHUT", 10, blocked=True), OTHER], 6, []),
        (
            [place("A", 10), place("B", 10, capacity_micro=50), place("C", 10, capacity_micro=7)],
            6,
            [("C", 6, "empty")],
        ),
    ],
    ids=[
        "its own place",
        "its own place as far as there is room, then its lot",
        "its lot, then the item",
        "the nearest empty place",
        "an empty place that nobody has put on the way, but none with other goods",
        "one place for all rather than a nearer one for a part",
        "several where no one will do, and the rest has no room",
        "only where its storage class suits",
        "nowhere",
        "of places as near as each other the one that is best filled",
    ],
)
def test_where_goods_are_put(places, goods, expected):
    found = suggest(places, Goods(goods, storage_class="dry"), walk_from=10)
    assert [(one.location, one.quantity_micro, one.rule) for one in found] == expected


def reserve(location, amount, expiry_date=""):
    key = StockKey("SH1", "BOLT", location, expiry_date, "", "", "C62")
    return Candidate(key=key, available_micro=amount, expiry_date=expiry_date)


def test_the_emptiest_face_is_filled_first_and_nothing_is_brought_twice():
    faces = [Face("F1", 10, 20, 8), Face("F2", 10, 0, 2), Face("F3", 10, 20, 10)]
    reserves = [reserve("R1", 9, "2027-01-01"), reserve("R2", 6, "2026-12-01")]
    found = replenish(faces, reserves, rotation="fefo")
    assert [
        (
            one.face.location,
            [(pick.key.location, pick.quantity_micro) for pick in one.picks],
            one.missing_micro,
        )
        for one in found
    ] == [("F2", [("R2", 6), ("R1", 2)], 0), ("F1", [("R1", 7)], 5)]


@pytest.mark.parametrize(
    ("on_hand", "room", "wanted"),
    [(3, None, 17), (3, 12, 12), (3, 40, 17), (3, 0, 0), (3, -5, 0), (10, 40, 0)],
    ids=["no bound", "less fits", "more fits", "full", "more than full", "enough is there"],
)
def test_a_face_is_brought_no_more_than_fits(on_hand, room, wanted):
    face = Face("F1", 10, 20, on_hand, room_micro=room)
    assert face.wanted_micro == wanted
    found = replenish([face], [reserve("R1", 99)], rotation="fefo")
    brought = [pick.quantity_micro for one in found for pick in one.picks]
    assert (brought, [one.missing_micro for one in found]) == (
        ([wanted], [0]) if wanted else ([], [])
    )


def test_several_orders_are_picked_on_one_round_in_walking_order(database):
    scene = Scene(database, stock=[("BIN-1", 9), ("BIN-2", 9, {"item": "NUT"})])
    first = scene.order(2, ("NUT", 1), upto="released")
    second = scene.order(3, ("NUT", 2))
    scene.receive("STAGE-1", 4, item="RICE", unit="KGM")
    third = scene.order(("RICE", 1))
    wave = scene.change(make_wave, "SH1", [second, first, third])
    assert [
        (line.reservation.stock.location, line.order, line.reservation.quantity_micro // ONE)
        for line in wave.lines
    ] == [
        ("BIN-2", first, 1),
        ("BIN-2", second, 2),
        ("BIN-1", first, 2),
        ("BIN-1", second, 3),
        ("STAGE-1", third, 1),
    ]
    assert (wave.state, [one.stage for one in wave.orders]) == ("released", ["released"] * 3)
    with pytest.raises(Conflict, match="is on round"):
        scene.change(make_wave, "SH1", [first])
    scene.move("BIN-1", "STAGE-1", 2, step="picking", document=first)
    code = wave.wave.code

    def now():
        with database.read() as connection:
            return view_wave(connection, code)

    assert (now().state, len(now().lines)) == ("picking", 5)
    for order in (first, second, third):
        for row in scene.figures(order).reservations:
            if row.quantity_micro:
                scene.ship(
                    order,
                    row.stock.location,
                    row.quantity_micro // ONE,
                    line=row.pick_line,
                    item=row.stock.item,
                    unit=row.stock.unit,
                )
    assert (now().state, now().lines) == ("done", ())
    with pytest.raises(Outdated):
        scene.change(break_up_wave, code, version=7)
    scene.change(break_up_wave, code, version=1)
    assert now().orders == ()
    with database.read() as connection:
        assert [one.code for one in list_waves(connection, warehouse="", after="", limit=9)] == [
            code
        ]
        with pytest.raises(NotThere):
            view_wave(connection, "PW-9")
    scene.check()


def test_a_round_has_orders_of_its_warehouse_that_are_ready(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    code = scene.order(2, upto="submitted")
    with pytest.raises(Conflict, match="cannot be picked"):
        scene.change(make_wave, "SH1", [code])
    with pytest.raises(Unusable, match="has no sales order"):
        scene.change(make_wave, "BJ1", [code])
    scene.change(cancel_order, code, reason="x")


def test_stations_are_told_anew_where_goods_are_that_have_moved(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = scene.order(4, upto="released")
    scene.move("BIN-1", "BIN-2", 5)
    assert scene.figures(code).order.stale
    assert scene.document(code) == [(1, "BIN-1", "", 4)]
    assert scene.change(refresh_stations, "SH1") == [code]
    assert scene.document(code) == [(2, "BIN-2", "", 4)]
    assert scene.change(refresh_stations, "SH1") == []
    assert not scene.figures(code).order.stale
    scene.check()


def test_stations_hear_of_moved_goods_without_anybody_asking_for_it(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = scene.order(4, upto="released")
    told = []
    desk = Desk(database, clock=scene.clock, followers=FOLLOWERS, told=lambda: told.append(1))
    guidance = StaleGuidance(database, desk=desk)
    assert (guidance.tick(), told) == (0, [])
    scene.move("BIN-1", "BIN-2", 5)
    version = scene.figures(code).order.version
    assert scene.document(code) == [(1, "BIN-1", "", 4)]
    assert (guidance.tick(), told) == (1, [1])
    assert scene.document(code) == [(2, "BIN-2", "", 4)]
    after = scene.figures(code).order
    assert (after.stale, after.version) == (False, version + 1)
    events = rows(database, tables.object_events, "event_no", "code", "action", "actor")
    assert events[-1][1:] == (code, "stations_told", "ledger")
    assert (guidance.tick(), told) == (0, [1])
    scene.check()


def test_many_orders_are_told_some_a_turn_and_only_those_that_stations_work_on(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    signed = scene.order(1, upto="released")
    with database.write() as connection:
        order = read_orders(connection, [signed])[0]
        write_order(connection, replace(order, state="signed", stale=True))
        many = [f"SO-1{number:05d}" for number in range(ORDERS_PER_TICK_MAX + 3)]
        for code in many:
            write_order(connection, replace(order, code=code, lines=(), stale=True))
    guidance = StaleGuidance(database, desk=scene.desk)
    ticks = [guidance.tick() for _ in range(4)]
    assert ticks == [ORDERS_PER_TICK_MAX, 3, 0, 0]
    with database.read() as connection:
        assert [one.stale for one in read_orders(connection, many)] == [False] * len(many)
        assert read_orders(connection, [signed])[0].stale


def test_orders_that_are_refused_are_named_once_and_hold_up_no_other(database, caplog):
    scene = Scene(database, stock=[("BIN-1", 50), ("BIN-2", 5, {"item": "NUT"})])
    refused = [scene.order(1, upto="released") for _ in range(ORDERS_PER_TICK_MAX)]
    code = scene.order(("NUT", 1), upto="released")
    scene.move("BIN-1", "BIN-3", 50)
    scene.move("BIN-2", "BIN-3", 5, item="NUT")
    with scene.desk.change(actor="test") as change:
        withdraw_item(change, "BOLT")
    guidance = StaleGuidance(database, desk=scene.desk)
    assert [guidance.tick() for _ in range(4)] == [0, 1, 0, 0]
    assert [scene.figures(one).order.stale for one in (refused[0], code)] == [True, False]
    said = [one for one in caplog.records if one.name.endswith("stale_guidance")]
    assert [one.order for one in said] == refused
    assert all(one.hint for one in said)


def test_whether_anything_is_stale_is_asked_of_its_own_index(own_database):
    database = own_database  # What autovacuum counted in another's would decide the plan.
    Scene(database, stock=[("BIN-1", 5)]).order(1, upto="released")
    query = f"SELECT code FROM sales_orders WHERE {STALE} AND code > 'A' ORDER BY code LIMIT 20"
    explained = "EXPLAIN QUERY PLAN " if database.dialect == "sqlite" else "EXPLAIN "
    with database.write() as connection:
        if database.dialect != "sqlite":  # Of a table of few rows PostgreSQL may take any index.
            copied = ", ".join(one.name for one in sales_orders.columns if one.name != "code")
            connection.exec_driver_sql(
                f"INSERT INTO sales_orders (code, {copied}) SELECT 'SO-9' || n, {copied}"
                " FROM sales_orders, generate_series(1, 5000) AS n"
            )
            connection.exec_driver_sql("ANALYZE sales_orders")
        plan = connection.execute(text(explained + query)).all()
    assert "sales_orders_stale" in str(plan)


def test_goods_are_put_where_they_live_else_beside_their_lot_else_where_nothing_is(database):
    Scene(database, stock=[("BIN-1", 5, {"lot": "L1"}), ("BIN-2", 5, {"lot": "L2"})])

    def suggested(quantity=3, **fields):
        asked = PutawayAsked("SH1", fields.pop("item", "BOLT"), quantity * ONE, **fields)
        with database.read() as connection:
            return [(one.location, one.rule) for one in suggest_putaway(connection, asked)]

    assert suggested(lot="L2") == [("BIN-2", "same_lot")]
    assert suggested(from_location="BIN-2") == [("BIN-1", "same_item")]
    assert suggested(item="NUT") == [("BIN-3", "empty")]
    with database.write() as connection:
        row = ("SH1", "NUT", "BIN-1", 0, 0)
        bulk.insert_rows(connection, catalogue_tables.item_places, [row])
    assert suggested(item="NUT") == [("BIN-1", "home")]
    with database.write() as connection:
        table = catalogue_tables.location_details
        connection.execute(table.update().values(capacity_micro=6 * ONE))
    assert suggested(item="NUT") == [("BIN-1", "home"), ("BIN-3", "empty")]
    with pytest.raises(NotThere):
        suggested(item="WHAT")


@pytest.mark.parametrize(
    "unfit",
    [{"blocked": True}, {"storage_class": "cold"}, {"zone": "B"}, {"capacity_micro": ONE}],
    ids=["blocked", "for other goods", "in another zone", "too small"],
)
def test_many_near_places_that_will_not_do_hide_none_that_will(database, unfit):
    Scene(database, stock=[])
    empty = {"version": 1, "area": False, "name": "", "parent": "", "pick_face": False}
    empty |= {"capacity_micro": 0, "zone": "A", "storage_class": "", "blocked": False}
    details = [
        empty | {"warehouse": "SH1", "location": f"N-{number:03}", "walk_order": 10} | unfit
        for number in range(EMPTY_PLACES_MAX + 10)
    ]
    details.append(empty | {"warehouse": "SH1", "location": "THERE", "walk_order": 900})
    places = [
        {"warehouse": "SH1", "location": one["location"], "kind": "bin", "revision": 1}
        for one in details
    ]
    with database.write() as connection:
        connection.execute(catalogue_tables.item_policies.delete())
        policy = table_row(catalogue_tables.item_policies, item="NUT", storage_class="dry")
        connection.execute(insert(catalogue_tables.item_policies), [policy])
        connection.execute(
            insert(tables.locations), [table_row(tables.locations, **one) for one in places]
        )
        connection.execute(insert(catalogue_tables.location_details), details)
    asked = PutawayAsked("SH1", "NUT", 3 * ONE, zone="A")
    with database.read() as connection:
        found = suggest_putaway(connection, asked)
    assert [(one.location, one.quantity_micro) for one in found] == [("THERE", 3 * ONE)]


def test_faces_below_their_minimum_are_filled_by_what_expires_first(database):
    stock = [
        ("BIN-1", 3, {"lot": "A", "expiry_date": "2027-01-01"}),
        ("BIN-2", 9, {"lot": "B", "expiry_date": "2026-12-01"}),
        ("BIN-3", 9, {"lot": "C", "expiry_date": "2026-11-01"}),
    ]
    scene = Scene(database, stock=stock)
    with database.write() as connection:
        faces = [("SH1", "BOLT", "BIN-1", 5 * ONE, 12 * ONE), ("SH1", "NUT", "BIN-1", ONE, 0)]
        bulk.insert_rows(connection, catalogue_tables.item_places, faces)

    def proposed(after="", limit=10):
        with database.read() as connection:
            found, last = list_replenishments(
                connection, "SH1", after=after, limit=limit, now_ms=NOW_MS
            )
        return [
            (
                one.item,
                [
                    (pick.key.location, pick.quantity_micro // ONE)
                    for pick in one.replenishment.picks
                ],
                one.replenishment.missing_micro // ONE,
            )
            for one in found
        ], last

    assert proposed() == ([("BOLT", [("BIN-3", 9)], 0), ("NUT", [], 1)], "")
    assert proposed(limit=1) == ([("BOLT", [("BIN-3", 9)], 0)], "BOLT")
    assert proposed(after="BOLT") == ([("NUT", [], 1)], "")
    scene.order(9)  # Takes what expires first: all of lot C.
    assert proposed()[0][0] == ("BOLT", [("BIN-2", 9)], 0)


def test_what_must_not_be_shipped_any_more_does_not_fill_a_face(database):
    stock = [
        ("BIN-1", 6, {"lot": "A", "expiry_date": "2026-01-01"}),
        ("BIN-2", 9, {"lot": "B", "expiry_date": "2027-12-01"}),
    ]
    Scene(database, stock=stock)
    with database.write() as connection:
        faces = [("SH1", "BOLT", "BIN-1", 5 * ONE, 8 * ONE)]
        bulk.insert_rows(connection, catalogue_tables.item_places, faces)
    with database.read() as connection:
        found, _ = list_replenishments(connection, "SH1", after="", limit=9, now_ms=NOW_MS)
    assert [
        (pick.key.location, pick.quantity_micro // ONE)
        for one in found
        for pick in one.replenishment.picks
    ] == [("BIN-2", 8)]


def brought_to(database, *, limit=9, after=""):
    """What is to be brought, by item and face."""
    with database.read() as connection:
        found, _ = list_replenishments(connection, "SH1", after=after, limit=limit, now_ms=NOW_MS)
    return {
        (one.item, one.replenishment.face.location): sum(
            pick.quantity_micro // ONE for pick in one.replenishment.picks
        )
        for one in found
    }


def with_face(database, *faces, **details):
    """A pick face BIN-1 of these items: (item, min, max)."""
    table = catalogue_tables.location_details
    is_face = (table.c.warehouse == "SH1") & (table.c.location == "BIN-1")
    with database.write() as connection:
        rows = [("SH1", item, "BIN-1", low * ONE, high * ONE) for item, low, high in faces]
        bulk.insert_rows(connection, catalogue_tables.item_places, rows)
        connection.execute(table.update().where(is_face).values(**details))


def test_a_face_is_brought_no_more_than_fits_beside_all_that_lies_there(database):
    scene = Scene(database, stock=[("BIN-1", 8), ("BIN-2", 200)])
    with_face(database, ("BOLT", 10, 100), capacity_micro=40 * ONE)
    assert brought_to(database) == {("BOLT", "BIN-1"): 32}
    scene.order(5)  # What is set aside is gone for the next order, and takes its room until then.
    assert brought_to(database) == {("BOLT", "BIN-1"): 32}
    scene.receive("BIN-1", 30, item="NUT")
    assert brought_to(database) == {("BOLT", "BIN-1"): 2}
    scene.receive("BIN-1", 2, item="NUT")
    assert brought_to(database) == {}


def test_items_that_share_a_face_are_brought_no_more_than_fits_together(database):
    Scene(database, stock=[("BIN-2", 50), ("BIN-3", 50, {"item": "NUT"})])
    with_face(database, ("BOLT", 10, 30), ("NUT", 10, 30), capacity_micro=40 * ONE)
    assert brought_to(database) == {("BOLT", "BIN-1"): 30, ("NUT", "BIN-1"): 10}


def test_nothing_is_brought_to_a_blocked_face(database):
    Scene(database, stock=[("BIN-2", 50)])
    with_face(database, ("BOLT", 10, 30), blocked=False)
    assert brought_to(database) == {("BOLT", "BIN-1"): 30}
    with_face(database, blocked=True)
    assert brought_to(database) == {}
    assert brought_to(database, limit=1) == {}
