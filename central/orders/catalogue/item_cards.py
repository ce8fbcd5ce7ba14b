"""What is known of an item, and what is wrong with it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from central.contract.quantities import GRAMS_PER_MASS_UNIT, MICRO_PER_UNIT
from central.ledger.unit_ratios import pieces_of, unit_ratio
from central.orders.catalogue.cards import (
    DAYS_MAX,
    NAME_CHARACTERS_MAX,
    WORD_CHARACTERS_MAX,
    Fault,
    choice_faults,
    code_faults,
    gtin_faults,
    gtin_forms,
    range_faults,
    text_faults,
)
from central.orders.catalogue.packs import (
    QUANTITY_MICRO_MAX,
    RATIO_TERM_MAX,
    ItemUnits,
    is_whole,
    text_of,
)
from central.orders.catalogue.unit_codes import is_package, is_unit, likely_unit

BARCODES_MAX = 100
PACKS_MAX = 50
PLACES_MAX = 1000
PERCENT_MICRO_MAX = 1000 * MICRO_PER_UNIT  # Ten times as much as was ordered.
COST_MICRO_MAX = 10**15
ITEM_KINDS = ("piece", "bulk")
ROTATIONS = ("fefo", "fifo")
ABC_CLASSES = ("", "A", "B", "C")
_LEVELS = ("min", "max", "safety")  # Of stock, in the item's unit.


@dataclass(frozen=True, slots=True)
class Policy:
    """How an item is kept; what each field means stands at the table `item_policies`."""

    inspected: bool = False
    weight_unit: str = ""
    expiry_tracked: bool = False
    serial_tracked: bool = False
    shelf_life_days: int = 0
    min_days_left_to_ship: int = 0
    min_micro: int = 0
    max_micro: int = 0
    safety_micro: int = 0
    over_tolerance_percent_micro: int = 0
    under_tolerance_percent_micro: int = 0
    rotation: str = "fefo"
    abc: str = ""
    category: str = ""
    storage_class: str = ""
    cost_micro: int = 0


@dataclass(frozen=True, slots=True, order=True)
class ItemBarcode:
    """A GTIN that means a quantity of the item, apart from those of its packs."""

    gtin: str
    quantity_micro: int = MICRO_PER_UNIT


@dataclass(frozen=True, slots=True, order=True)
class Pack:
    """One `unit` is numerator / denominator of the item's unit. gtin: "" for none."""

    unit: str
    numerator: int
    denominator: int = 1
    gtin: str = ""

    @property
    def size(self) -> Fraction:
        """Return how many of the item's unit it is."""
        return Fraction(self.numerator, self.denominator)


@dataclass(frozen=True, slots=True, order=True)
class HomePlace:
    """Where the item lives in a warehouse, "" for anywhere; how much is to be there, 0: unsaid."""

    warehouse: str
    location: str
    min_micro: int = 0
    max_micro: int = 0


@dataclass(frozen=True, slots=True)
class ItemCard:
    """Everything that people say of an item. barcodes, packs, places: each sorted."""

    code: str
    name: str
    unit: str
    name_zh: str = ""
    kind: str = "piece"
    lot_tracked: bool = False
    barcodes: tuple[ItemBarcode, ...] = ()
    packs: tuple[Pack, ...] = ()
    places: tuple[HomePlace, ...] = ()
    policy: Policy = field(default_factory=Policy)


def units_of_card(card: ItemCard) -> ItemUnits:
    """Return the units in which an item can be stated."""
    packs = {pack.unit: pack.size for pack in card.packs}
    return ItemUnits(card.code, card.unit, packs, _pieces(card))


def pieces_kept(unit: str, *, kind: str, serial_tracked: bool = False) -> int:
    """Return how many pieces, none of which is parted, one unit of an item is; 0 if it is parted.

    Goods with serial numbers are whole in what counts them, also in packages, and parted in what
    measures them; other bulk goods are parted even if they are counted.
    """
    pieces = pieces_of(unit) if kind == "piece" or serial_tracked else 0
    return pieces or int(serial_tracked and is_package(unit))


def packs_gone(before: ItemCard, after: ItemCard | None) -> list[tuple[str, str, Fraction]]:
    """Return packs that an item no longer has, or that hold another number: item, unit, size.

    after: None if the item is taken out.
    """
    kept = {(pack.unit, pack.size) for pack in after.packs} if after is not None else set()
    return [
        (before.code, pack.unit, pack.size)
        for pack in before.packs
        if (pack.unit, pack.size) not in kept
    ]


