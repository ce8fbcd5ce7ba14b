"""A count as it stands: what was found, how it compares, what was left out. Edge of the database.

Until a count is posted its variances are judged anew each time they are asked for, by all that the
ledger knows by then; what is posted stays as it was judged, with the adjustments beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, select

from central.errors import Conflict
from central.orders.counts.count_judging import (
    Counted,
    Moment,
    Moved,
    Observed,
    Thing,
    judge,
)
from central.orders.counts.count_moves import (
    Books,
    Moves,
    book_at,
    books_now,
    first_record_since,
    moves_since,
)
from central.orders.counts.count_results import ItemWorth, Standing, Variance
from central.orders.counts.count_rows import (
    Observation,
    count_observations,
    load_lines,
    load_observations,
)
from central.orders.counts.count_standing import missing, standing
from central.orders.counts.count_undoing import filling_facts
from central.orders.counts.counts import OBSERVATIONS_COUNT_MAX, CountHead, CountLine
from central.orders.counts.last_results import results_of
from central.storage import bulk, catalogue_tables, count_tables
from central.storage.count_tables import THING

AtPlaces = dict[tuple[int, str], list[Observed]]  # By round and place.


def read_standing(connection: Connection, head: CountHead) -> Standing:
    """Return how a count compares with the book, by all that the ledger knows now.

    Raises Conflict if more has moved since than is read.
    """
    if count_observations(connection, head.code) > OBSERVATIONS_COUNT_MAX:
        raise Conflict(
            f"count {head.code} has more than {OBSERVATIONS_COUNT_MAX} observations",
            hint="Cancel it, and count again in smaller counts.",
        )
    observations = load_observations(connection, head.code)
    lines = load_lines(connection, head.code)
    said = [one.said for one in observations]
    counters = frozenset(one.operator for one in said if one.operator)
    uncounted = uncounted_lines(lines.get(head.round, ()), said, round_no=head.round)
    if not said:
        return Standing((), uncounted, counters)
    variances = _variances(connection, head, observations, lines)
    return Standing(
        tuple(sorted(variances, key=lambda one: one.thing)),
        uncounted,
        counters,
    )


def uncounted_lines(
    lines: Sequence[CountLine], observations: Iterable[Observed], *, round_no: int
) -> tuple[CountLine, ...]:
    """Return the lines of a round of which nothing was observed and nobody said it is empty."""
    seen = _by_place(observations)
    return tuple(
        line for line in lines if not line.empty and not _answers(seen, line, round_no=round_no)
    )


def worth_of(connection: Connection, items: Iterable[str]) -> dict[str, ItemWorth]:
    """Return class and cost of items; one without a policy has none."""
    table = catalogue_tables.item_policies
    names = list(table.columns.keys())
    abc, cost = names.index("abc"), names.index("cost_micro")
    keys = [(item,) for item in sorted(set(items))]
    rows = bulk.select_by_key(connection, table, keys, columns_count=1)
    return {row[0]: ItemWorth(row[abc], row[cost]) for row in rows}


def _worth_then(connection: Connection, code: str) -> dict[str, ItemWorth]:
    """Return class and cost by which the items of a posted count were judged then."""
    table = count_tables.count_results.c
    query = select(table.item, table.abc, table.cost_micro).where(table["count"] == code)
    return {row.item: ItemWorth(row.abc, row.cost_micro) for row in connection.execute(query)}


def read_rejections(connection: Connection, code: str) -> dict[Thing, tuple[str, str]]:
    """Return who does not want a line of a count posted, and why."""
    table = count_tables.count_rejections
    return {
        Thing(*(getattr(row, name) for name in THING)): (row.actor, row.reason)
        for row in connection.execute(select(table).where(table.c["count"] == code))
    }


def _by_place(observations: Iterable[Observed]) -> AtPlaces:
    found: AtPlaces = {}
    for one in observations:
        found.setdefault((one.round, one.thing.location), []).append(one)
    return found


def _answers(seen: AtPlaces, line: CountLine, *, round_no: int) -> list[Observed]:
    """Return the observations that a line has asked for."""
    return [
        one
        for one in seen.get((round_no, line.location), ())
        if (
            not one.thing.item
            or line.covers(location=line.location, item=one.thing.item, lot=one.thing.lot)
        )
        and (not line.part or one.part == line.part)
    ]


def _variances(
    connection: Connection,
    head: CountHead,
    observations: Sequence[Observation],
    lines: Mapping[int, Sequence[CountLine]],
) -> list[Variance]:
    said = [one.said for one in observations]
    counted = standing(said)
    places = {one.thing.location for one in said}
    books = books_now(connection, warehouse=head.warehouse, locations=places)
    looked_for = _looked_for(books, said, lines)
    items = {thing.item for thing in counted} | {thing.item for thing in looked_for}
    moves, own = _moves(connection, head, books, said, items=items)
    absent = missing(looked_for, counted=counted, looked_for=looked_for)
    counted |= {thing: _with_book(one, books, moves, own) for thing, one in absent.items()}
    keys = {one.said.moment.record_no: one.key for one in observations}
    worth = worth_of(connection, items)
    if head.ended_ms:
        worth |= _worth_then(connection, head.code)
    rejected = read_rejections(connection, head.code)
    newer, before_ms = _other_results(connection, head, counted.values())
    found = []
    for thing, one in counted.items():
        counted_ms = before_ms.get(thing, 0)
        judgement = judge(one, moves.get(thing, ()), counted_before_ms=counted_ms)
        known = worth.get(thing.item, ItemWorth())
        verdict = head.rules.verdict(
            judgement.variance_micro,
            book_micro=judgement.corrected_micro,
            cost_micro=known.cost_micro,
            doubtful=judgement.doubtful,
        )
        actor, reason = rejected.get(thing, ("", ""))
        adjusted = sum(moved.quantity_micro for moved in own.get(thing, ()))
        if not (one.found or judgement.corrected_micro or one.book_micro or adjusted):
            continue  # Something was there at another time.
        variance = Variance(
            one,
            judgement,
            keys[one.moment.record_no],
            known,
            verdict,
            actor,
            reason,
            superseded=thing in newer,
            adjusted_micro=adjusted,
        )
        if head.ended_ms:
            variance = replace(variance, outdated_micro=variance.missing_micro)
        found.append(variance)
    return found


def _moves(
    connection: Connection,
    head: CountHead,
    books: Books,
    said: Sequence[Observed],
    *,
    items: Iterable[str],
) -> tuple[Moves, Moves]:
    """Return what moved around a count, and what it has posted itself.

    From the first movement on that was taken back since: what has put the book right after that
    one tells, with the count, whether it ever was.
    """
    read = partial(
        moves_since,
        connection,
        warehouse=head.warehouse,
        items=items,
        locations={one.thing.location for one in said},
        books=books,
        count=head.code,
    )
    record_no = first_record_since(connection, [one.moment for one in said])
    moves, own = read(record_no=record_no)
    counted_last = max(one.moment.record_no for one in said)
    undone = [
        moved.takes_back.record_no
        for of_thing in moves.values()
        for moved in of_thing
        if moved.takes_back is not None and moved.takes_back.record_no < counted_last
    ]
    if not undone:
        return moves, own
    fillings = filling_facts(connection, head.warehouse, items)
    return read(record_no=min(record_no, *undone), fillings=fillings)


def _looked_for(
    things: Iterable[Thing],
    said: Sequence[Observed],
    lines: Mapping[int, Sequence[CountLine]],
) -> dict[Thing, list[Observed]]:
    """Return, of things in the book, the observations that were asked for together with them.

    Who says that a place is empty has looked for everything there.
    """
    seen = _by_place(said)
    asked_at: dict[str, list[tuple[CountLine, list[Observed]]]] = {}
    for round_no, of_round in lines.items():
        for line in of_round:
            answers = _answers(seen, line, round_no=round_no)
            if answers:
                asked_at.setdefault(line.location, []).append((line, answers))
    found: dict[Thing, list[Observed]] = {}
    empty: dict[str, list[Observed]] = {}
    for one in said:
        if not one.thing.item:
            empty.setdefault(one.thing.location, []).append(one)
    for thing in things:
        if thing.location in empty:
            found.setdefault(thing, []).extend(empty[thing.location])
        for line, answers in asked_at.get(thing.location, ()):
            if line.covers(location=thing.location, item=thing.item, lot=thing.lot):
                found.setdefault(thing, []).extend(answers)
    return found


def _with_book(one: Counted, books: Books, moves: Moves, own: Moves) -> Counted:
    moved: list[Moved] = [*moves.get(one.thing, ()), *own.get(one.thing, ())]
    book = book_at(books[one.thing][0], moved, record_no=one.moment.record_no)
    return replace(one, book_micro=book)


def _other_results(
    connection: Connection, head: CountHead, counted: Iterable[Counted]
) -> tuple[set[Thing], dict[Thing, int]]:
    """Return the things that a later posted count has set right, and when earlier ones were."""
    moments: dict[Thing, Moment] = {one.thing: one.moment for one in counted}
    newer: set[Thing] = set()
    before_ms: dict[Thing, int] = {}
    for thing, row in results_of(connection, moments, warehouse=head.warehouse):
        moment = moments.get(thing)
        if moment is None or row["count"] == head.code:
            continue
        counted_ms = row["event_time_ms"]
        if (counted_ms, row["record_no"]) > (moment.event_time_ms, moment.record_no):
            newer.add(thing)
        else:
            before_ms[thing] = max(counted_ms, before_ms.get(thing, 0))
    return newer, before_ms
