"""Turns a fact into the lines, the document progress and the findings that it means. Pure.

A movement becomes a pair of lines that sum to zero, one for each status of its goods; `pairs` draws
them. A reversal repeats all lines of the movement with the signs turned; one that came before its
movement waits, and the movement then has the way back, too. Weighings, prints, passages, counts and
packings have no lines: the movement that a weighing led to names it. A fact is never refused: what
is unknown or unexpected is posted as it was said, and a finding says so.
"""

from collections.abc import Callable, Mapping

import msgspec

from central.contract.facts import Fact, Movement, Reversal
from central.ledger.decided_goods import Became, came_undecided, taken_as
from central.ledger.entries import (
    OWN_GATEWAY,
    Entry,
    ExpectedLine,
    FactKey,
    Finding,
    Known,
    Line,
    finding_of,
)
from central.ledger.goods_rules import NAMED_FLAG, SETTLING_FLAG
from central.ledger.held_again import held_again
from central.ledger.locations import IN_TRANSIT, is_virtual
from central.ledger.measures import WEIGHED_IN, quantity_in_unit, weight_in_unit
from central.ledger.pairs import (
    Pair,
    is_unnamed,
    is_weighed_there,
    movement_pair,
    takes_share,
    turned,
)
from central.ledger.progress import (
    COUNT_KIND,
    COUNTING_STEP,
    Progress,
    crosses_another_border,
    progress_of,
)
from central.ledger.rests_back import RestBack, rests_said
from central.ledger.statuses import HELD, INSPECTION

# A flag that the edge set because a weighed quantity left the tolerance of its document line.
FLAG_OUTSIDE_TOLERANCE = "outside_tolerance"
HOLD_FLAG = "quality_hold"  # Of the ledger's own facts that hold or free goods.
# What the ledger's own facts of these flags are about is a balance, in whatever unit that has.
OF_A_BALANCE = frozenset({SETTLING_FLAG, HOLD_FLAG})


class Posting(msgspec.Struct, frozen=True):
    """What one fact means for the books.

    lines: pairs, or none. shared: they are one pair that states no status to take from, so what is
    available goes first; keeps_status: then each part keeps its own. books: of one that takes from
    under way, the warehouses whose books say which statuses goods have there. comes_back: half of
    the lines are the way back of a movement that was taken back before it came. unweighed: they
    take their share of the weight that is where they come from. lost_weight: what they were said to
    weigh, in words, if that means nothing in the item's unit of weight. rests_back: what one of the
    ledger's own gives back. takes_back: the movement that a reversal takes back; waits_for: the one
    that it will when it comes. came_to: where goods came whose reversal takes
    what they became since.
    """

    lines: tuple[Line, ...] = ()
    progress: Progress | None = None
    findings: tuple[Finding, ...] = ()
    takes_back: FactKey | None = None
    waits_for: FactKey | None = None
    shared: bool = False
    keeps_status: bool = True
    books: tuple[str, ...] = ()
    comes_back: bool = False
    unweighed: bool = False
    lost_weight: str = ""
    rests_back: tuple[RestBack, ...] = ()
    came_to: str = ""


class PostedMovement(msgspec.Struct, frozen=True):
    """What there is of a fact that a reversal names.

    lines: none if it moved nothing or is not here yet. reversed: whether a reversal has named it.
    movement: the fact, None if it moved nothing. became: its goods, if they were decided on since.
    """

    lines: tuple[Line, ...]
    progress: Progress | None
    reversed: bool
    movement: Movement | None = None
    became: tuple[Became, ...] = ()


def post(
    entry: Entry, fact: Fact, known: Known, movement_at: Callable[[FactKey], PostedMovement | None]
) -> Posting:
    """Return what a fact means for the books.

    movement_at: returns what there is of a fact by its identity, None if there is nothing.
    """
    if fact.warehouse != entry.warehouse:
        detail = f"the fact is about {fact.warehouse}, its gateway belongs to {entry.warehouse}"
        return Posting(findings=(finding_of(entry, "wrong_warehouse", str(entry), detail=detail),))
    if isinstance(fact, Movement):
        return _post_movement(entry, fact, known)
    if isinstance(fact, Reversal):
        return _post_reversal(entry, fact, known, movement_at)
    return Posting()


