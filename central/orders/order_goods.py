"""What an order may name: items with their units, suppliers, warehouses. Edge of the database."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from central.contract.quantities import MICRO_PER_UNIT
from central.errors import Conflict, Unusable
from central.orders.catalogue.item_cards import Policy, pieces_kept
from central.orders.catalogue.items import policies_of, units_of
from central.orders.catalogue.packs import ItemUnits, parts_piece, refuse_part
from central.stock.times import utc_text
from central.storage import bulk, catalogue_tables, tables

SUPPLYING: frozenset[str] = frozenset({"supplier", "both"})


@dataclass(frozen=True, slots=True)
class Goods:
    """What an order needs to know of an item. Tolerances: of the item's policy, 0 for none."""

    item: str
    units: ItemUnits
    over_percent_micro: int
    under_percent_micro: int


@dataclass(frozen=True, slots=True)
class SupplierNote:
    """What people are told of a supplier. expired: certificates, as "kind number (last day)"."""

    name: str
    expired: tuple[str, ...]


def goods_looks(items: Iterable[str]) -> list[bulk.Look]:
    """Return what `read_goods` will look up, to be read ahead with other things."""
    keys = [(item,) for item in sorted(set(items))]
    stored = (catalogue_tables.item_units, tables.items, catalogue_tables.item_policies)
    return [bulk.Look(table, keys, 1) for table in stored]


def read_goods(connection: Connection, items: Collection[str]) -> dict[str, Goods]:
    """Return what is known of items by their codes.

    Raises Unusable that names every item that is not there.
    """
    units = units_of(connection, items)
    missing = sorted(set(items) - units.keys())
    if missing:
        raise Unusable(
            f"no item is called {missing[0]!r}",
            hint="Add the item first, or correct its code.",
            fields={"items": missing},
        )
    policies = policies_of(connection, items)
    return {
        item: Goods(
            item,
            _kept(stated, policies[item]),
            policies[item].over_tolerance_percent_micro,
            policies[item].under_tolerance_percent_micro,
        )
        for item, stated in units.items()
    }


def require_whole(
    connection: Connection,
    item: str,
    quantity_micro: int,
    *,
    unit: str = "",
    of: Sequence[int] = (),
) -> None:
    """Return if so much of an item parts no piece of it. Raises Unusable.

    unit: "" for the item's own. of: what it is taken of; where that has parts of pieces already,
    it may be a part. Whole numbers ask nothing of the database. What nobody knows may be parted.
    """
    if quantity_micro % MICRO_PER_UNIT == 0:
        return
    stated = kept_units(connection, [item]).get(item)
    if stated is not None and not _has_parts(of, stated, unit=unit):
        refuse_part(quantity_micro, stated, unit=unit or stated.base)


def parting(
    connection: Connection, item: str, quantities: Iterable[int], *, unit: str, of: int
) -> frozenset[int]:
    """Return those quantities that `require_whole` refuses, of what is taken of one."""
    parted = {quantity for quantity in quantities if quantity % MICRO_PER_UNIT}
    stated = kept_units(connection, [item]).get(item) if parted else None
    if stated is None or _has_parts([of], stated, unit=unit):
        return frozenset()
    return frozenset(one for one in parted if _has_parts([one], stated, unit=unit))


def kept_units(connection: Connection, items: Collection[str]) -> dict[str, ItemUnits]:
    """Return the units of items that are there, and which pieces of them are never parted."""
    policies = policies_of(connection, items)
    return {
        item: _kept(stated, policies[item]) for item, stated in units_of(connection, items).items()
    }


