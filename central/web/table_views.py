"""The stock table and its places as a page shows them: translated, not yet escaped. Pure."""

from dataclasses import dataclass
from urllib.parse import urlencode

from central.stock.rows import MatrixPage, MatrixQuery, MatrixRow, StockRow, WarehouseRow
from central.web.texts import Texts
from central.web.words import PLACES, UNITS


@dataclass(frozen=True, slots=True)
class PlaceView:
    """One balance of an item."""

    warehouse: str
    place: str
    lot: str
    serial: str
    on_hand: str

    @classmethod
    def of(cls, row: StockRow, texts: Texts) -> "PlaceView":
        """Return the view of a balance."""
        return cls(
            warehouse=row.key.warehouse,
            place=texts.word(PLACES, row.key.location),
            lot=row.key.lot,
            serial=" / ".join(filter(None, (row.key.serial, row.key.sscc))),
            on_hand=f"{texts.quantity(row.on_hand)} {texts.word(UNITS, row.key.unit)}",
        )


@dataclass(frozen=True, slots=True)
class WarehouseView:
    """A column, and a choice of the filter."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One row of the table. cells: (column, text) for every column after the unit."""

    key: str
    item: str
    name: str
    unit: str
    cells: tuple[tuple[str, str], ...]
    places_url: str


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


def table_view(
    matrix: MatrixPage,
    warehouses: tuple[WarehouseRow, ...],
    wanted: MatrixQuery,
    texts: Texts,
) -> TableView:
    """Return the view of one page of the table."""
    number = matrix.page_index + 1
    return TableView(
        rows=tuple(_item_view(row, warehouses, texts) for row in matrix.rows),
        warehouses=tuple(
            WarehouseView(
                code=row.code,
                label=texts.name(english=row.name, chinese=row.name_zh) or row.code,
            )
            for row in warehouses
        ),
        search=wanted.search,
        warehouse=wanted.warehouse,
        stocked=wanted.stocked,
        item_count=matrix.item_count,
        page_number=number,
        page_count=matrix.page_count,
        previous_url=table_url(wanted, page_number=number - 1) if number > 1 else "",
        next_url=table_url(wanted, page_number=number + 1) if number < matrix.page_count else "",
    )


def table_url(wanted: MatrixQuery, *, page_number: int = 1, language: str = "") -> str:
    """Return the address of a page of the table; what is as usual is left out."""
    values = {
        "q": wanted.search,
        "warehouse": wanted.warehouse,
        "stocked": "1" if wanted.stocked else "",
        "page": str(page_number) if page_number > 1 else "",
        "lang": language,
    }
    text = urlencode({name: value for name, value in values.items() if value})
    return f"/?{text}" if text else "/"


def row_key(row: MatrixRow) -> str:
    """Return what names a row of the table in the page."""
    return f"{row.item}|{row.unit}"


def _item_view(row: MatrixRow, warehouses: tuple[WarehouseRow, ...], texts: Texts) -> ItemView:
    figures = dict(texts.cells(row))
    columns = ("total", *(f"w:{warehouse.code}" for warehouse in warehouses), "transit")
    return ItemView(
        key=row_key(row),
        item=row.item,
        name=texts.name(english=row.name, chinese=row.name_zh),
        unit=texts.word(UNITS, row.unit),
        cells=tuple((column, figures.get(column, "–")) for column in columns),
        places_url="/fragments/places?" + urlencode({"item": row.item}),
    )
