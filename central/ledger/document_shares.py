"""Keeps what each gateway did of the lines of documents, as it is posted. Edge of the database.

    movement of the step     counts as
    picking                  picked_micro: put ready to go out
    receiving, shipping      done_micro: came in, went out

So a station can say how much is left although another gateway works on the same document. A
reversal takes off what its movement added. A sum stays at the end of its range instead of being
refused: what happened is not held up by somebody's digits.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from sqlalchemy import Connection

from central.contract.facts import Movement
from central.ledger.entries import BALANCE_MICRO_MAX, GoodsKey, Line
from central.ledger.ledger import Posted
from central.ledger.opening import DocumentKey
from central.ledger.pairs import LINES_OF_A_PAIR, own_lines, taken_micro
from central.storage import bulk
from central.storage.outbox_tables import document_shares

# Which of the two sums a step of a movement adds to.
PICKED, DONE = 0, 1
SUM_OF_STEP = {"picking": PICKED, "receiving": DONE, "shipping": DONE}

ShareKey = tuple[str, str, int, str]  # warehouse, document, line, gateway
_KEY_SIZE = 4


def share_looks(documents: Sequence[DocumentKey], _goods: Sequence[GoodsKey]) -> list[bulk.Look]:
    """Return what is looked up of documents."""
    return [bulk.Look(document_shares, sorted(set(documents)), 2)]


def follow_shares(connection: Connection, posted: Posted) -> None:
    """Add what was posted to the shares; costs nothing if no fact names a document."""
    sums: dict[ShareKey, list[int]] = {}
    taken_back = ((*one, -1) for one in posted.taken_back)
    for gateway, movement, lines, sign in chain(_moved(posted), taken_back):
        which = SUM_OF_STEP.get(movement.business_step)
        if which is None or not movement.document or not movement.document_line:
            continue
        amount = _moved_micro(lines)
        if amount:
            key = (lines[0].warehouse, movement.document, movement.document_line, gateway)
            sums.setdefault(key, [0, 0])[which] += sign * amount
    if not sums:
        return
    keys = sorted(sums)
    for row in bulk.select_by_key(connection, document_shares, keys, columns_count=_KEY_SIZE):
        warehouse, document, line, gateway, picked_micro, done_micro, _ = row
        added = sums[warehouse, document, line, gateway]
        added[PICKED] += picked_micro
        added[DONE] += done_micro
    rows = [
        (*key, *(_bounded(micro) for micro in sums[key]), posted.last_record_no) for key in keys
    ]
    bulk.upsert_rows(connection, document_shares, rows)


def _moved(posted: Posted) -> Iterator[tuple[str, Movement, Sequence[Line], int]]:
    """Yield the movements under documents that were posted, with their gateway and lines."""
    runs = iter(posted.runs)  # In the order of their record numbers, as the facts that moved.
    run = next(runs)
    first, count = run.first_record_no, len(run.bodies)
    for one in posted.apart:
        if one.document:
            while one.record_no >= first + count:
                run = next(runs)
                first, count = run.first_record_no, len(run.bodies)
            fact = run.read.facts[one.record_no - first]
            if isinstance(fact, Movement):
                yield run.gateway, fact, one.lines, 1


def _moved_micro(lines: Sequence[Line]) -> int:
    """Return how much a movement moved; 0 of what was taken back before it came."""
    if len(lines) == LINES_OF_A_PAIR:
        return lines[1].quantity_micro
    own = own_lines(lines)
    return taken_micro(own) if len(own) == len(lines) else 0


def _bounded(micro: int) -> int:
    return max(-BALANCE_MICRO_MAX, min(BALANCE_MICRO_MAX, micro))
