"""The book of warehouses. Edge of the database."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete

from central.contract.reference import Warehouse
from central.errors import Conflict, NotThere
from central.ledger.desk import Change, require_version
from central.ledger.reference_desk import put_warehouse, withdraw_warehouse
from central.orders.catalogue.card_conflicts import case_twins, twin_fault
from central.orders.catalogue.cards import changed_fields, refuse_faults
from central.orders.catalogue.place_cards import WarehouseCard, warehouse_faults
from central.orders.catalogue.uses import refuse_while_used, warehouse_uses
from central.storage import bulk, tables
from central.storage.catalogue_tables import warehouse_details

KIND = "warehouse"  # Of its events.


@dataclass(frozen=True, slots=True)
class StoredWarehouse:
    """A warehouse as it stands. source: "desk" or "file", for what gateways need of it."""

    card: WarehouseCard
    version: int
    source: str


def read_warehouses(connection: Connection, codes: Iterable[str]) -> dict[str, StoredWarehouse]:
    """Return those of the warehouses that are there, by code."""
    keys = [(code,) for code in sorted(set(codes))]
    details = {
        row[0]: row
        for row in bulk.select_by_key(connection, warehouse_details, keys, columns_count=1)
    }
    found = {}
    for row in bulk.select_by_key(connection, tables.warehouses, keys, columns_count=1):
        _, version, gln, address = details.get(row[0], ("", 0, "", ""))
        card = WarehouseCard(row[0], row[1], row[2], gln, address)
        found[row[0]] = StoredWarehouse(card, version, row[3])
    return found


def require_stored_warehouse(connection: Connection, code: str) -> StoredWarehouse:
    """Return a warehouse. Raises NotThere."""
    found = read_warehouses(connection, [code]).get(code)
    if found is None:
        raise NotThere(
            f"no warehouse is called {code!r}", hint="Check the code in the list of warehouses."
        )
    return found


def create_warehouse(change: Change, card: WarehouseCard) -> StoredWarehouse:
    """Add a warehouse and return it.

    Raises Unusable for an impossible card, Conflict if it or one that looks like it is there.
    """
    refuse_faults(f"warehouse {card.code}", warehouse_faults(card))
    if read_warehouses(change.connection, [card.code]):
        raise Conflict(
            f"warehouse {card.code} is there already",
            hint="Change that warehouse, or choose another code.",
            fields={"warehouse": card.code},
        )
    column = tables.warehouses.c.warehouse
    for code, other in case_twins(change.connection, column, [card.code]).items():
        fault = twin_fault(code, other)
        raise Conflict(
            f"warehouse {code}: {fault.field}: {fault.message}",
            hint=fault.hint,
            fields={"field": fault.field},
        )
    return _put(change, card, None)


def replace_warehouse(
    change: Change, card: WarehouseCard, *, version: int | None
) -> StoredWarehouse:
    """Make a card the one of a warehouse that is there; nothing happens if it is already.

    Raises NotThere, Outdated, Unusable for an impossible card.
    """
    stored = require_stored_warehouse(change.connection, card.code)
    require_version(stored.version, version, what=f"warehouse {card.code}")
    return _put(change, card, stored)


def retire_warehouse(change: Change, code: str, *, version: int | None) -> None:
    """Take out a warehouse.

    Raises NotThere, Outdated, Conflict while it has places, gateways or stock, or a document that
    is not ended names it.
    """
    stored = require_stored_warehouse(change.connection, code)
    require_version(stored.version, version, what=f"warehouse {code}")
    uses = warehouse_uses(change.connection, code)
    refuse_while_used(f"warehouse {code}", uses, fields={"warehouse": code})
    table = warehouse_details
    change.connection.execute(delete(table).where(table.c.warehouse == code))
    withdraw_warehouse(change, code)
    change.note(KIND, code, "retired", warehouse=code)


def _put(change: Change, card: WarehouseCard, stored: StoredWarehouse | None) -> StoredWarehouse:
    refuse_faults(f"warehouse {card.code}", warehouse_faults(card))
    if stored is not None and stored.card == card:
        return stored
    names = (card.name, card.name_zh)
    if stored is None or names != (stored.card.name, stored.card.name_zh):
        told = Warehouse(code=card.code, name=card.name, name_zh=card.name_zh, locations=())
        put_warehouse(change, told)
    version = stored.version + 1 if stored else 1
    row = (card.code, version, card.gln, card.address)
    bulk.upsert_rows(change.connection, warehouse_details, [row])
    if stored is None:
        change.note(KIND, card.code, "created", warehouse=card.code)
    else:
        changes = changed_fields(stored.card, card)
        change.note(KIND, card.code, "changed", warehouse=card.code, changes=changes)
    return require_stored_warehouse(change.connection, card.code)
