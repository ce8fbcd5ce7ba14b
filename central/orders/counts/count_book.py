"""Counts of stock: planned, released, finished, counted again, reviewed. Edge of the database.

Each function reads, decides and writes inside one change; `version` is what the caller has seen.
What is posted, and what is typed in, stands in `count_posting` and `count_entry`.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from sqlalchemy import select

from central.contract.fact_kinds import ROUND_MAX
from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import DocumentLine, ExpectedDocument
from central.errors import Conflict, Unusable
from central.ledger.desk import Change, require_version
from central.ledger.reference_desk import put_document, withdraw_document
from central.orders.counts.count_judging import Thing
from central.orders.counts.count_reading import read_standing
from central.orders.counts.count_results import Standing
from central.orders.counts.count_rows import load_head, load_lines, store_head, store_lines
from central.orders.counts.count_sheet import expected_by_line, item_names
from central.orders.counts.counts import (
    DEFAULT_RULES,
    STATES,
    CountHead,
    CountLine,
    Kind,
    Rules,
    State,
    after_finish,
    check_lines,
)
from central.orders.state_tables import next_state
from central.storage import bulk, count_tables, tables

PREFIX = "CNT"
ASKED_STATES = frozenset({"released", "counting", "recount"})  # Gateways have the document.
NAMED_MAX = 20  # Lines that a message or an event names; the count has all of them.


@dataclass(frozen=True, slots=True)
class CountDraft:
    """A count that somebody wants. plan: that chose the lines, "" for none. note: for people."""

    warehouse: str
    lines: tuple[CountLine, ...]
    kind: Kind = "planned"
    blind: bool = True
    rules: Rules = DEFAULT_RULES
    plan: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a round ended. follows: "recount", "refer" or "" for neither."""

    head: CountHead
    follows: str
    standing: Standing


def plan_count(change: Change, draft: CountDraft) -> CountHead:
    """Make a count; nobody is asked to count before it is released.

    Raises Unusable for an unknown warehouse, place or item, or goods that are asked for twice.
    """
    lines = check_lines(draft.lines)
    _check_known(change, draft.warehouse, lines)
    head = CountHead(
        code=change.next_code(PREFIX),
        warehouse=draft.warehouse,
        kind=draft.kind,
        state="planned",
        blind=draft.blind,
        round=1,
        rules=draft.rules,
        plan=draft.plan,
        gateway="",
        note=draft.note,
        reason="",
        created_by=change.actor,
        created_ms=change.now_ms,
        released_ms=0,
        finished_ms=0,
        ended_by="",
        ended_ms=0,
        version=0,
    )
    head = store_head(change.connection, head)
    store_lines(change.connection, head.code, lines, round_no=1)
    note_count(change, head, "planned", lines_count=len(lines))
    return head


def release_count(change: Change, code: str, *, version: int | None) -> CountHead:
    """Let gateways of the warehouse count; blind ones are told no quantity. Raises Conflict."""
    head = begin(change, code, action="release", version=version)
    lines = load_lines(change.connection, code)[1]
    _ask(change, head, lines)
    head = replace(head, released_ms=change.now_ms)
    head = store_head(change.connection, head)
    note_count(change, head, "released", lines_count=len(lines))
    return head


def finish_count(change: Change, code: str, *, version: int | None) -> Finished:
    """End a round and judge it: what is over tolerance is counted again, the rest is posted or
    reviewed. Places that nobody counted are named. Raises Conflict.
    """
    head = begin(change, code, action="finish", version=version)
    standing = read_standing(change.connection, head)
    if not standing.variances and standing.uncounted:
        raise Conflict(
            f"nothing of count {code} was counted",
            hint="State which places are empty, or cancel the count.",
            fields={"uncounted": _named(standing.uncounted)},
        )
    withdraw_document(change, warehouse=head.warehouse, code=code)
    head = replace(head, finished_ms=change.now_ms)
    follows = after_finish(
        [one.verdict for one in standing.variances if not one.rejected_by],
        round_no=head.round,
        rules=head.rules,
    )
    note_count(
        change,
        head,
        "finished",
        round=head.round,
        uncounted_count=len(standing.uncounted),
        uncounted=_named(standing.uncounted),
        variances_count=sum(1 for one in standing.variances if one.judgement.variance_micro),
    )
    if follows == "recount":
        over = [one.thing for one in standing.variances if one.verdict == "recount"]
        head = _count_again(change, head, over)
    elif follows == "refer":
        head = _refer(change, head)
    head = store_head(change.connection, head)
    return Finished(head, follows, standing)


def recount(
    change: Change, code: str, things: Sequence[Thing], *, version: int | None
) -> CountHead:
    """Have goods counted again, by somebody who has not counted them yet; all that differ if none
    are named. Raises Conflict, Unusable.
    """
    head = begin(change, code, action="recount", version=version)
    standing = read_standing(change.connection, head)
    of_count = {one.thing for one in standing.variances}
    unknown = [thing for thing in things if thing not in of_count]
    if unknown:
        raise Unusable(
            f"{unknown[0].item} at {unknown[0].location} is no line of count {code}",
            hint="Name goods as the variances of the count have them.",
        )
    chosen = things or [one.thing for one in standing.variances if one.judgement.variance_micro]
    if not chosen:
        raise Conflict(
            f"nothing of count {code} differs", hint="Post it, or name what to count again."
        )
    return store_head(change.connection, _count_again(change, head, chosen))


