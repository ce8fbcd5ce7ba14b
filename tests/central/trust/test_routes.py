"""What a Pi and staff ask for over HTTP: answered, refused with a reason, never the code twice."""

import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from central.access.audit import AuditFilter, list_audit
from central.contract.enrolment import authorization, request_bytes
from central.trust.events import counted_since
from central.trust.trust import ATTEMPTS_A_MINUTE_MAX, ATTEMPTS_OF_ONE_MAX
from tests.central.clients import call
from tests.central.one_app import application
from tests.central.trust.machines import DAY_MS, Machine, SetClock, claimed, trust_of


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def trust(database, clock):
    return trust_of(database, clock=clock)


@pytest.fixture
def app(database, clock, trust):
    made = application(database=database, clock=clock)
    made.state.trust = trust
    yield made
    made.state.trust = None


def enrol(app, body):
    return call(app, "POST", "/api/v1/enrol", json=body)


def test_a_pi_that_asks_over_http_gets_what_it_needs(app, trust):
    answer = enrol(app, Machine().body(claimed(trust)))
    assert answer.status_code == 200
    said = answer.json()
    assert (said["gateway"], said["warehouse"], said["site"]) == ("dock-a", "SH1", "demo")
    assert said["broker_host"] == "broker.example.com"
    assert "PRIVATE" not in answer.text


REFUSALS = {
    "no claim": ("0000-0000-0000-0000", None, 403),
    "no code at all": ("'); DROP TABLE claims; --", None, 403),
    "a weak key": (None, lambda: Machine(key=rsa.generate_private_key(65537, 1024)).csr(), 400),
}


