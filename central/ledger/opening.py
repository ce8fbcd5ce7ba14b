"""Opens the books at all places that a call may touch, read at once. Edge of the database."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Set

import msgspec
from sqlalchemy import Connection

from central.contract.facts import Count, Fact, Movement
from central.ledger.bookkeeping import Goods, Targets
from central.ledger.entries import GOODS_KEY_SIZE, BalanceKey, GoodsKey, Known, ProgressKey
from central.ledger.goods_rules import lots_asked
from central.ledger.handling_units import read_packing
from central.ledger.line_counts import families_of
from central.ledger.locations import ADJUSTMENT
from central.ledger.lots import read_expiry_dates
from central.ledger.pairs import places_of
from central.ledger.progress import Counted
from central.ledger.running import Amounts, RunningBooks
from central.ledger.runs import Route, Run, Told
from central.ledger.transit_statuses import (
    Taken,
    keys_in_books,
    places_short,
    taken_from_transit,
)
from central.ledger.unit_reading import BOOKS, UnitsAsked, read_units
from central.ledger.weight_rests import is_under_way
from central.storage import bulk, tables

NOTHING = Amounts(0)
DocumentKey = tuple[str, str]  # warehouse, code
Expected = tuple[int, int]  # expected_micro, tolerance_percent_micro
Apart = Sequence[tuple[str, Fact]]  # warehouse of the epoch, and a fact that is no plain movement


class Opened(msgspec.Struct, frozen=True):
    """The books of one call. expected: of document lines that have progress."""

    books: RunningBooks
    goods: Goods
    expected: dict[ProgressKey, Expected]


def apart_of(told: Sequence[Told]) -> list[tuple[str, Fact]]:
    """Return the facts that are no plain movements, each with its epoch's warehouse."""
    return [(warehouse, fact) for warehouse, read in told for fact in read.apart]


def documents_of(apart: Apart) -> list[DocumentKey]:
    """Return the documents that movements name, each with the warehouse of its epoch, sorted."""
    return sorted(
        {
            (warehouse, fact.document)
            for warehouse, fact in apart
            if isinstance(fact, Movement) and fact.document
        }
    )


def goods_of(routes: Sequence[Route], apart: Apart) -> list[GoodsKey]:
    """Return the goods that facts move, where they were and where they go, in the unit stated."""
    moved = set(routes)
    moved |= {_route(warehouse, fact) for warehouse, fact in apart if isinstance(fact, Movement)}
    return sorted(
        {(route[0], place, *route[3:]) for route in moved for place in (route[1], route[2])}
    )


def looks_of(documents: Sequence[DocumentKey], goods: Sequence[GoodsKey]) -> list[bulk.Look]:
    """Return what facts look up, as far as nothing has to be known for that."""
    stored = (tables.documents, tables.document_lines, tables.document_progress)
    return [
        bulk.Look(tables.balances, goods, GOODS_KEY_SIZE),
        *(bulk.Look(table, documents, 2) for table in stored),
    ]


