"""What a machine that shows a code asks over HTTP, and what staff see and do on their page."""

import re

import pytest

from central.trust.asking import Asking
from tests.central.clients import call
from tests.central.one_app import application
from tests.central.trust.machines import Machine, SetClock, trust_of

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def trust(database):
    return trust_of(database, clock=SetClock())


@pytest.fixture
def app(database, trust):
    made = application(database=database, clock=trust.clock)
    made.state.trust = trust
    yield made
    made.state.trust = None


def post(app, path, body, **options):
    return call(app, "POST", f"/api/v1{path}", json=body, **options)


def polled(app, machine, secret):
    body = {"secret": secret, "signature": machine.signed_poll(secret).hex()}
    return post(app, "/enrol/poll", body)


def test_a_machine_and_staff_come_together_over_http(app):
    machine = Machine()
    asked = post(app, "/enrol/ask", machine.asking() | {"hardware": "Pi 4"}).json()
    assert re.fullmatch("[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}", asked["code"])
    assert (asked["page"], asked["interval_s"]) == ("/claims/shown", 5)
    assert polled(app, machine, asked["secret"]).json()["state"] == "waiting"
    seen = post(app, "/claims/shown/look", {"code": asked["code"]}).json()
    assert (seen["fingerprint"], seen["hardware"]) == (asked["fingerprint"], "Pi 4")
    assert "secret" not in seen and asked["secret"] not in str(seen)
    body = {"code": asked["code"], "fingerprint": seen["fingerprint"], "gateway": "dock-a"}
    made = post(app, "/claims/shown/approve", body | {"warehouse": "SH1"})
    assert (made.status_code, made.json()["state"], made.json()["code"]) == (201, "open", None)
    became = polled(app, machine, asked["secret"]).json()
    assert (became["state"], became["issued"]["gateway"]) == ("issued", "dock-a")
    assert call(app, "GET", "/api/v1/claims").json()["claims"][0]["state"] == "used"


def test_a_machine_that_is_denied_hears_so_over_http(app):
    machine = Machine()
    asked = post(app, "/enrol/ask", machine.asking()).json()
    assert post(app, "/claims/shown/deny", {"code": asked["code"]}).status_code == 200
    assert polled(app, machine, asked["secret"]).json()["state"] == "denied"


REFUSALS = {
    "a code that nobody shows": ("/claims/shown/look", {"code": "BBBB-BBBB"}, 404),
    "no code": ("/claims/shown/look", {"code": "'; DROP TABLE newcomers; --"}, 422),
    "a name that is none": ("/enrol/ask", {"gateway": "<b>"}, 422),
    "a forged proof": ("/enrol/ask", {"signing_proof": "00" * 64}, 400),
    "a huge request": ("/enrol/ask", {"csr": "x" * 5000}, 422),
    "no secret": ("/enrol/poll", {"secret": "x", "signature": "00" * 70}, 422),
}


@pytest.mark.parametrize(("path", "body", "status"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_why_and_what_to_do(app, path, body, status):
    if path.endswith("ask"):
        body = Machine().asking() | body
    answer = post(app, path, body)
    assert answer.status_code == status
    assert answer.json()["detail"] and answer.json()["hint"]


def test_too_many_are_told_when_to_come_again(app, trust):
    machine = Machine()
    for number in range(16):
        Asking(trust).ask(Machine().request(""), address="127.0.0.1" if number else "")
    answers = [post(app, "/enrol/ask", Machine().asking()) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 429]
    assert answers[1].headers["retry-after"] and answers[1].json()["hint"]
    assert polled(app, machine, "0" * 64).json()["state"] == "expired"


def test_the_page_shows_what_asks_and_lets_it_in(app):
    machine = Machine()
    asked = post(app, "/enrol/ask", machine.asking() | {"hardware": "<b>Pi</b>"}).json()

    def send(**fields):
        return call(app, "POST", "/claims/shown", data=fields, headers=FORM)

    page = call(app, "GET", "/claims/shown")
    assert page.headers["cache-control"] == "no-store" and asked["code"] not in page.text
    assert "a code that somebody sent you" in page.text or "Never one that somebody" in page.text
    wrong = send(step="look", code="BBBB-BBBB")
    assert 'role="alert"' in wrong.text and 'data-part="machine"' not in wrong.text
    shown = send(step="look", code=asked["code"].lower())
    assert asked["fingerprint"] in shown.text and "127.0.0.1" in shown.text
    assert "&lt;b&gt;Pi" in shown.text and "<b>Pi" not in shown.text
    assert asked["code"] not in str(shown.url)
    fields = {"code": asked["code"], "fingerprint": asked["fingerprint"], "gateway": "dock-a"}
    fields |= {"step": "approve", "warehouse": "SH1", "receive_location": "DOCK-1"}
    unseen = send(**fields)
    assert 'role="alert"' in unseen.text and 'data-part="let-in"' not in unseen.text
    assert 'data-part="let-in"' in send(**fields, compared="yes").text
    issued = polled(app, machine, asked["secret"]).json()["issued"]
    assert issued["receive_location"] == "DOCK-1"


def test_the_page_denies(app):
    machine = Machine()
    asked = post(app, "/enrol/ask", machine.asking() | {"gateway": "dock-a"}).json()
    look = {"step": "look", "code": asked["code"]}
    shown = call(app, "POST", "/claims/shown", data=look, headers=FORM)
    assert 'name="receive_location"' not in shown.text  # It is set up, and knows its place.
    denied = call(app, "POST", "/claims/shown", data=look | {"step": "deny"}, headers=FORM)
    assert 'data-part="denied"' in denied.text
    assert polled(app, machine, asked["secret"]).json()["state"] == "denied"


def test_without_authorities_nobody_shows_a_code(app):
    app.state.trust = None
    assert post(app, "/enrol/ask", Machine().asking()).status_code == 404
    assert call(app, "GET", "/claims/shown").status_code == 404
    assert "/claims/shown" not in call(app, "GET", "/gateways").text
