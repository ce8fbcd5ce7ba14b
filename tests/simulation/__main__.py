"""`make simulate`: a campaign of seeds, or one seed with its trace. Root."""

import argparse
import sys
import time

from tests.simulation.bugs import NONE, Bugs
from tests.simulation.campaign import Total, run_campaign
from tests.simulation.mutants import MUTANTS
from tests.simulation.world import END_S, Result, World

PROGRESS_EACH_S = 2.0


def main() -> int:
    """Return the exit code: 0 if every promise held in every seed."""
    arguments = _arguments()
    if arguments.replay is not None:
        return _replay(arguments.replay, _planted(arguments.planted))
    started_s = time.monotonic()
    told_s = 0.0
    failures_told = 0

    def progress(total: Total) -> None:
        nonlocal told_s, failures_told
        now_s = time.monotonic()
        for failed in total.failures[failures_told:]:
            _say(f"\r{_failure_text(failed)}", sys.stderr)
        failures_told = len(total.failures)
        if now_s - told_s >= PROGRESS_EACH_S:
            told_s = now_s
            _say(
                f"\r{total.seeds_count} of {arguments.seeds} seeds, {len(total.failures)} failed,"
                f" {now_s - started_s:.0f} s ",
                sys.stderr,
            )

    total = run_campaign(
        first=arguments.first,
        seeds=arguments.seeds,
        processes=arguments.workers,
        progress=progress,
    )
    _say("\n", sys.stderr)
    _tell(total, time.monotonic() - started_s)
    return 1 if total.failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--workers", type=int, default=2, help="processes at work")
    parser.add_argument("--replay", type=int, help="run this one seed and print its trace")
    names = [bug.name for bug in MUTANTS]
    parser.add_argument("--planted", default="", choices=["", *names], help="with --replay: a bug")
    return parser.parse_args()


def _planted(name: str) -> Bugs:
    return next((bug for bug in MUTANTS if bug.name == name), NONE)


def _replay(seed: int, bugs: Bugs) -> int:
    world = World(seed, bugs=bugs, tracing=True)
    result = world.run()
    _say("\n".join(world.kernel.trace) + "\n")
    _say(f"seed {seed}: {result.failure or 'every promise held'}\n")
    _say(
        f"{result.greens_count} green lights, {result.posted_count} facts posted,"
        f" {result.faults_count} faults, {result.lost_count} lost with a card\n"
    )
    _say(f"trace {world.kernel.trace_hash()}\n")
    return 1 if result.failure else 0


def _tell(total: Total, wall_s: float) -> None:
    for failed in total.failures:
        _say(_failure_text(failed))
    speed = total.simulated_s / total.cpu_s if total.cpu_s else 0.0
    _say(
        f"{total.seeds_count} seeds of {END_S:.0f} s ({total.simulated_s / 3600:.0f} simulated"
        f" hours), {len(total.failures)} failed\n"
        f"{total.greens_count} green lights, {total.posted_count} facts posted,"
        f" {total.faults_count} faults, {total.lost_count} facts lost with a card\n"
        f"{wall_s:.1f} s, {total.cpu_s:.1f} CPU seconds:"
        f" {speed:.0f} times faster than the time simulated\n"
    )


def _failure_text(failed: Result) -> str:
    replay = f".venv/bin/python -m tests.simulation --replay {failed.seed}"
    return f"seed {failed.seed} FAILED: {failed.failure}\n  replay: {replay}\n"


def _say(text: str, stream=sys.stdout) -> None:
    stream.write(text)
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())
