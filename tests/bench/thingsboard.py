"""Scans through this gateway and through thingsboard-gateway while parts are killed. Root.

Both get the same scans from the same feeder and go through a mosquitto with the same settings; one
seed says when the gateway or the broker is ended with SIGKILL. Then what was accepted is compared
with what arrived, in the ledger or at the stand-in for the platform. README.md tells the terms.

THINGSBOARD_KILLS: of each kind (default 10). THINGSBOARD_PACE: scans a second while parts are
killed (default 50). THINGSBOARD_SCANS: of the runs without kills (default 2000). It takes ten
minutes, and is therefore measured only when named.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests import brokers
from tests.bench.catch_up_goods import movements
from tests.bench.figures import Ratio, percentile
from tests.bench.scan_counts import Counts, Kill, count, plan_kills
from tests.bench.scan_feeder import Feeder, Pace, feed_and_kill
from tests.bench.scan_sides import OurSide, Side, TheirSide, install

SEED = 1
WARM_UP = 20
SPACING_S = 8  # Between kills, if scans are accepted at the pace.
BROKER_AWAY_S = 1
PAUSE_S_MAX = 0.05
AT_ONCE = Pace(scans_per_s=1e6, broker_away_scans=0)
AWAY_S = 15.0
ROUNDS = 3
WARM_S_MAX = 60.0
QUIET_S = 45.0  # Longer than the pauses between two tries of either side to connect again.
ARRIVE_S_MAX = 300.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Script:
    """What happens to both sides."""

    pace: Pace
    kills: tuple[Kill, ...]
    scans_count: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one side. arrive_s: from the first scan, or the broker's return, to the last."""

    counts: Counts
    accept_s: list[float]
    arrive_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What one side did: killed, undisturbed (some rounds), and with a broker that was away."""

    killed: Run
    alone: tuple[Run, ...]
    away: Run


class Stand:
    """One side, started and warm, with its feeder."""

    def __init__(self, make: Callable[..., Side], scans_count: int, stack: ExitStack) -> None:
        name = stack.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd()))
        self.broker = stack.enter_context(brokers.mosquitto(Path(name) / "broker"))
        self.side = make(Path(name), self.broker, stack)
        scans = movements(scans_count, seed=SEED)
        self._numbers = {scan.event_time_ms: number for number, scan in enumerate(scans)}
        self._scans_count = scans_count
        self.feeder = Feeder(self.side.port, scans)
        stack.callback(self.feeder.close)
        self.feeder.connect()
        self.feed(range(WARM_UP), AT_ONCE)
        deadline = time.monotonic() + WARM_S_MAX
        while self.side.arrived_count() < WARM_UP:
            assert time.monotonic() < deadline, "nothing arrives"
            time.sleep(POLL_S)

    def feed(self, numbers: range, pace: Pace, kills: tuple[Kill, ...] = ()) -> None:
        """Feed the numbers, killing by the plan."""
        feed_and_kill(
            self.feeder,
            numbers=numbers,
            pace=pace,
            kills=kills,
            gateway=self.side.gateway,
            broker=self.broker,
        )

    def settle(self, begin_s: float, kills: tuple[Kill, ...] = ()) -> Run:
        """Wait until all that was accepted has arrived, or nothing arrives any more; count."""
        fed, deadline = self.feeder.fed, time.monotonic() + ARRIVE_S_MAX
        seen, changed_s = 0, time.monotonic()
        while time.monotonic() < min(deadline, changed_s + QUIET_S):
            if (now := self.side.arrived_count()) != seen:
                seen, changed_s = now, time.monotonic()
            if seen >= len(fed.accepted) and set(fed.accepted) <= set(self._arrivals()):
                break
            time.sleep(POLL_S)
        counts = count(fed.accepted, fed.doubtful, self._arrivals(), kills)
        return Run(counts, fed.accept_s[WARM_UP:], changed_s - begin_s)

    def _arrivals(self) -> list[int]:
        return [self._numbers[time_ms] for time_ms in self.side.arrived_ms()]


def measure() -> list[Ratio]:
    """Return our counts, which have to be 0, with theirs and the rates beside them."""
    each = int(os.environ.get("THINGSBOARD_KILLS", "10"))
    scans_count = int(os.environ.get("THINGSBOARD_SCANS", "2000"))
    per_s = int(os.environ.get("THINGSBOARD_PACE", "50"))
    spacing = SPACING_S * per_s
    install()
    script = Script(
        pace=Pace(scans_per_s=per_s, broker_away_scans=BROKER_AWAY_S * per_s),
        kills=plan_kills(
            seed=SEED, each=each, spacing=spacing, start=spacing, pause_s_max=PAUSE_S_MAX
        ),
        scans_count=spacing * (2 * each + 2),
    )
    makes: list[tuple[str, Callable[..., Side]]] = [("ours", OurSide), ("theirs", TheirSide)]
    killed = [_said(f"{name}, killed", _run_killed(make, script)) for name, make in makes]
    rounds = _rounds_alone(makes, scans_count)
    away = [_said(f"{name}, broker away", _run_away(make, scans_count)) for name, make in makes]
    ours, theirs = (Figures(*one) for one in zip(killed, rounds, away, strict=True))
    title = f"{each} kills of the gateway, {each} of the broker, {per_s} scans/s"
    print(_table(title, ours, theirs, scans_count=scans_count))
    return _ratios(ours, theirs)


def _rounds_alone(
    makes: list[tuple[str, Callable[..., Side]]], scans_count: int
) -> list[tuple[Run, ...]]:
    """Return the rounds of each side; they take turns, so that both meet the same machine."""
    rounds = [
        [_said(f"{name}, undisturbed", _run_alone(make, scans_count)) for name, make in makes]
        for _ in range(ROUNDS)
    ]
    return list(zip(*rounds, strict=True))


def _said(name: str, run: Run) -> Run:
    print(f"    {name}: {run.counts} in {run.arrive_s:.1f} s", file=sys.stderr, flush=True)
    return run


def _run_killed(make: Callable[..., Side], script: Script) -> Run:
    with ExitStack() as stack:
        stand, begin_s = Stand(make, script.scans_count, stack), time.monotonic()
        stand.feed(range(WARM_UP, script.scans_count), script.pace, script.kills)
        return stand.settle(begin_s, script.kills)


def _run_alone(make: Callable[..., Side], scans_count: int) -> Run:
    with ExitStack() as stack:
        stand, begin_s = Stand(make, WARM_UP + scans_count, stack), time.monotonic()
        stand.feed(range(WARM_UP, WARM_UP + scans_count), AT_ONCE)
        return stand.settle(begin_s)


def _run_away(make: Callable[..., Side], scans_count: int) -> Run:
    with ExitStack() as stack:
        stand = Stand(make, WARM_UP + scans_count, stack)
        stand.broker.stop()
        back_s = time.monotonic() + AWAY_S
        stand.feed(range(WARM_UP, WARM_UP + scans_count), AT_ONCE)
        time.sleep(max(0.0, back_s - time.monotonic()))
        stand.broker.start()
        return stand.settle(time.monotonic())


def _table(title: str, ours: Figures, theirs: Figures, *, scans_count: int) -> str:
    rows: list[tuple[str, Callable[[Figures], str]]] = [
        ("accepted, scans", lambda one: str(one.killed.counts.accepted)),
        ("in doubt (no answer; not counted)", lambda one: str(one.killed.counts.doubtful)),
        ("arrived, scans", lambda one: str(one.killed.counts.arrived)),
        ("LOST: accepted, never arrived", lambda one: str(one.killed.counts.lost)),
        ("- nearest to a gateway's kill", lambda one: str(one.killed.counts.lost_at["gateway"])),
        ("- nearest to a broker's kill", lambda one: str(one.killed.counts.lost_at["broker"])),
        ("DOUBLED: arrived again", lambda one: str(one.killed.counts.doubled)),
        ("OUT OF ORDER: after a higher one", lambda one: str(one.killed.counts.out_of_order)),
        (f"undisturbed: {scans_count} scans, scans/s to arrival", lambda one: _rate(one.alone)),
        ("- lost / doubled / out of order", lambda one: _faults(*one.alone)),
        ("- accept, p50 / p99 ms", lambda one: _accept(one.alone)),
        (
            f"broker {AWAY_S:.0f} s away: s until {scans_count} scans arrived",
            lambda one: f"{one.away.arrive_s:.1f}",
        ),
        ("- lost / doubled / out of order", lambda one: _faults(one.away)),
    ]
    lines = [
        f"| {title} | Dockledger | thingsboard-gateway |",
        "| --- | --- | --- |",
        "| accepted means | synced to disk | in memory, before its disk |",
        "| arrived means | committed in the ledger | synced by the stand-in |",
    ]
    return "\n".join(lines + [f"| {name} | {say(ours)} | {say(theirs)} |" for name, say in rows])


def _rate(rounds: tuple[Run, ...]) -> str:
    slowest, *_, fastest = sorted(_per_s(run) for run in rounds)
    return f"{_median_per_s(rounds):.0f} ({slowest:.0f} to {fastest:.0f})"


def _median_per_s(rounds: tuple[Run, ...]) -> float:
    return median(_per_s(run) for run in rounds)


def _per_s(run: Run) -> float:
    return (run.counts.arrived - WARM_UP) / run.arrive_s


def _faults(*runs: Run) -> str:
    counts = [run.counts for run in runs]
    lost, doubled = sum(one.lost for one in counts), sum(one.doubled for one in counts)
    return f"{lost} / {doubled} / {sum(one.out_of_order for one in counts)}"


def _accept(rounds: tuple[Run, ...]) -> str:
    accept_s = _accept_s(rounds)
    return f"{median(accept_s) * 1e3:.2f} / {percentile(accept_s, 99) * 1e3:.2f}"


def _accept_s(rounds: tuple[Run, ...]) -> list[float]:
    return [each_s for run in rounds for each_s in run.accept_s]


def _ratios(ours: Figures, theirs: Figures) -> list[Ratio]:
    mine, other = ours.killed.counts, theirs.killed.counts
    of = f"of {mine.accepted} accepted"
    beside = f"theirs, of {other.accepted} accepted; no bound"
    accept = (median(_accept_s(ours.alone)), median(_accept_s(theirs.alone)))
    return [
        Ratio("kills-lost", mine.lost, of, at_most=0),
        Ratio("kills-doubled", mine.doubled, of, at_most=0),
        Ratio("kills-out-of-order", mine.out_of_order, of, at_most=0),
        Ratio("kills-lost-thingsboard", other.lost, beside),
        Ratio("kills-doubled-thingsboard", other.doubled, beside),
        Ratio("kills-out-of-order-thingsboard", other.out_of_order, beside),
        Ratio(
            "scans-vs-thingsboard",
            _median_per_s(ours.alone) / _median_per_s(theirs.alone),
            f"{_rate(ours.alone)} and {_rate(theirs.alone)} scans/s, one after another",
        ),
        Ratio(
            "accept-vs-thingsboard",
            accept[0] / accept[1],
            f"{accept[0] * 1e3:.2f} ms synced,"
            f" {accept[1] * 1e3:.2f} ms into memory; above 1: slower",
        ),
    ]
