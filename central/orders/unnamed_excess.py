"""Tells that more left than orders ask for, by facts without a pick. Edge of the database.

What names a pick is judged against that when it is posted. What names none counts for the lines of
its item, which picks are told without: so the order or transfer itself is asked.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from central.ledger.discrepancies import open_discrepancies, settle_subjects
from central.ledger.entries import Entry, PostedFact, finding_of
from central.ledger.ledger import Posted
from central.orders.document_progress import ExpectedQuantity


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
    unnamed: Sequence[PostedFact],
) -> None:
    """Open that a line has more than it tolerates by such a fact, or settle that it no longer has.

    asked: by warehouse and code, as it is after the facts. unnamed: facts, in order; those of other
    documents are left alone. What is told as unexpected is no second matter.
    """
    told = {(one.warehouse, one.subject) for one in posted.findings if one.kind == "unexpected"}
    by_goods: dict[Goods, list[PostedFact]] = {}
    for fact in unnamed:
        if fact.progress is not None and fact.progress[0][:2] in asked:
            warehouse, document, _, item, unit = fact.progress[0]
            by_goods.setdefault(Goods(warehouse, document, item, unit), []).append(fact)
    for goods, facts in sorted(by_goods.items()):
        line = _too_much(asked[goods.warehouse, goods.document], goods)
        left = [fact for fact in facts if fact.progress is not None and fact.progress[1] < 0]
        subject = f"{goods.document}/0/{goods.item}"
        unexpected = f"{goods.document}/{goods.item}"
        if line is None and len(left) < len(facts):
            settle_subjects(
                connection,
                [(goods.warehouse, "over_shipped", subject)],
                settlement=f"record {facts[-1].record_no} brought it to what is asked for",
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
            open_discrepancies(connection, [finding], now_ms=posted.now_ms)


def _too_much(asked: Sequence[Asked], goods: Goods) -> Asked | None:
    """Return the first line of an item that has more than it tolerates."""
    for line in asked:
        expected = line.expected
        same = (expected.item, expected.unit) == (goods.item, goods.unit)
        if same and line.done_micro > expected.most_micro:
            return line
    return None


def entry_of(posted: Posted, record_no: int) -> Entry:
    run = next(
        one
        for one in posted.runs
        if one.first_record_no <= record_no < one.first_record_no + len(one.bodies)
    )
    return run.entry_at(record_no - run.first_record_no)
