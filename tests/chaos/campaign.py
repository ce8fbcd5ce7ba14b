"""Breaks one part after the other while scanning goes on, and judges at rest. Loop.

    draw a fault -> let it happen -> mend it        so many cycles, whether or not all has recovered
    every so many cycles: mend all, rest, converge, judge; then on

A program that ends by itself is a fault of its own, save central where it starts without its
database: then it says so (exit code 3) and is started again, as systemd would.
"""

import os
import random
import signal
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from provisioning.demo.children import ChildFailed
from tests.chaos.checkers import faults_of
from tests.chaos.faults import BROKER, DATABASE, HALF_OPEN, Fault, Targets, draw
from tests.chaos.site import PROGRAMS_MAX, Site
from tests.waiting import wait_for

PAUSE_S = (0.1, 0.8)
CONVERGENCE_S_MAX = 120.0
FIRST_SCANS_S_MAX = 30.0
EXIT_DATABASE = 3  # Of `dockledger-central`: no database.
SLOW_BYTES_PER_S = 4000
FAULTS_KEPT_MAX = 30


class ChaosFailed(AssertionError):
    """Something acknowledged is not as promised, or a part did not come back."""


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """cycles_max, kills_max: whichever is reached first ends it; 0 for no such end."""

    seed: int
    cycles_max: int
    kills_max: int = 0
    seconds_max: float = 0.0
    cycles_between_checks: int = 25
    proofs_every: int = 4  # So many checks between two runs of the products' own proofs.