@pytest.mark.parametrize(("claim", "csr", "status"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_why_and_what_to_do(app, trust, claim, csr, status):
    body = Machine().body(claim or claimed(trust), csr=csr() if csr else None)
    answer = enrol(app, body)
    assert answer.status_code == status
    assert answer.json()["detail"] and answer.json()["hint"]


@pytest.mark.parametrize("size", [5_000, 600_000], ids=["a long field", "a huge body"])
def test_too_much_is_refused(app, trust, size):
    body = Machine().body(claimed(trust)) | {"csr": "x" * size}
    assert enrol(app, body).status_code in {413, 422}


def test_guessing_is_slowed_down_for_everybody(app, trust, clock):
    body = Machine().body("0000-0000-0000-0000")
    for _ in range(ATTEMPTS_A_MINUTE_MAX):
        assert trust.attempts.allowed(clock.monotonic_s())
    answer = enrol(app, body)
    assert (answer.status_code, "retry-after" in answer.headers) == (429, True)
    clock.time_ms += 61_000
    assert enrol(app, body).status_code == 403


def test_one_address_alone_keeps_nobody_else_out(trust, clock):
    now_s = clock.monotonic_s()
    asked = [trust.attempts.allowed(now_s, address="192.0.2.1") for _ in range(200)]
    assert asked.count(True) == ATTEMPTS_OF_ONE_MAX
    assert trust.attempts.allowed(now_s, address="192.0.2.2")
    assert trust.attempts.allowed(now_s + 60, address="192.0.2.1")


def test_one_network_of_ipv6_alone_keeps_nobody_else_out(trust, clock):
    now_s = clock.monotonic_s()
    asked = [trust.attempts.allowed(now_s, address=f"2001:db8::{one:x}") for one in range(200)]
    assert asked.count(True) == ATTEMPTS_OF_ONE_MAX
    assert trust.attempts.allowed(now_s, address="2001:db8:0:1::1")


def test_each_revoked_gateway_that_asks_is_noted(trust, database):
    for gateway in ("dock-a", "dock-b"):
        trust.enrol(Machine().request(claimed(trust, gateway)), address="")
        trust.revoke(gateway, reason="lost", by="li.na")
    for gateway in ("dock-a", "dock-b", "dock-a"):
        assert not trust.is_signed(gateway, b"x", bytes(64), address="192.0.2.9")
    with database.read() as connection:
        seen = counted_since(connection, ("revoked_seen",), since_ms=0, limit=9)
    assert [(one.subject, one.count) for one in seen] == [("dock-a", 1), ("dock-b", 1)]


def test_who_becomes_a_gateway_and_who_ends_it_stands_in_the_audit(trust, database):
    trust.enrol(Machine().request(claimed(trust)), address="")
    trust.revoke("dock-a", reason="stolen", by="li.na")
    with database.read() as connection:
        found = list_audit(connection, AuditFilter(code="dock-a"), before=None, limit=9)
    assert [(one.action, one.actor, one.warehouse) for one in found] == [
        ("revoked", "li.na", "SH1"),
        ("enrolled", "dock-a", "SH1"),
    ]


def test_staff_make_a_claim_and_see_its_code_once(app):
    made = call(
        app, "POST", "/api/v1/claims", json={"gateway": "dock-a", "warehouse": "SH1"}
    ).json()
    assert made["state"] == "open" and made["qr_svg"].startswith("<?xml")
    listed = call(app, "GET", "/api/v1/claims")
    assert made["code"].replace("-", "")[4:] not in listed.text.replace("-", "")
    assert listed.json()["claims"][0]["code"] is None
    gone = call(app, "POST", f"/api/v1/claims/{made['name']}/withdraw").json()
    assert gone["claims"][0]["state"] == "withdrawn"
    assert enrol(app, Machine().body(made["code"])).status_code == 403


def test_staff_revoke_and_everybody_can_fetch_the_list(app, trust):
    enrol(app, Machine().body(claimed(trust)))
    (good,) = call(app, "GET", "/api/v1/claims/certificates").json()["certificates"]
    answer = call(app, "POST", "/api/v1/gateways/dock-a/revoke", json={"reason": "stolen"})
    assert answer.json() == {"gateway": "dock-a", "revoked": 1}
    (bad,) = call(app, "GET", "/api/v1/claims/certificates").json()["certificates"]
    assert (good["revoked_at"], bad["reason"]) == (None, "stolen")
    crl = x509.load_der_x509_crl(call(app, "GET", "/api/v1/revocation-list").content)
    assert [f"{one.serial_number:x}" for one in crl] == [good["serial"]]
    unknown = call(app, "POST", "/api/v1/gateways/nobody/revoke", json={"reason": "lost"})
    assert unknown.status_code == 404


def test_the_page_shows_a_new_code_once_and_everything_that_happened(app, trust):
    form = {"gateway": "dock-<b>", "warehouse": "SH1", "hours": "72"}
    head = {"content-type": "application/x-www-form-urlencoded"}
    refused = call(app, "POST", "/claims", data=form, headers=head)
    assert "dock-&lt;b&gt;" in refused.text and "dock-<b>" not in refused.text
    made = call(app, "POST", "/claims", data=form | {"gateway": "dock-a"}, headers=head)
    assert 'class="claim-code"' in made.text and made.headers["cache-control"] == "no-store"
    again = call(app, "GET", "/claims")
    assert 'class="claim-code"' not in again.text and "dock-a" in again.text


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 404),  # Who may ask hears that there is no such file.
        ({"path": "/api/v1/snapshots/" + "1" * 64}, 403),
        ({"gateway": "dock-b"}, 403),
        ({"days": 2}, 403),
        ({"key": "other"}, 403),
        ({"header": "Bearer x"}, 403),
        ({"header": ""}, 403),
    ],
    ids=json.dumps,
)
def test_a_snapshot_is_given_to_the_gateway_that_signs_for_it_alone(
    app, trust, clock, change, status
):
    machine = Machine()
    enrol(app, machine.body(claimed(trust)))
    path, gateway = "/api/v1/snapshots/" + "0" * 64, change.get("gateway", "dock-a")
    time_ms = clock.time_ms - change.get("days", 0) * DAY_MS
    data = request_bytes(
        method="GET", path=change.get("path", path), gateway=gateway, time_ms=time_ms
    )
    signer = Machine() if "key" in change else machine
    header = change.get(
        "header",
        authorization(gateway=gateway, time_ms=time_ms, signature=signer.journal.sign(data)),
    )
    answer = call(app, "GET", path, headers={"authorization": header})
    assert answer.status_code == status


def test_without_authorities_nothing_of_this_is_there(database, clock):
    app = application(database=database, clock=clock)
    app.state.trust = None
    assert enrol(app, Machine().body("0000-0000-0000-0000")).status_code == 404
    assert call(app, "GET", "/api/v1/claims").status_code == 404
    assert call(app, "GET", "/api/v1/snapshots/" + "0" * 64).status_code == 404
    assert "/claims" not in call(app, "GET", "/gateways").text
