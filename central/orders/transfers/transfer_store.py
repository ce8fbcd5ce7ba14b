"""Reads and writes transfers and what the ledger has about them. Edge of the database."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache

import msgspec
from msgspec.structs import astuple, replace
from sqlalchemy import Connection, select

from central.errors import NotThere
from central.ledger.entries import DiscrepancyKind
from central.ledger.locations import IN_TRANSIT, IN_TRANSIT_PREFIX, place_of
from central.ledger.progress import IN, OUT, sign_of
from central.orders.document_progress import CountedKey
from central.orders.reserving.reservation_rows import read_reservations
from central.orders.reserving.reservations import TRANSFER, LineKey, Reservation
from central.orders.transfers.transfer_closing import AtPlace, Thing
from central.orders.transfers.transfer_picks import lines_of_picks
from central.orders.transfers.transfers import (
    NO_PICKS,
    Figures,
    Transfer,
    TransferLine,
    figures_of,
    phase_of,
)
from central.storage import bulk, sales_tables, tables, transfer_tables

transfers = transfer_tables.transfers
transfer_lines = transfer_tables.transfer_lines
transfer_facts = transfer_tables.transfer_facts

NOWHERE = Figures({})
# What a row of a transfer leads to: in the books of its source, and of its destination.
_HOUSES = (bulk.Part(column="source_warehouse"), bulk.Part(column="destination_warehouse"))
_CODE = bulk.Part(column="transfer")
_COUNTED = (
    bulk.Lead(
        tables.document_progress,
        transfers,
        ("warehouse", "document"),
        tuple((house, _CODE) for house in _HOUSES),
    ),
    bulk.Lead(
        tables.balances,
        transfers,
        ("warehouse", "location"),
        tuple((house, bulk.Part(IN_TRANSIT_PREFIX, "transfer")) for house in _HOUSES),
    ),
)
_SET_ASIDE = bulk.Lead(
    sales_tables.reservations,
    transfers,
    ("warehouse", "holder_kind", "holder"),
    ((bulk.Part(column="source_warehouse"), bulk.Part(TRANSFER), _CODE),),
)
_TOLD = tuple(
    bulk.Lead(table, transfers, _COUNTED[0].columns, _COUNTED[0].keys)
    for table in (tables.documents, tables.document_lines)
)
# Columns of `balances`: key, on hand, record number, weight.
_QUANTITY, _WEIGHT = 8, 10
# Columns of `document_progress`: key, expected, tolerance, done, record number, direction.
_DONE, _DIRECTION = 7, 9


class Standing(msgspec.Struct, frozen=True):
    """How a transfer stands in the books. places: what is under way, in pieces or weight.

    counted: what its source shipped, by the numbers that stations know.
    """

    lines: tuple[TransferLine, ...]
    figures: Figures
    places: tuple[AtPlace, ...]
    counted: Mapping[CountedKey, int]

    @property
    def under_way(self) -> bool:
        """Return whether anything is under way, over all warehouses."""
        sums: dict[Thing, int] = {}
        for place in self.places:
            sums[place.thing] = sums.get(place.thing, 0) + place.quantity_micro
        return any(sums.values())


def find_transfers(connection: Connection, codes: Collection[str]) -> dict[str, Transfer]:
    """Return transfers by their codes; what is no transfer is left out."""
    keys = [(code,) for code in sorted(codes)]
    return {
        row[0]: transfer_of(row)
        for row in bulk.select_by_key(connection, transfers, keys, columns_count=1)
    }


def load_transfer(connection: Connection, code: str) -> Transfer:
    """Return a transfer. Raises NotThere."""
    found = find_transfers(connection, [code]).get(code)
    if found is None:
        raise NotThere(
            f"no transfer is called {code}",
            hint="Compare the code with the list of transfers.",
            fields={"code": code},
        )
    return found


def transfer_of(row: Sequence[object]) -> Transfer:
    """Return what a row of the table says."""
    values = list(row)
    for index in (7, 16, 17, 18):  # SQLite has no truth values of its own.
        values[index] = bool(values[index])
    return Transfer(*values)  # type: ignore[arg-type]  # The order is that of the columns.


def write_transfer(connection: Connection, transfer: Transfer) -> None:
    """Add a transfer or give it these values."""
    bulk.upsert_rows(connection, transfers, [astuple(transfer)])


def write_lines(
    connection: Connection, code: str, lines: Sequence[TransferLine], *, new: bool = False
) -> None:
    """Make these all lines of a transfer. new: it has none yet."""
    if not new:
        bulk.delete_by_key(connection, transfer_lines, [(code,)])
    rows = [(code, *astuple(line)) for line in lines]
    bulk.insert_rows(connection, transfer_lines, rows)


def read_lines(connection: Connection, code: str) -> list[TransferLine]:
    """Return the lines of a transfer."""
    rows = bulk.select_by_key(connection, transfer_lines, [(code,)], columns_count=1)
    return [TransferLine(*row[1:]) for row in rows]


def read_standing(connection: Connection, transfer: Transfer) -> Standing:
    """Return how one transfer stands."""
    return read_standings(connection, [transfer])[transfer.code]


def read_standings(
    connection: Connection,
    found: Sequence[Transfer],
    *,
    rows: Mapping[str, Sequence[Reservation]] | None = None,
) -> dict[str, Standing]:
    """Return how transfers stand, by their codes.

    rows: what is and was set aside for them, by their codes; read where it matters if not given.
    """
    bulk.look_ahead(connection, standing_looks(connection, found))
    lines: dict[str, list[TransferLine]] = {one.code: [] for one in found}
    keys = [(code,) for code in sorted(lines)]
    for row in bulk.select_by_key(connection, transfer_lines, keys, columns_count=1):
        lines[row[0]].append(TransferLine(*row[1:]))
    counted = _counted(connection, found)
    places = _places(connection, found)
    picks = _picks(connection, found, lines, counted) if rows is None else _lines_of(rows)
    return {
        one.code: Standing(
            tuple(sorted(lines[one.code], key=lambda line: line.line)),
            figures_of(
                lines[one.code],
                shipped=counted.get((one.source, one.code), {}),
                received=counted.get((one.destination, one.code), {}),
                picks=picks.get(one.code, NO_PICKS),
                elsewhere=_elsewhere(connection, one) if one.strayed else None,
            ),
            tuple(places[one.code]),
            counted.get((one.source, one.code), {}),
        )
        for one in found
    }


def _picks(
    connection: Connection,
    found: Sequence[Transfer],
    lines: Mapping[str, Sequence[TransferLine]],
    counted: Mapping[tuple[str, str], Mapping[CountedKey, int]],
) -> dict[str, dict[int, int]]:
    """Return of which lines further numbers of picks are, where something left under one."""
    further = [
        one.holder
        for one in found
        if not {key.line for key in counted.get((one.source, one.code), {})}
        <= {0, *(line.line for line in lines[one.code])}
    ]
    rows: dict[str, list[Reservation]] = {}
    for row in read_reservations(connection, further) if further else ():
        rows.setdefault(row.holder.code, []).append(row)
    return _lines_of(rows)


def _lines_of(rows: Mapping[str, Sequence[Reservation]]) -> dict[str, dict[int, int]]:
    return {code: lines_of_picks(some) for code, some in rows.items()}


def aside_look(code: str) -> bulk.Led:
    """Return what is set aside for a transfer; with `code_looks`."""
    return bulk.Led(_SET_ASIDE, _transfer_look([code]))


def read_wants(
    connection: Connection, lines: Collection[LineKey]
) -> dict[LineKey, tuple[str, str]]:
    """Return the only lot and place that will do for lines of transfers, "" for any."""
    keys = sorted((line.code, line.line) for line in lines if line.kind == TRANSFER)
    found = {
        (row[0], row[1]): (row[6], row[7])
        for row in bulk.select_by_key(connection, transfer_lines, keys, columns_count=2)
    }
    return {line: found[line.code, line.line] for line in lines if (line[2], line[3]) in found}


def code_looks(codes: Sequence[str]) -> list[bulk.Look]:
    """Return what is read of transfers by their codes alone."""
    transfer = _transfer_look(codes)
    return [transfer, bulk.Look(transfer_lines, transfer.keys, 1)]


def counted_looks(codes: Sequence[str]) -> list[bulk.Led]:
    """Return what tells how transfers stand; with `code_looks`."""
    leader = _transfer_look(codes)
    return [bulk.Led(lead, leader) for lead in _COUNTED]


def book_looks(code: str, *, judged: tuple[DiscrepancyKind, ...]) -> list[bulk.Led]:
    """Return what a transfer leads to in the books of its warehouses; with `code_looks`.

    judged: kinds of discrepancies about its documents.
    """
    leader = _transfer_look([code])
    return [bulk.Led(lead, leader) for lead in (*_COUNTED, *_TOLD, _judged(judged))]


def _transfer_look(codes: Sequence[str]) -> bulk.Look:
    return bulk.Look(transfers, [(code,) for code in codes], 1)


@cache
def _judged(kinds: tuple[DiscrepancyKind, ...]) -> bulk.Lead:
    return bulk.Lead(
        tables.discrepancies,
        transfers,
        ("warehouse", "state", "kind", "document"),
        tuple(
            (house, bulk.Part("open"), bulk.Part(kind), _CODE)
            for house in _HOUSES
            for kind in kinds
        ),
    )


def standing_looks(connection: Connection, found: Sequence[Transfer]) -> list[bulk.Look]:
    """Return what is read to tell how transfers stand."""
    codes = sorted(one.code for one in found)
    counted = {(house, one.code) for one in found for house in (one.source, one.destination)}
    return [
        bulk.Look(transfer_lines, [(code,) for code in codes], 1),
        bulk.Look(tables.document_progress, sorted(counted), 2),
        bulk.Look(tables.balances, sorted(_places_of(connection, found)), 2),
    ]


def decided(transfer: Transfer) -> Transfer:
    """Return a transfer with its phase, where no figures matter: it is not released.

    Whether anything is under way is noted with every fact that concerns the transfer.
    """
    assert transfer.state != "released"
    under_way = transfer.under_way_since_ms > 0
    return replace(transfer, phase=phase_of(transfer.state, NOWHERE, under_way=under_way))


def observed(transfer: Transfer, standing: Standing, *, left_ms: int) -> Transfer:
    """Return a transfer with what follows from how it stands: its phase, and since when.

    left_ms: when what is under way has left, if nothing was before.
    """
    under_way = standing.under_way
    phase = phase_of(transfer.state, standing.figures, under_way=under_way)
    since = (transfer.under_way_since_ms or max(left_ms, 1)) if under_way else 0
    return replace(transfer, phase=phase, under_way_since_ms=since)


def warehouses_of(connection: Connection, transfer: Transfer) -> list[str]:
    """Return the warehouses in whose books a transfer may have an in-transit place."""
    found = {transfer.source, transfer.destination}
    if transfer.strayed:
        table = transfer_facts.c
        query = select(table.warehouse).where(table.transfer == transfer.code).distinct()
        found.update(connection.execute(query).scalars())
    return sorted(found)


def _counted(
    connection: Connection, found: Sequence[Transfer]
) -> dict[tuple[str, str], Mapping[CountedKey, int]]:
    """Return what the ledger counted, by warehouse and document; the ledger's own is left out."""
    # Out of the source and into the destination, whichever way it was counted: what comes while
    # stations are not told of a transfer is counted as coming in.
    ways = {(one.source, one.code): OUT for one in found}
    ways |= {(one.destination, one.code): IN for one in found}
    keys = sorted(ways)
    counted: dict[tuple[str, str], dict[CountedKey, int]] = {}
    for row in bulk.select_by_key(connection, tables.document_progress, keys, columns_count=2):
        if row[_DONE]:
            amount = row[_DONE] * sign_of(row[_DIRECTION]) * ways[row[0], row[1]]
            counted.setdefault((row[0], row[1]), {})[CountedKey(*row[2:5])] = amount
    return dict(counted)


