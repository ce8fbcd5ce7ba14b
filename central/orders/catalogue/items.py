"""The book of items: cards, packs, bar codes, policies, home places. Edge of the database.

What gateways need of an item is reference data; the rest stands in tables of its own. An item that
a reference document brought may have both, too: then version 0 is what nobody has changed here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from operator import attrgetter

from sqlalchemy import Connection, Table, delete, select

from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import Barcode, Item
from central.errors import Conflict, NotThere
from central.ledger.desk import Change, ObjectNote, require_version
from central.ledger.lying_stock import weighed_in
from central.ledger.measures import WEIGHED_IN
from central.ledger.packs_then import note_former_packs
from central.ledger.reference_desk import put_items, touch_items, withdraw_item
from central.orders.catalogue.card_conflicts import (
    case_twins,
    gtin_conflicts,
    home_conflicts,
    twin_fault,
)
from central.orders.catalogue.cards import Fault, changed_fields, refuse_faults
from central.orders.catalogue.item_cards import (
    HomePlace,
    ItemBarcode,
    ItemCard,
    Pack,
    Policy,
    all_barcodes,
    item_faults,
    packs_gone,
    pieces_kept,
)
from central.orders.catalogue.packs import ItemUnits
from central.orders.catalogue.stock_conflicts import asks_stock, stock_conflicts
from central.orders.catalogue.uses import item_uses, refuse_while_used
from central.storage import bulk, tables
from central.storage.catalogue_tables import item_places, item_policies, item_units

KIND = "item"  # Of its events.
CODES_AT_ONCE_MAX = 500
# The columns of their tables, in order; astuple() would copy each value deeply.
POLICY = attrgetter(*(field.name for field in fields(Policy)))
PACK = attrgetter(*(field.name for field in fields(Pack)))


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as it stands. source: "desk" or "file", for what gateways need of it."""

    card: ItemCard
    version: int
    source: str


