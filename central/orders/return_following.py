"""Tells that more came back than an order had shipped, or went back than it had received. Edge.

    SO-1 shipped 5       CR-1: 5 came back       the shipment is taken back: 5 of 0 came back
    SO-1 shipped 5 of A  CR-1: 2 came back of B  2 of B, of which none had gone out

It is open at the return (`over_returned`), by whatever fact it came to be so. A return that names
no order is compared with none: nobody knows with which its goods went out.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from central.contract.quantities import canonical_text, from_micro
from central.ledger.discrepancies import open_discrepancies, settle_subjects
from central.ledger.entries import DiscrepancyKind, Finding, PostedFact
from central.ledger.ledger import Posted
from central.ledger.locations import CUSTOMER, SUPPLIER
from central.ledger.opening import DocumentKey
from central.ledger.returned_facts import first_returned
from central.orders.returned_goods import (
    Compared,
    Goods,
    OrderReturns,
    compare,
    find_orders,
    subject_of,
)
from central.orders.sales.decided_returns import follow_decided
from central.orders.settling.settlement_following import follow_less
from central.orders.unnamed_excess import entry_of

KIND: DiscrepancyKind = "over_returned"
# Which way goods cross a border for a return's sake, or when what it follows is taken back.
WORSE = {CUSTOMER: 1, SUPPLIER: -1}


def follow_returns(connection: Connection, posted: Posted) -> None:
    """Compare orders with their returns where either moved on; costs nothing if none did.

    Where less counts for a document than before, lines may have too much no longer, too; and what
    was decided of goods of a customer's return is taken back with their coming.
    """
    if (
        posted.returned
        or posted.relieved
        or posted.taken_back
        or posted.reweighed
        or posted.findings
    ):
        follow_less(connection, posted)
        if posted.taken_back:
            follow_decided(connection, posted)
    if not posted.returning:
        return
    for border in WORSE:
        facts = [
            fact
            for fact in posted.apart
            if fact.progress is not None
            and fact.progress[2] == border
            and fact.progress[0][:2] in posted.returning
        ]
        documents = {_document(fact) for fact in facts}
        for order in (
            find_orders(connection, documents, is_sale=border == CUSTOMER) if facts else ()
        ):
            own = {*order.documents, *order.back}
            _judge(connection, posted, order, [one for one in facts if _document(one) in own])


def _judge(
    connection: Connection, posted: Posted, order: OrderReturns, facts: Sequence[PostedFact]
) -> None:
    """Open what these facts made too much of, and settle what is no more."""
    worse: Counter[Goods] = Counter()
    causes: dict[Goods, list[PostedFact]] = {}
    for fact in facts:
        assert fact.progress is not None
        (_, _, _, item, unit), brought_in, border = fact.progress
        first = fact.lines[0]
        wholes = {(first.lot, ""), (first.lot, first.serial)}
        for goods in {Goods(item, unit), *(Goods(item, unit, *one) for one in wholes)}:
            worse[goods] += brought_in * WORSE[border]
            if brought_in * WORSE[border] > 0:
                causes.setdefault(goods, []).append(fact)
    told: dict[Goods, int] = {}
    explained = []
    for goods in sorted(worse):  # An item before its lots, a lot before its serial numbers.
        excess = told[goods] = compare(connection, order, goods).excess_micro
        wider = {Goods(*goods[:2]), Goods(*goods[:3])} - {goods}
        if not excess:
            explained.append(goods)
        elif worse[goods] > 0 and all(excess > told[one] for one in wider):
            findings = list(_findings(connection, posted, order, goods, causes[goods]))
            open_discrepancies(connection, findings, now_ms=posted.now_ms)
    settle_subjects(
        connection,
        [
            (warehouse, KIND, subject_of(code, goods))
            for goods in explained
            for warehouse, code in order.back
        ],
        settlement=f"it is no more than {order.code} moved",
        now_ms=posted.now_ms,
    )


def _findings(
    connection: Connection,
    posted: Posted,
    order: OrderReturns,
    goods: Goods,
    causes: Sequence[PostedFact],
) -> Iterator[Finding]:
    """Yield what is told: of the return whose goods made it so, else of each that has some of them.

    causes: oldest first. The fact that a finding names made it so; behind it are those of the
    return, the first of which has the record number.
    """
    compared = compare(connection, order, goods)
    cause = min(causes, key=lambda one: _document(one) not in order.back)
    entry = entry_of(posted, cause.record_no)
    moved, back = (canonical_text(from_micro(micro)) for micro in compared)
    said = (
        f"{order.code} shipped {moved} of it, and {back} came back"
        if order.is_sale
        else f"{order.code} received {moved} of it, and {back} went back"
    )
    for warehouse, code in [_document(cause)] if _document(cause) in order.back else order.back:
        record_no = first_returned(
            connection, (warehouse, code), item=goods.item, lot=goods.lot, serial=goods.serial
        )
        if record_no and not _is_told(posted, (warehouse, code), goods, compared):
            yield Finding(
                kind=KIND,
                subject=subject_of(code, goods),
                warehouse=warehouse,
                gateway=entry.gateway,
                epoch=entry.epoch,
                seq=entry.seq,
                record_no=record_no,
                item=goods.item,
                lot=goods.lot,
                unit=goods.unit,
                document=code,
                expected_micro=compared.moved_micro,
                actual_micro=compared.back_micro,
                detail=said,
            )


def _is_told(posted: Posted, document: DocumentKey, goods: Goods, compared: Compared) -> bool:
    """Return whether these facts are told as no goods of the return, or as too much of it."""
    relieved = {one.key[:2] for one in posted.relieved}
    return any(
        one.kind == "unexpected"
        or (
            one.kind in {"over_received", "over_shipped"}
            and document not in relieved
            and (one.actual_micro or 0) - (one.expected_micro or 0) >= compared.excess_micro
        )
        for one in posted.findings
        if (one.warehouse, one.document, one.item) == (*document, goods.item)
    )


def _document(fact: PostedFact) -> DocumentKey:
    assert fact.progress is not None
    return fact.progress[0].warehouse, fact.progress[0].document
