"""How posting in a ledger of millions compares with an empty one. Root.

The same calls are posted to both in turn, one warehouse after another, with the followers of the
product; who is first changes with each. The empty one begins with what they take from places
counted in, which is not measured, as is the first call of each warehouse. So the movements, their
goods and their places are the same in both, and only what else the ledger holds is not.
"""

import gc
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from central.ledger.ledger import Ledger
from central.orders.following import FOLLOWERS
from central.storage.database import Database
from tests.bench.big_goods import WAREHOUSES, Call, Gateways
from tests.bench.posting import backends, cpu_s_of

ROUNDS = 2  # Of a call for each warehouse.


@dataclass(slots=True)
class Rate:
    """What the calls of one side took."""

    name: str
    database: Database
    ledger: Ledger = field(default_factory=lambda: Ledger(FOLLOWERS))
    cpu_s: float = 0.0
    wall_s: float = 0.0
    count: int = 0

    def post(self, call: Call) -> None:
        """Post a call."""
        served_by = backends(self.name)  # None where the ledger is a file.
        begin_cpu_s, begin_s = cpu_s_of(served_by), time.perf_counter()
        call.post(self.database, self.ledger)
        self.wall_s += time.perf_counter() - begin_s
        self.cpu_s += cpu_s_of(served_by) - begin_cpu_s
        self.count += len(call.bodies)

    @property
    def per_cpu_s(self) -> float:
        """Return movements for each second of CPU time."""
        return self.count / self.cpu_s

    def begin(self) -> None:
        """Count from here on."""
        self.cpu_s = self.wall_s = 0.0
        self.count = 0

    def __str__(self) -> str:
        us = 1e6 / self.count
        return (
            f"{self.name}: {self.cpu_s * us:.1f} us of CPU a movement,"
            f" {self.wall_s * us:.1f} us by the clock"
        )


def rates(
    big: Database, empty: Database, *, now_ms: int, name: str, settle: Callable[[Database], None]
) -> tuple[Rate, Rate]:
    """Return what posting takes in both. name: of their databases, without "_big" and "_empty".

    settle: gives the database's planner the statistics of what is in it.
    """
    with big.read() as connection:
        gateways = Gateways(random.Random(now_ms), connection)
        rounds = [[gateways.made(now_ms, n) for n in range(WAREHOUSES)] for _ in range(ROUNDS + 1)]
        opening = gateways.opening_of(connection, [one for some in rounds for one in some], now_ms)
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(gateways.told.items()))
    print(f"    {name}: {told}", file=sys.stderr, flush=True)
    full, bare = Rate(f"{name}_big", big), Rate(f"{name}_empty", empty)
    for call in opening:
        bare.post(call)
    gc.freeze()  # What stands in millions of places is not looked through while it is measured.
    _post(full, bare, rounds[0])
    for side in (full, bare):
        settle(side.database)
        side.begin()
    for some in rounds[1:]:
        _post(full, bare, some)
    return full, bare


def _post(full: Rate, bare: Rate, calls: list[Call]) -> None:
    sides = (full, bare)
    for call in calls:
        for side in sides:
            gc.collect(0)  # Whose call it falls into is chance.
            side.post(call)
        sides = sides[::-1]
