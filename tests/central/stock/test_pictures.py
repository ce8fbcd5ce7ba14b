"""What the charts show is what the facts say, on both databases."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from central.inbox.inbox import Inbox
from central.stock.ageing import (
    EXPIRY_CLASSES,
    REST_CLASSES,
    days_left,
    expiry_counts,
    list_expiring,
    rest_counts,
)
from central.stock.as_of import list_stock_as_of
from central.stock.closings import item_days
from central.stock.flows import transfer_flows
from central.stock.moments import moment_at
from central.stock.pareto import moved_items
from central.stock.rows import StockFilter
from central.stock.throughput import hourly_throughput
from central.storage import bulk, tables, transfer_tables
from tests.central.scenery import NOW_MS, FixedClock, Gateway, enrol, furnished, load
from tests.central.stock.test_as_of import history

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


def dated(database, *movements):
    """Post movements, each (days ago, fields), recorded when they happened; return the gateway."""
    gateway = Gateway()
    load(database)
    enrol(database, gateway)
    clock = FixedClock()
    inbox = Inbox(database, clock=clock)
    for days, fields in movements:
        clock.time_ms = NOW_MS - days * DAY_MS
        seq = gateway.move(event_time_ms=clock.time_ms, **fields)
        inbox.accept([gateway.offer(seq, seq)])
    return gateway


def test_each_day_closes_with_the_stock_as_of_its_end(database):
    clock = FixedClock()
    history(database, 7, clock=clock)
    with database.read() as connection:
        found = item_days(connection, "BOLT", now_ms=clock.time_ms, days=20)
        assert found.complete and len(found.ends_ms) == 20
        assert found.ends_ms[-1] == clock.time_ms
        for at, end_ms in enumerate(found.ends_ms[:-1]):
            moment = moment_at(connection, end_ms - 1, kind="event", warehouse="")
            rows = list_stock_as_of(
                connection, StockFilter(item="BOLT"), moment, after=None, limit=100
            )
            sums = Counter()
            for row in rows:
                sums[row.key.warehouse] += row.on_hand
            for warehouse in ("SH1", "BJ1"):
                (closing,) = [row for row in found.rows if row.warehouse == warehouse]
                assert closing.on_hand[at] == sums[warehouse], (warehouse, at)


def test_an_item_that_moves_often_is_counted_back_as_far_as_is_cheap(database):
    dated(database, *((days, {"quantity": "1"}) for days in range(9, -1, -1)))
    with database.read() as connection:
        found = item_days(connection, "BOLT", now_ms=NOW_MS, days=30, read_max=4)
    assert not found.complete
    assert found.rows[0].on_hand == (8, 9, 10)


def test_the_days_are_those_of_the_reader(database):
    end_of_day = NOW_MS // DAY_MS * DAY_MS
    dated(database, (0, {}))
    with database.read() as connection:
        found = item_days(connection, "BOLT", now_ms=NOW_MS, days=2, offset_ms=8 * HOUR_MS)
    assert found.ends_ms[0] in {end_of_day - 8 * HOUR_MS, end_of_day + 16 * HOUR_MS}


def test_throughput_counts_by_gateway_and_hour_of_the_readers_day(database):
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    midnight = NOW_MS // DAY_MS * DAY_MS
    inbox = furnished(database, here, there)
    for hour in (1, 1, 3):
        here.move(event_time_ms=midnight + hour * HOUR_MS)
    here.print_label(event_time_ms=midnight + HOUR_MS)
    there.move(event_time_ms=midnight + 3 * HOUR_MS)
    there.move(event_time_ms=midnight - 30 * DAY_MS)
    inbox.accept([here.offer(), there.offer()])
    with database.read() as connection:
        found = hourly_throughput(connection, since_ms=midnight - 6 * DAY_MS, offset_ms=8 * HOUR_MS)
    busy = {
        row.gateway: {hour: count for hour, count in enumerate(row.movements) if count}
        for row in found.rows
    }
    assert busy == {"sh1-dock-1": {9: 2, 11: 1}, "bj1-dock-1": {11: 1}}
    assert found.complete and sum(map(sum, (row.others for row in found.rows))) == 1


def test_throughput_of_too_many_facts_says_since_when_it_counts(database):
    dated(database, (3, {}), (2, {}), (1, {}), (0, {}))
    with database.read() as connection:
        found = hourly_throughput(connection, since_ms=NOW_MS - 5 * DAY_MS, read_max=2)
    assert (found.complete, found.since_ms) == (False, NOW_MS - 2 * DAY_MS)
    assert sum(map(sum, (row.movements for row in found.rows))) == 2


def expiry(days):
    return (datetime.fromtimestamp(NOW_MS / 1000, UTC) + timedelta(days=days)).date().isoformat()


def test_lots_in_stock_are_counted_by_days_to_expiry(database):
    lots = {"L0": -1, "L1": 0, "L2": 7, "L3": 8, "L4": 200}
    moves = [(0, {"lot": lot, "expiry_date": expiry(days)}) for lot, days in lots.items()]
    gone = [(0, {"lot": "L9", "expiry_date": expiry(1)})]
    gone += [(0, {"lot": "L9", "source": "BIN-1", "target": "customer"})]
    second = [(0, {"lot": "L1", "target": "BIN-2"})]
    dated(database, *moves, *gone, *second, (0, {"lot": "LX"}), (0, {}))
    with database.read() as connection:
        (there, here) = expiry_counts(connection, now_ms=NOW_MS)
        listed = list_expiring(connection, now_ms=NOW_MS, offset=0, limit=10)
        near = list_expiring(
            connection, now_ms=NOW_MS, warehouse="SH1", expiry_class="0-7", offset=0, limit=10
        )
    assert (there.warehouse, sum(there.counts)) == ("BJ1", 0)
    expected = {"expired": 1, "0-7": 2, "8-30": 1, "181+": 1, "none": 1}
    counts = dict(zip(EXPIRY_CLASSES, here.counts, strict=True))
    assert {name: count for name, count in counts.items() if count} == expected
    assert [row.lot for row in listed] == ["L0", "L1", "L2", "L3", "L4"]
    assert [(row.lot, row.on_hand) for row in near] == [("L1", 2), ("L2", 1)]
    assert [days_left(row.expiry_date, now_ms=NOW_MS) for row in listed] == list(lots.values())


def test_stock_that_nobody_touches_is_counted_by_its_age(database):
    dated(
        database,
        (100, {"lot": "OLD"}),
        (100, {"lot": "MOVED"}),
        (40, {"lot": "FORTY"}),
        (1, {"lot": "MOVED"}),
    )
    with database.read() as connection:
        (_, here) = rest_counts(connection, now_ms=NOW_MS)
    assert dict(zip(REST_CLASSES, here.counts, strict=True)) == {
        "0-7": 1,
        "8-30": 0,
        "31-90": 1,
        "91-180": 1,
        "181+": 0,
    }


def test_the_pareto_orders_items_by_movements_or_by_quantity(database):
    moves = [(1, {"item": "BOLT", "quantity": "1"})] * 8
    moves += [(1, {"item": "NUT", "quantity": "100"})] * 1
    moves += [(1, {"item": "RICE", "quantity": "2.5", "unit": "KGM"})]
    dated(database, (90, {"item": "NUT"}), *moves)
    with database.read() as connection:
        by_movements = moved_items(connection, since_ms=NOW_MS - 30 * DAY_MS)
        by_quantity = moved_items(connection, since_ms=NOW_MS - 30 * DAY_MS, unit="C62")
    assert [(row.item, row.movements, row.abc) for row in by_movements.rows] == [
        ("BOLT", 8, "A"),
        ("NUT", 1, "B"),
        ("RICE", 1, "B"),
    ]
    assert by_movements.total == 10 and by_movements.rows[-1].share == 1
    assert [(row.item, row.quantity) for row in by_quantity.rows] == [("NUT", 100), ("BOLT", 8)]
    for rows in (by_movements.rows, by_quantity.rows):
        assert all(a.share <= b.share for a, b in pairwise(rows))


def test_the_pareto_of_too_many_movements_says_so(database):
    dated(database, (2, {}), (1, {}), (0, {}))
    with database.read() as connection:
        found = moved_items(connection, since_ms=0, read_max=2)
    assert (found.complete, found.total) == (False, 2)


def test_flows_between_warehouses_are_what_left_and_what_arrived(database):
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    inbox = furnished(database, here, there)
    way = "in_transit/TR-1"
    here.move(quantity="10", source="BIN-1", target=way, document="TR-1")
    here.move(quantity="2", source=way, target="BIN-1", document="TR-1")
    there.move(quantity="5", source=way, target="BIN-1", document="TR-1")
    there.move(quantity="1", source=way, target="scrap", document="TR-1")
    inbox.accept([here.offer(), there.offer()])
    columns = {column.name: {int: 0, str: "", bool: False}[column.type.python_type]
               for column in transfer_tables.transfers.columns}  # fmt: skip
    row = columns | {"transfer": "TR-1", "source_warehouse": "SH1", "released_ms": NOW_MS}
    row |= {"destination_warehouse": "BJ1", "state": "released"}
    with database.write() as connection:
        bulk.insert_rows(connection, transfer_tables.transfers, [tuple(row.values())])
        numbers = connection.execute(tables.lines.select().where(tables.lines.c.location == way))
        behind = [("TR-1", line.record_no, line.warehouse) for line in numbers]
        bulk.upsert_rows(connection, transfer_tables.transfer_facts, behind)
    with database.read() as connection:
        (flow,) = transfer_flows(connection, since_ms=NOW_MS)
        assert transfer_flows(connection, since_ms=NOW_MS + 1) == []
    assert (flow.source, flow.destination, flow.unit, flow.transfers) == ("SH1", "BJ1", "C62", 1)
    assert (flow.sent, flow.arrived) == (Decimal(8), Decimal(5))


@pytest.mark.parametrize("now_ms", [0, NOW_MS], ids=["1970", "now"])
def test_an_empty_ledger_has_empty_pictures(database, now_ms):
    with database.read() as connection:
        assert item_days(connection, "BOLT", now_ms=now_ms, days=5).rows == ()
        assert hourly_throughput(connection, since_ms=0).rows == ()
        assert expiry_counts(connection, now_ms=now_ms) == []
        assert moved_items(connection, since_ms=0).rows == ()
        assert transfer_flows(connection, since_ms=0) == []
