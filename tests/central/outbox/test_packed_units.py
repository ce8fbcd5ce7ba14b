"""Gateways learn what is packed in what: by notices since the last, by a snapshot at first."""

import pytest
from sqlalchemy import event

from central.contract.notices import PACKED_PER_NOTICE_MAX, PackedUnit
from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.ledger.verify import verify_ledger
from central.orders.following import FOLLOWERS
from central.outbox import changes
from central.outbox.changes import read_changes
from central.outbox.difference import PACKED_MAX, TooLarge, stock_changes
from central.outbox.notices import read_stream
from central.outbox.packed_units import read_changed_units, read_packings
from tests.central.outbox.scenes import Outbox, Told
from tests.central.scenery import FixedClock, Gateway, enrol, load, sscc

PALLET, LAYER, CARTON, OTHER = (sscc(number) for number in range(1, 5))


class Site:
    """Two gateways of one warehouse that are told things."""

    def __init__(self, database):
        self.docks = [Told(Gateway(f"sh1-dock-{number}")) for number in (1, 2)]
        load(database)
        enrol(database, *(dock.facts for dock in self.docks))
        self.inbox = Inbox(database, clock=FixedClock(), followers=FOLLOWERS)
        self.desk = Desk(database, clock=FixedClock(), followers=FOLLOWERS)
        self.outbox = Outbox(database, *self.docks)
        self.sent = [0, 0]

    def say(self, number=0):
        facts = self.docks[number].facts
        self.inbox.accept([facts.offer(self.sent[number] + 1)])
        self.sent[number] = len(facts.bodies)
        self.outbox.settle()


def units(dock):
    """What a gateway was told of units since its snapshot, the last word of each."""
    told = {one.sscc: one.parent for one in dock.snapshot.packing}
    for notice in dock.applied:
        told |= {one.sscc: one.parent for one in getattr(notice, "packing", ())}
    return told


@pytest.fixture
def site(database):
    made = Site(database)
    first = made.docks[0].facts
    first.move("BOLT", "5", target="DOCK-1", sscc=CARTON)
    first.pack(LAYER, CARTON)
    first.pack(PALLET, LAYER, OTHER)
    made.say()
    for dock in made.docks:
        made.outbox.load(dock)
    return made


def test_a_snapshot_tells_of_units_with_goods_here_and_of_what_they_are_in(site):
    assert units(site.docks[1]) == {CARTON: LAYER, LAYER: PALLET}


def test_what_others_packed_since_then_is_told(site):
    site.docks[0].facts.pack(LAYER, CARTON, action="unpack")
    site.docks[0].facts.pack(PALLET, CARTON)
    site.say()
    for dock in site.docks:
        assert units(dock) == {CARTON: PALLET, LAYER: PALLET}


def test_who_packed_what_cannot_be_is_told_how_it_is(site, database):
    second = site.docks[1].facts
    second.pack(LAYER, PALLET)  # It holds the layer itself.
    second.pack(PALLET, sscc(9), action="unpack")  # It was never in.
    site.say(1)
    assert units(site.docks[1]) == {CARTON: LAYER, LAYER: PALLET, PALLET: "", sscc(9): ""}
    assert verify_ledger(database).faults == ()


def test_what_is_packed_in_another_warehouse_is_not_told(site, database):
    there = Gateway("bj1-dock-1", warehouse="BJ1")
    enrol(database, there)
    there.pack(PALLET, sscc(8))
    site.inbox.accept([there.offer()])
    site.outbox.settle()
    assert sscc(8) not in units(site.docks[0])


@pytest.mark.parametrize("is_near", [True, False])
def test_far_behind_the_units_are_looked_through_instead_of_the_facts(site, database, is_near):
    with database.read() as connection:
        named = read_packings(connection, after_record_no=2)["SH1"] if is_near else None
        found = read_changed_units(connection, "SH1", after_record_no=2, named=named)
    assert found == [PackedUnit(LAYER, PALLET), PackedUnit(OTHER, PALLET)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_packings_are_found_by_the_numbers_of_new_facts(site, database):
    with database.read() as connection:
        row = read_stream(connection, site.docks[1].code)
        said = []
        event.listen(connection, "before_cursor_execute", lambda *given: said.append(given[2:4]))
        read_changes(connection, [changes.Told(row, looked=1)])
        ((statement, values),) = [one for one in said if "facts.body" in one[0]]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    assert [row[3] for row in plan] == ["SEARCH facts USING INDEX facts_record_no (record_no>?)"]


def test_many_units_go_in_several_notices_and_too_many_in_none():
    many = [PackedUnit(sscc(number), PALLET) for number in range(PACKED_PER_NOTICE_MAX + 1)]
    notices = stock_changes(revision=1, levels=(), positions=(), packing=many)
    assert [(len(one.packing), one.final) for one in notices] == [
        (PACKED_PER_NOTICE_MAX, False),
        (1, True),
    ]
    with pytest.raises(TooLarge):
        stock_changes(revision=1, levels=(), positions=(), packing=many[:1] * (PACKED_MAX + 1))
