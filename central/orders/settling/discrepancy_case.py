"""What the ledger knows about a discrepancy now, for proposals. Edge of the database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from sqlalchemy import Connection, select

from central.contract.facts import Movement
from central.contract.quantities import (
    MICRO_PER_UNIT,
    PIECE,
    parse_decimal,
    to_micro,
)
from central.ledger.entries import FactKey
from central.ledger.locations import is_virtual
from central.ledger.progress import crosses_another_border, goes_back
from central.orders.counts.outdated_rows import OUTDATED
from central.orders.order_goods import parting
from central.orders.settling.asked_later import lacking
from central.orders.settling.cases import Case, ItemMatch
from central.orders.settling.discrepancy_facts import Found, fact_at, standing_behind
from central.orders.settling.excess_counts import Excess, counts_of, excess_of
from central.orders.settling.excess_reversed import case_of_reversed, given_by
from central.orders.settling.fillings import case_of_filled
from central.orders.settling.found_twice import case_of_found
from central.orders.settling.known_elsewhere import known_elsewhere, lines_there
from central.orders.settling.line_matches import LineMatch, offered_of
from central.orders.settling.lot_date_cases import case_of_dates
from central.orders.settling.missing_weights import case_of_weight
from central.orders.settling.negative_balances import case_of_negative
from central.orders.settling.returned_cases import case_of_returned
from central.orders.settling.reversed_units import is_of_reversal, is_other_open, lying_micro
from central.orders.settling.serial_places import KINDS_TWICE, case_of_twice
from central.orders.settling.settlement_counts import case_of_count
from central.orders.settling.settlement_steps import MovedFact
from central.orders.settling.settlement_transit import case_under_way
from central.orders.settling.settlements import (
    GOODS_ACCEPTED,
    KINDS_OF_EXCESS,
    KINDS_UNDER_WAY,
    document_kind,
)
from central.orders.settling.unavailable_goods import case_of_unavailable
from central.orders.settling.undone_facts import case_of_undone
from central.orders.settling.unit_factors import (
    factor_that_leaves,
    is_beyond,
    item_unit,
    unit_factor,
    units_beyond,
)
from central.orders.settling.unknown_places import case_of_place
from central.orders.settling.unnamed_transit import KIND as UNNAMED
from central.orders.settling.unnamed_transit import with_amounts
from central.storage import bulk, tables

PROPOSED_MAX = 5  # Of places, items or lines.
LINES_SCANNED_MAX = 20  # Of orders, that may still expect something.
BALANCES_SCANNED_MAX = 1000
GTIN_DIGITS = 14


def find_case(connection: Connection, row: Found) -> Case:
    """Return what is known of a discrepancy now. row: of `discrepancies`."""
    kind, found = row.kind, Case(kind=row.kind)
    if kind == "negative_balance":
        found = case_of_negative(connection, row)
    elif kind == "filled_twice":
        found = case_of_found(connection, row) if row.document else case_of_filled(connection, row)
    elif kind == "reversed_twice":
        found = case_of_reversed(connection, row)
    elif kind == "over_returned":
        found = case_of_returned(connection, row)
    elif kind in {"unknown_document", "unexpected", *KINDS_OF_EXCESS}:
        found = _case_of_document(connection, row)
    elif kind == UNNAMED:
        found = with_amounts(connection, row, _case_of_document(connection, row))
    elif kind == "unknown_item":
        found = _case_of_item(connection, row)
    elif kind == "unknown_location":
        found = case_of_place(connection, row)
    elif kind == "unit_differs":
        found = _case_of_unit(connection, row)
    elif kind == "reversal_unmatched":
        found = case_of_undone(connection, row)
    elif kind == "wrong_warehouse":
        found = _case_of_warehouse(connection, row)
    elif kind in KINDS_TWICE:
        found = case_of_twice(connection, row)
    elif kind in KINDS_UNDER_WAY:
        found = case_under_way(connection, row)
    elif kind == "weight_missing":
        found = case_of_weight(connection, row)
    elif kind == OUTDATED:
        found = case_of_count(connection, row)
    elif kind == "moved_unavailable":
        found = case_of_unavailable(connection, row)
    elif kind == "expiry_differs":
        found = case_of_dates(connection, row)
    elif kind in GOODS_ACCEPTED:
        gone = bool(row.epoch) and not standing_behind(connection, row).facts
        found = Case(kind=kind, gone=gone)
    return replace(
        found,
        warehouse=row.warehouse,
        unit=found.unit or row.unit,
        item=found.item or row.item,
        location=row.location,
        lot=row.lot,
        document=row.document,
        gateway=row.gateway,
        subject=row.subject,
    )


def _case_of_unit(connection: Connection, row: Found) -> Case:
    if is_of_reversal(row):
        lying = lying_micro(connection, row)
        known = unit_factor(connection, item=row.item, unit=row.unit)
        if is_other_open(connection, row):
            known = None
        return Case(kind=row.kind, factor=known, on_hand_micro=lying, gone=not lying)
    facts = standing_behind(connection, row).facts
    # None of a weight in such a unit: that was left out, and nothing stands in it.
    of_unit = [fact for fact in facts if fact.unit == row.unit]
    return Case(
        kind=row.kind,
        factor=factor_that_leaves(connection, of_unit, item=row.item) if of_unit else None,
        units_beyond=units_beyond(connection, of_unit, item=row.item),
        on_hand_micro=sum(fact.quantity_micro for fact in of_unit),
        gone=not facts,
    )


def _case_of_document(connection: Connection, row: Found) -> Case:
    documents = bulk.select_by_key(
        connection, tables.documents, [(row.warehouse, row.document)], columns_count=2
    )
    head = next(documents, None)
    excess, moved, unit = Excess(0), 0, row.unit
    standing = standing_behind(connection, row).facts
    fact, partner = _first_of(row, standing), head[3] if head else ""
    if row.kind in KINDS_OF_EXCESS:
        excess = excess_of(connection, row)
        moved = min(excess.micro, sum(one.quantity_micro for one in standing))
    else:
        some = offered_of(standing, item=row.item)
        moved = sum(one.quantity_micro for one in some)
        unit = some[0].unit if some else ""
    elsewhere = None
    if row.kind == "unknown_document" and head is None:
        elsewhere = known_elsewhere(connection, row.document, warehouse=row.warehouse)
    return Case(
        kind=row.kind,
        known_now=row.kind == "unknown_document" and head is not None,
        gone=fact is None and row.kind not in KINDS_OF_EXCESS,
        excess_micro=excess.micro,
        tolerated_micro=excess.tolerated_micro,
        excess=given_by(connection, row) if excess.micro > 0 else "",
        on_hand_micro=_left_micro(standing) if row.kind == "unexpected" else 0,
        item=fact.item if fact is not None else "",
        goes_back=_goes_back(fact, kind=head[2] if head else ""),
        elsewhere=elsewhere,
        lines_there=lines_there(connection, elsewhere, fact, moved_micro=moved, unit=unit),
        lines=_open_lines(connection, row, fact, partner=partner, moved_micro=moved, unit=unit)
        if fact
        else (),
    )


def _goes_back(fact: Movement | None, *, kind: str) -> bool:
    """Return whether goods went the other way under a document, across its border."""
    if fact is None or not kind or crosses_another_border(fact, kind=kind):
        return False
    return goes_back(fact, kind=kind)


def _first_of(row: Found, standing: Sequence[MovedFact]) -> Movement | None:
    """Return the first movement behind it that still stands, of the item that it names if any.

    Others may be settled already: under an order that nobody knew there may be anything.
    """
    moved = [one.movement for one in standing]
    return min(moved, key=lambda one: one.item != row.item, default=None)


def _left_micro(facts: Sequence[MovedFact]) -> int:
    """Return how much of what came, or went, has not gone back; 0 if that is no one figure."""
    if len({fact.unit for fact in facts}) != 1:
        return 0
    return abs(
        sum(
            fact.quantity_micro if is_virtual(fact.movement.from_location) else -fact.quantity_micro
            for fact in facts
        )
    )


def _open_lines(
    connection: Connection, row: Found, fact: Movement, *, partner: str, moved_micro: int, unit: str
) -> tuple[LineMatch, ...]:
    """Return lines that still expect the item, those of the same partner first.

    moved_micro: of what they may be given as much as they expect, 0 if that is not known; unit: in
    which that is kept.
    """
    kind = document_kind(from_location=fact.from_location, to_location=fact.to_location)
    lines, progress = tables.document_lines.c, tables.document_progress.c
    remaining = (progress.expected_micro - progress.received_micro).label("remaining")
    query = (
        select(lines.document, lines.line, remaining, progress.unit)
        .join_from(
            tables.document_lines,
            tables.document_progress,
            (progress.warehouse == lines.warehouse)
            & (progress.document == lines.document)
            & (progress.line == lines.line)
            & (progress.item == lines.item),
        )
        .join(
            tables.documents,
            (tables.documents.c.warehouse == lines.warehouse)
            & (tables.documents.c.document == lines.document),
        )
        .where(
            lines.warehouse == row.warehouse,
            lines.item == fact.item,
            tables.documents.c.kind == kind,
            progress.expected_micro > progress.received_micro,
        )
        .order_by(tables.documents.c.partner != partner, lines.document, lines.line)
        .limit(LINES_SCANNED_MAX)
    )
    rows = connection.execute(query).all()
    documents = {one.document for one in rows}
    counts = counts_of(connection, row.warehouse, documents, item=fact.item)
    left = [
        LineMatch(one.document, one.line, count.expected_micro - count.done_micro, one.unit)
        for one in rows
        for count in [counts[one.document, one.line]]
    ]
    found = [one for one in left if one.remaining_micro > 0]
    own = (row.document, row.document_line)
    # An order that has parts of pieces expects a part, and is given none of what is whole.
    some = {min(moved_micro, one.remaining_micro) for one in found} if moved_micro else set()
    parted = parting(connection, fact.item, some, unit=unit, of=moved_micro)
    return tuple(
        one
        for one in found
        if (one.document, one.line) != own and min(moved_micro, one.remaining_micro) not in parted
    )[:PROPOSED_MAX]


def _case_of_item(connection: Connection, row: Found) -> Case:
    """Known by now, what was posted is right if it is in the item's own unit."""
    own = item_unit(connection, row.subject)
    facts = standing_behind(connection, row).facts
    by_unit: dict[str, list[MovedFact]] = {}
    for fact in facts:
        by_unit.setdefault(fact.unit, []).append(fact)
    if own is None:
        every = _items_of_code(connection, row.subject)
        scanned = by_unit.get(PIECE, facts)
        found = tuple(match for match in every if not is_beyond(scanned, match.factor))
        if len(by_unit) > 1 and PIECE not in by_unit:
            # No scans: what converts is posted by what its own unit is.
            found = tuple(
                replace(match, factor=None)
                for match in found
                if any(_factors(connection, by_unit, item=match.item).values())
            )
        too_many = (scanned[0].unit,) if len(found) < len(every) else ()
        return Case(kind=row.kind, items=found, units_beyond=too_many)
    foreign = {unit: some for unit, some in by_unit.items() if unit != own}
    if not foreign:
        lacks = lacking(connection, row.subject, facts)
        lacks_any, uninspected = bool(lacks.facts), lacks.inspected
        return Case(
            kind=row.kind, known_now=not lacks_any, lacks=lacks_any, was_uninspected=uninspected
        )
    factors = _factors(connection, foreign, item=row.subject)
    return Case(
        kind=row.kind,
        unit=min(foreign),
        unit_missing=True,
        factor=next(iter(factors.values())) if len(by_unit) == 1 else None,
        converts=any(factors.values()),
        units_unknown=tuple(unit for unit, factor in sorted(factors.items()) if factor is None),
        units_beyond=units_beyond(connection, facts, item=row.subject),
    )


