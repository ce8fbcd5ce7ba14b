"""What stations do with the documents that they are told of: all, a part, too much, the wrong."""

from random import Random
from typing import Any

from sqlalchemy import select

from central.contract.facts import Count
from central.contract.quantities import canonical_text, from_micro
from central.storage import tables
from tests.central.invariants.world import BINS, ITEMS, World

WAYS = {
    "receipt": ("supplier", "", "receiving"),
    "shipment": ("", "customer", "shipping"),
    "transfer_out": ("", "in_transit", "transferring"),
    "transfer_in": ("in_transit", "", "transferring"),
    "customer_return": ("customer", "", "receiving"),
    "supplier_return": ("", "supplier", "shipping"),
}
PARTS = ((1, 1), (1, 1), (1, 1), (1, 2), (1, 3), (6, 5), (3, 2))


def work_on_document(world: World, chooser: Random) -> str:
    """A station does a line of a document that its warehouse works on."""
    heads, lines = tables.documents.c, tables.document_lines
    sender = chooser.choice(world.senders)
    row = world.pick(
        chooser,
        select(lines, heads.kind)
        .join(
            tables.documents,
            (heads.warehouse == lines.c.warehouse) & (heads.document == lines.c.document),
        )
        .where(lines.c.warehouse == sender.warehouse, heads.source == "desk")
        .order_by(lines.c.document.desc(), lines.c.line),
    )
    if row is None:
        return ""
    if row.kind == "count":
        return _count(world, chooser, sender, row)
    item = row.item if chooser.random() < 0.95 else chooser.choice(ITEMS)
    source, target, step = WAYS[row.kind]
    lot = row.lot
    if not source:
        stocks = [one for one in world.stock(sender.warehouse) if one.item == item]
        if stocks and chooser.random() < 0.9:
            stock = chooser.choice(stocks)
            source, lot = stock.location, stock.lot
        else:
            source = row.location or chooser.choice(BINS)
    elif item == "WINE" and not lot:
        lot = chooser.choice(("L1", "L2"))
    over, under = chooser.choice(PARTS)
    micro = max(1, row.expected_micro * over // under)
    sender.journal.move(
        item,
        canonical_text(from_micro(micro)),
        source=source,
        target=target or row.location or chooser.choice(BINS),
        unit="KGM" if item == "RICE" else "C62",
        lot=lot,
        document=row.document,
        document_line=row.line if chooser.random() < 0.8 else 0,
        business_step=step,
        event_time_ms=world.clock.time_ms,
    )
    return f"{sender.code} does {row.kind} {row.document}"


def count_unasked(world: World, chooser: Random) -> str:
    """A station counts a place that nobody asked it to count."""
    sender = chooser.choice(world.senders)
    _say_count(world, chooser, sender, chooser.choice(BINS), chooser.choice(ITEMS))
    return f"{sender.code} counts"


def _count(world: World, chooser: Random, sender: Any, row: Any) -> str:
    item = row.item or chooser.choice(ITEMS)
    _say_count(world, chooser, sender, row.location or chooser.choice(BINS), item, row)
    return f"{sender.code} counts for {row.document}"


def _say_count(
    world: World, chooser: Random, sender: Any, location: str, item: str, row: Any = None
) -> None:
    stocks = [
        one
        for one in world.stock(sender.warehouse)
        if (one.location, one.item) == (location, item) and not one.serial and not one.sscc
    ]
    micro, lot = 0, ""
    if stocks:
        stock = chooser.choice(stocks)
        micro, lot = stock.on_hand_micro, stock.lot
    if chooser.random() < 0.3:
        micro = max(0, micro + chooser.randrange(-3, 4) * 1_000_000)
    journal = sender.journal
    fields: dict[str, Any] = {
        "location": location,
        "item": item,
        "quantity": canonical_text(from_micro(micro)),
        "unit": "KGM" if item == "RICE" else "C62",
        "lot": lot,
        "document": row.document if row is not None else "",
        "document_line": row.line if row is not None else 0,
        "event_time_ms": world.clock.time_ms,
        "operator": chooser.choice(("an", "bo")),
    }
    journal._append(Count(**journal._origin(fields), **fields))


RULES = ((14, work_on_document), (1, count_unasked))
