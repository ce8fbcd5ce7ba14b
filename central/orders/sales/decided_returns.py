"""What became of goods that came back, when a station takes their coming back. Edge of SQL.

    CR-1 brought 4 to BIN-2    4 were scrapped                  4 in the scrap
    CR-1 brought 4 to BIN-2    1 was scrapped, 3 undecided      1 in the scrap, 3 at BIN-2
    CR-1 brought 4 to BIN-2    4 were restocked at BIN-1        4 at BIN-1

By the decisions of that return alone. What is not decided on goes first, as far as it came there.
The decisions are taken back with the goods, as decisions below zero. What had to be inspected is
its inspection's (`../purchasing/decided_arrivals`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from central.contract.facts import Movement, Reversal
from central.ledger.decided_goods import Became
from central.ledger.entries import FactKey, Line, PostedFact
from central.ledger.ledger import Posted
from central.ledger.line_movements import read_movements
from central.ledger.locations import CUSTOMER
from central.ledger.posting import PostedMovement
from central.ledger.reading import read_fact
from central.ledger.runs import Run
from central.ledger.state import append_events
from central.ledger.statuses import AVAILABLE, INSPECTION
from central.orders.purchasing.inspection_following import fact_of
from central.orders.return_goods import SCRAP
from central.orders.sales.customer_return_book import DECISION, KIND
from central.orders.sales.customer_return_reading import HEAD, read_returns
from central.orders.sales.customer_returns import (
    GOODS_DECISIONS,
    Decision,
    ReturnDecision,
    ReturnView,
    open_micro,
)
from central.storage import bulk, sales_tables, tables
from central.storage.line_blocks import reach_of

FACTS_MAX = 5000  # Of an item: the newest ones, by which it is seen what came where.
BODY = list(tables.facts.columns.keys()).index("body")


class Decided(NamedTuple):
    """What decisions of a line have made of goods of one place. to_location: "" if they stay."""

    line: int
    decision: Decision
    location: str
    to_location: str


def became_of(
    connection: Connection, movements: Mapping[FactKey, PostedMovement]
) -> dict[FactKey, tuple[Became, ...]]:
    """Return what became of goods that movements brought back from customers, if it was decided."""
    found: dict[FactKey, tuple[Became, ...]] = {}
    used: Counter[tuple[str, str, str]] = Counter()
    for key, posted in movements.items():
        movement = posted.movement
        if movement is None or not _came_back(movement, posted.lines):
            continue
        view = _return_of(connection, movement)
        made = _made(view, movement) if view is not None else Counter()
        if view is None or not made:
            continue
        came = posted.lines[1]
        waits_micro = _waiting_there(connection, view, movement, came, made)
        places = Counter({(came.location, ""): waits_micro})
        for one, micro in made.items():
            to_location = SCRAP if one.decision == "scrap" else one.to_location or one.location
            places[to_location or came.location, one.decision] += micro
        parts: Counter[str] = Counter()
        left_micro = came.quantity_micro
        for place in sorted(places, key=lambda one: (one[1] != "", one[0] != came.location, one)):
            name = (movement.document, *place)
            part_micro = min(left_micro, places[place] - used[name])
            if part_micro > 0:
                left_micro -= part_micro
                parts[place[0]] += part_micro
                used[name] += part_micro
        parts[came.location] += left_micro
        if set(+parts) != {came.location}:
            found[key] = tuple(
                Became(place, AVAILABLE, micro, came.record_no if place == came.location else 0)
                # What stayed keeps what is left of the weight.
                for place, micro in sorted(
                    (+parts).items(), key=lambda one: one[0] == came.location
                )
            )
    return found


def follow_decided(connection: Connection, posted: Posted) -> None:
    """Take back what was decided of goods whose coming back a station takes back.

    It is asked for where movements were taken back alone.
    """
    for fact in posted.apart:
        first = fact.lines[0]
        if fact.document and first.location == CUSTOMER and first.quantity_micro > 0:
            run, reversal = fact_of(posted.runs, fact.record_no)
            if isinstance(reversal, Reversal):
                _take_back(connection, posted, fact, run, reversal)


def _take_back(
    connection: Connection, posted: Posted, fact: PostedFact, run: Run, reversal: Reversal
) -> None:
    key = FactKey(run.warehouse, run.gateway, reversal.reverses_epoch, reversal.reverses_seq)
    (stored,) = bulk.select_by_key(connection, tables.facts, [key], columns_count=len(key))
    movement = read_fact(stored[BODY], seq=key.seq)
    assert isinstance(movement, Movement)
    view = _return_of(connection, movement)
    if view is None or fact.came_to:
        return
    unmade = list(_unmade(view, movement, fact.lines))
    if not unmade:
        return
    returned = view.returned
    last_no = max(one.number for one in returned.decisions)
    rows = [
        ReturnDecision(
            number=last_no + number,
            line=one.line,
            decision=one.decision,
            quantity_micro=-micro,
            location=one.location,
            to_location=one.to_location,
            lot=movement.lot,
            serial=movement.serial,
            from_status=AVAILABLE,
            reason=reversal.reason,
            exchange_order="",
            epoch="",
            seq=0,
            actor=reversal.operator or run.gateway,
            at_ms=posted.now_ms,
        )
        for number, (one, micro) in enumerate(unmade, 1)
    ]
    bulk.insert_rows(
        connection,
        sales_tables.customer_return_decisions,
        [(returned.code, *(getattr(row, name) for name in DECISION)) for row in rows],
    )
    after = replace(returned, version=returned.version + 1, changed_ms=posted.now_ms)
    head = tuple(getattr(after, name) for name in HEAD)
    bulk.upsert_rows(connection, sales_tables.customer_returns, [head])
    event = (KIND, returned.code, "decided", returned.warehouse, rows[0].actor)
    append_events(connection, [(*event, posted.now_ms, "{}")])


def _unmade(
    view: ReturnView, movement: Movement, lines: Sequence[Line]
) -> Iterator[tuple[Decided, int]]:
    """Yield the decisions that a reversal takes back, each with how much: of what moved first.

    Of what stayed where it was, no more than is decided on beyond what is still there.
    """
    made = _made(view, movement)
    taken: Counter[str] = Counter()
    for line in lines[1::2]:
        taken[line.location] -= line.quantity_micro
    stays = {"", movement.to_location}
    over_micro = -sum(open_micro(view, number) for number in _lines_of(view, movement))
    moved = [one for one in sorted(made) if one.decision == "scrap" or one.to_location not in stays]
    for one in (*moved, *sorted(made.keys() - set(moved))):
        part_micro = min(made[one], over_micro)
        if one in moved:
            place = SCRAP if one.decision == "scrap" else one.to_location
            part_micro = min(made[one], taken[place])
            taken[place] -= part_micro
        if part_micro > 0:
            over_micro -= part_micro
            yield one, part_micro


def _came_back(movement: Movement, lines: Sequence[Line]) -> bool:
    """Return whether goods came back under a document, available and in no unit.

    None else are decided on by movements of the desk.
    """
    came = lines[1]
    is_loose = came.status == AVAILABLE and not came.sscc
    return movement.from_location == CUSTOMER and bool(movement.document) and is_loose


def _return_of(connection: Connection, movement: Movement) -> ReturnView | None:
    found = read_returns(connection, [movement.document])
    return found[0] if found and found[0].returned.warehouse == movement.warehouse else None


def _lines_of(view: ReturnView, movement: Movement) -> list[int]:
    """Return the lines of a return that goods came for: of none, those of their item."""
    return [
        one.line
        for one in view.returned.lines
        if movement.document_line in {0, one.line} and one.item == movement.item
    ]


def _made(view: ReturnView, movement: Movement) -> Counter[Decided]:
    """Return what was decided of goods like these at the place where a movement brought some."""
    made: Counter[Decided] = Counter()
    lines = _lines_of(view, movement)
    for one in view.returned.decisions:
        if (
            one.line in lines
            and one.decision in GOODS_DECISIONS
            and one.from_status != INSPECTION
            and one.location in {"", movement.to_location}
            and one.lot in {"", movement.lot}
            and one.serial in {"", movement.serial}
        ):
            made[Decided(one.line, one.decision, one.location, one.to_location)] += (
                one.quantity_micro
            )
    return +made


def _waiting_there(
    connection: Connection,
    view: ReturnView,
    movement: Movement,
    came: Line,
    made: Counter[Decided],
) -> int:
    """Return how much of what a return brought to a place nobody has decided on."""
    reach = reach_of(
        connection,
        warehouse=came.warehouse,
        item=came.item,
        after=0,
        limit=FACTS_MAX,
        newest_first=True,
    )
    brought_micro = sum(
        micro
        for one, micro in read_movements(
            connection,
            warehouse=came.warehouse,
            item=came.item,
            unit=came.unit,
            location=came.location,
            after=reach.record_no - 1,
        )
        if (one.from_location, one.document) == (CUSTOMER, movement.document)
        and (one.document_line, one.lot) == (movement.document_line, movement.lot)
    )
    there_micro = brought_micro - sum(micro for one, micro in made.items() if one.location)
    open_of_lines = sum(open_micro(view, number) for number in _lines_of(view, movement))
    return max(0, min(there_micro, open_of_lines))
