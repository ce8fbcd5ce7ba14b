"""Runs the measurements and prints one line `ratio NAME VALUE` per figure. Root.

usage: python -m tests.bench [NAME ...]     NAME: commit, acknowledgement, intake,
                                            memory, protocols, labels, drivers_llrp, catch_up,
                                            page, station_page, reservation; only when
                                            named: thingsboard, big_ledger, desk
"""

import importlib
import sys

from tests.bench.figures import Ratio

NAMES = (
    "commit",
    "acknowledgement",
    "intake",
    "memory",
    "protocols",
    "labels",
    "drivers_llrp",
    "catch_up",
    "page",
    "stock_page",
    "station_page",
    "reservation",
)
ON_REQUEST = ("thingsboard", "big_ledger", "desk")  # Ten minutes and more: only when named.


def main() -> int:
    """Run the named measurements, all of NAMES by default; exit status 1 if a bound is not kept."""
    wanted = sys.argv[1:] or list(NAMES)
    known = NAMES + ON_REQUEST
    if unknown := set(wanted) - set(known):
        print(f"no measurement is called {', '.join(unknown)}; there are {', '.join(known)}")
        return 2
    ratios: list[Ratio] = []
    for number, name in enumerate(wanted, 1):
        print(f"[{number}/{len(wanted)}] measuring {name} ...", file=sys.stderr, flush=True)
        found = importlib.import_module(f"tests.bench.{name}").measure()
        for ratio in found:
            mark = "ok" if ratio.kept else "NOT KEPT"
            print(f"  {ratio.name}: {ratio.value:.3f} {ratio.bound} {mark}; {ratio.detail}")
        ratios += found
    for ratio in ratios:
        print(f"ratio {ratio.name} {ratio.value:.3f}")
    return 0 if all(ratio.kept for ratio in ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
