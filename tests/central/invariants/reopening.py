"""Random scenes in which whatever is open is settled and opened again: then all is as it was. Root.

    python -m tests.central.invariants.reopening --scenes 1000 --first 1 --database sqlite

A scene is a handful of facts of stations in two warehouses: lots, serial numbers, units, packs,
weights, statuses, and documents, items and places that nobody knows. Of each discrepancy every
proposal is tried, and decisions that somebody might take instead.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

from sqlalchemy import Connection, select

from central.errors import DeskRefused
from central.ledger.desk import Change
from central.ledger.verify import verify_ledger
from central.orders.proofs import PROOFS
from central.orders.settling.discrepancy_views import read_detail
from central.orders.settling.kind_rules import KIND_RULES
from central.orders.settling.settlement_book import reopen, settle
from central.orders.settling.settlements import Decision
from central.storage import settlement_tables, tables
from tests.central.invariants.campaign import fresh_ledgers
from tests.central.invariants.walk import Fresh
from tests.central.invariants.world import World
from tests.central.scenery import Gateway, sscc

MICRO = 1_000_000
KEPT_MAX = 4
BINS = ("BIN-1", "BIN-2")
STATUSES = ("available", "inspection", "held", "rejected")
# CHEESE twice: its weights are where most can go wrong.
ITEMS = ("BOLT", "NUT", "WINE", "RICE", "CHEESE", "CHEESE", "GADGET")
UNITS = {"BOLT": ("C62", "C62", "CT", "XBX"), "NUT": ("C62", "DZN", "XBX"), "RICE": ("KGM", "GRM")}
DOCUMENTS = ("", "X-9", "X-9", "PO-{}")
Figures = dict[tuple[Any, ...], Any]


class _TriedError(Exception):
    """It was settled and opened again; nothing of it is kept."""


def differences(
    fresh: Fresh, seed: int, *, tries_max: int | None = None
) -> tuple[list[str], Counter[str]]:
    """Return what is not as before in the scene of a seed, and how often each kind was settled.

    tries_max: how many decisions are tried at the most, None for all of them.
    """
    counts: Counter[str] = Counter()
    found: list[str] = []
    with fresh() as database:
        world, chooser = World(database), Random(seed)
        said = play(world, chooser)
        made = [(row, one) for row in _open(world) for one in decisions(world, row, chooser)]
        chooser.shuffle(made)
        for row, decision in made[:tries_max]:
            what = tried(world, row, decision, counts)
            found += [f"{row.kind} {row.subject}: {decision}\n    {what}"] if what else []
        # What was moved back stays in the books: it is proved, and settled once more.
        for row, decision in made[:KEPT_MAX]:
            what = tried(world, row, decision, counts, keep=True)
            found += [f"{row.kind} {row.subject}, kept: {decision}\n    {what}"] if what else []
        found += _off(world)
    return ([f"seed {seed}", *said, *found] if found else []), counts


def tried(
    world: World, row: Any, decision: Decision, counts: Counter[str], *, keep: bool = False
) -> str:
    """Settle as decided and open it again; return what is not as before.

    keep: that is not undone. What is refused or settled in part alone is not looked at.
    """
    what = ""
    try:
        with world.desk.change(actor="li.na") as change:
            before = figures(change.connection)
            settled = settle(change, row.id, decision)
            if _state(change, row.id) == "settled":
                reopen(change, row.id, reason="it was right", take_back=True)
                what = _differing(before, figures(change.connection))
                counts[f"{row.kind}: {decision.action}"] += 1
                counts["with facts"] += bool(settled.facts)
            if not keep:
                raise _TriedError
    except _TriedError:
        pass
    except DeskRefused:
        counts[f"refused: {row.kind}"] += 1
    return what


def figures(connection: Connection) -> Figures:
    """Return every balance and weight of all books, what documents count, and rests of rounding.

    And when lots expire.
    """
    found: Figures = {}
    for row in connection.execute(select(tables.balances)):
        found["balance", *row[:8]] = (row.on_hand_micro, row.weight_micro)
    for row in connection.execute(select(tables.document_progress)):
        found["progress", *row[:5]] = (row.received_micro, 0)
    for row in connection.execute(select(settlement_tables.settlement_rests)):
        key = ("rest", row[0], *row[3:-1])
        found[key] = (found.get(key, (0, 0))[0] + Fraction(row.rest), 0)
    for row in connection.execute(select(tables.lots)):
        found["date", *row[:3]] = (row.expiry_date, 0)
    return {key: value for key, value in found.items() if any(value)}


def play(world: World, chooser: Random) -> list[str]:
    """Send the facts of a scene; return them in words."""
    said: list[str] = []
    for sender in world.senders:
        if sender.code in ("sh1-dock-1", "bj1-dock-1"):
            station = sender.journal
            for _ in range(chooser.randint(3, 8)):
                said.append(_moved(station, chooser))
            (outcome,) = world.inbox.accept([station.offer()])
            assert outcome.kind == "accepted", outcome
    return said


def decisions(world: World, row: Any, chooser: Random) -> Iterator[Decision]:
    """Yield what is proposed for a discrepancy, and what else somebody might decide."""
    with world.database.read() as connection:
        detail = read_detail(connection, row.id, now_ms=world.clock.time_ms)
    for proposal in detail.proposals:
        yield replace(proposal.decision, reason="as proposed")
    for action in KIND_RULES[row.kind].actions:
        if action in ("accept", "reserve"):
            continue
        asked = Decision(action=action, reason="looked")
        if action == "adjust":
            asked = replace(asked, counted_micro=chooser.choice([None, 0, 2 * MICRO]))
        elif action == "correct":
            asked = replace(asked, expiry_date=chooser.choice(["2027-01-31", "2027-03-31"]))
        elif action == "reassign":
            asked = replace(asked, **_meant(KIND_RULES[row.kind].target, chooser))
        yield asked
        part = chooser.choice([None, MICRO, 2 * MICRO])
        if part is not None:
            yield replace(asked, quantity_micro=part)


def main() -> int:
    """Return the exit code: 0 if all was as before."""
    parser = argparse.ArgumentParser(prog="python -m tests.central.invariants.reopening")
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--tries", type=int, help="decisions of each scene, if not all")
    arguments = parser.parse_args()
    counts: Counter[str] = Counter()
    failed_count = 0
    with fresh_ledgers(arguments.database) as fresh:
        for seed in range(arguments.first, arguments.first + arguments.scenes):
            found, seen = differences(fresh, seed, tries_max=arguments.tries)
            counts += seen
            if found:
                failed_count += 1
                sys.stdout.write("\n".join(found) + "\n")
    for what, count in sorted(counts.items()):
        sys.stdout.write(f"{count:8} {what}\n")
    sys.stdout.write(f"{failed_count} of {arguments.scenes} scenes are not as before\n")
    return 1 if failed_count else 0


def _meant(target: str, chooser: Random) -> dict[str, Any]:
    return {
        "place": {"location": chooser.choice([*BINS, "BIN-3"])},
        "lot": {"lot": chooser.choice(["L1", "L7"])},
        "item": {"item": "BOLT", "factor": chooser.choice([None, Fraction(1), Fraction(1, 3)])},
        "document": {"document": "PO-SH1", "document_line": 1},
        "factor": {"factor": chooser.choice([Fraction(12), Fraction(1, 3)])},
        "warehouse": {"warehouse": "BJ1"},
        "weight": {"weight_micro": chooser.randint(1, 9) * MICRO // 3},
        "": {},
    }[target]


def _moved(station: Gateway, chooser: Random) -> str:
    item = chooser.choice(ITEMS)
    quantity = chooser.randint(1, 9)
    fields: dict[str, Any] = {"unit": chooser.choice(UNITS.get(item, ("C62",)))}
    here, there = chooser.choice([BINS, BINS[::-1], (BINS[0], BINS[0]), ("BIN-9", "BIN-1")])
    way = chooser.choice(("in", "in", "in", "out", "within", "inspect", "scrap"))
    if way == "in":
        fields |= {"source": chooser.choice(["supplier", "customer", "in_transit"]), "target": here}
    elif way == "out":
        target = chooser.choice(["customer", "supplier", "in_transit"])
        fields |= {"source": here, "target": target, "business_step": "shipping"}
    elif way == "scrap":
        fields |= {"source": here, "target": "scrap", "business_step": "storing"}
    else:
        fields |= {"source": here, "target": there, "business_step": "storing"}
    if way == "inspect" or here == there:
        fields |= {"business_step": "inspecting", "to_status": chooser.choice(STATUSES)}
    elif way == "in" and chooser.random() < 0.5:
        fields["to_status"] = chooser.choice(STATUSES)
    if way in ("in", "out", "within", "scrap") and chooser.random() < 0.2:
        fields["from_status"] = chooser.choice(STATUSES)
        if here == there and way == "within":
            fields["to_status"] = "held" if fields["from_status"] != "held" else "rejected"
    if item == "CHEESE" and chooser.random() < 0.6:
        kilograms = quantity + chooser.randint(-5, 9) / 10
        fields |= {"net_weight": f"{kilograms:.1f}", "weight_unit": "KGM"}
    if item == "WINE" and chooser.random() < 0.7:
        fields["lot"] = chooser.choice(["L1", "L2"])
        fields["expiry_date"] = chooser.choice(["", "2027-01-31", "2027-02-28"])
    if item == "NUT" and chooser.random() < 0.4:
        fields["serial"] = chooser.choice(["S1", "S2"])
        quantity = 1
    if chooser.random() < 0.15:
        fields["sscc"] = sscc(chooser.randint(1, 2))
    document = chooser.choice(DOCUMENTS).format(station.warehouse)
    if document:
        fields |= {"document": document, "document_line": chooser.choice([0, 0, 1])}
    number = station.move(item, str(quantity), **fields)
    said = f"{station.warehouse} {number}: {quantity} {item} {fields}"
    if chooser.random() < 0.08:
        station.reverse(chooser.randint(1, number))
        said += ", and one is taken back"
    return said


def _open(world: World) -> list[Any]:
    table = tables.discrepancies.c
    query = select(table.id, table.kind, table.subject).where(table.state == "open")
    return world.rows(query.order_by(table.record_no, table.kind, table.subject))


def _state(change: Change, identity: str) -> str:
    table = tables.discrepancies.c
    query = select(table.state).where(table.id == identity)
    return str(change.connection.execute(query).scalar_one())


def _differing(before: Figures, after: Figures) -> str:
    changed = sorted(
        f"{'/'.join(map(str, key))}: {before.get(key)} -> {after.get(key)}"
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    )
    return "\n    ".join(changed)


def _off(world: World) -> list[str]:
    found = [str(fault) for fault in verify_ledger(world.database).faults]
    with world.database.read() as connection:
        return found + [str(fault) for proof in PROOFS for fault in proof(connection)]


if __name__ == "__main__":
    sys.exit(main())
