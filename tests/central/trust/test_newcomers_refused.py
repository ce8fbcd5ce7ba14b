"""What is refused to machines that show a code, and to people who type one."""

import pytest
from cryptography import x509

from central.errors import Conflict, NotThere
from central.trust import newcomers, registry
from central.trust.asking import Full, Polled, Shown
from central.trust.claim_codes import ClaimCode
from central.trust.enrolling import Issued, Refused
from tests.central.trust.machines import (
    DAY_MS,
    Machine,
    claimed,
)
from tests.central.trust.newcomer_scene import Scene
from tests.central.trust.test_at_once import at_once

MINUTE_MS = 60_000


@pytest.fixture
def scene(database):
    return Scene(database)


@pytest.fixture
def lite(lite):
    """On SQLite alone, for what no database has to do with."""
    return Scene(lite)


def test_a_code_that_is_past_its_time_lets_nobody_in(lite):
    machine = Machine()
    shown = lite.ask(machine)
    lite.clock.time_ms += newcomers.CODE_MS
    with pytest.raises(Conflict, match="past its time"):
        lite.approve(shown)
    assert lite.poll(machine, shown) == Polled("expired")
    assert lite.certificates() == ()


CLOCKS = {
    "a minute back": (-MINUTE_MS, "waiting"),
    "a day back": (-DAY_MS, "expired"),
    "a year on": (365 * DAY_MS, "expired"),
}


@pytest.mark.parametrize(("moved_ms", "state"), CLOCKS.values(), ids=CLOCKS)
def test_a_clock_that_jumps_makes_no_code_live_for_ever(lite, moved_ms, state):
    machine = Machine()
    shown = lite.ask(machine)
    lite.clock.time_ms += moved_ms
    assert lite.poll(machine, shown).state == state


def test_whoever_has_the_secret_but_not_the_key_is_told_nothing(lite):
    machine, thief = Machine(), Machine()
    shown = lite.ask(machine)
    lite.approve(shown)
    answer = lite.poll(machine, shown, by=thief)
    assert isinstance(answer, Refused) and answer.kind == "forbidden"
    assert lite.certificates() == ()
    stranger = Shown("BBBB-BBBB", "0" * 64, "", 0, 0)
    assert lite.poll(thief, stranger) == Polled("expired")


def test_who_polls_too_soon_is_told_to_wait_longer(lite):
    machine = Machine()
    shown = lite.ask(machine)
    told = []
    for wait_ms in (0, 5_000, 1_000, 10_000, 9_000):
        lite.clock.time_ms += wait_ms
        answer = lite.poll(machine, shown)
        told.append((answer.state, answer.interval_s))
    assert told == [
        ("waiting", 5),
        ("waiting", 5),
        ("slow_down", 10),
        ("waiting", 10),
        ("slow_down", 15),
    ]


def test_one_address_cannot_fill_the_place_nor_push_others_out(lite):
    honest = Machine()
    shown = lite.ask(honest, address="198.51.100.1")
    answers = [lite.ask(address=f"2001:db8::{number:x}") for number in range(1, 21)]
    assert [type(one) for one in answers] == [Shown] * 16 + [Full] * 4
    assert answers[-1].of_address
    assert isinstance(lite.ask(address="203.0.113.9"), Shown)
    lite.approve(shown)
    assert isinstance(lite.poll(honest, shown)[0], Issued)
    assert lite.events().count("newcomers_full") == 1
    lite.clock.time_ms += newcomers.CODE_MS  # What is past its time takes no place.
    assert isinstance(lite.ask(address="2001:db8::1"), Shown)


def test_a_flood_from_everywhere_pushes_nobody_out_and_claims_go_on(lite):
    honest = Machine()
    shown = lite.ask(honest)
    answers = [lite.ask(address=f"203.0.113.{one}", waiting_max=3) for one in range(1, 6)]
    assert [type(one) for one in answers] == [Shown, Shown, Full, Full, Full]
    assert lite.poll(honest, shown).state == "waiting"
    by_claim = lite.trust.enrol(Machine().request(claimed(lite.trust)), address="")
    assert isinstance(by_claim, Issued)


