"""An LLRP reader at 1,500 tag reads a second, over TCP into the driver; and the parser alone. Root.

The reader (`VirtualLlrpReader`, one report for each read: the worst case) is a process of its own,
so that the CPU time of this one is the driver's. Started as `python -m tests.bench.drivers_llrp`
this file is that reader: it prints its port and streams until its input ends.
"""

import select
import subprocess
import sys
import time
from pathlib import Path

from drivers.protocols.llrp_stream import LlrpStream
from drivers.readings import TagRead
from drivers.registry import load_driver
from drivers.simulators.reader_llrp import VirtualLlrpReader
from drivers.simulators.reader_llrp_wire import Rospec, Sighting, Trigger, message, tag_report
from tests.bench.figures import Ratio

READS_PER_S = 1500
STEP_S = 1 / READS_PER_S  # Each read goes out at its own time, in a packet of its own.
SECONDS = 20.0
SETTLE_S = 3.0
TAGS = 400
PARSED_BYTES = 20_000_000
LINE_READ_BYTES = 4096  # What the TCP transport gives at once.
REPORT_TAGS = 20


def measure() -> list[Ratio]:
    """Return the driver's share of a core, its growth of memory, and megabytes parsed a second."""
    return [*_streamed(), _parsed()]


def _streamed() -> list[Ratio]:
    command = [sys.executable, "-m", "tests.bench.drivers_llrp"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        driver = load_driver("llrp-tcp")
        settings = driver.parse_settings(
            {"host": "127.0.0.1", "port": int(reader.stdout.readline()), "impinj_extensions": True}
        )
        device = driver.open_device(settings)
        try:
            _count(device, SETTLE_S)
            before_mb, cpu_s, wall_s = _resident_mb(), time.process_time(), time.monotonic()
            reads = _count(device, SECONDS)
            cpu_s, wall_s = time.process_time() - cpu_s, time.monotonic() - wall_s
            after_mb = _resident_mb()
        finally:
            device.close()
            reader.stdin.close()
    rate = reads / wall_s
    assert rate >= 0.97 * READS_PER_S, f"only {rate:.0f} reads/s came"
    return [
        Ratio(
            "llrp-1500-reads-core-share",
            cpu_s / wall_s,
            f"{rate:.0f} reads/s for {wall_s:.0f} s, one report each",
            at_most=0.40,
        ),
        Ratio(
            "llrp-memory-after-before",
            after_mb / before_mb,
            f"{before_mb:.1f} MB, after {reads} reads {after_mb:.1f} MB",
            at_most=1.03,
        ),
    ]


def _count(device, seconds: float) -> int:
    end_s, count = time.monotonic() + seconds, 0
    while time.monotonic() < end_s:
        for reading in device.read(0.5):
            assert isinstance(reading, TagRead), reading
            count += 1
    return count


def _parsed() -> Ratio:
    nothing = Trigger(0)
    wanted = Rospec(1, (0,), nothing, nothing, 2, 1, 0x1780, phase=True, fine_rssi=True, raw=b"")
    reports = b"".join(
        message(
            61, number, *(tag_report(_sighting(n), wanted, utc=True) for n in range(REPORT_TAGS))
        )
        for number in range(200)
    )
    chunks = [reports[at : at + LINE_READ_BYTES] for at in range(0, len(reports), LINE_READ_BYTES)]
    rounds = PARSED_BYTES // len(reports)
    count, begin_s = 0, time.process_time()
    for _ in range(rounds):
        stream = LlrpStream({})
        for chunk in chunks:
            count += len(stream.receive_data(chunk))
    seconds = time.process_time() - begin_s
    assert count == rounds * 200 * REPORT_TAGS
    per_s = rounds * len(reports) / seconds / 1e6
    detail = (
        f"{count / seconds:.0f} reads/s of CPU, {len(reports) / 200 / REPORT_TAGS:.0f} bytes each"
    )
    return Ratio("llrp-parse-mb-per-s", per_s, detail, at_least=20)


def _sighting(number: int) -> Sighting:
    now_us = 1_780_000_000_000_000 + number * 700
    epc = (0x3074257BF7194E4000000000 + number % TAGS).to_bytes(12, "big")
    return Sighting(epc, 1 + number % 4, -5500 - number % 700, number % 4096, 1, now_us, now_us)


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    message = "no resident size"
    raise RuntimeError(message)


def _serve() -> None:
    with VirtualLlrpReader() as reader:
        sys.stdout.write(f"{reader.port}\n")
        sys.stdout.flush()
        sent, begin_s = 0, None
        while not select.select([sys.stdin], [], [], STEP_S)[0]:
            if not reader.reading:
                continue
            begin_s = begin_s or time.monotonic()
            due = int((time.monotonic() - begin_s) * READS_PER_S)
            for number in range(sent, due):
                reader.see_all([_sighting(number)])
            sent = due


if __name__ == "__main__":
    _serve()
