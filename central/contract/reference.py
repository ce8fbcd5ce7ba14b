"""Reference data that gateways and the ledger share. Pure.

Warehouses, places, items, expected documents and operators in one TOML document; the README beside
this file shows every key. Gateways and central read the same document. What a file says must be
known to the last key; what central tells gateways (notices, snapshots) may be of a newer central:
a gateway skips fields that it does not know, and works on no document of an unknown kind.
"""

from collections.abc import Container
from functools import cache
from typing import Annotated, Literal, TypeVar, cast, get_args, get_type_hints

import msgspec

from central.contract.errors import ContractError
from central.contract.fact_checks import check_sscc
from central.contract.fact_kinds import ROUND_MAX, VIRTUAL_PLACES
from central.contract.gs1 import check_key
from central.contract.identifiers import parse_code
from central.contract.quantities import canonical_text, parse_decimal, parse_unit

REFERENCE_BYTES_MAX = 64 * 1024 * 1024
CARRIERS_MAX = 8
UNITS_MAX = 200  # Of one document: with all else of it below the bound of a notice.

LocationKind = Literal["dock_door", "staging", "bin", "quality_hold"]
DocumentKind = Literal[
    "receipt",  # Goods come from a supplier.
    "shipment",  # Goods leave to a customer.
    "transfer_out",  # Goods leave to another warehouse; `counterpart` names it.
    "transfer_in",  # Goods come from another warehouse.
    "customer_return",
    "supplier_return",
    "count",  # Nothing moves: places or items are to be counted.
]
OPERATOR_LANGUAGES = ("", "en", "zh")
DOCUMENT_KINDS: frozenset[str] = frozenset(get_args(DocumentKind))
Code = Annotated[str, msgspec.Meta(max_length=64)]
Name = Annotated[str, msgspec.Meta(max_length=256)]
Value = TypeVar("Value")


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a warehouse. Its bar code is its code, as "LOC-" and the code."""

    code: str
    kind: LocationKind


class Warehouse(msgspec.Struct, frozen=True, kw_only=True):
    """A warehouse and its places. name in English, name_zh in Chinese."""

    code: str
    name: Name
    name_zh: Name
    locations: tuple[Location, ...]


class Barcode(msgspec.Struct, frozen=True, kw_only=True):
    """A GTIN of an item. quantity: how many of the item's unit one scan means, e.g. 12."""

    gtin: str
    quantity: str = "1"


# Of items, documents and their lines only fields in use go out, so that what was added costs
# nothing; the first release wrote these always. msgspec omits no made default.
def _always(value: Value) -> Value:
    written: Value = msgspec.field(default_factory=lambda: value)
    return written


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept in stock.

    unit: UN/CEFACT code of the unit in which it is kept. kind: "bulk" items are weighed at receipt.
    lot_tracked: True if every movement should name a lot. The others stand on the item's card, and
    in no document: serial_tracked: True if every movement should name a serial number.
    expiry_tracked: True if what comes in should say when it expires. min_days_left_to_ship: how
    many days before it expires it may still go to a customer.
    """

    code: str
    name: Name
    name_zh: Name
    unit: str
    kind: Literal["piece", "bulk"] = _always("piece")
    lot_tracked: bool = _always(False)
    barcodes: tuple[Barcode, ...] = _always(())
    serial_tracked: bool = False
    expiry_tracked: bool = False
    min_days_left_to_ship: int = 0


class DocumentLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One expected line. tolerance_percent: how far the quantity may be off in silence.

    lot, sscc: the goods that are meant, "" for any. location: where to take them from or put them,
    or what to count; "" for anywhere. carried_by: SSCCs of the pallets on which `sscc` stands.
    A count may ask for a place alone (item "") and tells no quantity ("0"): who counts is blind.
    """

    line: Annotated[int, msgspec.Meta(ge=1)]
    item: str
    quantity: str
    tolerance_percent: str = _always("0")
    lot: Code = ""
    location: Code = ""
    sscc: Code = ""
    carried_by: Annotated[tuple[Code, ...], msgspec.Meta(max_length=CARRIERS_MAX)] = ()


