"""Tells of posted counts when something from before them comes late. Edge of the database.

upkeep, every second -> tick -> facts from before a count that is posted, or about such ones
                                -> the count is judged anew -> a discrepancy for each line that is
                                   off, with what its adjustment would have to be

Posting costs nothing for it. Nothing is looked for before the first count is posted, and but for
what is older than the last one that is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select, text, true

from central.clock import Clock
from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict
from central.ledger.checkpoints import progress_of
from central.ledger.discrepancies import open_discrepancies, settle_subjects
from central.ledger.entries import OWN_GATEWAY, FactKey, Finding
from central.ledger.locations import is_virtual
from central.ledger.state import lock_ledger, read_state
from central.orders.counts.count_judging import Moment, is_before
from central.orders.counts.count_moves import ADJUSTMENT
from central.orders.counts.count_reading import read_standing
from central.orders.counts.count_results import Variance
from central.orders.counts.count_rows import FACTS_PER_SELECT_MAX, load_head, moments_at
from central.orders.counts.count_undoing import undone_by
from central.orders.counts.counts import CountHead
from central.orders.counts.outdated_rows import OUTDATED, subject_of
from central.storage import bulk
from central.storage.checkpoint_tables import upkeep_progress
from central.storage.count_tables import count_observations, counts
from central.storage.database import Database
from central.storage.tables import LATE, facts, lines

TASK = "counts"  # Of `upkeep_progress`.
FACTS_AT_ONCE_MAX = 20_000  # Looked at in one tick.
CORRECTED_MAX = 20_000  # Facts whose times were corrected, that wait for a tick.
AGREES = "The count agrees with all that is known by now."
TOO_MUCH = "More has moved since than is looked through: count the place again."

Place = tuple[str, str]  # location, item


@dataclass(frozen=True, slots=True)
class _Late:
    """A fact that may have come late. about: what it takes back, None for nothing."""

    key: FactKey
    moment: Moment
    about: Moment | None
    places: frozenset[Place]

    def is_from_before(self, counted: Moment) -> bool:
        """Return whether a count that was recorded sooner should have known of it."""
        if counted.record_no > self.moment.record_no:
            return False
        if self.moment.timed and is_before(self.moment, counted):
            return True
        return self.about is not None and is_before(self.about, counted)

    @property
    def since_ms(self) -> int:
        """Return from when on counts have to do with it."""
        times = [one.event_time_ms for one in (self.moment, self.about) if one is not None]
        return min(times)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is told of a count. agreeing: lines that are right by now."""

    head: CountHead
    findings: tuple[Finding, ...]
    agreeing: tuple[str, ...]


