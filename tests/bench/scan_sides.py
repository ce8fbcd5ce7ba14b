"""The two ways of a scan that are compared: ours, and thingsboard-gateway's. Edge of both.

thingsboard-gateway is a separate program (Apache-2.0) that runs as a child process in an
environment of its own; nothing of it is imported here.
"""

import json
import shutil
import sqlite3
import subprocess
import sys
import venv
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

from provisioning.demo.children import Child
from tests import brokers
from tests.bench.acknowledgement import start_central
from tests.bench.catch_up import ledger_of
from tests.bench.thingsboard_platform import Platform
from tests.ports import steady_port

PEER_DIRECTORY = Path(__file__).resolve().parents[2] / "build" / "bench-thingsboard"
GATEWAY = "dock-1"
CONNECTOR_ID = "4f6d1c1e-0000-4000-8000-000000000001"
# It asks an outside server for a newer version at each start: nobody listens at this port.
NO_UPDATE_SERVICE = "HTTPS_PROXY=http://127.0.0.1:9"
SELECT_COUNT = "SELECT count(*) FROM facts"
SELECT_TIMES = "SELECT event_time_ms FROM facts ORDER BY record_no"


class Side(Protocol):
    """A gateway that takes scans at `port`, and the place where they arrive."""

    gateway: Child
    port: int

    def arrived_count(self) -> int:
        """Return how many scans have arrived, doubled ones too."""
        ...

    def arrived_ms(self) -> list[int]:
        """Return the time of each scan that has arrived, in order of arrival, doubled ones too."""
        ...


class OurSide:
    """The gateway's core and the shipped server on a SQLite ledger, where scans arrive."""

    def __init__(self, directory: Path, broker: brokers.Broker, stack: ExitStack) -> None:
        (directory / GATEWAY).mkdir()
        self._ledger = directory / "ledger.db"
        ledger_of(self._ledger, directory, (GATEWAY,)).close()
        start_central(directory, broker, stack)
        self.port = steady_port()
        arguments = (str(directory / GATEWAY), str(broker.port), str(self.port))
        command = (sys.executable, "-m", "tests.bench.scan_gateway", *arguments)
        self.gateway = Child("gateway", command, log=directory / "gateway.log")
        stack.callback(self.gateway.stop)
        self.gateway.start()

    def arrived_count(self) -> int:
        """Return how many facts the ledger has committed."""
        return int(self._read(SELECT_COUNT)[0])

    def arrived_ms(self) -> list[int]:
        """Return the facts in the order of their record numbers."""
        return self._read(SELECT_TIMES)

    def _read(self, query: str) -> list[int]:
        with closing(sqlite3.connect(f"file:{self._ledger}?mode=ro", uri=True)) as connection:
            return [value for (value,) in connection.execute(query)]


class TheirSide:
    """thingsboard-gateway with its SQLite storage, and what stands in for its platform."""

    def __init__(self, directory: Path, broker: brokers.Broker, stack: ExitStack) -> None:
        self.port = steady_port()
        self._platform = Platform(broker.port, directory / "arrived.jsonl", device=GATEWAY)
        stack.callback(self._platform.stop)
        self._platform.start()
        _write_configuration(directory, broker_port=broker.port, port=self.port)
        settings = (f"TB_GW_CONFIG_DIR={directory / 'config'}", NO_UPDATE_SERVICE)
        program = (str(PEER_DIRECTORY / "venv/bin/python"), "-m", "thingsboard_gateway.tb_gateway")
        command = ("/usr/bin/env", "-C", str(directory), *settings, *program)
        self.gateway = Child("thingsboard-gateway", command, log=directory / "peer.log")
        stack.callback(self.gateway.kill)
        self.gateway.start()

    def arrived_count(self) -> int:
        """Return how many scans are on the platform's disk."""
        return len(self._platform.arrived_ms())

    def arrived_ms(self) -> list[int]:
        """Return the scans as the platform wrote them."""
        return self._platform.arrived_ms()


def install() -> None:
    """Make thingsboard-gateway's environment unless it is there; put our connector into it."""
    if not (PEER_DIRECTORY / "ready").exists():
        _install_package()
    extension = _package() / "extensions" / "scans"
    extension.mkdir(exist_ok=True)
    peer = Path(__file__).with_name("thingsboard_peer.py")
    shutil.copyfile(peer, extension / "scan_connector.py")


def _install_package() -> None:
    print(f"    installing thingsboard-gateway into {PEER_DIRECTORY} (once)", file=sys.stderr)
    PEER_DIRECTORY.mkdir(parents=True, exist_ok=True)
    venv.create(PEER_DIRECTORY / "venv", with_pip=True, clear=True)
    requirements = Path(__file__).with_name("thingsboard-requirements.txt")
    pip = PEER_DIRECTORY / "venv/bin/pip"
    quiet = ("--quiet", "--disable-pip-version-check")
    subprocess.run([pip, "install", *quiet, "-r", requirements], check=True)
    (PEER_DIRECTORY / "ready").write_text("", encoding="utf-8")


def _package() -> Path:
    (found,) = (PEER_DIRECTORY / "venv/lib").glob("python3*/site-packages/thingsboard_gateway")
    return found


def _write_configuration(directory: Path, *, broker_port: int, port: int) -> None:
    package = _package()
    to = directory / "config"
    to.mkdir()
    shutil.copyfile(package / "config" / "logs.json", to / "logs.json")
    # The shipped file with what has to differ; the storage's own values are left to the program.
    settings = json.loads((package / "config" / "tb_gateway.json").read_text(encoding="utf-8"))
    settings["thingsboard"] |= {
        "host": "127.0.0.1",
        "port": broker_port,
        "remoteConfiguration": False,
        "security": {
            "type": "usernamePassword",
            "clientId": GATEWAY,
            "username": brokers.USERNAME,
            "password": brokers.PASSWORD,
        },
    }
    settings["storage"] = {"type": "sqlite", "data_file_path": f"{directory / 'data'}/"}
    scans = {"type": "scans", "name": "Scans", "class": "ScanConnector"}
    settings["connectors"] = [scans | {"configuration": "scans.json"}]
    connector = {"id": CONNECTOR_ID, "name": "Scans", "port": port}
    for name, value in (("tb_gateway.json", settings), ("scans.json", connector)):
        (to / name).write_text(json.dumps(value), encoding="utf-8")
