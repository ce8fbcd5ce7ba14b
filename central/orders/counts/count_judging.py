"""Judges what was counted against the book at the scan's own moment, while stock moves. Pure.

    facts of the bin, in the order of the ledger          happened      in the book    corrected by
    ------------------------------------------------      --------      -----------    ------------
    10  putaway 5 (other gateway)                         before        yes
    11  pick 2 (other gateway)                            AFTER         yes            + 2
    12  COUNT 8      book at that moment 3
    13  putaway 4 (gateway was offline)                   BEFORE        no             + 4
    14  pick 1                                            after         no
                                                    corrected book 9, variance -1: stock now - 1

What a gateway did before its count stands in its own order, whatever any clock says; facts of other
gateways are put in order by their event times, or by the ledger's order if a clock was not set. A
movement from or to `adjustment` corrects the book and moves no goods, so whenever it was posted it
is part of what is compared; only the count's own adjustments are not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

NEAR_MS = 2_000  # Clocks of two gateways agree to less than that; closer facts leave a doubt.
OWN_GATEWAY = "central"  # Its order is that of the desk, not of what happened.


class Thing(NamedTuple):
    """Goods at a place, whatever their status: what is counted and compared."""

    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened. timed: its clock was set then, or is corrected since."""

    record_no: int
    event_time_ms: int
    timed: bool
    gateway: str
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Moved:
    """So much of a thing came (or left: below 0) with one fact.

    correction: it corrects the book and moves no goods. takes_back: the moment of the movement that
    this fact takes back, None if it is no reversal. fills: a settlement filled a balance below zero
    with it, or took that back.
    """

    quantity_micro: int
    moment: Moment
    correction: bool = False
    takes_back: Moment | None = None
    fills: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """One count fact. operator: "" if nobody said. part: of the line that it answers, 0 for whole.

    A thing without an item, counted as 0, says that nothing at all is at the place.

    line: of the count's document in that round, 0 if it named none.
    """

    thing: Thing
    quantity_micro: int
    book_micro: int
    moment: Moment
    operator: str
    round: int
    line: int = 0
    part: int = 0
    expiry_date: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a thing was counted as: the sum of the parts that stand.

    last: the observation at whose moment it is compared. counters: who counted in any round.
    moments: of all that stand. found: False for what was looked for and is not there.
    """

    thing: Thing
    quantity_micro: int
    book_micro: int
    moment: Moment
    round: int
    counters: frozenset[str]
    moments: tuple[Moment, ...]
    found: bool = True
    expiry_date: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was counted beside what the book should have had at that moment.

    book_micro: when the fact was posted. late: movements that happened before the count and came
    after it. after: that happened after it and were there already. corrections: of the book, made
    since. taken_back: movements from before, taken back after it, that the count shows never were.
    near_count: movements of other gateways too close to the count to tell what was first.
    """

    counted_micro: int
    book_micro: int
    late_micro: int = 0
    late_count: int = 0
    after_micro: int = 0
    after_count: int = 0
    corrections_micro: int = 0
    corrections_count: int = 0
    taken_back_micro: int = 0
    taken_back_count: int = 0
    near_count: int = 0

    @property
    def corrected_micro(self) -> int:
        """Return what the book has for the moment of the count, by all that is known now."""
        return (
            self.book_micro
            + self.late_micro
            - self.after_micro
            + self.corrections_micro
            + self.taken_back_micro
        )

    @property
    def variance_micro(self) -> int:
        """Return what stock has to change by: counted less corrected book."""
        return self.counted_micro - self.corrected_micro

    @property
    def doubtful(self) -> bool:
        """Return whether a person has to look, whatever the variance is."""
        return bool(self.near_count or self.taken_back_count)

    @property
    def explanation(self) -> tuple[str, ...]:
        """Return why the book of the scan is not what was compared, for people."""
        said = (
            (self.late_count, "came late: before the count, posted after it"),
            (self.after_count, "already posted, but after the count"),
            (self.corrections_count, "corrected the book since"),
            (self.taken_back_count, "taken back after the count, which shows that it never was"),
            (self.near_count, "so close to the count that its clock does not tell the order"),
        )
        return tuple(
            f"{count} movement{'s' if count > 1 else ''} {what}" for count, what in said if count
        )


