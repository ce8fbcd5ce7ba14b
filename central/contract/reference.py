"""Reference data that gateways and the ledger share. Pure.

Warehouses, places, items, expected documents and operators in one TOML document; the README beside
this file shows every key. Gateways and central read the same document.
"""

from typing import Annotated, Literal

import msgspec

from central.contract.errors import ContractError
from central.contract.facts import VIRTUAL_PLACES
from central.contract.gs1 import check_key
from central.contract.identifiers import parse_code
from central.contract.quantities import canonical_text, parse_decimal, parse_unit

REFERENCE_BYTES_MAX = 64 * 1024 * 1024

LocationKind = Literal["dock_door", "staging", "bin", "quality_hold"]
Name = Annotated[str, msgspec.Meta(max_length=256)]


class Location(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place in a warehouse. Its bar code is its code, as "LOC-" and the code."""

    code: str
    kind: LocationKind


class Warehouse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A warehouse and its places. name in English, name_zh in Chinese."""

    code: str
    name: Name
    name_zh: Name
    locations: tuple[Location, ...]


class Barcode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A GTIN of an item. quantity: how many of the item's unit one scan means, e.g. 12."""

    gtin: str
    quantity: str = "1"


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept in stock.

    unit: UN/CEFACT code of the unit in which it is kept. kind: "bulk" items are weighed at receipt.
    lot_tracked: True if every movement should name a lot.
    """

    code: str
    name: Name
    name_zh: Name
    unit: str
    kind: Literal["piece", "bulk"] = "piece"
    lot_tracked: bool = False
    barcodes: tuple[Barcode, ...] = ()


class DocumentLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One expected line. tolerance_percent: how far the quantity may be off in silence."""

    line: Annotated[int, msgspec.Meta(ge=1)]
    item: str
    quantity: str
    tolerance_percent: str = "0"


class ExpectedDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a warehouse expects to receive. Its bar code is its code, as "DOC-" and the code."""

    code: str
    warehouse: str
    partner: Name
    lines: tuple[DocumentLine, ...]
    kind: Literal["receipt"] = "receipt"


class Operator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person at a station. The badge's bar code is the code, as "OPR-" and the code."""

    code: str
    name: Name


class Reference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything. revision: raised by whoever edits the document; a lower one is not loaded."""

    revision: Annotated[int, msgspec.Meta(ge=1)]
    warehouses: tuple[Warehouse, ...]
    items: tuple[Item, ...]
    documents: tuple[ExpectedDocument, ...] = ()
    operators: tuple[Operator, ...] = ()


def parse_reference(data: bytes) -> Reference:
    """Return the checked reference data of a TOML document.

    Raises ContractError that names the entry and what is wrong with it.
    """
    if len(data) > REFERENCE_BYTES_MAX:
        raise ContractError(f"reference data of {len(data)} bytes exceeds {REFERENCE_BYTES_MAX}")
    try:
        reference = msgspec.toml.decode(data, type=Reference)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ContractError(
            f"reference data: {error}", hint="Correct the entry that the message names."
        ) from error
    _check(reference)
    return reference


def _check(reference: Reference) -> None:
    _check_unique("warehouse", [warehouse.code for warehouse in reference.warehouses])
    for warehouse in reference.warehouses:
        _check_unique(
            f"location of {warehouse.code}", [place.code for place in warehouse.locations]
        )
        for place in warehouse.locations:
            if place.code in VIRTUAL_PLACES:
                raise ContractError(f"location {place.code!r} bears the name of a virtual place")
    _check_unique("item", [item.code for item in reference.items])
    _check_unique("GTIN", [barcode.gtin for item in reference.items for barcode in item.barcodes])
    _check_unique("operator", [operator.code for operator in reference.operators])
    for item in reference.items:
        parse_unit(item.unit)
        for barcode in item.barcodes:
            check_key(barcode.gtin, what="GTIN")
            _check_positive(barcode.quantity)
    _check_documents(reference)


def _check_documents(reference: Reference) -> None:
    warehouses = {warehouse.code for warehouse in reference.warehouses}
    items = {item.code for item in reference.items}
    _check_unique("document", [document.code for document in reference.documents])
    for document in reference.documents:
        if document.warehouse not in warehouses:
            raise ContractError(
                f"document {document.code}: no warehouse is called {document.warehouse!r}"
            )
        _check_unique(f"line of {document.code}", [str(line.line) for line in document.lines])
        for line in document.lines:
            if line.item not in items:
                raise ContractError(
                    f"document {document.code} line {line.line}: no item is called {line.item!r}"
                )
            _check_positive(line.quantity)
            if parse_decimal(line.tolerance_percent, what="tolerance") < 0:
                raise ContractError(f"document {document.code} line {line.line}: tolerance < 0")


def _check_unique(what: str, codes: list[str]) -> None:
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            raise ContractError(
                f"{what} {code!r} is there twice", hint="Give each entry a code of its own."
            )
        seen.add(parse_code(code, what=what))


def _check_positive(text: str) -> None:
    if parse_decimal(text) <= 0 or canonical_text(parse_decimal(text)) != text:
        raise ContractError(f"quantity {text!r} is not a plain number greater than zero")
