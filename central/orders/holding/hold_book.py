"""Holds goods and gives them free, one change each. Edge of the database.

    HO-000001   hold    lot L7 of RICE, everywhere      a movement a balance: available -> held
    HO-000002   release BIN-4 of SH1                    a movement a balance: held -> available

The movements are facts of the ledger's own. What was set aside of goods that are held is given up
by the follower of reservations, as for goods that are gone; inspections are told what was decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, func, select

from central.contract.facts import Evidence, Movement, StockStatus
from central.errors import Conflict, Unusable
from central.ledger.desk import Change, ObjectNote, require_version
from central.ledger.entries import BalanceKey, FactKey
from central.ledger.posting import HOLD_FLAG
from central.ledger.state import set_lots_on_hold
from central.orders.holding.holds import (
    BALANCES_MAX,
    TAKEN_FROM,
    Action,
    HoldAsked,
    Scope,
    Standing,
    check_scope,
    lots_after,
    parts_of,
    said_in,
)
from central.orders.order_goods import checked_reason, require_whole
from central.orders.purchasing.inspection_following import decide_of_balance
from central.stock.views import list_warehouses
from central.storage import tables
from central.storage.places import in_transit, physical

KIND = "stock_hold"
PREFIX = "HO"
STEP = "inspecting"  # A business step of GS1's Core Business Vocabulary.
DONE: dict[Action, str] = {"hold": "held", "release": "freed"}
KEY_COLUMNS = tuple(tables.balances.c[name] for name in BalanceKey._fields)


@dataclass(frozen=True, slots=True)
class Moved:
    """How much of a balance became something else, and by which fact."""

    key: BalanceKey
    quantity_micro: int
    fact: FactKey


@dataclass(frozen=True, slots=True)
class HoldDone:
    """What was done. version: of the scope after it."""

    code: str
    asked: HoldAsked
    moved: tuple[Moved, ...]
    version: int


def change_status(change: Change, asked: HoldAsked, *, version: int | None) -> HoldDone:
    """Hold goods or give them free, all that was asked or nothing.

    Raises Unusable, Conflict for nothing there, less than asked or too much at once, Outdated.
    """
    scope = asked.scope
    check_scope(scope, has_quantity=asked.quantity_micro is not None)
    reason = checked_reason(asked.reason, what=f"to {asked.action} goods")
    connection = change.connection
    _require_names(connection, scope)
    if asked.quantity_micro is not None and scope.item:
        require_whole(connection, scope.item, asked.quantity_micro)
    require_version(scope_version(connection, scope), version, what="what stands there")
    standing = read_standing(connection, scope, asked.statuses, limit=BALANCES_MAX + 1)
    lots = lots_after(change.state.lots_on_hold, asked)
    changes = lots != change.state.lots_on_hold and asked.statuses == TAKEN_FROM[asked.action]
    # Of a lot that was here and has gone it is noted alone, for what comes back.
    is_noted = not standing and changes and scope_version(connection, scope) > 0
    parts = [] if is_noted else parts_of(standing, asked)
    if len(parts) > BALANCES_MAX:
        raise Conflict(
            f"it stands at more than {BALANCES_MAX} places or has as many numbers",
            hint="Go on warehouse by warehouse, or place by place.",
        )
    code = change.next_code(PREFIX)
    moved: list[Moved] = []
    for _, group in groupby(parts, key=lambda part: part[0].key.warehouse):
        of_one = list(group)
        drafts = [_draft(change, asked, *part, said=said_in(code, reason)) for part in of_one]
        keys = change.post(drafts)
        moved += [
            Moved(one.key, micro, key) for (one, micro), key in zip(of_one, keys, strict=True)
        ]
    for one in moved:
        decide_of_balance(
            change,
            one.key,
            one.quantity_micro,
            becomes=asked.becomes,
            reason=reason,
            fact=one.fact,
        )
    if lots != change.state.lots_on_hold:  # What comes in of those is held, until they are free.
        change.state = set_lots_on_hold(connection, change.state, lots)
    _note(change, asked, code, reason, moved)
    return HoldDone(code, asked, tuple(moved), scope_version(connection, scope))


def read_standing(
    connection: Connection, scope: Scope, statuses: Sequence[StockStatus], *, limit: int
) -> list[Standing]:
    """Return what stands in places of warehouses and is above zero, in the order of its keys."""
    table = tables.balances.c
    query = (
        select(*KEY_COLUMNS, table.on_hand_micro)
        .where(
            *_conditions(connection, scope),
            table.status.in_(statuses),
            table.on_hand_micro > 0,
            physical(table.location),
        )
        .order_by(*KEY_COLUMNS)
        .limit(limit)
    )
    return [Standing(BalanceKey(*row[:-1]), row[-1]) for row in connection.execute(query)]


def read_under_way(connection: Connection, scope: Scope, *, limit: int) -> list[Standing]:
    """Return what of a lot is on its way, which no hold reaches; nothing of a place."""
    if scope.location:
        return []
    table = tables.balances.c
    query = (
        select(*KEY_COLUMNS, table.on_hand_micro)
        .where(
            *_conditions(connection, scope),
            table.on_hand_micro > 0,
            in_transit(table.location),
        )
        .order_by(*KEY_COLUMNS)
        .limit(limit)
    )
    return [Standing(BalanceKey(*row[:-1]), row[-1]) for row in connection.execute(query)]


def scope_version(connection: Connection, scope: Scope) -> int:
    """Return the number of the last fact that changed anything of a scope, 0 for none."""
    query = select(func.max(tables.balances.c.record_no))
    return connection.execute(query.where(*_conditions(connection, scope))).scalar() or 0


def _conditions(connection: Connection, scope: Scope) -> list[ColumnElement[bool]]:
    table = tables.balances.c
    # Every index begins with the warehouse.
    codes = [scope.warehouse] if scope.warehouse else _warehouses(connection)
    conditions: list[ColumnElement[bool]] = [table.warehouse.in_(codes)]
    for name in ("item", "lot", "location", "serial", "sscc"):
        value = getattr(scope, name)
        if value is not None:
            conditions.append(table[name] == value)
    return conditions


def _warehouses(connection: Connection) -> list[str]:
    return [one.code for one in list_warehouses(connection)]


def _require_names(connection: Connection, scope: Scope) -> None:
    """Return if the place is known, or goods stand there all the same. Raises Unusable."""
    if not scope.warehouse:
        return
    if scope.warehouse not in _warehouses(connection):
        raise Unusable(
            f"no warehouse is called {scope.warehouse!r}",
            hint="Correct the code of the warehouse.",
            fields={"warehouse": scope.warehouse},
        )
    if not scope.location:
        return
    table, stock = tables.locations.c, tables.balances.c
    place = (scope.warehouse, scope.location)
    known = select(table.location).where(table.warehouse == place[0], table.location == place[1])
    there = select(stock.location).where(stock.warehouse == place[0], stock.location == place[1])
    if not any(connection.execute(query.limit(1)).first() for query in (known, there)):
        raise Unusable(
            f"{scope.warehouse} has no place {scope.location!r}",
            hint="Name a place of the warehouse.",
            fields={"location": scope.location},
        )


def _draft(
    change: Change, asked: HoldAsked, one: Standing, quantity_micro: int, *, said: Evidence
) -> Movement:
    key = one.key
    return change.movement(
        warehouse=key.warehouse,
        business_step=STEP,
        from_location=key.location,
        to_location=key.location,
        item=key.item,
        quantity_micro=quantity_micro,
        unit=key.unit,
        lot=key.lot,
        serial=key.serial,
        sscc=key.sscc,
        from_status=key.status,
        to_status=asked.becomes,
        flags=(HOLD_FLAG,),
        evidence=(said,),
    )


def _note(change: Change, asked: HoldAsked, code: str, reason: str, moved: Sequence[Moved]) -> None:
    """Note it once for each warehouse: whoever works in one hears of it there."""
    counts = {} if moved else {asked.scope.warehouse or "": 0}
    for one in moved:
        counts[one.key.warehouse] = counts.get(one.key.warehouse, 0) + 1
    names = ("item", "lot", "location", "serial", "sscc")
    named = {name: value for name in names if (value := getattr(asked.scope, name)) is not None}
    fields = {**named, "becomes": asked.becomes, "reason": reason}
    change.note_all(
        KIND,
        DONE[asked.action],
        [
            ObjectNote(code, warehouse, {**fields, "facts_count": count})
            for warehouse, count in counts.items()
        ],
    )
