"""What the agent must still know after a power cut. Edge of the disk."""

import json
from dataclasses import asdict, dataclass, replace
from logging import getLogger
from pathlib import Path
from typing import Literal, get_args

from provisioning.updating.files import replace_file
from provisioning.updating.manifest import version_key

STATE_FILE = "state.json"
REPORT_FILE = "report.json"
STATE_BYTES_MAX = 256 * 1024
FAILED_MAX = 64
REASON_CHARACTERS_MAX = 300

# idle -> switching -> starting -> probation -> idle
#            |            |           |
#            |            `-----------+-> returning -> idle
#            `-- repeated after a power cut, until it is done
Phase = Literal["idle", "switching", "starting", "probation", "returning"]

logger = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """A release that was tried here and is not tried again by itself."""

    version: str
    reason: str
    at_s: int


@dataclass(frozen=True, slots=True)
class State:
    """Where an update is.

    version: of the update in hand; previous: to which it goes back, "" if there was none.
    boots_count: of the machine since it was switched. boot_id, until_ms: when the phase's time is
    over, in milliseconds since that boot. run: of the gateway on probation. ready: devices that
    were ready before; connected: whether the broker was. reason: why it goes back.
    """

    phase: Phase = "idle"
    version: str = ""
    previous: str = ""
    boots_count: int = 0
    boot_id: str = ""
    until_ms: int = 0
    run: str = ""
    ready: tuple[str, ...] = ()
    connected: bool = False
    reason: str = ""
    failed: tuple[Failed, ...] = ()

    def has_failed(self, *, at_s: int) -> "State":
        """Return the state after the update in hand was given up."""
        kept = [one for one in self.failed if one.version != self.version][-(FAILED_MAX - 1) :]
        failed = Failed(self.version, self.reason[:REASON_CHARACTERS_MAX], at_s)
        return State(failed=(*kept, failed), previous=self.previous)


def load_state(folder: Path) -> State:
    """Return what was kept; as if new if there is nothing, or nothing that can be read."""
    try:
        with (folder / STATE_FILE).open("rb") as file:
            data = json.loads(file.read(STATE_BYTES_MAX))
        return _state(data)
    except FileNotFoundError:
        return State()
    except (OSError, ValueError, TypeError, KeyError) as error:
        # Written by rename: only a failing card brings this about. What runs goes on running.
        logger.warning("the update's state cannot be read, beginning anew: %s", error)
        return State()


def save_state(folder: Path, state: State) -> None:
    """Keep the state; on return it is durable."""
    replace_file(folder / STATE_FILE, json.dumps(asdict(state)).encode(), mode=0o600)


@dataclass(frozen=True, slots=True)
class Refused:
    """What was offered last and is not to be trusted, or does not fit. version: "" if nobody knows.

    reason: what is wrong, and in a line of its own what to do.
    """

    version: str
    reason: str
    at_s: int


def save_report(
    folder: Path, *, current: str, state: State, said: str, refused: Refused | None = None
) -> None:
    """Write for the gateway, which tells people, what runs and what failed. Not for the agent.

    What failed is told until a newer release runs; what was refused while it is offered.
    """
    last = next((one for one in state.failed[::-1] if _is_newer(one.version, current)), None)
    report = {
        "current": current,
        "phase": state.phase,
        "version": state.version,
        "said": said[:REASON_CHARACTERS_MAX],
        "failed_version": last.version if last else "",
        "failed_reason": last.reason if last else "",
        "failed_at_s": last.at_s if last else 0,
        "refused_version": refused.version if refused else "",
        "refused_reason": refused.reason[:REASON_CHARACTERS_MAX] if refused else "",
        "refused_at_s": refused.at_s if refused else 0,
    }
    data = json.dumps(report).encode()
    path = folder / REPORT_FILE
    try:
        if path.read_bytes() == data:
            return  # Said already: a card is not written for nothing.
    except OSError:
        pass
    replace_file(path, data)


def forget_failure(state: State, version: str) -> State:
    """Return the state with which a version may be tried again."""
    return replace(state, failed=tuple(one for one in state.failed if one.version != version))


def _is_newer(version: str, current: str) -> bool:
    return not current or version_key(version) > version_key(current)


def _state(data: object) -> State:
    if not isinstance(data, dict) or data["phase"] not in get_args(Phase):
        raise ValueError("it is no state")
    failed, ready = data["failed"], data["ready"]
    if not isinstance(failed, list) or not isinstance(ready, list):
        raise TypeError("it is no state")
    plain = {key: value for key, value in data.items() if key not in {"failed", "ready"}}
    return State(
        **plain,
        ready=tuple(str(name) for name in ready),
        failed=tuple(Failed(**one) for one in failed),
    )
