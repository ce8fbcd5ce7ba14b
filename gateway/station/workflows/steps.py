"""What the page draws of a step: what is expected, what is left, which buttons make sense. Pure.

`guide` brings what is next by a document up to what the book says now; `shown_step` tells all.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import msgspec

from central.contract.quantities import PIECE, canonical_text, parse_decimal
from central.contract.reference import DocumentLine, ExpectedDocument, known_kind
from gateway.station.book import Book
from gateway.station.commands import Command
from gateway.station.messages import UNIT_WORDS
from gateway.station.session import (
    Counting,
    Inspect,
    Knowing,
    Load,
    LookUp,
    Move,
    PackUnits,
    Pick,
    Putaway,
    Session,
    Ship,
    State,
    Weigh,
)
from gateway.station.step import LINES_SHOWN_MAX, ShownStep, StepLine, WeighingAim
from gateway.station.workflows import counting, pick, ship
from gateway.station.workflows.asking import asks_of
from gateway.station.workflows.count_rules import lines_left as count_lines_left
from gateway.station.workflows.dispatch import STARTS, prompt
from gateway.station.workflows.documents import PickingBook, progress, remaining

WORKFLOWS: dict[type[State], Command] = {type(state): one for one, state in STARTS.items()}


def guide(session: Session, known: Knowing) -> Session:
    """Return the session with what is next by its document, as the book is now."""
    state = session.state
    match state:
        case Ship():
            return replace(session, state=ship.guided(state, known, known.book))
        case Pick():
            return replace(session, state=pick.guided(state, known, known.book))
        case Counting():
            return replace(session, state=counting.guided(state, known, ()))
        case _:
            return session


def shown_step(session: Session, known: Knowing) -> ShownStep:
    """Return a step for the page. known: its book is read, some rows for each document line."""
    state = session.state
    asks = asks_of(session)
    lines = _lines(state, known)
    lines_count, lines_left = _counts(state, known, lines)
    return ShownStep(
        prompt=prompt(session),
        expects=asks.expects,
        buttons=asks.buttons,
        workflow=_workflow(state),
        document=getattr(state, "document", ""),
        place=_place(state),
        lines=tuple(lines[:LINES_SHOWN_MAX]),
        lines_count=max(len(lines), lines_count),
        lines_left=lines_left,
        in_hand=_in_hand(state),
        times=canonical_text(session.multiplier) if session.multiplier != 1 else "",
        keypad=asks.keypad,
        weighing=_aim(session, state, known) if isinstance(state, Weigh) else None,
        notes=state.notes if isinstance(state, LookUp) else (),
        operator=session.operator,
    )


def _place(state: State) -> str:
    if isinstance(state, Inspect):  # Its source is a status.
        return state.place
    return getattr(state, "place", "") or getattr(state, "source", "")


def _workflow(state: State) -> Command | None:
    if isinstance(state, PackUnits):
        return Command.PACK if state.action == "pack" else Command.UNPACK
    return WORKFLOWS.get(type(state))


def _lines(state: State, known: Knowing) -> list[StepLine]:
    match state:
        case Putaway() | Move() | Inspect() if state.loads:
            return _loads(state.loads)
        case Counting() if state.tallies:
            return _loads(state.tallies)
        case PackUnits():
            return [StepLine(one, one, one, "1", "", "", sscc=one) for one in state.children]
        case _:
            pass
    document = _document(state, known)
    if document is None:
        return []
    if known_kind(document) == "count":
        return _to_count(document, known, here=getattr(state, "place", ""))
    received = _book(state, document, known).received(document.code)
    skipped = state.short if isinstance(state, Pick) else ()
    on_scale = state.scanned if isinstance(state, Weigh) else None
    lines = sorted(
        document.lines,
        key=lambda line: (
            on_scale is not None and line.item != on_scale.code,
            not remaining(line, received),
            line.line in skipped,
        ),
    )
    here = state.source if isinstance(state, Pick) else ""
    if here:
        lines.sort(
            key=lambda line: (
                not remaining(line, received),
                line.line in skipped,
                line.location != here,
            )
        )
    shown = lines[:LINES_SHOWN_MAX]
    if isinstance(state, Ship):
        shown = [_standing(line, document, known) for line in shown]
    return [
        _line(line, received.get(line.line, Decimal(0)), known, following=index == 0)
        for index, line in enumerate(shown)
    ]


def _standing(line: DocumentLine, document: ExpectedDocument, known: Knowing) -> DocumentLine:
    return msgspec.structs.replace(line, location=ship.place_of(line, document, known, known.book))


def _loads(loads: Sequence[Load]) -> list[StepLine]:
    """Return what is in hand, the last scan first."""
    lines = []
    for load in reversed(loads):
        scanned = load.scanned
        unit, unit_zh = UNIT_WORDS.get(scanned.unit, (scanned.unit, scanned.unit))
        item = scanned.item
        lines.append(
            StepLine(
                code=scanned.code,
                name=item.name if item else scanned.code,
                name_zh=item.name_zh if item else scanned.code,
                done=canonical_text(load.quantity),
                unit=unit,
                unit_zh=unit_zh,
                lot=scanned.lot,
                sscc=load.sscc,
            )
        )
    return lines


def _to_count(document: ExpectedDocument, known: Knowing, *, here: str) -> list[StepLine]:
    """Return what is still to be counted, `here` first; never how much the book has."""
    lines = []
    left = count_lines_left(document, known.book, ())
    if here:
        left = sorted(left, key=lambda line: line.location != here)
    for index, line in enumerate(left):
        item = known.catalogue.item(line.item)
        name, name_zh = (item.name, item.name_zh) if item else (line.item, line.item)
        lines.append(
            StepLine(
                code=line.item,
                name=name,
                name_zh=name_zh,
                done="",
                unit="",
                unit_zh="",
                lot=line.lot,
                sscc=line.sscc,
                place=line.location,
                next=index == 0,
            )
        )
    return lines


def _line(line: DocumentLine, done: Decimal, known: Knowing, *, following: bool) -> StepLine:
    item = known.catalogue.item(line.item)
    code = item.unit if item else PIECE
    unit, unit_zh = UNIT_WORDS.get(code, (code, code))
    left = remaining(line, {line.line: done})
    return StepLine(
        code=line.item,
        name=item.name if item else line.item,
        name_zh=item.name_zh if item else line.item,
        done=canonical_text(done),
        unit=unit,
        unit_zh=unit_zh,
        expected=line.quantity,
        remaining=canonical_text(left),
        lot=line.lot,
        sscc=line.sscc,
        place=line.location,
        next=following and left > 0,
    )


def _counts(state: State, known: Knowing, lines: Sequence[StepLine]) -> tuple[int, int]:
    """Return how many lines there are, and how many of the document's are not done."""
    document = _document(state, known)
    if document is None:
        return len(lines), 0
    if known_kind(document) == "count":
        return len(lines), len(count_lines_left(document, known.book, ()))
    received = _book(state, document, known).received(document.code)
    left = sum(1 for line in document.lines if remaining(line, received))
    return len(document.lines), left


