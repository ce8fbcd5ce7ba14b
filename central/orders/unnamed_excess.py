"""Tells that more left than orders ask for, by facts without a pick. Edge of the database.

What names a pick is judged against that when it is posted. What names none counts for the lines of
its item, which picks are told without: so the order or transfer itself is asked, be it that such a
fact is too much, or a pick that was not told of one before:

    order of 10     5 without a pick     5 of pick 1     5 of pick 2: 15 left, 5 without a pick
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from central.ledger.discrepancies import open_discrepancies, settle_subjects
from central.ledger.entries import Entry, ExpectedLine, PostedFact, finding_of
from central.ledger.ledger import Posted
from central.ledger.line_counts import UNNAMED
from central.ledger.returned_facts import first_unnamed
from central.orders.document_progress import ExpectedQuantity
from central.storage import bulk, tables


class Asked(NamedTuple):
    """A line of an order, and what left for it."""

    expected: ExpectedQuantity
    done_micro: int


class Goods(NamedTuple):
    """What is judged as one."""

    warehouse: str
    document: str
    item: str
    unit: str


def judge_unnamed(
    connection: Connection,
    posted: Posted,
    asked: Mapping[tuple[str, str], Sequence[Asked]],
    facts: Sequence[PostedFact],
) -> None:
    """Open that a line has more than it tolerates by what names no pick, or settle that it no
    longer has.

    asked: by warehouse and code, as it is after the facts. facts: that name no pick, or may have
    taken what others took without one, in order; those of other documents are left alone. What is
    told as unexpected, or as too much of a pick, is no second matter.
    """
    told = {(one.warehouse, one.subject) for one in posted.findings if one.kind == "unexpected"}
    by_goods: dict[Goods, list[PostedFact]] = {}
    for fact in facts:
        if fact.progress is not None and fact.progress[0][:2] in asked:
            warehouse, document, _, item, unit = fact.progress[0]
            by_goods.setdefault(Goods(warehouse, document, item, unit), []).append(fact)
    for goods, moved in sorted(by_goods.items()):
        line = _too_much(asked[goods.warehouse, goods.document], goods)
        if line is not None:
            line = _without_picks(connection, line, goods)
        left = [fact for fact in moved if fact.progress is not None and fact.progress[1] < 0]
        subject = f"{goods.document}/0/{goods.item}"
        unexpected = f"{goods.document}/{goods.item}"
        if line is None and len(left) < len(moved):
            settle_subjects(
                connection,
                [(goods.warehouse, "over_shipped", subject)],
                settlement=f"record {moved[-1].record_no} brought it to what is asked for",
                now_ms=posted.now_ms,
            )
        elif line is not None and left and (goods.warehouse, unexpected) not in told:
            finding = finding_of(
                entry_of(posted, left[0].record_no),
                "over_shipped",
                subject,
                item=goods.item,
                unit=goods.unit,
                document=goods.document,
                expected_micro=line.expected.expected_micro,
                actual_micro=line.done_micro,
            )
            # Behind it is all that names no pick, whatever made it too much.
            first = first_unnamed(connection, goods[:2], item=goods.item) or finding.record_no
            finding = replace(finding, record_no=first)
            open_discrepancies(connection, [finding], now_ms=posted.now_ms)


def _too_much(asked: Sequence[Asked], goods: Goods) -> Asked | None:
    """Return the first line of an item that has more than it tolerates."""
    for line in asked:
        expected = line.expected
        same = (expected.item, expected.unit) == (goods.item, goods.unit)
        if same and line.done_micro > expected.most_micro:
            return line
    return None


def _without_picks(connection: Connection, line: Asked, goods: Goods) -> Asked | None:
    """Return a line without what is told as too much of its picks; None if the rest is not."""
    document = (goods.warehouse, goods.document)
    unnamed_micro = told_micro = 0
    for row in bulk.select_by_key(
        connection, tables.document_progress, [document], columns_count=2
    ):
        number, expected_micro, tolerance, done_micro = row[2], *row[5:8]
        if row[3:5] != goods[2:4]:
            continue
        pick = ExpectedLine(goods.item, expected_micro, tolerance)
        if number == UNNAMED:
            unnamed_micro = done_micro
        elif expected_micro and done_micro > pick.limit_micro:
            told_micro += done_micro - expected_micro
    rest = line._replace(done_micro=line.done_micro - told_micro)
    return rest if unnamed_micro > 0 and rest.done_micro > line.expected.most_micro else None


def entry_of(posted: Posted, record_no: int) -> Entry:
    run = next(
        one
        for one in posted.runs
        if one.first_record_no <= record_no < one.first_record_no + len(one.bodies)
    )
    return run.entry_at(record_no - run.first_record_no)
