"""What people do with transfers and counts."""

from random import Random

from sqlalchemy import select

from central.orders.counts import count_book, count_posting, counts
from central.orders.counts.count_reading import read_standing as read_counted
from central.orders.counts.count_rows import load_head
from central.orders.counts.counts import CountLine
from central.orders.transfers import transfers
from central.orders.transfers.transfer_book import LineWanted, create_transfer, decide
from central.orders.transfers.transfer_closing import Closing, remainders_of
from central.orders.transfers.transfer_end_book import close_transfer
from central.orders.transfers.transfer_store import load_transfer, read_standing
from central.storage import count_tables, transfer_tables
from tests.central.invariants.world import BINS, ITEMS, WAREHOUSES, World

MICRO = 1_000_000


def transfer(world: World, chooser: Random) -> str:
    """Goods are asked for from another warehouse; mostly they are released at once."""
    source, destination = chooser.sample(WAREHOUSES, 2)
    lines = [
        LineWanted(item, chooser.randrange(1, 15) * MICRO)
        for item in chooser.sample(ITEMS, chooser.randrange(1, 3))
    ]
    with world.desk.change(actor="li.na") as change:
        ends = {"source": source, "destination": destination}
        code = create_transfer(change, lines, **ends, backorders=chooser.random() < 0.6).code
        for action in ("request", "approve", "release")[: chooser.choice((0, 1, 3, 3, 3))]:
            decide(change, code, action, version=None)
    return f"transfer {code}"


def act_on_transfer(world: World, chooser: Random) -> str:
    """A transfer takes some step; cancelled with goods on the way, too."""
    table = transfer_tables.transfers.c
    row = world.pick(chooser, select(table.transfer).order_by(table.transfer.desc()))
    if row is None:
        return ""
    action = chooser.choice([one for one in transfers.ACTIONS if one not in {"edit", "close"}])
    with world.desk.change(actor="li.na") as change:
        decide(change, row.transfer, action, version=None, reason="because")
    return f"{action} {row.transfer}"


def end_transfer(world: World, chooser: Random) -> str:
    """A transfer is closed with a reason for each remainder."""
    table = transfer_tables.transfers.c
    row = world.pick(chooser, select(table.transfer).order_by(table.transfer.desc()))
    if row is None:
        return ""
    reason = chooser.choice(("lost", "damaged", "sent_back"))
    place = chooser.choice(BINS) if reason == "sent_back" else ""
    with world.desk.change(actor="li.na") as change:
        seen = load_transfer(change.connection, row.transfer)
        remainders = remainders_of(read_standing(change.connection, seen).places)
        closings = [
            Closing(thing, abs(micro), "found")
            if micro < 0
            else Closing(thing, micro, reason, location=place)
            for thing, micro in sorted(remainders.items())
            if micro
        ]
        close_transfer(change, row.transfer, closings, version=None, reason="counted")
    return f"close {row.transfer}"


def ask_for_count(world: World, chooser: Random) -> str:
    """Places are to be counted."""
    lines = tuple(
        CountLine(number, location, chooser.choice(("", *ITEMS)))
        for number, location in enumerate(chooser.sample(BINS, chooser.randrange(1, 4)), 1)
    )
    draft = count_book.CountDraft(chooser.choice(WAREHOUSES), lines)
    with world.desk.change(actor="li.na") as change:
        code = count_book.plan_count(change, draft).code
        if chooser.random() < 0.9:
            count_book.release_count(change, code, version=None)
    return f"count {code}"


def act_on_count(world: World, chooser: Random) -> str:
    """A count takes some step: judged, counted again, posted, amended."""
    table = count_tables.counts.c
    row = world.pick(chooser, select(table.code).order_by(table.code.desc()))
    if row is None:
        return ""
    code = row.code
    weighed = [*counts.STATES, "finish", "finish", "post", "accept", "amend"]
    action = chooser.choice(weighed)
    with world.desk.change(actor="chen") as change:
        things = []
        if action in {"recount", "reject"}:
            head = load_head(change.connection, code)
            things = [one.thing for one in read_counted(change.connection, head).variances[:2]]
        if action == "release":
            count_book.release_count(change, code, version=None)
        elif action == "finish":
            count_book.finish_count(change, code, version=None)
        elif action == "recount":
            count_book.recount(change, code, things, version=None)
        elif action == "refer":
            count_book.refer_count(change, code, version=None)
        elif action == "reject":
            count_book.reject_lines(change, code, things, reason="because", version=None)
        elif action == "cancel":
            count_book.cancel_count(change, code, reason="because", version=None)
        else:
            POSTINGS[action](change, code, version=None)
    return f"{action} {code}"


POSTINGS = {
    "post": count_posting.post_count,
    "accept": count_posting.accept_count,
    "amend": count_posting.amend_count,
}
RULES = (
    (3, transfer),
    (2, act_on_transfer),
    (3, end_transfer),
    (2, ask_for_count),
    (5, act_on_count),
)
