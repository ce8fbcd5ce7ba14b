"""Pages of documents: a table, a card and a form of each kind. Edge of HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from central.access.permissions import Permission, may
from central.errors import NotThere
from central.orders.counts.count_sheet import item_names
from central.orders.money_fields import without_money_fields
from central.stock.history import list_events
from central.web.asking import Asked, Asking, Table
from central.web.documents.addresses import body_at
from central.web.documents.all_tables import DOCUMENT_LISTINGS, DOCUMENT_TABLES, KINDS
from central.web.documents.building import Done, Surroundings, document_view, loose_form, new_form
from central.web.documents.kinds import Connection, DocumentKind
from central.web.documents.parts import Values
from central.web.documents.tables import warehouse_choices
from central.web.sheets.kinds import print_links
from central.web.shell import listing_of, page
from central.web.words import marked

EVENTS_SHOWN_MAX = 50
CODE_CHARACTERS_MAX = 130  # A place is named by its warehouse's code and its own.
# What the address of a form may fill in, e.g. from the page of an order.
FILLED_BY_ADDRESS = frozenset(
    {"warehouse", "source_warehouse", "destination_warehouse", "supplier", "customer", "order"}
    | {"order_code", "code", "parent"}
)

# By table: what can be done to all of a warehouse at once, and the address that does it.
AT_ONCE = {
    "sales_order": (
        "reserve-backorders",
        marked("Set aside for who waits"),
        "/api/v1/sales-orders/reserve-backorders",
    ),
    "picks": (
        "tell-stations",
        marked("Tell stations anew"),
        "/api/v1/pick-lists/tell-stations",
    ),
}

router = APIRouter(include_in_schema=False)
Code = Annotated[str, Path(max_length=CODE_CHARACTERS_MAX)]
Page = Callable[..., HTMLResponse]


def document_page(asking: Asking, kind: DocumentKind, code: str) -> HTMLResponse:
    """Return the page of one document. Raises NotThere."""
    with asking.read() as connection:
        found = kind.read_many(connection, [code], asking.now_ms)
        if not found:
            raise NotThere(
                f"there is no {kind.title.lower()} {code[:64]}",
                hint="Look the code up in the list.",
                fields={"code": code},
            )
        read = kind.read_whole(connection, found[0], asking.now_ms)
        read = replace(read, values=_with_names(connection, kind, read.values))
        named = str(read.values.get("named") or read.values["code"])
        events = list_events(
            connection, kind=kind.name, code=named, before=None, limit=EVENTS_SHOWN_MAX
        )
        around = Surroundings(asking.texts, body_at, warehouse_choices(connection, asking.texts))
    if not asking.money:
        read = replace(read, values=without_money_fields(read.values), filled={})
        events = [replace(one, fields=without_money_fields(one.fields)) for one in events]
    unseen = _unseen(asking, kind, read.values)
    read = replace(read, values={**read.values, **dict.fromkeys(unseen, ())})
    done = [Done(one.at_ms, one.actor, one.action, one.fields) for one in events]
    view = document_view(kind, read, done, around)
    links = print_links(kind, view.code, asking.texts, but=unseen)
    view = replace(view, links=(*view.links, *links))
    return page(
        asking,
        "documents/detail.html",
        title=f"{view.title} {view.code}",
        kinds=(kind.name, *kind.kinds),
        content={"view": view},
    )


def _unseen(asking: Asking, kind: DocumentKind, values: Values) -> frozenset[str]:
    """Return the tables of a document that are of a warehouse that whoever asks may not see."""
    return frozenset(
        one.name
        for one in kind.tables
        if one.seen_at
        and not may(asking.principal, Permission.ORDERS_READ, warehouse=values[one.seen_at])
    )


def new_page(asking: Asking, kind: DocumentKind, values: Values) -> HTMLResponse:
    """Return the form that makes a document. values: what it holds at first."""
    with asking.read() as connection:
        choices = warehouse_choices(connection, asking.texts)
    around = Surroundings(asking.texts, body_at, choices)
    return page(
        asking,
        "documents/new.html",
        title=asking.texts.say(kind.new_title),
        content={"form": new_form(kind, values, around)},
    )


def table_page(asking: Asking, table: Table, kind: DocumentKind | None = None) -> HTMLResponse:
    """Return a page that is one table, with a button for a new document of its kind, and what can
    be done to all of a warehouse at once.
    """
    texts = asking.texts
    forms = []
    if table.name in AT_ONCE:
        name, label, address = AT_ONCE[table.name]
        with asking.read() as connection:
            choices = warehouse_choices(connection, texts)
        forms.append(loose_form(name, label, address, Surroundings(texts, body_at, choices)))
    new = (f"{kind.path}/new", texts.say(kind.new_title)) if kind and kind.new_title else None
    return page(
        asking,
        "documents/list.html",
        title=texts.say(table.title),
        kinds=table.kinds,
        content={"listing": listing_of(asking, table), "new": new, "forms": forms},
    )


def filled_by_address(asking: Asking) -> Values:
    """Return what the address says that a new document should hold."""
    return {
        name: text[:CODE_CHARACTERS_MAX]
        for name, text in asking.parameters.items()
        if name in FILLED_BY_ADDRESS
    }


def _with_names(connection: Connection, kind: DocumentKind, values: Values) -> Values:
    """Return what was read, with what the items in the rows of its tables are called."""
    tables = {table.name: list(values.get(table.name) or ()) for table in kind.tables}
    rows = [row for table in tables.values() for row in table if isinstance(row, Mapping)]
    names = item_names(connection, {str(row["item"]) for row in rows if row.get("item")})
    named: dict[str, object] = {}
    for title, table in tables.items():
        if not table or not isinstance(table[0], Mapping):
            continue
        known = [(row, names.get(str(row.get("item") or ""))) for row in table]
        named[title] = [
            {"item_name": name.name, "item_name_zh": name.name_zh, **row} if name else row
            for row, name in known
        ]
    return {**values, **named}


def _new(kind: DocumentKind) -> Page:
    def form(asking: Asked) -> HTMLResponse:
        values = filled_by_address(asking)
        if kind.begin is not None:
            with asking.read() as connection:
                values = kind.begin(connection, values, asking.now_ms)
        return new_page(asking, kind, values)

    return form


def _detail(kind: DocumentKind) -> Page:
    def detail(asking: Asked, code: Code) -> HTMLResponse:
        return document_page(asking, kind, code)

    return detail


def _table(kind: DocumentKind, table: Table) -> Page:
    def listing(asking: Asked) -> HTMLResponse:
        return table_page(asking, table, kind)

    return listing


for _told, _listing in zip(DOCUMENT_TABLES, DOCUMENT_LISTINGS, strict=True):
    if _told.kind.name != "transfer":  # Its page is the board as well.
        router.add_api_route(_told.kind.path, _table(_told.kind, _listing), methods=["GET"])
for _kind in KINDS:
    if _kind.create:
        router.add_api_route(f"{_kind.path}/new", _new(_kind), methods=["GET"])
    router.add_api_route(_kind.path + "/{code}", _detail(_kind), methods=["GET"])
