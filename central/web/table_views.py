"""The stock table and its places as a page shows them: translated, not yet escaped. Pure."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from central.stock.rows import MatrixPage, MatrixQuery, MatrixRow, StockRow, WarehouseRow
from central.web.stock_words import STATUSES, item_url, place_word
from central.web.texts import Texts
from central.web.words import UNITS

STATUS_TONES = {"available": "good", "inspection": "busy", "held": "warn", "rejected": "bad"}


@dataclass(frozen=True, slots=True)
class PlaceView:
    """One balance of an item."""

    warehouse: str
    place: str
    lot: str
    serial: str
    status: str
    tone: str
    on_hand: str

    @classmethod
    def of(cls, row: StockRow, texts: Texts) -> "PlaceView":
        """Return the view of a balance."""
        return cls(
            warehouse=row.key.warehouse,
            place=place_word(row.key.location, texts),
            lot=row.key.lot,
            serial=" / ".join(filter(None, (row.key.serial, row.key.sscc))),
            status=texts.word(STATUSES, row.key.status),
            tone=STATUS_TONES.get(row.key.status, "quiet"),
            on_hand=f"{texts.quantity(row.on_hand)} {texts.word(UNITS, row.key.unit)}",
        )


@dataclass(frozen=True, slots=True)
class WarehouseView:
    """A column, and a choice of the filter. sort: how it is sorted by."""

    code: str
    label: str
    sort: "SortView"


@dataclass(frozen=True, slots=True)
class SortView:
    """The heading of a column. url: sorts by it; order: "ascending", "descending" or ""."""

    url: str
    order: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One row of the table. cells: (column, text) for every column after the unit."""

    key: str
    item: str
    name: str
    unit: str
    cells: tuple[tuple[str, str], ...]
    places_url: str
    item_url: str
    heading: str = ""


@dataclass(frozen=True, slots=True)
class TableView:
    """The table with its filter and its place among the pages."""

    rows: tuple[ItemView, ...]
    warehouses: tuple[WarehouseView, ...]
    search: str
    warehouse: str
    stocked: bool
    item_count: int
    page_number: int
    page_count: int
    previous_url: str
    next_url: str
    group: str
    sort: str
    as_of: str
    known: str
    by_item: SortView
    by_total: SortView
    by_transit: SortView
    export: str


def table_view(
    matrix: MatrixPage,
    warehouses: tuple[WarehouseRow, ...],
    wanted: MatrixQuery,
    texts: Texts,
    *,
    as_of: str = "",
    known: str = "",
    within: str = "",
) -> TableView:
    """Return the view of one page of the table.

    as_of: the moment that it is of, as it stands in the address, "" for now; known: "1" as the
    ledger knew it then, a moment as it knew it at that, "" as it knows it now. within: the only
    warehouse that it shows, "" for all.
    """
    past = (as_of, known if as_of else "")

    def url(page_number: int) -> str:
        return table_url(wanted, page_number=page_number, as_of=past[0], known=past[1])

    def sort(column: str) -> SortView:
        return _sort_view(wanted, column, past)

    number = matrix.page_index + 1
    return TableView(
        rows=tuple(
            _item_view(row, warehouses, texts, heading=heading, within=within)
            for row, heading in zip(
                matrix.rows, matrix.groups or ("",) * len(matrix.rows), strict=True
            )
        ),
        warehouses=tuple(
            WarehouseView(
                code=row.code,
                label=texts.name(english=row.name, chinese=row.name_zh) or row.code,
                sort=sort(f"w:{row.code}"),
            )
            for row in warehouses
        ),
        search=wanted.search,
        warehouse=wanted.warehouse,
        stocked=wanted.stocked,
        item_count=matrix.item_count,
        page_number=number,
        page_count=matrix.page_count,
        previous_url=url(number - 1) if number > 1 else "",
        next_url=url(number + 1) if number < matrix.page_count else "",
        group=wanted.group,
        sort=_sort_text(wanted),
        as_of=as_of,
        known=known,
        by_item=sort(""),
        by_total=sort("total"),
        by_transit=sort("transit"),
        export="/all-stock.xlsx" + url(1).removeprefix("/"),
    )


def table_url(
    wanted: MatrixQuery, *, page_number: int = 1, as_of: str = "", known: str = ""
) -> str:
    """Return the address of a page of the table; what is as usual is left out."""
    values = {
        "q": wanted.search,
        "warehouse": wanted.warehouse,
        "stocked": "1" if wanted.stocked else "",
        "page": str(page_number) if page_number > 1 else "",
        "sort": _sort_text(wanted),
        "group": wanted.group,
        "as_of": as_of,
        "known": known,
    }
    text = urlencode({name: value for name, value in values.items() if value})
    return f"/?{text}" if text else "/"


def row_key(row: MatrixRow) -> str:
    """Return what names a row of the table in the page."""
    return f"{row.item}|{row.unit}"


def _sort_text(wanted: MatrixQuery) -> str:
    # By code downwards has no other name than a sign.
    return ("-" if wanted.descending else "") + wanted.sort


def _sort_view(wanted: MatrixQuery, column: str, past: tuple[str, str]) -> SortView:
    is_sorted = wanted.sort == column
    order = "descending" if wanted.descending else "ascending"
    # Amounts are wanted from the largest on, codes from the first on.
    descending = not wanted.descending if is_sorted else bool(column)
    other = replace(wanted, sort=column, descending=descending, page_index=0)
    return SortView(
        url=table_url(other, as_of=past[0], known=past[1]), order=order if is_sorted else ""
    )


def _item_view(
    row: MatrixRow,
    warehouses: tuple[WarehouseRow, ...],
    texts: Texts,
    *,
    heading: str,
    within: str,
) -> ItemView:
    figures = dict(texts.cells(row))
    named = {"warehouse": within} if within else {}
    columns = ("total", "transit", *(f"w:{warehouse.code}" for warehouse in warehouses))
    return ItemView(
        key=row_key(row),
        item=row.item,
        name=texts.name(english=row.name, chinese=row.name_zh),
        unit=texts.word(UNITS, row.unit),
        cells=tuple((column, figures.get(column, "–")) for column in columns),
        places_url="/fragments/places?" + urlencode({"item": row.item} | named),
        item_url=item_url(row.item, **named),
        heading=heading,
    )
