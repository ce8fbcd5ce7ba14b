"""What holds after any steps: books proved, nothing lost, every difference explained."""

from typing import Any, get_args

from sqlalchemy import func, select

from central.ledger.entries import DiscrepancyKind
from central.ledger.verify import verify_ledger
from central.orders.proofs import PROOFS
from central.orders.settling.kind_rules import KIND_RULES
from central.storage import tables
from tests.central.invariants.proposals import refused_proposals
from tests.central.invariants.world import BINS, WEIGHED, World
from tests.central.past_views import as_of, differing, present

FAR_MS = 40 * 24 * 3600 * 1000
NOTES_COMPARED_MAX = 5
KINDS = frozenset(get_args(DiscrepancyKind))


def broken_promises(world: World) -> list[str]:
    """What does not hold, for people; nothing if all does."""
    return [
        *_unproved(world),
        *_lost(world),
        *_not_conserved(world),
        *_weights_apart(world),
        *_unexplained(world),
        *_in_closed_periods(world),
        *refused_proposals(world),
        *_told_otherwise(world),
    ]


def _unproved(world: World) -> list[str]:
    faults = list(verify_ledger(world.database).faults)
    with world.database.read() as connection:
        faults += [fault for proof in PROOFS for fault in proof(connection)]
    return [f"{fault.check}: {fault.subject}: {fault.detail}" for fault in faults]


def _lost(world: World) -> list[str]:
    """What was acknowledged is stored, byte for byte, and nothing else of that epoch is."""
    facts = tables.facts.c
    stored: dict[tuple[str, str], list[bytes]] = {}
    query = select(facts.gateway, facts.epoch, facts.body).order_by(facts.seq)
    for row in world.rows(query):
        stored.setdefault((row.gateway, row.epoch), []).append(bytes(row.body))
    return [
        f"{sender.code} epoch {number}: not the {acked} facts that were acknowledged"
        for sender in world.senders
        for number, (epoch, acked) in enumerate(zip(sender.epochs, sender.acked, strict=True))
        if stored.get((sender.code, str(epoch.epoch)), []) != epoch.bodies[:acked]
    ]


def _not_conserved(world: World) -> list[str]:
    """Over all warehouses and places together nothing is made and nothing is lost."""
    table = tables.balances.c
    things = (table.item, table.lot, table.serial, table.sscc, table.unit)
    total, weight = func.sum(table.on_hand_micro), func.sum(table.weight_micro)
    query = select(*things, total, weight).group_by(*things)
    query = query.having((total != 0) | (weight != 0))
    return [f"{row[:5]} sums to {row[5]}, weighing {row[6]}" for row in world.rows(query)]


def _weights_apart(world: World) -> list[str]:
    """No weight is without pieces, in a place or under way; pieces without one are said."""
    table = tables.balances.c
    places = [
        table.warehouse,
        table.location,
        table.item,
        table.lot,
        table.serial,
        table.sscc,
        table.unit,
    ]
    at_place = table.location.in_((*BINS, "BIN-9"))
    at_rest = select(*places).where(at_place, table.on_hand_micro == 0, table.weight_micro != 0)
    said = [f"{tuple(row)} has a weight and no pieces" for row in world.rows(at_rest)]
    things = (table.location, table.lot, table.serial, table.unit)
    pieces, weight = func.sum(table.on_hand_micro), func.sum(table.weight_micro)
    moving = (
        select(*things, weight)
        .where(table.location.like("in_transit/%"), table.item == WEIGHED)
        .group_by(*things)
        .having((pieces == 0) & (weight != 0))
    )
    said += [f"{tuple(row)} is under way without pieces" for row in world.rows(moving)]
    found = tables.discrepancies.c
    # From where the book had no pieces, they take no weight along.
    missed = select(found.warehouse).where(
        found.kind.in_(("weight_missing", "negative_balance")), found.item == WEIGHED
    )
    told = {row.warehouse for row in world.rows(missed)}
    without = select(*places).where(
        at_place, table.item == WEIGHED, table.on_hand_micro > 0, table.weight_micro <= 0
    )
    return said + [
        f"{tuple(row)} weighs nothing and nothing says why"
        for row in world.rows(without)
        if row.warehouse not in told
    ]


def _unexplained(world: World) -> list[str]:
    """Each place below zero had a discrepancy, and each discrepancy is of a kind with a meaning."""
    found = tables.discrepancies
    kinds = {row.kind for row in world.rows(select(found.c.kind).distinct())}
    said = [f"kind {kind} has no meaning" for kind in sorted(kinds - KIND_RULES.keys())]
    said += [f"kind {kind} is none" for kind in sorted(kinds - KINDS)]
    table = tables.balances.c
    below = select(table.warehouse, table.location, table.item).where(
        table.on_hand_micro < 0, table.location.in_((*BINS, "BIN-9"))
    )
    explained = {
        tuple(row)
        for row in world.rows(
            select(found.c.warehouse, found.c.location, found.c.item).where(
                found.c.kind == "negative_balance"
            )
        )
    }
    said += [
        f"{tuple(row)} is below zero and nothing says why"
        for row in world.rows(below)
        if tuple(row) not in explained
    ]
    return said


def _told_otherwise(world: World) -> list[str]:
    """What was under way, open or set aside when it was looked at is still told of that moment."""
    notes: list[tuple[int, dict[Any, int]]] = world.notes.setdefault("past", [])
    said = []
    with world.database.read() as connection:
        notes.append((world.clock.time_ms, present(connection)))
        for time_ms, noted in notes[-NOTES_COMPARED_MAX:]:
            said += [f"{time_ms}: {one}" for one in differing(noted, as_of(connection, time_ms))]
        # In the end everything has happened, whichever clock it was by.
        told = as_of(connection, world.clock.time_ms + FAR_MS, kind="event")
        said += [f"by event: {one}" for one in differing(notes[-1][1], told)]
    world.clock.time_ms += 1  # Whatever comes next comes after this moment.
    return said


def _in_closed_periods(world: World) -> list[str]:
    """The ledger itself never dates anything into a period that was closed by then."""
    facts, periods = tables.facts.c, tables.metadata.tables["periods"].c
    query = (
        select(facts.record_no, periods.period)
        .join(
            tables.metadata.tables["periods"],
            (facts.event_time_ms < periods.through_ms)
            & (facts.record_no > periods.closed_record_no),
        )
        .where(facts.gateway == "central")
    )
    return [f"record {row[0]} of the desk is in closed {row[1]}" for row in world.rows(query)]
