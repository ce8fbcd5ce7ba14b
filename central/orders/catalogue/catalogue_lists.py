"""Items, places, warehouses and partners page by page, as somebody looks for them. Edge of SQL."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, union

from central.orders.catalogue.cards import gtin_forms
from central.orders.catalogue.items import StoredItem, read_items
from central.orders.catalogue.partners import StoredPartner, read_partners
from central.orders.catalogue.places import PlaceKey, StoredPlace, read_places
from central.orders.catalogue.warehouses import StoredWarehouse, read_warehouses
from central.storage import tables
from central.storage.catalogue_tables import (
    item_policies,
    location_details,
    partner_certificates,
    partners,
)


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items. "" for any. search: a part of the code or of a name, in any case of letters."""

    search: str = ""
    gtin: str = ""
    category: str = ""
    abc: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PlaceFilter:
    """Which places of a warehouse. "" and None for any. parent: right below it."""

    warehouse: str = ""
    parent: str | None = None
    zone: str = ""
    pick_face: bool | None = None
    blocked: bool | None = None


@dataclass(frozen=True, slots=True)
class PartnerFilter:
    """Which partners. "" and None for any. kind: those that are both are of either kind.

    certificate_ends_before: with a certificate that is valid until before that day.
    """

    search: str = ""
    kind: str = ""
    region: str = ""
    active: bool | None = None
    certificate_ends_before: str = ""


def list_items(
    connection: Connection, wanted: ItemFilter, *, after: str, limit: int
) -> list[StoredItem]:
    """Return items by code, those after one code."""
    items, policies = tables.items.c, item_policies.c
    query = select(items.item).where(items.item > after)
    if wanted.search:
        query = query.where(_has(wanted.search, items.item, items.name, items.name_zh))
    if wanted.kind:
        query = query.where(items.kind == wanted.kind)
    if wanted.gtin:
        barcodes = tables.item_barcodes.c
        forms = gtin_forms(wanted.gtin)
        query = query.where(items.item.in_(select(barcodes.item).where(barcodes.gtin.in_(forms))))
    if wanted.category or wanted.abc:
        query = query.join(item_policies, policies.item == items.item)
        if wanted.category:
            query = query.where(policies.category == wanted.category)
        if wanted.abc:
            query = query.where(policies.abc == wanted.abc)
    codes = connection.execute(query.order_by(items.item).limit(limit)).scalars().all()
    found = read_items(connection, codes)
    return [found[code] for code in codes]


def list_places(
    connection: Connection, wanted: PlaceFilter, *, after: PlaceKey, limit: int
) -> list[StoredPlace]:
    """Return places and areas by warehouse and code, those after one."""
    known, details = tables.locations.c, location_details.c
    every = union(
        select(known.warehouse, known.location),
        select(details.warehouse, details.location).where(details.area),
    ).subquery()
    query = (
        select(every.c.warehouse, every.c.location)
        .outerjoin(
            location_details,
            (details.warehouse == every.c.warehouse) & (details.location == every.c.location),
        )
        .where(
            or_(
                every.c.warehouse > after[0],
                (every.c.warehouse == after[0]) & (every.c.location > after[1]),
            )
        )
    )
    if wanted.warehouse:
        query = query.where(every.c.warehouse == wanted.warehouse)
    if wanted.parent is not None:
        query = query.where(func.coalesce(details.parent, "") == wanted.parent)
    if wanted.zone:
        query = query.where(details.zone == wanted.zone)
    for column, value in ((details.pick_face, wanted.pick_face), (details.blocked, wanted.blocked)):
        if value is not None:
            query = query.where(func.coalesce(column, False) == value)
    ordered = query.order_by(every.c.warehouse, every.c.location).limit(limit)
    keys = [(row.warehouse, row.location) for row in connection.execute(ordered)]
    found = read_places(connection, keys)
    return [found[key] for key in keys]


def list_warehouses(connection: Connection, *, after: str, limit: int) -> list[StoredWarehouse]:
    """Return warehouses by code, those after one code."""
    table = tables.warehouses.c
    query = select(table.warehouse).where(table.warehouse > after)
    codes = _codes(connection, query.order_by(table.warehouse).limit(limit))
    found = read_warehouses(connection, codes)
    return [found[code] for code in codes]


def list_partners(
    connection: Connection, wanted: PartnerFilter, *, after: str, limit: int
) -> list[StoredPartner]:
    """Return partners by code, those after one code."""
    table, certificates = partners.c, partner_certificates.c
    query = select(table.partner).where(table.partner > after)
    if wanted.search:
        query = query.where(_has(wanted.search, table.partner, table.name, table.name_zh))
    if wanted.kind:
        query = query.where(table.kind.in_((wanted.kind, "both")))
    if wanted.region:
        query = query.where(table.region == wanted.region)
    if wanted.active is not None:
        query = query.where(table.active == wanted.active)
    if wanted.certificate_ends_before:
        ending = select(certificates.partner).where(
            certificates.valid_until != "",
            certificates.valid_until < wanted.certificate_ends_before,
        )
        query = query.where(table.partner.in_(ending))
    codes = _codes(connection, query.order_by(table.partner).limit(limit))
    found = read_partners(connection, codes)
    return [found[code] for code in codes]


def _codes(connection: Connection, query: Select[Any]) -> list[str]:
    return list(connection.execute(query).scalars())


def _has(text: str, *columns: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether a column has a text in it; "%" and "_" are meant as they are."""
    return or_(*(func.lower(column).contains(text.lower(), autoescape=True) for column in columns))