@dataclass(frozen=True, slots=True)
class PutCounts:
    """What a change did to how many objects."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0


def read_items(connection: Connection, codes: Iterable[str]) -> dict[str, StoredItem]:
    """Return those of the items that are there, by code."""
    wanted = sorted(set(codes))
    keys = [(code,) for code in wanted]
    rows = {
        row[0]: row for row in bulk.select_by_key(connection, tables.items, keys, columns_count=1)
    }
    policies = {
        row[0]: row for row in bulk.select_by_key(connection, item_policies, keys, columns_count=1)
    }
    packs: dict[str, list[Pack]] = {}
    for row in bulk.select_by_key(connection, item_units, keys, columns_count=1):
        packs.setdefault(row[0], []).append(Pack(*row[1:]))
    barcodes = _by_item(connection, tables.item_barcodes, wanted)
    places = _by_item(connection, item_places, wanted)
    found = {}
    for code, row in rows.items():
        of_packs = {pack.gtin for pack in packs.get(code, ())}
        card = ItemCard(
            code=code,
            name=row[1],
            name_zh=row[2],
            unit=row[3],
            kind=row[4],
            lot_tracked=bool(row[5]),
            barcodes=tuple(
                sorted(
                    ItemBarcode(one[0], one[2])
                    for one in barcodes.get(code, ())
                    if one[0] not in of_packs
                )
            ),
            packs=tuple(sorted(packs.get(code, ()))),
            places=tuple(
                sorted(HomePlace(one[0], one[2], one[3], one[4]) for one in places.get(code, ()))
            ),
            policy=_policy(policies[code]) if code in policies else Policy(),
        )
        version = policies[code][1] if code in policies else 0
        found[code] = StoredItem(card, version, row[6])
    return found


def require_item(connection: Connection, code: str) -> StoredItem:
    """Return an item. Raises NotThere."""
    found = read_items(connection, [code]).get(code)
    if found is None:
        raise NotThere(f"no item is called {code!r}", hint="Check the code in the list of items.")
    return found


def units_of(connection: Connection, items: Iterable[str]) -> dict[str, ItemUnits]:
    """Return the units in which items can be stated, of those that are there."""
    keys = [(item,) for item in sorted(set(items))]
    packs: dict[str, dict[str, Fraction]] = {}
    for row in bulk.select_by_key(connection, item_units, keys, columns_count=1):
        packs.setdefault(row[0], {})[row[1]] = Pack(*row[1:]).size
    return {
        row[0]: ItemUnits(row[0], row[3], packs.get(row[0], {}), pieces_kept(row[3], kind=row[4]))
        for row in bulk.select_by_key(connection, tables.items, keys, columns_count=1)
    }


def policies_of(connection: Connection, items: Iterable[str]) -> dict[str, Policy]:
    """Return the policy of each item, the default one for those that have none of their own."""
    wanted = sorted(set(items))
    found = dict.fromkeys(wanted, Policy())
    keys = [(item,) for item in wanted]
    for row in bulk.select_by_key(connection, item_policies, keys, columns_count=1):
        found[row[0]] = _policy(row)
    return found


def weight_units(connection: Connection, items: Iterable[str]) -> dict[str, str]:
    """Return in which unit each of these items is weighed; without any, nothing is read."""
    named = set(items)
    policies = policies_of(connection, named) if named else {}
    return {item: policy.weight_unit or WEIGHED_IN for item, policy in policies.items()}


def create_item(change: Change, card: ItemCard) -> StoredItem:
    """Add an item and return it.

    Raises Unusable for an impossible card, Conflict if it is there or contradicts what is.
    """
    refuse_faults(f"item {card.code}", item_faults(card))
    if card.code in read_items(change.connection, [card.code]):
        raise Conflict(
            f"item {card.code} is there already",
            hint="Change that item, or choose another code.",
            fields={"item": card.code},
        )
    return _put_one(change, card, {})


def replace_item(change: Change, card: ItemCard, *, version: int | None) -> StoredItem:
    """Make a card the one of an item that is there; nothing happens if it is already.

    Raises NotThere, Outdated, Unusable for an impossible card, Conflict for one that contradicts
    what is there: stock in another unit, a GTIN of another item.
    """
    stored = require_item(change.connection, card.code)
    require_version(stored.version, version, what=f"item {card.code}")
    return _put_one(change, card, {card.code: stored})


def retire_item(change: Change, code: str, *, version: int | None) -> None:
    """Take an item out of what can be worked with; its facts and events stay.

    Raises NotThere, Outdated, Conflict while there is stock of it or an open order names it.
    """
    stored = require_item(change.connection, code)
    require_version(stored.version, version, what=f"item {code}")
    refuse_while_used(f"item {code}", item_uses(change.connection, code), fields={"item": code})
    former = packs_gone(stored.card, None)
    note_former_packs(change.connection, former, until_record_no=change.state.record_no)
    tables_left = [item_units, item_places]
    if weighed_in(change.connection, code) in {"", WEIGHED_IN}:
        # Else it stays, to say what the weights in the books are kept in should the item come back.
        tables_left.append(item_policies)
    for table in tables_left:
        change.connection.execute(delete(table).where(table.c.item == code))
    withdraw_item(change, code)
    # What it was called then is told of its facts, ever after.
    named = replace(stored.card, barcodes=(), packs=())
    change.note(KIND, code, "retired", changes=changed_fields(stored.card, named))


def item_conflicts(
    connection: Connection, cards: Sequence[ItemCard], stored: Mapping[str, StoredItem]
) -> Iterator[tuple[str, Fault]]:
    """Yield (item, fault) of what contradicts other entries, the cards taken together.

    stored: those of the items that are there.
    """
    yield from gtin_conflicts(connection, cards)
    yield from home_conflicts(connection, cards)
    new = [card.code for card in cards if card.code not in stored]
    for code, other in case_twins(connection, tables.items.c.item, new).items():
        yield code, twin_fault(code, other)
    keys = [(code,) for code in sorted(new)]
    left = bulk.select_by_key(connection, item_policies, keys, columns_count=1)
    come_back = {row[0] for row in left}  # Weighed items that were taken out.
    for card in cards:
        before = stored[card.code].card if card.code in stored else None
        if card.code in come_back or asks_stock(before, card):
            for fault in stock_conflicts(connection, card, before):
                yield card.code, fault


def put_cards(
    change: Change, cards: Sequence[ItemCard], stored: Mapping[str, StoredItem]
) -> PutCounts:
    """Write cards that were judged already; what is as it was is left alone.

    stored: those of the items that are there, as read in this change.
    """
    new = [card for card in cards if card.code not in stored]
    changed = [card for card in cards if card.code in stored and stored[card.code].card != card]
    _write(change, [*new, *changed], stored)
    change.note_all(KIND, "created", [ObjectNote(card.code, "", {}) for card in new])
    change.note_all(
        KIND,
        "changed",
        [
            ObjectNote(card.code, "", {"changes": changed_fields(stored[card.code].card, card)})
            for card in changed
        ],
    )
    return PutCounts(len(new), len(changed), len(cards) - len(new) - len(changed))


def _put_one(change: Change, card: ItemCard, stored: Mapping[str, StoredItem]) -> StoredItem:
    what = f"item {card.code}"
    before = stored.get(card.code)
    known = set(item_faults(before.card)) if before else set()
    refuse_faults(what, [fault for fault in item_faults(card) if fault not in known])
    for _, fault in item_conflicts(change.connection, [card], stored):
        raise Conflict(
            f"{what}: {fault.field}: {fault.message}",
            hint=fault.hint,
            fields={"field": fault.field},
        )
    put_cards(change, [card], stored)
    return require_item(change.connection, card.code)


def _by_item(
    connection: Connection, table: Table, items: Sequence[str]
) -> dict[str, list[bulk.Row]]:
    found: dict[str, list[bulk.Row]] = {}
    position = list(table.c.keys()).index("item")
    for start in range(0, len(items), CODES_AT_ONCE_MAX):
        some = items[start : start + CODES_AT_ONCE_MAX]
        for row in connection.execute(select(table).where(table.c.item.in_(some))):
            found.setdefault(row[position], []).append(tuple(row))
    return found


def _policy(row: bulk.Row) -> Policy:
    inspected, weight_unit, expiry_tracked, serial_tracked, *rest = row[2:]
    return Policy(bool(inspected), weight_unit, bool(expiry_tracked), bool(serial_tracked), *rest)


def _write(change: Change, cards: Sequence[ItemCard], stored: Mapping[str, StoredItem]) -> None:
    connection = change.connection
    before = {code: one.card for code, one in stored.items()}
    told, touched = [], []
    for card in cards:
        was = before.get(card.code)
        if was is None or _told(was) != _told(card):
            told.append(_told(card))
        elif _posted_by(was) != _posted_by(card):
            touched.append(card.code)
    put_items(change, told)
    touch_items(change, touched)
    known = [card for card in cards if card.code in before]
    former = [one for card in known for one in packs_gone(before[card.code], card)]
    note_former_packs(connection, former, until_record_no=change.state.record_no)
    versions = {code: one.version for code, one in stored.items()}
    bulk.upsert_rows(
        connection,
        item_policies,
        [(card.code, versions.get(card.code, 0) + 1, *POLICY(card.policy)) for card in cards],
    )
    for table, rows in (
        (item_units, [(card.code, *PACK(pack)) for card in cards for pack in card.packs]),
        (
            item_places,
            [
                (place.warehouse, card.code, place.location, place.min_micro, place.max_micro)
                for card in cards
                for place in card.places
            ],
        ),
    ):
        codes = [card.code for card in cards]
        for start in range(0, len(codes), CODES_AT_ONCE_MAX):
            some = codes[start : start + CODES_AT_ONCE_MAX]
            connection.execute(delete(table).where(table.c.item.in_(some)))
        bulk.insert_rows(connection, table, rows)


def _posted_by(card: ItemCard) -> tuple[object, ...]:
    """Return what the ledger itself remembers of an item beside what gateways are told."""
    packs = {(pack.unit, pack.size) for pack in card.packs}
    return card.policy.inspected, card.policy.weight_unit, packs


def _told(card: ItemCard) -> Item:
    """Return what gateways are told of an item."""
    return Item(
        code=card.code,
        name=card.name,
        name_zh=card.name_zh,
        unit=card.unit,
        kind="bulk" if card.kind == "bulk" else "piece",
        lot_tracked=card.lot_tracked,
        serial_tracked=card.policy.serial_tracked,
        expiry_tracked=card.policy.expiry_tracked,
        min_days_left_to_ship=card.policy.min_days_left_to_ship,
        barcodes=tuple(
            Barcode(gtin=one.gtin, quantity=canonical_text(from_micro(one.quantity_micro)))
            for one in all_barcodes(card)
        ),
    )
