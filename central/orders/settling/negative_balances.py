"""A balance below zero: what it is now, where goods for it may be, what fills it. Edge of SQL."""

from sqlalchemy import Connection, and_, or_, select

from central.errors import Conflict, Unusable
from central.ledger.entries import GOODS_KEY_SIZE, BalanceKey, balance_name
from central.ledger.measures import weight_share
from central.orders.catalogue.packs import text_of
from central.orders.counts.count_judging import Thing
from central.orders.counts.outdated_rows import outdated_count
from central.orders.order_goods import parting, require_whole
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found, weight_units
from central.orders.settling.fillings import steps_to_give_back
from central.orders.settling.settlement_moves import step_to_count, steps_from_surplus
from central.orders.settling.settlement_steps import Step
from central.orders.settling.settlements import Decision
from central.orders.settling.surplus import Surplus
from central.orders.settling.unknown_places import is_known_place, place_meant
from central.storage import bulk, tables

PLACES_PROPOSED_MAX = 5
BALANCES_SCANNED_MAX = 1000


def case_of_negative(connection: Connection, row: Found) -> Case:
    """Return how far below zero a balance is, and where else goods of the kind are.

    Of one that was counted, and of which that count is off now, nothing is missing but in the book.
    """
    found = _balance_of(connection, row)
    if found is None:
        return Case(kind=row.kind)
    key, on_hand_micro = found
    thing, surplus = Thing._make(key[1:-1]), tuple[Surplus, ...]()
    count = outdated_count(connection, thing, warehouse=key.warehouse)
    if on_hand_micro < 0 and not count:
        surplus = _surplus(connection, key, missing_micro=-on_hand_micro)
    return Case(
        kind=row.kind, on_hand_micro=on_hand_micro, surplus=surplus, sscc=key.sscc, count=count
    )


def still_missing_micro(connection: Connection, row: Found) -> int:
    """Return by how much what a discrepancy is about is below zero, 0 if it is not or of others."""
    found = _balance_of(connection, row) if row.kind == "negative_balance" else None
    return max(0, -found[1]) if found is not None else 0


def steps_to_fill(connection: Connection, row: Found, decision: Decision) -> list[Step]:
    """Return what makes a balance what was counted, or brings it goods from elsewhere.

    Raises Conflict if it is not below zero any more, Unusable for goods of just that balance.
    """
    found = _balance_of(connection, row)
    if found is None:
        raise Conflict("the balance is not there any more", hint="Accept it.")
    key, on_hand_micro = found
    if decision.action == "adjust":
        counted = 0 if decision.counted_micro is None else decision.counted_micro
        require_whole(connection, key.item, counted, unit=key.unit)
        step = step_to_count(key, on_hand_micro=on_hand_micro, counted_micro=counted)
        return [step] if step is not None else []
    missing_micro = -on_hand_micro
    if missing_micro <= 0:
        raise Conflict("the balance is not below zero any more", hint="Accept it.")
    quantity = missing_micro if decision.quantity_micro is None else decision.quantity_micro
    _refuse_more(key, quantity, missing_micro=missing_micro)
    require_whole(connection, key.item, quantity, unit=key.unit, of=[missing_micro])
    source = key._replace(
        location=decision.location or key.location,
        lot=key.lot if decision.lot is None else decision.lot,
        sscc=key.sscc if decision.sscc is None else decision.sscc,
    )
    if source == key:
        raise Unusable(
            "that is the place, the lot and the unit itself",
            hint="Name another place, lot or unit.",
        )
    # What it was taken from this one for is not so any more: that is taken back, no second thing.
    back, back_micro = steps_to_give_back(
        connection, source=source, key=key, quantity_micro=quantity
    )
    if back_micro == quantity:
        return back
    return back + _steps_from(connection, key, source, quantity_micro=quantity - back_micro)


