"""The stock that a gateway shows, made from the ledger's at a record number. Pure.

    shown = the ledger's stock at the revision + what the gateway's own facts beyond it say

Facts beyond the revision count as the gateway counts them, from their own words: in the unit that
they state, and also where the ledger did not post them. So both speak of the same figures.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from central.contract.facts import VIRTUAL_PLACES, Fact, Movement, Reversal
from central.contract.quantities import from_micro, parse_decimal, to_micro
from central.contract.stock_digests import StockDigests, StockKey, digests_by_bin

LEVELS_NAMED_MAX = 5
DETAIL_CHARACTERS_MAX = 500

Levels = dict[StockKey, int]


@dataclass(frozen=True, slots=True)
class BinDiffers:
    """A place of which gateway and ledger do not show the same. detail: both sides, for people."""

    location: str
    detail: str


def add_stated(
    levels: Levels,
    facts: Iterable[Fact],
    movement_at: Callable[[Reversal], Movement | None],
) -> None:
    """Add to `levels` what facts say of physical places.

    movement_at: returns the movement that a reversal takes back, None if there is none.
    """
    for fact in facts:
        if isinstance(fact, Movement):
            _add_movement(levels, fact, sign=1)
        elif isinstance(fact, Reversal):
            taken_back = movement_at(fact)
            if taken_back is not None:
                _add_movement(levels, taken_back, sign=-1)


def covers(report: StockDigests, location: str) -> bool:
    """Return whether a report is about a place."""
    return location > report.after and (not report.to or location <= report.to)


def differing_bins(report: StockDigests, levels: Mapping[StockKey, int]) -> list[BinDiffers]:
    """Return the places that do not agree, sorted by code. levels: the ledger's, to `report`."""
    shown = {one.location: one.digest for one in report.bins if covers(report, one.location)}
    ours: dict[str, list[tuple[StockKey, int]]] = {}
    for key, micro in levels.items():
        if micro and covers(report, key[0]):
            ours.setdefault(key[0], []).append((key, micro))
    expected = digests_by_bin(one for found in ours.values() for one in found)
    places = sorted(
        place for place in shown.keys() | expected if shown.get(place) != expected.get(place)
    )
    return [
        BinDiffers(
            place,
            _detail(
                report,
                shown=shown.get(place),
                expected=expected.get(place),
                levels=sorted(ours.get(place, [])),
                bins_count=len(places),
            ),
        )
        for place in places
    ]


def _add_movement(levels: Levels, movement: Movement, *, sign: int) -> None:
    micro = sign * to_micro(parse_decimal(movement.quantity))
    what = (movement.item, movement.lot, movement.serial, movement.sscc, movement.unit)
    for location, change in ((movement.from_location, -micro), (movement.to_location, micro)):
        if location not in VIRTUAL_PLACES:
            key = (location, *what)
            levels[key] = levels.get(key, 0) + change


def _detail(
    report: StockDigests,
    *,
    shown: bytes | None,
    expected: bytes | None,
    levels: Sequence[tuple[StockKey, int]],
    bins_count: int,
) -> str:
    named = ", ".join(_level_text(key, micro) for key, micro in levels[:LEVELS_NAMED_MAX])
    if len(levels) > LEVELS_NAMED_MAX:
        named += f" and {len(levels) - LEVELS_NAMED_MAX} more"
    text = (
        f"at revision {report.revision} the gateway shows {_sum_text(shown)},"
        f" the ledger has {_sum_text(expected)}: {named or 'empty'};"
        f" {bins_count} places of this gateway differ"
    )
    return text.replace("\0", "\\0")[:DETAIL_CHARACTERS_MAX]


def _sum_text(digest: bytes | None) -> str:
    return "nothing" if digest is None else f"sum {digest.hex()}"


def _level_text(key: StockKey, micro: int) -> str:
    _, item, *what, unit = key
    words = (item, *filter(None, what), f"{from_micro(micro):f}", unit)
    return " ".join(words)
