"""The stock of the past is what the facts make of it, by either time, with and without copies."""

from random import Random

import pytest
from sqlalchemy import select, text

from central.contract.facts import Movement, decode_fact
from central.inbox.inbox import Inbox
from central.ledger.checkpoints import Checkpoints, checkpoint_faults, forget_checkpoints
from central.ledger.item_sums import COPY_LOCK
from central.stock.as_of import list_stock_as_of
from central.stock.moments import moment_at
from central.stock.rows import StockFilter
from central.storage.checkpoint_tables import checkpoint_balances, checkpoints, late_days
from central.storage.tables import facts
from tests.central.conftest import KINDS
from tests.central.scenery import NOW_MS, FixedClock, Gateway, enrol, load

DAY_MS = 86_400_000
MINUTE_MS = 60_000
PLACES = ["BIN-1", "BIN-2", "BIN-3", "supplier", "customer"]


def history(database, seed, *, clock, batches_count=24, between=lambda index: None, places=PLACES):
    """Fill the ledger with some weeks of gateways that are offline at times; return when."""
    heard_ms = []
    random = Random(seed)
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    unset = Gateway("sh1-dock-2")
    load(database)
    enrol(database, here, there, unset)
    inbox = Inbox(database, clock=clock)
    offered = {here: 1, there: 1, unset: 1}
    for index in range(batches_count):
        clock.time_ms += random.choice([MINUTE_MS, 7 * MINUTE_MS, 3_600_000, DAY_MS])
        for gateway, first in offered.items():
            happened_ms = clock.time_ms - random.choice([0, MINUTE_MS, 9 * MINUTE_MS, 2 * DAY_MS])
            for _ in range(random.randint(1, 3)):
                source, target = random.sample(places, 2)
                gateway.move(
                    random.choice(["BOLT", "NUT"]),
                    str(random.randint(1, 9)),
                    source=source,
                    target=target,
                    lot=random.choice(["", "L1"]),
                    event_time_ms=happened_ms + random.randint(-MINUTE_MS, MINUTE_MS),
                    clock_synced=gateway is not unset,
                )
            if random.random() < 0.7:  # Else it is offline: more comes at once later.
                (outcome,) = inbox.accept([gateway.offer(first)])
                assert outcome.kind == "accepted"
                offered[gateway] = len(gateway.bodies) + 1
        heard_ms.append(clock.time_ms)
        between(index)
    return heard_ms


def recorded(database):
    """Each fact of the ledger, as it was signed: [(row, movement)]."""
    with database.read() as connection:
        read = [(row, decode_fact(bytes(row.body))) for row in connection.execute(select(facts))]
    assert all(isinstance(fact, Movement) for _, fact in read)
    return read


def truth(read, time_ms, kind, *, warehouse="", item=""):
    """The same stock, summed fact by fact."""
    sums = {}
    for row, fact in read:
        happened_ms = row.record_ms if kind == "record" else row.event_time_ms
        if happened_ms > time_ms or warehouse not in {"", row.warehouse}:
            continue
        if item not in {"", fact.item}:
            continue
        for place, sign in ((fact.from_location, -1), (fact.to_location, 1)):
            if place.startswith("BIN"):
                key = (row.warehouse, place, fact.item, fact.lot)
                sums[key] = sums.get(key, 0) + sign * int(fact.quantity)
    return {key: value for key, value in sums.items() if value}


def stock(database, time_ms, kind, *, limit=3, **wanted):
    """The stock as of a time, page by page."""
    found, after = {}, None
    with database.read() as connection:
        moment = moment_at(connection, time_ms, kind=kind, warehouse=wanted.get("warehouse", ""))
        while True:
            page = list_stock_as_of(
                connection, StockFilter(**wanted), moment, after=after, limit=limit
            )
            keys = [row.key for row in page]
            assert keys == sorted(keys)
            for row in page:
                key = (row.key.warehouse, row.key.location, row.key.item, row.key.lot)
                found[key] = found.get(key, 0) + int(row.on_hand)
            if len(page) < limit:
                return {key: value for key, value in found.items() if value}
            after = page[-1].key


