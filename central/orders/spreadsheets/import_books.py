"""How the rows of each import table become cards of a book, and are written. Edge of the database.

Several rows may be about one card: two packs of an item are two rows. They are judged together, as
they will stand.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from central.ledger.desk import Change
from central.orders.catalogue.cards import Fault
from central.orders.catalogue.item_cards import HomePlace, ItemBarcode, ItemCard, Pack, item_faults
from central.orders.catalogue.items import (
    PutCounts,
    StoredItem,
    item_conflicts,
    put_cards,
    read_items,
)
from central.orders.catalogue.partner_cards import Certificate, PartnerCard, partner_faults
from central.orders.catalogue.partners import (
    StoredPartner,
    partner_conflicts,
    put_partners,
    read_partners,
)
from central.orders.catalogue.place_cards import PlaceCard, place_faults
from central.orders.catalogue.places import StoredPlace, place_conflicts, put_places, read_places
from central.orders.catalogue.stock_conflicts import asks_stock
from central.orders.spreadsheets.import_columns import (
    BARCODES,
    CERTIFICATES,
    HOMES,
    ITEMS,
    LOCATIONS,
    PACKS,
    PARTNERS,
    ImportTable,
    Value,
)
from central.orders.spreadsheets.import_rows import ImportRow

MICRO_COLUMNS = frozenset(
    {
        "min",
        "max",
        "safety",
        "over_tolerance_percent",
        "under_tolerance_percent",
        "cost",
        "capacity",
        "quantity",
        "weight",
    }
)
CARD_COLUMNS = frozenset({"name", "name_zh", "unit", "kind", "lot_tracked"})


@dataclass(frozen=True, slots=True)
class ImportBook:
    """What importing one table needs.

    owner: which card a row is about. read: cards that are there. merged: the card that rows make of
    the one that is there, or of None. faults, conflicts: what is wrong with cards alone, and beside
    what is there. put: writes them. creates: rows may make a card that is not there. asks_stock:
    whether stock decides if a card may take the place of the one before, None if that is not there.
    """

    table: ImportTable
    owner: Callable[[ImportRow], Any]
    read: Callable[[Connection, set[Any]], Mapping[Any, Any]]
    merged: Callable[[Any, Sequence[ImportRow]], Any]
    faults: Callable[[Any], Iterator[Fault]]
    conflicts: Callable[[Connection, Sequence[Any], Mapping[Any, Any]], Iterator[tuple[Any, Fault]]]
    put: Callable[[Change, Sequence[Any], Mapping[Any, Any]], PutCounts]
    creates: bool = True
    asks_stock: Callable[[Any, Any], bool] = lambda _before, _card: False


def text_of(row: ImportRow, name: str) -> str:
    """Return what a row says in a column of text, "" if the file does not have it."""
    return str(row.values.get(name, ""))


def fields_of(row: ImportRow, *, without: frozenset[str] = frozenset()) -> dict[str, Value]:
    """Return the fields of a card that a row states, under the names that cards give them."""
    return {
        f"{name}_micro" if name in MICRO_COLUMNS else name: value
        for name, value in row.values.items()
        if name not in without
    }


def _item_of(row: ImportRow) -> str:
    return text_of(row, "item")


def _merged_item(stored: StoredItem | None, rows: Sequence[ImportRow]) -> ItemCard:
    (row,) = rows
    card = stored.card if stored else ItemCard(code=_item_of(row), name="", unit="")
    said = fields_of(row, without=frozenset({"item"}))
    own = {name: value for name, value in said.items() if name in CARD_COLUMNS}
    policy = {name: value for name, value in said.items() if name not in CARD_COLUMNS}
    return replace(card, **own, policy=replace(card.policy, **policy))  # type: ignore[arg-type]


def _merged_packs(stored: StoredItem, rows: Sequence[ImportRow]) -> ItemCard:
    packs = {pack.unit: pack for pack in stored.card.packs}
    for row in rows:
        unit = text_of(row, "unit")
        said = fields_of(row, without=frozenset({"item", "unit"}))
        pack = replace(packs.get(unit, Pack(unit, 0)), **said)  # type: ignore[arg-type]
        if pack.numerator > 0 and pack.denominator > 0:
            size = Fraction(pack.numerator, pack.denominator)
            pack = replace(pack, numerator=size.numerator, denominator=size.denominator)
        packs[unit] = pack
    return replace(stored.card, packs=tuple(sorted(packs.values())))


def _merged_barcodes(stored: StoredItem, rows: Sequence[ImportRow]) -> ItemCard:
    barcodes = {one.gtin: one for one in stored.card.barcodes}
    for row in rows:
        gtin = text_of(row, "gtin")
        said = fields_of(row, without=frozenset({"item", "gtin"}))
        before = barcodes.get(gtin, ItemBarcode(gtin))
        barcodes[gtin] = replace(before, **said)  # type: ignore[arg-type]
    return replace(stored.card, barcodes=tuple(sorted(barcodes.values())))


def _merged_homes(stored: StoredItem, rows: Sequence[ImportRow]) -> ItemCard:
    homes = {(one.warehouse, one.location): one for one in stored.card.places}
    for row in rows:
        key = (text_of(row, "warehouse"), text_of(row, "location"))
        said = fields_of(row, without=frozenset({"item", "warehouse", "location"}))
        homes[key] = replace(homes.get(key, HomePlace(*key)), **said)  # type: ignore[arg-type]
    return replace(stored.card, places=tuple(sorted(homes.values())))


def _place_of(row: ImportRow) -> tuple[str, str]:
    return text_of(row, "warehouse"), text_of(row, "location")


def _merged_place(stored: StoredPlace | None, rows: Sequence[ImportRow]) -> PlaceCard:
    (row,) = rows
    card = stored.card if stored else PlaceCard(*_place_of(row))
    said = fields_of(row, without=frozenset({"warehouse", "location"}))
    return replace(card, **said)  # type: ignore[arg-type]


def _partner_of(row: ImportRow) -> str:
    return text_of(row, "partner")


def _merged_partner(stored: StoredPartner | None, rows: Sequence[ImportRow]) -> PartnerCard:
    (row,) = rows
    card = stored.card if stored else PartnerCard(code=_partner_of(row), name="")
    return replace(card, **fields_of(row, without=frozenset({"partner"})))  # type: ignore[arg-type]


def _merged_certificates(stored: StoredPartner, rows: Sequence[ImportRow]) -> PartnerCard:
    held = {(one.kind, one.number): one for one in stored.card.certificates}
    for row in rows:
        key = (text_of(row, "kind"), text_of(row, "number"))
        said = fields_of(row, without=frozenset({"partner", "kind", "number"}))
        held[key] = replace(held.get(key, Certificate(*key)), **said)  # type: ignore[arg-type]
    return replace(stored.card, certificates=tuple(sorted(held.values())))


def _of_items(
    table: ImportTable, merged: Callable[[Any, Sequence[ImportRow]], ItemCard], *, creates: bool
) -> ImportBook:
    return ImportBook(
        table,
        _item_of,
        read_items,
        merged,
        item_faults,
        item_conflicts,
        put_cards,
        creates,
        asks_stock,
    )


def _of_partners(
    table: ImportTable, merged: Callable[[Any, Sequence[ImportRow]], PartnerCard], *, creates: bool
) -> ImportBook:
    return ImportBook(
        table,
        _partner_of,
        read_partners,
        merged,
        partner_faults,
        partner_conflicts,
        put_partners,
        creates,
    )


CATALOGUE_BOOKS: tuple[ImportBook, ...] = (
    _of_items(ITEMS, _merged_item, creates=True),
    _of_items(PACKS, _merged_packs, creates=False),
    _of_items(BARCODES, _merged_barcodes, creates=False),
    _of_items(HOMES, _merged_homes, creates=False),
    ImportBook(
        LOCATIONS,
        _place_of,
        read_places,
        _merged_place,
        place_faults,
        place_conflicts,
        put_places,
        asks_stock=lambda before, card: before is not None and before.kind != card.kind,
    ),
    _of_partners(PARTNERS, _merged_partner, creates=True),
    _of_partners(CERTIFICATES, _merged_certificates, creates=False),
)
