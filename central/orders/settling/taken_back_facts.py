"""Settles what nothing is behind any more, as that was taken back. Edge of the database.

Who takes a fact back, a gateway or a settlement of something else, leaves nothing to decide about
it. It settles itself only if nothing else of the same is left in the books; opened again, what that
settlement had settled so is open again, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from central.contract.facts import Movement
from central.ledger.discrepancies import settle_discrepancies
from central.ledger.entries import FactKey, Line
from central.ledger.reversals import stored_movements
from central.ledger.unexpected_facts import Unexpected, is_left
from central.orders.settling.discrepancy_facts import left_behind
from central.orders.settling.lot_date_cases import dates_differ
from central.orders.settling.taken_back_subjects import subjects_of
from central.storage import bulk, tables

Subject = tuple[str, str, str]  # warehouse, kind, subject
Reasons = Mapping[Subject, str]  # Why nothing may be left, by what that is of.


def reasons_of(moved: Iterable[tuple[Movement, Sequence[Line]]], *, how: str = "") -> Reasons:
    """Return why nothing may be left of what facts were behind, open or not.

    moved: facts that are taken back, with their lines. how: " as something was settled", "" if
    their gateways took them back. The newest one is named.
    """
    newest: dict[Subject, int] = {}
    for movement, lines in moved:
        for kind, subject in subjects_of(movement, lines):
            one = (movement.warehouse, kind, subject)
            newest[one] = max(lines[0].record_no, newest.get(one, 0))
    return {one: _why(number, how=how) for one, number in newest.items()}


def reasons_settled(connection: Connection, keys: Iterable[FactKey], *, what: str) -> Reasons:
    """Return what `reasons_of` does of facts that the desk takes back. what: was done then."""
    found = stored_movements(connection, sorted(set(keys)))
    moved = [(one.movement, one.lines) for _, one in found if one.movement is not None]
    return reasons_of(moved, how=f" as {what}")


def settle_emptied(connection: Connection, reasons: Reasons, *, now_ms: int, but: str = "") -> None:
    """Settle those open ones of which nothing is left, and say why.

    but: the one that somebody decides about.
    """
    for row in open_ones(connection, list(reasons)):
        if row.id != but and not _is_left(connection, row):
            why = reasons[_subject(row)]
            settle_discrepancies(connection, [row.id], settlement=why, now_ms=now_ms)


def open_ones(connection: Connection, subjects: Sequence[Subject]) -> list[Row[Any]]:
    """Return what is open of these subjects."""
    return _rows(connection, subjects, state="open")


def settled_ones(connection: Connection, subjects: Sequence[Subject]) -> list[Row[Any]]:
    """Return what is settled of these subjects, the newest of each of which none is open."""
    newest = {_subject(row): row for row in _rows(connection, subjects, state="settled")}
    still_open = {_subject(row) for row in open_ones(connection, sorted(newest))}
    return [newest[subject] for subject in sorted(newest.keys() - still_open)]


def emptied_by(connection: Connection, reasons: Reasons) -> list[Row[Any]]:
    """Return what settled itself for these reasons, the newest of each subject.

    None of a subject of which another one is open.
    """
    still_open = {_subject(row) for row in open_ones(connection, list(reasons))}
    newest = {
        _subject(row): row
        for row in _rows(connection, list(reasons), state="settled")
        if row.settlement == reasons[_subject(row)] and _subject(row) not in still_open
    }
    return [newest[subject] for subject in sorted(newest)]


def _why(record_no: int, *, how: str) -> str:
    return f"record {record_no} was taken back{how}, and nothing else is behind it"


def _subject(row: Row[Any]) -> Subject:
    return row.warehouse, row.kind, row.subject


def _rows(connection: Connection, subjects: Sequence[Subject], *, state: str) -> list[Row[Any]]:
    """Return what is open, or settled, of these subjects, oldest first."""
    keys = [(warehouse, state, kind, subject) for warehouse, kind, subject in sorted(subjects)]
    found = bulk.select_by_columns(
        connection,
        tables.discrepancies,
        keys,
        columns=("warehouse", "state", "kind", "subject"),
        index="discrepancies_open",
        where="",
    )
    identities = [row[0] for row in found]
    if not identities:
        return []
    table = tables.discrepancies
    query = select(table).where(table.c.id.in_(identities))
    return list(connection.execute(query.order_by(table.c.settled_ms, table.c.record_no)))


def _is_left(connection: Connection, row: Row[Any]) -> bool:
    """Return whether anything is left of what a discrepancy is about, or may be."""
    if row.kind == "expiry_differs":
        return dates_differ(connection, row)
    if not row.record_no or not row.epoch:
        return True
    if row.kind == "unexpected":
        first = FactKey(row.warehouse, row.gateway, row.epoch, row.seq)
        return is_left(connection, Unexpected(row.document, row.item, first, row.record_no))
    left = left_behind(connection, row)
    return bool(left.facts) or left.is_cut or _is_held(connection, row)


def _is_held(connection: Connection, row: Row[Any]) -> bool:
    """Return whether the books have something at a place that is not there."""
    if row.kind != "unknown_location":
        return False
    held = tables.balances.c
    query = select(held.item).where(
        held.warehouse == row.warehouse, held.location == row.subject, held.on_hand_micro != 0
    )
    return connection.execute(query.limit(1)).first() is not None
