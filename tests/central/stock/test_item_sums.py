"""The past in the order of a figure is the order that a replay of the facts gives."""

from collections import Counter
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select

from central.ledger.checkpoints import Checkpoints, checkpoint_faults, forget_checkpoints
from central.ledger.item_sums import ItemSums
from central.stock.moments import moment_at
from central.stock.past_sums import order_sums
from central.stock.rows import MatrixQuery
from central.stock.strays import StrayItems
from central.stock.updates import read_matrix
from central.storage.checkpoint_tables import checkpoint_balances, checkpoints, item_sums
from tests.central.scenery import FixedClock, Gateway, furnished
from tests.central.stock.test_as_of import PLACES, history, moments, recorded

WAYS = [*PLACES, "in_transit", "in_transit/TR-1"]
SORTS = ("total", "transit", "w:BJ1")
DAY_MS = 86_400_000


def stood(read, time_ms, kind, *, warehouse=""):
    """What a figure of each item was, fact by fact: {(item, sort): amount}."""
    sums = Counter()
    for row, fact in read:
        happened_ms = row.record_ms if kind == "record" else row.event_time_ms
        if happened_ms > time_ms or warehouse not in {"", row.warehouse}:
            continue
        for place, sign in ((fact.from_location, -1), (fact.to_location, 1)):
            amount = sign * int(fact.quantity)
            if place.startswith("BIN"):
                sums[fact.item, "total"] += amount
                sums[fact.item, f"w:{row.warehouse}"] += amount
            elif place.startswith("in_transit"):
                sums[fact.item, "transit"] += amount
    return sums


def asked(database, time_ms, kind, **wanted):
    with database.read() as connection:
        moment = moment_at(connection, time_ms, kind=kind, warehouse="")
        query, bounds = order_sums(connection, MatrixQuery(**wanted), moment, only=False)
        return {row.item: int(row.micro) for row in connection.execute(select(query), bounds)}


@pytest.mark.parametrize(("seed", "facts_min"), [(1, 5), (2, 60)])
def test_figures_to_sort_the_past_by_are_what_the_facts_make_of_them(database, seed, facts_min):
    clock = FixedClock()
    keeping = Checkpoints(
        database, clock=clock, facts_min=facts_min, facts_per_row=0, rows_at_once=1
    )

    def follow(_):
        while not keeping.tick():
            pass

    heard_ms = history(database, seed, clock=clock, between=follow, places=WAYS)
    read = recorded(database)
    with database.read() as connection:
        kept = connection.execute(select(func.count(item_sums.c.record_no.distinct()))).scalar_one()
        assert list(checkpoint_faults(connection)) == []
    assert kept == len(read) // facts_min
    for time_ms in moments(heard_ms):
        for kind in ("event", "record"):
            expected = stood(read, time_ms, kind)
            for sort in SORTS:
                found = asked(database, time_ms, kind, sort=sort)
                for item in ("BOLT", "NUT"):
                    amount = expected[item, sort] * 1_000_000
                    assert found.get(item, 0) == amount, (time_ms, kind, sort, item)


def test_wrong_sums_are_found_and_can_be_forgotten(database):
    clock = FixedClock()
    history(database, 4, clock=clock, batches_count=8)
    while not Checkpoints(database, clock=clock, facts_min=10, facts_per_row=0).tick():
        pass
    with database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE item_sums SET here_units = here_units + 1 WHERE record_no = 20"
            " AND item = 'BOLT'"
        )
    with database.read() as connection:
        faults = list(checkpoint_faults(connection))
    # Where it is wrong, and where what was wrong is gone again.
    assert [(fault.check, fault.subject) for fault in faults[:2]] == [("item_sums", "BOLT")] * 2
    with database.write() as connection:
        forget_checkpoints(connection)
    with database.read() as connection:
        assert list(checkpoint_faults(connection)) == []
        assert connection.execute(select(item_sums)).all() == []


def test_sums_that_were_interrupted_count_for_nothing_and_are_made_anew(database):
    clock = FixedClock()
    heard_ms = history(database, 3, clock=clock, batches_count=8)
    expected = asked(database, heard_ms[-1], "record", sort="total")
    left = "INSERT INTO item_sums VALUES (17, 'BOLT', 7, 0, 0, 0)"
    with database.write() as connection:
        connection.exec_driver_sql(left)
    assert asked(database, heard_ms[-1], "record", sort="total") == expected
    while not ItemSums(database, facts_min=10, facts_per_row=0).tick():
        pass
    with database.read() as connection:
        kept = set(connection.execute(select(item_sums.c.record_no)).scalars())
    assert kept
    assert all(number % 10 == 0 for number in kept)
    assert asked(database, heard_ms[-1], "record", sort="total") == expected