def refer_count(change: Change, code: str, *, version: int | None) -> CountHead:
    """Send a count to review as it is. Raises Conflict."""
    head = begin(change, code, action="refer", version=version)
    withdraw_document(change, warehouse=head.warehouse, code=code)
    return store_head(change.connection, _refer(change, head))


def reject_lines(
    change: Change, code: str, things: Sequence[Thing], *, reason: str, version: int | None
) -> CountHead:
    """Leave the book as it is at some lines, for a reason. Raises Conflict, Unusable."""
    head = begin(change, code, action="reject", version=version)
    of_count = {one.thing for one in read_standing(change.connection, head).variances}
    for thing in things:
        if thing not in of_count:
            raise Unusable(
                f"{thing.item} at {thing.location} is no line of count {code}",
                hint="Name goods as the variances of the count have them.",
            )
    rows = [(code, *thing, change.actor, reason, change.now_ms) for thing in things]
    bulk.upsert_rows(change.connection, count_tables.count_rejections, rows)
    head = store_head(change.connection, head)
    note_count(change, head, "lines_rejected", reason=reason, lines_count=len(rows))
    return head


def cancel_count(change: Change, code: str, *, reason: str, version: int | None) -> CountHead:
    """End a count without any effect on stock; what was observed stays. Raises Conflict."""
    before = load_head(change.connection, code)
    head = begin(change, code, action="cancel", version=version)
    if before.state in ASKED_STATES:
        withdraw_document(change, warehouse=head.warehouse, code=code)
    head = replace(head, reason=reason, ended_by=change.actor, ended_ms=change.now_ms)
    head = store_head(change.connection, head)
    note_count(change, head, "cancelled", reason=reason)
    return head


def begin(change: Change, code: str, *, action: str, version: int | None) -> CountHead:
    """Return a count in the state after an action. Raises NotThere, Outdated, Conflict."""
    head = load_head(change.connection, code)
    require_version(head.version, version, what=f"count {code}")
    state = next_state(STATES, action=action, state=head.state, what=f"count {code}")
    return replace(head, state=cast("State", state))


def note_count(change: Change, head: CountHead, action: str, **fields: object) -> None:
    """Note what was done to a count."""
    change.note("count", head.code, action, warehouse=head.warehouse, **fields)


def _check_known(change: Change, warehouse: str, lines: Iterable[CountLine]) -> None:
    connection, places = change.connection, tables.locations
    found = connection.execute(
        select(tables.warehouses.c.warehouse).where(tables.warehouses.c.warehouse == warehouse)
    )
    if found.first() is None:
        raise Unusable(
            f"no warehouse is called {warehouse}",
            hint="Correct its code.",
            fields={"warehouse": warehouse},
        )
    wanted = sorted({(warehouse, line.location) for line in lines})
    known = {row[1] for row in bulk.select_by_key(connection, places, wanted, columns_count=2)}
    missing = [place for _, place in wanted if place not in known]
    items = sorted({(line.item,) for line in lines if line.item})
    rows = bulk.select_by_key(connection, tables.items, items, columns_count=1)
    missing_items = sorted({item for (item,) in items} - {row[0] for row in rows})
    if missing or missing_items:
        raise Unusable(
            f"not known: {', '.join((*missing, *missing_items)[:NAMED_MAX])}",
            hint="Correct the codes of places and items, or add them first.",
            fields={"locations": missing, "items": missing_items},
        )


def _ask(change: Change, head: CountHead, lines: Sequence[CountLine]) -> None:
    expected = {} if head.blind else expected_by_line(change.connection, head.warehouse, lines)
    document = ExpectedDocument(
        code=head.code,
        warehouse=head.warehouse,
        partner="",
        kind="count",
        round=head.round,
        lines=tuple(
            DocumentLine(
                line=line.line,
                item=line.item,
                quantity=canonical_text(from_micro(expected.get(line.line, 0))),
                lot=line.lot,
                location=line.location,
            )
            for line in lines
        ),
    )
    put_document(change, document)


def _count_again(change: Change, head: CountHead, things: Sequence[Thing]) -> CountHead:
    if head.round >= ROUND_MAX:
        raise Conflict(
            f"count {head.code} was counted {head.round} times",
            hint="Send it to review, and accept or reject its lines.",
        )
    head = replace(head, state="recount", round=head.round + 1)
    names = item_names(change.connection, {thing.item for thing in things})
    lines = _lines_of(things, names)
    store_lines(change.connection, head.code, lines, round_no=head.round)
    _ask(change, head, lines)
    note_count(change, head, "recount_asked", round=head.round, lines_count=len(lines))
    return head


def _lines_of(things: Iterable[Thing], known: Container[str]) -> tuple[CountLine, ...]:
    """Return lines that ask for goods once each: an item as a whole where its lots are in doubt,
    and a whole place where something is that no station can be asked for.
    """
    lots: dict[tuple[str, str], set[str]] = {}
    for thing in things:
        lots.setdefault((thing.location, thing.item), set()).add(thing.lot)
    whole = {location for location, item in lots if item not in known}
    scopes = [(location, "", "") for location in whole]
    scopes += [
        (location, item, lot)
        for (location, item), named in lots.items()
        if location not in whole
        for lot in ({""} if "" in named else named)
    ]
    return tuple(CountLine(number, *scope) for number, scope in enumerate(sorted(scopes), 1))


def _refer(change: Change, head: CountHead) -> CountHead:
    head = replace(head, state="review")
    note_count(change, head, "referred", round=head.round)
    return head


def _named(lines: Sequence[CountLine]) -> list[list[str]]:
    return [list(line.scope) for line in lines[:NAMED_MAX]]
