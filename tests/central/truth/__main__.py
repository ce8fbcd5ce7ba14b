"""`make truth`: random scenes of which the true stock is known, or one scene again. Root."""

import argparse
import sys
import time

from tests.central.invariants.campaign import fresh_ledgers
from tests.central.truth.campaign import KINDS, play, play_all

DATABASES = ("sqlite", "postgresql")
PROGRESS_EACH_S = 5.0
FAILED_MAX = 5


class _TooMany(Exception):
    """So many scenes ended wrong that no more are played."""


def main() -> int:
    """Return the exit code: 0 if no scene ended with figures that are wrong and untold."""
    arguments = _arguments()
    kinds = list(KINDS) if arguments.kind == "all" else [arguments.kind]
    with fresh_ledgers(arguments.database) as fresh:
        if arguments.seed is not None:
            return _again(fresh, kinds, arguments)
        started_s = time.monotonic()
        seeds = range(arguments.first, arguments.first + arguments.scenes)
        told = _Told(arguments, len(seeds) * len(kinds))
        try:
            outcomes = play_all(fresh, kinds, seeds, told)
        except _TooMany:
            return 1
    for (kind, outcome), count in sorted(outcomes.items()):
        _say(f"{count:6} {kind} {outcome}\n")
    verdict = "FAILED" if told.failed_count else "none ended wrong and untold"
    wall_s = time.monotonic() - started_s
    _say(f"{told.count} scenes on {arguments.database} in {wall_s:.0f} s: {verdict}\n")
    return 1 if told.failed_count else 0


class _Told:
    """Shows progress, and each scene that ended wrong with the command that plays it again."""

    def __init__(self, arguments: argparse.Namespace, wanted: int) -> None:
        self._arguments = arguments
        self._wanted = wanted
        self._last_s = time.monotonic()
        self.count = 0
        self.failed_count = 0

    def __call__(self, ending) -> None:
        self.count += 1
        if ending.said:
            self.failed_count += 1
            _say(f"\n{text_of(ending, self._arguments.database)}\n")
        if self.failed_count == FAILED_MAX:
            raise _TooMany
        if time.monotonic() - self._last_s >= PROGRESS_EACH_S:
            self._last_s = time.monotonic()
            _say(f"\r{self.count} of {self._wanted} scenes ", sys.stderr)


def text_of(ending, database: str) -> str:
    """Return what happened in a scene, and how to play it again."""
    steps = ",".join(map(str, ending.steps))
    return "\n".join(
        (
            f"{ending.kind} {ending.seed} on {database}: {ending.said or ending.outcome}",
            *(f"    {line}" for line in ending.log),
            f"{sys.executable} -m tests.central.truth --kind {ending.kind} --seed {ending.seed}"
            f" --database {database} --only {steps}",
        )
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.central.truth")
    parser.add_argument("--scenes", type=int, default=200, help="scenes of each kind")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--kind", choices=("all", *KINDS), default="all")
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--seed", type=int, help="play this one again and print it")
    parser.add_argument("--only", default="", help='with --seed: its steps, e.g. "3,8,9"')
    return parser.parse_args()


def _again(fresh, kinds: list[str], arguments: argparse.Namespace) -> int:
    steps = [int(step) for step in arguments.only.split(",") if step] or None
    endings = [play(fresh, kind, arguments.seed, steps) for kind in kinds]
    for ending in endings:
        _say(text_of(ending, arguments.database) + "\n")
    return 1 if any(ending.said for ending in endings) else 0


def _say(text: str, stream=sys.stdout) -> None:
    stream.write(text)
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())
