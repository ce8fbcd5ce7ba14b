"""One gateway with scanners, mosquitto and central, each of which may be killed. Edge."""

import json
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from central.contract.reference import parse_reference
from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort
from drivers.simulators.scanner import VirtualScanner
from provisioning.demo.children import Child, free_port, run_once, wait_for_port
from provisioning.demo.goods import Goods
from provisioning.demo.installation import CENTRAL, GATEWAY, REFERENCE_FILE
from provisioning.demo.journals import read_heads, read_journal
from provisioning.demo.ledger_client import LedgerClient
from provisioning.demo.station_client import StationClient
from tests.brokers import PASSWORD, USERNAME, mosquitto
from tests.waiting import wait_for

GATEWAY_CODE, WAREHOUSE = "sh1-chaos", "SH1"
ITEM = "HELMET-WHT"
ANSWER_S_MAX = 2.0
READY_S_MAX = 20.0
CONVERGENCE_S_MAX = 60.0
LOOK_S = 0.03


class Rig:
    """Starts everything in `directory`. Leave it as a context manager to stop everything.

    acknowledged: serial numbers whose scan was answered with success on the screen, by any start.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running = ExitStack()
        self.acknowledged: set[str] = set()
        self._attempts_count = 0
        self._lock = threading.Lock()
        self._code = Goods(parse_reference(REFERENCE_FILE.read_bytes())).gtin(ITEM)
        self.broker = self._running.enter_context(mosquitto(directory / "mosquitto"))
        self.central, self.ledger = self._start_central()
        lines = (
            self._running.enter_context(VirtualSerialLine(directory / "scanner")),
            self._running.enter_context(VirtualTcpPort()),
            self._running.enter_context(VirtualTcpPort()),
        )
        self.scanners = tuple(VirtualScanner(line) for line in lines)
        self._gateway_config = directory / "gateway.toml"
        self.journal = directory / "data" / "journal.db"
        self.screen_port = free_port()
        self.gateway = self._start_gateway(lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._running.close()

    def wait_until_scanning_works(self) -> None:
        """Return when the station is in receipt again, whatever was killed before."""
        station = StationClient(self.screen_port)
        try:
            wait_for(lambda: self._start_receipt(station), timeout_s=READY_S_MAX, what="receipt")
        finally:
            station.close()

    def scan_until(self, stopping: threading.Event, scanner: VirtualScanner) -> None:
        """Scan one new serial number after the other, each once; note what was acknowledged."""
        station = StationClient(self.screen_port)
        try:
            while not stopping.is_set():
                self._scan_once(station, scanner, stopping)
        finally:
            station.close()

    def converge(self) -> None:
        """Return when the ledger has all that the journal has."""
        wait_for(self._converged, timeout_s=CONVERGENCE_S_MAX, what="convergence")

    def check(self) -> None:
        """Fail unless everything acknowledged is in the ledger once, and both sides agree."""
        journal = read_journal(self.journal)
        posted = self.ledger.facts(GATEWAY_CODE)
        assert len(posted) == len(set(posted)), "a fact is in the ledger twice"
        assert set(posted) == journal.facts
        serials = self._posted_serials()
        assert len(serials) == len(set(serials)), "a scan was posted twice"
        assert not self.acknowledged - set(serials), "an acknowledged scan is lost"
        assert self.ledger.stock(WAREHOUSE) == journal.stock
        run_once("journal", [*GATEWAY, "journal", "verify", "--config", str(self._gateway_config)])
        central = str(self._directory / "central.toml")
        run_once("verify-ledger", [*CENTRAL, "verify-ledger", "--config", central])

    def _start_central(self) -> tuple[Child, LedgerClient]:
        port = free_port()
        config = self._directory / "central.toml"
        config.write_text(
            f'[database]\nurl = "sqlite:///{self._directory / "ledger.db"}"\n'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {self.broker.port}\n'
            f'username = "{USERNAME}"\npassword = "{PASSWORD}"\n'
            f'[ledger]\nsite = "chaos"\n[http]\nport = {port}\n'
        )
        with_config = ("--config", str(config))
        run_once("migrate", [*CENTRAL, "migrate", *with_config])
        run_once("reference", [*CENTRAL, "load-reference", *with_config, str(REFERENCE_FILE)])
        child = Child(
            "central", [*CENTRAL, "serve", *with_config], log=self._directory / "central.log"
        )
        self._running.callback(child.stop)
        child.start()
        wait_for_port(child, port)
        ledger = LedgerClient(port)
        self._running.callback(ledger.close)
        return child, ledger

    def _start_gateway(self, lines: tuple) -> Child:
        serial, *tcp = lines
        devices = '[[device]]\nname = "s0"\ndriver = "scanner-serial"\n'
        devices += f'[device.settings]\nport = "{serial.path}"\n'
        for number, line in enumerate(tcp, 1):
            devices += f'[[device]]\nname = "s{number}"\ndriver = "scanner-tcp"\n'
            devices += f'[device.settings]\nhost = "127.0.0.1"\nport = {line.port}\n'
        self._gateway_config.write_text(
            f'[gateway]\ncode = "{GATEWAY_CODE}"\nsite = "chaos"\nwarehouse = "{WAREHOUSE}"\n'
            f'data_directory = "data"\nreference_file = "{REFERENCE_FILE}"\n'
            '[station]\ncode = "dock-1"\nreceive_location = "DOCK-1"\n'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {self.broker.port}\n'
            f'username = "{USERNAME}"\npassword = "{PASSWORD}"\n'
            f"[screen]\nport = {self.screen_port}\n{devices}"
        )
        with_config = ("--config", str(self._gateway_config))
        shown = run_once("identity", [*GATEWAY, "identity", "--json", *with_config])
        key = json.loads(shown)["public_key"]
        enrol = ["enrol-gateway", GATEWAY_CODE, "--warehouse", WAREHOUSE, "--public-key", key]
        central = str(self._directory / "central.toml")
        run_once("enrol", [*CENTRAL, *enrol, "--config", central])
        child = Child(
            "gateway", [*GATEWAY, "run", *with_config], log=self._directory / "gateway.log"
        )
        self._running.callback(child.stop)
        child.start()
        return child

    def _start_receipt(self, station: StationClient) -> bool:
        self.gateway.check()
        before = station.state()
        if before is None or not self.scanners[1].scan("CMD-RECEIVE", "]C0"):
            return False
        deadline = time.monotonic() + ANSWER_S_MAX / 4
        while time.monotonic() < deadline:
            state = station.state()
            answer = state and state.answer_to("CMD-RECEIVE", after=before.newest_scan)
            if answer:
                return answer.kind == "success"
            time.sleep(LOOK_S)
        return False

    def _scan_once(self, station, scanner, stopping: threading.Event) -> None:
        serial = self._next_serial()
        data = f"01{self._code}21{serial}"
        if not scanner.scan(data, "]C1"):
            stopping.wait(LOOK_S)
            return
        deadline = time.monotonic() + ANSWER_S_MAX
        while time.monotonic() < deadline and not stopping.is_set():
            state = station.state()
            # The numbers begin anew with each start; the serial number is what tells scans apart.
            answer = state and state.answer_to(data, after=0)
            if answer:
                if answer.kind == "success":
                    with self._lock:
                        self.acknowledged.add(serial)
                return
            if not self.gateway.is_running:
                stopping.wait(LOOK_S)
                return
            time.sleep(LOOK_S)

    def _next_serial(self) -> str:
        with self._lock:
            self._attempts_count += 1
            return f"S{self._attempts_count:08d}"

    def _converged(self) -> bool:
        health = self.ledger.health()
        counts = health.counts if health else None
        return counts is not None and counts.facts == sum(read_heads(self.journal).values())

    def _posted_serials(self) -> list[str]:
        return [serial for serial in self.ledger.serials(GATEWAY_CODE) if serial]
