"""Counts once more towards documents that turned out to be about another border. Edge of SQL.

That is rare: a code that was of a receipt is of a shipment by now, and goods came under it. What
crossed the border that it is about since then was told as unexpected, and counted for nothing.
"""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select, update

from central.ledger.entries import ProgressKey
from central.ledger.line_movements import read_movements
from central.ledger.locations import place_of
from central.ledger.progress import (
    ANY_BORDER,
    BORDER_NUMBERS,
    BORDERS,
    border_of,
    progress_of,
    sign_of,
    way_of,
)
from central.storage import tables


def recount_turned(connection: Connection) -> None:
    """Recount the progress of every document that is about another border than it counts."""
    progress = tables.document_progress.c
    for row in connection.execute(_turned()).all():
        key, way = ProgressKey(*row[:5]), way_of(row.kind)
        same = (progress[name] == value for name, value in key._asdict().items())
        connection.execute(
            update(tables.document_progress)
            .where(*same)
            .values(direction=way, received_micro=recounted(connection, key, way))
        )


@cache
def _turned() -> Select[Any]:
    progress, documents = tables.document_progress.c, tables.documents.c
    known = {kind: (ANY_BORDER, BORDER_NUMBERS[border]) for kind, border in BORDERS.items()}
    turned = (
        and_(
            documents.kind == kind,
            progress.direction.not_in([sign * one for one in ways for sign in (1, -1)]),
        )
        for kind, ways in known.items()
    )
    return select(tables.document_progress, documents.kind).join(
        tables.documents,
        and_(
            documents.warehouse == progress.warehouse,
            documents.document == progress.document,
            or_(*turned),
        ),
    )


def recounted(connection: Connection, key: ProgressKey, way: int) -> int:
    """Return what counts this way (10^-6), by the facts of the item."""
    border = border_of(way)
    done_micro = 0
    for movement, at_border_micro in read_movements(
        connection,
        warehouse=key.warehouse,
        item=key.item,
        unit=key.unit,
        location=place_of(border, document=key.document),
    ):
        found = progress_of(movement, warehouse=key.warehouse, unit=key.unit, quantity_micro=1)
        if found is not None and (found.key, found.border) == (key, border):
            # What came in is missing outside.
            done_micro -= sign_of(way) * at_border_micro
    return done_micro
