"""Which discrepancies were open as of a moment. Edge of the database.

    known then      what it was opened for had happened by then, or the ledger knew of it by then
    settled then    it is settled since before; or it was, and somebody opened it again later

What was decided is an act of the ledger, so both times have the same moment for it. Everything else
that a discrepancy says (who sees to it, how many facts) is as it is now.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, or_, select

from central.stock.moments import TimeKind
from central.storage.settlement_tables import settlements
from central.storage.tables import discrepancies, facts

_table = discrepancies.c


@dataclass(frozen=True, slots=True)
class DiscrepancyFilter:
    """Which discrepancies are asked for; "" asks for any.

    kinds: any of these, empty for all. owner: None for any, "" for those of nobody. opened_before:
    in ms, None for any time. as_of: in ms and by which time; None for now.
    """

    state: str = ""
    kind: str = ""
    warehouse: str = ""
    kinds: tuple[str, ...] = ()
    owner: str | None = None
    opened_before: int | None = None
    as_of: tuple[int, TimeKind] | None = None


def discrepancies_at(state: str, as_of: tuple[int, TimeKind] | None) -> Select[Any]:
    """Return the statement of discrepancies in a state, "" for any.

    as_of: a time in ms, and "record" for what the ledger knew then, "event" for what had happened
    by then; None for now.
    """
    if as_of is None:
        query = select(discrepancies)
        return query.where(_table.state == state) if state else query
    time_ms, kind = as_of
    query = select(*columns_at(time_ms)).where(known_at(time_ms, kind=kind))
    return query.where(in_state(state, time_ms)) if state else query


def known_at(time_ms: int, *, kind: TimeKind) -> ColumnElement[bool]:
    """Return the condition that a discrepancy was there, open or settled, as of a time.

    kind: "record" for what the ledger knew then, "event" for what had happened by then. A clock
    that was ahead of the ledger's counts from when the ledger heard of it.
    """
    opened = _table.opened_ms <= time_ms
    if kind == "record":
        return opened
    behind = select(facts.c.seq).where(
        facts.c.warehouse == _table.warehouse,
        facts.c.gateway == _table.gateway,
        facts.c.epoch == _table.epoch,
        facts.c.seq == _table.seq,
        facts.c.event_time_ms <= time_ms,
    )
    return or_(opened, behind.exists())


def settled_at(time_ms: int) -> ColumnElement[bool]:
    """Return the condition that a discrepancy was settled as of a time."""
    undone = select(settlements.c.number).where(
        settlements.c.discrepancy == _table.id,
        settlements.c.action == "reopen",
        settlements.c.undone_ms > 0,
        settlements.c.undone_ms <= time_ms,
        settlements.c.at_ms > time_ms,
    )
    return or_(is_settled_since(time_ms), undone.exists())


def is_settled_since(time_ms: int) -> ColumnElement[bool]:
    """Return the condition that a discrepancy has been settled since before a time until now."""
    return and_(_table.state == "settled", _table.settled_ms <= time_ms)


def in_state(state: str, time_ms: int) -> ColumnElement[bool]:
    """Return the condition that a discrepancy was open, or settled, as of a time."""
    settled = settled_at(time_ms)
    return settled if state == "settled" else ~settled


def columns_at(time_ms: int) -> list[ColumnElement[Any]]:
    """Return the columns of discrepancies, with state and settlement as they were as of a time.

    Of a settlement that was undone since, nothing but that it was is said.
    """
    settled, since = settled_at(time_ms), is_settled_since(time_ms)
    then = {
        "state": case((settled, "settled"), else_="open"),
        "settlement": case((since, _table.settlement), else_=""),
        "settled_ms": case((since, _table.settled_ms), else_=0),
    }
    return [
        then[column.name].label(column.name) if column.name in then else column
        for column in discrepancies.columns
    ]
