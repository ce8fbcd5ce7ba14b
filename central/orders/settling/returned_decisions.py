"""What settles that more was returned than its order had moved. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from central.orders.catalogue.packs import text_of
from central.orders.settling.settlements import Decision

NO_MORE = "The order has moved as much by now."
LEFT_SO = "Leave the stock as it is: the goods were returned, whatever the order moved."


@dataclass(frozen=True, slots=True)
class Returned:
    """What a return is of. is_sale: customers sent back; else goods went back to their supplier.

    names_goods: whether it is about a lot or a serial number. lots: that goods of a wrong lot may
    have been, with how much of each the order moved and has not back (10^-6).
    """

    order: str
    is_sale: bool
    names_goods: bool = False
    lots: tuple[tuple[str, int], ...] = ()


def decisions(
    returned: Returned | None, *, excess_micro: int, at_once_micro: int, unit: str
) -> Iterator[tuple[Decision, str]]:
    """Yield how it is settled best, and why. at_once_micro: as much as one settlement moves."""
    accept = Decision(action="accept")
    if returned is None or excess_micro <= 0:
        yield accept, NO_MORE
        return
    at_once = min(excess_micro, at_once_micro)
    for lot, left_micro in returned.lots:
        part = min(at_once, left_micro)
        again = Decision(action="reassign", lot=lot, quantity_micro=part)
        yield again, f"{returned.order} moved {text_of(left_micro)} {unit} more of lot {lot}."
    back = Decision(action="reverse", quantity_micro=at_once)
    yield back, f"Move {text_of(at_once)} {unit} back to where they came from."
    yield accept, LEFT_SO
