"""Reference data with central's changes put in. Pure."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import msgspec

from central.contract.notices import ReferenceChanged
from central.contract.reference import ExpectedDocument, Location, Reference, Warehouse


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


Entry = TypeVar("Entry", bound=_Coded)


def patch_reference(
    kept: Reference | None, changes: Sequence[ReferenceChanged], *, warehouse: str
) -> Reference:
    """Return the reference data after `changes`, oldest first; of the revision of the last.

    kept: None if there was none. A change that names a code replaces its entry, or adds it at the
    end; places are those of `warehouse`.
    """
    assert changes
    reference = kept or Reference(revision=1, warehouses=(), items=())
    for change in changes:
        reference = Reference(
            revision=max(1, change.revision),
            warehouses=_warehouses(reference.warehouses, change, warehouse),
            items=_patched(reference.items, change.items, gone=change.gone_items),
            documents=_documents(reference.documents, change, warehouse),
            operators=_patched(reference.operators, change.operators, gone=change.gone_operators),
        )
    return reference


def _warehouses(
    warehouses: tuple[Warehouse, ...], change: ReferenceChanged, code: str
) -> tuple[Warehouse, ...]:
    if not change.locations and not change.gone_locations:
        return warehouses
    ours = next((one for one in warehouses if one.code == code), None)
    if ours is None:
        ours = Warehouse(code=code, name=code, name_zh=code, locations=())
        warehouses = (*warehouses, ours)
    locations: tuple[Location, ...] = _patched(
        ours.locations, change.locations, gone=change.gone_locations
    )
    patched = msgspec.structs.replace(ours, locations=locations)
    return tuple(patched if one.code == code else one for one in warehouses)


def _documents(
    documents: tuple[ExpectedDocument, ...], change: ReferenceChanged, warehouse: str
) -> tuple[ExpectedDocument, ...]:
    """Return them with ours patched; another warehouse's may bear the code of one of ours."""
    others = tuple(one for one in documents if one.warehouse != warehouse)
    ours = [one for one in documents if one.warehouse == warehouse]
    return others + _patched(ours, change.documents, gone=change.gone_documents)


def _patched(
    kept: Sequence[Entry], changed: Iterable[Entry], *, gone: Iterable[str]
) -> tuple[Entry, ...]:
    entries = {entry.code: entry for entry in kept}
    for code in gone:
        entries.pop(code, None)
    entries.update({entry.code: entry for entry in changed})
    return tuple(entries.values())
