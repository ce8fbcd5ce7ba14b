"""Which observations of a count stand, and what was looked for and not found. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from central.orders.counts.count_judging import Counted, Moment, Observed, Thing, is_before


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
