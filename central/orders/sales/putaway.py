"""Where to put what came in, by rule. Pure.

    1 home        a place of its own, if one is said for the item
    2 same lot    where the same lot lies already
    3 same item   where the item lies already
    4 empty       a place where nothing lies

Within a rule the shortest way from where the goods are, by walk order, then the place where least
is left over. Only bins that are not blocked, whose storage class suits the item (a place without
one takes all, an item without one goes anywhere), and where it fits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Rule = Literal["home", "same_lot", "same_item", "empty"]
RULES: tuple[Rule, ...] = ("home", "same_lot", "same_item", "empty")
SUGGESTIONS_MAX = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A bin and what lies there. capacity_micro: 0 for no bound. walk_order: 0 if not said.

    home_max_micro: how much of the item may lie there, if it is a place of its own; 0: no bound.
    """

    location: str
    walk_order: int
    zone: str
    storage_class: str
    capacity_micro: int
    used_micro: int
    has_item: bool
    has_lot: bool
    is_home: bool = False
    home_used_micro: int = 0
    home_max_micro: int = 0
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Goods:
    """What is to be put away. storage_class, zone: "" for any."""

    quantity_micro: int
    storage_class: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Put so much there; rule: why there."""

    location: str
    quantity_micro: int
    rule: Rule


def suggest(places: Iterable[Place], goods: Goods, *, walk_from: int) -> list[Suggestion]:
    """Return where to put goods, best first; less than all of them if there is no room.

    walk_from: walk order of where the goods are, 0 if not said. One place for all of it is better
    than several, as long as no better rule is left out.
    """
    ranked = sorted(
        (
            (RULES.index(rule), _way(place, walk_from), _left_over(place, goods), place)
            for place in places
            if (rule := _rule(place)) is not None and _suits(place, goods)
        ),
        key=lambda one: (*one[:3], one[3].location),
    )
    found: list[Suggestion] = []
    rest_micro = goods.quantity_micro
    for number, rule in enumerate(RULES):
        of_rule = [place for rank, _, _, place in ranked if rank == number]
        whole = [place for place in of_rule if _room(place, rest_micro) >= rest_micro]
        for place in whole[:1] or of_rule:
            part_micro = min(_room(place, rest_micro), rest_micro)
            if part_micro > 0 and len(found) < SUGGESTIONS_MAX:
                found.append(Suggestion(place.location, part_micro, rule))
                rest_micro -= part_micro
    return found


def _rule(place: Place) -> Rule | None:
    if place.blocked:
        return None
    if place.is_home:
        return "home"
    if place.has_lot:
        return "same_lot"
    if place.has_item:
        return "same_item"
    return None if place.used_micro else "empty"


def _suits(place: Place, goods: Goods) -> bool:
    if goods.zone and place.zone != goods.zone:
        return False
    either = not place.storage_class or not goods.storage_class
    return either or place.storage_class == goods.storage_class


def _room(place: Place, wanted_micro: int) -> int:
    """Return how much more fits, as far as it is wanted."""
    room_micro = wanted_micro
    if place.capacity_micro:
        room_micro = min(room_micro, place.capacity_micro - place.used_micro)
    if place.is_home and place.home_max_micro:
        room_micro = min(room_micro, place.home_max_micro - place.home_used_micro)
    return max(room_micro, 0)


def _left_over(place: Place, goods: Goods) -> tuple[bool, int]:
    """Return what sorts first the place that is best filled, and last those without a bound."""
    if not place.capacity_micro:
        return True, 0
    return False, abs(place.capacity_micro - place.used_micro - goods.quantity_micro)


def _way(place: Place, walk_from: int) -> tuple[bool, int]:
    """Return what sorts near places first, and those that have no place on the way last."""
    return not place.walk_order, abs(place.walk_order - walk_from)
