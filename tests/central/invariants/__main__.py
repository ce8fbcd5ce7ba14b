"""`make invariants`: random walks on both databases, or one walk again. Root."""

import argparse
import sys
import time
from collections import Counter
from multiprocessing import Process, Queue, get_context
from queue import Empty

from tests.central.invariants.campaign import (
    STEPS_PER_WALK,
    failure_text,
    fresh_ledgers,
    work,
)
from tests.central.invariants.walk import CHECK_EACH, walk

DATABASES = ("sqlite", "postgresql")
PROGRESS_EACH_S = 5.0
ALIVE_LOOK_S = 1.0


def main() -> int:
    """Return the exit code: 0 if every promise held after every walk."""
    arguments = _arguments()
    if arguments.seed is not None:
        return _again(arguments)
    started_s = time.monotonic()
    chosen = DATABASES if arguments.database == "both" else (arguments.database,)
    context = get_context("spawn")
    told: Queue = context.Queue()
    workers = [
        context.Process(target=work, args=(name, arguments.first, arguments.steps, told))
        for name in chosen
    ]
    for worker in workers:
        worker.start()
    failed = _follow(workers, told, dict.fromkeys(chosen, 0), arguments.steps, started_s)
    return 1 if failed or any(worker.exitcode for worker in workers) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.central.invariants")
    parser.add_argument("--steps", type=int, default=100_000, help="steps on each database")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--database", choices=("both", *DATABASES), default="both")
    parser.add_argument("--seed", type=int, help="walk this one again and print its steps")
    parser.add_argument("--only", default="", help='with --seed: its steps, e.g. "3,8-12"')
    parser.add_argument("--each", type=int, default=CHECK_EACH, help="steps between checks")
    return parser.parse_args()


def _follow(
    workers: list[Process],
    told: Queue,
    done: dict[str, int],
    steps_count: int,
    started_s: float,
) -> bool:
    """Show progress until all databases are done; return whether anything failed."""
    failed, last_s, running = False, 0.0, len(workers)
    counts: Counter[str] = Counter()
    while running:
        try:
            name, done[name], news, failure = told.get(timeout=ALIVE_LOOK_S)
        except Empty:
            if not any(worker.is_alive() for worker in workers):
                failed = True  # They died without a last word.
                break
            continue
        if failure is not None:
            failed = True
            _say(f"\n{failure}\n")
        elif news is None:
            running -= 1
        else:
            counts += news
        if time.monotonic() - last_s >= PROGRESS_EACH_S:
            last_s = time.monotonic()
            steps = ", ".join(f"{name} {count}" for name, count in done.items())
            _say(f"\r{steps} of {steps_count} steps, {last_s - started_s:.0f} s ", sys.stderr)
    for worker in workers:
        worker.join()
    _say("\n", sys.stderr)
    for outcome, count in sorted(counts.items()):
        _say(f"{count:8} {outcome}\n")
    steps = ", ".join(f"{name} {count}" for name, count in done.items())
    wall_s = time.monotonic() - started_s
    _say(f"{steps} steps in {wall_s:.0f} s: {'FAILED' if failed else 'every promise held'}\n")
    return failed


def _again(arguments: argparse.Namespace) -> int:
    name = "sqlite" if arguments.database == "both" else arguments.database
    steps = _steps(arguments.only) or range(STEPS_PER_WALK)
    with fresh_ledgers(name) as fresh:
        walked = walk(
            fresh,
            arguments.seed,
            steps,
            check_each=arguments.each,
            tell=lambda said: _say(said + "\n"),
        )
    if walked.failure is None:
        _say("every promise held\n")
        return 0
    _say(failure_text(name, walked.failure) + "\n")
    return 1


def _steps(text: str) -> list[int]:
    """Return the steps of e.g. "3,8-12"."""
    steps: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        steps += range(int(first), int(last or first) + 1)
    return steps


def _say(text: str, stream=sys.stdout) -> None:
    stream.write(text)
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())
