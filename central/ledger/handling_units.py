"""What is packed in what: read for facts to come, written, proved. Edge of the database."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, select

from central.contract.errors import ContractError
from central.contract.facts import Fact, Packing
from central.ledger.entries import Entry
from central.ledger.fact_check import Fault
from central.ledger.packing import PackingBook, UnitKey
from central.ledger.reading import read_fact
from central.storage import bulk
from central.storage.tables import facts, handling_units

UNITS_AT_ONCE_MAX = 200
_units = handling_units.c


def read_packing(connection: Connection, apart: Iterable[tuple[str, Fact]]) -> PackingBook:
    """Return the book of every unit that packings among these facts name.

    And of all that those are in, and all that is in them.
    """
    named = {
        (warehouse, sscc)
        for warehouse, fact in apart
        if isinstance(fact, Packing)
        for sscc in (fact.parent, *fact.children)
    }
    found: dict[UnitKey, str] = {}
    if named:
        _read_above(connection, named, found)
        _read_inside(connection, named, found)
    return PackingBook(found)


def write_packing(connection: Connection, book: PackingBook) -> None:
    """Write what packings have changed."""
    rows = [(*unit, *change) for unit, change in sorted(book.changed.items())]
    bulk.upsert_rows(connection, handling_units, rows)


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield every unit that is kept in another one than the packings say.

    Memory grows with the units of one warehouse.
    """
    packings = (
        select(facts)
        .where(facts.c.kind == "packing")
        .order_by(facts.c.warehouse, facts.c.record_no)
    )
    rows = connection.execute(packings, execution_options={"yield_per": 500}).mappings()
    warehouses = set()
    for warehouse, found in groupby(rows, key=itemgetter("warehouse")):
        warehouses.add(warehouse)
        book = PackingBook({})
        for row in found:
            entry = Entry(
                warehouse,
                row["gateway"],
                row["epoch"],
                row["seq"],
                row["body"],
                row["digest"],
                row["record_no"],
            )
            packing = _packing(entry)
            if packing is not None and packing.warehouse == warehouse:
                book.apply(entry, packing)
        yield from _differences(connection, warehouse, book)
    table = handling_units
    strays = select(table.c.warehouse, table.c.sscc).where(_units.warehouse.not_in(warehouses))
    for warehouse, sscc in connection.execute(strays):
        yield Fault("handling_unit", f"{warehouse}/{sscc}", "no packing names it")


def _packing(entry: Entry) -> Packing | None:
    try:
        fact = read_fact(entry.body, seq=entry.seq)
    except ContractError:
        return None  # Said by the check of the facts.
    return fact if isinstance(fact, Packing) else None


def _differences(connection: Connection, warehouse: str, book: PackingBook) -> Iterator[Fault]:
    kept = {
        (row.warehouse, row.sscc): (row.parent, row.record_no)
        for row in connection.execute(select(handling_units).where(_units.warehouse == warehouse))
    }
    for unit in sorted(kept.keys() | book.changed.keys()):
        said, is_kept = book.changed.get(unit), kept.get(unit)
        if said != is_kept:
            detail = f"kept in {is_kept or 'nothing'}, packings say {said or 'nothing'}"
            yield Fault("handling_unit", "/".join(unit), detail)


def _read_above(
    connection: Connection, units: Iterable[UnitKey], found: dict[UnitKey, str]
) -> None:
    level = set(units)
    while level:
        rows = bulk.select_by_key(connection, handling_units, sorted(level), columns_count=2)
        read = {(row[0], row[1]): row[2] for row in rows}
        found |= read
        level = {(unit[0], parent) for unit, parent in read.items() if parent} - found.keys()


def _read_inside(
    connection: Connection, units: Iterable[UnitKey], found: dict[UnitKey, str]
) -> None:
    level = sorted(units)
    while level:
        below = [
            row[:3]
            for warehouse, some in groupby(level, key=itemgetter(0))
            for row in _inside(connection, warehouse, [sscc for _, sscc in some])
        ]
        level = sorted({(one[0], one[1]) for one in below} - set(level))
        found |= {(warehouse, sscc): parent for warehouse, sscc, parent in below}


def _inside(connection: Connection, warehouse: str, parents: Sequence[str]) -> Iterator[bulk.Row]:
    for start in range(0, len(parents), UNITS_AT_ONCE_MAX):
        some = parents[start : start + UNITS_AT_ONCE_MAX]
        query = select(handling_units).where(_units.warehouse == warehouse, _units.parent.in_(some))
        yield from (tuple(row) for row in connection.execute(query))