def taken_back_at_once(entry: Entry, posting: Posting) -> Posting:
    """Return the posting of a movement whose reversal came before it.

    The way there and the way back are lines of the movement: a line with the number of the
    reversal would change what was true before this fact. Nothing is left of it that could count.
    """
    first_no = len(posting.lines) + 1
    back = turned(posting.lines, record_no=entry.record_no, first_line_no=first_no)
    return Posting(lines=posting.lines + back, findings=posting.findings, comes_back=True)


def unmatched(entry: Entry, target: FactKey, what: str) -> Finding:
    """Return the finding of a reversal whose movement cannot be taken back."""
    detail = f"the movement {target.epoch}/{target.seq} that it reverses {what}"
    return finding_of(entry, "reversal_unmatched", str(entry), detail=detail)


def _post_movement(entry: Entry, movement: Movement, known: Known) -> Posting:
    findings: list[Finding] = []
    item_unit = known.item_units.get(movement.item)
    unit, quantity = movement.unit, quantity_in_unit(movement, movement.unit)
    assert quantity is not None  # Its own unit needs no conversion.
    if item_unit is None:
        findings.append(
            finding_of(
                entry, "unknown_item", movement.item, item=movement.item, actual_micro=quantity
            )
        )
    elif item_unit != movement.unit and not _of_a_balance(entry, movement):
        pack = known.pack(movement.item, movement.unit)
        converted = quantity_in_unit(movement, item_unit, pack=pack)
        if converted is not None:
            unit, quantity = item_unit, converted
        else:
            detail = f"{movement.quantity} {movement.unit} of an item kept in {item_unit}"
            findings.append(_unit_differs(entry, movement, unit=movement.unit, detail=detail))
    weight_unit = known.weight_units.get(movement.item, WEIGHED_IN)
    weight = weight_in_unit(movement, weight_unit)
    findings += _place_findings(entry, movement, known)
    if movement.document:
        findings += _document_findings(entry, movement, known)
    elif IN_TRANSIT in (movement.from_location, movement.to_location):
        findings += _transit_findings(entry, movement, unit=unit, quantity_micro=quantity)
    comes_as = INSPECTION if movement.item in known.inspected_items else ""
    if known.lots_on_hold and known.is_on_hold(entry.warehouse, movement.item, movement.lot):
        comes_as = HELD
    pair = movement_pair(
        entry,
        movement,
        unit=unit,
        quantity_micro=quantity,
        weight_micro=weight or 0,
        comes_as=comes_as,
    )
    lost = ""
    if weight is None:
        lost = f"{movement.net_weight} {movement.weight_unit} of an item weighed in {weight_unit}"
        if not _has_to_weigh(movement, pair, known):
            findings.append(_unit_differs(entry, movement, unit=movement.weight_unit, detail=lost))
    return Posting(
        lines=pair,
        progress=progress_of(
            movement, warehouse=entry.warehouse, unit=unit, quantity_micro=quantity
        ),
        findings=tuple(findings),
        shared=not movement.from_status and not is_virtual(pair[0].location),
        keeps_status=not movement.to_status,
        books=() if movement.from_status else books_under_way(entry.warehouse, movement, known),
        unweighed=takes_share(movement),
        lost_weight=lost,
        rests_back=rests_said(entry.gateway, movement) if movement.flags else (),
    )


def _has_to_weigh(movement: Movement, pair: Pair, known: Known) -> bool:
    ends = (pair[0].location, pair[1].location)
    return movement.item in known.weight_units and is_weighed_there(*ends)


def books_under_way(warehouse: str, movement: Movement, known: Known) -> tuple[str, ...]:
    """Return whose books say what goods are that a movement takes from under way; else none."""
    if movement.from_location != IN_TRANSIT or not movement.document:
        return ()
    other = known.counterparts.get((warehouse, movement.document))
    return (warehouse, other) if other else (warehouse,)


