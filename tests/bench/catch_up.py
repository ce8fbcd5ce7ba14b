"""Two gateways drain a backlog into a SQLite ledger over mosquitto, scanning on. Root.

Each gateway is the core (journal and replicator) in a process of its own, central is the shipped
server, all on this machine. Beside it the ledger alone posts the same batches, in this process:
that is the most that the way there could reach.

CATCH_UP_FACTS: how many facts wait in all (default 1,000,000).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from central.clock import SystemClock as CentralClock
from central.contract.reference import parse_reference
from central.inbox.gateways import enrol_gateway
from central.inbox.inbox import Inbox
from central.ledger.reference_book import load_reference
from central.storage.database import Database, open_database
from central.storage.schema import migrate
from gateway.clock import SystemClock
from gateway.journal.journal import Journal
from gateway.memory import thrifty
from gateway.replication.batches import make_batch
from gateway.replication.sender import SendRun
from gateway.replication.signing import load_or_create_key
from tests import brokers
from tests.bench.acknowledgement import start_central
from tests.bench.catch_up_goods import SITE, WAREHOUSE, movements, reference_toml
from tests.bench.figures import Ratio

GATEWAYS = ("bench-1", "bench-2")
FACTS_PER_APPEND = 1000
SCANS_PER_S = 10
FACTS_ALONE_MAX = 50_000
PAYLOADS_PER_CALL = 16
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def measure() -> list[Ratio]:
    """Return the rate, its share of the ledger's own, and what a movement costs a gateway."""
    count = int(os.environ.get("CATCH_UP_FACTS", "1000000"))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, ExitStack() as stack:
        directory = Path(name)
        for code in GATEWAYS:
            _fill(directory / code, count // len(GATEWAYS))
        alone_per_s, alone_count = _alone(directory)
        broker = stack.enter_context(brokers.mosquitto(directory / "broker"))
        database = ledger_of(directory / "ledger.db", directory, GATEWAYS)
        database.close()
        central = start_central(directory, broker, stack)
        reports, central_cpu_s, wall_s = _drain(directory, broker.port, central.pid)
    facts = sum(report["backlog"] + report["scans"] for report in reports)
    rate = facts / wall_s
    sent = sum(report["facts_sent"] for report in reports)
    gateway_us = sum(report["cpu_s"] - report["scan_cpu_s"] for report in reports) / facts * 1e6
    bytes_each = sum(report["bytes_sent"] for report in reports) / sent
    peak_mb = max(report["rss_max_mb"] for report in reports)
    detail = (
        f"{facts} movements in {wall_s:.1f} s, central {central_cpu_s / facts * 1e6:.1f} us each;"
        f" sent {sent}"
    )
    return [
        Ratio("catch-up-movements-per-s", rate, detail, at_least=20_000),
        Ratio(
            "catch-up-vs-ledger-alone",
            rate / alone_per_s,
            f"the ledger alone posts {alone_per_s:.0f} a second ({alone_count} measured)",
            at_least=0.75,
        ),
        Ratio("catch-up-gateway-us", gateway_us, "CPU a movement, scans deducted", at_most=5),
        Ratio("catch-up-wire-bytes", bytes_each, "a movement without evidence", at_most=20),
        Ratio("catch-up-gateway-mb", peak_mb, "resident, journal and replicator", at_most=40),
    ]


def ledger_of(path: Path, directory: Path, gateways: tuple[str, ...]) -> Database:
    """Return a new ledger that knows the goods, and each gateway by the key in its folder."""
    database = open_database(f"sqlite:///{path}", checkpoints=True)
    migrate(database, generation="bench")
    with database.write() as connection:
        load_reference(connection, parse_reference(reference_toml()))
    for code in gateways:
        key = load_or_create_key(directory / code / "gateway.key")
        enrol_gateway(
            database,
            gateway=code,
            site=SITE,
            warehouse=WAREHOUSE,
            public_key=bytes.fromhex(key.public_key_hex),
            clock=CentralClock(),
        )
    return database


def _fill(directory: Path, count: int) -> None:
    directory.mkdir()
    journal = Journal.open(
        directory / "journal.db",
        gateway=directory.name,
        warehouse=WAREHOUSE,
        clock=SystemClock(),
        nonce=1,
    )
    facts = movements(count, seed=len(directory.name))
    for start in range(0, count, FACTS_PER_APPEND):
        journal.append(facts[start : start + FACTS_PER_APPEND])
    journal.close()


def _alone(directory: Path) -> tuple[float, int]:
    """Return how many movements a second the ledger posts from the same batches."""
    payloads: list[tuple[str, bytes]] = []
    for code in GATEWAYS:
        journal = Journal.open(
            directory / code / "journal.db",
            gateway=code,
            warehouse=WAREHOUSE,
            clock=SystemClock(),
            nonce=9,
        )
        key = load_or_create_key(directory / code / "gateway.key")
        (old,) = (one for one in journal.epochs() if one.head_seq)
        seq, last = 1, min(old.head_seq, FACTS_ALONE_MAX // len(GATEWAYS))
        while seq <= last:
            made = make_batch(journal, key, SendRun(old.epoch, seq, 500), bytes_max=0)
            assert not isinstance(made, str)
            payloads.append((code, made.payload))
            seq = made.last_seq + 1
        journal.close()
    database = ledger_of(directory / "alone.db", directory, GATEWAYS)
    inbox = Inbox(database, clock=CentralClock())
    begin_s, count = time.perf_counter(), 0
    for start in range(0, len(payloads), PAYLOADS_PER_CALL):
        outcomes = inbox.accept(payloads[start : start + PAYLOADS_PER_CALL])
        count += sum(outcome.accepted_count for outcome in outcomes)
    taken_s = time.perf_counter() - begin_s
    database.close()
    return count / taken_s, count


def _drain(
    directory: Path, port: int, central_pid: int
) -> tuple[list[dict[str, float]], float, float]:
    command = [sys.executable, "-m", "tests.bench.catch_up_gateway"]
    gateways = [
        subprocess.Popen(
            [*command, str(directory / code), str(port), str(SCANS_PER_S)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=thrifty(os.environ),
        )
        for code in GATEWAYS
    ]
    for gateway in gateways:
        assert gateway.stdout is not None and gateway.stdin is not None
        assert gateway.stdout.readline() == "ready\n"
    before_s, begin_s = _cpu_s(central_pid), time.monotonic()
    for gateway in gateways:
        assert gateway.stdin is not None
        gateway.stdin.write(f"{brokers.USERNAME} {brokers.PASSWORD}\n")
        gateway.stdin.flush()
    reports = []
    for gateway in gateways:
        assert gateway.stdout is not None
        reports.append(json.loads(gateway.stdout.readline()))
    wall_s = time.monotonic() - begin_s
    central_cpu_s = _cpu_s(central_pid) - before_s
    for gateway in gateways:
        gateway.communicate(timeout=30)
    return reports, central_cpu_s, wall_s


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S
