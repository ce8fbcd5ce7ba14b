"""Reads what is packed in what, for gateways. Edge of the database."""

from collections.abc import Iterable, Set

from sqlalchemy import Connection, select

from central.contract.errors import ContractError
from central.contract.facts import Packing, decode_fact
from central.contract.notices import PackedUnit
from central.storage import bulk
from central.storage.tables import facts, handling_units

_units = handling_units.c


def read_packings(connection: Connection, *, after_record_no: int) -> dict[str, set[str]]:
    """Return the units that facts since then say are packed or unpacked, by warehouse.

    Found by record number alone: SQLite would take a warehouse that is named here for the better
    way, and read each fact that it ever had.
    """
    query = select(facts.c.warehouse, facts.c.body).where(
        facts.c.record_no > after_record_no, facts.c.kind == "packing"
    )
    found: dict[str, set[str]] = {}
    for warehouse, body in connection.execute(query):
        found.setdefault(warehouse, set()).update(_children(bytes(body)))
    return found


def read_changed_units(
    connection: Connection, warehouse: str, *, after_record_no: int, named: Set[str] | None
) -> list[PackedUnit]:
    """Return the units that packings since then were about, as they are now, by number.

    named: these units, of `read_packings`; None where those are too many facts to be looked
    through, then the units are.
    """
    if named is not None:
        keys = [(warehouse, child) for child in sorted(named)]
        # Also those that could not be packed as was said: who said it shows them so.
        known = dict.fromkeys(named, "")
        rows = bulk.select_by_key(connection, handling_units, keys, columns_count=2)
        known |= {row[1]: row[2] for row in rows}
    else:
        query = select(_units.sscc, _units.parent).where(
            _units.warehouse == warehouse, _units.record_no > after_record_no
        )
        known = {row.sscc: row.parent for row in connection.execute(query)}
    return [PackedUnit(sscc, parent) for sscc, parent in sorted(known.items())]


def read_units_of(
    connection: Connection, warehouse: str, units: Iterable[str]
) -> tuple[PackedUnit, ...]:
    """Return in what these units are, and those again, by number; what is in none is left out."""
    found: dict[str, str] = {}
    level = set(units)
    while level:
        keys = [(warehouse, sscc) for sscc in sorted(level)]
        rows = bulk.select_by_key(connection, handling_units, keys, columns_count=2)
        read = {row[1]: row[2] for row in rows if row[2]}
        found |= read
        level = set(read.values()) - found.keys()
    return tuple(PackedUnit(sscc, parent) for sscc, parent in sorted(found.items()))


def _children(body: bytes) -> tuple[str, ...]:
    try:
        fact = decode_fact(body)
    except ContractError:
        return ()  # What cannot be read has packed nothing.
    return fact.children if isinstance(fact, Packing) else ()
