"""A Pi without a claim shows a code, and goes on as after a claim once staff have let it in."""

from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from central.trust import registry
from gateway.identity.child import ask
from gateway.identity.files import IdentityFolder
from gateway.identity.keeper import IdentityKeeper
from gateway.identity.settings import with_name
from tests.gateway.identity.https_central import https_central
from tests.gateway.identity.test_enrolment import CONFIG, Clock, Pi
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def one_central(tmp_path_factory):
    with https_central(tmp_path_factory.mktemp("central")) as made:
        yield made


@pytest.fixture
def central(one_central):
    """Central, who has heard nothing of what the test before has asked."""
    one_central.requests.clear()
    one_central.polled.clear()
    one_central.answered.clear()
    return one_central


@pytest.fixture
def pi(tmp_path, central):
    return new_pi(tmp_path / "pi", central)


def new_pi(folder, central):
    (folder / "data").mkdir(parents=True)
    (folder / "gateway.toml").write_text(CONFIG)
    pi = Pi(folder, central)
    pi.put_file(central.enrol_file())
    return pi


class CountingClock(Clock):
    """Counts how often the keeper has looked around: each time it says that it is not enrolled."""

    looked = 0

    def now_ms(self):
        self.looked += 1
        return super().now_ms()


@contextmanager
def keeping(pi, central, clock=None):
    """A keeper that works; yields it and what it was told of the ledger."""
    heard = []
    keeper = pi.keeper(clock or Clock(central), heard.append)
    keeper.start()
    try:
        yield keeper, heard
    finally:
        central.answered.set()
        keeper.stop()
        central.answered.clear()


def state_of(keeper, state):
    wait_for(lambda: keeper.shown().state == state, what=f"{state}, not {keeper.shown()}")
    return keeper.shown()


def test_a_pi_that_is_let_in_by_its_code_is_a_gateway(pi, central):
    with keeping(pi, central) as (keeper, heard):
        shown = state_of(keeper, "shown")
        assert shown.page == f"{central.url}/shown" and "svg" in shown.qr_svg
        assert pi.problems() == ["not_enrolled"]
        kept = pi.identity.read_code()
        assert kept.secret not in repr(kept) + repr(shown) + shown.qr_svg
        assert shown.code.replace("-", "") not in shown.qr_svg
        central.approve(shown)
        wait_for(pi.identity.certificate.exists, what="the certificate")
        state_of(keeper, "enrolled")
        wait_for(lambda: pi.problems() == [], what="nothing is wrong any more")
    assert heard == ["ab" * 32]
    assert pi.identity.read().gateway == "dock-a"
    left = {one.name for one in (pi.folder / "data" / "identity").iterdir()}
    assert left - {"pending.key"} == {"identity.pem", "root.pem"}


def test_a_pi_that_is_started_anew_shows_the_same_code_and_hears_what_became_of_it(pi, central):
    with keeping(pi, central) as (keeper, _):
        shown = state_of(keeper, "shown")
    central.polled.clear()
    with keeping(pi, central) as (keeper, _):
        assert state_of(keeper, "shown").code == shown.code
    central.approve(shown)  # While it was off.
    with keeping(pi, central) as (keeper, _):
        state_of(keeper, "enrolled")
    with central.database.read() as connection:
        issued = registry.certificates_of(connection, "dock-a")
    assert [one.serial for one in issued if not one.revoked_ms] == [pi.identity.read().serial]


def test_a_pi_that_is_denied_says_so_and_shows_another_code_after_a_press_alone(pi, central):
    clock = CountingClock(central)
    with keeping(pi, central, clock) as (keeper, _):
        first = state_of(keeper, "shown")
        central.deny(first)
        state_of(keeper, "denied")
        looked = clock.looked
        wait_for(lambda: clock.looked >= looked + 2, what="it looks around again")
        assert keeper.shown().state == "denied"
        assert sum(one.endswith("/ask") for one in central.requests) == 1
        central.answered.clear()
        keeper.show_code()
        second = state_of(keeper, "shown")
        assert second.code != first.code
        central.approve(second)
        state_of(keeper, "enrolled")


