"""Acts the script out on the virtual devices and watches what comes of it. Loop."""

import time
from collections.abc import Callable
from typing import TypeVar

from provisioning.demo.actions import (
    Action,
    Converge,
    Cut,
    Mend,
    Office,
    PutWeight,
    ReadLabel,
    Scan,
    Told,
)
from provisioning.demo.evidence import CutEvidence, LabelEvidence
from provisioning.demo.installation import Installation, Stand
from provisioning.demo.journals import read_heads
from provisioning.demo.labels import read_label
from provisioning.demo.station_client import ShownSignal, StationState

ANSWER_TIMEOUT_S = 15.0
CONVERGENCE_TIMEOUT_S = 60.0
POLL_S = 0.02
# Whoever waits out the cut scans on, but no faster than a person can.
CUT_PACE_MIN_S = 0.1

Value = TypeVar("Value")


class ScriptFailed(Exception):
    """The warehouse did not do what the script expects; `hint` says where to look."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.hint = "Keep the data with --keep DIRECTORY and read the logs in it."


class Performer:
    """Acts one action after the other, from one thread.

    facts_caused: by warehouse, what every action promised to record.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        pace_s: float,
        cut_s: float,
        filler: Callable[[str], tuple[Action, ...]],
    ) -> None:
        """filler: makes a round of work in a warehouse, to wait out a cut."""
        self._installation = installation
        self._pace_s = pace_s
        self._cut_s = cut_s
        self._filler = filler
        self._cuts: dict[str, tuple[float, int]] = {}  # By warehouse: since when, facts before.
        self._newest_scan: dict[str, int] = {}  # By warehouse: number of our own last one.
        self._visited: set[str] = set()
        self.facts_caused: dict[str, int] = dict.fromkeys(installation.stands, 0)
        self.labels: list[LabelEvidence] = []
        self.cuts_kept: list[CutEvidence] = []

    def perform(self, action: Action) -> None:
        """Act, and return when it has come true. Raises ScriptFailed or ChildFailed."""
        if isinstance(action, Scan):
            self._scan(action)
        elif isinstance(action, PutWeight):
            self._put_weight(action)
        elif isinstance(action, ReadLabel):
            self._read_label(action)
        elif isinstance(action, Cut):
            self._cut(action)
        elif isinstance(action, Mend):
            self._mend(action)
        elif isinstance(action, Office):
            self._ask(action)
        elif isinstance(action, Told):
            self._wait_until_told(action.warehouse)
        else:
            assert isinstance(action, Converge)
            self.wait_for_convergence()

    def is_visited(self, warehouse: str) -> bool:
        """Return True if somebody else has scanned or touched at a station since we last did."""
        state = self._installation.stands[warehouse].station.state()
        if state is not None and state.newest_scan > self._newest_scan.get(warehouse, 0):
            self._visited.add(warehouse)
        return warehouse in self._visited

    def wait_for_convergence(self) -> None:
        """Return as soon as every fact is at the ledger. Raises ScriptFailed after a minute."""
        for stand in self._installation.stands.values():
            self._converge(stand)

    def _scan(self, scan: Scan) -> None:
        stand = self._installation.stands[scan.warehouse]
        before = self._state_when(stand, lambda _: True, f"the screen of {stand.gateway} answers")
        if not stand.devices.scanners[scan.scanner].scan(scan.code, scan.symbology):
            raise ScriptFailed(f"{stand.gateway}: scanner {scan.scanner} lost {scan.code}")

        def answer(state: StationState) -> ShownSignal | None:
            return state.answer_to(scan.code, after=before.newest_scan)

        state = self._state_when(
            stand, lambda state: answer(state) is not None, f"{stand.gateway} answers {scan.code}"
        )
        if (
            state.newest_scan
            > max(before.newest_scan, self._newest_scan.get(scan.warehouse, 0)) + 1
        ):
            self._visited.add(scan.warehouse)
        self._newest_scan[scan.warehouse] = state.newest_scan
        signal = answer(state)
        assert signal is not None
        # What only opens or tells something is an info: it is no mistake either.
        kind = "success" if signal.kind == "info" else signal.kind
        if kind != scan.signal:
            raise ScriptFailed(
                f"{stand.gateway} answered {scan.code} with {signal.kind}, not {scan.signal}: "
                f"{signal.text}"
            )
        self.facts_caused[scan.warehouse] += scan.facts_count
        time.sleep(self._pace_s)

    def _put_weight(self, action: PutWeight) -> None:
        stand = self._installation.stands[action.warehouse]
        stand.devices.scale.put(action.weight_kg, stable=action.stable)
        self._state_when(
            stand,
            lambda state: state.shows(action.weight_kg, stable=action.stable),
            f"the scale of {stand.gateway} shows {action.weight_kg} kg",
        )
        time.sleep(self._pace_s)

    def _read_label(self, action: ReadLabel) -> None:
        stand = self._installation.stands[action.warehouse]
        printed = self._when(stand.devices.take_label, f"{stand.gateway} prints a label")
        decoded = read_label(printed)
        self.labels.append(LabelEvidence(expected=action.codes, decoded=decoded))
        self.facts_caused[action.warehouse] += 1
        if decoded != action.codes:
            raise ScriptFailed(f"{stand.gateway} printed {decoded} instead of {action.codes}")

    def _cut(self, action: Cut) -> None:
        stand = self._installation.stands[action.warehouse]
        self._converge(stand)
        stand.relay.cut()
        self._cuts[action.warehouse] = (time.monotonic(), self.facts_caused[action.warehouse])
        self._state_when(
            stand, lambda state: not state.connected, f"{stand.gateway} sees that it is cut off"
        )

    def _mend(self, action: Mend) -> None:
        stand = self._installation.stands[action.warehouse]
        cut_at_s, facts_before = self._cuts.pop(action.warehouse)
        while time.monotonic() < cut_at_s + self._cut_s:
            for filling in self._filler(action.warehouse):
                self.perform(filling)
                time.sleep(max(0.0, CUT_PACE_MIN_S - self._pace_s))
        caused = self.facts_caused[action.warehouse] - facts_before
        state = self._state_when(
            stand,
            lambda state: state.unsent_count >= caused,
            f"{stand.gateway} keeps the {caused} facts of the cut",
        )
        self.cuts_kept.append(
            CutEvidence(gateway=stand.gateway, caused_count=caused, kept_count=state.unsent_count)
        )
        stand.relay.mend()

    def _ask(self, asked: Office) -> None:
        code = self._installation.ledger.change(asked.path, asked.body)
        if asked.code and code != asked.code:
            raise ScriptFailed(f"{asked.path} made {code}, not {asked.code}")

    def _wait_until_told(self, warehouse: str) -> None:
        gateway = self._installation.stands[warehouse].gateway
        ledger = self._installation.ledger
        self._when(
            lambda: ledger.has_told(gateway) or None, f"{gateway} knows what head office decided"
        )

    def _converge(self, stand: Stand) -> None:
        caused = self.facts_caused[stand.warehouse]

        def recorded() -> bool | None:
            return sum(read_heads(stand.journal).values()) >= caused or None

        def committed() -> bool | None:
            acked = self._installation.ledger.acknowledged(stand.gateway)
            return acked == read_heads(stand.journal) or None

        # A print fact comes when the printer has answered, a little after the label.
        self._when(recorded, f"{stand.gateway} records {caused} facts")
        self._when(
            committed,
            f"the ledger has what {stand.gateway} recorded",
            timeout_s=CONVERGENCE_TIMEOUT_S,
        )
        self._state_when(
            stand,
            lambda state: state.connected and state.unsent_count == 0,
            f"{stand.gateway} knows that all is sent",
        )

    def _state_when(
        self,
        stand: Stand,
        condition: Callable[[StationState], bool],
        what: str,
        *,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> StationState:
        def looked() -> StationState | None:
            state = stand.station.state()
            return state if state is not None and condition(state) else None

        return self._when(looked, what, timeout_s=timeout_s)

    def _when(
        self, look: Callable[[], Value | None], what: str, *, timeout_s: float = ANSWER_TIMEOUT_S
    ) -> Value:
        deadline_s = time.monotonic() + timeout_s
        while (value := look()) is None:
            self._installation.check_children()
            if time.monotonic() > deadline_s:
                raise ScriptFailed(f"in {timeout_s:.0f} s it did not happen that {what}")
            time.sleep(POLL_S)
        return value
