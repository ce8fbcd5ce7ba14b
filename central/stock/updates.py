"""Reads what a live page shows, whole or since a record number. Edge of the database."""

from dataclasses import dataclass

from sqlalchemy import Connection

from central.stock.feed import (
    items_changed,
    list_corrected,
    list_movements,
    list_movements_after,
    stock_change,
)
from central.stock.grid import grid_as_of, grid_page
from central.stock.moments import Moment
from central.stock.rows import (
    FeedFilter,
    GatewayRow,
    MatrixPage,
    MatrixQuery,
    MatrixRow,
    MovementRow,
    StockChange,
    WarehouseRow,
    Workers,
)
from central.stock.states import list_gateways
from central.stock.strays import StrayItems
from central.stock.views import list_warehouses, matrix_rows
from central.stock.workers import list_workers
from central.storage.within import within_of

FEED_ROWS_MAX = 30
GATEWAYS_MAX = 200


@dataclass(frozen=True, slots=True)
class Update:
    """What changed. whole: too much, or not known since when: the page reads its table anew.

    movements: newest first, at most FEED_ROWS_MAX; after those that are new, the ones before whose
    time was corrected. rows: changed items; empty where whole.
    """

    change: StockChange
    whole: bool
    movements: tuple[MovementRow, ...]
    rows: tuple[MatrixRow, ...]
    gateways: tuple[GatewayRow, ...]
    workers: Workers
    now_ms: int


@dataclass(frozen=True, slots=True)
class PageContent:
    """Everything on the page when it is opened."""

    update: Update
    warehouses: tuple[WarehouseRow, ...]
    matrix: MatrixPage


def read_page(
    connection: Connection,
    wanted: MatrixQuery,
    strays: StrayItems,
    *,
    now_ms: int,
    moment: Moment | None = None,
) -> PageContent:
    """Return everything for a newly opened page, of one warehouse on a narrowed connection.

    moment: of the table, None for now.
    """
    return PageContent(
        update=read_update(connection, None, now_ms=now_ms),
        warehouses=tuple(list_warehouses(connection)),
        matrix=read_matrix(connection, wanted, strays, moment=moment),
    )


def read_matrix(
    connection: Connection, wanted: MatrixQuery, strays: StrayItems, *, moment: Moment | None
) -> MatrixPage:
    """Return one page of the table, as of a moment or of now."""
    if moment is not None:
        return grid_as_of(connection, wanted, strays, moment)
    return grid_page(connection, wanted, strays)


def read_update(connection: Connection, since: int | None, *, now_ms: int) -> Update:
    """Return what changed after a record number; everything for None or one not reached yet.

    On a narrowed connection what changed of its warehouse.
    """
    change = stock_change(connection, now_ms=now_ms)
    within = within_of(connection)
    codes: list[str] | None = None
    if since is not None and since <= change.record_no:
        codes = items_changed(connection, record_no=since)
    if since is None or codes is None:
        found = list_movements(
            connection, FeedFilter(warehouse=within), before_record_no=None, limit=FEED_ROWS_MAX
        )
    else:
        found = list_movements_after(connection, record_no=since, limit=FEED_ROWS_MAX)
        found += list_corrected(connection, record_no=since, limit=FEED_ROWS_MAX)
    return Update(
        change=change,
        whole=codes is None,
        movements=tuple(found[:FEED_ROWS_MAX]),
        rows=tuple(matrix_rows(connection, codes)) if codes else (),
        gateways=tuple(list_gateways(connection, warehouse=within, limit=GATEWAYS_MAX)),
        workers=list_workers(connection, now_ms=now_ms),
        now_ms=now_ms,
    )