def all_barcodes(card: ItemCard) -> tuple[ItemBarcode, ...]:
    """Return every GTIN of an item with its quantity, those of packs too."""
    of_packs = (
        ItemBarcode(pack.gtin, int(pack.size * MICRO_PER_UNIT)) for pack in card.packs if pack.gtin
    )
    return tuple(sorted((*card.barcodes, *of_packs)))


def item_faults(card: ItemCard) -> Iterator[Fault]:
    """Yield everything that is wrong with an item by itself."""
    yield from code_faults("code", card.code, what="item")
    yield from text_faults("name", card.name, characters_max=NAME_CHARACTERS_MAX, required=True)
    yield from text_faults(
        "name_zh", card.name_zh, characters_max=NAME_CHARACTERS_MAX, required=False
    )
    yield from choice_faults("kind", card.kind, ITEM_KINDS)
    yield from _unit_faults(card.unit)
    yield from _pack_faults(card)
    yield from _measure_faults(card)
    yield from _barcode_faults(card)
    yield from _place_faults(card)
    yield from _policy_faults(card)
    yield from _part_faults(card)


def _pieces(card: ItemCard) -> int:
    return pieces_kept(card.unit, kind=card.kind, serial_tracked=card.policy.serial_tracked)


def _unit_faults(unit: str) -> Iterator[Fault]:
    if is_unit(unit):
        return
    likely = likely_unit(unit)
    hint = "Use a code of Recommendation 20, such as C62 for pieces or KGM for kilograms."
    yield Fault(
        "unit",
        message=f"unit {unit[:20]!r} is not a UN/CEFACT unit code",
        hint=f"Did you mean {likely}?" if likely else hint,
    )


def _pack_faults(card: ItemCard) -> Iterator[Fault]:
    if len(card.packs) > PACKS_MAX:
        yield Fault(
            "packs", f"{len(card.packs)} packs are more than {PACKS_MAX}", "Leave some out."
        )
    seen: set[str] = set()
    for pack in card.packs:
        where = f"packs.{pack.unit}"
        yield from code_faults(f"{where}.unit", pack.unit, what="pack")
        if pack.unit == card.unit or pack.unit in seen:
            yield Fault(
                f"{where}.unit",
                f"unit {pack.unit} is there already",
                "Give each pack a unit of its own.",
            )
        seen.add(pack.unit)
        for name, term in (("numerator", pack.numerator), ("denominator", pack.denominator)):
            yield from range_faults(f"{where}.{name}", term, least=1, most=RATIO_TERM_MAX)
        if min(pack.numerator, pack.denominator) < 1:
            continue
        general = unit_ratio(from_unit=pack.unit, to_unit=card.unit)
        if general is not None and general != pack.size:
            yield Fault(
                f"{where}.numerator",
                f"one {pack.unit} is {general} {card.unit} everywhere, not {pack.size}",
                "Give the pack another code.",
            )
        if pack.gtin and MICRO_PER_UNIT % pack.size.denominator:
            yield Fault(
                f"{where}.gtin",
                f"{pack.size} {card.unit} has no exact decimal value, so no scan can mean it",
                "Leave its bar code out, or keep the item in a smaller unit.",
            )


def _measure_faults(card: ItemCard) -> Iterator[Fault]:
    """Yield packs that contradict another one: KGM and GRM of one item hold 1000 to 1."""
    sized = [pack for pack in card.packs if min(pack.numerator, pack.denominator) > 0]
    for number, pack in enumerate(sized):
        for other in sized[:number]:
            general = unit_ratio(from_unit=pack.unit, to_unit=other.unit)
            if general is None or pack.unit == other.unit or general * other.size == pack.size:
                continue
            yield Fault(
                f"packs.{pack.unit}.numerator",
                message=f"one {pack.unit} is {general} {other.unit} everywhere, and would be"
                f" {pack.size / other.size} here",
                hint=f"Correct one of them, or leave {pack.unit} out.",
            )
            break


def _part_faults(card: ItemCard) -> Iterator[Fault]:
    """Yield quantities that are a part of a piece, of an item that is kept in whole ones."""
    units, policy = ItemUnits(card.code, card.unit, pieces=_pieces(card)), card.policy
    named = [(f"policy.{name}", getattr(policy, f"{name}_micro")) for name in _LEVELS]
    named += [(f"barcodes.{one.gtin}.quantity", one.quantity_micro) for one in card.barcodes]
    for place in card.places:
        where = f"places.{place.warehouse}.{place.location}"
        named += [(f"{where}.min", place.min_micro), (f"{where}.max", place.max_micro)]
    for name, quantity_micro in named:
        if not is_whole(quantity_micro, units):
            yield Fault(
                name,
                message=f"{text_of(quantity_micro)} {card.unit} of item {card.code} is a part of"
                " a piece",
                hint="The item is kept in whole pieces: correct the quantity, or its unit.",
            )