def _factors(
    connection: Connection, by_unit: Mapping[str, Sequence[MovedFact]], *, item: str
) -> dict[str, Fraction | None]:
    return {
        unit: factor_that_leaves(connection, facts, item=item) for unit, facts in by_unit.items()
    }


def _case_of_warehouse(connection: Connection, row: Found) -> Case:
    """Return what a fact says that names another warehouse; "" for one that is not there."""
    fact = fact_at(connection, FactKey(row.warehouse, row.gateway, row.epoch, row.seq))
    if not isinstance(fact, Movement):
        return case_of_undone(connection, row)
    stated = [(fact.warehouse,)]
    found = bulk.select_by_key(connection, tables.warehouses, stated, columns_count=1)
    return Case(
        kind=row.kind,
        stated_warehouse=fact.warehouse if any(True for _ in found) else "",
        moved_micro=to_micro(parse_decimal(fact.quantity)),
    )


def _items_of_code(connection: Connection, code: str) -> tuple[ItemMatch, ...]:
    """Return items that have what was scanned as a bar code by now, with or without zeros."""
    barcodes, items = tables.item_barcodes.c, tables.items.c
    forms = {code, code.zfill(GTIN_DIGITS), code.lstrip("0")} if code.isdecimal() else {code}
    query = (
        select(barcodes.item, items.unit, barcodes.quantity_micro)
        .join_from(tables.item_barcodes, tables.items, items.item == barcodes.item)
        .where(barcodes.gtin.in_(sorted(forms)))
        .order_by(barcodes.item)
        .limit(PROPOSED_MAX)
    )
    return tuple(
        ItemMatch(row.item, row.unit, Fraction(row.quantity_micro, MICRO_PER_UNIT))
        for row in connection.execute(query)
    )
