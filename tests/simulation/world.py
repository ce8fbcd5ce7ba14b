"""One simulated site from one seed: built, troubled, left in peace, checked. Pure.

0 s           FAULTS_UNTIL_S     SCANS_UNTIL_S                END_S
|--- faults, scans ---|---- scans ----|--- peace: must converge ---| checked
"""

import traceback
from dataclasses import dataclass
from functools import partial

from tests.simulation.bugs import NONE, Bugs
from tests.simulation.card import Card
from tests.simulation.checkers import Broken, Oracle
from tests.simulation.database import Database
from tests.simulation.faults import Faults
from tests.simulation.kernel import Kernel
from tests.simulation.knowing import Knowing
from tests.simulation.machine import Machine
from tests.simulation.network import Broker
from tests.simulation.outbox import Office, Outbox
from tests.simulation.worker import Worker

FAULTS_UNTIL_S = 600.0
SCANS_UNTIL_S = 660.0
END_S = 900.0
EVENTS_MAX = 150_000  # Some thirty times of what is usual: more is a loop that feeds itself.
WATCHED_EACH_S = 20.0
SHARDS_COUNT = 2


@dataclass(frozen=True, slots=True)
class Result:
    """What one seed came to. failure: the broken promise, "" if all held."""

    seed: int
    failure: str
    greens_count: int
    posted_count: int
    faults_count: int
    lost_count: int
    events_count: int


class World:
    """Everything of one site. bugs: what is planted, nothing as a rule."""

    def __init__(self, seed: int, *, bugs: Bugs = NONE, tracing: bool = False) -> None:
        self.seed = seed
        self.kernel = kernel = Kernel(seed, tracing=tracing)
        self.oracle = Oracle(kernel)
        self.bugs = bugs
        self.database = Database(self.oracle)
        self.broker = Broker(kernel, self.oracle, keeps_sessions=kernel.chance(0.6))
        self.broker.confirms = bugs.trusts_puback
        self.workers = self._make_workers()
        self.machines: list[Machine] = []
        self._shards: dict[str, int] = {}
        self.warehouses: dict[str, int] = {}
        self.office = Office(self, self.database) if kernel.chance(0.3) else None
        if self.office is not None:
            self._open_office(self.office)
        counts = (1, 1, 2, 2, 3, 4) if len(self.workers) == 1 else (2, 2, 3, 4)
        for number in range(kernel.random.choice(counts)):
            self._add_gateway(f"dock-{number + 1}", number % SHARDS_COUNT)
        self.faults = Faults(self, until_s=FAULTS_UNTIL_S)

    def run(self) -> Result:
        """Let the simulated time pass and check."""
        failure = ""
        kernel = self.kernel
        try:
            for worker in self.workers:
                worker.start()
            for machine in self.machines:
                machine.start()
                machine.operate()
            self.faults.plan()
            self._pass(FAULTS_UNTIL_S)
            self.faults.end()
            self._pass(END_S)
            self.oracle.check_end(self.machines, self.database.balances)
            self._check_shown()
        except Broken as broken:
            failure = str(broken)
        except Exception as error:  # noqa: BLE001 - the top of a run: code that falls over fails it
            failure = f"{type(error).__name__}: {error}"
            if kernel.tracing:
                kernel.note("FELL OVER", *traceback.format_exception(error))
        oracle = self.oracle
        return Result(
            seed=self.seed,
            failure=failure,
            greens_count=oracle.greens_count,
            posted_count=oracle.posted_count,
            faults_count=self.faults.count,
            lost_count=oracle.lost_count,
            events_count=kernel.events_count,
        )

    def add_machine(self, code: str, *, shard: int, card: Card) -> Machine:
        """Put a machine with this card on the line; start it yourself."""
        kernel = self.kernel
        machine = Machine(
            kernel, self.oracle, self.broker, self.bugs, code=code, shard=shard, card=card
        )
        draw = kernel.random
        machine.scan_pause_s = kernel.spread(3.0, 60.0)
        machine.burst_max = draw.choice((1, 1, 1, 2, 6))
        machine.warehouse = self.warehouses[code]
        if self.office is not None:
            machine.knowing = Knowing(machine, self.office)
        machine.scans_until_s = SCANS_UNTIL_S
        machine.sync_s = kernel.spread(0.001, 0.02)
        machine.run_facts_max = draw.choice((3, 6, 12, 20))
        machine.window_facts_max = draw.choice((20, 60, 200))
        self.machines.append(machine)
        return machine

    def codes_of(self, shards: set[int]) -> list[str]:
        """Return the gateways of some shards."""
        return [code for code, shard in self._shards.items() if shard in shards]

    def _open_office(self, office: Office) -> None:
        def posted() -> None:
            for worker in self.workers:
                worker.wake_outbox()

        for worker in self.workers:
            worker.make_outbox = partial(Outbox, self.kernel, worker, self, office)
            worker.posted = posted

    def _check_shown(self) -> None:
        if self.office is None:
            return
        for machine in self.machines:
            row = self.office.row_of(machine.code)
            self.oracle.check_shown(
                machine,
                self.database.balances,
                warehouse=machine.warehouse,
                told=(row.name, row.head),
            )

    def _pass(self, until_s: float) -> None:
        kernel = self.kernel
        while kernel.now_s < until_s:
            kernel.run(min(until_s, kernel.now_s + WATCHED_EACH_S))
            if kernel.events_count > EVENTS_MAX:
                raise Broken(f"{kernel.events_count} events: somebody is busy with himself")

    def _add_gateway(self, code: str, shard: int) -> None:
        self.database.enrolled.add(code)
        self.warehouses[code] = self.kernel.random.choice((0, 0, 0, 1))
        self._shards[code] = shard
        self.add_machine(code, shard=shard, card=Card(code, keeps_stock=self.office is not None))

    def _make_workers(self) -> list[Worker]:
        kernel = self.kernel
        every = set(range(SHARDS_COUNT))
        plan = kernel.random.choice(
            ([every], [every], [{0}, {1}], [{0}, {1}], [{0}, {1}], [every, every])
        )
        workers = [
            Worker(
                kernel,
                self.oracle,
                self.database,
                self.broker,
                self.bugs,
                name=f"worker-{number + 1}",
                shards=set(shards),
            )
            for number, shards in enumerate(plan)
        ]
        for worker in workers:
            worker.commit_s = kernel.spread(0.002, 0.03)
            worker.steps_apart = len(workers) > 1
        return workers


def simulate(seed: int, *, bugs: Bugs = NONE) -> Result:
    """Return what one seed comes to."""
    return World(seed, bugs=bugs).run()
