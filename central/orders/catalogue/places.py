"""The book of places: warehouses, and the tree of areas and places in each. Edge of the database.

Places that hold stock are reference data of gateways; areas and everything else that is said of a
place stand in a table of their own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete

from central.contract.reference import Location, LocationKind
from central.errors import Conflict, NotThere
from central.ledger.desk import Change, ObjectNote, require_version
from central.ledger.reference_desk import put_locations, withdraw_location
from central.orders.catalogue.blocked_places import block_below
from central.orders.catalogue.card_conflicts import case_twins, twin_fault
from central.orders.catalogue.cards import Fault, changed_fields, refuse_faults
from central.orders.catalogue.items import PutCounts
from central.orders.catalogue.place_cards import (
    AREA,
    DEPTH_MAX,
    PlaceCard,
    place_faults,
    tree_faults,
)
from central.orders.catalogue.uses import place_uses, refuse_while_used
from central.storage import bulk, tables
from central.storage.catalogue_tables import location_details

KIND = "location"  # Of its events; their code is "WAREHOUSE/LOCATION".
PlaceKey = tuple[str, str]  # warehouse, location
KINDS: Mapping[str, LocationKind] = {
    "bin": "bin",
    "dock_door": "dock_door",
    "staging": "staging",
    "quality_hold": "quality_hold",
}


@dataclass(frozen=True, slots=True)
class StoredPlace:
    """A place as it stands. source: "desk" or "file", for what gateways need of it.

    blocked_by: the nearest place on the way up that is blocked, itself first; "" if none is.
    """

    card: PlaceCard
    version: int
    source: str
    blocked_by: str = ""


def read_places(connection: Connection, keys: Iterable[PlaceKey]) -> dict[PlaceKey, StoredPlace]:
    """Return those of the places and areas that are there."""
    wanted = sorted(set(keys))
    known = {
        (row[0], row[1]): row
        for row in bulk.select_by_key(connection, tables.locations, wanted, columns_count=2)
    }
    details = {
        (row[0], row[1]): row
        for row in bulk.select_by_key(connection, location_details, wanted, columns_count=2)
    }
    found = {}
    for key in wanted:
        row, detail = known.get(key), details.get(key)
        if row is None and (detail is None or not detail[3]):
            continue  # What is said of a place that a reference document has taken away.
        kind = AREA if row is None else row[2]
        source = "desk" if row is None else row[3]
        if detail is None:
            found[key] = StoredPlace(PlaceCard(*key, kind=kind), 0, source)
            continue
        _, _, version, _, name, parent, walk, pick_face, capacity, zone, storage, _, by = detail
        blocked = by == key[1]  # By itself; what it is in may block it, too.
        card = PlaceCard(
            *key, kind, name, parent, walk, bool(pick_face), capacity, zone, storage, blocked
        )
        found[key] = StoredPlace(card, version, source, by)
    return found


def require_place(connection: Connection, warehouse: str, code: str) -> StoredPlace:
    """Return a place. Raises NotThere."""
    found = read_places(connection, [(warehouse, code)]).get((warehouse, code))
    if found is None:
        raise NotThere(
            f"warehouse {warehouse} has no place {code!r}",
            hint="Check both codes in the list of places.",
        )
    return found


def create_place(change: Change, card: PlaceCard) -> StoredPlace:
    """Add a place and return it.

    Raises Unusable for an impossible card, Conflict if it is there or contradicts what is.
    """
    refuse_faults(f"place {card.warehouse} {card.code}", place_faults(card))
    key = (card.warehouse, card.code)
    if key in read_places(change.connection, [key]):
        raise Conflict(
            f"warehouse {card.warehouse} has a place {card.code} already",
            hint="Change that place, or choose another code.",
            fields={"warehouse": card.warehouse, "location": card.code},
        )
    return _put_one(change, card, {})


def replace_place(change: Change, card: PlaceCard, *, version: int | None) -> StoredPlace:
    """Make a card the one of a place that is there; nothing happens if it is already.

    Raises NotThere, Outdated, Unusable for an impossible card, Conflict for one that contradicts
    what is there: a circle of places, stock in what shall be an area.
    """
    stored = require_place(change.connection, card.warehouse, card.code)
    require_version(stored.version, version, what=f"place {card.warehouse} {card.code}")
    return _put_one(change, card, {(card.warehouse, card.code): stored})


def retire_place(change: Change, warehouse: str, code: str, *, version: int | None) -> None:
    """Take out a place; its facts and events stay.

    Raises NotThere, Outdated, Conflict while something is there or belongs there.
    """
    stored = require_place(change.connection, warehouse, code)
    require_version(stored.version, version, what=f"place {warehouse} {code}")
    refuse_while_used(
        f"place {warehouse} {code}",
        place_uses(change.connection, warehouse, code),
        fields={"warehouse": warehouse, "location": code},
    )
    _forget_details(change, warehouse, code)
    if stored.card.kind != AREA:
        withdraw_location(change, warehouse, code)
    change.note(KIND, f"{warehouse}/{code}", "retired", warehouse=warehouse)


def place_conflicts(
    connection: Connection,
    cards: Sequence[PlaceCard],
    stored: Mapping[PlaceKey, StoredPlace],
) -> Iterator[tuple[PlaceKey, Fault]]:
    """Yield what contradicts other entries, the cards taken together.

    stored: those of the places that are there.
    """
    names = sorted({(card.warehouse,) for card in cards})
    warehouses = {
        row[0] for row in bulk.select_by_key(connection, tables.warehouses, names, columns_count=1)
    }
    for card in cards:
        key = (card.warehouse, card.code)
        if card.warehouse not in warehouses:
            hint = "Add the warehouse first, or correct its code."
            yield key, Fault("warehouse", f"there is no warehouse {card.warehouse!r}", hint)
        before = stored.get(key)
        if before and AREA in {card.kind, before.card.kind} and card.kind != before.card.kind:
            uses = place_uses(connection, *key)
            if uses:
                hint = "Choose another code, or end those first."
                yield key, Fault("kind", f"cannot become or cease to be an area: {uses[0]}", hint)
    for warehouse in sorted({card.warehouse for card in cards}):
        ours = {card.code: card.parent for card in cards if card.warehouse == warehouse}
        new = [code for code in ours if (warehouse, code) not in stored]
        for code, other in _twins(connection, warehouse, new).items():
            yield (warehouse, code), twin_fault(code, other)
        parents = _ways_up(connection, warehouse, ours)
        for code, fault in tree_faults(parents, ours):
            yield (warehouse, code), fault


def put_places(
    change: Change, cards: Sequence[PlaceCard], stored: Mapping[PlaceKey, StoredPlace]
) -> PutCounts:
    """Write cards that were judged already; what is as it was is left alone.

    stored: those of the places that are there, as read in this change.
    """
    new = [card for card in cards if (card.warehouse, card.code) not in stored]
    changed = [
        card
        for card in cards
        if (known := stored.get((card.warehouse, card.code))) and known.card != card
    ]
    written = [*new, *changed]
    told = []
    for card in written:
        before = stored.get((card.warehouse, card.code))
        if card.kind == AREA:
            if before and before.card.kind != AREA:
                withdraw_location(change, card.warehouse, card.code)
        elif not before or before.card.kind != card.kind:
            told.append((card.warehouse, Location(code=card.code, kind=KINDS[card.kind])))
    put_locations(change, told)
    versions = {key: one.version for key, one in stored.items()}
    bulk.upsert_rows(
        change.connection,
        location_details,
        [_row(card, versions.get((card.warehouse, card.code), 0) + 1) for card in written],
    )
    block_below(change.connection, {card.warehouse for card in written})
    change.note_all(KIND, "created", [_note(card, {}) for card in new])
    change.note_all(
        KIND,
        "changed",
        [
            _note(card, {"changes": changed_fields(stored[card.warehouse, card.code].card, card)})
            for card in changed
        ],
    )
    return PutCounts(len(new), len(changed), len(cards) - len(written))


def _put_one(
    change: Change, card: PlaceCard, stored: Mapping[PlaceKey, StoredPlace]
) -> StoredPlace:
    what = f"place {card.warehouse} {card.code}"
    refuse_faults(what, place_faults(card))
    for _, fault in place_conflicts(change.connection, [card], stored):
        raise Conflict(
            f"{what}: {fault.field}: {fault.message}",
            hint=fault.hint,
            fields={"field": fault.field},
        )
    put_places(change, [card], stored)
    return require_place(change.connection, card.warehouse, card.code)


def _twins(connection: Connection, warehouse: str, codes: Sequence[str]) -> dict[str, str]:
    """Return {code: other code} of new places that differ from others in case alone."""
    places, areas = tables.locations.c, location_details.c
    within = [areas.warehouse == warehouse, areas.area]
    return case_twins(
        connection, places.location, codes, within=[places.warehouse == warehouse]
    ) | case_twins(connection, areas.location, codes, within=within)


def _ways_up(connection: Connection, warehouse: str, ours: Mapping[str, str]) -> dict[str, str]:
    """Return the parents of everything above some places, as far as a tree may go."""
    parents = dict(ours)
    for _ in range(DEPTH_MAX):
        wanted = {(warehouse, parent) for parent in parents.values()} - {
            (warehouse, known) for known in (*parents, "")
        }
        found = read_places(connection, wanted)
        if not found:
            break
        parents |= {key[1]: place.card.parent for key, place in found.items()}
    return parents


def _forget_details(change: Change, warehouse: str, code: str) -> None:
    change.connection.execute(
        delete(location_details).where(
            location_details.c.warehouse == warehouse, location_details.c.location == code
        )
    )


def _note(card: PlaceCard, fields: Mapping[str, object]) -> ObjectNote:
    return ObjectNote(f"{card.warehouse}/{card.code}", card.warehouse, fields)


def _row(card: PlaceCard, version: int) -> bulk.Row:
    return (
        card.warehouse,
        card.code,
        version,
        card.kind == AREA,
        card.name,
        card.parent,
        card.walk_order,
        card.pick_face,
        card.capacity_micro,
        card.zone,
        card.storage_class,
        card.blocked,
        card.code if card.blocked else "",  # What is in a blocked area says so after this.
    )
