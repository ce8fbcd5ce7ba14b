"""Pages of the catalogue: lists, places as a tree, import and export, cleaning. Edge of HTTP."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from central.orders.spreadsheets.import_columns import ImportTable
from central.orders.spreadsheets.imports import BOOKS
from central.web.asking import Asked, Asking
from central.web.documents.catalogue_kinds import ITEM, PARTNER, PLACE, WAREHOUSE
from central.web.documents.tables import warehouse_choices
from central.web.screens.catalogue_tables import CATALOGUE_LISTINGS
from central.web.screens.document_screens import (
    document_page,
    filled_by_address,
    new_page,
    table_page,
)
from central.web.shell import listing_of, page
from central.web.texts import Texts
from central.web.words import marked

router = APIRouter(include_in_schema=False)
TABLES = {table.name: table for table in CATALOGUE_LISTINGS}
Code = Annotated[str, Path(max_length=64)]
FILES: dict[str, str] = {
    "items": marked("Items"),
    "packs": marked("Packs"),
    "barcodes": marked("Bar codes"),
    "homes": marked("Home places"),
    "locations": marked("Places"),
    "partners": marked("Partners"),
    "certificates": marked("Certificates"),
    "balances": marked("Opening balances"),
}
# What a column of a file may hold.
HOLDS: dict[str, str] = {
    "code": marked("A code"),
    "text": marked("Text"),
    "number": marked("A number"),
    "integer": marked("A whole number"),
    "yes_no": marked("Yes or no"),
    "choice": marked("One of a few words"),
    "date": marked("A date, 2026-11-22"),
}
IMPORT_WORDS: dict[str, str] = {
    "checking": marked("Checking the file"),
    "rows": marked("%(rows)s rows, %(sound)s without faults"),
    "clean": marked("No faults: the file can be imported."),
    "faults": marked("%(count)s faults. Nothing is imported yet."),
    "done": marked("Imported: %(created)s new, %(changed)s changed, %(unchanged)s as they were."),
    "row": marked("Row"),
    "column": marked("Column"),
    "message": marked("What is wrong"),
    "hint": marked("What to do"),
    "choose": marked("Choose a file first."),
}


@router.get("/catalogue/items")
def items(asking: Asked) -> HTMLResponse:
    """Draw the items."""
    return table_page(asking, TABLES["items"], ITEM)


@router.get("/catalogue/partners")
def partners(asking: Asked) -> HTMLResponse:
    """Draw suppliers and customers."""
    return table_page(asking, TABLES["partners"], PARTNER)


@router.get("/catalogue/places")
def places(asking: Asked) -> HTMLResponse:
    """Draw the places of a warehouse, an area at a time."""
    texts, parameters = asking.texts, asking.parameters
    with asking.read() as connection:
        warehouses = warehouse_choices(connection, texts)
    known = [code for code, _ in warehouses]
    asked = parameters.get("warehouse", "")
    warehouse = asked if asked in known else next(iter(known), "")
    table = TABLES["places"]
    links = [("/catalogue/warehouses/new", texts.say(WAREHOUSE.new_title))]
    if warehouse:
        links.append((f"/print/bin-labels/{warehouse}.pdf", texts.say("Print: labels of all bins")))
        links.append(
            (
                f"/catalogue/warehouses/{warehouse}",
                texts.say("Card of %(code)s") % {"code": warehouse},
            )
        )
        parent = parameters.get("parent", "")[:64]
        end = f"?parent={parent}" if parent.isalnum() else ""
        links.append((f"/catalogue/places/{warehouse}/new{end}", texts.say(PLACE.new_title)))
        if parent:
            below = urlencode({"warehouse": warehouse, "within": parent})
            words = texts.say("Stock in %(code)s and below") % {"code": parent}
            links.append((f"/stock?{below}", words))
    return page(
        asking,
        "documents/places.html",
        title=texts.say(table.title),
        kinds=table.kinds,
        content={
            "listing": listing_of(asking, table),
            "links": links,
            "way": _way(asking, warehouse),
        },
    )


@router.get("/catalogue/places/{warehouse}/new")
def new_place(asking: Asked, warehouse: Code) -> HTMLResponse:
    """Draw the form of a new place."""
    values = {**filled_by_address(asking), "warehouse": warehouse, "within": warehouse}
    return new_page(asking, PLACE, values)


@router.get("/catalogue/places/{warehouse}/{code}")
def place(asking: Asked, warehouse: Code, code: Code) -> HTMLResponse:
    """Draw the card of a place or an area."""
    return document_page(asking, PLACE, f"{warehouse}/{code}")


@router.get("/catalogue/cleaning")
def cleaning(asking: Asked) -> HTMLResponse:
    """Draw what in the catalogue wants a look."""
    tables = (TABLES["alike"], TABLES["gaps"], TABLES["idle"])
    return page(
        asking,
        "documents/cleaning.html",
        title=asking.texts.say("Cleaning up"),
        kinds=("item", "partner", "location"),
        content={"listings": [listing_of(asking, table) for table in tables]},
    )


@router.get("/catalogue/gaps")
def gaps(asking: Asked) -> HTMLResponse:
    """Draw which items lack something."""
    return table_page(asking, TABLES["gaps"])


@router.get("/catalogue/unused")
def unused(asking: Asked) -> HTMLResponse:
    """Draw what nobody uses."""
    return table_page(asking, TABLES["idle"])


@router.get("/catalogue/import")
def files(asking: Asked) -> HTMLResponse:
    """Draw the page on which tables come from files and go to files."""
    asked = asking.parameters.get("table", "")
    name = asked if asked in FILES else "items"
    texts = asking.texts
    return page(
        asking,
        "documents/import.html",
        title=texts.say("Import and export"),
        content={
            "tables": [(one, texts.say(FILES[one])) for one in FILES],
            "table": name,
            "columns": _columns(BOOKS[name].table, texts),
            "said": {one: texts.say(text) for one, text in IMPORT_WORDS.items()},
        },
    )


def _columns(table: ImportTable, texts: Texts) -> list[tuple[str, str, str, bool]]:
    """Return (name, Chinese name, what it may say, whether it is needed) of each column."""
    return [
        (
            column.name,
            column.name_zh,
            ", ".join(filter(None, column.choices)) or texts.word(HOLDS, column.kind),
            column.required,
        )
        for column in table.columns
    ]


def _way(asking: Asking, warehouse: str) -> list[tuple[str, str]]:
    """Return (address, text) of what the shown places are in, the warehouse first."""
    parent = asking.parameters.get("parent", "")[:64]
    way = [(f"/catalogue/places?warehouse={warehouse}", warehouse)] if warehouse else []
    if warehouse and parent:
        way.append((f"/catalogue/places/{warehouse}/{parent}", parent))
    return way
