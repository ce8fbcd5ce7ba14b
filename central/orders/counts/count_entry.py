"""Counts that are typed in at the desk, e.g. from a count sheet. Edge of the database.

What is typed in becomes a count fact of the ledger's own journal, with the time at which it was
counted: from there on it is a count like any other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from central.contract.facts import Count
from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict, Unusable
from central.ledger.desk import DESK_STATION, Change, require_version
from central.ledger.own_facts import OWN_BOOT
from central.orders.catalogue.items import units_of
from central.orders.catalogue.packs import ItemUnits, refuse_part, text_of
from central.orders.counts.count_book import note_count
from central.orders.counts.count_moves import books_now
from central.orders.counts.count_refusals import (
    refuse_many_of_a_serial,
    refuse_repeated,
    refuse_unknown_places,
    refuse_unknown_units,
)
from central.orders.counts.count_rows import load_head, load_lines, store_head, store_lines
from central.orders.counts.counts import (
    OBSERVED,
    CountHead,
    CountLine,
    Entered,
    line_answered,
)


def enter_counts(
    change: Change,
    code: str,
    entries: Sequence[Entered],
    *,
    empty: Sequence[str],
    counted_by: str,
    counted_ms: int | None,
    version: int | None,
) -> CountHead:
    """Take up what was counted by hand. empty: places at which nothing is of what was asked for.

    counted_by: who counted. counted_ms: when, None for now. Raises Conflict, Unusable.
    """
    head = load_head(change.connection, code)
    require_version(head.version, version, what=f"count {code}")
    state = OBSERVED.get(head.state)
    if state is None:
        raise Conflict(
            f"count {code} is {head.state}: nothing is counted for it any more",
            hint="Make another count of these goods.",
            fields={"state": head.state},
        )
    at_ms = change.now_ms if counted_ms is None else counted_ms
    if at_ms > change.now_ms:
        raise Unusable("counted later than now", hint="Correct the time of the count.")
    lines = load_lines(change.connection, code).get(head.round, ())
    emptied = _emptied(code, lines, empty)
    _refuse_both(entries, emptied)
    said = [*entries, *_nothing_of(change, head, emptied)]
    units = _units(change, said)
    _refuse_impossible(change, head, entries, lines, units=units)
    drafts = [
        _fact(head, one, lines, units=units, counted_by=counted_by, at_ms=at_ms) for one in said
    ]
    change.post(drafts)
    store_lines(
        change.connection,
        code,
        [replace(line, empty=True) for line in emptied],
        round_no=head.round,
    )
    # Those who follow what is posted have moved the count on.
    head = store_head(change.connection, replace(load_head(change.connection, code), state=state))
    note_count(change, head, "entered", facts_count=len(drafts), empty=list(empty))
    return head


def _emptied(code: str, lines: Iterable[CountLine], empty: Sequence[str]) -> list[CountLine]:
    found = [line for line in lines if line.location in set(empty)]
    missing = sorted(set(empty) - {line.location for line in found})
    if missing:
        raise Unusable(
            f"count {code} does not ask for {missing[0]}",
            hint="Name places that the count asks for.",
            fields={"locations": missing},
        )
    return found


def _refuse_both(entries: Iterable[Entered], emptied: Sequence[CountLine]) -> None:
    """Raise Unusable for goods that are said to be at a place that is said to be empty of them."""
    for one in entries:
        if one.quantity_micro and any(
            line.covers(location=one.location, item=one.item, lot=one.lot) for line in emptied
        ):
            raise Unusable(
                f"{one.location} cannot be empty and hold {text_of(one.quantity_micro)} of"
                f" {one.item}",
                hint="Leave the place out of those that are empty, or what was found there.",
                fields={"location": one.location, "item": one.item},
            )


def _nothing_of(change: Change, head: CountHead, lines: Sequence[CountLine]) -> list[Entered]:
    books = books_now(
        change.connection, warehouse=head.warehouse, locations={line.location for line in lines}
    )
    return [
        Entered(thing.location, thing.item, 0, thing.unit, thing.lot, thing.serial, thing.sscc)
        for thing, (amount, _) in books.items()
        if amount
        and any(
            line.covers(location=thing.location, item=thing.item, lot=thing.lot) for line in lines
        )
    ]


def _refuse_impossible(
    change: Change,
    head: CountHead,
    entries: Sequence[Entered],
    lines: Sequence[CountLine],
    *,
    units: Mapping[str, ItemUnits],
) -> None:
    """Raise Unusable for what nobody can have counted; what the book has anyway may be named."""
    refuse_many_of_a_serial(entries, units)
    refuse_repeated(entries, lines, units)
    asked = {line.location for line in lines}
    elsewhere = [one for one in entries if one.location not in asked]
    refuse_unknown_places(change.connection, elsewhere, warehouse=head.warehouse)
    refuse_unknown_units(change.connection, entries, units, warehouse=head.warehouse)


def _units(change: Change, said: Sequence[Entered]) -> dict[str, ItemUnits]:
    """Return the units of each known item. Raises Unusable for a part of a piece.

    What was found of goods with serial numbers is entered as it is, whatever their unit.
    """
    known = units_of(change.connection, {one.item for one in said})
    missing = sorted({one.item for one in said if not one.unit} - known.keys())
    if missing:
        raise Unusable(
            f"no item is called {missing[0]!r}",
            hint="State the unit of what nobody knows, or correct the code.",
            fields={"items": missing},
        )
    for one in said:
        stated = known.get(one.item)
        if stated is not None:
            refuse_part(one.quantity_micro, stated, unit=one.unit or stated.base)
    return known


def _fact(
    head: CountHead,
    one: Entered,
    lines: Iterable[CountLine],
    *,
    units: Mapping[str, ItemUnits],
    counted_by: str,
    at_ms: int,
) -> Count:
    answered = line_answered(one, lines)
    return Count(
        seq=1,
        event_time_ms=at_ms,
        clock_synced=True,
        boot_id=OWN_BOOT,
        monotonic_ns=0,
        warehouse=head.warehouse,
        station=DESK_STATION,
        operator=counted_by,
        location=one.location,
        item=one.item,
        quantity=canonical_text(from_micro(one.quantity_micro)),
        unit=one.unit or units[one.item].base,
        lot=one.lot,
        serial=one.serial,
        sscc=one.sscc,
        expiry_date=one.expiry_date,
        document=head.code,
        document_line=answered,
        round=head.round,
    )
