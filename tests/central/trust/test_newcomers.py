"""A machine that shows a code is let in by whoever has compared it, once, and nobody else is."""

import json
from functools import partial

import pytest
from cryptography import x509
from sqlalchemy import select

from central.access.audit import AuditFilter, list_audit
from central.contract.enrolment import fingerprint
from central.errors import Conflict, NotThere, Unusable
from central.storage.tables import gateways
from central.storage.trust_tables import newcomers as table
from central.trust import newcomers
from central.trust.asking import Polled, Shown
from central.trust.enrolling import Issued
from central.trust.events import latest
from central.trust.requests import spki_of
from central.trust.shown_codes import ALPHABET, CODES_COUNT, make_shown_code, parse_shown_code
from tests.central.trust.machines import (
    HOUR_MS,
    NOW_MS,
    Machine,
    claimed,
)
from tests.central.trust.newcomer_scene import Scene
from tests.central.trust.test_at_once import at_once

MINUTE_MS = 60_000


@pytest.fixture
def scene(database):
    return Scene(database)


def test_a_code_is_eight_consonants_that_people_may_type_as_they_like():
    assert make_shown_code(0) == "BBBB-BBBB" and make_shown_code(CODES_COUNT - 1) == "ZZZZ-ZZZZ"
    assert len(ALPHABET) == 20 and not set(ALPHABET) & set("AEIOUY0123456789")
    assert parse_shown_code(" wdjb mjht\n") == parse_shown_code("WDJB-MJHT") == "WDJBMJHT"
    for wrong in ("", "WDJB-MJH", "WDJB-MJHA", "WDJB-MJH1", "W" * 100, "'; --WDJ"):
        with pytest.raises(Unusable):
            parse_shown_code(wrong)


def test_a_machine_that_staff_let_in_gets_the_certificate_of_its_key(scene):
    machine = Machine()
    shown = scene.ask(machine, hardware="Pi 4 10000000abcdef")
    assert isinstance(shown, Shown) and (shown.expires_in_s, shown.interval_s) == (900, 5)
    assert scene.poll(machine, shown) == Polled("waiting", 5, 900)
    found = scene.look(shown.code.lower())
    assert found.fingerprint == shown.fingerprint
    assert (found.row.address, found.row.hardware) == ("192.0.2.7", "Pi 4 10000000abcdef")
    scene.approve(shown, receive_location="DOCK-1")
    issued, receive_location = scene.poll(machine, shown)
    assert (issued.is_new, receive_location) == (True, "DOCK-1")
    certificate = x509.load_pem_x509_certificate(issued.certificate.pem.encode())
    assert certificate.public_key() == machine.key.public_key()
    assert "dock-a" in certificate.subject.rfc4514_string()
    with scene.database.read() as connection:
        row = connection.execute(select(gateways)).one()
    assert (row.gateway, row.warehouse) == ("dock-a", "SH1")
    # An answer that is lost is given again, and there is one certificate.
    again, _ = scene.poll(machine, shown)
    assert (again.is_new, again.certificate.pem) == (False, issued.certificate.pem)
    assert len(scene.certificates()) == 1


def test_the_fingerprint_is_of_both_keys_so_that_both_sides_reckon_it_alone(scene):
    machine = Machine()
    own = fingerprint(
        spki=spki_of(machine.key.public_key()),
        signing_key=machine.journal.public_key().public_bytes_raw(),
    )
    assert scene.ask(machine).fingerprint == own
    for other in (Machine(key=machine.key), Machine(journal=machine.journal)):
        assert scene.ask(other).fingerprint != own


def test_who_is_let_in_and_who_is_not_stands_in_the_audit_with_before_and_after(scene):
    first, second = scene.ask(), scene.ask()
    claim = scene.approve(first)
    scene.deny(second, by="wang")
    with scene.database.read() as connection:
        noted = list_audit(connection, AuditFilter(kind="newcomer"), before=None, limit=9)
        claims = list_audit(connection, AuditFilter(kind="gateway_claim"), before=None, limit=9)
    told = [(one.action, one.actor, _fields(one)["before"], _fields(one)["after"]) for one in noted]
    assert told == [
        ("denied", "wang", {"state": "waiting"}, {"state": "denied"}),
        ("approved", "li.na", {"state": "waiting"}, {"state": "approved"}),
    ]
    fields = _fields(noted[1])
    assert (fields["gateway"], fields["claim"]) == ("dock-a", claim.name)
    assert (fields["fingerprint"], fields["address"]) == (first.fingerprint, "192.0.2.7")
    assert [(one.action, one.actor) for one in claims] == [("made", "li.na")]


def _fields(event):
    return event.fields if isinstance(event.fields, dict) else json.loads(event.fields)


def test_nothing_that_opens_a_door_is_kept_or_shown(scene):
    machine = Machine()
    shown = scene.ask(machine)
    scene.approve(shown)
    with scene.database.read() as connection:
        row = connection.execute(select(table)).one()
        events = " ".join(repr(one) for one in latest(connection, limit=9))
    kept = repr(tuple(row)) + events + repr(shown)
    assert shown.secret not in kept
    assert shown.code not in kept and shown.code.replace("-", "") not in kept


