"""What follows when there is not enough to pick: what a person saw of it, as facts. Pure.

    reason                     records
    not there                  a count of zero of what the line asks for at the place
    damaged, quality, expired  what is left of the line, as far as the book has it there, is held
    unreachable, another       nothing: nobody has seen what is there

The line is put off in each case; the document tells at DONE what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from central.contract.facts import Fact, Movement
from central.contract.quantities import PIECE
from central.contract.reference import DocumentLine, ExpectedDocument
from gateway.station.commands import COMMAND_TITLES, REASONS, Command
from gateway.station.drafts import count, movement
from gateway.station.effects import Message
from gateway.station.meanings import ScannedItem
from gateway.station.messages import N_, amount_words, say
from gateway.station.session import LOADS_MAX, Load, Session, Surroundings
from gateway.station.workflows.documents import line_words
from gateway.station.workflows.goods import load_of_row, on_hand, resolved

SHORT_FLAG = "short_pick"
HELD_REASONS = (Command.REASON_DAMAGED, Command.REASON_QUALITY, Command.REASON_EXPIRED)
SHORT_REASONS = (
    Command.REASON_MISSING,
    *HELD_REASONS,
    Command.REASON_BLOCKED,
    Command.REASON_OTHER,
)


@dataclass(frozen=True, slots=True)
class ShortPick:
    """Of a line not so much can be taken. place: where it should be, "" if nobody knows."""

    document: str
    line: DocumentLine
    place: str
    missing: Decimal
    reason: Command


@dataclass(frozen=True, slots=True)
class ShortSaid:
    """What a short pick led to. undo: what an UNDO is about then, as in the session's Pick."""

    facts: Sequence[Fact]
    done: Message
    undo: Literal["held", "counted", "put off"]


def say_short(session: Session, surroundings: Surroundings, short: ShortPick) -> ShortSaid:
    """Return what is recorded of a short pick."""
    words = line_words(short.line, surroundings.catalogue)
    if short.reason is Command.REASON_MISSING and short.place:
        facts: Sequence[Fact] = _counted(session, surroundings, short)
        text = N_("Short: no {item} at {place}; counted as none.")
        return ShortSaid(facts, say(text, words, place=short.place), "counted")
    if short.reason in HELD_REASONS and short.place:
        load = _held_load(surroundings, short)
        if load.quantity > 0:
            text = N_("Short: {amount} {item} at {place} are held.")
            amount = amount_words(load.quantity, load.scanned.unit)
            done = say(text, words, amount, place=short.place)
            return ShortSaid([_held(session, surroundings, short, load)], done, "held")
    text = N_("Put off, nothing is recorded: {item}. {hint}.")
    reason = (("hint", COMMAND_TITLES[short.reason]),)
    return ShortSaid((), say(text, words, reason), "put off")


def still_short(
    short: tuple[int, ...], moved: Movement, document: ExpectedDocument | None
) -> tuple[int, ...]:
    """Return which lines are put off once a movement is taken back: not that of goods it held."""
    if SHORT_FLAG not in moved.flags or document is None:
        return short
    of_item = {line.line for line in document.lines if line.item == moved.item}
    again = next((number for number in reversed(short) if number in of_item), 0)
    return tuple(number for number in short if number != again)


def _counted(session: Session, surroundings: Surroundings, short: ShortPick) -> list[Fact]:
    line = short.line
    rows = [
        row
        for row in surroundings.book.stock(location=short.place, item=line.item)
        if row.on_hand > 0 and line.lot in {"", row.lot} and line.sscc in {"", row.sscc}
    ]
    flags = ("absent", REASONS[short.reason], SHORT_FLAG)
    loads = [load_of_row(row, surroundings.catalogue) for row in rows[:LOADS_MAX]]
    loads = loads or [_asked_load(surroundings, short)]
    return [
        count(
            session,
            surroundings,
            replace(load, quantity=Decimal(0), flags=flags),
            place=short.place,
        )
        for load in loads
    ]


def _held_load(surroundings: Surroundings, short: ShortPick) -> Load:
    """Return what is held: no more than the book has there."""
    rows = surroundings.book.stock(location=short.place, item=short.line.item)
    load = resolved(_asked_load(surroundings, short), rows)
    return replace(load, quantity=min(load.quantity, on_hand(load, rows)))


def _held(session: Session, surroundings: Surroundings, short: ShortPick, load: Load) -> Fact:
    flags = (*load.flags, REASONS[short.reason], SHORT_FLAG)
    return movement(
        session,
        surroundings,
        replace(load, flags=flags),
        from_location=short.place,
        to_location=short.place,
        step="inspecting",
        from_status="available",
        to_status="held",
        document=short.document,
    )


def _asked_load(surroundings: Surroundings, short: ShortPick) -> Load:
    item = surroundings.catalogue.item(short.line.item)
    unit = item.unit if item else PIECE
    scanned = ScannedItem(item, short.line.item, short.missing, unit, lot=short.line.lot)
    return Load(scanned, short.missing, sscc=short.line.sscc)
