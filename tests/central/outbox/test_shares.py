"""Gateways of one warehouse learn what the others did of a document, however it comes about."""

import random

import pytest

from central.contract.quantities import QUANTITY_MAX
from central.inbox.inbox import Inbox
from central.ledger.document_shares import follow_shares
from central.ledger.entries import BALANCE_MICRO_MAX
from central.outbox.shares import shares_for
from central.storage import bulk
from central.storage.outbox_tables import document_shares
from tests.central.outbox.scenes import Outbox, Told
from tests.central.scenery import FixedClock, Gateway, enrol, load

WAYS = {
    "receiving": {"source": "supplier", "target": "DOCK-1"},
    "picking": {"source": "DOCK-1", "target": "STAGE-1"},
    "shipping": {"source": "STAGE-1", "target": "customer"},
    "moving": {"source": "DOCK-1", "target": "BIN-2"},  # Under the document, but no part of it.
}


class Dock(Told):
    """A gateway that works on documents; `done` is what it did, by document line and sum."""

    def __init__(self, code, **fields):
        super().__init__(Gateway(code, **fields))
        self.done, self.moves, self.sent = {}, [], 0

    def work(self, step, quantity="1", *, line=1, document="PO-1"):
        business_step = "storing" if step == "moving" else step
        fields = {"document": document, "document_line": line, "business_step": business_step}
        seq = self.facts.move("BOLT", quantity, **WAYS[step], **fields)
        self.moves.append((seq, step, line))
        self._add(step, line, int(quantity))
        return seq

    def undo(self, number=-1):
        seq, step, line = self.moves.pop(number)
        self.facts.reverse(seq)
        self._add(step, line, -1)

    def known(self):
        """What this gateway was told of the others, by (document, line), what is zero left out."""
        told = list(self.snapshot.shares)
        for notice in self.applied:
            told += getattr(notice, "shares", ())
        known = {(one.document, one.line): (one.picked_micro, one.done_micro) for one in told}
        return {key: tuple(n // 10**6 for n in sums) for key, sums in known.items() if any(sums)}

    def _add(self, step, line, quantity):
        if step in {"picking", "receiving", "shipping"}:
            key = ("PO-1", line, step == "picking")
            self.done[key] = self.done.get(key, 0) + quantity


class Yard:
    def __init__(self, database, *docks):
        load(database)
        enrol(database, *(dock.facts for dock in docks))
        self.docks = docks
        self.inbox = Inbox(database, clock=FixedClock(), followers=(follow_shares,))
        self.outbox = Outbox(database, *docks)
        for dock in docks:
            self.outbox.load(dock)

    def post(self, *docks):
        offers = [dock.facts.offer(dock.sent + 1) for dock in docks]
        assert {one.kind for one in self.inbox.accept(offers)} <= {"accepted"}
        for dock in docks:
            dock.sent = len(dock.facts.bodies)
        self.outbox.sending.refresh()

    def truth(self, dock):
        """What the others of its warehouse did."""
        sums = {}
        for other in self.docks:
            if other is dock or other.facts.warehouse != dock.facts.warehouse:
                continue
            for (document, line, is_pick), quantity in other.done.items():
                both = list(sums.get((document, line), (0, 0)))
                both[0 if is_pick else 1] += quantity
                sums[document, line] = tuple(both)
        return {key: both for key, both in sums.items() if any(both)}


def test_a_gateway_is_told_what_the_others_put_ready_and_sent_and_never_its_own(database):
    left, right = Dock("sh1-dock-1"), Dock("sh1-dock-2")
    elsewhere = Dock("bj1-dock-1", warehouse="BJ1")
    yard = Yard(database, left, right, elsewhere)
    left.work("receiving", "60")
    left.work("picking", "24", line=2)
    left.work("moving", "5")
    right.work("picking", "3", line=2)
    elsewhere.work("receiving", "9")  # The other end of a transfer has the same code.
    yard.post(left, right, elsewhere)
    yard.outbox.settle()
    assert left.known() == {("PO-1", 2): (3, 0)}
    assert right.known() == {("PO-1", 1): (0, 60), ("PO-1", 2): (24, 0)}
    assert elsewhere.known() == {}
    # What only it did itself is no news to it.
    before = len(right.applied)
    right.work("shipping", "3", line=2)
    yard.post(right)
    yard.outbox.settle()
    assert left.known()["PO-1", 2] == (3, 3)
    assert all(not one.shares for one in right.applied[before:])
    yard.outbox.clock.time_ms += 3_600_000  # A snapshot says the same.
    yard.outbox.load(left)
    assert (left.applied, left.known()) == ([], {("PO-1", 2): (3, 3)})


def test_what_is_taken_back_is_taken_off_once(database):
    left, right = Dock("sh1-dock-1"), Dock("sh1-dock-2")
    yard = Yard(database, left, right)
    first = left.work("picking", "2")
    left.work("picking", "5")
    yard.post(left)
    left.facts.reverse(first)
    left.facts.reverse(first)  # Unmatched: it was taken back already.
    yard.post(left)
    yard.outbox.settle()
    assert right.known() == {("PO-1", 1): (5, 0)}


def test_what_nobody_can_have_done_is_bounded_and_holds_up_nothing(database):
    left, right = Dock("sh1-dock-1"), Dock("sh1-dock-2")
    yard = Yard(database, left, right)
    most = (BALANCE_MICRO_MAX, BALANCE_MICRO_MAX)
    with database.write() as connection:
        key = ("SH1", "PO-1", 1, "sh1-dock-1")
        bulk.insert_rows(connection, document_shares, [(*key, *most, 0)])
    left.work("picking", str(QUANTITY_MAX))
    yard.post(left)
    yard.outbox.settle()
    assert right.known() == {("PO-1", 1): tuple(micro // 10**6 for micro in most)}
    rows = [
        ("SH1", "PO-1", 1, f"g-{number}", BALANCE_MICRO_MAX, 0, number) for number in range(100)
    ]
    assert [one.picked_micro for one in shares_for("g-1", rows)] == [BALANCE_MICRO_MAX]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("step", "selects_count"), [("picking", 1), ("moving", 0)])
def test_little_is_asked_however_many_are_done_or_taken_back(database, step, selects_count):
    asked = []

    def watched(connection, posted):
        driver = connection.connection.driver_connection
        driver.set_trace_callback(asked.append)
        follow_shares(connection, posted)
        driver.set_trace_callback(None)

    left = Dock("sh1-dock-1")
    yard = Yard(database, left)
    yard.inbox = Inbox(database, clock=FixedClock(), followers=(watched,))
    for _ in range(9):
        left.work(step)
    yard.post(left)
    assert sum("SELECT" in one for one in asked) == selects_count
    asked.clear()
    while left.moves:
        left.undo()
    yard.post(left)
    assert sum("SELECT" in one for one in asked) == selects_count


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_shares_converge_whatever_is_done_lost_and_loaded(database, seed):
    chance = random.Random(seed)
    docks = [Dock(f"sh1-dock-{number}") for number in (1, 2, 3)]
    yard = Yard(database, *docks)
    for _ in range(40):
        dock = chance.choice(docks)
        if dock.moves and chance.random() < 0.25:
            dock.undo(chance.randrange(len(dock.moves)))
        else:
            dock.work(chance.choice(list(WAYS)), line=chance.randint(1, 3))
        ready = [one for one in docks if len(one.facts.bodies) > one.sent]
        if chance.random() < 0.5:
            yard.post(*ready)
        if chance.random() < 0.3:
            yard.outbox.turn(chance.choice([0.25, 2.5]))
        if chance.random() < 0.1:  # What was on its way is lost.
            yard.outbox.messages.clear()
        if chance.random() < 0.1:
            yard.outbox.clock.time_ms += 3_600_000
            yard.outbox.load(chance.choice(docks))
    yard.post(*[one for one in docks if len(one.facts.bodies) > one.sent])
    for dock in docks:
        yard.outbox.hear(dock)  # They say where they stand, as after each connection.
    for _ in range(40):  # What was lost comes again after a while.
        yard.outbox.turn(2.5)
    for dock in docks:
        assert dock.known() == yard.truth(dock), dock.code
