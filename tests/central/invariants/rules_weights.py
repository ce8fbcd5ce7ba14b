"""Cheeses go from one warehouse to another: weighed or not, on pallets or loose, early and late."""

from random import Random

from sqlalchemy import select

from central.orders.transfers.transfer_book import LineWanted, create_transfer, decide
from central.storage import transfer_tables
from tests.central.invariants.rules_goods import UNITS
from tests.central.invariants.world import BINS, WAREHOUSES, WEIGHED, World

MICRO = 1_000_000


def transfer_weighed(world: World, chooser: Random) -> str:
    """Cheeses are asked for from another warehouse."""
    source, destination = chooser.sample(WAREHOUSES, 2)
    lines = [LineWanted(WEIGHED, chooser.randrange(1, 9) * MICRO)]
    with world.desk.change(actor="li.na") as change:
        ends = {"source": source, "destination": destination}
        code = create_transfer(change, lines, **ends, backorders=chooser.random() < 0.6).code
        for action in ("request", "approve", "release"):
            decide(change, code, action, version=None)
    return f"transfer {code} of {WEIGHED}"


def carry_weighed(world: World, chooser: Random) -> str:
    """They leave the one or come to the other, in whichever order, as many as somebody says."""
    table = transfer_tables.transfers.c
    lines = transfer_tables.transfer_lines.c
    asked = select(table.transfer, table.source_warehouse, table.destination_warehouse).join(
        transfer_tables.transfer_lines, lines.transfer == table.transfer
    )
    wanted = asked.where(lines.item == WEIGHED).order_by(table.transfer.desc())
    row = world.pick(chooser, wanted)
    if row is None:
        return ""
    leaves = chooser.random() < 0.5
    warehouse = row.source_warehouse if leaves else row.destination_warehouse
    sender = chooser.choice([one for one in world.senders if one.warehouse == warehouse])
    place, pieces = chooser.choice(BINS), chooser.randrange(1, 7)
    grams = chooser.choice((0, 0, pieces * chooser.randrange(300, 900)))
    sender.journal.move(
        WEIGHED,
        str(pieces),
        source=place if leaves else "in_transit",
        target="in_transit" if leaves else place,
        net_weight=f"{grams / 1000:.3f}" if grams else "",
        weight_unit="KGM" if grams else "",
        sscc=chooser.choice(("", "", *UNITS[:3])),
        document=row.transfer,
        document_line=1,
        business_step="shipping" if leaves else "receiving",
        event_time_ms=world.clock.time_ms,
    )
    return f"{sender.code} {'ships' if leaves else 'receives'} {pieces} of {row.transfer}"


RULES = (
    (2, transfer_weighed),
    (8, carry_weighed),
)