def test_an_approval_outlives_the_code_as_long_as_its_claim_and_no_longer(scene):
    early, late = Machine(), Machine()
    first, second = scene.ask(early), scene.ask(late)
    scene.approve(first, "dock-a")
    scene.approve(second, "dock-b")
    scene.clock.time_ms += 71 * HOUR_MS
    assert isinstance(scene.poll(early, first)[0], Issued)
    scene.clock.time_ms += HOUR_MS
    assert scene.poll(late, second).kind == "forbidden"
    assert scene.certificates("dock-b") == ()


def test_a_code_is_good_once(scene):
    machine = Machine()
    shown = scene.ask(machine)
    scene.approve(shown)
    for again in (scene.approve, scene.deny, lambda one: scene.look(one.code)):
        with pytest.raises(Conflict, match="has answered"):
            again(shown)


def test_a_machine_that_is_denied_hears_so_and_may_show_another_code(scene):
    machine = Machine()
    shown = scene.ask(machine)
    scene.deny(shown)
    assert scene.poll(machine, shown) == Polled("denied")
    other = scene.ask(machine)
    assert other.code != shown.code
    scene.approve(other)
    assert isinstance(scene.poll(machine, other)[0], Issued)
    assert sorted(scene.events()) == ["enrolled", "newcomer_approved", "newcomer_denied"]


def test_a_machine_that_asks_again_has_one_code_and_one_place(scene):
    machine = Machine()
    shown = [scene.ask(machine) for _ in range(40)]
    assert all(isinstance(one, Shown) for one in shown)
    with pytest.raises(NotThere):
        scene.look(shown[0].code)
    assert scene.look(shown[-1].code).fingerprint == shown[-1].fingerprint


def test_a_replaced_pi_takes_its_place_and_the_old_one_ends(scene):
    old, new = Machine(), Machine()
    before = scene.trust.enrol(old.request(claimed(scene.trust)), address="")
    shown = scene.ask(new, gateway="dock-a")
    scene.approve(shown)
    issued, _ = scene.poll(new, shown)
    assert issued.replaced_count == 1
    revoked = {one.serial: one.reason for one in scene.certificates() if one.revoked_ms}
    assert revoked == {before.certificate.serial: "replaced"}


def test_two_machines_at_once_get_each_its_own(scene):
    machines = [Machine(), Machine()]
    shown = at_once(*(lambda one=one: scene.ask(one) for one in machines))
    assert shown[0].code != shown[1].code
    at_once(
        *(
            lambda one=one, name=name: scene.approve(one, name)
            for one, name in zip(shown, "ab", strict=True)
        )
    )
    answers = at_once(
        *(lambda pair=pair: scene.poll(*pair) for pair in zip(machines, shown, strict=True))
    )
    for machine, name, (issued, _) in zip(machines, "ab", answers, strict=True):
        certificate = x509.load_pem_x509_certificate(issued.certificate.pem.encode())
        assert certificate.public_key() == machine.key.public_key()
        assert issued.certificate.gateway == name


def answer(deed):
    try:
        deed()
    except Conflict as error:
        return str(error)
    return "done"


def test_of_two_people_who_answer_at_once_one_is_heard(scene):
    for number in range(4):
        machine = Machine()
        shown = scene.ask(machine)

        told = at_once(
            partial(answer, partial(scene.approve, shown, f"dock-{number}", by="li.na")),
            partial(answer, partial(scene.deny, shown, by="wang")),
            partial(answer, partial(scene.approve, shown, f"bay-{number}", by="ann")),
        )
        assert told.count("done") == 1
        assert sum("has answered" in one for one in told) == 2
        issued = [one for kind in ("dock", "bay") for one in scene.certificates(f"{kind}-{number}")]
        assert issued == []


def test_a_machine_that_polls_at_once_from_two_threads_has_one_certificate(scene):
    machine = Machine()
    shown = scene.ask(machine)
    scene.approve(shown)
    answers = at_once(*(lambda: scene.poll(machine, shown) for _ in range(6)))
    assert len({one[0].certificate.pem for one in answers}) == 1
    assert len(scene.certificates()) == 1


def test_central_that_is_started_anew_has_forgotten_nothing(scene):
    machine = Machine()
    shown = scene.ask(machine)
    anew = Scene(scene.database)
    assert anew.poll(machine, shown).state == "waiting"
    anew.approve(shown)
    issued, _ = Scene(scene.database).poll(machine, shown)
    assert issued.certificate.gateway == "dock-a"


def test_what_is_over_is_forgotten(scene):
    for number in range(3):
        scene.approve(scene.ask(), f"dock-{number}")
    scene.deny(scene.ask())
    scene.ask()
    scene.clock.time_ms = NOW_MS + newcomers.DECIDED_KEPT_MS
    scene.ask()
    with scene.database.read() as connection:
        assert len(connection.execute(select(table)).all()) == 1
