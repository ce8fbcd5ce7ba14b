"""Lots, serial numbers and expiry dates that items ask for, and movements that lack them. Pure.

    in        supplier -> BIN-1     lot, serial number, and a lot whose expiry date some book knows
    within    BIN-1 -> BIN-2        lot, serial number
    out       BIN-1 -> customer     lot, serial number, and days enough before it expires
    found     adjustment -> BIN-1   as what comes in: a count or a desk can tell what it found
    written   BIN-1 -> scrap        nothing: what is not there cannot be looked at

An expiry date is kept of a lot, so an item that asks for the one asks for the other. What
settlements of the ledger's own move back and forth is as it was, but for goods of which they say
for the first time which item they are of.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from central.contract.expiry import earliest_expiry
from central.contract.facts import Movement
from central.ledger.entries import (
    OWN_GATEWAY,
    DiscrepancyKind,
    Entry,
    FactKey,
    Finding,
    GoodsRule,
    Known,
    Line,
    finding_of,
)
from central.ledger.locations import CUSTOMER, is_virtual
from central.ledger.pairs import LINES_OF_A_PAIR, WRITTEN_OFF, places_of
from central.ledger.runs import Route

LotKey = tuple[str, str, str]  # warehouse, item, lot
SETTLING_FLAG = "settlement"  # Of the ledger's own facts that settle something.
NAMED_FLAG = "item_named"  # Of those that say for the first time which item goods are of.
TAKES_BACK = "takes back "  # What the evidence of one says before the fact that it takes back.
MS_PER_DAY = 86_400_000
EPOCH_DAY = date(1970, 1, 1)


def is_told(from_location: str, to_location: str) -> bool:
    """Return whether somebody had the goods in hand on this way, and could tell which they were.

    What stays where it is becomes goods of another status alone. What a count finds is in
    somebody's hands; of what it misses nobody can say which it was.
    """
    if from_location == to_location or to_location in WRITTEN_OFF:
        return False
    return not (is_virtual(from_location) and is_virtual(to_location))


def comes_in(from_location: str, to_location: str) -> bool:
    """Return whether goods come into the warehouse on this way, or are found there."""
    return is_told(from_location, to_location) and is_virtual(from_location)


def ships(from_location: str, to_location: str) -> bool:
    """Return whether goods of the warehouse go to a customer on this way."""
    return to_location == CUSTOMER and not is_virtual(from_location)


def taken_back_by(movement: Movement) -> FactKey | None:
    """Return the fact that one of a settlement takes back, None if it takes none back."""
    if SETTLING_FLAG not in movement.flags:
        return None
    for one in movement.evidence:
        said, found, name = one.raw.decode().partition(TAKES_BACK)
        if found and not said:
            gateway, epoch, seq = name.split("/")
            return FactKey(movement.warehouse, gateway, epoch, int(seq))
    return None


def lots_asked(known: Known, routes: Iterable[Route]) -> set[LotKey]:
    """Return the lots whose expiry dates decide something on these routes."""
    if not known.goods_rules:
        return set()
    return {
        (route[0], route[3], route[4])
        for route in routes
        if route[4] and (rule := known.goods_rules.get(route[3])) and _asks_date(rule, *route[1:3])
    }


def plain_routes(
    known: Known, routes: Sequence[Route], expiry_dates: Mapping[LotKey, str]
) -> Sequence[Route]:
    """Return the routes of which no movement can lack what its item asks for."""
    if not known.goods_rules:
        return routes
    return [route for route in routes if not _may_lack(known, route, expiry_dates)]


def goods_findings(
    entry: Entry,
    movement: Movement,
    lines: Sequence[Line],
    rule: GoodsRule,
    *,
    expiry_date: str,
    now_ms: int,
) -> Iterator[Finding]:
    """Yield a finding for each thing that a movement lacks, or for goods shipped too late.

    lines: as it was posted. rule: of its item. expiry_date: of its lot, "" if nobody knows it.
    """
    way = places_of(movement)
    if not is_told(*way):
        return
    settles = entry.gateway == OWN_GATEWAY and SETTLING_FLAG in movement.flags
    if settles and NAMED_FLAG not in movement.flags:
        return  # Judged when it came; what was named since was nobody's to judge then.

    def found(kind: DiscrepancyKind, subject: str, detail: str = "") -> Finding:
        return finding_of(
            entry,
            kind,
            subject,
            item=movement.item,
            location=way[1] if is_virtual(way[0]) else way[0],
            lot=movement.lot,
            unit=lines[0].unit,
            actual_micro=sum(line.quantity_micro for line in lines[1::LINES_OF_A_PAIR]),
            detail=detail,
        )

    if rule.lot and not movement.lot:
        yield found("lot_missing", movement.item)
    if rule.serial and not movement.serial:
        yield found("serial_missing", movement.item)
    if rule.expiry_date and movement.lot and not expiry_date and comes_in(*way):
        yield found("expiry_missing", f"{movement.item}/{movement.lot}")
    if expiry_date and rule.dates and ships(*way):
        told_ms = min(movement.event_time_ms, now_ms) if movement.clock_synced else now_ms
        day = EPOCH_DAY + timedelta(days=told_ms // MS_PER_DAY)
        if expiry_date < earliest_expiry(day, min_days_left=rule.days_left_min):
            detail = shipped_late(expiry_date, day, days_left_min=rule.days_left_min)
            yield found("expired_shipped", f"{movement.item}/{movement.lot}", detail)


def shipped_late(expiry_date: str, day: date, *, days_left_min: int) -> str:
    """Return in words that goods were shipped too near to their date, or after it."""
    detail = f"it expires on {expiry_date} and was shipped on {day}"
    if days_left_min and expiry_date >= day.isoformat():
        detail = (
            f"it expires on {expiry_date} and was shipped on {day},"
            f" {days_left_min} days before are asked for"
        )
    return detail


def date_finding(entry: Entry, movement: Movement, *, known: str) -> Finding:
    """Return the finding of a fact that states another date of its lot than is known."""
    return finding_of(
        entry,
        "expiry_differs",
        f"{movement.item}/{movement.lot}",
        item=movement.item,
        lot=movement.lot,
        detail=f"{movement.expiry_date} is stated, {known} was before",
    )


def _may_lack(known: Known, route: Route, expiry_dates: Mapping[LotKey, str]) -> bool:
    warehouse, from_location, to_location, item, lot, serial = route[:6]
    rule = known.goods_rules.get(item)
    if rule is None or not is_told(from_location, to_location):
        return False
    if (rule.lot and not lot) or (rule.serial and not serial):
        return True
    if rule.dates and ships(from_location, to_location):
        return True
    dated = (warehouse, item, lot) in expiry_dates
    return rule.expiry_date and not dated and comes_in(from_location, to_location)


def _asks_date(rule: GoodsRule, from_location: str, to_location: str) -> bool:
    if rule.dates and ships(from_location, to_location):
        return True
    return rule.expiry_date and comes_in(from_location, to_location)