class UnitUnderWay(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods on their way on a logistic unit. carried_by: as of a line, the nearest first.

    quantity: in `unit`, what is still under way of them.
    """

    sscc: Code
    item: str
    quantity: str
    unit: Code
    lot: Code = ""
    serial: Code = ""
    carried_by: Annotated[tuple[Code, ...], msgspec.Meta(max_length=CARRIERS_MAX)] = ()


class ExpectedDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a warehouse expects to receive, is to send or to count.

    Its bar code is its code, as "DOC-" and the code. kind: a DocumentKind, or what a newer central
    says. partner: supplier or customer, for people. counterpart: the other warehouse of a transfer,
    "" else. round: of a count, 2 for the recount of what differed. units: of a transfer that comes
    in, what is under way to here on logistic units; more than UNITS_MAX are not told.
    """

    code: str
    warehouse: str
    partner: Name
    lines: tuple[DocumentLine, ...]
    kind: Code = _always("receipt")
    counterpart: Code = ""
    round: Annotated[int, msgspec.Meta(ge=1, le=ROUND_MAX)] = 1
    units: Annotated[tuple[UnitUnderWay, ...], msgspec.Meta(max_length=UNITS_MAX)] = ()


class Operator(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person at a station. The badge's bar code is the code, as "OPR-" and the code.

    language: "en" or "zh", or what a newer central says; "" if nobody said. Pages of stations are
    in it while the person is signed in, until they choose another there.
    """

    code: str
    name: Name
    language: Annotated[str, msgspec.Meta(max_length=8)] = ""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. revision: raised by whoever edits the document; a lower one is not loaded."""

    revision: Annotated[int, msgspec.Meta(ge=1)]
    warehouses: tuple[Warehouse, ...]
    items: tuple[Item, ...]
    documents: tuple[ExpectedDocument, ...] = ()
    operators: tuple[Operator, ...] = ()


def known_kind(document: ExpectedDocument) -> DocumentKind | None:
    """Return the kind of a document, None for one of which only a newer version knows."""
    return cast("DocumentKind", document.kind) if document.kind in DOCUMENT_KINDS else None


def parse_reference(data: bytes) -> Reference:
    """Return the checked reference data of a TOML document.

    Raises ContractError that names the entry and what is wrong with it.
    """
    if len(data) > REFERENCE_BYTES_MAX:
        raise ContractError(f"reference data of {len(data)} bytes exceeds {REFERENCE_BYTES_MAX}")
    try:
        raw = msgspec.toml.decode(data)
        reference = msgspec.convert(raw, Reference)
        _refuse_unknown_keys(raw, Reference, path="$")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ContractError(
            f"reference data: {error}", hint="Correct the entry that the message names."
        ) from error
    _check(reference)
    return reference


def check_line(document: ExpectedDocument, line: DocumentLine, *, items: Container[str]) -> None:
    """Raise ContractError unless a line of a document can be worked on. items: codes of all."""
    where = f"document {document.code} line {line.line}"
    is_count = document.kind == "count"
    if line.item not in items and not (is_count and not line.item and line.location):
        raise ContractError(f"{where}: no item is called {line.item!r}")
    if not (is_count and line.quantity == "0"):
        _check_positive(line.quantity)
    if parse_decimal(line.tolerance_percent, what="tolerance") < 0:
        raise ContractError(f"{where}: tolerance < 0")
    for sscc in filter(None, (line.sscc, *line.carried_by)):
        check_sscc(sscc)
    if line.location in VIRTUAL_PLACES:
        raise ContractError(f"{where}: nothing is kept at {line.location}, which is no real place")


def _refuse_unknown_keys(raw: object, expected: object, *, path: str) -> None:
    """Raise ValidationError for a key that no field bears, in what was read as `expected`."""
    if isinstance(raw, list):
        inner = get_args(expected)[0]
        for number, one in enumerate(raw):
            _refuse_unknown_keys(one, inner, path=f"{path}[{number}]")
    elif isinstance(raw, dict) and isinstance(expected, type):
        fields = _fields_of(expected)
        for key, value in raw.items():
            if key not in fields:
                raise msgspec.ValidationError(f"unknown field `{key}` - at `{path}`")
            if isinstance(value, list):
                _refuse_unknown_keys(value, fields[key], path=f"{path}.{key}")


@cache
def _fields_of(struct: type) -> dict[str, object]:
    return get_type_hints(struct)


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
    for operator in reference.operators:
        if operator.language not in OPERATOR_LANGUAGES:
            raise ContractError(
                f"operator {operator.code}: language {operator.language!r} is not known",
                hint="Give it en or zh, or leave the language out.",
            )
    for item in reference.items:
        parse_unit(item.unit)
        if item.serial_tracked or item.expiry_tracked or item.min_days_left_to_ship:
            raise ContractError(
                f"item {item.code}: serial numbers and expiry dates are not asked for here",
                hint="Leave these keys out, and say it on the item's card.",
            )
        for barcode in item.barcodes:
            check_key(barcode.gtin, what="GTIN")
            _check_positive(barcode.quantity)
    _check_documents(reference)


def _check_documents(reference: Reference) -> None:
    warehouses = {warehouse.code for warehouse in reference.warehouses}
    items = {item.code for item in reference.items}
    for warehouse in sorted(warehouses):  # A transfer bears one code in both of its warehouses.
        codes = [one.code for one in reference.documents if one.warehouse == warehouse]
        _check_unique(f"document of {warehouse}", codes)
    for document in reference.documents:
        if document.warehouse not in warehouses:
            raise ContractError(
                f"document {document.code}: no warehouse is called {document.warehouse!r}"
            )
        if known_kind(document) is None:
            raise ContractError(
                f"document {document.code}: kind {document.kind!r} is not known",
                hint=f"Give it one of {', '.join(sorted(DOCUMENT_KINDS))}.",
            )
        _check_unique(f"line of {document.code}", [str(line.line) for line in document.lines])
        for line in document.lines:
            check_line(document, line, items=items)


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