def open_books(
    connection: Connection,
    known: Known,
    runs: Sequence[Run],
    *,
    routes: Sequence[Route],
    apart: Apart,
    targets: Targets,
    units: UnitsAsked,
) -> Opened:
    """Return the books at every key that may be touched, and what else the facts need."""
    moved, towards, counted = set(routes), set(), set()
    for warehouse, fact in apart:
        if isinstance(fact, Movement):
            moved.add(_route(warehouse, fact))
            if fact.document:
                what = (fact.document, fact.document_line, fact.item)
                towards.add((warehouse, *what, fact.unit))
        elif isinstance(fact, Count):
            thing = (fact.item, fact.lot, fact.serial, fact.sscc)
            counted.add((warehouse, fact.location, *thing, fact.unit))
    keys = {key for route in moved for key in _goods_keys(known, route)}
    taken = taken_from_transit(known, apart)
    if taken:
        keys |= set(keys_in_books(taken))
    for *key, item, lot, serial, sscc, stated in counted:
        for unit in _units(known, item, stated):
            keys.add((*key, item, lot, serial, sscc, unit))
    for target in targets.stored.values():
        keys.update(line.balance_key[:GOODS_KEY_SIZE] for line in target.lines)
        for part in target.became:
            came = target.lines[1].balance_key
            keys.add(came._replace(location=part.location)[:GOODS_KEY_SIZE])
    counts = towards or targets.stored
    progress_keys = _progress_keys(known, towards, targets) if counts else set()
    weighed = _weighed_items(known, apart, targets)
    if weighed:
        keys |= _adjustments(keys, weighed)
    # Sorted, as they lie: whoever reads them in any order reads pages again and again.
    balances, heavy = _read_balances(connection, sorted(keys))
    also = heavy - weighed
    if also:
        balances |= _read_balances(connection, sorted(_adjustments(keys, also)))[0]
    if (weighed or also) and (under_way := _under_way(apart, targets, weighed | also)):
        balances = _read_under_way(connection, under_way) | balances
    whole: Set[str] = frozenset()
    if (units.judged or targets.stored) and (whole := _units_whole(units, targets)):
        found = read_units(connection, whole, units.soon)
        balances = {BalanceKey(*row[:8]): Amounts(row[8], row[10]) for row in found} | balances
    if taken:
        balances |= _read_short(connection, taken, targets, balances)
    progress, expected = _read_progress(connection, list(progress_keys))
    asked = lots_asked(known, moved)
    dates, elsewhere = read_expiry_dates(connection, runs, asked)
    goods = Goods(dates, read_packing(connection, apart), elsewhere)
    expecting = {key for key, (expected_micro, _) in expected.items() if expected_micro}
    books = RunningBooks(known, balances=balances, progress=progress, expecting=expecting)
    books.units.whole = whole
    return Opened(books, goods, expected)


def _progress_keys(
    known: Known, towards: Iterable[tuple[str, str, int, str, str]], targets: Targets
) -> set[ProgressKey]:
    """Return where it is counted what facts bring. towards: warehouse, document, line, goods."""
    found = {
        ProgressKey(warehouse, document, line, item, unit)
        for warehouse, document, line, item, stated in towards
        for unit in _units(known, item, stated)
    }
    for target in targets.stored.values():
        if target.progress is not None:
            found.add(target.progress[0])
    of_document: dict[DocumentKey, list[ProgressKey]] = {}
    for key in found:
        of_document.setdefault(key[:2], []).append(key)
    for document, keys in of_document.items():
        found.update(families_of(known.documents.get(document, {}), keys))
    return found


def _units_whole(units: UnitsAsked, targets: Targets) -> Set[str]:
    """Return the units of which the books of all warehouses have to be known."""
    back = [line.sscc for target in targets.stored.values() for line in target.lines if line.sscc]
    return {*units.judged, *back} if back else units.judged


def _read_balances(
    connection: Connection, keys: list[GoodsKey]
) -> tuple[dict[BalanceKey, Amounts], set[str]]:
    """Return what there is of these goods at their places, and of serial numbers anywhere.

    And the items of which some has a weight.
    """
    found = bulk.select_beside(
        connection,
        tables.balances,
        keys,
        columns_count=GOODS_KEY_SIZE,
        columns=("status", "on_hand_micro", "weight_micro"),
    )
    balances: dict[BalanceKey, Amounts] = {}
    heavy: set[str] = set()
    for key, (status, micro, weight) in found:
        balances[BalanceKey._make((*key, status))] = Amounts(micro, weight)
        if weight:
            heavy.add(key[2])
    serials = {(key[2], key[4]) for key in keys if key[4]}
    if serials:
        # In all books: a number is at one place, whoever's it is.
        books = _houses(connection)
        named = bulk.select_by_columns(
            connection,
            tables.balances,
            sorted((house, *serial) for house in books for serial in serials),
            columns=("warehouse", "item", "serial"),
            index="balances_serial",
            where="serial <> ''",
        )
        for row in named:
            balances[BalanceKey(*row[:8])] = Amounts(row[8], row[10])
            if row[10]:
                heavy.add(row[2])
    return balances, heavy


