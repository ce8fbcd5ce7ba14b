"""Stock that is there when the ledger begins, as facts of the ledger's own. Edge of the database.

An opening balance is a movement from `adjustment` to its place. It is for goods that the ledger has
never seen at a place; where it has, the same figure changes nothing and another one is refused:
stock that has a history is counted, not overwritten.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection

from central.contract.errors import ContractError
from central.contract.facts import Movement
from central.contract.gs1 import check_key
from central.contract.quantities import MICRO_PER_UNIT, canonical_text, from_micro
from central.errors import Unusable
from central.ledger.desk import Change
from central.ledger.locations import is_virtual
from central.ledger.statuses import AVAILABLE
from central.orders.catalogue.cards import WORD_CHARACTERS_MAX, Fault, text_faults
from central.orders.catalogue.item_cards import Policy
from central.orders.catalogue.items import PutCounts, policies_of, units_of
from central.orders.catalogue.packs import QUANTITY_MICRO_MAX, ItemUnits, to_base
from central.orders.spreadsheets.import_books import ImportBook, fields_of, text_of
from central.orders.spreadsheets.import_columns import BALANCES
from central.orders.spreadsheets.import_rows import ImportRow
from central.storage import bulk, tables
from central.storage.goods_tables import lots

SSCC_LENGTH = 18
FACTS_AT_ONCE_MAX = 5000


@dataclass(frozen=True, slots=True)
class _Item:
    """What has to be known of an item to say how much of it there is."""

    units: ItemUnits
    policy: Policy
    lot_tracked: bool


class OpeningKey(NamedTuple):
    """Which stock."""

    warehouse: str
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    status: str


@dataclass(frozen=True, slots=True)
class Opening:
    """So much of it. unit: one of the item, "" for its own. weight_micro: 0 for what has none."""

    key: OpeningKey
    quantity_micro: int = 0
    unit: str = ""
    expiry_date: str = ""
    weight_micro: int = 0


@dataclass(frozen=True, slots=True)
class StoredOpening:
    """What the ledger has of it, in the item's unit, also if that is nothing any more."""

    card: Opening


def opening_of(row: ImportRow) -> OpeningKey:
    """Return which stock a row is about."""
    names = OpeningKey._fields
    return OpeningKey._make([*(text_of(row, name) for name in names[:-1]), _status_of(row)])


def read_openings(connection: Connection, keys: set[OpeningKey]) -> dict[OpeningKey, StoredOpening]:
    """Return what the ledger has, or had, of these."""
    units = units_of(connection, {key.item for key in keys})
    wanted = sorted(
        (*key[:-1], units[key.item].base, key.status) for key in keys if key.item in units
    )
    expiry = _expiry_dates(connection, keys)
    found = {}
    for row in bulk.select_by_key(connection, tables.balances, wanted, columns_count=8):
        key = OpeningKey._make((*row[:6], row[7]))
        date = expiry.get((key.warehouse, key.item, key.lot), "")
        found[key] = StoredOpening(Opening(key, row[8], row[6], date, row[10]))
    return found


def put_openings(
    change: Change, cards: Sequence[Opening], stored: Mapping[OpeningKey, StoredOpening]
) -> PutCounts:
    """Post what the ledger does not have yet; cards were judged already."""
    items = _items(change.connection, {card.key for card in cards})
    new = sorted((card for card in cards if card.key not in stored), key=lambda card: card.key)
    for _, some in groupby(new, key=lambda card: card.key.warehouse):
        drafts = [_movement(change, card, items[card.key.item]) for card in some]
        for start in range(0, len(drafts), FACTS_AT_ONCE_MAX):
            change.post(drafts[start : start + FACTS_AT_ONCE_MAX])
    return PutCounts(created=len(new), unchanged=len(cards) - len(new))


def _status_of(row: ImportRow) -> str:
    return text_of(row, "status") or AVAILABLE


def _merged(stored: StoredOpening | None, rows: Sequence[ImportRow]) -> Opening:
    (row,) = rows
    card = stored.card if stored else Opening(opening_of(row))
    said = fields_of(row, without=frozenset(OpeningKey._fields))
    return replace(card, **said)  # type: ignore[arg-type]


def _faults(card: Opening) -> Iterator[Fault]:
    if not 0 < card.quantity_micro <= QUANTITY_MICRO_MAX:
        hint = "Write how much is there; leave out what is not."
        yield Fault("quantity", "is not greater than zero", hint)
    if not 0 <= card.weight_micro <= QUANTITY_MICRO_MAX:
        yield Fault("weight", "is less than zero", "Write the net weight.")
    for name in ("lot", "serial"):
        yield from text_faults(
            name, getattr(card.key, name), characters_max=WORD_CHARACTERS_MAX, required=False
        )
    if card.key.serial and card.quantity_micro != MICRO_PER_UNIT:
        yield Fault("quantity", "one serial number is one piece", "Write 1.")
    if is_virtual(card.key.location):
        yield Fault("location", "is no place of the warehouse", "Name where the goods are.")
    if card.key.sscc:
        yield from _sscc_faults(card.key.sscc)