def _book(state: State, document: ExpectedDocument, known: Knowing) -> Book:
    return PickingBook(known.book, document) if isinstance(state, Pick) else known.book


def _in_hand(state: State) -> int:
    match state:
        case Putaway() | Move() | Inspect():
            return len(state.loads)
        case Counting():
            return counting.waiting_count(state)
        case PackUnits():
            return len(state.children)
        case _:
            return 0


def _aim(session: Session, state: Weigh, known: Knowing) -> WeighingAim:
    tare = state.tare
    item = state.scanned.item if state.scanned else None
    aim = WeighingAim(
        unit=item.unit if item else state.scanned.unit if state.scanned else "",
        tare=f"{tare.value:f}" if tare else "",
        tare_unit=tare.unit if tare else "",
        recorded=session.recorded_gross is not None,
    )
    document = _document(state, known)
    if document is None or item is None or state.scanned is None:
        return aim
    found = progress(document, item.code, known.book, lot=state.scanned.lot)
    if found is None:
        return aim
    spread = sum(
        (
            parse_decimal(line.quantity) * parse_decimal(line.tolerance_percent) / 100
            for line in document.lines
            if line.item == item.code
        ),
        Decimal(0),
    )
    return replace(
        aim,
        done=canonical_text(found.received),
        expected=canonical_text(found.expected),
        at_least=canonical_text(found.expected - spread),
        at_most=canonical_text(found.at_most),
    )


def _document(state: State, known: Knowing) -> ExpectedDocument | None:
    code: str = getattr(state, "document", "")
    return known.catalogue.document(code) if code else None
