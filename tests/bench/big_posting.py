"""How posting in a ledger of millions compares with an empty one. Root.

Both get calls of as many movements in turn, one warehouse after another, with the followers of the
product, each of goods that stand in it: the empty one begins with a call for each warehouse that
counts in what is there, which is not measured, as are as many calls of the other.
"""

import gc
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from central.ledger.ledger import Ledger
from central.orders.following import FOLLOWERS
from central.storage.database import Database
from tests.bench.big_goods import FACTS_PER_CALL, WAREHOUSES, Gateways
from tests.bench.posting import backends, cpu_s_of

ROUNDS = 2  # Of a call for each warehouse.


@dataclass(slots=True)
class Rate:
    """What the calls of one side took."""

    name: str
    database: Database
    gateways: Gateways
    ledger: Ledger = field(default_factory=lambda: Ledger(FOLLOWERS))
    cpu_s: float = 0.0
    wall_s: float = 0.0
    count: int = 0

    def post(self, now_ms: int, warehouse_no: int) -> None:
        """Post a call's worth of movements, whose making is not counted."""
        post = self.gateways.made(now_ms, warehouse_no)
        served_by = backends(self.name)  # None where the ledger is a file.
        begin_cpu_s, begin_s = cpu_s_of(served_by), time.perf_counter()
        post(self.database, self.ledger)
        self.wall_s += time.perf_counter() - begin_s
        self.cpu_s += cpu_s_of(served_by) - begin_cpu_s
        self.count += FACTS_PER_CALL

    @property
    def per_cpu_s(self) -> float:
        """Return movements for each second of CPU time."""
        return self.count / self.cpu_s

    def begin(self) -> None:
        """Count from here on."""
        self.cpu_s = self.wall_s = 0.0
        self.count = 0
        self.gateways.told.clear()

    def __str__(self) -> str:
        us = 1e6 / self.count
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(self.gateways.told.items()))
        return (
            f"{self.name}: {self.cpu_s * us:.1f} us of CPU a movement, {self.wall_s * us:.1f} us by"
            f" the clock ({told})"
        )


def rates(
    big: Database, empty: Database, *, now_ms: int, name: str, settle: Callable[[Database], None]
) -> tuple[Rate, Rate]:
    """Return what posting takes in both. name: of their databases, without "_big" and "_empty".

    settle: gives the database's planner the statistics of what is in it.
    """
    with big.read() as connection:
        full = Rate(f"{name}_big", big, Gateways(random.Random(now_ms), connection))
    bare = Rate(f"{name}_empty", empty, Gateways(random.Random(now_ms)))
    gc.freeze()  # What stands in millions of places is not looked through while it is measured.
    for number in range(WAREHOUSES):
        for side in (full, bare):
            side.post(now_ms, number)
    for side in (full, bare):
        settle(side.database)
        side.begin()
    for _ in range(ROUNDS):
        for number in range(WAREHOUSES):
            for side in (full, bare):
                side.post(now_ms, number)
    return full, bare