def moments(heard_ms):
    """Before and after everything, and a minute or so around some of the ledger's work."""
    near = [ms + by_ms for ms in heard_ms[::5] for by_ms in (-MINUTE_MS // 2, 0, 8 * MINUTE_MS)]
    return [heard_ms[0] - 3 * DAY_MS, *near, heard_ms[-1] + DAY_MS]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("copies", ["none", "some", "many"])
def test_the_stock_of_any_moment_is_what_had_happened_or_was_known(database, seed, copies):
    clock = FixedClock()
    keeping = Checkpoints(database, clock=clock, facts_min=20, facts_per_row=0, rows_at_once=2)

    def between(index):
        if copies == "many" or (copies == "some" and index == 11):
            while not keeping.tick():
                pass

    heard_ms = history(database, seed, clock=clock, between=between)
    with database.read() as connection:
        copies_count = len(connection.execute(select(checkpoints)).all())
        assert list(checkpoint_faults(connection)) == []
    assert (copies_count > 0) == (copies != "none")
    read = recorded(database)
    for time_ms in moments(heard_ms):
        for kind in ("event", "record"):
            for wanted in ({"warehouse": "SH1"}, {"item": "BOLT"}):
                found = stock(database, time_ms, kind, **wanted)
                assert found == truth(read, time_ms, kind, **wanted), (time_ms, kind, wanted)


def test_late_days_name_the_last_day_on_which_a_day_was_heard_of(database):
    clock = FixedClock()
    gateway = Gateway()
    load(database)
    enrol(database, gateway)
    inbox, keeping = Inbox(database, clock=clock), Checkpoints(database, clock=clock)
    for late_days_count in (0, 2, 1):
        gateway.move(event_time_ms=NOW_MS - 30 * DAY_MS)
        clock.time_ms = NOW_MS + late_days_count * DAY_MS
        inbox.accept([gateway.offer(len(gateway.bodies))])
        assert keeping.tick()
    with database.read() as connection:
        rows = [tuple(row) for row in connection.execute(select(late_days))]
    assert rows == [("SH1", NOW_MS // DAY_MS - 30, NOW_MS // DAY_MS + 2)]


def test_a_copy_that_was_interrupted_is_taken_away_and_made_anew(database):
    clock = FixedClock()
    history(database, 3, clock=clock, batches_count=8)
    with database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO checkpoint_balances VALUES"
            " ('SH1', 5, 'BIN-1', 'BOLT', '', '', '', 'C62', 'available', 7, 0)"
        )
        connection.exec_driver_sql("INSERT INTO upkeep_progress VALUES ('checkpoint', 5)")
    while not Checkpoints(database, clock=clock, facts_min=10, facts_per_row=0).tick():
        pass
    with database.read() as connection:
        (made,) = connection.execute(select(checkpoints.c.record_no)).scalars()
        kept = set(connection.execute(select(checkpoint_balances.c.record_no)).scalars())
    assert kept == {made}


@pytest.mark.parametrize("database", [KINDS[1]], indirect=True)
def test_of_two_processes_one_copies_and_the_other_leaves_it_alone(database):
    clock = FixedClock()
    history(database, 3, clock=clock, batches_count=8)
    keeping = Checkpoints(database, clock=clock, facts_min=10, facts_per_row=0)
    with database.read() as other:
        assert other.execute(text(f"SELECT pg_try_advisory_xact_lock({COPY_LOCK})")).scalar_one()
        while not keeping.tick():
            pass
        assert other.execute(select(checkpoints)).all() == []
    with database.read() as connection:
        assert connection.execute(select(checkpoints)).all() == []
    while not keeping.tick():
        pass
    with database.read() as connection:
        assert len(connection.execute(select(checkpoints)).all()) == 1


def test_a_wrong_copy_is_found_and_can_be_forgotten(database):
    clock = FixedClock()
    history(database, 4, clock=clock, batches_count=8)
    while not Checkpoints(database, clock=clock, facts_min=10, facts_per_row=0).tick():
        pass
    with database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE checkpoint_balances SET on_hand_micro = on_hand_micro + 1"
            " WHERE warehouse = 'SH1' AND location = 'BIN-1'"
        )
    with database.read() as connection:
        faults = list(checkpoint_faults(connection))
    assert {fault.check for fault in faults} == {"checkpoint"}
    assert all("SH1/BIN-1/" in fault.subject for fault in faults)
    with database.write() as connection:
        forget_checkpoints(connection)
    with database.read() as connection:
        assert list(checkpoint_faults(connection)) == []
