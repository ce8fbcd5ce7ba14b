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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    this fact takes back, None if it is no reversal.
    """

    quantity_micro: int
    moment: Moment
    correction: bool = False
    takes_back: Moment | None = None


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


def judge(counted: Counted, moves: Iterable[Moved]) -> Judgement:
    """Return how a count compares with the book.

    moves: of the thing, all but the count's own adjustments; those without any bearing on it (long
    before, or after it in every order) may be left out.
    """
    moment = counted.moment
    late: list[int] = []
    after: list[int] = []
    corrections: list[int] = []
    undone: list[int] = []
    near_count = 0
    for moved in moves:
        recorded = moved.moment.record_no < moment.record_no
        if moved.correction:
            if not recorded:
                corrections.append(moved.quantity_micro)
            continue
        before = is_before(moved.moment, moment)
        if before and not recorded:
            late.append(moved.quantity_micro)
        elif recorded and not before:
            after.append(moved.quantity_micro)
        near_count += _is_near(moved.moment, counted)
        if not before and moved.takes_back is not None and is_before(moved.takes_back, moment):
            undone.append(moved.quantity_micro)
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
    return _without_undone(judged, undone)


def standing(observations: Iterable[Observed]) -> dict[Thing, Counted]:
    """Return what stands of all that was observed, by thing.

    The latest round counts; within it the last observation of each part, and parts add up. In a
    later round a person who counted the thing before proves nothing: that is kept as evidence only.
    Of a place that was then found empty nothing stands that was observed before.
    """
    said = list(observations)
    emptied = _emptied(said)
    by_thing: dict[Thing, dict[int, list[Observed]]] = {}
    for one in said:
        last = emptied.get((one.round, one.thing.location))
        if last is not None and (not one.thing.item or is_before(one.moment, last)):
            continue
        by_thing.setdefault(one.thing, {}).setdefault(one.round, []).append(one)
    return {thing: _standing_of(thing, rounds) for thing, rounds in by_thing.items()}


def missing(
    things: Iterable[Thing],
    *,
    counted: Mapping[Thing, Counted],
    looked_for: Mapping[Thing, Sequence[Observed]],
) -> dict[Thing, Counted]:
    """Return what was looked for and not found, counted as 0, by thing.

    things: in the book at places that were counted. looked_for: of each the observations that were
    asked for together with it; the last of them is the moment at which it was not there. Whoever
    knows the book of that moment fills it in.
    """
    found: dict[Thing, Counted] = {}
    for thing in things:
        looked = looked_for.get(thing, ())
        if thing in counted or not looked:
            continue
        round_no = max(one.round for one in looked)
        last = last_of([one for one in looked if one.round == round_no])
        found[thing] = Counted(
            thing,
            0,
            0,
            last.moment,
            round_no,
            frozenset(one.operator for one in looked if one.operator),
            (last.moment,),
            found=False,
        )
    return found


def last_of(observations: Sequence[Observed]) -> Observed:
    """Return the observation that happened last."""
    timed = all(one.moment.timed for one in observations)

    def order(one: Observed) -> tuple[int, int]:
        return (one.moment.event_time_ms if timed else 0, one.moment.record_no)

    return max(observations, key=order)


def _emptied(observations: Iterable[Observed]) -> dict[tuple[int, str], Moment]:
    """Return when places were found empty last, by round and place."""
    found: dict[tuple[int, str], list[Observed]] = {}
    for one in observations:
        if not one.thing.item:
            found.setdefault((one.round, one.thing.location), []).append(one)
    return {key: last_of(said).moment for key, said in found.items()}


def _is_near(moment: Moment, counted: Counted) -> bool:
    """Return whether clocks leave open what was first, or it moved while parts were counted."""
    first, last = counted.moments[0], counted.moment
    if len(counted.moments) > 1 and is_before(first, moment) and is_before(moment, last):
        return True
    if moment.gateway in {last.gateway, OWN_GATEWAY} or not (moment.timed and last.timed):
        return False
    return abs(moment.event_time_ms - last.event_time_ms) <= NEAR_MS


def _without_undone(judged: Judgement, undone: Sequence[int]) -> Judgement:
    """Return the judgement without movements that a reversal after the count says never were.

    A reversal may mean that goods went back, or that the scan was wrong. The count tells: it is
    the second only if the count then agrees with the book to the last piece.
    """
    if not undone or not judged.variance_micro or judged.variance_micro != sum(undone):
        return judged
    return replace(judged, taken_back_micro=sum(undone), taken_back_count=len(undone))


def _standing_of(thing: Thing, rounds: Mapping[int, Sequence[Observed]]) -> Counted:
    counters: set[str] = set()
    stands: list[Observed] = []
    for round_no in sorted(rounds):
        # Nobody confirms their own count; whoever did not say who they are may be anybody.
        others = [one for one in rounds[round_no] if one.operator not in counters]
        if others:
            stands = others
        counters |= {one.operator for one in rounds[round_no] if one.operator}
    parts: dict[int, list[Observed]] = {}
    for one in stands:
        parts.setdefault(one.part, []).append(one)
    kept = [last_of(group) for group in parts.values()]
    last = last_of(kept)
    moments = tuple(sorted((one.moment for one in kept), key=lambda moment: moment.record_no))
    return Counted(
        thing,
        sum(one.quantity_micro for one in kept),
        last.book_micro,
        last.moment,
        last.round,
        frozenset(counters),
        moments,
        expiry_date=last.expiry_date,
    )
