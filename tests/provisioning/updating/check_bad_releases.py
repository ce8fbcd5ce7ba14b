"""Every bad release comes back, and a kill at any step changes nothing; `make updates`. Edge.

Not part of `make test`, for its minutes: `test_update` runs a part of it.
"""

import re
import shutil
import time
from pathlib import Path

import pytest

from tests.memory_folder import memory_folder
from tests.provisioning.updating.site import Site
from tests.waiting import until

# behaviour: what the reason says.
BAD = {
    "crash": "does not answer",
    "hang": "does not answer",
    "unhealthy": "journal cannot be written",
    "blind": "devices that worked do not: dock-1-scanner",
    "cut off": "does not reach the broker",
    "stall": "started again|does not answer",
    "slow": "does not answer",
}
BACK_S_MAX = 180
KILLED = Path(__file__).with_name("killed_agent.py")
STEPS_MAX = 400


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with memory_folder(tmp_path_factory.mktemp("site")) as folder:
        site = Site(folder / "site", start_limit_s=8.0)
        assert "release 1.0.0 is current" in site.install("1.0.0")
        site.supervisor.start()
        site.until_answers("1.0.0")
        yield site
        site.supervisor.stop()


@pytest.mark.parametrize("behaviour", BAD)
def test_a_bad_release_is_given_up_and_the_one_before_runs(site, behaviour):
    version = f"1.{2 + list(BAD).index(behaviour)}.0"
    agent, began_s = site.agent(), time.monotonic()
    try:
        site.release(version, behaviour)
        until(lambda: site.report()["failed_version"] == version, seconds_max=BACK_S_MAX)
        assert re.search(BAD[behaviour], site.report()["failed_reason"])
        site.until_answers("1.0.0")
    finally:
        site.kill(agent)
    print(f"{behaviour}: back after {time.monotonic() - began_s:.1f} s")  # noqa: T201


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("behaviour", ["good", "crash"])
def test_an_agent_killed_at_any_step_ends_as_if_it_had_not_been(site, behaviour):
    """The first run is killed at its first step, the second at its second, until one is not."""
    version = "2.0.0" if behaviour == "good" else "3.0.0"
    before = "1.0.0" if behaviour == "good" else "2.0.0"
    site.release(version, behaviour)
    kills_count = 0
    for step in range(1, STEPS_MAX):
        agent = site.agent((str(KILLED),), KILL_AT_STEP=str(step))
        ended = _until_over(site, agent, version)
        site.kill(agent)
        if ended:
            break
        kills_count += 1
    site.until_answers(version if behaviour == "good" else before)
    report = site.report()
    assert report["current"] == (version if behaviour == "good" else before)
    assert kills_count >= 10
    print(f"{behaviour}: killed at {kills_count} steps")  # noqa: T201
    shutil.rmtree(site.state / "staging", ignore_errors=True)


def _until_over(site, agent, version):
    """Return True once the update is over, False when the agent was killed before."""
    over = {f"release {version} stays", f"release {version}: current"}

    def seen():
        report = site.report()
        if report["said"] in over or report["failed_version"] == version:
            return "over"
        return "killed" if agent.poll() is not None else ""

    until(seen, seconds_max=120)
    return seen() == "over"