def test_who_guesses_codes_is_not_listened_to_and_others_are(scene):
    shown = scene.ask()
    for _ in range(5):
        with pytest.raises(NotThere):
            scene.look("BBBB-BBBB", by="mallory")
        assert scene.look(shown.code, by="li.na")
    with pytest.raises(Conflict, match="too many wrong codes"):
        scene.look(shown.code, by="mallory")
    assert scene.events().count("shown_code_guessed") == 5
    scene.clock.time_ms += MINUTE_MS + 1
    assert scene.look(shown.code, by="mallory")
    # A right code forgives nothing: the next wrong one costs twice as much.
    with pytest.raises(NotThere):
        scene.look("BBBB-BBBB", by="mallory")
    scene.clock.time_ms += MINUTE_MS + 1
    with pytest.raises(Conflict, match="too many wrong codes"):
        scene.look(shown.code, by="mallory")


def test_a_hundred_guesses_at_once_are_no_more_than_five(scene):
    def guess():
        try:
            scene.look("BBBB-BBBB", by="mallory")
        except NotThere:
            return "guessed"
        except Conflict:
            return "refused"

    told = at_once(*[guess] * 12)
    assert told.count("guessed") == 5


WRONG = {
    "another fingerprint": ({"fingerprint": "0000 0000 0000 0000"}, Conflict),
    "no fingerprint": ({"fingerprint": ""}, Conflict),
    "another name than its own": ({"gateway": "dock-z"}, Conflict),
    "a name of ours": ({"gateway": "central"}, Exception),
    "a name that is none": ({"gateway": "a/b"}, Exception),
    "no such place": ({"receive_location": "a/b"}, Exception),
    "not my warehouse": ({"places": frozenset({"BJ1"})}, NotThere),
}


@pytest.mark.parametrize(("changed", "error"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_let_in_leaves_everything_as_it_was(lite, changed, error):
    machine = Machine()
    name = "dock-a" if "another name" in str(changed) or changed.get("gateway") == "dock-z" else ""
    shown = lite.ask(machine, gateway=name)
    with pytest.raises(error):
        lite.approve(shown, **changed)
    assert lite.poll(machine, shown).state == "waiting"
    with lite.database.read() as connection:
        assert registry.list_claims(connection) == ()


def test_a_request_that_is_not_signed_by_its_keys_gets_no_code(lite):
    machine = Machine()
    forged = machine.csr(signer=None).replace("A", "B", 3)
    for said in ({"signing_proof": bytes(64)}, {"csr": forged}, {"csr": "x" * 5000}):
        answer = lite.ask(machine, **said)
        assert isinstance(answer, Refused) and answer.kind == "unusable"


def test_the_name_in_a_request_is_nobodys_who_is_let_in(lite):
    machine = Machine()
    shown = lite.ask(machine, csr=machine.csr("central", is_authority=True))
    lite.approve(shown)
    issued, _ = lite.poll(machine, shown)
    certificate = x509.load_pem_x509_certificate(issued.certificate.pem.encode())
    assert [one.value for one in certificate.subject] == ["dock-a"]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_who_is_revoked_between_approval_and_certificate_stays_out(scene):
    scene.trust.enrol(Machine().request(claimed(scene.trust)), address="")
    machine = Machine()
    shown = scene.ask(machine)
    scene.approve(shown)
    scene.trust.revoke("dock-a", reason="stolen", by="li.na")
    assert scene.poll(machine, shown).kind == "forbidden"
    assert all(one.revoked_ms for one in scene.certificates())


def test_nobody_can_redeem_the_claim_of_an_approval_by_a_code(lite):
    claim = lite.approve(lite.ask())
    guessed = ClaimCode(claim.name, "0" * 11).text
    answer = lite.trust.enrol(Machine().request(guessed), address="")
    assert isinstance(answer, Refused) and lite.certificates() == ()
