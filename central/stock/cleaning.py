"""What in the catalogue wants a look: duplicates, gaps, what nobody uses. Edge of the database.

One GTIN is never of two items, so duplicates are found by likeness: names of the same words, codes
that differ in zeros and punctuation. What moved last is what balances say; no facts are read.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, not_, select

from central.errors import Unusable
from central.stock.likeness import code_likeness, name_likeness, phone_likeness
from central.stock.moments import record_no_at
from central.storage import catalogue_tables, purchasing_tables, sales_tables, tables

ENTRIES_MAX = 200_000  # Of a catalogue that is compared as a whole.

Subject = Literal["items", "partners"]
Gap = Literal["barcode", "policy", "place", "name_zh", "cost", "shelf_life", "lots"]
Unused = Literal["items", "locations", "partners"]


@dataclass(frozen=True, slots=True)
class Alike:
    """Entries that are probably one. by: "name", "code" or "phone". key: what they share."""

    by: str
    key: str
    codes: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Idle:
    """An entry that nobody uses. last_record_no: of the last fact that moved it, 0 for never."""

    warehouse: str
    code: str
    name: str
    last_record_no: int


def list_alike(
    connection: Connection, subject: Subject, *, after: tuple[str, str], limit: int
) -> list[Alike]:
    """Return groups of entries that are alike, by what they share. after: (by, key) of the last.

    Raises Unusable for a catalogue of more than ENTRIES_MAX.
    """
    table = tables.items if subject == "items" else catalogue_tables.partners
    code = table.c.item if subject == "items" else table.c.partner
    columns = [code, table.c.name, table.c.name_zh]
    if subject == "partners":
        columns.append(table.c.phone)
    rows = connection.execute(select(*columns).limit(ENTRIES_MAX + 1)).all()
    if len(rows) > ENTRIES_MAX:
        raise Unusable(
            f"{subject} are more than {ENTRIES_MAX}",
            hint="Export them, and compare them in a program of your own.",
        )
    ways: list[tuple[str, Callable[[Sequence[Any]], str]]] = [
        ("code", lambda row: code_likeness(row[0])),
        ("name", lambda row: name_likeness(row[1])),
        ("name_zh", lambda row: name_likeness(row[2])),
    ]
    if subject == "partners":
        ways.append(("phone", lambda row: phone_likeness(row[3])))
    found = (one for by, key_of in ways for one in _groups(rows, by, key_of))
    return sorted(
        (one for one in found if (one.by, one.key) > after), key=lambda one: (one.by, one.key)
    )[:limit]


def list_gaps(connection: Connection, gap: Gap, *, after: str, limit: int) -> list[tuple[str, str]]:
    """Return (code, name) of items that lack something, by code, those after one."""
    items = tables.items.c
    query = select(items.item, items.name).where(items.item > after, _lacks(gap))
    rows = connection.execute(query.order_by(items.item).limit(limit))
    return [(row.item, row.name) for row in rows]


def list_idle(
    connection: Connection,
    subject: Unused,
    *,
    since_ms: int,
    after: tuple[str, str],
    limit: int,
) -> list[Idle]:
    """Return what has not moved since a time, by warehouse and code, those after one.

    Partners: those that no order names, whenever. after: (warehouse, code), "" for items.
    """
    if subject == "partners":
        return _idle_partners(connection, after=after[1], limit=limit)
    before_no = record_no_at(connection, since_ms)
    query = _idle_items(after[1]) if subject == "items" else _idle_places(after)
    last_no = query.selected_columns.last_record_no
    found = connection.execute(query.where(last_no <= before_no).limit(limit))
    return [Idle(row.warehouse, row.code, row.name, row.last_record_no) for row in found]


def _groups(
    rows: Iterable[Sequence[Any]], by: str, key_of: Callable[[Sequence[Any]], str]
) -> list[Alike]:
    keyed = sorted((key, row[0], row[1]) for row in rows if (key := key_of(row)))
    groups = []
    for key, some in groupby(keyed, key=lambda one: one[0]):
        members = list(some)
        if len(members) > 1:
            codes = tuple(one[1] for one in members)
            groups.append(Alike(by, key, codes, tuple(one[2] for one in members)))
    return groups


def _lacks(gap: Gap) -> ColumnElement[bool]:
    items, policies = tables.items.c, catalogue_tables.item_policies.c
    if gap == "name_zh":
        return items.name_zh == ""
    if gap == "barcode":
        barcodes = tables.item_barcodes.c
        return not_(select(barcodes.gtin).where(barcodes.item == items.item).exists())
    if gap == "place":
        homes = catalogue_tables.item_places.c
        return not_(select(homes.item).where(homes.item == items.item).exists())
    policy = select(policies.item).where(policies.item == items.item)
    if gap == "policy":
        return not_(policy.exists())
    if gap == "cost":
        return not_(policy.where(policies.cost_micro > 0).exists())
    dated = policy.where(policies.expiry_tracked).exists()
    if gap == "lots":  # A date is kept of a lot: goods without one can never be set aside.
        return and_(dated, not_(items.lot_tracked))
    return and_(
        dated,
        not_(policy.where(policies.shelf_life_days > 0).exists()),
    )


def _idle_items(after: str) -> Select[Any]:
    items, balances = tables.items.c, tables.balances.c
    moved = (
        select(balances.item, func.max(balances.record_no).label("record_no"))
        .group_by(balances.item)
        .subquery()
    )
    last_no = func.coalesce(moved.c.record_no, 0).label("last_record_no")
    return (
        select(
            literal("").label("warehouse"),
            items.item.label("code"),
            items.name,
            last_no,
        )
        .outerjoin(moved, moved.c.item == items.item)
        .where(items.item > after)
        .order_by(items.item)
    )


def _idle_places(after: tuple[str, str]) -> Select[Any]:
    places, balances = tables.locations.c, tables.balances.c
    moved = (
        select(
            balances.warehouse,
            balances.location,
            func.max(balances.record_no).label("record_no"),
        )
        .group_by(balances.warehouse, balances.location)
        .subquery()
    )
    last_no = func.coalesce(moved.c.record_no, 0).label("last_record_no")
    return (
        select(places.warehouse, places.location.label("code"), places.kind.label("name"), last_no)
        .outerjoin(
            moved,
            and_(moved.c.warehouse == places.warehouse, moved.c.location == places.location),
        )
        .where(
            (places.warehouse > after[0])
            | and_(places.warehouse == after[0], places.location > after[1])
        )
        .order_by(places.warehouse, places.location)
    )


def _idle_partners(connection: Connection, *, after: str, limit: int) -> list[Idle]:
    partners = catalogue_tables.partners.c
    purchases, sales = purchasing_tables.purchase_orders.c, sales_tables.sales_orders.c
    query = (
        select(partners.partner, partners.name)
        .where(
            partners.partner > after,
            not_(select(purchases.code).where(purchases.supplier == partners.partner).exists()),
            not_(select(sales.code).where(sales.customer == partners.partner).exists()),
        )
        .order_by(partners.partner)
        .limit(limit)
    )
    return [Idle("", row.partner, row.name, 0) for row in connection.execute(query)]
