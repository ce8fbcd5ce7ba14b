"""Has stations told anew what is under way to them on logistic units. Edge of the database.

A unit left, or came, under a transfer; or one that is under way was packed or unpacked in the books
of its source: then the document of the destination says something else than before.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from central.contract.facts import Packing
from central.ledger.entries import GOODS_KEY_SIZE, BalanceKey
from central.ledger.expected import touch_documents
from central.ledger.ledger import Posted
from central.ledger.locations import IN_TRANSIT_PREFIX
from central.orders.transfers.transfer_store import find_transfers
from central.storage import bulk, tables

INSIDE_MAX = 8  # The ledger packs no deeper.


def follow_units(connection: Connection, posted: Posted) -> None:
    """Touch the documents of transfers; costs nothing if no unit is named under way or packed."""
    codes = {
        fact.document
        for fact in posted.apart
        for line in fact.lines
        if line.sscc and fact.document and line.location == IN_TRANSIT_PREFIX + fact.document
    }
    packed = {
        (run.warehouse, sscc)
        for run in posted.runs
        for fact in run.read.apart
        if isinstance(fact, Packing) and fact.warehouse == run.warehouse
        for sscc in fact.children
    }
    if packed:
        codes |= set(_carried(connection, packed))
    if not codes:
        return
    found = find_transfers(connection, codes).values()
    told = [(one.destination, one.code) for one in found if one.state == "released"]
    if told:
        touch_documents(connection, posted.state, told)


def _carried(connection: Connection, units: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the codes under which these units, or what is in them, are under way."""
    level, inside = set(units), set(units)
    for _ in range(INSIDE_MAX):
        rows = bulk.select_by_columns(
            connection,
            tables.handling_units,
            sorted(level),
            columns=("warehouse", "parent"),
            index="handling_units_parent",
            where="",
        )
        level = {(row[0], row[1]) for row in rows} - inside
        inside |= level
        if not level:
            break
    for row in bulk.select_by_columns(
        connection,
        tables.balances,
        sorted(inside),
        columns=("warehouse", "sscc"),
        index="balances_sscc",
        where="sscc <> ''",
    ):
        key = BalanceKey(*row[: GOODS_KEY_SIZE + 1])
        if key.location.startswith(IN_TRANSIT_PREFIX) and row[GOODS_KEY_SIZE + 1]:
            yield key.location.removeprefix(IN_TRANSIT_PREFIX)
