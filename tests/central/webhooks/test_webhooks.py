"""Other programs are told what happened, signed, in order, again until they have it."""

import base64
import hashlib
import hmac
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from central.api.parameters import write_cursor
from central.api.writing import WriteSide
from central.ledger.desk import Desk
from central.storage.tables import idempotency_keys
from central.webhooks.http_sender import Attempt, HttpSender
from central.webhooks.messages import (
    GIVE_UP_ATTEMPTS,
    GIVE_UP_MS,
    PAUSE_MS_MAX,
    Signed,
    pause_ms,
)
from central.webhooks.outgoing import GIVEN_UP_KEPT_MS, fill, read_due
from central.webhooks.subscribing import list_subscriptions
from central.webhooks.webhook_loop import WebhookLoop
from tests.central.clients import ANY, call
from tests.central.one_app import application
from tests.central.scenery import FixedClock, load
from tests.waiting import wait_for


class Subscriber:
    """A program that is told; `answers` are its next answers by object, then 204."""

    def __init__(self):
        self.told, self.answers = [], {}

    def codes(self):
        return [(one["data"]["code"], one["data"]["action"]) for _, one in self.told]


@contextmanager
def subscriber():
    program = Subscriber()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            message = json.loads(body)
            answers = program.answers.get(message["data"]["code"], [])
            status = answers.pop(0) if answers else 204
            if status < 300:
                program.told.append((dict(self.headers) | {"raw": body}, message))
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    program.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield program
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Office:
    """The desk, its application, and what tells."""

    def __init__(self, database):
        load(database)
        self.database = database
        self.clock = FixedClock()
        self.desk = Desk(database, clock=self.clock)
        writing = WriteSide(self.desk)
        self.app = application(database=database, clock=self.clock, writing=writing)
        self.sender = HttpSender(timeout_s=2.0)
        self.loop = WebhookLoop(database, sender=self.sender, clock=self.clock, jitter=lambda: 0.0)

    def happen(self, *events, kind="transfer"):
        for code, action in events:
            with self.desk.change(actor="li.na") as change:
                change.note(kind, code, action, warehouse="SH1", lines_count=2)

    def tell(self):
        for _ in range(20):
            if self.loop.turn():
                return
        pytest.fail("there is always more to tell")

    def ask(self, method, path="", **options):
        return call(self.app, method, f"/api/v1/webhooks{path}", **options)

    def subscribe(self, url, **body):
        answer = self.ask("POST", json={"url": url} | body)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
def office(database):
    office = Office(database)
    yield office
    office.sender.close()


def test_a_subscriber_is_told_of_what_happens_from_now_on_signed_with_its_secret(office):
    office.happen(("TR-0", "drafted"))
    with subscriber() as program:
        made = office.subscribe(program.url)
        office.happen(("TR-1", "drafted"), ("TR-1", "approved"))
        office.tell()
    assert program.codes() == [("TR-1", "drafted"), ("TR-1", "approved")]
    headers, message = program.told[1]
    assert message["type"] == "transfer.approved"
    assert (message["data"]["event_no"], message["data"]["previous_event_no"]) == (4, 3)
    assert (message["data"]["actor"], message["data"]["fields"]) == ("li.na", {"lines_count": 2})
    key = base64.b64decode(made["secret"].removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + headers["raw"]
    mark = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mark}"
    assert office.ask("GET", f"/{made['code']}").json()["secret"] is None


def test_a_secret_is_shown_to_no_repeated_request_and_kept_for_none(office):
    url, once = "http://127.0.0.1:9/hook", {"headers": {"Idempotency-Key": "k1"}}
    first, again = (office.ask("POST", json={"url": url}, **once) for _ in range(2))
    assert first.json()["secret"].startswith("whsec_")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.json()) == (201, first.json() | {"secret": None})
    patch = {"json": {"new_secret": True}}
    patch |= {"headers": {"Idempotency-Key": "k2", "If-Match": first.headers["ETag"]}}
    code = first.json()["code"]
    first, again = (office.ask("PATCH", f"/{code}", **patch) for _ in range(2))
    assert first.json()["secret"].startswith("whsec_")
    assert (again.status_code, again.json()) == (200, first.json() | {"secret": None})
    with office.database.read() as connection:
        assert "whsec_" not in str(connection.execute(select(idempotency_keys)).all())


def test_what_waits_of_a_kind_that_a_subscriber_drops_is_not_told(office):
    with subscriber() as program:
        made = office.subscribe(program.url, kinds=["item", "transfer"])
        program.answers = {"TR-1": [500], "NUT": [500]}
        office.happen(("TR-1", "drafted"))
        office.happen(("NUT", "changed"), kind="item")
        office.tell()
        said = {"headers": {"If-Match": "*"}}
        office.ask("PATCH", f"/{made['code']}", json={"kinds": ["item"]}, **said)
        waiting = office.ask("GET", f"/{made['code']}/deliveries").json()["deliveries"]
        assert [(one["kind"], one["state"]) for one in waiting] == [("item", "waiting")]
        program.told.clear()
        office.clock.time_ms += 60_000
        office.tell()
        assert program.codes() == [("NUT", "changed")]
        office.happen(("li.na", "changed"), kind="user")
        office.ask("PATCH", f"/{made['code']}", json={"kinds": ["user"]}, **said)
        program.answers = {"li.na": [500]}
        office.tell()
        office.ask("PATCH", f"/{made['code']}", json={"kinds": []}, **said)  # All but such.
        assert office.ask("GET", f"/{made['code']}/deliveries").json()["deliveries"] == []


