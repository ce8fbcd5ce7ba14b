"""Runs parts of the lab side by side, each lane a program of its own. Edge of other programs.

A guest has one processor: two lanes use two cores. The wheel is built once for all of them.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.hardware.guest_work import WHEEL
from tests.hardware.host import MEMORY_BYTES_MIN
from tests.hardware.packages import build_wheel

BEGUN = "DOCKLEDGER_LAB_BEGUN"  # The monotonic second from which a lane's words are counted.
END_S_MAX = 60
KILLED = 1  # Status of a lane that could not give one, as when memory ran out.
# What takes about as long as what, on two cores.
LANES = (("devices", "plugging"), ("cuts", "controls"))


def begun_s() -> float:
    """Return the monotonic second at which the lab was begun: now, or when its lanes were."""
    return float(os.environ.get(BEGUN) or time.monotonic())


def lanes_of(parts: Sequence[str], *, cores_count: int, memory_bytes: int) -> list[list[str]]:
    """Return the parts in the lanes in which they are run; one where there is no room for two.

    memory_bytes: what can be had.
    """
    second = [part for part in parts if part in LANES[1]]
    lanes = [lane for lane in ([part for part in parts if part not in second], second) if lane]
    room = memory_bytes >= 2 * MEMORY_BYTES_MIN and cores_count > 1
    return lanes if room and len(lanes) > 1 else [list(parts)]


def worst_of(statuses: Sequence[int]) -> int:
    """Return one status for all lanes: 0 if each ended with 0, 1 for what a signal has ended."""
    return max(status if status >= 0 else KILLED for status in statuses)


def run_lanes(lanes: Sequence[Sequence[str]], *, since_s: float) -> int:
    """Run each lane's parts, one after the other, beside the other lanes; return the worst status.

    Raises LabUnusable if the wheel cannot be built. Whatever ends this ends them.
    """
    with tempfile.TemporaryDirectory(prefix="dockledger-lab-") as folder:
        environment = os.environ | {WHEEL: str(build_wheel(Path(folder))), BEGUN: str(since_s)}
        children = []
        try:
            for lane in lanes:
                words = ("setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m")
                children.append(
                    subprocess.Popen([*words, "tests.hardware", *lane], env=environment)
                )
            return worst_of([child.wait() for child in children])
        finally:
            for child in children:
                child.terminate()  # Nothing, if it has ended.
            for child in children:
                _wait_or_kill(child)


def _wait_or_kill(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(END_S_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
