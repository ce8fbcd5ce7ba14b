"""Takes a release, switches to it, watches it, goes back if it is worse. Loop.

    idle:       ask the source; check signature, age, ring; fetch; build a second environment
    switching:  the link leads to the new one; ask for a restart
    starting:   until the limit it must answer three times in a row, healthy as before
    probation:  it must stay so, without being started again by its watchdog
    returning:  the link leads back; ask for a restart; never try this version again by itself

Each step can be repeated: killed anywhere, the agent does the step in hand once more. A machine
that boots again and again on probation is brought back by `guard`, before the gateway starts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from logging import getLogger
from pathlib import Path

from provisioning.updating.clock import Clock
from provisioning.updating.deciding import decide, waits_for_central
from provisioning.updating.environment import (
    build,
    current_version,
    is_complete,
    own_machine,
    own_python,
    remove_others,
    switch,
)
from provisioning.updating.errors import (
    BuildInterrupted,
    EnvironmentBroken,
    NoRoom,
    ReleaseRefused,
    SourceUnreachable,
)
from provisioning.updating.files import remove_tree
from provisioning.updating.health import GatewayHealth, ask_health, shortcoming
from provisioning.updating.manifest import (
    GATEWAY,
    MANIFEST_BYTES_MAX,
    MANIFEST_FILE,
    SIGNATURE_FILE,
    Manifest,
    parse_manifest,
)
from provisioning.updating.settings import Settings, own_name
from provisioning.updating.signatures import (
    SIGNATURE_TEXT_BYTES_MAX,
    check_signature,
    load_public_keys,
)
from provisioning.updating.source import Source, fetch_files, open_source, read_small
from provisioning.updating.state import Refused, State, load_state, save_report, save_state

GOOD_ANSWERS_MIN = 3
MISSED_ANSWERS_MAX = 3
BOOTS_MAX = 3
STAGING_FOLDER = "staging"

logger = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watch:
    """What a phase has seen so far; forgotten when the agent is killed, and seen again."""

    good_count: int = 0
    missed_count: int = 0
    run: str = ""
    last: str = "nothing was seen yet"


class Agent:
    """One gateway's updates. `turn` again and again; it returns how long to pause.

    asked: returns the gateway's health, None if it does not answer.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        asked: Callable[[], GatewayHealth | None] | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._root = Path(settings.releases_folder)
        self._folder = Path(settings.state_folder)
        self._asked = asked or self._ask
        self._watch = Watch()
        self._refused: Refused | None = None
        self._heard = ""  # Of central, by the gateway, as long as this agent runs.

    def turn(self) -> float:
        """Do the next step; return the seconds after which the one after it is due."""
        state = self._of_this_boot(load_state(self._folder))
        if state.phase == "idle":
            return self._look(state)
        if state.phase == "switching":
            return self._switch(state)
        if state.phase == "starting":
            return self._await_start(state)
        if state.phase == "probation":
            return self._await_end_of_probation(state)
        return self._return(state)

    def _look(self, state: State) -> float:
        remove_others(self._root, {current_version(self._root), state.previous})
        pause_s = self._settings.check_interval_s
        if not self._settings.source:
            self._tell(state, "no source is configured")
            return pause_s
        source = open_source(self._settings.source, ca_file=self._settings.ca_file)
        offered, central = "", self._central()
        try:
            manifest = offered_release(source, Path(self._settings.key_file))
            offered = manifest.version
            decision = self._decide(manifest, state)
            if decision != "take":
                self._refused = None
                remove_tree(self._folder / STAGING_FOLDER)
                self._tell(state, f"release {manifest.version}: {decision}")
                return pause_s
            if waiting := waits_for_central(manifest, central):
                self._refused = None
                self._tell(state, waiting)
                return pause_s
            return self._take(source, manifest, state)
        except (ReleaseRefused, NoRoom, SourceUnreachable, BuildInterrupted) as error:
            # What the source holds may be mended there: it is looked at again, not tried.
            logger.warning("no update: %s: %s", error, error.hint)
            if isinstance(error, ReleaseRefused):
                self._note_refused(offered, error)
            self._tell(state, f"{type(error).__name__}: {error}")
            return pause_s

    def _note_refused(self, version: str, error: ReleaseRefused) -> None:
        """Remember what is told of an offer until another one is made; since it was first seen."""
        reason, before = f"{error}\n{error.hint}", self._refused
        if before is None or (before.version, before.reason) != (version, reason):
            self._refused = Refused(version, reason, self._clock.now_s())

    def _central(self) -> str:
        """Return central's version; a gateway that does not answer has said it before, perhaps."""
        if (health := self._asked()) is not None:
            self._heard = health.central
        return self._heard

    def _decide(self, manifest: Manifest, state: State) -> str:
        return decide(
            manifest,
            current=current_version(self._root),
            failed={one.version for one in state.failed},
            now_s=self._clock.now_s(),
            ring=self._settings.ring,
            name=own_name(self._settings),
        )

    def _take(self, source: Source, manifest: Manifest, state: State) -> float:
        logger.info("taking release %s", manifest.version)
        self._tell(state, f"taking release {manifest.version}")
        state = replace(state, version=manifest.version, previous=current_version(self._root))
        files = manifest.files_for(python=own_python(), machine=own_machine())
        staging = self._folder / STAGING_FOLDER
        fetch_files(source, files, staging)
        self._refused = None
        try:
            build(self._root, manifest, files, staging)
        except EnvironmentBroken as error:
            logger.warning("no update: %s: %s", error, error.hint)
            self._save(replace(state, reason=str(error)).has_failed(at_s=self._clock.now_s()))
            self._tell(load_state(self._folder), str(error))
            return self._settings.check_interval_s
        before = self._asked()
        self._save(
            replace(
                state,
                phase="switching",
                boots_count=0,
                boot_id=self._clock.boot_id,
                ready=tuple(sorted(before.ready)) if before else (),
                connected=before.connected if before else False,
            )
        )
        return 0.0

    def _switch(self, state: State) -> float:
        switch(self._root, state.version)
        self._restart(state.version)
        remove_tree(self._folder / STAGING_FOLDER)
        # Last: killed before this, the restart is asked for once more, and nothing is lost.
        self._save(self._starting(state))
        return self._settings.health_interval_s

    def _await_start(self, state: State) -> float:
        health = self._asked()
        wrong = shortcoming(
            health,
            version=state.version,
            ready=frozenset(state.ready),
            connected=state.connected,
        )
        if wrong or health is None:
            self._watch = Watch(last=wrong)
        elif health.run != self._watch.run:
            self._watch = Watch(good_count=1, run=health.run)
        else:
            self._watch = replace(self._watch, good_count=self._watch.good_count + 1)
        if self._watch.good_count >= GOOD_ANSWERS_MIN:
            until_ms = self._clock.since_boot_ms() + int(self._settings.probation_s * 1000)
            self._save(replace(state, phase="probation", run=self._watch.run, until_ms=until_ms))
            self._watch = Watch()
        elif self._clock.since_boot_ms() >= state.until_ms:
            return self._give_up(state, f"not healthy in time: {self._watch.last}")
        return self._settings.health_interval_s

    def _await_end_of_probation(self, state: State) -> float:
        health = self._asked()
        if health is not None and health.run != state.run:
            return self._give_up(state, "it was started again: it crashed or its watchdog ended it")
        # A device that is unplugged meanwhile is no fault of the release; it started with all.
        wrong = shortcoming(health, version=state.version, ready=frozenset(), connected=False)
        if wrong:
            self._watch = Watch(missed_count=self._watch.missed_count + 1, last=wrong)
        else:
            self._watch = Watch()
        if self._watch.missed_count >= MISSED_ANSWERS_MAX:
            return self._give_up(state, f"on probation: {wrong}")
        if not wrong and self._clock.since_boot_ms() >= state.until_ms:
            logger.info("release %s stays", state.version)
            done = State(failed=state.failed, previous=state.previous)
            self._save(done)
            self._tell(done, f"release {state.version} stays")
            return self._settings.check_interval_s
        return self._settings.health_interval_s

    def _give_up(self, state: State, reason: str) -> float:
        logger.error("release %s is given up: %s", state.version, reason)
        self._watch = Watch()
        self._save(replace(state, phase="returning", reason=reason))
        return 0.0

    def _return(self, state: State) -> float:
        if is_complete(self._root, state.previous):
            switch(self._root, state.previous)
            self._restart(state.previous)
        returned = state.has_failed(at_s=self._clock.now_s())
        self._save(returned)
        self._tell(returned, f"release {state.version} was given up: {state.reason}")
        return self._settings.check_interval_s

    def _starting(self, state: State) -> State:
        until_ms = self._clock.since_boot_ms() + int(self._settings.start_limit_s * 1000)
        return replace(state, phase="starting", boot_id=self._clock.boot_id, until_ms=until_ms)

    def _of_this_boot(self, state: State) -> State:
        """Limits are times since a boot: after another one they begin anew. `guard` counts."""
        if state.phase in {"starting", "probation"} and state.boot_id != self._clock.boot_id:
            state = self._starting(state)
            self._save(state)
        return state

    def _restart(self, version: str) -> None:
        path = Path(self._settings.restart_file)
        # Not by rename: systemd's PathChanged= waits for a write to this very file.
        path.write_text(f"{version} {self._clock.since_boot_ms()}\n", encoding="ascii")

    def _ask(self) -> GatewayHealth | None:
        return ask_health(self._settings.health_url, timeout_s=self._settings.health_timeout_s)

    def _save(self, state: State) -> None:
        save_state(self._folder, state)
        self._tell(state, state.phase)

    def _tell(self, state: State, said: str) -> None:
        save_report(
            self._folder,
            current=current_version(self._root),
            state=state,
            said=said,
            refused=self._refused,
        )


