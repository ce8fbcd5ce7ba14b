"""What people do about differences: they settle, change their minds, and close periods."""

from fractions import Fraction
from random import Random
from typing import Any

from sqlalchemy import select

from central.contract.reference import Barcode, DocumentLine, ExpectedDocument, Item, Location
from central.errors import DeskRefused
from central.ledger.reference_desk import (
    put_document,
    put_item,
    put_location,
    withdraw_document,
    withdraw_item,
    withdraw_location,
)
from central.orders.settling.discrepancy_views import read_detail
from central.orders.settling.period_book import close_period
from central.orders.settling.settlement_book import assign, comment, reopen, settle
from central.orders.settling.settlements import Decision
from central.storage import tables
from tests.central.invariants.world import BINS, ITEMS, WAREHOUSES, World

LOOKED_AT_MAX = 50


def settle_as_proposed(world: World, chooser: Random) -> str:
    """Somebody does what the evidence suggests, which is never refused."""
    row = _discrepancy(world, chooser, "open")
    if row is None:
        return ""
    with world.database.read() as connection:
        proposals = read_detail(connection, row.id, now_ms=world.clock.time_ms).proposals
    if not proposals:
        return ""
    decision = chooser.choice(proposals).decision
    reasoned = _with(decision, reason="as proposed")
    try:
        with world.desk.change(actor="li.na") as change:
            settle(change, row.id, reasoned)
    except DeskRefused as refused:
        raise AssertionError(f"{row.kind}: {decision} is refused: {refused}") from refused
    return f"settle {row.kind} by {decision.action}"


def settle_somehow(world: World, chooser: Random) -> str:
    """Somebody settles as it occurs to them; much of it is refused."""
    row = _discrepancy(world, chooser, "open")
    if row is None:
        return ""
    decision = Decision(
        action=chooser.choice(("adjust", "reverse", "reassign", "accept", "accept")),
        reason="it seems so",
        counted_micro=chooser.choice((None, 0, 5_000_000)),
        location=chooser.choice(("", *BINS)),
        item=chooser.choice(("", *ITEMS)) if row.kind == "unknown_item" else "",
        document=chooser.choice(("", f"PO-{row.warehouse}", "NEW-1")),
        document_line=chooser.randrange(3),
        warehouse=chooser.choice(("", *WAREHOUSES)),
        factor=chooser.choice((None, Fraction(1), Fraction(12), Fraction(1, 3))),
        event_time_ms=chooser.choice((None, world.clock.time_ms - chooser.randrange(10**9))),
    )
    with world.desk.change(actor="li.na") as change:
        settle(change, row.id, decision)
    return f"settle {row.kind} by {decision.action}"


def change_mind(world: World, chooser: Random) -> str:
    """A settlement proves wrong."""
    row = _discrepancy(world, chooser, "settled")
    if row is None:
        return ""
    with world.desk.change(actor="li.na") as change:
        reopen(change, row.id, reason="it was not so", take_back=chooser.random() < 0.7)
    return f"reopen {row.kind}"


def see_to(world: World, chooser: Random) -> str:
    """Somebody takes a discrepancy on, and says what was found out."""
    row = _discrepancy(world, chooser, chooser.choice(("open", "settled")))
    if row is None:
        return ""
    with world.desk.change(actor="li.na") as change:
        assign(change, row.id, owner=chooser.choice(("", "li.na")), due_ms=change.now_ms)
        comment(change, row.id, text="looked at it")
    return f"assign {row.kind}"


def close(world: World, chooser: Random) -> str:
    """A period is closed, mostly with something open."""
    number = world.notes.get("periods", 0) + 1
    through_ms = world.clock.time_ms - chooser.randrange(5 * 24 * 3600 * 1000)
    with world.desk.change(actor="li.na") as change:
        close_period(change, code=f"P-{number}", through_ms=through_ms, reason="x", anyway=True)
    world.notes["periods"] = number
    return f"close P-{number}"


def change_reference(world: World, chooser: Random) -> str:
    """Items, places and orders come and go."""
    warehouse = chooser.choice(WAREHOUSES)
    what = chooser.choice(("item", "no item", "place", "no place", "order", "no order"))
    quantity = str(chooser.randrange(1, 60))
    with world.desk.change(actor="li.na") as change:
        if what == "item":
            barcodes = (Barcode(gtin="04006381333931", quantity="12"),)
            put_item(
                change,
                Item(code="GHOST", name="G", name_zh="鬼", unit="C62", barcodes=barcodes),
            )
        elif what == "no item":
            withdraw_item(change, "GHOST")
        elif what == "place":
            put_location(change, warehouse, Location(code="BIN-9", kind="bin"))
        elif what == "no place":
            withdraw_location(change, warehouse, "BIN-9")
        elif what == "order":
            code = chooser.choice((f"PO-{warehouse}", "PO-9", "NEW-1"))
            item = chooser.choice(ITEMS)
            lines = (DocumentLine(line=1, item=item, quantity=quantity),)
            put_document(
                change,
                ExpectedDocument(code=code, warehouse=warehouse, partner="Acme", lines=lines),
            )
        else:
            withdraw_document(change, warehouse=warehouse, code="NEW-1")
    return what


def _discrepancy(world: World, chooser: Random, state: str) -> Any:
    table = tables.discrepancies
    rows = world.rows(
        select(table.c.id, table.c.kind, table.c.warehouse)
        .where(table.c.state == state)
        .order_by(table.c.record_no.desc(), table.c.id)
        .limit(LOOKED_AT_MAX)
    )
    return chooser.choice(rows) if rows else None


def _with(decision: Decision, *, reason: str) -> Decision:
    values = {name: getattr(decision, name) for name in Decision.__dataclass_fields__}
    return Decision(**(values | {"reason": reason}))


RULES = (
    (4, settle_as_proposed),
    (3, settle_somehow),
    (2, change_mind),
    (1, see_to),
    (1, close),
    (2, change_reference),
)
