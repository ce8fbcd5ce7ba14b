"""Turns a fact into the lines, the document progress and the findings that it means. Pure.

A movement becomes two lines that sum to zero:

    line 1   from_location   - quantity
    line 2   to_location     + quantity

A reversal repeats the two lines of the movement with the signs turned; one that came before its
movement waits, and the movement then has both pairs. Weighings, prints and passages have no lines:
the movement that a weighing led to names it. A fact is never refused: what is unknown or unexpected
is posted as it was said, and a finding says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from central.contract.errors import ContractError
from central.contract.facts import Fact, Movement, Reversal
from central.contract.quantities import MICRO_PER_UNIT, convert_mass, parse_decimal, to_micro
from central.ledger.entries import (
    Entry,
    ExpectedLine,
    FactKey,
    Finding,
    Known,
    Line,
    ProgressKey,
    finding_of,
)
from central.ledger.locations import SUPPLIER, is_virtual

# A flag that the edge set because a weighed quantity left the tolerance of its document line.
FLAG_OUTSIDE_TOLERANCE = "outside_tolerance"


@dataclass(frozen=True, slots=True)
class Posting:
    """What one fact means for the books.

    lines: two or none; four of a movement that was taken back before it came. takes_back: the
    movement that a reversal takes back; waits_for: the one that it will when it comes.
    """

    lines: tuple[Line, ...] = ()
    progress: tuple[ProgressKey, int] | None = None
    findings: tuple[Finding, ...] = ()
    takes_back: FactKey | None = None
    waits_for: FactKey | None = None


@dataclass(frozen=True, slots=True)
class PostedMovement:
    """What there is of a fact that a reversal names.

    lines: none if it moved nothing or is not here yet. reversed: whether a reversal has named it.
    """

    lines: tuple[Line, ...]
    progress: tuple[ProgressKey, int] | None
    reversed: bool


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
        return _post_reversal(entry, fact, movement_at)
    return Posting()


def quantity_in_unit(movement: Movement, unit: str) -> int | None:
    """Return a movement's quantity in millionths of `unit`, None if it has no exact value there."""
    if movement.unit == unit:
        if movement.quantity.isdecimal() and movement.quantity.isascii():
            return int(movement.quantity) * MICRO_PER_UNIT
        return to_micro(parse_decimal(movement.quantity))
    try:
        return to_micro(
            convert_mass(parse_decimal(movement.quantity), from_unit=movement.unit, to_unit=unit)
        )
    except ContractError:
        return None


def movement_lines(
    entry: Entry, movement: Movement, *, unit: str, quantity_micro: int
) -> tuple[Line, Line]:
    """Return the two lines of a movement, giving side first."""
    what = (
        movement.item,
        movement.lot,
        movement.serial,
        movement.sscc,
        movement.expiry_date,
        unit,
    )
    warehouse, number = entry.warehouse, entry.record_no
    return (
        Line(warehouse, number, 1, movement.from_location, *what, -quantity_micro),
        Line(warehouse, number, 2, movement.to_location, *what, quantity_micro),
    )


def turned(lines: tuple[Line, ...], *, record_no: int, first_line_no: int = 1) -> tuple[Line, ...]:
    """Return the lines that take `lines` back, as lines of the fact with this record number."""
    return tuple(
        line._replace(record_no=record_no, line_no=number, quantity_micro=-line.quantity_micro)
        for number, line in enumerate(lines, first_line_no)
    )


def taken_back_at_once(entry: Entry, posting: Posting) -> Posting:
    """Return the posting of a movement whose reversal came before it.

    The way there and the way back are lines of the movement: a line with the number of the
    reversal would change what was true before this fact. Nothing is left of it that could count.
    """
    back = turned(posting.lines, record_no=entry.record_no, first_line_no=3)
    return Posting(lines=posting.lines + back, findings=posting.findings)


def progress_of(
    movement: Movement,
    *,
    warehouse: str,
    unit: str,
    quantity_micro: int,
) -> tuple[ProgressKey, int] | None:
    """Return which document line a movement counts towards and by how much, None if none.

    A pure function of the fact and the unit of its lines, so that it can be computed again.
    """
    if not movement.document:
        return None
    if movement.from_location == SUPPLIER:
        sign = 1
    elif movement.to_location == SUPPLIER:
        sign = -1
    else:
        return None  # Moved inside the warehouse under the document's name: nothing came in.
    key = ProgressKey(warehouse, movement.document, movement.document_line, movement.item, unit)
    return key, sign * quantity_micro


def unmatched(entry: Entry, target: FactKey, what: str) -> Finding:
    """Return the finding of a reversal whose movement cannot be taken back."""
    detail = f"the movement {target.epoch}/{target.seq} that it reverses {what}"
    return finding_of(entry, "reversal_unmatched", str(entry), detail=detail)


def _post_movement(entry: Entry, movement: Movement, known: Known) -> Posting:
    findings: list[Finding] = []
    item_unit = known.item_units.get(movement.item)
    unit = movement.unit
    quantity = quantity_in_unit(movement, unit)
    assert quantity is not None
    if item_unit is None:
        findings.append(
            finding_of(
                entry, "unknown_item", movement.item, item=movement.item, actual_micro=quantity
            )
        )
    elif item_unit != unit:
        converted = quantity_in_unit(movement, item_unit)
        if converted:
            unit, quantity = item_unit, converted
        else:
            findings.append(_unit_finding(entry, movement, item_unit=item_unit))
    for location in (movement.from_location, movement.to_location):
        if not is_virtual(location) and (entry.warehouse, location) not in known.locations:
            findings.append(
                finding_of(
                    entry, "unknown_location", location, item=movement.item, location=location
                )
            )
    if movement.document:
        expected = known.documents.get((entry.warehouse, movement.document))
        findings += _document_findings(entry, movement, expected)
    return Posting(
        lines=movement_lines(entry, movement, unit=unit, quantity_micro=quantity),
        progress=progress_of(
            movement, warehouse=entry.warehouse, unit=unit, quantity_micro=quantity
        ),
        findings=tuple(findings),
    )


def _unit_finding(entry: Entry, movement: Movement, *, item_unit: str) -> Finding:
    return finding_of(
        entry,
        "unit_differs",
        f"{movement.item}/{movement.unit}",
        item=movement.item,
        lot=movement.lot,
        unit=movement.unit,
        detail=f"{movement.quantity} {movement.unit} of an item kept in {item_unit}",
    )


def _document_findings(
    entry: Entry, movement: Movement, expected: Mapping[int, ExpectedLine] | None
) -> list[Finding]:
    findings = []
    item, document = movement.item, movement.document
    if expected is None:
        findings.append(
            finding_of(entry, "unknown_document", document, item=item, document=document)
        )
    elif not _is_expected(movement, expected):
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


def _is_expected(movement: Movement, expected: Mapping[int, ExpectedLine]) -> bool:
    if movement.document_line:
        line = expected.get(movement.document_line)
        return line is not None and line.item == movement.item
    return any(line.item == movement.item for line in expected.values())


def _post_reversal(
    entry: Entry, reversal: Reversal, movement_at: Callable[[FactKey], PostedMovement | None]
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
        key, quantity = posted.progress
        progress = (key, -quantity)
    lines = turned(posted.lines, record_no=entry.record_no)
    return Posting(lines=lines, progress=progress, takes_back=target)