def is_before(first: Moment, second: Moment) -> bool:
    """Return whether one fact happened before another one."""
    if first.gateway == second.gateway != OWN_GATEWAY:
        if first.epoch == second.epoch:
            return first.seq < second.seq
        # The start counter leads; after a restored card it may repeat and says nothing.
        if first.epoch[:8] != second.epoch[:8]:
            return first.epoch < second.epoch
    if first.timed and second.timed and first.event_time_ms != second.event_time_ms:
        return first.event_time_ms < second.event_time_ms
    return first.record_no < second.record_no


def judge(counted: Counted, moves: Iterable[Moved], *, counted_before_ms: int = 0) -> Judgement:
    """Return how a count compares with the book.

    moves: of the thing, all but the count's own adjustments; those without any bearing on it (long
    before, or after it in every order) may be left out. counted_before_ms: when another count had
    it right before, 0 for none: what came late of a time before that was in the book already.
    """
    moment = counted.moment
    late: list[int] = []
    after: list[int] = []
    corrections: list[int] = []
    undone: list[Moved] = []
    put_right: list[Moved] = []
    known: list[Moved] = []
    near_count = 0
    for moved in moves:
        recorded = moved.moment.record_no < moment.record_no
        if recorded and (moved.correction or moved.fills):
            put_right.append(moved)
        if moved.correction or _gives_back(moved, moment):
            if not recorded:
                corrections.append(moved.quantity_micro)
            continue
        before = is_before(moved.moment, moment)
        if before and not recorded:
            late.append(moved.quantity_micro)
            if moved.moment.timed and moved.moment.event_time_ms < counted_before_ms:
                known.append(moved)
        elif recorded and not before:
            after.append(moved.quantity_micro)
        near_count += _is_near(moved.moment, counted)
        if not before and moved.takes_back is not None and is_before(moved.takes_back, moment):
            undone.append(moved)
    judged = Judgement(
        counted.quantity_micro,
        counted.book_micro,
        late_micro=sum(late),
        late_count=len(late),
        after_micro=sum(after),
        after_count=len(after),
        corrections_micro=sum(corrections),
        corrections_count=len(corrections),
        near_count=near_count,
    )
    return _without_undone(judged, undone, put_right, known=known)


def _is_near(moment: Moment, counted: Counted) -> bool:
    """Return whether clocks leave open what was first, or it moved while parts were counted."""
    first, last = counted.moments[0], counted.moment
    if len(counted.moments) > 1 and is_before(first, moment) and is_before(moment, last):
        return True
    if moment.gateway in {last.gateway, OWN_GATEWAY} or not (moment.timed and last.timed):
        return False
    return abs(moment.event_time_ms - last.event_time_ms) <= NEAR_MS


def _gives_back(moved: Moved, moment: Moment) -> bool:
    """Return whether what filled a balance before a count is taken back: no goods move by that."""
    return moved.fills and moved.takes_back is not None and is_before(moved.takes_back, moment)


def _without_undone(
    judged: Judgement,
    undone: Sequence[Moved],
    put_right: Iterable[Moved],
    *,
    known: Iterable[Moved],
) -> Judgement:
    """Return the judgement without movements that a reversal after the count says never were.

    A reversal may mean that goods went back, or that the scan was wrong. It is the second if the
    count, or what had put the book right between the scan and the count (`put_right`), found the
    books off in that direction. Corrections made since the count say nothing of it, nor does what
    came late and had been counted before (`known`), but for what is taken back itself.
    """
    total = sum(moved.quantity_micro for moved in undone)
    if not total:
        return judged
    scans = [moved.takes_back for moved in undone if moved.takes_back is not None]
    since = min(scan.record_no for scan in scans)
    known_micro = sum(moved.quantity_micro for moved in known if moved.moment not in scans)
    put_right = sorted(put_right, key=lambda one: one.moment.record_no)
    found = [one.quantity_micro for one in put_right if one.moment.record_no > since]
    found.append(judged.variance_micro + judged.corrections_micro + known_micro)
    if not any(off * total > 0 for off in accumulate(found)):
        return judged
    return replace(judged, taken_back_micro=total, taken_back_count=len(undone))