def _weighed_items(known: Known, apart: Apart, targets: Targets) -> set[str]:
    """Return the items of which facts move a weight, as far as is known before balances are."""
    lines = [line for target in targets.stored.values() for line in target.lines]
    weighed = {line.item for line in lines if line.weight_micro or line.item in known.weight_units}
    stated = (fact for _, fact in apart if isinstance(fact, Movement))
    return weighed | {
        fact.item for fact in stated if fact.net_weight or fact.item in known.weight_units
    }


def _adjustments(keys: Iterable[GoodsKey], items: Container[str]) -> set[GoodsKey]:
    """Return where goods of these items are written off, for the keys of all that is moved."""
    return {(key[0], ADJUSTMENT, *key[2:]) for key in keys if key[2] in items}


def _under_way(apart: Apart, targets: Targets, items: Container[str]) -> list[tuple[str, str]]:
    """Return the places under documents that goods of these go to or come from, with the items."""
    found = {
        (line.location, line.item) for target in targets.stored.values() for line in target.lines
    }
    for _, fact in apart:
        if isinstance(fact, Movement) and fact.document:
            found |= {(place, fact.item) for place in places_of(fact)}
    return sorted(one for one in found if is_under_way(one[0]) and one[1] in items)


def _read_under_way(
    connection: Connection, places: Sequence[tuple[str, str]]
) -> dict[BalanceKey, Amounts]:
    """Return what is under way there in the books of all warehouses."""
    keys = [(house, *place) for house in _houses(connection) for place in places]
    rows = bulk.select_by_key(connection, tables.balances, sorted(keys), columns_count=3)
    return {BalanceKey(*row[:8]): Amounts(row[8], row[10]) for row in rows}


def _read_short(
    connection: Connection,
    taken: Mapping[Taken, int],
    targets: Targets,
    balances: Mapping[BalanceKey, Amounts],
) -> dict[BalanceKey, Amounts]:
    """Return all that is under way of items of which more is taken than left in the same way."""
    moved = {line.location for target in targets.stored.values() for line in target.lines}
    places = places_short(taken, lambda key: balances.get(key, NOTHING).quantity_micro, moved)
    rows = bulk.select_by_key(connection, tables.balances, sorted(places), columns_count=3)
    return {BalanceKey(*row[:8]): Amounts(row[8], row[10]) for row in rows}


def _houses(connection: Connection) -> list[str]:
    """Return the warehouses that have a book."""
    return [house for (house,) in bulk.select_rows(connection, BOOKS)]


def _read_progress(
    connection: Connection, keys: list[ProgressKey]
) -> tuple[dict[ProgressKey, Counted], dict[ProgressKey, Expected]]:
    progress: dict[ProgressKey, Counted] = {}
    expected: dict[ProgressKey, Expected] = {}
    for row in bulk.select_by_key(connection, tables.document_progress, keys, columns_count=5):
        key = ProgressKey(*row[:5])
        if row[8]:  # Which way counts is decided with the first fact.
            progress[key] = Counted(row[7], row[9])
        expected[key] = (row[5], row[6])
    return progress, expected


def _route(warehouse: str, movement: Movement) -> Route:
    from_location, to_location = places_of(movement)
    return (
        warehouse,
        from_location,
        to_location,
        movement.item,
        movement.lot,
        movement.serial,
        movement.sscc,
        movement.unit,
    )


def _goods_keys(known: Known, route: Route) -> Iterator[GoodsKey]:
    warehouse, from_location, to_location, item, lot, serial, sscc, stated_unit = route
    for unit in _units(known, item, stated_unit):
        yield warehouse, from_location, item, lot, serial, sscc, unit
        yield warehouse, to_location, item, lot, serial, sscc, unit


def _units(known: Known, item: str, stated_unit: str) -> set[str]:
    """Return the units in one of which a fact will be posted."""
    return {stated_unit, known.item_units.get(item, stated_unit)}
