"""Leaves money out of tables and documents for whoever may not see it. Edge of HTTP."""

from dataclasses import replace

from central.orders.money_fields import tells_money
from central.web.asking import Asking, Table
from central.web.listing import Found, Wanted


def seen_table(asking: Asking, table: Table) -> Table:
    """Return a table as somebody may see it."""
    hidden = {index for index, column in enumerate(table.columns) if tells_money(column.key)}
    if not hidden or asking.money:
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