def _transit_findings(
    entry: Entry, movement: Movement, *, unit: str, quantity_micro: int
) -> list[Finding]:
    """Return what is wrong with goods under way of which nobody says under what.

    Of the ledger's own, only of those of which it says for the first time what they are.
    """
    is_first = entry.gateway != OWN_GATEWAY or NAMED_FLAG in movement.flags
    if not is_first or not is_unnamed(movement):
        return []
    return [
        finding_of(
            entry,
            "transit_unnamed",
            movement.item,
            item=movement.item,
            location=IN_TRANSIT,
            lot=movement.lot,
            unit=unit,
            actual_micro=quantity_micro,
        )
    ]


def _of_a_balance(entry: Entry, movement: Movement) -> bool:
    return entry.gateway == OWN_GATEWAY and not OF_A_BALANCE.isdisjoint(movement.flags)


def _unit_differs(entry: Entry, movement: Movement, *, unit: str, detail: str) -> Finding:
    return finding_of(
        entry,
        "unit_differs",
        f"{movement.item}/{unit}",
        item=movement.item,
        lot=movement.lot,
        unit=unit,
        detail=detail,
    )


def _place_findings(entry: Entry, movement: Movement, known: Known) -> list[Finding]:
    return [
        finding_of(entry, "unknown_location", location, item=movement.item, location=location)
        for location in (movement.from_location, movement.to_location)
        if (entry.warehouse, location) not in known.locations and not is_virtual(location)
    ]


def _document_findings(entry: Entry, movement: Movement, known: Known) -> list[Finding]:
    findings = []
    item, document = movement.item, movement.document
    expected = known.documents.get((entry.warehouse, document))
    kind = known.document_kinds.get((entry.warehouse, document), "")
    if movement.business_step == COUNTING_STEP:
        pass  # What a count finds is whatever it finds.
    elif expected is None:
        # What the desk moves is of an order that its own book knows, told to stations or not.
        if entry.gateway != OWN_GATEWAY:
            findings.append(
                finding_of(entry, "unknown_document", document, item=item, document=document)
            )
    elif kind == COUNT_KIND:
        pass
    elif not is_expected(movement, expected, kind=kind):
        findings.append(
            finding_of(entry, "unexpected", f"{document}/{item}", item=item, document=document)
        )
    if FLAG_OUTSIDE_TOLERANCE in movement.flags:
        findings.append(
            finding_of(
                entry,
                "outside_tolerance",
                f"{document}/{movement.document_line}/{item}",
                item=item,
                document=document,
                document_line=movement.document_line,
            )
        )
    return findings


def is_expected(movement: Movement, expected: Mapping[int, ExpectedLine], *, kind: str) -> bool:
    """Return whether a document expects a movement. expected: its lines. kind: its own."""
    if crosses_another_border(movement, kind=kind):
        return False
    if movement.document_line:
        line = expected.get(movement.document_line)
        return line is not None and line.item == movement.item
    return any(line.item == movement.item for line in expected.values())


def _post_reversal(
    entry: Entry,
    reversal: Reversal,
    known: Known,
    movement_at: Callable[[FactKey], PostedMovement | None],
) -> Posting:
    target = FactKey(entry.warehouse, entry.gateway, reversal.reverses_epoch, reversal.reverses_seq)
    posted = movement_at(target)
    if posted is None:
        # Of its own epoch a movement comes before its reversal, or never.
        waits_for = target if target.epoch != entry.epoch else None
        finding = unmatched(entry, target, "is not here")
        return Posting(findings=(finding,), waits_for=waits_for)
    if posted.reversed or not posted.lines:
        what = "is taken back already" if posted.reversed else "moved nothing"
        return Posting(findings=(unmatched(entry, target, what),))
    progress = None
    if posted.progress is not None:
        progress = posted.progress._replace(brought_in_micro=-posted.progress.brought_in_micro)
    lines = turned(posted.lines, record_no=entry.record_no)
    if known.lots_on_hold:
        lines = held_again(lines, known)
    came_to = ""
    if posted.became:
        came_to = lines[1].location if came_undecided(lines) else ""
        lines = taken_as(lines, posted.became)
    return Posting(lines=lines, progress=progress, takes_back=target, came_to=came_to)
