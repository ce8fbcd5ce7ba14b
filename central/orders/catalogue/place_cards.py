"""What is known of a warehouse or a place in it, and what is wrong with it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from central.ledger.locations import is_virtual
from central.orders.catalogue.cards import (
    NAME_CHARACTERS_MAX,
    WORD_CHARACTERS_MAX,
    Fault,
    choice_faults,
    code_faults,
    gln_faults,
    range_faults,
    text_faults,
)
from central.orders.catalogue.packs import QUANTITY_MICRO_MAX

AREA = "area"
# What a place is; an area is no place for stock but holds places, and gateways do not know it.
PLACE_KINDS = ("bin", "dock_door", "staging", "quality_hold", AREA)
DEPTH_MAX = 16
WALK_ORDER_MAX = 10**9


@dataclass(frozen=True, slots=True)
class WarehouseCard:
    """Everything that people say of a warehouse."""

    code: str
    name: str
    name_zh: str = ""
    gln: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class PlaceCard:
    """Everything that people say of a place; fields as of the table `location_details`."""

    warehouse: str
    code: str
    kind: str = "bin"
    name: str = ""
    parent: str = ""
    walk_order: int = 0
    pick_face: bool = False
    capacity_micro: int = 0
    zone: str = ""
    storage_class: str = ""
    blocked: bool = False


def warehouse_faults(card: WarehouseCard) -> Iterator[Fault]:
    """Yield everything that is wrong with a warehouse by itself."""
    yield from code_faults("code", card.code, what="warehouse")
    yield from text_faults("name", card.name, characters_max=NAME_CHARACTERS_MAX, required=True)
    for name in ("name_zh", "address"):
        yield from text_faults(
            name, getattr(card, name), characters_max=NAME_CHARACTERS_MAX, required=False
        )
    yield from gln_faults("gln", card.gln)


def place_faults(card: PlaceCard) -> Iterator[Fault]:
    """Yield everything that is wrong with a place by itself."""
    yield from code_faults("warehouse", card.warehouse, what="warehouse")
    yield from code_faults("code", card.code, what="location")
    if is_virtual(card.code):
        yield Fault("code", f"{card.code!r} is a place of the ledger's own", "Choose another code.")
    yield from choice_faults("kind", card.kind, PLACE_KINDS)
    yield from text_faults("name", card.name, characters_max=NAME_CHARACTERS_MAX, required=False)
    for name in ("zone", "storage_class"):
        yield from text_faults(
            name, getattr(card, name), characters_max=WORD_CHARACTERS_MAX, required=False
        )
    yield from range_faults("walk_order", card.walk_order, least=0, most=WALK_ORDER_MAX)
    if not 0 <= card.capacity_micro <= QUANTITY_MICRO_MAX:
        yield Fault("capacity", "is no quantity", "Write how much fits, or 0 for no bound.")
    if card.pick_face and card.kind != "bin":
        yield Fault(
            "pick_face", f"a place of kind {card.kind} is not picked from", "Make it a bin."
        )
    if card.parent:
        yield from code_faults("parent", card.parent, what="location")
    if card.parent == card.code:
        yield Fault("parent", "a place cannot be in itself", "Name the area that it is in.")


def tree_faults(parents: Mapping[str, str], places: Iterable[str]) -> Iterator[tuple[str, Fault]]:
    """Yield (place, fault) of those places whose way up is a circle, too long, or leads nowhere.

    parents: of every place on the ways up, as they shall be; "" for one in the warehouse itself.
    """
    for place in places:
        way, at = [place], parents.get(place, "")
        while at and at not in way and len(way) <= DEPTH_MAX:
            if at not in parents:
                yield place, _fault(f"no place is called {at!r}", "Add it first, or correct it.")
                break
            way.append(at)
            at = parents[at]
        else:
            if at in way:
                circle = " in ".join([*way[way.index(at) :], at])
                yield place, _fault(f"goes round in a circle: {circle}", "Break the circle.")
            elif at:
                yield place, _fault(f"is more than {DEPTH_MAX} deep", "Make the tree flatter.")


def _fault(message: str, hint: str) -> Fault:
    return Fault("parent", message, hint)
