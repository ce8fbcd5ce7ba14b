"""Whatever people decide while scans arrive, the in-transit place explains every piece."""

import random
import threading
from contextlib import suppress

import pytest
from sqlalchemy import select

from central.errors import DeskRefused
from central.ledger.verify import verify_ledger
from central.storage import tables, transfer_tables
from tests.central.orders.transferring import MICRO, Scene

STEPS_COUNT = 28
LOTS = ["", "", "A", "B"]


class Model:
    """What was said and what has arrived, thing by thing, beside the real books."""

    def __init__(self, scene, code):
        self.scene, self.code = scene, code
        self.said = {warehouse: [] for warehouse in scene.gateways}
        self.under_way = {}

    def ship(self, chooser):
        self._say("SH1", chooser, sign=1)

    def receive(self, chooser):
        self._say(chooser.choice(["BJ1", "BJ1", "BJ1", "CQ1"]), chooser, sign=-1)

    def come_back(self, chooser):
        self._say("SH1", chooser, sign=-1)

    def undo(self, chooser):
        warehouse = chooser.choice(["SH1", "BJ1"])
        gateway = self.scene.gateways[warehouse]
        if gateway.bodies:
            # Not of a reversal, and not of what was taken back: that moves nothing.
            seq = chooser.randrange(1, len(gateway.bodies) + 1)
            said = self.said[warehouse]
            moved = next((one for one in said if one[0] == seq and not one[3]), None)
            if moved is not None and not any(one[3] == seq for one in said):
                gateway.reverse(seq)
                said.append((len(gateway.bodies), moved[1], -moved[2], seq))

    def send(self, chooser):
        warehouse = chooser.choice(list(self.said))
        first = self.scene.sent[warehouse]
        self.scene.send(warehouse)
        for seq, thing, quantity, _ in self.said[warehouse]:
            if seq > first:
                self.under_way[thing] = self.under_way.get(thing, 0) + quantity

    def decide(self, chooser):
        action = chooser.choice(["request", "approve", "release", "revise", "reject", "cancel"])
        self._ask(chooser, action)

    def go_on(self, chooser):
        for action in ("request", "approve", "release"):
            self._ask(chooser, action)

    def close(self, chooser):
        ended = self.scene.close_everything(self.code, reason=chooser.choice(["lost", "damaged"]))
        if ended is not None:
            assert ended.under_way_since_ms == 0
            self.under_way = {}

    def _ask(self, chooser, action):
        version = chooser.choice([None, None, None, 1])
        with suppress(DeskRefused):
            self.scene.act(self.code, action, version=version)

    def _say(self, warehouse, chooser, *, sign):
        quantity, lot = chooser.randrange(1, 6), chooser.choice(LOTS)
        item, line = chooser.choice([("BOLT", 1), ("BOLT", 0), ("NUT", 0), ("GUM", 0)])
        say = self.scene.ship if sign > 0 else self.scene.receive
        say(self.code, quantity, item, at=warehouse, line=line, lot=lot)
        seq = len(self.scene.gateways[warehouse].bodies)
        self.said[warehouse].append((seq, (item, lot), sign * quantity, 0))

    def check(self):
        expected = {thing: micro for thing, micro in self.under_way.items() if micro}
        assert self.scene.under_way(self.code) == expected
        assert self.scene.faults() == []
        assert self.told() == expected

    def told(self):
        """What the proofless reader sees: lines at the places of all warehouses."""
        lines = tables.lines.c
        place = f"in_transit/{self.code}"
        sums = {}
        with self.scene.database.read() as connection:
            for row in connection.execute(select(lines).where(lines.location == place)):
                thing = (row.item, row.lot)
                sums[thing] = sums.get(thing, 0) + row.quantity_micro
        return {thing: micro / MICRO for thing, micro in sums.items() if micro}


WORK = [
    *(Model.ship, Model.ship, Model.receive, Model.receive, Model.come_back, Model.undo),
    *(Model.send, Model.send, Model.send, Model.decide, Model.decide, Model.go_on, Model.close),
]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_under_way_is_shipped_less_received_less_closed(database, seed):
    chooser = random.Random(seed)
    scene = Scene(database)
    model = Model(scene, scene.draft(("BOLT", 12)))
    for _ in range(STEPS_COUNT):
        chooser.choice(WORK)(model, chooser)
        model.check()
    model.go_on(chooser)
    for warehouse in scene.gateways:
        while scene.sent[warehouse] < len(scene.gateways[warehouse].bodies):
            model.send(chooser)
    model.check()
    model.close(chooser)
    if scene.state(model.code) in {"closed", "cancelled", "rejected"}:
        assert scene.under_way(model.code) == {}
        ended = [transfer_tables.transfers.c.phase, transfer_tables.transfers.c.under_way_since_ms]
        with database.read() as connection:
            assert connection.execute(select(*ended)).all() == [("", 0)]
    assert verify_ledger(database).faults == ()


def test_scans_that_arrive_while_somebody_cancels_are_all_posted_and_accounted_for(database):
    scene = Scene(database)
    code = scene.released(("BOLT", 30))
    for _ in range(30):
        scene.ship(code, 1)
    gateway, first_are_in = scene.gateways["SH1"], threading.Event()
    outcomes = []

    def arrive():
        for seq in range(1, 31):
            outcomes.extend(scene.inbox.accept([gateway.offer(seq, seq)]))
            if seq == 3:
                first_are_in.set()

    arriving = threading.Thread(target=arrive)
    arriving.start()
    assert first_are_in.wait(timeout=60)
    scene.act(code, "cancel", reason="not needed")
    arriving.join(timeout=60)
    assert [outcome.kind for outcome in outcomes] == ["accepted"] * 30
    scene.sent["SH1"] = 30
    assert (scene.state(code), scene.under_way(code)) == ("returning", {("BOLT", ""): 30})
    assert scene.faults() == []
    assert scene.close_everything(code).shown_state == "cancelled"
    assert all(state == "settled" for _, state in scene.told("moved_after_end"))
    assert verify_ledger(database).faults == ()
