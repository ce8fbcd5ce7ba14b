"""Tables of documents: one way to list any kind of them. Edge of the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from central.orders.catalogue.catalogue_lists import list_warehouses
from central.orders.document_lists import HeadsWanted, page_of_codes
from central.web.asking import Asking, Table
from central.web.cells import link_cell
from central.web.documents.cells import field_cell, is_number
from central.web.documents.due import DUE_LOOKED_AT_MAX, Due, due_filters, due_of
from central.web.documents.field_words import FIELDS
from central.web.documents.forms import word_of
from central.web.documents.kinds import Connection, DocumentKind
from central.web.documents.parts import Values
from central.web.documents.state_words import STATES
from central.web.listing import Column, ColumnKind, Filter, Found, Listing, Row, Wanted
from central.web.texts import Texts
from central.web.words import marked

READ_AT_ONCE = 500
WAREHOUSES_MAX = 1000
# What a column is stored as, where that is another name.
STORED: Mapping[str, str] = {
    "created_time": "created_ms",
    "changed_time": "changed_ms",
    "under_way_since": "under_way_since_ms",
    "arrived": "arrived_micro",
    "order": "order_code",
}


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """How documents of a kind are listed. columns: after the code. sortable: those that are stored.

    states: those to choose from. partner: field of the other side, "" for none. ends: fields that
    the filter of warehouses looks at. groups: columns. promised: the day that was promised, "" for
    none; under_way: states in which it is still to be kept.
    """

    kind: DocumentKind
    title: str
    columns: tuple[str, ...]
    sortable: frozenset[str]
    states: tuple[str, ...] = ()
    partner: str = ""
    ends: tuple[str, ...] = ("warehouse",)
    groups: tuple[str, ...] = ("warehouse",)
    wide: frozenset[str] = frozenset()
    with_item: bool = True
    promised: str = ""
    under_way: tuple[str, ...] = ()
    empty: str = marked("None yet.")


def listing_of_kind(told: DocumentTable) -> Table:
    """Return the table of all documents of a kind."""
    filters = [Filter("q", marked("Search"))]
    if told.states:
        choices = tuple((state, STATES[state]) for state in told.states)
        filters.append(Filter("state", marked("State"), "choice", choices))
    filters.append(Filter("warehouse", marked("Warehouse"), "choice"))
    if told.partner:
        filters.append(Filter(told.partner, FIELDS[told.partner]))
    if told.with_item:
        filters.append(Filter("item", marked("Item")))
    filters += due_filters(told.promised)
    return Listing(
        name=told.kind.name,
        title=told.title,
        path=told.kind.path,
        columns=(
            Column("code", FIELDS["code"], sortable=True),
            *(_column(name, told) for name in told.columns),
        ),
        read=_reader(told),
        filters=tuple(filters),
        kinds=(told.kind.name, *told.kind.kinds),
        groups=told.groups,
        sort="code",
        descending=True,
        empty=told.empty,
    )


def warehouse_choices(connection: Connection, texts: Texts) -> tuple[tuple[str, str], ...]:
    """Return (code, code and name) of all warehouses."""
    rows = list_warehouses(connection, after="", limit=WAREHOUSES_MAX)
    return tuple((one.card.code, _warehouse_text(one.card, texts)) for one in rows)


def _warehouse_text(card: Any, texts: Texts) -> str:  # noqa: ANN401 - a card of a warehouse.
    name = texts.name(english=card.name, chinese=card.name_zh)
    return f"{card.code} {name}".strip()


def _column(name: str, told: DocumentTable) -> Column:
    kind: ColumnKind = "text"
    if name.endswith("_time") or name == "under_way_since":
        kind = "moment"
    elif is_number(name):
        kind = "number"
    return Column(
        name, FIELDS[name], kind, sortable=name in told.sortable, phone=name not in told.wide
    )


def _reader(told: DocumentTable) -> Callable[[Asking, Wanted], Found]:
    def read(asking: Asking, wanted: Wanted) -> Found:
        with asking.read() as connection:
            due = due_of(wanted.values, promised=told.promised, now_ms=asking.now_ms)
            heads = _heads(told, wanted, due)
            codes, total = page_of_codes(connection, told.kind.name, heads)
            values: list[Values] = []
            for start in range(0, len(codes), READ_AT_ONCE):
                chunk = codes[start : start + READ_AT_ONCE]
                values += told.kind.read_many(connection, chunk, asking.now_ms)
            warehouses = warehouse_choices(connection, asking.texts)
        by_code = {one["code"]: one for one in values}
        known = [by_code[code] for code in codes if code in by_code]
        if due.fulfilments:
            known = [one for one in known if one.get("fulfilment") in due.fulfilments]
            total = len(known)
            known = known[wanted.offset : wanted.offset + wanted.limit]
        rows = tuple(_row(told, one, wanted.group, asking.texts) for one in known)
        return Found(rows, total, choices={"warehouse": warehouses})

    return read


def _heads(told: DocumentTable, wanted: Wanted, due: Due) -> HeadsWanted:
    values = wanted.values
    equal = {name: values.get(name, "") for name in ("state", told.partner) if name}
    return HeadsWanted(
        search=values.get("q", ""),
        equal=equal,
        either=(told.ends, values.get("warehouse", "")),
        item=values.get("item", ""),
        between=(told.promised, due.first, due.last),
        states=told.under_way if due.choice else (),
        sort=STORED.get(wanted.sort, wanted.sort),
        group=STORED.get(wanted.group, wanted.group),
        descending=wanted.descending,
        offset=0 if due.fulfilments else wanted.offset,
        limit=DUE_LOOKED_AT_MAX if due.fulfilments else wanted.limit,
    )


def _row(told: DocumentTable, values: Values, group: str, texts: Texts) -> Row:
    code = str(values["code"])
    href = f"{told.kind.path}/{quote(code, safe='')}"
    heading = ""
    if group:
        text = str(values.get(group) or "")
        heading = word_of(text, texts) if group == "state" else text
    cells = (field_cell(name, values, texts) for name in told.columns)
    return Row(key=code, cells=(link_cell(code, href), *cells), href=href, group=heading)