def _elsewhere(connection: Connection, transfer: Transfer) -> dict[CountedKey, int]:
    """Return what the ledger counted as coming to warehouses that a transfer does not go to."""
    ends = (transfer.source, transfer.destination)
    keys = [(one, transfer.code) for one in warehouses_of(connection, transfer) if one not in ends]
    counted: dict[CountedKey, int] = {}
    for row in bulk.select_by_key(connection, tables.document_progress, keys, columns_count=2):
        key = CountedKey(*row[2:5])
        came_micro = row[_DONE] * sign_of(row[_DIRECTION]) * IN
        counted[key] = counted.get(key, 0) + came_micro
    return {key: micro for key, micro in counted.items() if micro}


def _places(connection: Connection, found: Sequence[Transfer]) -> dict[str, list[AtPlace]]:
    places: dict[str, list[AtPlace]] = {one.code: [] for one in found}
    owners = {place_of(IN_TRANSIT, document=one.code): one.code for one in found}
    keys = sorted(_places_of(connection, found))
    for row in bulk.select_by_key(connection, tables.balances, keys, columns_count=2):
        warehouse, location, item, lot, serial, sscc, unit, status = row[:8]
        if row[_QUANTITY] or row[_WEIGHT]:
            thing = Thing(item, lot, serial, unit)
            places[owners[location]].append(
                AtPlace(warehouse, thing, sscc, status, row[_QUANTITY], row[_WEIGHT])
            )
    return places


def _places_of(connection: Connection, found: Sequence[Transfer]) -> list[tuple[str, str]]:
    """Return the in-transit places of transfers, in the books of each warehouse that has one."""
    return [
        (warehouse, place_of(IN_TRANSIT, document=one.code))
        for one in found
        for warehouse in warehouses_of(connection, one)
    ]
