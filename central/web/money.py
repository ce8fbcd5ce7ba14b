"""Leaves money out of tables and documents for whoever may not see it. Edge of HTTP."""

from dataclasses import replace

from central.access.permissions import Permission, warehouses_of
from central.api.money_bound import MONEY_FIELDS
from central.web.asking import Asking, Table
from central.web.listing import Found, Wanted


def sees_money(asking: Asking) -> bool:
    """Return whether somebody may see money anywhere."""
    return warehouses_of(asking.principal, Permission.MONEY_READ) != frozenset()


def seen_table(asking: Asking, table: Table) -> Table:
    """Return a table as somebody may see it."""
    hidden = {index for index, column in enumerate(table.columns) if column.key in MONEY_FIELDS}
    if not hidden or sees_money(asking):
        return table

    def read(asking: Asking, wanted: Wanted) -> Found:
        found = table.read(asking, wanted)
        rows = tuple(
            replace(
                row,
                cells=tuple(cell for at, cell in enumerate(row.cells) if at not in hidden),
            )
            for row in found.rows
        )
        return replace(found, rows=rows)

    columns = tuple(one for at, one in enumerate(table.columns) if at not in hidden)
    return replace(table, columns=columns, read=read)