def test_a_code_that_nobody_types_in_time_is_asked_for_anew_after_a_press(pi, central):
    with keeping(pi, central) as (keeper, _):
        first = state_of(keeper, "shown")
        central.clock.time_ms += 15 * 60_000
        central.answered.set()
        state_of(keeper, "expired")
        central.answered.clear()
        keeper.show_code()
        assert state_of(keeper, "shown").code != first.code


def test_a_claim_that_is_scanned_while_a_code_is_shown_is_taken_as_ever(pi, central):
    with keeping(pi, central) as (keeper, _):
        state_of(keeper, "shown")
        assert keeper.scanned(central.claim()).kind == "success"
        central.answered.set()
        state_of(keeper, "enrolled")
    assert pi.identity.read_code() is None


def test_a_claim_that_central_does_not_take_leaves_a_code_to_be_shown(pi, central):
    pi.put_file(central.enrol_file("0000-0000-0000-0000"))
    with keeping(pi, central) as (keeper, _):
        shown = state_of(keeper, "shown")
        assert pi.problems() == ["claim_refused"]
        central.approve(shown)
        state_of(keeper, "enrolled")
        wait_for(lambda: pi.problems() == [], what="nothing is wrong any more")


def test_a_central_that_is_gone_is_said_and_asked_again(pi, central):
    with keeping(pi, central) as (keeper, _):
        shown = state_of(keeper, "shown")
        central.lost_count = 1
        central.answered.set()
        wait_for(lambda: not central.lost_count, what="an answer is lost")
        assert state_of(keeper, "shown").code == shown.code


def test_two_pis_at_once_are_each_let_in_by_their_own_code(pi, central, tmp_path):
    other = new_pi(tmp_path / "other", central)
    (other.folder / "gateway.toml").write_text(CONFIG.replace("dock-a", "dock-b"))
    other = Pi(other.folder, central)
    with keeping(pi, central) as (first, _), keeping(other, central) as (second, _):
        shown = [state_of(one, "shown") for one in (first, second)]
        assert shown[0].fingerprint != shown[1].fingerprint
        central.approve(shown[1], "dock-b")
        central.approve(shown[0], "dock-a")
        state_of(first, "enrolled")
        state_of(second, "enrolled")
    assert (pi.identity.read().gateway, other.identity.read().gateway) == ("dock-a", "dock-b")


def test_a_pi_without_a_name_is_who_staff_say(pi, central):
    (pi.folder / "gateway.toml").write_text(
        CONFIG.replace('"dock-a"', '""').replace('"sh1"', '""').replace('"DOCK-1"', '""')
    )
    pi = Pi(pi.folder, central)
    with keeping(pi, central) as (keeper, _):
        central.approve(state_of(keeper, "shown"), "dock-new", "DOCK-9")
        state_of(keeper, "enrolled")
    known = IdentityFolder(pi.folder / "data").read()
    assert (known.gateway, known.warehouse) == ("dock-new", "sh1")
    assert known.receive_location == "DOCK-9"
    named = with_name(pi.config)
    assert (named.gateway.code, named.station.code) == ("dock-new", "dock-new")
    assert (named.gateway.site, named.station.receive_location) == ("demo", "DOCK-9")
    # A renewal does not say where goods come in; what was said stays.
    assert ask(replace(pi.order(""), gateway="dock-new")).problem == ""
    renewed = IdentityFolder(pi.folder / "data").read()
    assert (renewed.receive_location, renewed.serial == known.serial) == ("DOCK-9", False)


def test_who_has_no_enrolment_file_shows_nothing(pi, central):
    (pi.folder / "dockledger-enrol.toml").unlink()
    with keeping(pi, central) as (keeper, _):
        wait_for(lambda: pi.problems() == ["not_enrolled"], what="it says so")
        assert keeper.shown().state == "none"
    assert isinstance(keeper, IdentityKeeper) and central.requests == []
