"""What is packed, weighed, counted in packs and announced: pallets, cheeses, cartons, notices."""

from random import Random

from sqlalchemy import select

from central.orders.purchasing import asn, asn_book, purchase_book
from central.orders.purchasing.purchase_lines import LineAsked
from central.storage import purchasing_tables
from tests.central.invariants.world import BINS, PACK, WAREHOUSES, WEIGHED, World
from tests.central.scenery import sscc

MICRO = 1_000_000
UNITS = tuple(sscc(number) for number in range(1, 9))


def receive_weighed(world: World, chooser: Random) -> str:
    """Cheeses come, counted and weighed, in whichever unit the scale has; some unweighed."""
    sender = chooser.choice(world.senders)
    pieces = chooser.randrange(1, 9)
    unit, grams = chooser.choice((("KGM", 1000), ("KGM", 1000), ("GRM", 1), ("", 0)))
    weight = f"{pieces * chooser.randrange(300, 900) / grams:.3f}" if grams else ""
    sender.journal.move(
        WEIGHED,
        str(pieces),
        target=chooser.choice(BINS),
        net_weight=weight,
        weight_unit=unit,
        sscc=chooser.choice(("", "", *UNITS[:3])),
        event_time_ms=world.clock.time_ms,
    )
    return f"{sender.code} receives {pieces} of {WEIGHED}"


def move_weighed(world: World, chooser: Random) -> str:
    """Cheeses go on, weighed again or not."""
    sender = chooser.choice(world.senders)
    stock = [row for row in world.stock(sender.warehouse) if row.item == WEIGHED]
    if not stock:
        return ""
    row = chooser.choice(stock)
    pieces = chooser.randrange(1, 1 + max(1, row.on_hand_micro // MICRO))
    is_weighed = chooser.random() < 0.5
    sender.journal.move(
        WEIGHED,
        str(pieces),
        source=row.location,
        target=chooser.choice(("customer", *(one for one in BINS if one != row.location))),
        net_weight=f"0.{chooser.randrange(1, 999):03d}" if is_weighed else "",
        weight_unit="KGM" if is_weighed else "",
        sscc=row.sscc,
        business_step="storing",
        event_time_ms=world.clock.time_ms,
    )
    return f"{sender.code} moves {pieces} of {WEIGHED}"


def pack(world: World, chooser: Random) -> str:
    """Units are put into a larger one or taken out, also into themselves or out of nothing."""
    sender = chooser.choice(world.senders)
    parent = chooser.choice(UNITS)
    children = chooser.sample(UNITS, chooser.randrange(1, 4))
    action = chooser.choice(("pack", "pack", "unpack"))
    others = [one for one in children if one != parent] or [UNITS[UNITS[0] == parent]]
    sender.journal.pack(parent, *others, action=action, event_time_ms=world.clock.time_ms)
    return f"{sender.code} {action}s {parent}"


def receive_packs(world: World, chooser: Random) -> str:
    """Cartons come, in the unit in which they were bought."""
    sender = chooser.choice(world.senders)
    sender.journal.move(
        "BOLT",
        str(chooser.randrange(1, 5)),
        unit=PACK,
        target=chooser.choice(BINS),
        event_time_ms=world.clock.time_ms,
    )
    return f"{sender.code} receives cartons"


def buy_packs(world: World, chooser: Random) -> str:
    """Cartons are ordered, at the desk, where they are so many pieces."""
    over = chooser.choice((None, 10 * MICRO))
    line = LineAsked(1, "BOLT", chooser.randrange(1, 9) * MICRO, unit=PACK, over_percent_micro=over)
    with world.desk.change(actor="li.na") as change:
        asked = purchase_book.OrderAsked(chooser.choice(WAREHOUSES), "ACME", (line,))
        code = purchase_book.create_order(change, asked).order.code
        for action in ("submit", "approve", "send"):
            purchase_book.act_on_order(change, code, action, version=None)
    return f"buy cartons by {code}"


def announce(world: World, chooser: Random) -> str:
    """A supplier says what is on the way, on which pallets."""
    inner, outer = chooser.sample(UNITS, 2)
    lines = (
        asn_book.NoticeLineAsked(1, WEIGHED, chooser.randrange(1, 5) * MICRO, sscc=inner),
        asn_book.NoticeLineAsked(2, "NUT", chooser.randrange(1, 9) * MICRO),
    )
    asked = asn_book.NoticeAsked(
        lines,
        units=(asn.HandlingUnit(outer), asn.HandlingUnit(inner, parent=outer)),
        warehouse=chooser.choice(WAREHOUSES),
        supplier="ACME",
    )
    with world.desk.change(actor="li.na") as change:
        code = asn_book.create_notice(change, asked).notice.code
        if chooser.random() < 0.8:
            asn_book.act_on_notice(change, code, "expect", version=None)
    return f"announced {code}"


def announce_of_order(world: World, chooser: Random) -> str:
    """Of cartons that were ordered some are announced, a few pieces too many now and then."""
    orders, lines = purchasing_tables.purchase_orders.c, purchasing_tables.purchase_lines.c
    row = world.pick(
        chooser,
        select(lines.code, lines.expected_micro)
        .join(purchasing_tables.purchase_orders, orders.code == lines.code)
        .where(lines.item == "BOLT", lines.line == 1, orders.state == "sent")
        .order_by(lines.code.desc()),
    )
    if row is None:
        return ""
    most = row.expected_micro // MICRO * 11 // 10
    line = asn_book.NoticeLineAsked(1, "BOLT", chooser.randrange(1, most + 1) * MICRO)
    with world.desk.change(actor="li.na") as change:
        asked = asn_book.NoticeAsked((line,), order_code=row.code)
        code = asn_book.create_notice(change, asked).notice.code
        asn_book.act_on_notice(change, code, "expect", version=None)
    return f"announced {code} of {row.code}"


def act_on_notice(world: World, chooser: Random) -> str:
    """A notice takes some step, or its pallet comes before or after."""
    table = purchasing_tables.shipping_notices.c
    row = world.pick(chooser, select(table.code, table.warehouse).order_by(table.code.desc()))
    if row is None:
        return ""
    sender = chooser.choice([one for one in world.senders if one.warehouse == row.warehouse])
    if chooser.random() < 0.5:
        sender.journal.move(
            "NUT",
            str(chooser.randrange(1, 9)),
            target=chooser.choice(BINS),
            document=row.code,
            document_line=2,
            event_time_ms=world.clock.time_ms,
        )
        return f"{sender.code} receives of {row.code}"
    action = chooser.choice(list(asn.STATES))
    with world.desk.change(actor="li.na") as change:
        asn_book.act_on_notice(change, row.code, action, version=None, reason="because")
    return f"{action} {row.code}"


RULES = (
    (3, receive_weighed),
    (3, move_weighed),
    (3, pack),
    (2, receive_packs),
    (1, buy_packs),
    (2, announce),
    (2, announce_of_order),
    (2, act_on_notice),
)
