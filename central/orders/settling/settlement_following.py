"""Settles what settles itself when late facts come, and says why. Edge of the database."""

from sqlalchemy import Connection

from central.contract.quantities import canonical_text, from_micro
from central.ledger.discrepancies import settle_subjects, settle_where
from central.ledger.entries import balance_name
from central.ledger.ledger import Posted
from central.ledger.line_counts import excess_kind
from central.orders.settling.lot_date_news import KNOWN_NOW, tell_dates
from central.orders.settling.regained import settle_regained
from central.orders.settling.reversed_following import tell_reversed
from central.orders.settling.taken_back_facts import Subject, reasons_of, settle_emptied
from central.orders.settling.unknown_places import tell_left_there
from central.orders.settling.unmoved_facts import settle_unmoved
from central.orders.settling.unnamed_transit import follow_unnamed
from central.orders.settling.weighed_again import settle_weighed_again
from central.storage import bulk, tables


def follow_recovered(connection: Connection, posted: Posted) -> None:
    """Settle balances that were below zero and no longer are; costs nothing if there are none."""
    if not posted.recovered:
        return
    size = len(posted.recovered[0])
    now = {
        row[:size]: (row[size], row[size + 1])
        for row in bulk.select_by_key(
            connection, tables.balances, posted.recovered, columns_count=size
        )
    }
    for key in posted.recovered:
        on_hand, record_no = now[tuple(key)]
        quantity = canonical_text(from_micro(on_hand))
        settle_where(
            connection,
            kind="negative_balance",
            subject=balance_name(key),
            settlement=f"record {record_no} brought it to {quantity} {key.unit}",
            now_ms=posted.now_ms,
            warehouse=key.warehouse,
        )


def follow_dates(connection: Connection, posted: Posted) -> None:
    """Settle lots that came without an expiry date and have one now; most calls bring none.

    And tell of those that have another one, or none, as what stated it was taken back.
    """
    if posted.redated:
        tell_dates(connection, posted.redated, now_ms=posted.now_ms)
    if not posted.dated:
        return
    settle_subjects(
        connection,
        [(warehouse, "expiry_missing", f"{item}/{lot}") for warehouse, item, lot in posted.dated],
        settlement=KNOWN_NOW,
        now_ms=posted.now_ms,
    )


def follow_singles(connection: Connection, posted: Posted) -> None:
    """Settle serial numbers and units that were at several places and are at one, if any were."""
    for one in posted.singles:
        settle_where(
            connection,
            kind="serial_twice",
            subject=f"{one.item}/{one.serial}",
            settlement=f"record {one.record_no} left it at {one.warehouse}/{one.location} alone",
            now_ms=posted.now_ms,
        )
    for unit in posted.single_units:
        settle_where(
            connection,
            kind="unit_twice",
            subject=unit.sscc,
            settlement=f"record {unit.record_no} left it at {unit.warehouse}/{unit.location} alone",
            now_ms=posted.now_ms,
        )


def follow_less(connection: Connection, posted: Posted) -> None:
    """Settle what is no longer so as facts were taken back, or goods went back under a document.

    Costs nothing if neither was, and nothing is wrong.
    """
    if posted.relieved:
        _settle_relieved(connection, posted)
    if posted.reweighed:
        _settle_reweighed(connection, posted)
    if posted.taken_back or posted.returned:
        taken_back = reasons_of((movement, lines) for _, movement, lines in posted.taken_back)
        reasons = {**_returned(posted), **taken_back}
        settle_emptied(connection, reasons, now_ms=posted.now_ms)
    if posted.taken_back:
        settle_regained(connection, posted)
        tell_reversed(connection, posted)
        tell_left_there(connection, posted)
    if posted.findings:
        settle_unmoved(connection, posted)
    if posted.findings or posted.taken_back:
        follow_unnamed(connection, posted)


def _returned(posted: Posted) -> dict[Subject, str]:
    """Return why nothing may be left of what goods went back of under a document."""
    return {
        (key.warehouse, "unexpected", f"{key.document}/{key.item}"): (
            f"since record {number} nothing is left of it under {key.document}"
        )
        for key, number in posted.returned
    }


def _settle_relieved(connection: Connection, posted: Posted) -> None:
    """Settle that document lines had too much, of which enough was taken back since."""
    last = {one.key: one for one in posted.relieved}
    found = {(one.warehouse, one.kind, one.subject): one.record_no for one in posted.findings}
    for key, one in sorted(last.items()):
        subject = f"{key.document}/{key.line}/{key.item}"
        matter = (key.warehouse, excess_kind(one.direction), subject)
        if found.get(matter, 0) > one.record_no:
            continue  # It has too much again by a fact that came later.
        settle_subjects(
            connection,
            [matter],
            settlement=f"record {one.record_no} brought it to"
            f" {canonical_text(from_micro(one.done_micro))} {key.unit}",
            now_ms=posted.now_ms,
        )


def _settle_reweighed(connection: Connection, posted: Posted) -> None:
    """Settle that pieces had no weight left, where they have one again or are gone."""
    last = {one.line.balance_key: one for one in posted.reweighed}
    for _, one in sorted(last.items()):
        settle_weighed_again(connection, one, now_ms=posted.now_ms)
