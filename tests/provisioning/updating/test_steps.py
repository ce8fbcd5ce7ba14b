"""The agent's steps on a clock of the test: limits, boots, percentages, any bytes. Pure."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.updating.agent import Agent, guard
from provisioning.updating.deciding import waits_for_central
from provisioning.updating.environment import current_version, own_python
from provisioning.updating.errors import ReleaseRefused
from provisioning.updating.health import GatewayHealth
from provisioning.updating.manifest import Manifest, Ring, is_chosen, parse_manifest, version_key
from provisioning.updating.settings import Settings
from provisioning.updating.state import State, load_state, save_state
from tests.provisioning.updating.releases import make_keys, make_release

HEALTHY = GatewayHealth("1.1.0", "run-1", True, True, frozenset({"dock-1-scanner"}))


class Machine:
    """A clock, a gateway's answer and two releases on the disk."""

    def __init__(self, folder):
        self.boot_id, self.ms, self.health = "boot-1", 0, HEALTHY
        self.settings = Settings(
            releases_folder=str(folder / "opt"),
            state_folder=str(folder),
            restart_file=str(folder / "restart"),
        )
        self.folder, self.root = folder, folder / "opt"
        for version in ("1.0.0", "1.1.0"):
            release = self.root / "releases" / version
            release.mkdir(parents=True)
            text = f"{version} for Python {own_python()}\n"
            (release / ".complete").write_text(text, encoding="utf-8")
        (self.root / "current").symlink_to("releases/1.0.0")
        self.agent = Agent(self.settings, clock=self, asked=lambda: self.health)
        self.put(phase="switching", ready=("dock-1-scanner",), connected=True)

    def now_s(self):
        return 1_800_000_000

    def since_boot_ms(self):
        return self.ms

    def put(self, **changes):
        state = State(version="1.1.0", previous="1.0.0", boot_id=self.boot_id)
        save_state(self.folder, replace(state, **changes))

    def boot(self):
        """The machine is switched off and on; the guard runs before anything."""
        self.boot_id, self.ms = f"boot-{self.boot_id}", 0
        said = guard(self.settings, clock=self)
        self.agent = Agent(self.settings, clock=self, asked=lambda: self.health)
        return said

    def go_on(self, *, seconds):
        """Let the agent work for so long; return the state at the end."""
        until_ms = self.ms + seconds * 1000
        while self.ms < until_ms:
            self.ms += max(int(self.agent.turn() * 1000), 1000)
        return load_state(self.folder)

    @property
    def current(self):
        return current_version(self.root)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_a_healthy_release_is_on_probation_for_a_quarter_of_an_hour_and_stays(machine):
    assert machine.go_on(seconds=60).phase == "probation"
    assert machine.go_on(seconds=700).phase == "probation"
    state = machine.go_on(seconds=200)
    assert (state.phase, machine.current, state.failed) == ("idle", "1.1.0", ())


def test_a_release_that_does_not_answer_is_back_in_less_than_three_minutes(machine):
    machine.health = None
    state = machine.go_on(seconds=165)
    assert (state.phase, machine.current) == ("idle", "1.0.0")
    assert state.failed[0].version == "1.1.0"


WORSE = {
    "another version answers": {"version": "1.0.0"},
    "the journal is full": {"writable": False},
    "a scanner is gone": {"ready": frozenset()},
    "the broker is not reached": {"connected": False},
}


@pytest.mark.parametrize("worse", WORSE.values(), ids=WORSE)
def test_a_release_that_is_worse_than_the_one_before_goes(machine, worse):
    machine.health = replace(HEALTHY, **worse)
    assert machine.go_on(seconds=165).failed
    assert machine.current == "1.0.0"


def test_what_was_not_there_before_is_not_asked_of_the_release(machine):
    machine.put(phase="switching", ready=(), connected=False)
    machine.health = replace(HEALTHY, connected=False, ready=frozenset())
    assert machine.go_on(seconds=60).phase == "probation"


def test_a_start_by_the_watchdog_on_probation_ends_it(machine):
    machine.go_on(seconds=600)
    machine.health = replace(HEALTHY, run="run-2")
    state = machine.go_on(seconds=10)
    assert machine.current == "1.0.0"
    assert "started again" in state.failed[0].reason


def test_one_answer_that_is_late_is_no_fault_and_three_are(machine):
    machine.go_on(seconds=60)
    for _ in range(2):
        machine.health = None
        machine.agent.turn()
        machine.agent.turn()
        machine.health = HEALTHY
        machine.agent.turn()
    assert load_state(machine.folder).phase == "probation"
    machine.health = None
    assert machine.go_on(seconds=30).failed


def test_a_boot_on_probation_begins_it_anew(machine):
    machine.go_on(seconds=600)
    assert machine.boot() == "boot 1 of release 1.1.0 on probation"
    machine.health = replace(HEALTHY, run="run-2")  # Of course: the machine was off.
    assert machine.go_on(seconds=300).phase == "probation"
    assert machine.go_on(seconds=700).phase == "idle"
    assert machine.current == "1.1.0"


