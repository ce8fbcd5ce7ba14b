"""Reference data of one warehouse, indexed by what a station scans. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from central.contract.gs1 import to_gtin14
from central.contract.quantities import parse_decimal
from central.contract.reference import ExpectedDocument, Item, Location, Operator, Reference


@dataclass(frozen=True, slots=True)
class Pack:
    """What one GTIN stands for: `quantity` of the item's unit."""

    item: Item
    quantity: Decimal


class Catalogue:
    """Looks up items, places, documents and people of one warehouse. Never changes."""

    def __init__(self, reference: Reference | None, *, warehouse: str) -> None:
        """reference: None before any was loaded; every item is unknown then."""
        self.revision = reference.revision if reference else 0
        self._items: dict[str, Item] = {}
        self._packs: dict[str, Pack] = {}
        self._locations: dict[str, Location] = {}
        self._documents: dict[str, ExpectedDocument] = {}
        self._operators: dict[str, Operator] = {}
        if reference is None:
            return
        self._operators = {operator.code: operator for operator in reference.operators}
        self._documents = {
            document.code: document
            for document in reference.documents
            if document.warehouse == warehouse
        }
        for place in reference.warehouses:
            if place.code == warehouse:
                self._locations = {location.code: location for location in place.locations}
        for item in reference.items:
            self._items[item.code] = item
            for barcode in item.barcodes:
                self._packs[to_gtin14(barcode.gtin)] = Pack(item, parse_decimal(barcode.quantity))

    def pack(self, gtin14: str) -> Pack | None:
        """Return what a GTIN of 14 digits stands for, None if nobody knows it."""
        return self._packs.get(gtin14)

    def item(self, code: str) -> Item | None:
        """Return the item with this code."""
        return self._items.get(code)

    def location(self, code: str) -> Location | None:
        """Return the place with this code in this warehouse."""
        return self._locations.get(code)

    def document(self, code: str) -> ExpectedDocument | None:
        """Return the document with this code that this warehouse expects."""
        return self._documents.get(code)

    def operator(self, code: str) -> Operator | None:
        """Return the person with this badge."""
        return self._operators.get(code)

    def locations(self) -> tuple[Location, ...]:
        """Return all places, sorted by code."""
        return tuple(self._locations[code] for code in sorted(self._locations))

    def documents(self) -> tuple[ExpectedDocument, ...]:
        """Return all expected documents, sorted by code."""
        return tuple(self._documents[code] for code in sorted(self._documents))

    def operators(self) -> tuple[Operator, ...]:
        """Return all people, sorted by code."""
        return tuple(self._operators[code] for code in sorted(self._operators))
