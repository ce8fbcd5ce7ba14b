"""A gateway takes what is good, and goes back from what is not, by itself. Edge of processes."""

import re

import pytest

from tests.memory_folder import memory_folder
from tests.provisioning.updating.site import Site
from tests.waiting import until


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with memory_folder(tmp_path_factory.mktemp("site")) as folder:
        site = Site(folder / "site")
        assert "release 1.0.0 is current" in site.install("1.0.0")
        site.supervisor.start()
        site.until_answers("1.0.0")
        agent = site.agent()
        yield site
        site.kill(agent)
        site.supervisor.stop()


def test_a_good_release_stays(site):
    site.release("1.1.0")
    until(lambda: site.report()["said"] == "release 1.1.0 stays")
    assert site.version() == "1.1.0"


# behaviour: what the reason says; a slow machine misses answers before it sees the new start.
BAD = {"crash": "does not answer", "stall": "started again|does not answer"}


@pytest.mark.parametrize("behaviour", BAD)
def test_a_bad_release_is_given_up_and_the_one_before_runs(site, behaviour):
    version = f"1.{2 + list(BAD).index(behaviour)}.0"
    site.release(version, behaviour)
    until(lambda: site.report()["failed_version"] == version)
    assert re.search(BAD[behaviour], site.report()["failed_reason"])
    site.until_answers("1.1.0")


def test_what_failed_is_not_tried_again_until_a_person_says_so(site):
    failed = site.report()["failed_version"]
    until(lambda: site.report()["said"] == f"release {failed}: failed_before")
    assert f"failed   {failed}" in site.command("status")
    assert "may be tried again" in site.command("retry", failed)
    assert f"failed   {failed}" not in site.command("status")