def test_the_third_boot_on_probation_leads_back_before_the_gateway_starts(machine):
    machine.go_on(seconds=60)
    machine.boot()
    machine.boot()
    assert machine.current == "1.1.0"
    assert machine.boot().startswith("back to release 1.0.0")
    assert machine.current == "1.0.0"
    assert load_state(machine.folder).failed[0].version == "1.1.0"
    assert machine.boot() == "no release is on probation"


def test_a_state_that_a_card_has_eaten_is_as_if_new(machine):
    for data in (b"", b"{", b"[]", b'{"phase": "?"}', b"\x00" * 100, b'{"phase": "idle"}'):
        (machine.folder / "state.json").write_bytes(data)
        assert load_state(machine.folder).phase == "idle"


def test_what_failed_is_told_to_the_gateway(machine):
    machine.health = None
    machine.go_on(seconds=165)
    report = json.loads((machine.folder / "report.json").read_bytes())
    assert (report["current"], report["failed_version"]) == ("1.0.0", "1.1.0")


def manifest(version, percent):
    return Manifest(
        product="dockledger-gateway",
        version=version,
        released_s=0,
        expires_s=0,
        downgrade=False,
        rings=(Ring("rest", percent),),
        files=(),
        environments=(),
    )


def test_a_percentage_takes_about_so_many_and_grows_by_more_of_the_same():
    names = [f"gateway-{number}" for number in range(2000)]

    def chosen(version, percent):
        release = manifest(version, percent)
        return {name for name in names if is_chosen(release, ring="rest", name=name)}

    assert not chosen("1.0.0", 0)
    assert len(chosen("1.0.0", 100)) == 2000
    assert 140 <= len(chosen("1.0.0", 10)) <= 260
    assert chosen("1.0.0", 10) <= chosen("1.0.0", 50)
    assert chosen("1.0.0", 10) != chosen("1.0.1", 10)
    assert not is_chosen(manifest("1.0.0", 100), ring="unknown", name="gateway-1")


@pytest.mark.parametrize(
    ("older", "newer"), [("0.9", "0.10"), ("1.0", "1.0.1"), ("1.9.9", "2"), ("0.0.9", "0.1")]
)
def test_versions_are_numbers(older, newer):
    assert version_key(older) < version_key(newer)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_way(data):
    with pytest.raises(ReleaseRefused):
        parse_manifest(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["format", "product", "version", "files", "rings", "environments"]),
                inner,
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_refused_in_one_way(value):
    with pytest.raises(ReleaseRefused):
        parse_manifest(json.dumps(value).encode())


CENTRALS = {
    "older": ("0.1.9", "0.2.0", "central is 0.1.9"),
    "much older, by number and not by text": ("0.9", "0.10.0", "central is 0.9"),
    "never heard": ("", "0.2.0", "was not heard yet"),
    "one that says nothing that is a version": ("latest", "0.2.0", "was not heard yet"),
    "the same": ("0.2", "0.2.0", ""),
    "newer": ("0.10.0", "0.9.1", ""),
    "a manifest from before": ("", "", ""),
}


@pytest.mark.parametrize(("central", "least", "told"), CENTRALS.values(), ids=CENTRALS)
def test_a_release_waits_for_a_central_that_is_older_or_unknown(central, least, told):
    manifest = Manifest("dockledger-gateway", "1.1.0", 0, 1, False, (), (), (), central_min=least)
    said = waits_for_central(manifest, central)
    assert (said == "", told in said) == (told == "", True)


@pytest.fixture
def offered(machine, tmp_path):
    """A release that needs central 0.2.0; what it holds is for no machine, and told so if taken."""
    key, public = make_keys(tmp_path / "keys")
    make_release(tmp_path / "mirror", "1.1.0", key, central_min="0.2.0", environments=[])
    mirror = str(tmp_path / "mirror")
    machine.settings = replace(machine.settings, source=mirror, key_file=str(public))
    machine.agent = Agent(machine.settings, clock=machine, asked=lambda: machine.health)
    save_state(machine.folder, State())

    def look(central):
        """Let the agent look while the gateway hears that central; return what it reports."""
        machine.health = central if central is None else replace(HEALTHY, central=central)
        machine.agent.turn()
        assert (load_state(machine.folder).phase, machine.current) == ("idle", "1.0.0")
        return json.loads((machine.folder / "report.json").read_bytes())["said"]

    return look


def test_a_release_is_taken_once_central_is_upgraded_and_not_before(offered):
    assert "needs central 0.2.0 or newer, central was not heard yet" in offered("")
    assert "central is 0.1.0; upgrade central first" in offered("0.1.0")
    assert "release 1.1.0 has nothing for Python" in offered("0.2.0")


def test_a_gateway_that_fell_silent_has_said_which_central_it_heard(offered):
    assert "waits" in offered(None)
    offered("0.2.0")
    assert "has nothing for Python" in offered(None)


@pytest.mark.parametrize("wrong", [7, "", "new", None], ids=repr)
def test_a_manifest_that_names_no_version_of_central_is_refused(wrong, tmp_path):
    table = {"format": 1, "product": "dockledger-gateway", "version": "1", "released_s": 0,
             "expires_s": 1, "downgrade": False, "rings": [], "files": [],
             "environments": []}  # fmt: skip
    assert parse_manifest(json.dumps(table).encode()).central_min == ""
    with pytest.raises(ReleaseRefused):
        parse_manifest(json.dumps(table | {"central_min": wrong}).encode())
