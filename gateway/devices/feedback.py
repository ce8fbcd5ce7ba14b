"""Tells stack lights, buzzers and the scanner itself what became of each scan. Loop.

    station loop --commit--> Board --newest outcomes--> this thread --signal--> devices, no waiting

It meets the station loop in the Board alone, as the page does: what lights green is durable.
"""

from collections.abc import Sequence
from typing import Protocol

from drivers.api import SignalKind
from gateway.devices.service_thread import ServiceThread
from gateway.logs import log_crash
from gateway.station.board import Board
from gateway.station.screen_state import ScanOutcome, gravest

WAIT_S = 0.5  # How long a stop may go unnoticed.
CRASH_PAUSE_S = 1.0


class SignalledDevices(Protocol):
    """Whoever passes signals on to devices; both return at once."""

    def signal_lights(self, kind: SignalKind) -> None:
        """Show and sound `kind` on all lights and buzzers."""
        ...

    def signal_device(self, name: str, kind: SignalKind) -> None:
        """Show and sound `kind` on one device, if it can."""
        ...


class Feedback:
    """One thread; `thread` starts and stops it. What is on the board before is not told again."""

    def __init__(self, board: Board, devices: SignalledDevices) -> None:
        self._board = board
        self._devices = devices
        state = board.state()
        self._revision = state.revision
        self._number = state.scans[0].number if state.scans else 0
        self.thread = ServiceThread(self._run, name="feedback")

    def _run(self) -> None:
        while not self.thread.stopping:
            try:
                self._step()
            except Exception:  # noqa: BLE001 - a mistake here ends no gateway
                log_crash("feedback failed")
                self.thread.pause(CRASH_PAUSE_S)

    def _step(self) -> None:
        state = self._board.wait(self._revision, WAIT_S)
        self._revision = state.revision
        fresh = [scan.outcome for scan in state.scans if scan.number > self._number]
        if not fresh:
            return
        self._number = state.scans[0].number
        by_device: dict[str, list[ScanOutcome]] = {}
        for outcome in fresh:
            by_device.setdefault(outcome.device, []).append(outcome)
        self._devices.signal_lights(_gravest(fresh))
        for name, outcomes in by_device.items():
            self._devices.signal_device(name, _gravest(outcomes))


def _gravest(outcomes: Sequence[ScanOutcome]) -> SignalKind:
    signal = gravest([outcome.signal for outcome in outcomes])
    assert signal is not None, "there is an outcome"
    return signal.kind
