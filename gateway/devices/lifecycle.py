"""The states of a device, the history of their changes, and the pauses between attempts. Pure.

    discovered --matched--> unclaimed --claimed--> configured <--closed-- from every state below
        |                       ^                   ^    |
        '----- claimed ---------+-------------------'    | starting
                                '--released--'           v
                                                      opening
                        opened                        | | |
          .-------------------------------------------' | '------- stopped -----.
          v                                             | lost                  v
        ready --doubted--> degraded                     v                     fault
          ^ <--recovered--'   |                      offline                  ^   |
          |         |         '----------- lost -------> ^ <------ lost ------+---'
          |         '-------- lost ----------------------'                    |
          |                                              |                    |
          '------------------ opened --------------------+------- opened -----'

Beside it is the administrator's lock: a locked device is `configured` and does not start.
ready: it works. degraded: it works, but a person should look at something. offline: its line is
gone or it is silent; it is tried again. fault: a person must help before it goes on.
"""

from dataclasses import dataclass
from typing import Literal

from central.contract.states import DeviceProblem
from gateway.health import DeviceStateName

LifecycleEvent = Literal[
    "matched",  # A driver knows it.
    "claimed",  # A person said which device it is.
    "released",  # It is nobody's any more.
    "starting",  # The gateway begins to open it.
    "opened",  # Its line is open, and if it was silent, it has spoken.
    "doubted",  # It works, but something is wrong.
    "recovered",  # What was wrong has passed.
    "lost",  # Its line is gone, or it is silent.
    "stopped",  # It waits for a person.
    "closed",  # The gateway has given its line back: a lock, new settings.
]
OPEN_STATES: tuple[DeviceStateName, ...] = ("opening", "ready", "degraded", "offline", "fault")
# The drawing above, event by event: from these states to that one.
EVENTS: dict[LifecycleEvent, tuple[tuple[DeviceStateName, ...], DeviceStateName]] = {
    "matched": (("discovered",), "unclaimed"),
    "claimed": (("discovered", "unclaimed"), "configured"),
    "released": (("configured",), "unclaimed"),
    "starting": (("configured",), "opening"),
    "opened": (("opening", "ready", "offline", "fault"), "ready"),
    "doubted": (("ready", "degraded"), "degraded"),
    "recovered": (("degraded",), "ready"),
    "lost": (OPEN_STATES, "offline"),
    "stopped": (OPEN_STATES, "fault"),
    "closed": (("configured", *OPEN_STATES), "configured"),
}
TRANSITIONS: dict[tuple[DeviceStateName, LifecycleEvent], DeviceStateName] = {
    (state, event): target for event, (states, target) in EVENTS.items() for state in states
}
HISTORY_MAX = 100
DETAIL_CHARACTERS_MAX = 256

PAUSE_MIN_S = 0.2
PAUSE_MAX_S = 30.0
CRASH_PAUSE_S = 15.0
DOUBLINGS_MAX = 10  # A float overflows after 1024 of them.
# So long a device must have worked before its next loss begins with the shortest pause.
SERVICE_NS_MIN = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Transition:
    """One change. detail: English, for the log and the diagnostics bundle."""

    time_ms: int
    from_state: DeviceStateName
    to_state: DeviceStateName
    cause: LifecycleEvent
    problem: DeviceProblem = ""
    detail: str = ""


class Lifecycle:
    """The state of one device. One thread drives it; any may read."""

    def __init__(self, state: DeviceStateName = "configured") -> None:
        self.state: DeviceStateName = state
        self.problem: DeviceProblem = ""
        self.since_ms = 0
        self.history: tuple[Transition, ...] = ()  # Oldest first; replaced, never changed.

    def take(
        self,
        event: LifecycleEvent,
        *,
        time_ms: int,
        problem: DeviceProblem = "",
        detail: str = "",
    ) -> bool:
        """Make the transition; return False if state and problem stay what they are.

        An event that the table does not have in this state is a mistake of ours.
        """
        target = TRANSITIONS[self.state, event]
        if (target, problem) == (self.state, self.problem):
            return False
        change = Transition(
            time_ms, self.state, target, event, problem, detail[:DETAIL_CHARACTERS_MAX]
        )
        self.history = (*self.history[1 - HISTORY_MAX :], change)
        self.state, self.problem, self.since_ms = target, problem, time_ms
        return True


class Backoff:
    """How long to wait before the next attempt to open a device.

    The pauses double from PAUSE_MIN_S to PAUSE_MAX_S. A device that can be opened and dies at once
    works no better than one that cannot: only SERVICE_NS_MIN of service begin anew.
    """

    def __init__(self) -> None:
        self._attempts_count = 0
        self._serving_since_ns: int | None = None

    def serving(self, monotonic_ns: int) -> None:
        """State that the device works now."""
        if self._serving_since_ns is None:
            self._serving_since_ns = monotonic_ns

    def failed(self) -> None:
        """State that the device works no more, and waits for another reason."""
        self._serving_since_ns = None

    def hurry(self) -> None:
        """Begin with the shortest pause: something says that the device is back."""
        self._attempts_count = 0

    def lost(self, monotonic_ns: int, *, jitter: float) -> float:
        """Return the seconds to wait. jitter: from 0 to 1; takes off a quarter at most."""
        since_ns = self._serving_since_ns
        if since_ns is not None and monotonic_ns - since_ns >= SERVICE_NS_MIN:
            self._attempts_count = 0
        self._serving_since_ns = None
        doublings = min(self._attempts_count, DOUBLINGS_MAX)
        self._attempts_count += 1
        return jittered(min(PAUSE_MIN_S * 2.0**doublings, PAUSE_MAX_S), jitter)


def jittered(pause_s: float, jitter: float) -> float:
    """Return a pause of three quarters to the whole of `pause_s`; jitter: from 0 to 1."""
    return pause_s * (0.75 + 0.25 * jitter)
