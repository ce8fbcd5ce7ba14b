"""What items were called when facts were recorded, and what packs held. Edge of the database.

A card has the bar codes of now. Those of then are told by what was noted at each change:

    noted  created   changed [A] -> [A, B]   changed [A, B] -> [B]   retired [B] -> []
    told        A  .............................. A | B ................... B | our own URI
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, or_, select

from central.contract.quantities import MICRO_PER_UNIT
from central.stock.epcis_names import ItemNames, known_gtins
from central.storage import bulk
from central.storage.catalogue_tables import former_packs, item_units
from central.storage.tables import item_barcodes, items, object_events

KIND = "item"
BARCODES, PACKS = "barcodes", "packs"


class _Note(NamedTuple):
    """What was done to a card. changes: by field, what it was and what it became."""

    at_ms: int
    action: str
    changes: Mapping[str, Sequence[list[dict[str, Any]]]]


def read_names(connection: Connection, codes: Iterable[str]) -> dict[str, ItemNames]:
    """Return what is known of items, also of those that are there no more."""
    wanted = sorted(set(codes))
    keys: list[bulk.Row] = [(code,) for code in wanted]
    units = {row[0]: row[3] for row in bulk.select_by_key(connection, items, keys, columns_count=1)}
    barcodes: dict[str, list[dict[str, Any]]] = {}
    table = item_barcodes.c
    for one in connection.execute(select(item_barcodes).where(table.item.in_(wanted))):
        said = {"gtin": one.gtin, "quantity_micro": one.quantity_micro}
        barcodes.setdefault(one.item, []).append(said)
    packs: dict[str, list[dict[str, Any]]] = {}
    sizes_now: dict[str, dict[str, Fraction]] = {}
    for row in bulk.select_by_key(connection, item_units, keys, columns_count=1):
        packs.setdefault(row[0], []).append({"unit": row[1], "gtin": row[4]})
        sizes_now.setdefault(row[0], {})[row[1]] = Fraction(row[2], row[3])
    sizes: dict[str, dict[str, list[tuple[int, Fraction]]]] = {}
    for row in sorted(bulk.select_by_key(connection, former_packs, keys, columns_count=1)):
        then = (row[2], Fraction(row[3], row[4]))
        sizes.setdefault(row[0], {}).setdefault(row[1], []).append(then)
    notes = _notes(connection, wanted)
    found = {}
    for code in wanted:
        its = notes.get(code, [])
        of_packs = _states(its, PACKS, packs.get(code, []))
        pack_units = {pack["unit"] for _, some in of_packs for pack in some}
        found[code] = ItemNames(
            unit=units.get(code, ""),
            gtins=known_gtins(_of_one(_states(its, BARCODES, barcodes.get(code, [])))),
            pack_gtins={unit: known_gtins(_of_pack(of_packs, unit)) for unit in sorted(pack_units)},
            pack_sizes=sizes.get(code, {}),
            pack_sizes_now=sizes_now.get(code, {}),
        )
    return found


_States = list[tuple[int, list[dict[str, Any]]]]


def _of_one(states: _States) -> Iterable[tuple[int, list[str]]]:
    for since_ms, barcodes in states:
        one = [said["gtin"] for said in barcodes if said["quantity_micro"] == MICRO_PER_UNIT]
        yield since_ms, one


def _of_pack(states: _States, unit: str) -> Iterable[tuple[int, list[str]]]:
    for since_ms, packs in states:
        yield since_ms, [said["gtin"] for said in packs if said["unit"] == unit and said["gtin"]]


def _states(notes: Iterable[_Note], name: str, present: list[dict[str, Any]]) -> _States:
    """Return what a field of a card was since when, oldest first.

    What it was at first stands in the first note that changed it, and on the card if none did.
    """
    found: _States = []
    begins_ms: int | None = 0  # Of a card that no note made: it was ever there.
    for note in notes:
        if note.action == "created":
            begins_ms = note.at_ms
        pair = note.changes.get(name)
        if pair is None:
            continue
        before, after = pair
        if begins_ms is not None:
            found.append((begins_ms, before))
            begins_ms = None
        found.append((note.at_ms, after))
    if begins_ms is not None:
        found.append((begins_ms, present))
    return found


def _notes(connection: Connection, codes: Sequence[str]) -> dict[str, list[_Note]]:
    table = object_events.c
    query = (
        select(table.code, table.at_ms, table.action, table.fields_json)
        .where(
            table.kind == KIND,
            table.code.in_(codes),
            # Most changes are of neither.
            or_(
                table.action == "created",
                *(table.fields_json.contains(f'"{name}"') for name in (BARCODES, PACKS)),
            ),
        )
        .order_by(table.event_no)
    )
    found: dict[str, list[_Note]] = {}
    for row in connection.execute(query):
        changes = msgspec.json.decode(row.fields_json).get("changes", {})
        found.setdefault(row.code, []).append(_Note(row.at_ms, row.action, changes))
    return found
