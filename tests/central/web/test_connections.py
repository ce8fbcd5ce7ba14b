"""Connections that are held open without use: ended, counted, told; others are served meanwhile."""

import asyncio
import select
import socket
import ssl
import threading
from contextlib import ExitStack, closing, contextmanager

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from central.config import HttpSection
from central.service_notice import Pulse
from central.stock.alerts_safety import safety_alerts
from central.web.app import create_app
from central.web.connections import Connections, Patience
from central.web.serving import WebServer, web_config
from tests.central.certificates import write_certificate
from tests.central.scenery import NOW_MS, FixedClock
from tests.waiting import wait_for

STRANGER, VISITOR = "127.0.0.2", "127.0.0.3"
STRANGERS = 300
# A slow machine ends them late; nobody has to be quick here but who sends a whole head.
SHORT = Patience(head_s=1.0, body_s=1.0, taking_s=1.0, ended_s=0.2)
LONG = Patience(head_s=600.0, body_s=600.0, taking_s=600.0)
HALF_A_HEAD = b"GET /api/v1/health HTTP/1.1\r\nHost: central\r\nX-Slow:"


@contextmanager
def served(app, *, patience, clock_s=None, **http):
    """Serve as `serve` does; yields (port, what counts). clock_s: what the patience goes by."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = listening.getsockname()[1]
    refusals = app.state.refusals
    config = web_config(app, HttpSection(**http), refusals, patience=patience)
    if clock_s is not None:
        config.connections = Connections(
            refusals=refusals, clock_s=clock_s, proxies=(), per_address_max=128, patience=patience
        )
    pulse = Pulse(lambda: 0, clock_s=lambda: 0.0)
    server = WebServer(config, lambda: None, intake_alive=lambda: True, pulse=pulse)
    sockets = [server.doorway(listening)]
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started, what="the server")
        yield port, refusals
    finally:
        server.should_exit = True
        thread.join(timeout=60)
        assert not thread.is_alive()


pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def app(database):
    return create_app(database=database, clock=FixedClock(), site="demo", poll_s=60)


def connected(port, *, source=STRANGER):
    return socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0))


def healthy(port, *, source=VISITOR):
    """The status that somebody else gets meanwhile."""
    transport = httpx.HTTPTransport(local_address=source)
    with httpx.Client(transport=transport, timeout=60) as client:
        return client.get(f"http://127.0.0.1:{port}/api/v1/health").status_code


def what_came(connection):
    """Everything until the other end has ended it."""
    found = b""
    try:
        while data := connection.recv(65536):
            found += data
    except ConnectionError:
        pass
    return found


def hold(stack, port, count, *, sent=HALF_A_HEAD):
    """As many connections of the stranger as are let in, each with an unfinished request."""
    held = []
    for _ in range(count):
        try:  # Who may not stay may hear it before it has sent anything.
            connection = stack.enter_context(closing(connected(port)))
            connection.sendall(sent)
        except ConnectionError:
            continue
        held.append(connection)
    return held


def test_one_address_holds_some_connections_and_everybody_else_is_served(app, database):
    with ExitStack() as stack:
        port, refusals = stack.enter_context(served(app, patience=LONG))
        hold(stack, port, STRANGERS + 230)
        counted = refusals.totals
        wait_for(lambda: counted()["connections_many"] >= STRANGERS, what="the rest refused")
        assert healthy(port) == 200
        assert [what_came(one) for one in hold(stack, port, 1)] in ([], [b""])
    (alert,) = told(database, refusals)
    assert (alert.kind, alert.subject, alert.severity) == (
        "connections_held",
        f"address:{STRANGER}",
        "bad",
    )
    assert int(alert.detail) > STRANGERS


def told(database, refusals):
    """Alerts once what was counted is written, as the server does in the end."""
    assert not refusals.waits
    with database.read() as connection:
        return list(safety_alerts(connection, now_ms=NOW_MS))


def test_hundreds_of_unfinished_heads_are_ended_with_a_reason_while_others_are_served(
    app, database
):
    with ExitStack() as stack:
        # Of a proxy that is believed, so that the bound of an address does not help.
        believed = {"trusted_proxies": (STRANGER,)}
        port, refusals = stack.enter_context(served(app, patience=SHORT, **believed))
        held = hold(stack, port, STRANGERS)
        assert healthy(port) == 200
        for connection in held:
            assert what_came(connection).startswith(b"HTTP/1.1 408 ")
        assert refusals.totals()["connection_slow"] >= STRANGERS
        assert healthy(port) == 200
    assert [one.kind for one in told(database, refusals)] == ["connections_held"]


def test_more_than_the_server_holds_make_room_for_whoever_comes(app):
    with ExitStack() as stack:
        believed = {"trusted_proxies": (STRANGER,)}
        patience = Patience(head_s=600.0, crowded_s=0.0)
        port, refusals = stack.enter_context(served(app, patience=patience, **believed))
        hold(stack, port, 530)
        wait_for(lambda: refusals.totals()["connection_slow"], what="room")
        assert [healthy(port) for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(HALF_A_HEAD, id="half a head"),
        pytest.param(
            b"POST /read HTTP/1.1\r\nHost: central\r\nContent-Length: 900\r\n\r\nname=",
            id="half a body",
        ),
        pytest.param(
            b"GET /api/v1/health HTTP/1.1\r\nHost: central\r\n\r\nGET / HT",
            id="half of a second head",
        ),
    ],
)
def test_whoever_sends_no_more_is_ended_and_counted(app, sent):
    async def read(request):
        return PlainTextResponse(str(len(await request.body())))

    app.router.routes.insert(0, Route("/read", read, methods=["POST"]))
    with served(app, patience=SHORT) as (port, refusals), closing(connected(port)) as slow:
        slow.sendall(sent)
        came = what_came(slow)
        assert refusals.totals()["connection_slow"] == 1
        assert came.endswith(b"Try it again") == bool(sent)


def test_a_head_that_drips_in_is_no_head_in_time(app):
    with served(app, patience=SHORT) as (port, refusals), closing(connected(port)) as slow:
        slow.sendall(b"GET /api/v1/health HTTP/1.1\r\n")
        while not select.select([slow], [], [], 0.05)[0]:
            slow.sendall(b"X-Slow: 1\r\n")
        assert what_came(slow).startswith(b"HTTP/1.1 408 ")
        assert refusals.totals()["connection_slow"] == 1


def test_whoever_does_not_read_an_answer_is_cut_off(app):
    async def zeros():
        while True:
            yield bytes(65536)
            await asyncio.sleep(0)

    async def endless(_request):
        return StreamingResponse(zeros())

    app.router.routes.insert(0, Route("/endless", endless))
    with served(app, patience=SHORT) as (port, refusals), closing(connected(port)) as deaf:
        deaf.sendall(b"GET /endless HTTP/1.1\r\nHost: central\r\n\r\n")
        wait_for(lambda: refusals.totals()["connection_slow"] == 1, what="the end")
        assert healthy(port) == 200


class Clock:
    """Seconds as a test sets them; each look at connections asks once."""

    def __init__(self):
        self.now_s, self.asked_count = 0.0, 0

    def __call__(self):
        self.asked_count += 1
        return self.now_s

    def wait_for_a_look(self):
        """Return once there was a whole look that began after this."""
        enough = self.asked_count + 2
        wait_for(lambda: self.asked_count >= enough, what="a look at the connections")


def test_whoever_takes_an_answer_of_one_piece_at_a_pace_gets_all_of_it(app):
    whole, clock = bytes(48 * 2**20), Clock()

    async def file(_request):
        return Response(whole)

    app.router.routes.insert(0, Route("/file", file))
    patience = Patience(taking_s=30.0)
    with (
        served(app, patience=patience, clock_s=clock) as (port, refusals),
        closing(socket.socket()) as weak,
    ):
        weak.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**18)
        weak.settimeout(60)
        weak.connect(("127.0.0.1", port))
        weak.sendall(b"GET /file HTTP/1.1\r\nHost: central\r\n\r\n")
        taken = 0
        for _ in range(3):  # Sixty seconds, and always some of it in thirty.
            taken += taken_of(weak, 10 * 2**20)
            clock.wait_for_a_look()
            clock.now_s += 20.0
        clock.wait_for_a_look()
        taken_of(weak, len(whole) - taken)
        assert refusals.totals()["connection_slow"] == 0


def taken_of(connection, count):
    """How much came, once it is so much."""
    taken = 0
    while taken < count:
        data = connection.recv(2**18)
        assert data, "cut off"
        taken += len(data)
    return taken


def test_the_end_of_an_answer_over_tls_is_not_cut_off(app, tmp_path):
    whole, clock = bytes(2**20), Clock()

    async def file(_request):
        return Response(whole)

    app.router.routes.insert(0, Route("/file", file))
    certificate, key = write_certificate(tmp_path)
    files = {"tls_certificate_file": str(certificate), "tls_key_file": str(key)}
    with ExitStack() as stack:
        port, _ = stack.enter_context(served(app, patience=Patience(), clock_s=clock, **files))
        plain = stack.enter_context(closing(socket.socket()))
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(60)
        plain.connect(("127.0.0.1", port))
        trusted = ssl.create_default_context(cafile=certificate)
        weak = stack.enter_context(trusted.wrap_socket(plain, server_hostname="127.0.0.1"))
        weak.sendall(b"GET /file HTTP/1.1\r\nHost: central\r\nConnection: close\r\n\r\n")
        came = weak.recv(16)  # It is answered, and all of it is on its way.
        clock.wait_for_a_look()
        clock.now_s += 15.0
        clock.wait_for_a_look()
        assert len(came + what_came(weak)) > len(whole)


def test_a_page_that_listens_is_left_alone_while_others_are_ended(app):
    with served(app, patience=SHORT) as (port, refusals), closing(connected(port)) as page:
        page.sendall(b"GET /changes HTTP/1.1\r\nHost: central\r\n\r\n")
        came = b""
        while b"retry:" not in came:
            came += page.recv(65536)
        for _ in range(3):  # Each is allowed as long as the page would be.
            with closing(connected(port)) as silent:
                assert what_came(silent) == b""
        page.setblocking(False)
        while True:
            try:
                assert page.recv(65536), "the page was ended"
            except BlockingIOError:
                break
        assert refusals.totals()["connection_slow"] == 3


def test_whoever_never_agrees_on_tls_is_ended_too(app, tmp_path):
    certificate, key = write_certificate(tmp_path)
    files = {"tls_certificate_file": str(certificate), "tls_key_file": str(key)}
    with served(app, patience=SHORT, **files) as (port, refusals):
        with closing(connected(port)) as silent:
            assert what_came(silent) == b""
        assert refusals.totals()["connection_slow"] == 1
        trusted = ssl.create_default_context(cafile=certificate)
        answer = httpx.get(f"https://127.0.0.1:{port}/api/v1/health", verify=trusted, timeout=60)
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("source", "address"),
    [
        pytest.param("127.0.0.1", "203.0.113.9", id="a proxy that is named"),
        pytest.param(STRANGER, STRANGER, id="anybody else"),
    ],
)
def test_whom_a_request_comes_from_is_believed_of_named_proxies_alone(app, source, address):
    async def whose(request):
        return PlainTextResponse(request.client.host)

    app.router.routes.insert(0, Route("/whose", whose))
    transport = httpx.HTTPTransport(local_address=source)
    proxies = {"trusted_proxies": ("127.0.0.1/32",)}
    with (
        served(app, patience=LONG, **proxies) as (port, _),
        httpx.Client(
            transport=transport, timeout=60, headers={"X-Forwarded-For": "203.0.113.9"}
        ) as client,
    ):
        assert client.get(f"http://127.0.0.1:{port}/whose").text == address