class OutdatedCounts:
    """Follows the ledger from behind. One thread of one process uses it."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._corrected: set[int] = set()

    def note_corrected(self, record_nos: Iterable[int]) -> None:
        """Have the next tick look at facts whose times are others since."""
        self._corrected.update(record_nos)
        while len(self._corrected) > CORRECTED_MAX:
            self._corrected.pop()

    def tick(self) -> bool:
        """Follow some of the facts, tell what they mean; return False if there are more.

        Raises LedgerUnavailable; the next tick goes on.
        """
        with self._database.read() as connection:
            after = progress_of(connection, TASK)
            head = read_state(connection).record_no
            if head == after and not self._corrected:
                return True
            latest_ms = _latest_ms(connection)
            until, judged = head, list[_Judged]()
            if latest_ms is not None:
                # Of a ledger that is older than this, what is known to be late is enough.
                begins = after == 0 and head > FACTS_AT_ONCE_MAX
                until = head if begins else min(head, after + FACTS_AT_ONCE_MAX)
                found = _numbers_at_first if begins else _numbers
                numbers = found(connection, after=after, until=until, latest_ms=latest_ms)
                numbers += sorted(one for one in self._corrected if one <= after)
                judged = _judged(connection, _late(connection, numbers))
        with self._database.write() as connection:
            if judged:
                lock_ledger(connection)
                if not self._tell(connection, judged):
                    return False
            bulk.upsert_rows(connection, upkeep_progress, [(TASK, until)])
        self._corrected.clear()
        return until == head

    def _tell(self, connection: Connection, judged: Sequence[_Judged]) -> bool:
        """Open and settle; return False if a count was amended since it was judged."""
        now_ms = self._clock.now_ms()
        for one in judged:
            if load_head(connection, one.head.code).version != one.head.version:
                return False
        findings = [finding for one in judged for finding in one.findings]
        open_discrepancies(connection, findings, now_ms=now_ms)
        agreeing = [(one.head.warehouse, OUTDATED, name) for one in judged for name in one.agreeing]
        settle_subjects(connection, agreeing, settlement=AGREES, now_ms=now_ms)
        return True


def _latest_ms(connection: Connection) -> int | None:
    """Return when a count was posted last, None if none was."""
    query = select(func.max(counts.c.ended_ms)).where(counts.c.state == "posted")
    return connection.execute(query).scalar()


def _numbers(connection: Connection, *, after: int, until: int, latest_ms: int) -> list[int]:
    """Return the facts that may be from before a posted count, or about what is."""
    table = facts.c
    query = select(table.record_no).where(
        table.record_no > after,
        table.record_no <= until,
        table.kind.in_(("movement", "reversal")),
        or_(
            table.event_time_ms < latest_ms,
            table.kind == "reversal",
            table.gateway == OWN_GATEWAY,
        ),
    )
    return sorted(connection.execute(query).scalars())


def _numbers_at_first(
    connection: Connection, *, after: int, until: int, latest_ms: int
) -> list[int]:
    """Return the newest facts that came late for a posted count by ten minutes or more."""
    table = facts.c
    query = (
        select(table.record_no)
        # In the words of the index, so that both databases use it.
        .where(text(LATE), table.clock_synced == true(), table.event_time_ms < latest_ms)
        .where(table.record_no > after, table.record_no <= until)
        .order_by(table.record_no.desc())
        .limit(FACTS_AT_ONCE_MAX)
    )
    return sorted(connection.execute(query).scalars())


def _late(connection: Connection, numbers: Sequence[int]) -> dict[str, list[_Late]]:
    """Return, by warehouse, what moved goods at places that can be counted."""
    moments = moments_at(connection, numbers)
    warehouses = _warehouses(connection, numbers)
    places: dict[int, set[Place]] = {}
    keys = [(warehouses[number], number) for number in numbers if number in warehouses]
    for row in bulk.select_by_key(connection, lines, keys, columns_count=2):
        places.setdefault(row[1], set()).add((row[3], row[4]))
    by_warehouse: dict[str, list[int]] = {}
    for number, of in places.items():
        # What corrects the book moves no goods, whenever it was.
        if not any(location == ADJUSTMENT for location, _ in of):
            by_warehouse.setdefault(warehouses[number], []).append(number)
    found: dict[str, list[_Late]] = {}
    for warehouse, those in by_warehouse.items():
        about = undone_by(connection, warehouse, sorted(those))
        for number in sorted(those):
            moment = moments[number]
            if not moment.timed and number not in about:
                continue
            real = frozenset(one for one in places[number] if not is_virtual(one[0]))
            key = FactKey(warehouse, moment.gateway, moment.epoch, moment.seq)
            found.setdefault(warehouse, []).append(_Late(key, moment, about.get(number), real))
    return found


def _warehouses(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    table = facts.c
    found: dict[int, str] = {}
    for start in range(0, len(numbers), FACTS_PER_SELECT_MAX):
        some = numbers[start : start + FACTS_PER_SELECT_MAX]
        query = select(table.record_no, table.warehouse).where(table.record_no.in_(some))
        found.update((row[0], row[1]) for row in connection.execute(query))
    return found


def _judged(connection: Connection, late: Mapping[str, Sequence[_Late]]) -> list[_Judged]:
    found: list[_Judged] = []
    for warehouse, those in sorted(late.items()):
        for code, touched in sorted(_touched(connection, warehouse, those).items()):
            found.append(_judge(connection, load_head(connection, code), touched))
    return found


def _touched(
    connection: Connection, warehouse: str, late: Sequence[_Late]
) -> dict[str, dict[Place, _Late]]:
    """Return which posted counts should have known of what came late: the first one of each."""
    by_location: dict[str, list[_Late]] = {}
    for one in late:
        for location, _ in one.places:
            by_location.setdefault(location, []).append(one)
    found: dict[str, dict[Place, _Late]] = {}
    since_ms = min((one.since_ms for one in late), default=0)
    observed = list(_observed(connection, warehouse, sorted(by_location), since_ms))
    moments = moments_at(connection, sorted({number for _, _, number in observed}))
    for code, location, number in observed:
        for one in by_location[location]:
            if one.is_from_before(moments[number]):
                for place in one.places:
                    if place[0] == location:
                        found.setdefault(code, {}).setdefault(place, one)
    return found


def _observed(
    connection: Connection, warehouse: str, locations: Sequence[str], since_ms: int
) -> Iterator[tuple[str, str, int]]:
    """Yield what posted counts observed at places: count, place, record number."""
    table = count_observations.c
    for start in range(0, len(locations), FACTS_PER_SELECT_MAX):
        query = (
            select(table["count"], table.location, table.record_no)
            .join(counts, counts.c.code == table["count"])
            .where(
                counts.c.warehouse == warehouse,
                counts.c.state == "posted",
                counts.c.ended_ms > since_ms,
                table.location.in_(locations[start : start + FACTS_PER_SELECT_MAX]),
            )
            .order_by(table.record_no)
        )
        for row in connection.execute(query).all():
            yield row[0], row[1], row[2]


def _judge(connection: Connection, head: CountHead, touched: Mapping[Place, _Late]) -> _Judged:
    """Return what to tell of a count. touched: where something came late, and what."""
    try:
        variances = read_standing(connection, head).variances
    except Conflict:
        findings = tuple(_unjudged(head, place, one) for place, one in _by_place(touched))
        return _Judged(head, findings, ())
    own = [(one, touched.get((one.thing.location, one.thing.item))) for one in variances]
    off = [(one, late) for one, late in own if late is not None and one.missing_micro]
    agreeing = [one for one, late in own if late is not None and not one.missing_micro]
    return _Judged(
        head,
        tuple(_finding(head, one, late) for one, late in off),
        tuple(subject_of(head.code, one.thing) for one in agreeing),
    )


def _by_place(touched: Mapping[Place, _Late]) -> list[tuple[Place, _Late]]:
    """Return what came late by place and item."""
    return sorted(touched.items(), key=lambda one: one[0])


def _finding(head: CountHead, one: Variance, late: _Late) -> Finding:
    thing, counted = one.thing, one.judgement.counted_micro
    book = counted - one.missing_micro
    said = (
        f"{head.code} counted {_amount(counted)} {thing.unit}; "
        f"with what came late the books had {_amount(book)}"
    )
    return Finding(
        kind=OUTDATED,
        subject=subject_of(head.code, thing),
        warehouse=head.warehouse,
        gateway=late.key.gateway,
        epoch=late.key.epoch,
        seq=late.key.seq,
        record_no=late.moment.record_no,
        item=thing.item,
        location=thing.location,
        lot=thing.lot,
        unit=thing.unit,
        document=head.code,
        expected_micro=counted,
        actual_micro=book,
        detail=said,
    )


def _unjudged(head: CountHead, place: Place, late: _Late) -> Finding:
    location, item = place
    return Finding(
        kind=OUTDATED,
        subject="/".join((head.code, location, item)),
        warehouse=head.warehouse,
        gateway=late.key.gateway,
        epoch=late.key.epoch,
        seq=late.key.seq,
        record_no=late.moment.record_no,
        item=item,
        location=location,
        document=head.code,
        detail=TOO_MUCH,
    )


def _amount(micro: int) -> str:
    return canonical_text(from_micro(micro))