def offered_release(source: Source, key_file: Path) -> Manifest:
    """Return the release that a source offers, its signature checked.

    Raises SettingsInvalid for the key file, SourceUnreachable, ReleaseRefused.
    """
    keys = load_public_keys(key_file)
    data = read_small(source, MANIFEST_FILE, bytes_max=MANIFEST_BYTES_MAX)
    signature = read_small(source, SIGNATURE_FILE, bytes_max=SIGNATURE_TEXT_BYTES_MAX)
    check_signature(data, signature, keys=keys)
    manifest = parse_manifest(data)
    if manifest.product != GATEWAY:
        raise ReleaseRefused(
            f"a release of {manifest.product} is offered", hint="Name the gateways' source."
        )
    return manifest


def guard(settings: Settings, *, clock: Clock) -> str:
    """Count a boot of the machine on probation; go back at the third. Returns what was done.

    Runs before the gateway does: nothing has to be started again.
    """
    folder, root = Path(settings.state_folder), Path(settings.releases_folder)
    state = load_state(folder)
    if state.phase == "idle":
        return "no release is on probation"
    state = replace(state, boots_count=state.boots_count + 1)
    if state.boots_count < BOOTS_MAX or not is_complete(root, state.previous):
        save_state(folder, state)
        return f"boot {state.boots_count} of release {state.version} on probation"
    switch(root, state.previous)
    reason = f"the machine booted {state.boots_count} times on probation"
    returned = replace(state, reason=reason).has_failed(at_s=clock.now_s())
    save_state(folder, returned)
    save_report(folder, current=state.previous, state=returned, said=reason)
    return f"back to release {state.previous}: {reason}"


def install(settings: Settings, release: Path) -> str:
    """Build and make current the release in a folder that root put there; returns its version.

    The package's own: its files are checked against its manifest, its signature is apt's affair.
    """
    try:
        data = (release / MANIFEST_FILE).read_bytes()
    except OSError as error:
        raise ReleaseRefused(
            f"{release} holds no manifest: {error.strerror}", hint="Install the package again."
        ) from error
    manifest = parse_manifest(data)
    root, folder = Path(settings.releases_folder), Path(settings.state_folder)
    files = manifest.files_for(python=own_python(), machine=own_machine())
    build(root, manifest, files, release)
    state = load_state(folder)
    previous = current_version(root)
    switch(root, manifest.version)
    if previous != manifest.version:
        # What a person installs is no update on probation.
        save_state(folder, State(failed=state.failed, previous=previous))
    remove_others(root, {manifest.version, previous})
    return manifest.version
