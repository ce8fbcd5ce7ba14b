"""Whatever the pipe does to batches, the ledger ends where in-order posting ends."""

import random

import pytest
from sqlalchemy import select

from central.ledger.verify import verify_ledger
from central.storage import tables
from tests.central.migrated import open_migrated
from tests.central.scenery import Gateway, furnished, rows

PLACES = ["supplier", "BIN-1", "BIN-2", "BIN-9", "customer", "adjustment"]
STATE = {
    tables.facts: ("gateway", "epoch", "seq", "kind", "body", "digest"),
    tables.balances: ("warehouse", "location", "item", "lot", "unit", "on_hand_micro"),
    tables.document_progress: ("document", "line", "item", "unit", "received_micro"),
    tables.positions: ("gateway", "epoch", "acked_seq", "head_digest"),
    tables.reversals: ("gateway", "epoch", "seq", "by_epoch", "by_seq"),
}


def journal(chooser, gateway, facts_count):
    """A journal with everything in it, wrong things too."""
    for number in range(1, facts_count + 1):
        choice = chooser.random()
        if choice < 0.15 and number > 1:
            gateway.reverse(chooser.randrange(1, number + 1))
        elif choice < 0.2:
            gateway.weigh()
        elif choice < 0.25:
            gateway.say(chooser.randbytes(8))
        else:
            source, target = chooser.sample(PLACES, 2)
            item, unit = chooser.choice(
                [
                    ("BOLT", "C62"),
                    ("RICE", "GRM"),
                    ("RICE", "KGM"),
                    ("RICE", "C62"),
                    ("GHOST", "C62"),
                ]
            )
            document = chooser.choice(["", "", "PO-1", "PO-9"])
            gateway.move(
                item,
                str(chooser.randrange(1, 40)),
                source=source,
                target=target,
                unit=unit,
                lot=chooser.choice(["", "L1"]),
                document=document,
                document_line=chooser.randrange(3) if document else 0,
            )
    return gateway


def journals(seed):
    chooser = random.Random(seed)
    first = [journal(chooser, Gateway(f"gw-{n}"), chooser.randrange(5, 25)) for n in range(2)]
    return first + [journal(chooser, one.next_epoch(), chooser.randrange(1, 15)) for one in first]


def deliver_badly(chooser, inbox, gateways):
    """Random runs, repeated, reordered, lost; then go-back-N from each acknowledgement."""
    acked = dict.fromkeys(gateways, 0)
    waiting = []
    for _ in range(1000):
        open_ones = [one for one in gateways if acked[one] < len(one.bodies)]
        if not open_ones:
            return
        one = chooser.choice(open_ones)
        # An older epoch drains first, as the gateway's sender does it.
        older = [x for x in open_ones if x.code == one.code and x.epoch < one.epoch]
        one = older[0] if older else one
        first = chooser.randrange(1, len(one.bodies) + 1)
        if chooser.random() < 0.5:
            first = acked[one] + 1
        last = min(len(one.bodies), first + chooser.randrange(6))
        waiting.append((one, one.offer(first, last)))
        if chooser.random() < 0.6:
            chooser.shuffle(waiting)
            taken, waiting = waiting[:4], waiting[4:8]
            for (sender, _), outcome in zip(
                taken, inbox.accept([offer for _, offer in taken]), strict=True
            ):
                assert outcome.kind in {"accepted", "duplicate", "gap"}
                assert outcome.ack.acked >= acked[sender]
                acked[sender] = outcome.ack.acked
    pytest.fail("delivery did not come to an end")


def state_of(database):
    found = {table.name: rows(database, table, *columns) for table, columns in STATE.items()}
    facts, lines = tables.facts.c, tables.lines.c
    query = (
        select(facts.gateway, facts.epoch, facts.seq, lines.line_no, lines.location, lines.item)
        .add_columns(lines.lot, lines.unit, lines.quantity_micro)
        .join_from(tables.facts, tables.lines, facts.record_no == lines.record_no)
    )
    with database.read() as connection:
        found["lines"] = sorted(tuple(row) for row in connection.execute(query))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_any_delivery_ends_in_the_state_of_delivery_in_order(database, tmp_path, seed):

    gateways = journals(seed)
    enrolled = gateways[:2]
    reference = open_migrated(tmp_path / "in-order.db", generation="g")
    in_order = furnished(reference, *enrolled)
    for one in gateways:
        (outcome,) = in_order.accept([one.offer()])
        assert outcome.kind == "accepted"
    deliver_badly(random.Random(seed + 1000), furnished(database, *enrolled), gateways)
    assert state_of(database) == state_of(reference)
    for ledger in (database, reference):
        assert verify_ledger(ledger).faults == ()
        totals = {}
        for item, unit, quantity in rows(ledger, tables.balances, "item", "unit", "on_hand_micro"):
            totals[item, unit] = totals.get((item, unit), 0) + quantity
        assert totals and set(totals.values()) == {0}
    reference.close()
