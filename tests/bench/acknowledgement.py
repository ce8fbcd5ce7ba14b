"""A scan's way to the ledger and back on mosquitto. Root.

From before `Journal.append` until the ledger's acknowledgement is noted in the journal. Gateway,
broker and central are processes of their own; central's database is SQLite on the same disk. A raw
append with fdatasync is interleaved in the same loop, since all else depends on it.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from provisioning.demo.children import Child, free_port, wait_for_port
from provisioning.demo.configs import BrokerAddress, central_toml
from tests import brokers
from tests.bench.figures import Ratio, milliseconds
from tests.gateway.journal.samples import movement
from tests.gateway.replication.yard import SITE, Yard
from tests.waiting import until

SCANS = 300
WARM_UP = 20
PAUSE_S = 0.03  # As a person scans, in quick succession.
POLL_S = 0.0005
PAGE = b"\0" * 4096
FSYNCS = 4
EXTRA_S = 0.005


@dataclass(frozen=True, slots=True)
class CentralChild:
    """A running central."""

    pid: int
    http_port: int


def measure() -> list[Ratio]:
    """Return ack-vs-budget: (4 fsyncs + 5 ms) divided by the median way there and back."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, ExitStack() as stack:
        directory = Path(name)
        broker = stack.enter_context(brokers.mosquitto(directory / "broker"))
        yard = Yard(directory, broker, stack)
        yard.enrol()
        start_central(directory, broker, stack)
        gateway = yard.start_gateway()
        stack.callback(gateway.stop)
        until(lambda: gateway.health.link().connected, "connected")
        raw = os.open(directory / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        stack.callback(os.close, raw)
        fsyncs, ways = [], []

        def way() -> None:
            gateway.journal.append([movement()])
            while gateway.journal.unsent_count():
                time.sleep(POLL_S)

        def append() -> None:
            os.write(raw, PAGE)
            os.fdatasync(raw)

        for _ in range(WARM_UP):
            way()
        for _ in range(SCANS):
            time.sleep(PAUSE_S)
            fsyncs.append(_timed(append))
            ways.append(_timed(way))
    budget = FSYNCS * median(fsyncs) + EXTRA_S
    detail = f"fsync {milliseconds(fsyncs)}; there and back {milliseconds(ways)}"
    return [Ratio("ack-vs-budget", budget / median(ways), detail, at_least=1)]


def start_central(directory: Path, broker: brokers.Broker, stack: ExitStack) -> CentralChild:
    """Return the shipped server on `directory`'s ledger.db, running."""
    (directory / "password").write_text(brokers.PASSWORD, encoding="utf-8")
    port = free_port()
    config = directory / "central.toml"
    address = BrokerAddress(
        host="127.0.0.1",
        port=broker.port,
        username=brokers.USERNAME,
        password_file=str(directory / "password"),
    )
    database_file = str(directory / "ledger.db")
    config.write_text(
        central_toml(site=SITE, database_file=database_file, broker=address, http_port=port),
        encoding="utf-8",
    )
    command = (sys.executable, "-P", "-m", "central", "serve", "--config", str(config))
    central = Child("central", command, log=directory / "central.log")
    central.start()
    stack.callback(central.stop)
    wait_for_port(central, port)
    return CentralChild(central.pid, port)


def _timed(act: Callable[[], None]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin
