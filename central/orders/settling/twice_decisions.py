"""Where a number is that is at several places, and what takes it out of the book of one. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from central.orders.settling.settlements import Decision

TWO_UNITS = "Leave it so: two units bear this number. Label one of them anew."


@dataclass(frozen=True, slots=True)
class Seen:
    """A place where the books have a serial number, or a handling unit."""

    warehouse: str
    location: str


def taken_out(seen: Sequence[Seen], *, warehouse: str) -> Iterator[tuple[Decision, str]]:
    """Yield a decision for each place but the one where it came last, and why.

    seen: where it came last first. warehouse: of which a place is called by its name alone.
    """
    names = [
        one.location if one.warehouse == warehouse else f"{one.warehouse}/{one.location}"
        for one in seen
    ]
    for one, name in zip(seen[1:], names[1:], strict=True):
        decision = Decision(action="adjust", location=one.location, warehouse=one.warehouse)
        yield decision, f"Take it out of the book of {name}: it was seen at {names[0]} last."