def test_an_event_that_is_refused_holds_back_its_object_alone_and_comes_again_in_order(office):
    with subscriber() as program:
        made = office.subscribe(program.url)
        program.answers["TR-1"] = [500, 302]
        office.happen(("TR-1", "drafted"), ("TR-2", "drafted"), ("TR-1", "approved"))
        office.tell()
        assert program.codes() == [("TR-2", "drafted")]
        (first, second) = office.ask("GET", f"/{made['code']}/deliveries").json()["deliveries"]
        assert (first["attempts_count"], first["last_status"]) == (1, 500)
        assert (second["attempts_count"], second["state"]) == (0, "waiting")
        office.tell()
        assert len(program.told) == 1  # Nothing is tried before its time.
        for pause in (5_000, 10_000):
            office.clock.time_ms += pause
            office.tell()
    assert program.codes() == [("TR-2", "drafted"), ("TR-1", "drafted"), ("TR-1", "approved")]
    assert office.ask("GET", f"/{made['code']}/deliveries").json()["deliveries"] == []


def test_what_is_never_taken_is_given_up_and_tried_again_when_somebody_asks(office):
    with subscriber() as program:
        made = office.subscribe(program.url)
        program.answers["TR-1"] = [500] * 1000
        office.happen(("TR-1", "drafted"))
        for _ in range(GIVE_UP_ATTEMPTS):
            office.tell()
            office.clock.time_ms += GIVE_UP_MS
        (only,) = office.ask("GET", f"/{made['code']}/deliveries").json()["deliveries"]
        assert only["state"] == "given_up"
        office.happen(("TR-1", "approved"))
        program.answers["TR-1"] = []
        office.tell()
        # It is told that there was something before.
        assert program.codes() == [("TR-1", "approved")]
        assert program.told[0][1]["data"]["previous_event_no"] == only["event_no"]
        retried = office.ask("POST", f"/{made['code']}/retry").json()
        assert retried == {"retried_count": 1}
        office.tell()
        assert program.codes()[1] == ("TR-1", "drafted")


def test_what_waited_while_the_ledger_was_off_is_not_given_up_at_its_first_failure(office):
    with subscriber() as program:
        made = office.subscribe(program.url)
        program.answers["TR-1"] = [500] * (GIVE_UP_ATTEMPTS - 1)
        office.happen(("TR-1", "drafted"), ("TR-1", "approved"))
        fill(office.database, now_ms=office.clock.time_ms)
        office.clock.time_ms += GIVE_UP_MS  # Nobody is there to tell it.
        for _ in range(GIVE_UP_ATTEMPTS):
            office.tell()
            office.clock.time_ms += PAUSE_MS_MAX * 2
        office.tell()
        taken = program.codes()[-2:]
        assert taken == [("TR-1", "drafted"), ("TR-1", "approved")]
        assert office.ask("GET", f"/{made['code']}/deliveries").json()["deliveries"] == []


def test_one_subscriber_that_is_away_delays_no_other(office):
    with subscriber() as program:
        gone = office.subscribe("http://127.0.0.1:9/nobody")
        office.subscribe(program.url, kinds=["transfer"])
        office.happen(("TR-1", "drafted"))
        office.happen(("PO-1", "drafted"), kind="purchase_order")
        office.tell()
        assert program.codes() == [("TR-1", "drafted")]
        waiting = office.ask("GET", f"/{gone['code']}/deliveries").json()["deliveries"]
        assert {(one["last_status"], one["state"]) for one in waiting} == {(0, "waiting")}
        assert "Connect" in waiting[0]["last_error"]


def test_many_events_of_one_that_is_away_take_no_room_from_another(office):
    with subscriber() as program:
        office.subscribe("http://127.0.0.1:9/nobody")
        office.happen(*((f"TR-{number}", "drafted") for number in range(100)))
        office.loop.turn()
        office.subscribe(program.url)
        office.happen(("TR-X", "drafted"))
        office.loop.turn()
        assert program.codes() == [("TR-X", "drafted")]
        assert office.loop.turn()  # Whoever is away is left alone for a while.
        assert office.loop.counters() == {"failed_total": 1, "taken_total": 1}


def test_one_that_takes_its_time_has_the_rest_in_the_next_turn(office):
    class Slow:
        """Each of its answers takes six seconds of the office's clock."""

        def send(self, _url, _signed):
            office.clock.time_ms += 6_000
            return Attempt(204, "")

        def close(self):
            """Nothing is open."""

    loop = WebhookLoop(office.database, sender=Slow(), clock=office.clock, jitter=lambda: 0.0)
    office.subscribe("http://127.0.0.1:9/slow")
    office.happen(*((f"TR-{number}", "drafted") for number in range(5)))
    for taken_count in (2, 4, 5):
        loop.turn()
        assert loop.counters() == {"taken_total": taken_count}


