"""What may happen to the parts, drawn from a seed. Pure.

A fault is drawn whole before it happens, so that a log line says all of it. Which bytes are then
under way is up to the machine: a seed repeats the faults, not the run.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["kill", "restart", "pause", "link"]
# How the parts other than the product's own end.
BROKER_ENDS = ("keep", "forget")
DATABASE_KILLS = ("backend", "backend", "all")
DATABASE_RESTARTS = ("fast", "immediate")
LINK_WAYS = ("cut", "stall", "stall up", "stall down", "drop", "drop up", "drop down", "slow")
HALF_OPEN = "half-open"
BROKER, DATABASE = "broker", "database"

WEIGHTS: dict[FaultKind, int] = {"kill": 62, "restart": 10, "pause": 11, "link": 17}
SHORT_S, LONG_S = 0.35, 2.5
LONG_CHANCE = 0.12
DURATION_S = (0.1, 1.2)
DOUBLE_CHANCE = 0.25
HALF_OPEN_CHANCE = 0.1


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    target: a program, a link, "broker" or "database". how: which way, "" where there is one.
    seconds: until it is over, or until what was ended starts again. meanwhile: a kill in the midst
    of it, None for none. number: to choose by where the choice is known only then.
    """

    kind: FaultKind
    target: str
    how: str = ""
    seconds: float = 0.0
    number: int = 0
    meanwhile: "Fault | None" = None

    def __str__(self) -> str:
        words = f"{self.kind} {self.target}" + (f" ({self.how})" if self.how else "")
        words += f" {self.seconds:.2f} s" if self.seconds else ""
        return f"{words}, meanwhile {self.meanwhile}" if self.meanwhile else words


@dataclass(frozen=True, slots=True)
class Targets:
    """What there is to break. programs: of the product. has_database: a server of its own."""

    programs: Sequence[str]
    links: Sequence[str]
    has_database: bool


def draw(chance: random.Random, targets: Targets) -> Fault:
    """Return the next fault."""
    kind = chance.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
    if kind == "kill":
        return _draw_kill(chance, targets)
    if kind == "restart":
        return _draw_restart(chance, targets)
    if kind == "pause":
        target = chance.choice(_parts(targets))
        fault = Fault("pause", target, seconds=chance.uniform(*DURATION_S))
    else:
        fault = _draw_link(chance, targets)
    if chance.random() >= DOUBLE_CHANCE:
        return fault
    kill = _draw_kill(chance, targets)
    return Fault(fault.kind, fault.target, fault.how, fault.seconds, fault.number, kill)


def _draw_kill(chance: random.Random, targets: Targets) -> Fault:
    target = chance.choice(_parts(targets))
    how = ""
    if target == BROKER:
        how = chance.choice(BROKER_ENDS)
    elif target == DATABASE:
        how = chance.choice(DATABASE_KILLS)
    away_s = chance.uniform(0, LONG_S if chance.random() < LONG_CHANCE else SHORT_S)
    return Fault("kill", target, how, seconds=away_s, number=chance.randrange(1000))


def _draw_restart(chance: random.Random, targets: Targets) -> Fault:
    target = chance.choice(_parts(targets))
    how = ""
    if target == BROKER:
        how = chance.choice(BROKER_ENDS)
    elif target == DATABASE:
        how = chance.choice(DATABASE_RESTARTS)
    return Fault("restart", target, how, seconds=chance.uniform(0, SHORT_S))


def _draw_link(chance: random.Random, targets: Targets) -> Fault:
    target = chance.choice(targets.links)
    # The database's client believes in its connection; only a network that resets tells it.
    ways = ("cut", "stall") if target == DATABASE else LINK_WAYS
    how = chance.choice(ways)
    if target != DATABASE and chance.random() < HALF_OPEN_CHANCE:
        how = HALF_OPEN
    return Fault("link", target, how, seconds=chance.uniform(*DURATION_S))


def _parts(targets: Targets) -> list[str]:
    return [*targets.programs, BROKER, *([DATABASE] if targets.has_database else [])]
