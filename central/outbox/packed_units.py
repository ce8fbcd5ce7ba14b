"""Reads what is packed in what, for gateways. Edge of the database."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from central.contract.errors import ContractError
from central.contract.facts import Packing, decode_fact
from central.contract.notices import PackedUnit
from central.storage import bulk
from central.storage.tables import facts, handling_units

_units = handling_units.c


def read_changed_units(
    connection: Connection, warehouse: str, *, after_record_no: int, is_near: bool
) -> list[PackedUnit]:
    """Return the units that packings since then were about, as they are now, by number.

    is_near: the facts since then are few enough to be looked through, else the units are.
    """
    if is_near:
        query = select(facts.c.body).where(
            facts.c.record_no > after_record_no,
            facts.c.kind == "packing",
            facts.c.warehouse == warehouse,
        )
        bodies = connection.execute(query).scalars()
        keys = sorted({(warehouse, child) for body in bodies for child in _children(bytes(body))})
        # Also those that could not be packed as was said: who said it shows them so.
        known = dict.fromkeys((key[1] for key in keys), "")
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
