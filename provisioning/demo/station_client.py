"""Reads a station's screen as a person does. Edge of HTTP."""

from collections.abc import Sequence
from decimal import Decimal

import httpx
import msgspec

REQUEST_TIMEOUT_S = 5.0


class ShownSignal(msgspec.Struct, frozen=True):
    """What a scan was answered with."""

    kind: str
    text: str


class ShownScan(msgspec.Struct, frozen=True):
    """One of the last scans. number: 1, 2, 3 ... since the gateway's start."""

    number: int
    code: str
    signal: ShownSignal


class ShownWeight(msgspec.Struct, frozen=True):
    """The live weight. value: "" with a problem."""

    value: str
    stable: bool
    problem: str


class ShownDevice(msgspec.Struct, frozen=True):
    """One device of the gateway."""

    name: str
    state: str


class StationState(msgspec.Struct, frozen=True):
    """What the screen shows. scans: newest first."""

    scans: Sequence[ShownScan]
    weight: ShownWeight | None
    devices: Sequence[ShownDevice]
    connected: bool
    unsent_count: int
    problem: str

    @property
    def newest_scan(self) -> int:
        """Return the number of the newest scan, 0 if there was none."""
        return self.scans[0].number if self.scans else 0

    def answer_to(self, code: str, *, after: int) -> ShownSignal | None:
        """Return the signal to `code` scanned after scan number `after`, None if there is none."""
        for scan in self.scans:
            if scan.number > after and scan.code == code:
                return scan.signal
        return None

    def shows(self, weight_kg: Decimal, *, stable: bool) -> bool:
        """Return True if the live weight is this one."""
        shown = self.weight
        return (
            shown is not None
            and not shown.problem
            and shown.stable == stable
            and Decimal(shown.value) == weight_kg
        )


class StationClient:
    """Asks one gateway's station page at 127.0.0.1:`port`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/"
        self._client = httpx.Client(base_url=self.url, timeout=REQUEST_TIMEOUT_S, trust_env=False)

    def state(self) -> StationState | None:
        """Return what the screen shows, None if the gateway does not answer."""
        try:
            answer = self._client.get("/api/v1/state")
        except httpx.TransportError:
            return None
        if answer.status_code != httpx.codes.OK:
            return None
        return msgspec.json.decode(answer.content, type=StationState)

    def close(self) -> None:
        """Close the connection. May be called twice."""
        self._client.close()
