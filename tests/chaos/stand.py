"""One real gateway with virtual scanners and somebody who scans all day. Edge of its parts."""

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort
from drivers.simulators.scanner import VirtualScanner
from provisioning.demo.children import Child
from provisioning.demo.installation import REFERENCE_FILE
from provisioning.demo.journals import read_heads, read_journal
from provisioning.demo.station_client import StationClient, StationState
from tests.brokers import PASSWORD, USERNAME
from tests.chaos.checkers import StandEvidence
from tests.ports import steady_port

SITE_CODE = "chaos"
RECEIPT, RECEIPT_SYMBOLOGY = "CMD-RECEIVE", "]C0"
PLACE = "DOCK-1"
KEEPALIVE_S = 5
LOOK_S = 0.025
ANSWER_S_MAX = 2.0
RECEIPT_S_MAX = 0.7


@dataclass(frozen=True, slots=True)
class StandSetup:
    """Who the gateway is and where its broker is. protocol: of MQTT, "5" or "3.1.1"."""

    gateway: str
    warehouse: str
    broker_port: int
    directory: Path
    letter: str  # Begins its serial numbers, so that they are its own.
    protocol: str = "5"


class Stand:
    """A gateway, its two scanners and the operator behind them. Leave it to stop everything."""

    def __init__(self, setup: StandSetup, *, program: tuple[str, ...], gtin: str) -> None:
        """program: the command of the gateway without its subcommand."""
        setup.directory.mkdir(parents=True)
        self._running = ExitStack()
        self.setup = setup
        self.screen_port = steady_port()
        self.config = setup.directory / "gateway.toml"
        self.journal = setup.directory / "data" / "journal.db"
        self._serial = self._running.enter_context(VirtualSerialLine(setup.directory / "scanner"))
        self._tcp = self._running.enter_context(VirtualTcpPort())
        self.config.write_text(self._toml())
        command = [*program, "run", "--config", str(self.config)]
        self.child = Child(setup.gateway, command, log=setup.directory / "gateway.log")
        self.operator = Operator(
            self.screen_port,
            scanners=(VirtualScanner(self._serial), VirtualScanner(self._tcp)),
            prefix=f"01{gtin}21",
            letter=setup.letter,
        )
        self._running.callback(self.child.stop)
        self._running.callback(self.operator.stop)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._running.close()

    def heads(self) -> dict[tuple[str, str], int]:
        """Return the last number by gateway and epoch, as the ledger's reader does."""
        heads = read_heads(self.journal)
        return {(self.setup.gateway, epoch): head for epoch, head in heads.items()}

    def evidence(self) -> StandEvidence:
        """Return what the journal holds and what was shown green."""
        content = read_journal(self.journal)
        marks = {(epoch, seq): digest for epoch, seq, digest in content.facts}
        return StandEvidence(self.setup.gateway, marks, self.operator.greens)

    def _toml(self) -> str:
        setup = self.setup
        return (
            f'[gateway]\ncode = "{setup.gateway}"\nsite = "{SITE_CODE}"\n'
            f'warehouse = "{setup.warehouse}"\n'
            f'data_directory = "data"\nreference_file = "{REFERENCE_FILE}"\n'
            f'[station]\ncode = "dock-1"\nreceive_location = "{PLACE}"\n'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {setup.broker_port}\n'
            f'username = "{USERNAME}"\npassword = "{PASSWORD}"\nkeepalive_s = {KEEPALIVE_S}\n'
            f"{protocol_line(setup.protocol)}[screen]\nport = {self.screen_port}\n"
            '[[device]]\nname = "s0"\ndriver = "scanner-serial"\n'
            f'[device.settings]\nport = "{self._serial.path}"\n'
            '[[device]]\nname = "s1"\ndriver = "scanner-tcp"\n'
            f'[device.settings]\nhost = "127.0.0.1"\nport = {self._tcp.port}\n'
        )


def protocol_line(protocol: str) -> str:
    """Return the line under [mqtt]; none for the default, so that older programs can be run."""
    return f'protocol = "{protocol}"\n' if protocol != "5" else ""


class Operator:
    """Scans one new serial number after the other with each scanner; notes what became green.

    Whatever is shown green at any time counts, also late. A scan without an answer is not repeated:
    nobody promised anything for it.
    """

    def __init__(
        self, screen_port: int, *, scanners: tuple[VirtualScanner, ...], prefix: str, letter: str
    ) -> None:
        self._screen_port = screen_port
        self._scanners = scanners
        self._prefix = prefix
        self._letter = letter
        self._waiting: dict[int, tuple[str, float]] = {}  # Scanner -> (serial, since when).
        self._greens: set[str] = set()
        self._serials_count = 0
        self._in_receipt = False
        self._lock = threading.Lock()
        self._paused = threading.Event()
        self._paused.set()
        self._resting = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def greens(self) -> frozenset[str]:
        """Return every serial number whose scan was answered green."""
        with self._lock:
            return frozenset(self._greens)

    @property
    def greens_count(self) -> int:
        """Return how many scans were answered green."""
        with self._lock:
            return len(self._greens)

    def work(self) -> None:
        """Begin, or go on, to scan."""
        self._resting.clear()
        self._paused.clear()

    def rest(self) -> None:
        """Scan nothing more; return when nothing is under way."""
        self._paused.set()
        self._resting.wait(ANSWER_S_MAX * 4)

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(ANSWER_S_MAX * 4)

    def _run(self) -> None:
        station = StationClient(self._screen_port)
        try:
            while not self._stopping.wait(LOOK_S):
                if self._paused.is_set() and self._resting.is_set():
                    continue
                self._step(station)
        finally:
            station.close()

    def _step(self, station: StationClient) -> None:
        state = station.state()
        if state is None:
            self._in_receipt = False
            self._waiting.clear()
        else:
            self._note(state)
            if not self._in_receipt and not self._paused.is_set():
                self._start_receipt(station, state.newest_scan)
        now_s = time.monotonic()
        for number, (_, since_s) in list(self._waiting.items()):
            if now_s - since_s > ANSWER_S_MAX:
                del self._waiting[number]
        if self._paused.is_set() and not self._waiting:
            self._resting.set()
        elif not self._paused.is_set() and self._in_receipt:
            self._scan(now_s)

    def _scan(self, now_s: float) -> None:
        for number, scanner in enumerate(self._scanners):
            if number not in self._waiting:
                self._serials_count += 1
                serial = f"{self._letter}{self._serials_count:07d}"
                if scanner.scan(self._prefix + serial, "]C1"):
                    self._waiting[number] = serial, now_s

    def _note(self, state: StationState) -> None:
        kinds = {
            scan.code.removeprefix(self._prefix): scan.signal.kind
            for scan in reversed(state.scans)
            if scan.code.startswith(self._prefix)
        }
        with self._lock:
            self._greens.update(serial for serial, kind in kinds.items() if kind == "success")
        for number, (serial, _) in list(self._waiting.items()):
            if serial in kinds:
                del self._waiting[number]
                if kinds[serial] != "success":
                    self._in_receipt = False

    def _start_receipt(self, station: StationClient, newest: int) -> None:
        if not any(scanner.scan(RECEIPT, RECEIPT_SYMBOLOGY) for scanner in self._scanners[::-1]):
            return
        end_s = time.monotonic() + RECEIPT_S_MAX
        while time.monotonic() < end_s and not self._stopping.wait(LOOK_S):
            state = station.state()
            if state is None:
                return
            self._note(state)
            answer = state.answer_to(RECEIPT, after=newest)
            if answer is not None:
                self._in_receipt = answer.kind == "info"  # Opened; nothing is recorded by it.
                return
