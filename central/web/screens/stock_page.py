"""The stock page: all items by all warehouses, live, or as of a moment. Edge of HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from central.orders.spreadsheets.workbook_writing import write_workbook
from central.stock.grid import GROUPS, grid_rows
from central.stock.moments import Moment, TimeKind, moment_at
from central.stock.rows import MatrixQuery, MatrixRow, WarehouseRow
from central.stock.updates import read_matrix, read_page
from central.stock.views import list_warehouses
from central.web.asking import Asked, Asking
from central.web.listing import shown
from central.web.pages import pages_in
from central.web.past import time_ms_of
from central.web.shell import page
from central.web.table_views import table_view
from central.web.words import UNITS

PAGE_NUMBER_MAX = 1_000_000
DIGITS_MAX = 18
EXPORTED_ITEMS_MAX = 50_000
# Of an Excel file.
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SORTS = ("total", "transit")

router = APIRouter(include_in_schema=False)


@router.get("/")
def stock_page(asking: Asked) -> HTMLResponse:
    """Draw the page."""
    wanted, parameters = _wanted(asking.parameters), asking.parameters
    with asking.read() as connection:
        moment = _moment(connection, parameters)
        content = read_page(
            connection, wanted, asking.reading.strays, now_ms=asking.now_ms, moment=moment
        )
    drawn = pages_in(asking.drawing.language).stock_content(
        content,
        wanted,
        as_of=_as_of(parameters),
        known=_known(parameters),
        within=asking.within,
    )
    return page(asking, "stock.html", title=asking.texts.say("Stock"), content=drawn)


@router.get("/fragments/stock")
def stock_fragment(asking: Asked) -> HTMLResponse:
    """Draw the table alone."""
    wanted, parameters = _wanted(asking.parameters), asking.parameters
    with asking.read() as connection:
        moment = _moment(connection, parameters)
        warehouses = tuple(list_warehouses(connection))
        matrix = read_matrix(connection, wanted, asking.reading.strays, moment=moment)
    pages = pages_in(asking.drawing.language)
    known = _known(parameters)
    as_of = _as_of(parameters)
    view = table_view(
        matrix, warehouses, wanted, asking.texts, as_of=as_of, known=known, within=asking.within
    )
    return HTMLResponse(pages.table(view))


@router.get("/all-stock.xlsx")
def stock_file(asking: Asked) -> Response:
    """Return all rows of the table that its filter leaves, at most EXPORTED_ITEMS_MAX items."""
    wanted = _wanted(asking.parameters)
    with asking.read() as connection:
        rows = grid_rows(
            connection,
            wanted,
            asking.reading.strays,
            moment=_moment(connection, asking.parameters),
            limit=EXPORTED_ITEMS_MAX,
        )
        warehouses = list_warehouses(connection)
    name = asking.texts.say("Stock")
    body = write_workbook(
        _sheet(rows, warehouses, asking),
        name=name,
        number_columns=frozenset(range(3, 5 + len(warehouses))),
    )
    headers = {"Content-Disposition": 'attachment; filename="stock.xlsx"'}
    return Response(body, media_type=XLSX, headers=headers)


def _sheet(
    rows: Sequence[MatrixRow], warehouses: Sequence[WarehouseRow], asking: Asking
) -> list[Sequence[str]]:
    texts = asking.texts
    heading = [texts.say("Item"), texts.say("Name"), texts.say("Unit"), texts.say("Total")]
    heading += [one.code for one in warehouses]
    sheet: list[Sequence[str]] = [[*heading, texts.say("In transit")]]
    for row in rows:
        name = texts.name(english=row.name, chinese=row.name_zh)
        amounts = [row.on_hand.get(one.code, "") for one in warehouses]
        figures = (str(value) for value in (row.total, *amounts, row.in_transit))
        sheet.append([row.item, name, texts.word(UNITS, row.unit), *figures])
    return sheet


def _wanted(parameters: Mapping[str, str]) -> MatrixQuery:
    # A person may have typed the address: what cannot be meant is left out, not refused.
    number = parameters.get("page", "")
    plain = number.isascii() and number.isdecimal() and len(number) <= DIGITS_MAX
    sort = shown(parameters.get("sort", ""))
    column = sort.removeprefix("-")
    if column not in SORTS and not column.startswith("w:"):
        column = ""
    group = parameters.get("group", "")
    return MatrixQuery(
        search=shown(parameters.get("q", "")),
        warehouse=shown(parameters.get("warehouse", "")),
        stocked=parameters.get("stocked") == "1",
        page_index=min(max(int(number), 1), PAGE_NUMBER_MAX) - 1 if plain else 0,
        sort=column,
        descending=sort.startswith("-"),
        group=group if group in GROUPS else "",
    )


def _as_of(parameters: Mapping[str, str]) -> str:
    text = shown(parameters.get("as_of", ""))
    return text if time_ms_of(text) is not None else ""


def _known(parameters: Mapping[str, str]) -> str:
    """Return "1" for what the ledger knew as of then, a moment for what it knew at that."""
    text = shown(parameters.get("known", ""))
    return text if text == "1" or time_ms_of(text) is not None else ""


def _moment(connection: Any, parameters: Mapping[str, str]) -> Moment | None:  # noqa: ANN401
    time_ms = time_ms_of(_as_of(parameters))
    if time_ms is None:
        return None
    known = _known(parameters)
    kind: TimeKind = "record" if known == "1" else "event"
    recorded_ms = time_ms_of(known)
    return moment_at(connection, time_ms, kind=kind, warehouse="", recorded_ms=recorded_ms)
