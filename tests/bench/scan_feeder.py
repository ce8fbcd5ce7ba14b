"""Feeds scans to a gateway's port at a steady pace while gateway and broker are killed. Loop."""

import json
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from central.contract.facts import Movement
from provisioning.demo.children import Child
from tests.bench.scan_counts import Kill
from tests.brokers import Broker

ANSWER_S_MAX = 30.0
CONNECT_S_MAX = 90.0
POLL_S = 0.01
LEFT_OUT = frozenset({"seq", "event_time_ms"})  # The scan's time goes beside its values.


@dataclass(slots=True)
class Fed:
    """What the feeder was told. doubtful: sent, but the connection broke before an answer."""

    accepted: list[int] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    accept_s: list[float] = field(default_factory=list)


class Feeder:
    """A device that keeps one connection to the gateway and waits for each answer."""

    def __init__(self, port: int, scans: Sequence[Movement]) -> None:
        self._port = port
        self._lines = [_line(scan) for scan in scans]
        self._socket: socket.socket | None = None
        self.fed = Fed()

    def connect(self) -> None:
        """Return when the gateway takes the connection."""
        self.close()
        deadline = time.monotonic() + CONNECT_S_MAX
        while self._socket is None:
            try:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=1)
            except OSError:
                assert time.monotonic() < deadline, f"nobody took port {self._port}"
                time.sleep(POLL_S)
        self._socket.settimeout(ANSWER_S_MAX)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Leave the gateway."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, number: int) -> None:
        """Hand the scan over without waiting."""
        assert self._socket is not None
        self._socket.sendall(self._lines[number])

    def wait(self, number: int) -> None:
        """Note what is answered to the scan."""
        assert self._socket is not None
        try:
            answer = self._socket.recv(16)
        except ConnectionError:
            answer = b""
        told = {b"1\n": self.fed.accepted, b"0\n": self.fed.refused}
        told.get(answer, self.fed.doubtful).append(number)

    def offer(self, number: int) -> None:
        """Hand the scan over and note the answer and how long it took."""
        begin_s = time.perf_counter()
        self.send(number)
        self.wait(number)
        self.fed.accept_s.append(time.perf_counter() - begin_s)


@dataclass(frozen=True, slots=True)
class Pace:
    """scans_per_s: at most. broker_away_scans: for how many scans a killed broker is away."""

    scans_per_s: float
    broker_away_scans: int


def feed_and_kill(
    feeder: Feeder,
    *,
    numbers: range,
    pace: Pace,
    kills: Sequence[Kill],
    gateway: Child,
    broker: Broker,
) -> None:
    """Feed the numbers in order; both are running again on return."""
    by_number = {kill.number: kill for kill in kills}
    broker_back_at, due_s = -1, time.monotonic()
    for number in numbers:
        due_s = max(due_s + 1 / pace.scans_per_s, time.monotonic())
        time.sleep(max(0.0, due_s - time.monotonic()))
        if number == broker_back_at:
            broker.start()
        kill = by_number.get(number)
        if kill is None:
            feeder.offer(number)
        elif kill.target == "broker":
            time.sleep(kill.pause_s)
            broker.kill()
            broker_back_at = number + pace.broker_away_scans
            feeder.offer(number)
        else:
            _kill_gateway(feeder, kill, gateway)


def _kill_gateway(feeder: Feeder, kill: Kill, gateway: Child) -> None:
    if kill.in_flight:
        feeder.send(kill.number)
    time.sleep(kill.pause_s)
    gateway.kill()
    if kill.in_flight:
        feeder.wait(kill.number)
    gateway.start()
    feeder.connect()
    if not kill.in_flight:
        feeder.offer(kill.number)


def _line(scan: Movement) -> bytes:
    values = {
        name: value
        for name, value in msgspec.structs.asdict(scan).items()
        if name not in LEFT_OUT and value not in ("", (), 0)
    }
    return json.dumps({"ts": scan.event_time_ms, "values": values}).encode() + b"\n"