def test_a_name_that_nobody_can_look_up_is_a_failed_attempt(office):
    name = "a" * 64
    attempt = office.sender.send(f"http://{name}.example/", Signed(b"{}", {}))
    assert (attempt.status, attempt.taken) == (0, False)


def test_what_was_given_up_is_forgotten_after_a_month(office):
    with subscriber() as program:
        made = office.subscribe(program.url)
        program.answers["TR-1"] = [500] * 1000
        office.happen(("TR-1", "drafted"))
        for _ in range(GIVE_UP_ATTEMPTS):
            office.tell()
            office.clock.time_ms += GIVE_UP_MS
        office.clock.time_ms += GIVEN_UP_KEPT_MS
        office.happen(("TR-2", "drafted"))
        office.tell()
    assert office.ask("GET", f"/{made['code']}/deliveries").json()["deliveries"] == []


def test_a_secret_stands_in_no_text_that_is_made_of_what_is_due(office):
    office.subscribe("http://127.0.0.1:9/nobody")
    office.happen(("TR-1", "drafted"))
    with office.database.read() as connection:
        (known,) = list_subscriptions(connection)
        fill(office.database, now_ms=office.clock.time_ms)
    with office.database.read() as connection:
        (due,) = read_due(connection, now_ms=office.clock.time_ms)
    assert known.secret_hex == due.secret_hex
    assert known.secret_hex not in f"{known}{due}"


def test_a_cursor_that_no_ledger_gave_is_refused(office):
    made = office.subscribe("http://127.0.0.1:9/nobody")
    for number in (2**64 - 1, -1):
        parameters = {"cursor": write_cursor([number, ""])}
        answer = office.ask("GET", f"/{made['code']}/deliveries", params=parameters)
        assert answer.status_code == 422


def test_a_subscriber_that_says_it_is_gone_is_told_nothing_until_somebody_wakes_it(office):
    with subscriber() as program:
        made = office.subscribe(program.url)
        program.answers["TR-1"] = [410]
        office.happen(("TR-1", "drafted"))
        office.tell()
        office.clock.time_ms += PAUSE_MS_MAX
        office.tell()
        assert program.told == []
        answer = office.ask("GET", f"/{made['code']}")
        assert answer.json()["active"] is False
        stale = {"if-match": '"1"'}
        body = {"active": True}
        refused = office.ask("PATCH", f"/{made['code']}", json=body, headers=stale)
        assert refused.status_code == 412
        fresh = {"if-match": answer.headers["etag"]}
        assert office.ask("PATCH", f"/{made['code']}", json=body, headers=fresh).status_code == 200
        office.tell()
        assert program.codes() == [("TR-1", "drafted")]


def test_the_thread_tells_soon_after_a_change_and_ends_when_asked(office):
    with subscriber() as program:
        office.subscribe(program.url)
        office.loop.start()
        try:
            office.happen(("TR-1", "drafted"))
            office.loop.wake()
            wait_for(lambda: program.codes() == [("TR-1", "drafted")], what="told")
            wait_for(lambda: office.loop.counters() == {"taken_total": 1}, what="counted")
        finally:
            office.loop.stop()
        assert not office.loop.alive()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("ftp://example.com/", id="scheme"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("http://", id="no-host"),
        pytest.param("http://user:secret@example.com/", id="password"),
        pytest.param("http://example.com:99999/", id="port"),
        pytest.param("http://exa mple.com/", id="blank"),
        pytest.param("http://[::1/", id="bracket"),
        pytest.param(f"http://{'a' * 64}.example/", id="label-too-long"),
        pytest.param("http://erp..example/", id="empty-label"),
    ],
)
def test_an_address_that_cannot_be_told_anything_is_refused(office, url):
    answer = office.ask("POST", json={"url": url})
    assert answer.status_code == 422
    assert answer.json()["hint"]


def test_an_unknown_subscriber_is_not_there_and_a_deleted_one_is_told_nothing(office):
    assert office.ask("GET", "/WH-9").status_code == 404
    with subscriber() as program:
        made = office.subscribe(program.url)
        office.happen(("TR-1", "drafted"))
        path = f"/{made['code']}"
        assert office.ask("DELETE", path).status_code == 428
        assert office.ask("DELETE", path, headers=ANY).json() == {"code": made["code"]}
        office.tell()
    assert program.told == []
    assert office.ask("GET").json() == {"webhooks": [], "next_cursor": None}


def test_pauses_double_up_to_an_hour_and_are_spread_over_a_fifth():
    assert [pause_ms(count, jitter=0.0) for count in (1, 2, 3, 30)] == [
        5_000,
        10_000,
        20_000,
        PAUSE_MS_MAX,
    ]
    assert pause_ms(1, jitter=0.5) == 4_500
