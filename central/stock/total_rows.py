"""A total of stock at places taken together. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple


class TotalKey(NamedTuple):
    """Of what a total is, in the order of lists."""

    warehouse: str
    item: str
    unit: str
    status: str


@dataclass(frozen=True, slots=True)
class StockTotal:
    """So much of an item with a status at all places asked for. weight: catch weight.

    places_count: at how many of them there is any, or less than none.
    """

    key: TotalKey
    name: str
    name_zh: str
    places_count: int
    on_hand: Decimal
    weight: Decimal