def _sscc_faults(sscc: str) -> Iterator[Fault]:
    if len(sscc) != SSCC_LENGTH:
        hint = "A spreadsheet cannot keep 18 digits as a number: format the column as text."
        yield Fault("sscc", f"{sscc[:40]!r} is not 18 digits", hint)
        return
    try:
        check_key(sscc, what="SSCC")
    except ContractError as error:
        yield Fault("sscc", str(error), "Scan it again.")


def _conflicts(
    connection: Connection, cards: Sequence[Opening], stored: Mapping[OpeningKey, StoredOpening]
) -> Iterator[tuple[OpeningKey, Fault]]:
    items = _items(connection, {card.key for card in cards})
    places = sorted({(card.key.warehouse, card.key.location) for card in cards})
    known = {
        (row[0], row[1])
        for row in bulk.select_by_key(connection, tables.locations, places, columns_count=2)
    }
    serials: dict[tuple[str, str], OpeningKey] = {}
    for card in cards:
        key = card.key
        if (key.warehouse, key.location) not in known:
            message = f"there is no place {key.warehouse} {key.location}"
            yield key, Fault("location", message, "Add the place first, or correct it.")
        if key.item not in items:
            message = f"no item is called {key.item!r}"
            yield key, Fault("item", message, "Add the item first, or correct its code.")
            continue
        if key.serial and serials.setdefault((key.item, key.serial), key) != key:
            where = serials[key.item, key.serial]
            message = f"is at {where.warehouse} {where.location} already"
            yield key, Fault("serial", message, "One serial number is in one place.")
        yield from (
            (key, fault) for fault in _item_conflicts(card, items[key.item], stored.get(key))
        )


def _item_conflicts(card: Opening, item: _Item, stored: StoredOpening | None) -> Iterator[Fault]:
    """Yield what contradicts the item, or what the ledger has."""
    try:
        quantity_micro = to_base(card.quantity_micro, item.units, unit=card.unit or item.units.base)
    except Unusable as error:
        yield Fault("unit" if "not stated" in str(error) else "quantity", str(error), error.hint)
        return
    if stored is not None:
        present = stored.card
        stated = replace(card, quantity_micro=quantity_micro, unit=present.unit)
        if stated != present:
            text = canonical_text(from_micro(present.quantity_micro))
            message = f"the ledger has {text} {present.unit} there already, or had"
            yield Fault("quantity", message, "Count the place instead.")
        return
    policy = item.policy
    if item.lot_tracked and not card.key.lot:
        yield Fault("lot", "the item is kept by lots", "Name the lot.")
    if policy.serial_tracked and not card.key.serial:
        yield Fault("serial", "the item is kept by serial numbers", "Write a row for each.")
    if card.weight_micro and not policy.weight_unit:
        yield Fault("weight", "the item is not weighed", "Leave the weight out.")


def _movement(change: Change, card: Opening, item: _Item) -> Movement:
    key, unit = card.key, item.units.base
    weight = canonical_text(from_micro(card.weight_micro)) if card.weight_micro else ""
    return change.movement(
        warehouse=key.warehouse,
        business_step="storing",
        from_location="adjustment",
        to_location=key.location,
        item=key.item,
        quantity_micro=to_base(card.quantity_micro, item.units, unit=card.unit or unit),
        unit=unit,
        lot=key.lot,
        serial=key.serial,
        sscc=key.sscc,
        expiry_date=card.expiry_date,
        net_weight=weight,
        weight_unit=item.policy.weight_unit if weight else "",
        to_status="" if key.status == AVAILABLE else key.status,
    )


def _items(connection: Connection, keys: set[OpeningKey]) -> dict[str, _Item]:
    units = units_of(connection, {key.item for key in keys})
    policies = policies_of(connection, units)
    lot_tracked = {
        row[0]: bool(row[5])
        for row in bulk.select_by_key(
            connection, tables.items, [(item,) for item in units], columns_count=1
        )
    }
    return {item: _Item(units[item], policies[item], lot_tracked[item]) for item in units}


def _expiry_dates(connection: Connection, keys: set[OpeningKey]) -> dict[tuple[str, str, str], str]:
    named = sorted({(key.warehouse, key.item, key.lot) for key in keys if key.lot})
    rows = bulk.select_by_key(connection, lots, named, columns_count=3)
    return {(row[0], row[1], row[2]): row[3] for row in rows}


OPENING_BOOK = ImportBook(
    BALANCES,
    opening_of,
    read_openings,
    _merged,
    _faults,
    _conflicts,
    put_openings,
    asks_stock=lambda _before, _card: True,
)
