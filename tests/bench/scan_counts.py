"""What became of numbered scans: lost, doubled, out of order. Pure."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

Target = Literal["gateway", "broker"]
IN_FLIGHT_S_MAX = 0.001  # A scan takes about as long: some die before their commit, some after.


@dataclass(frozen=True, slots=True)
class Kill:
    """When what is ended with SIGKILL.

    number: before this scan. pause_s: how long after the last answer, or after the sending.
    in_flight: the scan is sent first, and its answer may never come.
    """

    number: int
    target: Target
    pause_s: float
    in_flight: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """Figures of one run, about accepted scans.

    doubled: messages beyond the first of a scan. out_of_order: first arrivals after a higher one.
    lost_at: how many of the lost ones lie nearest to a kill of that target.
    """

    accepted: int
    doubtful: int
    arrived: int
    lost: int
    doubled: int
    out_of_order: int
    lost_at: dict[Target, int]


def plan_kills(
    *, seed: int, each: int, spacing: int, start: int, pause_s_max: float
) -> tuple[Kill, ...]:
    """Return `each` kills of the gateway and of the broker, mixed, about `spacing` scans apart."""
    draw = random.Random(seed)
    both: tuple[Target, ...] = ("gateway", "broker")
    targets = [target for target in both for _ in range(each)]
    draw.shuffle(targets)
    kills: list[Kill] = []
    for place, target in enumerate(targets):
        # Every second one of the gateway.
        in_flight = target == "gateway" and targets[:place].count("gateway") % 2 == 0
        pause_s = draw.uniform(0, IN_FLIGHT_S_MAX if in_flight else pause_s_max)
        number = start + place * spacing + draw.randrange(spacing // 4)
        kills.append(Kill(number=number, target=target, pause_s=pause_s, in_flight=in_flight))
    return tuple(kills)


def count(
    accepted: Collection[int],
    doubtful: Collection[int],
    arrivals: Sequence[int],
    kills: Sequence[Kill] = (),
) -> Counts:
    """Return what became of the accepted numbers; doubtful ones may have arrived or not."""
    promised = set(accepted)
    first: dict[int, None] = dict.fromkeys(one for one in arrivals if one in promised)
    highest, late = -1, 0
    for number in first:
        late += number < highest
        highest = max(highest, number)
    lost = sorted(promised - first.keys())
    lost_at: dict[Target, int] = {"gateway": 0, "broker": 0}
    for number in lost:
        if kills:
            lost_at[min(kills, key=lambda kill: abs(kill.number - number)).target] += 1
    return Counts(
        accepted=len(promised),
        doubtful=len(doubtful),
        arrived=len(first),
        lost=len(lost),
        doubled=sum(one in promised for one in arrivals) - len(first),
        out_of_order=late,
        lost_at=lost_at,
    )