def _steps_from(
    connection: Connection, key: BalanceKey, source: BalanceKey, *, quantity_micro: int
) -> list[Step]:
    """Return what takes goods from another place, lot or unit, which has them if it is a unit."""
    there_micro = weight_micro = 0
    for row in bulk.select_by_key(connection, tables.balances, [source], columns_count=len(source)):
        there_micro, _, weight_micro = row[len(source) :]
    if source.sscc != key.sscc and there_micro < quantity_micro:
        there, asked = text_of(max(0, there_micro)), text_of(quantity_micro)
        raise Unusable(
            f"{source.sscc or source.location} has {there} {key.unit} of {key.item}, not {asked}",
            hint="Name the unit that they were taken out of, and no more than it has.",
            fields={"sscc": source.sscc, "there": there, "asked": asked},
        )
    share = weight_share(quantity_micro, there_micro=there_micro, weight_micro=weight_micro)
    return steps_from_surplus(
        key,
        source,
        quantity_micro=quantity_micro,
        weight_micro=share,
        weight_unit=weight_units(connection, {key.item}).get(key.item, "") if share else "",
    )


def _refuse_more(key: BalanceKey, quantity_micro: int, *, missing_micro: int) -> None:
    if quantity_micro > missing_micro:
        missing, asked = text_of(missing_micro), text_of(quantity_micro)
        raise Unusable(
            f"{missing} {key.unit} of {key.item} are missing at {key.location}, not {asked}",
            hint="Give no more than is missing, or leave the quantity out for all of it.",
            fields={"missing": missing, "asked": asked},
        )


def _balance_of(connection: Connection, row: Found) -> tuple[BalanceKey, int] | None:
    """Return the balance that a `negative_balance` is about, and what it is now.

    None if there is none any more, which a rebuild may have done.
    """
    prefix = (row.warehouse, row.location, row.item, row.lot)
    for found in bulk.select_by_key(connection, tables.balances, [prefix], columns_count=4):
        key = BalanceKey(*found[: GOODS_KEY_SIZE + 1])
        if balance_name(key) == row.subject:
            return key, found[GOODS_KEY_SIZE + 1]
    return None


def _surplus(connection: Connection, key: BalanceKey, *, missing_micro: int) -> tuple[Surplus, ...]:
    """Return where there are goods of the same kind; what suffices comes first.

    Of a place that is not there, first where a settlement has moved what was there.
    Units at the same place, then other places, then other lots at the place.
    """
    table = tables.balances.c
    query = (
        select(table.location, table.lot, table.sscc, table.on_hand_micro)
        .where(
            table.warehouse == key.warehouse,
            table.item == key.item,
            table.unit == key.unit,
            table.serial == key.serial,
            table.status == key.status,
            table.on_hand_micro > 0,
            or_(
                table.location == key.location,
                and_(table.lot == key.lot, table.sscc == key.sscc),
            ),
        )
        .limit(BALANCES_SCANNED_MAX)
    )
    rows = connection.execute(query).all()
    places = [(key.warehouse, location) for location in sorted({row.location for row in rows})]
    known = {
        place[1]
        for place in bulk.select_by_key(connection, tables.locations, places, columns_count=2)
    }
    taken = {min(row.on_hand_micro, missing_micro) for row in rows}
    parted = parting(connection, key.item, taken, unit=key.unit, of=missing_micro)
    found = [
        Surplus(*row)
        for row in rows
        if row.location in known and min(row.on_hand_micro, missing_micro) not in parted
    ]
    meant = ""
    if not is_known_place(connection, key.warehouse, key.location):
        meant = place_meant(connection, warehouse=key.warehouse, place=key.location, item=key.item)
    found.sort(
        key=lambda one: (
            one.location != meant,
            one.lot != key.lot,
            one.location != key.location,
            one.sscc != key.sscc,
            one.on_hand_micro < missing_micro,
            abs(one.on_hand_micro - missing_micro),
            one.location,
            one.lot,
            one.sscc,
        )
    )
    return tuple(found[:PLACES_PROPOSED_MAX])