class Campaign:
    """Runs one plan against one site, once; or inflicts and settles as it is told.

    tell: gets a line of progress now and then. targets: what there is to break.
    """

    def __init__(self, site: Site, plan: CampaignPlan, tell: Callable[[str], object]) -> None:
        self._site = site
        self._plan = plan
        self._tell = tell
        self._chance = random.Random(plan.seed)
        self._begun_s = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._last: deque[str] = deque(maxlen=FAULTS_KEPT_MAX)
        self._checks_count = 0
        self._convergence_s_max = 0.0
        self.targets = Targets(
            programs=tuple(site.children),
            links=tuple(site.proxies),
            has_database=site.postgresql is not None,
        )

    @property
    def kills_count(self) -> int:
        """Return how many SIGKILLs there were."""
        return self._counts["kill"]

    def summary(self) -> str:
        """Return what was done, in one line."""
        counts = ", ".join(f"{count} x {kind}" for kind, count in self._counts.most_common())
        return f"{counts}; {self._checks_count} checks, worst {self._convergence_s_max:.1f} s"

    def run(self) -> None:
        """Return if everything held. Raises ChaosFailed with the last faults before it."""
        try:
            cycle = 0
            while not self._over(cycle):
                if cycle % self._plan.cycles_between_checks == 0:
                    self.wait_until_all_scan()
                cycle += 1
                self._cycle(cycle)
                if cycle % self._plan.cycles_between_checks == 0:
                    self.settle(f"cycle {cycle}")
            if cycle % self._plan.cycles_between_checks:
                self.settle(f"cycle {cycle}")
        except (AssertionError, ChildFailed) as error:
            shown = "\n".join(f"  {line}" for line in self._last)
            raise ChaosFailed(f"{error}\nThe last faults:\n{shown}") from error

    def _over(self, cycle: int) -> bool:
        plan = self._plan
        seconds = time.monotonic() - self._begun_s
        return (
            bool(plan.cycles_max and cycle >= plan.cycles_max)
            or bool(plan.kills_max and self.kills_count >= plan.kills_max)
            or bool(plan.seconds_max and seconds >= plan.seconds_max)
        )

    def _cycle(self, cycle: int) -> None:
        time.sleep(self._chance.uniform(*PAUSE_S))
        fault = draw(self._chance, self.targets)
        at_s = time.monotonic() - self._begun_s
        self._last.append(f"{at_s:8.2f} s, cycle {cycle}: {fault}")
        self.inflict(fault)
        self._restart_ended()

    def inflict(self, fault: Fault) -> None:
        """Let a fault happen and mend it; return without waiting for anybody to recover."""
        self._counts[fault.kind] += 1
        if fault.kind == "pause":
            self._pause(fault)
        elif fault.kind == "link":
            self._break_link(fault)
        elif fault.target == BROKER:
            broker = self._site.broker
            (broker.kill if fault.kind == "kill" else broker.stop)()
            if fault.how == "forget":
                broker.forget()
            time.sleep(fault.seconds)
            broker.start()
        elif fault.target == DATABASE:
            self._end_database(fault)
        else:
            child = self._site.children[fault.target]
            if fault.kind == "kill":
                child.kill()
            else:
                child.stop()
            time.sleep(fault.seconds)
            child.start()

    def _meanwhile(self, fault: Fault) -> None:
        time.sleep(fault.seconds / 2)
        if fault.meanwhile is not None:
            self.inflict(fault.meanwhile)
        time.sleep(fault.seconds / 2)

    def _pause(self, fault: Fault) -> None:
        pid = self._pid_of(fault.target)
        os.kill(pid, signal.SIGSTOP)
        try:
            self._meanwhile(fault)
        finally:
            if fault.meanwhile is None or fault.meanwhile.target != fault.target:
                os.kill(pid, signal.SIGCONT)  # Else it was killed, and its number is no longer its.

    def _pid_of(self, target: str) -> int:
        if target == BROKER:
            return self._site.broker.pid
        if target == DATABASE:
            assert self._site.postgresql is not None
            return self._site.postgresql.pid
        return self._site.children[target].pid

    def _break_link(self, fault: Fault) -> None:
        proxy = self._site.proxies[fault.target]
        kind, _, way = fault.how.partition(" ")
        ways = (way,) if way else ()
        if kind == "cut":
            proxy.cut()
        elif kind == "stall":
            proxy.stall(*ways)
        elif kind == "drop":
            proxy.drop(*ways)
        elif kind == "slow":
            proxy.slow(SLOW_BYTES_PER_S)
        elif kind == HALF_OPEN:
            proxy.half_open()
        self._meanwhile(fault)
        # Only now and then nobody is told: each such connection waits for a keepalive.
        proxy.mend(reset_deaf=kind != HALF_OPEN)

    def _end_database(self, fault: Fault) -> None:
        server = self._site.postgresql
        assert server is not None
        if fault.how == "backend":
            if not server.kill_backend(fault.number):
                self._counts[fault.kind] -= 1  # Nobody was connected.
            return
        if fault.how == "all":
            server.kill()
        else:
            server.stop(signal.SIGQUIT if fault.how == "immediate" else signal.SIGINT)
        time.sleep(fault.seconds)
        server.start()

    def _restart_ended(self) -> None:
        for name, child in self._site.children.items():
            if child.is_running:
                continue
            code = child.stop()
            if code != EXIT_DATABASE or name not in self._site.centrals:
                raise ChaosFailed(f"{name} ended by itself, status {code}:\n{child.log_tail()}")
            self._counts["start without database"] += 1
            child.start()

    def wait_until_all_scan(self) -> None:
        """Let everybody scan; return when each gateway has shown one more green."""
        before = [stand.operator.greens_count for stand in self._site.stands]
        for stand in self._site.stands:
            stand.operator.work()

        def all_scan() -> bool:
            self._restart_ended()
            after = [stand.operator.greens_count for stand in self._site.stands]
            return all(new > old for old, new in zip(before, after, strict=True))

        wait_for(all_scan, timeout_s=FIRST_SCANS_S_MAX, what="a green scan at each gateway")

    def settle(self, when: str) -> None:
        """Let all come to rest and judge it; then nobody scans. Raises ChaosFailed."""
        for proxy in self._site.proxies.values():
            proxy.mend()
        for stand in self._site.stands:
            stand.operator.rest()
        begun_s = time.monotonic()
        try:
            wait_for(self._converged, timeout_s=CONVERGENCE_S_MAX, what="convergence")
        except AssertionError as error:
            raise ChaosFailed(f"{error}\n{self._differences()}") from error
        took_s = time.monotonic() - begun_s
        self._convergence_s_max = max(took_s, self._convergence_s_max)
        self._judge()
        over_s = time.monotonic() - self._begun_s
        greens_count = sum(stand.operator.greens_count for stand in self._site.stands)
        self._tell(
            f"{when}, {self.kills_count} kills, {greens_count} green scans,"
            f" {self._site.witness.acks_count} acknowledgements, all there after {took_s:.1f} s"
            f" (worst {self._convergence_s_max:.1f} s), {over_s:.0f} s in all"
        )

    def _converged(self) -> bool:
        self._restart_ended()
        heads = {key: head for stand in self._site.stands for key, head in stand.heads().items()}
        try:
            return heads == self._site.ledger.positions()
        except SQLAlchemyError:
            return False

    def _differences(self) -> str:
        """Return what keeps both sides apart, for the message of the failure."""
        heads = {key: head for stand in self._site.stands for key, head in stand.heads().items()}
        try:
            positions = self._site.ledger.positions()
        except SQLAlchemyError as error:
            return f"the database does not answer: {error}"
        return "\n".join(
            f"{gateway}/{epoch}: the journal has {heads.get((gateway, epoch), 0)},"
            f" the ledger {positions.get((gateway, epoch), 0)}"
            for gateway, epoch in sorted(heads.keys() | positions.keys())
            if heads.get((gateway, epoch)) != positions.get((gateway, epoch))
        )

    def _judge(self) -> None:
        site = self._site
        stands = [stand.evidence() for stand in site.stands]
        found = [*faults_of(stands, site.ledger.evidence()), *site.witness.faults()]
        running = [line for line in site.processes_left() if " -m " in line]
        if len(running) > PROGRAMS_MAX:
            found.append(f"{len(running)} programs run: {running}")
        found += site.log_faults()
        if not found and self._checks_count % self._plan.proofs_every == 0:
            found += site.proof_faults()
        self._checks_count += 1
        if found:
            raise ChaosFailed("\n".join(found))
