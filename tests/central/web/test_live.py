"""One stream a page: what was missed, then what comes; bounded, and gone with the page."""

import asyncio
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from central.clock import SystemClock
from central.web.app import create_app, live_of_app
from central.web.live import Live
from tests.central.clients import ask, served
from tests.central.scenery import Gateway, furnished
from tests.waiting import wait_for


@pytest.fixture
def dock(database):
    gateway = Gateway()
    gateway.inbox = furnished(database, gateway)
    gateway.move("BOLT", "5")
    gateway.inbox.accept([gateway.offer()])
    return gateway


def post(dock, item, quantity):
    seq = dock.move(item, quantity)
    dock.inbox.accept([dock.offer(seq)])


@contextmanager
def stream(url, **options):
    with (
        httpx.Client(timeout=60, trust_env=False) as client,
        client.stream("GET", f"{url}/live", **options) as answer,
    ):
        assert answer.status_code == 200
        yield events_of(answer)


def events_of(answer):
    number = None
    for line in answer.iter_lines():
        if line.startswith("id: "):
            number = int(line[4:])
        elif line.startswith("data: "):
            yield number, json.loads(line[6:])


def test_a_page_gets_what_it_missed_and_then_what_comes(database, dock):
    app = create_app(database=database, clock=SystemClock(), site="x", poll_s=60)
    with served(app) as url, stream(url, params={"since": "1"}) as events:
        number, first = next(events)
        assert (number, first["whole"], first["rows"]) == (1, False, [])
        post(dock, "BOLT", "2")
        live_of_app(app).notify()
        number, news = next(events)
    assert number == 2
    assert news["rows"] == [
        ["BOLT|C62", "BOLT", [["w:SH1", "7"], ["total", "7"], ["transit", "0"]]]
    ]
    assert 'data-no="2"' in news["feed"]
    assert 'data-no="1"' not in news["feed"]


@pytest.mark.parametrize(
    ("options", "whole", "rows_count"),
    [
        pytest.param(
            {"headers": {"Last-Event-ID": "1"}, "params": {"since": "3"}},
            False,
            1,
            id="the browser's number goes first",
        ),
        pytest.param({"params": {"since": "3"}}, False, 0, id="nothing missed"),
        pytest.param({"params": {"since": "9"}}, True, 0, id="ahead of a restored ledger"),
        pytest.param({"params": {"since": "x"}}, True, 0, id="no number"),
        pytest.param({}, True, 0, id="none"),
    ],
)
def test_a_returning_page_catches_up(database, dock, options, whole, rows_count):
    post(dock, "BOLT", "1")
    post(dock, "BOLT", "1")
    app = create_app(database=database, clock=SystemClock(), site="x")
    with served(app) as url, stream(url, **options) as events:
        number, first = next(events)
    assert (number, first["whole"], len(first["rows"])) == (3, whole, rows_count)


def test_what_another_program_writes_is_found_by_looking(database, dock):
    app = create_app(database=database, clock=SystemClock(), site="x", poll_s=0.05)
    with served(app) as url, stream(url, params={"since": "1", "lang": "zh"}) as events:
        next(events)
        post(dock, "NUT", "3")
        _, news = next(events)
    assert "螺母" in news["feed"]


def test_streams_are_counted_bounded_and_gone_with_their_page(database, dock):
    app = create_app(database=database, clock=SystemClock(), site="x", sse_clients_max=1)
    live = live_of_app(app)
    with served(app) as url:
        with stream(url) as events:
            next(events)
            assert live.client_count == 1
            refused = httpx.get(f"{url}/live", trust_env=False)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        wait_for(lambda: live.client_count == 0, what="the stream's end")
        with stream(url) as events:
            next(events)


def test_a_lost_database_refuses_the_stream_so_that_the_page_says_so(database, dock):
    if database.dialect != "sqlite":
        pytest.skip("a dropped table stands for a lost SQLite file; PostgreSQL is lost by its link")
    app = create_app(database=database, clock=SystemClock(), site="x")
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE facts")
    assert ask(app, "/live").status_code == 503
    assert live_of_app(app).client_count == 0


def test_notify_is_harmless_before_and_after_pages(database, dock):
    app = create_app(database=database, clock=SystemClock(), site="x")
    live = live_of_app(app)
    live.notify()
    with served(app) as url, stream(url) as events:
        next(events)
    live.notify()


@dataclass(frozen=True)
class Told:
    change: int
    within: str


class Numbers:
    """A ledger that is only a number. One reading of it can be held up once it has begun."""

    def __init__(self):
        self.newest, self.held = 1, None
        self.begun, self.go_on = threading.Event(), threading.Event()

    def read_change(self):
        if self.held:
            self.held = False
            self.begun.set()
            assert self.go_on.wait(60)
        return self.newest

    def live(self):
        return Live(
            read_change=self.read_change,
            read_update=lambda _, within: Told(self.newest, within),
            since=lambda before, _: before,
            render=lambda update, _: f"{update.within or 'all'} {update.change}".encode(),
            poll_s=60,
        )


def test_a_page_of_one_warehouse_that_opens_while_marks_are_read_misses_nothing():
    async def next_of(stream):
        event = await asyncio.wait_for(anext(stream), 60)
        return event if not event.startswith(b"event: still") else await next_of(stream)

    async def walk():
        numbers = Numbers()
        live = numbers.live()
        first = await live.open(language="en", since=None)
        assert [await next_of(first) for _ in range(2)][1] == b"all 1"
        numbers.newest, numbers.held = 2, True
        live.notify()
        await asyncio.to_thread(numbers.begun.wait, 60)
        second = await live.open(language="en", since=None, within="SH1")
        assert [await next_of(second) for _ in range(2)][1] == b"SH1 2"
        numbers.newest = 3
        numbers.go_on.set()
        assert await next_of(first) == b"all 3"
        seen = await next_of(second)
        for stream in (first, second):
            await stream.aclose()
        return seen

    assert asyncio.run(walk()) == b"SH1 3"
