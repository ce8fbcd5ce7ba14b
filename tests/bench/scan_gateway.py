"""A gateway's core that takes scans from a local port: journal and replicator. Root.

usage: python -m tests.bench.scan_gateway DIRECTORY BROKER_PORT PORT

A line is one scan as JSON; the answer is "1" when `Journal.append` has returned. It ends by
SIGKILL or SIGTERM and may be started again on the same directory.
"""

import json
import os
import secrets
import socket
import sys
import time
from pathlib import Path

from central.contract.facts import Movement
from gateway.clock import SystemClock
from gateway.config_sections import MqttSection
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.replication.known_ledger import LEDGER_FILE, KnownLedger
from gateway.replication.replicator import Replicator
from gateway.replication.signing import load_or_create_key
from gateway.station.effects import UNNUMBERED
from tests import brokers
from tests.bench.catch_up_goods import SITE, WAREHOUSE

KEEP_HOUSE_S = 1.0


def main() -> int:
    """Serve one feeder after the other."""
    directory, broker_port, port = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    clock = SystemClock()
    journal = Journal.open(
        directory / "journal.db",
        gateway=directory.name,
        warehouse=WAREHOUSE,
        clock=clock,
        nonce=secrets.randbits(63),
    )
    replicator = Replicator(
        journal=journal,
        key=load_or_create_key(directory / "gateway.key"),
        ledger=KnownLedger(directory / LEDGER_FILE),
        mqtt=MqttSection(
            host="127.0.0.1",
            port=broker_port,
            username=brokers.USERNAME,
            password=brokers.PASSWORD,
        ),
        site=SITE,
        clock=clock,
        health=Health(),
        jitter=lambda: int.from_bytes(os.urandom(2)) / 65536,
    )
    replicator.start()
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                _serve(connection, journal)


def _serve(connection: socket.socket, journal: Journal) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    house_s = time.monotonic()
    with connection.makefile("rb") as lines:
        for line in lines:
            scan = json.loads(line)
            journal.append([Movement(seq=UNNUMBERED, event_time_ms=scan["ts"], **scan["values"])])
            connection.sendall(b"1\n")
            if time.monotonic() >= house_s:
                journal.checkpoint_if_due()
                house_s = time.monotonic() + KEEP_HOUSE_S


if __name__ == "__main__":
    sys.exit(main())