def _barcode_faults(card: ItemCard) -> Iterator[Fault]:
    named = [(f"barcodes.{one.gtin}.gtin", one.gtin) for one in card.barcodes]
    named += [(f"packs.{pack.unit}.gtin", pack.gtin) for pack in card.packs if pack.gtin]
    if len(named) > BARCODES_MAX:
        yield Fault(
            "barcodes", f"{len(named)} bar codes are more than {BARCODES_MAX}", "Leave some out."
        )
    seen: set[str] = set()
    for where, gtin in named:
        faults = list(gtin_faults(where, gtin))
        yield from faults
        if not faults and gtin_forms(gtin)[-1] in seen:
            yield Fault(where, f"GTIN {gtin} is there twice", "Give each GTIN one meaning.")
        elif not faults:
            seen.add(gtin_forms(gtin)[-1])
    for one in card.barcodes:
        yield from range_faults(
            f"barcodes.{one.gtin}.quantity",
            one.quantity_micro,
            least=1,
            most=QUANTITY_MICRO_MAX,
        )


def _place_faults(card: ItemCard) -> Iterator[Fault]:
    if len(card.places) > PLACES_MAX:
        yield Fault("places", f"{len(card.places)} are more than {PLACES_MAX}", "Leave some out.")
    seen: set[tuple[str, str]] = set()
    for place in card.places:
        where = f"places.{place.warehouse}.{place.location}"
        yield from code_faults(f"{where}.warehouse", place.warehouse, what="warehouse")
        if place.location:
            yield from code_faults(f"{where}.location", place.location, what="location")
        if (place.warehouse, place.location) in seen:
            yield Fault(where, "is there twice", "Name each place once.")
        seen.add((place.warehouse, place.location))
        yield from _level_faults(f"{where}.", min_micro=place.min_micro, max_micro=place.max_micro)


def _level_faults(prefix: str, *, min_micro: int, max_micro: int) -> Iterator[Fault]:
    for name, value in (("min", min_micro), ("max", max_micro)):
        if not 0 <= value <= QUANTITY_MICRO_MAX:
            yield Fault(f"{prefix}{name}", "is no quantity in stock", "Write 0 or more.")
    if 0 < max_micro < min_micro:
        yield Fault(f"{prefix}max", "is less than the least", "Raise it, or lower the least.")


def _policy_faults(card: ItemCard) -> Iterator[Fault]:
    policy = card.policy
    if policy.weight_unit and policy.weight_unit not in GRAMS_PER_MASS_UNIT:
        yield from choice_faults(
            "policy.weight_unit", policy.weight_unit, ("", *GRAMS_PER_MASS_UNIT)
        )
    elif policy.weight_unit and card.unit in GRAMS_PER_MASS_UNIT:
        yield Fault(
            "policy.weight_unit",
            f"the item is kept by mass ({card.unit}) already",
            "Leave it out, or keep the item in pieces.",
        )
    if policy.expiry_tracked and not card.lot_tracked:
        yield Fault(
            "policy.expiry_tracked",
            message="cannot be asked for without lots: a date is kept of a lot",
            hint="Track its lots too, or leave the expiry dates out.",
        )
    for name in ("shelf_life_days", "min_days_left_to_ship"):
        yield from range_faults(f"policy.{name}", getattr(policy, name), least=0, most=DAYS_MAX)
    if 0 < policy.shelf_life_days < policy.min_days_left_to_ship:
        yield Fault(
            "policy.min_days_left_to_ship",
            "is more than the whole shelf life",
            "Lower it, or correct the shelf life.",
        )
    yield from _level_faults("policy.", min_micro=policy.min_micro, max_micro=policy.max_micro)
    yield from _level_faults("policy.safety_", min_micro=policy.safety_micro, max_micro=0)
    for side in ("over", "under"):
        name = f"{side}_tolerance_percent"
        if not 0 <= getattr(policy, f"{name}_micro") <= PERCENT_MICRO_MAX:
            yield Fault(f"policy.{name}", "is not between 0 and 1000", "Correct the percentage.")
    yield from choice_faults("policy.rotation", policy.rotation, ROTATIONS)
    yield from choice_faults("policy.abc", policy.abc, ABC_CLASSES)
    for name in ("category", "storage_class"):
        yield from text_faults(
            f"policy.{name}",
            getattr(policy, name),
            characters_max=WORD_CHARACTERS_MAX,
            required=False,
        )
    if not 0 <= policy.cost_micro <= COST_MICRO_MAX:
        yield Fault("policy.cost", "is no amount", "Write 0 or more.")
