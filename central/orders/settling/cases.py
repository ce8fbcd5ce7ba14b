"""What is known of a discrepancy, for proposals. Pure."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from central.ledger.entries import DiscrepancyKind
from central.orders.settling.line_matches import LineMatch
from central.orders.settling.returned_decisions import Returned
from central.orders.settling.settlement_steps import MovedFact
from central.orders.settling.surplus import Surplus
from central.orders.settling.twice_decisions import Seen

KnownKind = Literal["purchase_order", "sales_order", "transfer"]


class KnownOrder(NamedTuple):
    """An order of other warehouses. warehouses: one, or where it leaves and where it goes."""

    kind: KnownKind
    code: str
    warehouses: tuple[str, ...]


class StatedDate(NamedTuple):
    """When a lot expires, as a fact or the book of another warehouse says, by its name."""

    expiry_date: str
    said_by: str


@dataclass(frozen=True, slots=True)
class ItemMatch:
    """An item that has what was scanned as its code or bar code.

    factor: units a scan, None where nothing was scanned: each unit converts by itself.
    """

    item: str
    unit: str
    factor: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known of a discrepancy, for a proposal.

    known_now: what was missing (item, place, order) is there by now, and what was posted under it
    is as it should be. gone: what is behind it is taken back already. on_hand_micro: at its place;
    of what was not expected, what is left of it under its document; of what was not weighed, in its
    warehouse. weight_micro: what its source said that it weighs.
    excess_micro: what came above the expected, of which tolerated_micro may stay. factor: of the
    unit, where units are known to convert, else None. unit_missing: the item is there by now, and
    is kept in another unit; or in several, of which some convert (converts), and some do not
    (units_unknown). units_beyond: that convert, but into more than a movement may be.
    stated_warehouse: of a fact about another one. shared: all that went unweighed took its share of
    a weight. moved_micro, told_location: of all that is behind it and still stands, and where that
    went. at_once_micro, from_location, to_location: of what one settlement moves of it.
    under_way_micro: of the thing of a transfer, over all warehouses. excess: the open discrepancy
    to be settled first, "" for none: more came than the transfer expects, or what the document has
    too much may go back to another one. seen: where a serial number is by the books, where it came
    last first. is_twice: still at several places, or several times at one. missing_micro,
    available_micro: of what an order waits for; what came under no document, of which on_hand_micro
    went. has_gone_on: from there.
    goes_back: the other way than its document is about. elsewhere: its document, if others
    work on it; lines_there: of that, which may count it. lot_date: when its lot expires by the
    book; dates: what else is said of that.
    lacks: goods of which the item asks for more by now; was_uninspected: for an inspection.
    amended_micro: what a count's adjustment lacks by all that is known now, None if too much moved.
    undone: what the books have of a fact that its gateway undid after it was settled.
    is_enough: the order has as much as it expects, without what was reversed.
    count: which posted count of the balance is off, as something came late for it.
    """

    kind: DiscrepancyKind
    known_now: bool = False
    gone: bool = False
    on_hand_micro: int = 0
    weight_micro: int = 0
    excess_micro: int = 0
    tolerated_micro: int = 0
    warehouse: str = ""
    unit: str = ""
    item: str = ""
    location: str = ""
    lot: str = ""
    sscc: str = ""
    document: str = ""
    gateway: str = ""
    subject: str = ""
    surplus: tuple[Surplus, ...] = ()
    items: tuple[ItemMatch, ...] = ()
    lines: tuple[LineMatch, ...] = ()
    goes_back: bool = False
    factor: Fraction | None = None
    stated_warehouse: str = ""
    unit_missing: bool = False
    converts: bool = False
    units_unknown: tuple[str, ...] = ()
    units_beyond: tuple[str, ...] = ()
    shared: bool = False
    moved_micro: int = 0
    told_location: str = ""
    at_once_micro: int = 0
    from_location: str = ""
    to_location: str = ""
    under_way_micro: int = 0
    excess: str = ""
    seen: tuple[Seen, ...] = ()
    is_twice: bool = False
    missing_micro: int = 0
    available_micro: int = 0
    has_gone_on: bool = False
    returned: Returned | None = None
    elsewhere: KnownOrder | None = None
    lines_there: tuple[LineMatch, ...] = ()
    was_uninspected: bool = False
    lacks: bool = False
    lot_date: str = ""
    dates: tuple[StatedDate, ...] = ()
    amended_micro: int | None = 0
    undone: tuple[MovedFact, ...] = ()
    is_enough: bool = False
    count: str = ""
