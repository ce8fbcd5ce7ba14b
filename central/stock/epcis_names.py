"""What things are called in EPCIS events: GS1 keys where there are any, else our own URIs. Pure.

    24 pieces                         the GTIN of one              24
    2 CT whose pack has a GTIN        that of the pack             2
    2 CT of 12 without a GTIN         the GTIN of one piece        24
    2.5 kg                            the GTIN of the item         2.5  KGM

EPCIS 2.0, 7.3.3.3: without a unit (uom) a quantity counts things of the class, so it is whole; a
uom is one of Recommendation 20, in which there are no packs.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple
from urllib.parse import quote

from central.contract.facts import Count, Movement
from central.contract.quantities import (
    MICRO_PER_UNIT,
    PIECE,
    canonical_text,
    from_micro,
    parse_decimal,
)

LINK = "https://id.gs1.org"
GTIN_DIGITS = 14


class Known(NamedTuple):
    """Which GTIN is told of what is recorded from a time on, "" for none."""

    since_ms: int
    gtin: str


@dataclass(frozen=True, slots=True)
class ItemNames:
    """What is known of an item.

    unit: in which it is kept, "" for an unknown item. gtins: of one, oldest first; pack_gtins: by
    the pack's unit. pack_sizes: by unit, how many of the item's own one was up to and including a
    record number, oldest first; pack_sizes_now: what it is.
    """

    unit: str = ""
    gtins: Sequence[Known] = ()
    pack_gtins: Mapping[str, Sequence[Known]] = field(default_factory=dict)
    pack_sizes: Mapping[str, Sequence[tuple[int, Fraction]]] = field(default_factory=dict)
    pack_sizes_now: Mapping[str, Fraction] = field(default_factory=dict)


class Recorded(NamedTuple):
    """When a fact was recorded. What it is called is what it was called then, ever after."""

    record_no: int
    time_ms: int


class Amount(NamedTuple):
    """So much of a class. uom: "" where things of the class are counted."""

    gtin: str
    quantity: str
    uom: str


UNKNOWN = ItemNames()


@dataclass(frozen=True, slots=True)
class Naming:
    """How things are named. base: what our own URIs begin with. items: by code, those known."""

    base: str
    items: Mapping[str, ItemNames]

    def own(self, *parts: str) -> str:
        """Return the URI of something that only we name."""
        return "/".join((self.base, *(quote(part, safe="") for part in parts)))

    def item_class(self, item: str, gtin: str, lot: str) -> str:
        """Return a class of goods: an item or its pack, or a lot of it."""
        link = f"{LINK}/01/{gtin}" if gtin else self.own("item", item)
        return f"{link}/10/{quote(lot, safe='')}" if lot else link

    def instance(self, item: str, gtin: str, serial: str) -> str:
        """Return one thing with a serial number."""
        return f"{self.item_class(item, gtin, '')}/21/{quote(serial, safe='')}"

    def amount(self, fact: Movement | Count, recorded: Recorded) -> Amount:
        """Return how much a fact is about, of which GTIN."""
        names = self.items.get(fact.item, UNKNOWN)
        own = _at(names.gtins, recorded)
        pack = _at(names.pack_gtins.get(fact.unit, ()), recorded)
        if pack and "." not in fact.quantity:
            return Amount(pack, fact.quantity, "")
        size = _size_at(names, fact.unit, recorded) if fact.unit != names.unit else None
        if size is None or not names.unit:
            return Amount(own, fact.quantity, _uom(fact.unit))
        micro = round(Fraction(parse_decimal(fact.quantity)) * size * MICRO_PER_UNIT)
        return Amount(own, canonical_text(from_micro(micro)), _uom(names.unit))


def known_gtins(states: Iterable[tuple[int, Sequence[str]]]) -> tuple[Known, ...]:
    """Return which GTIN is told since when, of those that were on the card since when.

    states: oldest first. The first one stays it while it is on the card, of several the lowest.
    """
    found: list[Known] = []
    for since_ms, gtins in states:
        filled = [gtin.zfill(GTIN_DIGITS) for gtin in gtins]
        chosen = found[-1].gtin if found else ""
        if chosen not in filled:
            found.append(Known(since_ms, min(filled, default="")))
    return tuple(found)


def _at(known: Sequence[Known], recorded: Recorded) -> str:
    then = [one.gtin for one in known if one.since_ms <= recorded.time_ms]
    return then[-1] if then else ""


def _size_at(names: ItemNames, unit: str, recorded: Recorded) -> Fraction | None:
    before = names.pack_sizes.get(unit, ())
    index = bisect_left(before, recorded.record_no, key=lambda one: one[0])
    return before[index][1] if index < len(before) else names.pack_sizes_now.get(unit)


def _uom(unit: str) -> str:
    return "" if unit == PIECE else unit
