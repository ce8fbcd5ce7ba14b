"""Whether the goods of a supplier return are there, and set aside for nobody. Edge of the database.

Of any status: rejected goods go back, too.
"""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection

from central.errors import Conflict
from central.ledger.entries import BalanceKey
from central.ledger.locations import is_virtual
from central.orders.catalogue.packs import text_of
from central.orders.purchasing.supplier_returns import ReturnLine, SupplierReturn
from central.storage import bulk, sales_tables, tables

_KEY_COLUMNS = len(BalanceKey._fields)
_Stock = tuple[str, str, str, str]  # item, unit, location, lot


def refuse_missing(connection: Connection, returned: SupplierReturn) -> None:
    """Return if the goods of all lines are there and free. Raises Conflict with what is.

    A line without a place or a lot may be of any.
    """
    free = _free(connection, returned.warehouse, {line.item for line in returned.lines})
    asked: Counter[_Stock] = Counter()
    for line in returned.lines:
        for scope in _scopes(line):
            asked[scope] += line.quantity_micro
    for line in returned.lines:
        for scope in _scopes(line):
            there_micro = sum(
                amount for stock, amount in free.items() if _is_of(stock, scope=scope)
            )
            if asked[scope] > there_micro:
                place = scope[2] or returned.warehouse
                raise Conflict(
                    f"line {line.line} of {returned}: of {line.item}"
                    f" {text_of(max(there_micro, 0))} is free at {place}, not"
                    f" {text_of(asked[scope])}",
                    hint="Send back what is there, or count the place first.",
                    fields={
                        "line": line.line,
                        "item": line.item,
                        "free": text_of(max(there_micro, 0)),
                        "asked": text_of(asked[scope]),
                    },
                )


def _scopes(line: ReturnLine) -> list[_Stock]:
    """Return of what a line takes: of its lot at its place, then of the item as a whole."""
    own = (line.item, line.unit, line.location, line.lot)
    return list(dict.fromkeys([own, (line.item, line.unit, "", "")]))


def _is_of(stock: _Stock, *, scope: _Stock) -> bool:
    return stock[:2] == scope[:2] and all(
        wanted in {"", there} for there, wanted in zip(stock[2:], scope[2:], strict=True)
    )


def _free(connection: Connection, warehouse: str, items: Iterable[str]) -> Counter[_Stock]:
    """Return what stands in a warehouse of some items, less what is set aside.

    What is below zero waits for facts that have not come: it takes nothing from other goods.
    """
    keys = [(warehouse, item) for item in sorted(items)]
    found: Counter[_Stock] = Counter()
    for row in bulk.select_by_columns(
        connection,
        tables.balances,
        keys,
        columns=("warehouse", "item"),
        index="balances_item",
        where="",
    ):
        key = BalanceKey(*row[:_KEY_COLUMNS])
        if not is_virtual(key.location):
            found[key.item, key.unit, key.location, key.lot] += max(row[_KEY_COLUMNS], 0)
    for row in bulk.select_by_key(connection, sales_tables.allocated, keys, columns_count=2):
        _, item, location, lot, _, _, unit, allocated_micro = row
        found[item, unit, location, lot] -= allocated_micro
    return found
