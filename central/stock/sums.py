"""Sums of quantities that no database can overflow at. Edge of SQLAlchemy.

A balance may be nearly as large as 64 bits, and SQLite gives up on a sum that is larger
(sqlite.org/lang_aggfunc.html, sum). Whole units and millionths are summed apart, and put together
here.
"""

from typing import Any

from sqlalchemy import ColumnElement, Row, func

UNIT = 1_000_000
AnyRow = Row[*tuple[Any, ...]]


def summed(amount: ColumnElement[Any], name: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return the two columns whose values `total` puts together."""
    return (
        func.sum(amount // UNIT).label(f"{name}_units"),
        func.sum(amount % UNIT).label(f"{name}_rest"),
    )


def total(row: AnyRow, name: str) -> int:
    """Return a sum in millionths, 0 if nothing was added."""
    return int(getattr(row, f"{name}_units") or 0) * UNIT + int(getattr(row, f"{name}_rest") or 0)