def require_supplier(connection: Connection, supplier: str) -> None:
    """Return if goods may be ordered of a supplier.

    Raises Unusable for one that is not there, Conflict for one that is retired or only buys.
    """
    table = catalogue_tables.partners.c
    row = connection.execute(
        select(table.kind, table.active).where(table.partner == supplier)
    ).first()
    if row is None:
        raise Unusable(
            f"no supplier is called {supplier!r}",
            hint="Add the supplier first, or correct the code.",
            fields={"supplier": supplier},
        )
    if row.kind not in SUPPLYING:
        raise Conflict(
            f"partner {supplier} is a customer, not a supplier",
            hint="Make the partner a supplier too, or order of another one.",
            fields={"supplier": supplier},
        )
    if not row.active:
        raise Conflict(
            f"supplier {supplier} is retired",
            hint="Take the supplier back into use, or order of another one.",
            fields={"supplier": supplier},
        )


def supplier_names(connection: Connection, suppliers: Collection[str]) -> Mapping[str, str]:
    """Return the names of suppliers by code; of one that is not there, its code."""
    table = catalogue_tables.partners.c
    rows = connection.execute(
        select(table.partner, table.name).where(table.partner.in_(set(suppliers)))
    )
    return {code: code for code in suppliers} | {row.partner: row.name for row in rows if row.name}


def supplier_notes(
    connection: Connection, suppliers: Collection[str], *, now_ms: int
) -> dict[str, SupplierNote]:
    """Return what people are told of suppliers beside their codes."""
    names = supplier_names(connection, suppliers)
    table = catalogue_tables.partner_certificates.c
    expired: dict[str, list[str]] = {}
    for row in connection.execute(
        select(table.partner, table.kind, table.number, table.valid_until)
        .where(
            table.partner.in_(set(suppliers)),
            table.valid_until != "",
            table.valid_until < date_of(now_ms),
        )
        .order_by(table.partner, table.kind, table.number)
    ):
        text = f"{row.kind} {row.number} ({row.valid_until})"
        expired.setdefault(row.partner, []).append(text)
    return {code: SupplierNote(names[code], tuple(expired.get(code, ()))) for code in suppliers}


def require_warehouse(connection: Connection, warehouse: str) -> None:
    """Return if there is such a warehouse. Raises Unusable."""
    found = bulk.select_by_key(connection, tables.warehouses, [(warehouse,)], columns_count=1)
    if not any(True for _ in found):
        raise Unusable(
            f"no warehouse is called {warehouse!r}",
            hint="Use the code of a warehouse that is there.",
            fields={"warehouse": warehouse},
        )


def require_known(connection: Connection, found: Sized, warehouse: str | None) -> None:
    """Return unless nothing was found and there is no such warehouse. Raises Unusable.

    What a list does hold is shown, also of a warehouse that only gateways know. warehouse: None for
    any, which always may be.
    """
    if warehouse and not found:
        require_warehouse(connection, warehouse)


def date_of(time_ms: int) -> str:
    """Return the day of a moment in UTC as YYYY-MM-DD, "" for one beyond the year 9999."""
    return (utc_text(time_ms) or "")[: len("YYYY-MM-DD")]


def checked_date(text: str, *, what: str) -> str:
    """Return a day as it was given, "" for none. Raises Unusable unless it is YYYY-MM-DD."""
    if not text:
        return ""
    try:
        if len(text) == len("YYYY-MM-DD"):
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        pass
    raise Unusable(
        f"{what} {text[:20]!r} is no date",
        hint="Write it as YYYY-MM-DD.",
        fields={what: text[:20]},
    )


def checked_reason(reason: str, *, what: str) -> str:
    """Return a reason that says something. Raises Unusable."""
    text = reason.strip()
    if not text:
        raise Unusable(f"{what} needs a reason", hint="Say why, in a few words.")
    return text


def _has_parts(quantities: Iterable[int], stated: ItemUnits, *, unit: str) -> bool:
    return any(parts_piece(one, stated, unit=unit or stated.base) for one in quantities)


def _kept(stated: ItemUnits, policy: Policy) -> ItemUnits:
    """Return the units of an item, by which pieces that are known by number stay whole."""
    if stated.pieces or not policy.serial_tracked:
        return stated
    return replace(stated, pieces=pieces_kept(stated.base, kind="bulk", serial_tracked=True))
