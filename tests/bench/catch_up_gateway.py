"""A gateway's core in a process of its own: journal and replicator, scanning as it drains. Root.

usage: python -m tests.bench.catch_up_gateway DIRECTORY BROKER_PORT SCANS_PER_S

Prints "ready", reads a line "USERNAME PASSWORD", prints one JSON line when everything is
acknowledged; ends at the end of its input. Its memory is measured: nothing is imported here that
the core does not need itself.
"""

import resource
import sys
import time
from pathlib import Path

import msgspec

from gateway.clock import SystemClock
from gateway.config_sections import MqttSection
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.replication.known_ledger import LEDGER_FILE, KnownLedger
from gateway.replication.replicator import Replicator
from gateway.replication.signing import load_or_create_key
from tests.bench.catch_up_goods import SITE, WAREHOUSE, live_movement

KEEP_HOUSE_S = 1.0


def main() -> int:
    """Drain, scan, report."""
    directory, port, scans_per_s = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    clock, health = SystemClock(), Health()
    gateway = directory.name
    journal = Journal.open(
        directory / "journal.db", gateway=gateway, warehouse=WAREHOUSE, clock=clock, nonce=2
    )
    backlog = journal.unsent_count()
    rss_before = _resident_mb()
    print("ready", flush=True)
    username, password = sys.stdin.readline().split()
    replicator = Replicator(
        journal=journal,
        key=load_or_create_key(directory / "gateway.key"),
        ledger=KnownLedger(directory / LEDGER_FILE),
        mqtt=MqttSection(host="127.0.0.1", port=port, username=username, password=password),
        site=SITE,
        clock=clock,
        health=health,
        jitter=lambda: 0.5,
    )
    cpu_s, begin_s = time.process_time(), time.monotonic()
    replicator.start()
    scans, scan_s, rss_max, house_s = 0, 0.0, 0.0, begin_s
    while journal.unsent_count() > 0:
        before_s = time.thread_time()
        journal.append([live_movement(clock)])
        scan_s += time.thread_time() - before_s
        scans += 1
        if time.monotonic() >= house_s:
            journal.checkpoint_if_due()
            rss_max = max(rss_max, _resident_mb())
            house_s = time.monotonic() + KEEP_HOUSE_S
        time.sleep(1 / scans_per_s)
        if scans > 1 and journal.unsent_count() <= 2:
            break
    wall_s = time.monotonic() - begin_s
    cpu_s = time.process_time() - cpu_s
    counters = health.counters()
    replicator.stop()
    report = {
        "backlog": backlog,
        "scans": scans,
        "scan_cpu_s": scan_s,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "rss_before_mb": rss_before,
        "rss_max_mb": rss_max,
        "facts_sent": counters.get("facts_sent_total", 0),
        "bytes_sent": counters.get("batch_bytes_sent_total", 0),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }
    print(msgspec.json.encode(report).decode(), flush=True)
    journal.close()
    return 0


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    message = "no resident size"
    raise RuntimeError(message)


if __name__ == "__main__":
    sys.exit(main())