class Beside:
    """A database on which somebody else acts: in a read that began, or after so many writes."""

    def __init__(self, database, act, *, writes_count=0):
        self._database = database
        self._act = act
        self._writes_count = writes_count
        self.written_count = 0

    @contextmanager
    def read(self):
        with self._database.read() as connection:
            connection.execute(select(func.count()).select_from(item_sums))
            if not self._writes_count:
                self._act()
            yield connection

    @contextmanager
    def write(self):
        with self._database.write() as connection:
            yield connection
        self.written_count += 1
        if self.written_count == self._writes_count:
            self._act()


def test_sums_that_are_forgotten_while_they_are_made_do_not_count_by_half(database):
    clock = FixedClock()
    heard_ms = history(database, 3, clock=clock, batches_count=8)
    expected = asked(database, heard_ms[-1], "record", sort="total")

    def forget():
        with database.write() as connection:
            forget_checkpoints(connection)

    beside = Beside(database, forget, writes_count=2)  # The room is made, an item is written.
    ItemSums(beside, facts_min=10, facts_per_row=0, rows_at_once=1).tick()
    assert beside.written_count > 3
    assert asked(database, heard_ms[-1], "record", sort="total") == expected
    with database.read() as connection:
        assert list(checkpoint_faults(connection)) == []


def test_a_copy_that_is_forgotten_while_it_is_made_does_not_count(database):
    clock = FixedClock()
    history(database, 3, clock=clock, batches_count=8)

    def forget():
        with database.write() as connection:
            forget_checkpoints(connection)

    # Late days are noted, the copy is begun, a balance is written, and another.
    beside = Beside(database, forget, writes_count=4)
    settings = {"clock": clock, "facts_min": 10, "facts_per_row": 0, "rows_at_once": 1}
    Checkpoints(beside, **settings).tick()
    assert beside.written_count > 5
    with database.read() as connection:
        assert connection.execute(select(checkpoints)).all() == []
    while not Checkpoints(database, **settings).tick():
        pass
    with database.read() as connection:
        (copied,) = connection.execute(select(checkpoints.c.record_no)).scalars()
        kept = connection.execute(select(checkpoint_balances.c.record_no)).scalars()
        assert set(kept) == {copied}
        assert list(checkpoint_faults(connection)) == []


def test_sums_that_another_process_has_just_kept_are_left_alone(database):
    history(database, 3, clock=FixedClock(), batches_count=8)
    other = ItemSums(database, facts_min=10, facts_per_row=0)
    beside = Beside(database, other.tick)
    ItemSums(beside, facts_min=10, facts_per_row=0, rows_at_once=1).tick()
    assert beside.written_count == 1  # It looked, and wrote nothing.


def test_whoever_knows_one_warehouse_sees_nothing_of_another_in_the_past(database):
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    inbox = furnished(database, here, there)
    here.move("BOLT", "2")
    there.move("BOLT", "1")
    there.move("NUT", "9")
    inbox.accept([here.offer(), there.offer()])
    clock_ms = FixedClock().time_ms + DAY_MS
    for wanted, order in (
        (MatrixQuery(sort="total", descending=True), ["BOLT", "NUT", "RICE"]),
        (MatrixQuery(sort="w:BJ1", descending=True), ["BOLT", "NUT", "RICE"]),
        (MatrixQuery(stocked=True), ["BOLT"]),
        (MatrixQuery(warehouse="BJ1"), []),
    ):
        with database.read(within="SH1") as connection:
            moment = moment_at(connection, clock_ms, kind="record", warehouse="")
            found = read_matrix(connection, wanted, StrayItems(), moment=moment)
        assert [row.item for row in found.rows] == order
        assert all(set(row.on_hand) <= {"SH1"} for row in found.rows)


def test_the_past_left_to_what_stood_leaves_out_what_was_only_under_way(database):
    here = Gateway()
    inbox = furnished(database, here)
    here.move("BOLT", "2")
    here.move("NUT", "3", target="in_transit")
    inbox.accept([here.offer()])
    with database.read() as connection:
        moment = moment_at(connection, FixedClock().time_ms + DAY_MS, kind="event", warehouse="")
        for wanted in (
            MatrixQuery(stocked=True),
            MatrixQuery(stocked=True, sort="transit"),
            MatrixQuery(warehouse="SH1", sort="w:SH1"),
        ):
            now = read_matrix(connection, wanted, StrayItems(), moment=None)
            then = read_matrix(connection, wanted, StrayItems(), moment=moment)
            assert [row.item for row in then.rows] == [row.item for row in now.rows] == ["BOLT"]
