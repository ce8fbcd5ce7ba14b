"""What a fact changes in local stock and document progress. Pure."""

from dataclasses import dataclass, field
from typing import NamedTuple

from central.contract.facts import VIRTUAL_PLACES, Count, Movement
from central.contract.quantities import MICRO_PER_UNIT, parse_decimal, to_micro
from gateway.station.book import counted_under, progress_name

# SQLite adds in signed 64 bits. A sum stays at the end of the range instead of being refused: what
# was scanned happened, and the facts keep the true figures.
MICRO_MAX = 2**63 - 1


class StockKey(NamedTuple):
    """What local stock is kept by; in the order of the table's key."""

    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str


class LineKey(NamedTuple):
    """One line of one document."""

    document: str
    document_line: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Sums of micro-units to add, one entry a row; of counts, how often a line was counted."""

    stock: dict[StockKey, int] = field(default_factory=dict)
    received: dict[LineKey, int] = field(default_factory=dict)


def add_movement(changes: Changes, movement: Movement, *, sign: int = 1) -> None:
    """Add what a movement changes; `sign` -1 takes it back.

    Virtual places keep no local stock. For what counts for a document see `progress_name`.
    """
    micro = sign * to_micro(parse_decimal(movement.quantity))
    for location, signed in ((movement.from_location, -micro), (movement.to_location, micro)):
        if location not in VIRTUAL_PLACES:
            key = StockKey(
                location,
                movement.item,
                movement.lot,
                movement.serial,
                movement.sscc,
                movement.unit,
            )
            changes.stock[key] = clamp_micro(changes.stock.get(key, 0) + signed)
    if name := progress_name(movement):
        line = LineKey(name, movement.document_line)
        changes.received[line] = clamp_micro(changes.received.get(line, 0) + micro)


def add_count(changes: Changes, count: Count) -> None:
    """Add that a line of a document was counted once more; no stock changes."""
    if count.document:
        line = LineKey(counted_under(count.document, count.round), count.document_line)
        changes.received[line] = changes.received.get(line, 0) + MICRO_PER_UNIT


def clamp_micro(micro: int) -> int:
    """Return the nearest number that the database can hold."""
    return max(-MICRO_MAX, min(MICRO_MAX, micro))
