"""Posts what a count found, and what is known about it only later. Edge of the database.

The adjustment of a line is its variance less what this count has adjusted of it already: posting
twice adjusts once, and a movement that comes late after all is made good by `amend`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, select, tuple_

from central.contract.facts import Movement
from central.errors import Conflict
from central.ledger.desk import Change
from central.ledger.entries import FactKey
from central.orders.counts.count_book import NAMED_MAX, begin, note_count
from central.orders.counts.count_judging import Counted, Judgement, Moment, Thing
from central.orders.counts.count_moves import ADJUSTMENT
from central.orders.counts.count_reading import read_rejections, read_standing
from central.orders.counts.count_results import ItemWorth, Outcome, Variance
from central.orders.counts.count_rows import store_head
from central.orders.counts.count_weights import Part, parts_of, settle_unweighed
from central.orders.counts.counts import CountHead, require_other_person
from central.orders.counts.outdated_rows import read_outdated, settle_outdated, subject_of
from central.orders.settling.fillings import settle_counted
from central.storage import bulk, count_tables
from central.storage.count_tables import THING


@dataclass(frozen=True, slots=True)
class PostedCount:
    """A count as it was posted. adjusted: the lines of which stock was changed just now."""

    head: CountHead
    variances: tuple[Variance, ...]
    adjusted: tuple[Variance, ...]


def post_count(change: Change, code: str, *, version: int | None) -> PostedCount:
    """Post a count that needs no review.

    Raises Conflict if it does, also because of what came since it was finished.
    """
    head = begin(change, code, action="post", version=version)
    variances = read_standing(change.connection, head).variances
    asking = [
        one.thing
        for one in variances
        if one.verdict in {"review", "recount"} and not one.rejected_by
    ]
    if asking:
        raise Conflict(
            f"lines of count {code} that need a review: {len(asking)}",
            hint="Refer the count to somebody who did not count.",
            fields={"lines": [list(thing) for thing in asking[:NAMED_MAX]]},
        )
    return _post(change, head, variances, action="posted")


def accept_count(change: Change, code: str, *, version: int | None) -> PostedCount:
    """Accept a count under review and post it: what was counted is true, but for rejected lines.

    What it is compared with is what the ledger knows now. Raises Conflict for who has counted.
    """
    head = begin(change, code, action="accept", version=version)
    standing = read_standing(change.connection, head)
    require_other_person(change.actor, counters=standing.counters, what=f"count {code}")
    return _post(change, head, standing.variances, action="accepted")


def amend_count(
    change: Change, code: str, *, version: int | None, settles: str = ""
) -> PostedCount:
    """Judge a posted count by what has come late since, and post what its adjustments lack.

    Only the book is another one: what was counted stays accepted. settles: the discrepancy that
    somebody settles so. Raises Conflict.
    """
    head = begin(change, code, action="amend", version=version)
    variances = read_standing(change.connection, head).variances
    return _post(change, head, variances, action="amended", settles=settles)


def list_results(
    connection: Connection, code: str, *, after: Thing | None, limit: int, differing: bool = False
) -> list[Variance]:
    """Return what a posted count found, as it was judged then, by place and goods after one.

    differing: only lines that have a variance.
    """
    table = count_tables.count_results
    key = [table.c[name] for name in THING]
    query = select(table).where(table.c["count"] == code)
    if differing:
        query = query.where(table.c.variance_micro != 0)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    rows = connection.execute(query.order_by(*key).limit(limit)).mappings().all()
    if not rows:
        return []
    rejected = read_rejections(connection, code)
    told = read_outdated(connection, code, warehouse=rows[0]["warehouse"])
    found = [_result(row, rejected) for row in rows]
    return [replace(one, outdated_micro=told.get(subject_of(code, one.thing), 0)) for one in found]


def _post(
    change: Change,
    head: CountHead,
    variances: Sequence[Variance],
    *,
    action: str,
    settles: str = "",
) -> PostedCount:
    due = [one for one in variances if one.missing_micro]
    parts = parts_of(change.connection, head.code, due)
    keys = change.post([_adjustment(change, head, *one) for one in parts])
    bulk.insert_rows(
        change.connection,
        count_tables.count_adjustments,
        [
            (*key, head.code, *one.thing, part.quantity_micro)
            for key, (one, part) in zip(keys, parts, strict=True)
        ],
    )
    posted = tuple(
        replace(
            one,
            adjusted_micro=one.adjusted_micro + one.missing_micro,
            outcome=_outcome(one),
            outdated_micro=0,
        )
        for one in variances
    )
    # What a later count has set right since stays as it was posted.
    told = [one for one in posted if not (head.ended_ms and one.superseded)]
    rows = [_result_row(head, one, now_ms=change.now_ms) for one in told]
    bulk.upsert_rows(change.connection, count_tables.count_results, rows)
    if not head.ended_ms:
        _note_last(change, head, posted)
        head = replace(head, ended_by=change.actor, ended_ms=change.now_ms)
    head = store_head(change.connection, head)
    settlement = f"{head.code} was {action} by {change.actor}"
    right = [one.thing for one in posted if one.outcome in {"matched", "adjusted"}]
    settle_outdated(
        change.connection,
        head.code,
        right,
        warehouse=head.warehouse,
        settlement=settlement,
        now_ms=change.now_ms,
        but=settles,
    )
    settle_counted(
        change.connection,
        right,
        warehouse=head.warehouse,
        settlement=settlement,
        now_ms=change.now_ms,
    )
    settle_unweighed(change.connection, head.code, due, settlement=settlement, now_ms=change.now_ms)
    note_count(change, head, action, lines_count=len(posted), adjusted_count=len(due))
    changed = {one.thing for one in due}
    return PostedCount(head, posted, tuple(one for one in posted if one.thing in changed))


def _outcome(one: Variance) -> Outcome:
    if one.rejected_by:
        return "rejected"
    if one.superseded:
        return "superseded"
    return "adjusted" if one.judgement.variance_micro else "matched"


def _adjustment(change: Change, head: CountHead, one: Variance, part: Part) -> Movement:
    quantity, thing = part.quantity_micro, one.thing
    found = quantity > 0
    return change.movement(
        warehouse=head.warehouse,
        business_step="counting",
        from_location=ADJUSTMENT if found else thing.location,
        to_location=thing.location if found else ADJUSTMENT,
        item=thing.item,
        quantity_micro=abs(quantity),
        unit=thing.unit,
        lot=thing.lot,
        serial=thing.serial,
        sscc=thing.sscc,
        expiry_date=one.counted.expiry_date,
        document=head.code,
        **part.fields(),
    )


def _note_last(change: Change, head: CountHead, posted: Iterable[Variance]) -> None:
    last: dict[tuple[str, str, str], int] = {}
    for one in posted:
        if one.outcome == "rejected":
            continue
        key = (head.warehouse, one.thing.location, one.thing.item)
        last[key] = max(last.get(key, 0), _counted_ms(one, now_ms=change.now_ms))
    bulk.upsert_rows(
        change.connection,
        count_tables.count_last,
        [(*key, counted_ms) for key, counted_ms in sorted(last.items())],
    )


def _counted_ms(one: Variance, *, now_ms: int) -> int:
    """Return when a line was counted; by a clock that was not set or runs ahead: just now."""
    moment = one.counted.moment
    return min(moment.event_time_ms, now_ms) if moment.timed else now_ms


def _result_row(head: CountHead, one: Variance, *, now_ms: int) -> bulk.Row:
    counted, judged, fact = one.counted, one.judgement, one.fact
    return (
        head.code,
        *one.thing,
        head.warehouse,
        counted.round,
        fact.gateway,
        fact.epoch,
        fact.seq,
        counted.moment.record_no,
        _counted_ms(one, now_ms=now_ms),
        json.dumps(sorted(counted.counters), ensure_ascii=False),
        counted.found,
        judged.counted_micro,
        judged.book_micro,
        judged.late_micro,
        judged.late_count,
        judged.after_micro,
        judged.after_count,
        judged.corrections_micro,
        judged.corrections_count,
        judged.taken_back_micro,
        judged.taken_back_count,
        judged.near_count,
        judged.variance_micro,
        one.adjusted_micro,
        one.outcome,
        one.worth.abc,
        one.worth.cost_micro,
    )


def _result(row: RowMapping, rejected: Mapping[Thing, tuple[str, str]]) -> Variance:
    moment = Moment(
        row["record_no"], row["event_time_ms"], True, row["gateway"], row["epoch"], row["seq"]
    )
    counted = Counted(
        Thing(*(row[name] for name in THING)),
        row["counted_micro"],
        row["book_micro"],
        moment,
        row["round"],
        frozenset(json.loads(row["counters"])),
        (moment,),
        found=bool(row["found"]),
    )
    judgement = Judgement(
        **{name: row[name] for name in Judgement.__slots__}  # The columns bear these names.
    )
    return Variance(
        counted,
        judgement,
        FactKey(row["warehouse"], row["gateway"], row["epoch"], row["seq"]),
        ItemWorth(row["abc"], row["cost_micro"]),
        "within" if judgement.variance_micro else "matches",
        *rejected.get(counted.thing, ("", "")),
        superseded=row["outcome"] == "superseded",
        adjusted_micro=row["adjusted_micro"],
        outcome=row["outcome"],
    )
