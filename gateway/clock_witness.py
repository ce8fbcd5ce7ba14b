"""Says whether the clock is disciplined, `python -m gateway.clock_witness FILE`. Loop.

The gateway's service may not ask the kernel: systemd's ProtectClock= forbids setting the clock and
reading its state with one system call. This is a process of its own without network, devices or
keys, and all that it does is to ask and to write down what it was told:

    18446744073 1
    |           `-- 1 disciplined, 0 not
    `-- nanoseconds since boot: `SystemClock` believes no line that is older than 30 s
"""

import signal
import sys
from pathlib import Path
from queue import Empty, SimpleQueue

from gateway.clock import SystemClock

LOOK_S = 5.0


def main() -> None:
    """Write the file again and again until SIGTERM or SIGINT."""
    stop: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stop.put(received))
    path, clock = Path(sys.argv[1]), SystemClock()
    while True:
        write_once(path, clock)
        try:
            stop.get(timeout=LOOK_S)
            return
        except Empty:
            continue


def write_once(path: Path, clock: SystemClock) -> None:
    """Replace the file by what the kernel says now."""
    new = path.with_suffix(".new")
    new.write_text(f"{clock.monotonic_ns()} {int(clock.kernel_says() or False)}\n", "ascii")
    new.replace(path)  # Who reads never sees half a line.


if __name__ == "__main__":
    main()
