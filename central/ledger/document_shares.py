"""Keeps what each gateway did of the lines of documents, as it is posted. Edge of the database.

    movement of the step     counts as
    picking                  picked_micro: put ready to go out
    receiving, shipping      done_micro: came in, went out

So a station can say how much is left although another gateway works on the same document. A
reversal takes off what its movement added. A sum stays at the end of its range instead of being
refused: what happened is not held up by somebody's digits.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from central.contract.facts import Movement, Reversal
from central.ledger.entries import BALANCE_MICRO_MAX, FactKey, Line
from central.ledger.ledger import Posted
from central.ledger.opening import DocumentKey, GoodsKey
from central.ledger.pairs import own_lines, taken_micro
from central.ledger.reading import read_fact
from central.ledger.runs import Run
from central.storage import bulk, tables
from central.storage.outbox_tables import document_shares

# Which of the two sums a step of a movement adds to.
PICKED, DONE = 0, 1
SUM_OF_STEP = {"picking": PICKED, "receiving": DONE, "shipping": DONE}

ShareKey = tuple[str, str, int, str]  # warehouse, document, line, gateway
_KEY_SIZE = 4
_FACT_KIND, _FACT_BODY, _FACT_RECORD_NO = 4, 5, 10


def share_looks(documents: Sequence[DocumentKey], _goods: Sequence[GoodsKey]) -> list[bulk.Look]:
    """Return what is looked up of documents."""
    return [bulk.Look(document_shares, sorted(set(documents)), 2)]


def follow_shares(connection: Connection, posted: Posted) -> None:
    """Add what was posted to the shares; costs nothing if no fact names a document."""
    sums: dict[ShareKey, list[int]] = {}
    for gateway, movement, lines, sign in (*_moved(posted), *_taken_back(connection, posted)):
        which = SUM_OF_STEP.get(movement.business_step)
        amount = sign * _moved_micro(lines)
        if which is None or not movement.document or not movement.document_line or not amount:
            continue
        key = (lines[0].warehouse, movement.document, movement.document_line, gateway)
        sums.setdefault(key, [0, 0])[which] += amount
    if not sums:
        return
    documents = sorted({key[:2] for key in sums})
    for row in bulk.select_by_key(connection, document_shares, documents, columns_count=2):
        added = sums.get((row[0], row[1], row[2], row[3]))
        if added is not None:
            added[PICKED] += row[_KEY_SIZE]
            added[DONE] += row[_KEY_SIZE + 1]
    rows = [
        (*key, *(_bounded(micro) for micro in both), posted.last_record_no)
        for key, both in sorted(sums.items())
    ]
    bulk.upsert_rows(connection, document_shares, rows)


def _moved(posted: Posted) -> Iterator[tuple[str, Movement, Sequence[Line], int]]:
    """Yield the movements under documents that were posted, with their gateway and lines."""
    lines = {fact.record_no: fact.lines for fact in posted.apart if fact.document}
    if not lines:
        return
    runs = iter(posted.runs)  # In the order of their record numbers, as the facts that moved.
    run = next(runs)
    for record_no, found in lines.items():
        while record_no >= run.first_record_no + len(run.bodies):
            run = next(runs)
        fact = run.read.facts[record_no - run.first_record_no]
        if isinstance(fact, Movement):
            yield run.gateway, fact, found, 1


def _taken_back(
    connection: Connection, posted: Posted
) -> Iterator[tuple[str, Movement, Sequence[Line], int]]:
    """Yield the movements under documents that reversals of this posting took back."""
    reversals: dict[FactKey, set[tuple[str, int]]] = {}
    for key, by in _reversals(posted.runs):
        reversals.setdefault(key, set()).add(by)
    if not reversals:
        return
    keys = sorted(reversals)
    # A movement is taken back once: by whom says the ledger.
    own = {
        FactKey(*row[:4])
        for row in bulk.select_by_key(connection, tables.reversals, keys, columns_count=4)
        if (row[4], row[5]) in reversals[FactKey(*row[:4])]
    }
    moved = []
    for row in bulk.select_by_key(connection, tables.facts, sorted(own), columns_count=4):
        fact = read_fact(row[_FACT_BODY], seq=row[3]) if row[_FACT_KIND] == "movement" else None
        if isinstance(fact, Movement) and fact.document:
            moved.append((row[1], fact, (row[0], row[_FACT_RECORD_NO])))
    places = sorted(place for _, _, place in moved)
    lines: dict[tuple[str, int], list[Line]] = {}
    for found in bulk.select_by_key(connection, tables.lines, places, columns_count=2):
        line = Line(*found)
        lines.setdefault((line.warehouse, line.record_no), []).append(line)
    for gateway, fact, place in moved:
        if place in lines:
            yield gateway, fact, sorted(lines[place]), -1


def _reversals(runs: Sequence[Run]) -> Iterator[tuple[FactKey, tuple[str, int]]]:
    for run in runs:
        for fact in run.read.apart:
            if isinstance(fact, Reversal):
                key = FactKey(run.warehouse, run.gateway, fact.reverses_epoch, fact.reverses_seq)
                yield key, (run.epoch, fact.seq)


def _moved_micro(lines: Sequence[Line]) -> int:
    """Return how much a movement moved; 0 of what was taken back before it came."""
    own = own_lines(lines)
    return taken_micro(own) if len(own) == len(lines) else 0


def _bounded(micro: int) -> int:
    return max(-BALANCE_MICRO_MAX, min(BALANCE_MICRO_MAX, micro))
