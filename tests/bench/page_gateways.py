"""Ten gateways' cores in a process of their own that scan at a steady rate. Root.

usage: python -m tests.bench.page_gateways DIRECTORY BROKER_PORT SCANS_PER_S SECONDS

Prints "ready" when all are connected, scans after a line of input, and prints a JSON list of
[gateway, epoch, seq, wall time in ms of the green signal].
"""

import json
import sys
import time
from pathlib import Path

from gateway.clock import SystemClock
from gateway.config_sections import MqttSection
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.replication.known_ledger import LEDGER_FILE, KnownLedger
from gateway.replication.replicator import Replicator
from gateway.replication.signing import load_or_create_key
from tests import brokers
from tests.bench.catch_up_goods import SITE, WAREHOUSE, live_movement
from tests.waiting import until


def main() -> int:
    """Scan in turn at every gateway."""
    directory, port = Path(sys.argv[1]), int(sys.argv[2])
    scans_per_s, seconds = float(sys.argv[3]), float(sys.argv[4])
    clock = SystemClock()
    gateways = [_start(path, port, clock) for path in sorted(directory.glob("dock-*"))]
    until(lambda: all(health.link().connected for _, _, health in gateways), "connected")
    print("ready", flush=True)
    sys.stdin.readline()
    signals = []
    begin_s = time.monotonic()
    for number in range(int(scans_per_s * seconds)):
        time.sleep(max(0.0, begin_s + number / scans_per_s - time.monotonic()))
        journal = gateways[number % len(gateways)][0]
        (fact_id,) = journal.append([live_movement(clock)]).fact_ids
        signals.append([fact_id.gateway, str(fact_id.epoch), fact_id.seq, time.time_ns() / 1e6])
    until(lambda: not any(journal.unsent_count() for journal, _, _ in gateways), "all sent")
    print(json.dumps(signals), flush=True)
    for journal, replicator, _ in gateways:
        replicator.stop()
        journal.close()
    return 0


def _start(path: Path, port: int, clock: SystemClock) -> tuple[Journal, Replicator, Health]:
    health = Health()
    journal = Journal.open(
        path / "journal.db", gateway=path.name, warehouse=WAREHOUSE, clock=clock, nonce=1
    )
    replicator = Replicator(
        journal=journal,
        key=load_or_create_key(path / "gateway.key"),
        ledger=KnownLedger(path / LEDGER_FILE),
        mqtt=MqttSection(
            host="127.0.0.1", port=port, username=brokers.USERNAME, password=brokers.PASSWORD
        ),
        site=SITE,
        clock=clock,
        health=health,
        jitter=lambda: 0.5,
    )
    replicator.start()
    return journal, replicator, health


if __name__ == "__main__":
    sys.exit(main())
