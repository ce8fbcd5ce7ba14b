"""Cuts what changed in stock and reference data into notices. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from central.contract.notices import (
    LEVELS_PER_NOTICE_MAX,
    PACKED_PER_NOTICE_MAX,
    SHARES_PER_NOTICE_MAX,
    DocumentShare,
    EpochPositions,
    PackedUnit,
    ReferenceChanged,
    StockChanged,
    StockLevel,
)
from central.contract.reference import Reference

# Of the entries in one notice; with all else below NOTICE_BYTES_MAX and RUN_BYTES_MAX.
ENTRIES_BYTES_MAX = 96 * 1024
# A change that takes more is not told: the gateway loads a snapshot, which is one file, packed.
CHANGE_BYTES_MAX = 4 * 1024 * 1024
# About 20 bytes each.
POSITIONS_PER_NOTICE_MAX = 1000
# Of one change; beyond that a snapshot tells them.
SHARES_MAX = 5000
PACKED_MAX = 5000

# Entries of the reference data: a field of ReferenceChanged, and the code.
Touched = frozenset[tuple[str, str]]
NOTHING_TOUCHED: Touched = frozenset()
NO_REFERENCE = Reference(revision=1, warehouses=(), items=())

Told = TypeVar("Told")

_encoder = msgspec.msgpack.Encoder()


class TooLarge(Exception):
    """The change does not fit into notices: a snapshot has to tell it."""


@dataclass(frozen=True, slots=True)
class _Entry:
    field: str
    value: Any  # Whatever the field holds: a code, or one of the contract's own types.
    bytes_count: int


def of_warehouse(reference: Reference, warehouse: str) -> Reference:
    """Return what concerns one warehouse: its places and documents, all items and operators."""
    return msgspec.structs.replace(
        reference,
        warehouses=tuple(one for one in reference.warehouses if one.code == warehouse),
        documents=tuple(one for one in reference.documents if one.warehouse == warehouse),
    )


def stock_changes(
    *,
    revision: int,
    levels: Iterable[StockLevel],
    positions: EpochPositions,
    shares: Sequence[DocumentShare] = (),
    packing: Sequence[PackedUnit] = (),
) -> list[StockChanged]:
    """Return the notices of stock that changed, the last one final; each has all positions.

    shares, packing: go with them, some with each. Raises TooLarge.
    """
    if len(positions) > POSITIONS_PER_NOTICE_MAX or len(shares) > SHARES_MAX:
        raise TooLarge
    if len(packing) > PACKED_MAX:
        raise TooLarge
    entries = (_Entry("levels", one, len(_encoder.encode(one))) for one in levels)
    chunks = list(_cut(entries, count_max=LEVELS_PER_NOTICE_MAX))
    shared = _parted(shares, SHARES_PER_NOTICE_MAX)
    packed = _parted(packing, PACKED_PER_NOTICE_MAX)
    count = max(1, len(chunks), len(shared), len(packed))
    return [
        StockChanged(
            revision=revision,
            levels=tuple(entry.value for entry in (chunks[at] if at < len(chunks) else ())),
            positions=positions,
            final=at == count - 1,
            shares=shared[at] if at < len(shared) else (),
            packing=packed[at] if at < len(packed) else (),
        )
        for at in range(count)
    ]


def _parted(told: Sequence[Told], size: int) -> list[tuple[Told, ...]]:
    return [tuple(told[at : at + size]) for at in range(0, len(told), size)]


def touching(changes: Iterable[tuple[str, str, str]], warehouse: str) -> Touched:
    """Return of changes (kind, warehouse, code) those that concern a warehouse, once each.

    What a warehouse is called is no matter of notices.
    """
    return frozenset(
        (f"{kind}s", code)
        for kind, where, code in changes
        if where in {"", warehouse} and kind != "warehouse"
    )


def reference_changes(
    before: Reference, after: Reference, *, touched: Touched = NOTHING_TOUCHED
) -> list[ReferenceChanged]:
    """Return the notices that lead from one state to another, the last one final.

    Both are of one warehouse. touched: told as they are afterwards, also if they differ in nothing:
    whoever is told has seen more of them than `before` has. Raises TooLarge.
    """
    chunks = list(_cut(_differences(before, after, touched), count_max=None)) or [[]]
    return [
        ReferenceChanged(
            revision=after.revision,
            final=number == len(chunks),
            **_fields(chunk),
        )
        for number, chunk in enumerate(chunks, 1)
    ]


def _differences(before: Reference, after: Reference, touched: Touched) -> Iterator[_Entry]:
    pairs: tuple[tuple[str, Sequence[Any], Sequence[Any]], ...] = (
        ("items", before.items, after.items),
        ("locations", _places(before), _places(after)),
        ("documents", before.documents, after.documents),
        ("operators", before.operators, after.operators),
    )
    for field, old, new in pairs:
        was: Mapping[str, Any] = {one.code: one for one in old}
        seen = {code for touched_field, code in touched if touched_field == field}
        for one in new:
            if one.code in seen or was.get(one.code) != one:
                yield _Entry(field, one, len(_encoder.encode(one)))
        now = {one.code for one in new}
        for code in sorted((was.keys() | seen) - now):
            yield _Entry(f"gone_{field}", code, len(code) + 2)


def _places(reference: Reference) -> Sequence[Any]:
    return [place for warehouse in reference.warehouses for place in warehouse.locations]


def _fields(chunk: Sequence[_Entry]) -> dict[str, tuple[Any, ...]]:
    fields: dict[str, tuple[Any, ...]] = {}
    for entry in chunk:
        fields[entry.field] = (*fields.get(entry.field, ()), entry.value)
    return fields


def _cut(entries: Iterable[_Entry], *, count_max: int | None) -> Iterator[list[_Entry]]:
    chunk: list[_Entry] = []
    chunk_bytes = total_bytes = 0
    for entry in entries:
        total_bytes += entry.bytes_count
        if entry.bytes_count > ENTRIES_BYTES_MAX or total_bytes > CHANGE_BYTES_MAX:
            raise TooLarge
        if chunk_bytes + entry.bytes_count > ENTRIES_BYTES_MAX or len(chunk) == count_max:
            yield chunk
            chunk, chunk_bytes = [], 0
        chunk.append(entry)
        chunk_bytes += entry.bytes_count
    if chunk:
        yield chunk
