"""What settlements posted more or less than exactly, kept and read. Edge of the database."""

from collections.abc import Sequence
from fractions import Fraction

from sqlalchemy import Connection, text

from central.ledger.entries import OWN_GATEWAY, FactKey
from central.orders.settling.roundings import Rest, Roundings, Way
from central.storage import bulk
from central.storage.settlement_tables import settlement_rests

KEY_SIZE = 3  # warehouse, epoch, seq: of the ledger's own facts.
WAY = ", ".join(Way._fields)
# Of itself SQLite, which has no statistics here, reads the whole warehouse by the primary key.
_RESTS = {
    "sqlite": "settlement_rests INDEXED BY settlement_rests_item",
    "postgresql": "settlement_rests",
}


def roundings_of(connection: Connection, warehouse: str, item: str, unit: str) -> Roundings:
    """Return the roundings of an item's unit in a warehouse, with what is left of those before."""
    query = text(
        f"SELECT {WAY}, rest, COUNT(*) FROM {_RESTS[connection.dialect.name]}"  # noqa: S608 - ours
        " WHERE warehouse = :warehouse AND item = :item AND unit = :unit"
        f" GROUP BY {WAY}, rest"
    )
    values = {"warehouse": warehouse, "item": item, "unit": unit}
    return Roundings(
        (Way(*way), Fraction(rest) * times)
        for *way, rest, times in connection.execute(query, values)
    )


def note_rests(
    connection: Connection,
    facts: Sequence[tuple[FactKey, Rest | None, FactKey | None]],
) -> None:
    """Keep the rests of facts that were posted just now.

    facts: each with its rest, if it has one, and the fact that it takes back, if any: whose rest is
    gone with it.
    """
    rows = [_row(key, rest) for key, rest, _ in facts if rest is not None]
    taking = {
        _key(back): key
        for key, _, back in facts
        if back is not None and back.gateway == OWN_GATEWAY
    }
    backs = list(taking)
    for row in bulk.select_by_key(connection, settlement_rests, backs, columns_count=KEY_SIZE):
        key = taking[row[:KEY_SIZE]]
        rows.append((*_key(key), *row[KEY_SIZE:-1], str(-Fraction(row[-1]))))
    bulk.insert_rows(connection, settlement_rests, rows)


def _key(fact: FactKey) -> tuple[str, str, int]:
    return fact.warehouse, fact.epoch, fact.seq


def _row(key: FactKey, rest: Rest) -> bulk.Row:
    return (*_key(key), rest.item, rest.unit, *rest.way, str(rest.more))
