"""One scan to its durable commit, against a raw append and fdatasync in the same loop. Root.

A scan enters as the station loop takes it from its queue (an observation of a GTIN) and ends when
the journal's commit has returned; interpreting, the workflow, encoding and the chain are inside.
What waits together shares a commit: groups are measured at the journal, where the commit is, and
once more from the observations on, where thinking (which no group makes cheaper) is inside.
"""

import os
import tempfile
import time
from pathlib import Path
from statistics import median

from central.contract.facts import Fact
from tests.bench.figures import Ratio, milliseconds, percentile
from tests.bench.station import MeasuredStation, StampedJournal, scans
from tests.gateway.journal.samples import movement

ROUNDS = 400
GROUPS = (10, 50)
WARM_UP = 30
PAGE = b"\0" * 4096


def measure() -> list[Ratio]:
    """Return commit-vs-fdatasync (median and 95th percentile) and the group commit's gains."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        station = MeasuredStation(Path(directory))
        raw = os.open(Path(directory) / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return _ratios(station, raw)
        finally:
            os.close(raw)
            station.close()


def _ratios(station, raw: int) -> list[Ratio]:
    source = scans()
    for _ in range(WARM_UP):
        _timed_append(raw)
        station.take([next(source)])
    raws: list[float] = []
    taken: dict[int, list[float]] = {size: [] for size in (1, *GROUPS)}
    appended: dict[int, list[float]] = {size: [] for size in (1, *GROUPS)}
    for number in range(ROUNDS):
        raws.append(_timed_append(raw))
        for size in (1, *GROUPS):
            if size == 1 or number % 4 == 0:
                observations = [next(source) for _ in range(size)]
                taken[size].append(station.take(observations))
                drafts = [movement(quantity=str(number + 1)) for number in range(size)]
                appended[size].append(_timed_group(station.journal, drafts))
    detail = f"raw {milliseconds(raws)}; scan {milliseconds(taken[1])}"
    ratios = [
        Ratio("commit-vs-fdatasync", median(raws) / median(taken[1]), detail, at_least=1 / 1.2),
        Ratio(
            "commit-p95-vs-fdatasync",
            percentile(raws, 95) / percentile(taken[1], 95),
            detail,
            at_least=1 / 1.5,
        ),
    ]
    for size, at_least in zip(GROUPS, (5, 10), strict=True):
        ratios.append(_gain(f"group{size}-vs-single", appended, size, at_least=at_least))
        ratios.append(_gain(f"station-group{size}-vs-single", taken, size, at_least=None))
    return ratios


def _gain(name: str, times: dict[int, list[float]], size: int, *, at_least: float | None) -> Ratio:
    gain = median(times[1]) / (median(times[size]) / size)
    detail = f"one {milliseconds(times[1])}; {size} at once {milliseconds(times[size])}"
    return Ratio(name, gain, detail, at_least=at_least)


def _timed_append(raw: int) -> float:
    begin = time.perf_counter()
    os.write(raw, PAGE)
    os.fdatasync(raw)
    return time.perf_counter() - begin


def _timed_group(journal: StampedJournal, drafts: list[Fact]) -> float:
    begin = time.perf_counter()
    journal.append(drafts)
    return journal.durable_at - begin
