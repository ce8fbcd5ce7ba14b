"""A request is done once, as somebody, against a version; what is refused leaves nothing behind."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import BaseModel
from sqlalchemy import Engine, event, func, select

from central.access.permissions import Principal
from central.api.body_bound import BODY_BYTES_MAX
from central.api.writing import KEPT_MS, Answer, Asked, WriteSide
from central.errors import LedgerUnavailable
from central.ledger.desk import Desk
from central.storage import tables
from tests.central.clients import ANY, call
from tests.central.one_app import application
from tests.central.scenery import FixedClock, load

GEAR = {"code": "GEAR", "name": "Gear", "unit": "C62"}
ONCE = {"Idempotency-Key": "0b9f"}


class Api:
    """An application over a ledger with the usual reference data."""

    def __init__(self, database):
        load(database)
        self.database, self.clock = database, FixedClock()
        writing = WriteSide(Desk(database, clock=self.clock))
        self.app = application(database=database, clock=self.clock, writing=writing)

    def __call__(self, method, path, status, **options):
        answer = call(self.app, method, f"/api/v1{path}", **options)
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["hint"]
        return answer

    def done(self):
        """[(action, actor)] of everything that was done to objects."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(tables.object_events).order_by(tables.object_events.c.event_no)
            )
            return [(row.action, row.actor) for row in rows]

    def kept_count(self):
        """How many answers are kept."""
        with self.database.read() as connection:
            count = select(func.count()).select_from(tables.idempotency_keys)
            return connection.execute(count).scalar_one()


@pytest.fixture
def api(database):
    return Api(database)


def test_the_same_request_again_gets_the_same_answer_and_is_done_once(api):
    first = api("POST", "/items", 201, json=GEAR, headers=ONCE)
    api("PATCH", "/items/GEAR", 200, json={"name": "Cog"}, headers=ANY)
    again = api("POST", "/items", 201, json=GEAR, headers=ONCE)
    assert again.content == first.content
    for name in ("etag", "location", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(api.done()) == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("POST", "/items", GEAR | {"name": "Cog"}, id="body"),
        pytest.param("POST", "/items?x=1", GEAR, id="query"),
        pytest.param("PUT", "/items/GEAR", {"name": "Gear", "unit": "C62"}, id="method"),
    ],
)
def test_a_key_that_came_with_another_request_is_refused_and_nothing_is_done(
    api, method, path, body
):
    api("POST", "/items", 201, json=GEAR, headers=ONCE)
    before = api.done()
    answer = api(method, path, 422, json=body, headers=ONCE | ANY)
    assert answer.json()["title"] == "Idempotency key used for something else"
    assert api.done() == before


def test_a_key_is_its_actors_own(api):
    api("POST", "/items", 201, json=GEAR, headers=ONCE)
    other = ONCE | {"Dockledger-Actor": "li.na"}
    assert api("POST", "/items", 409, json=GEAR, headers=other).json()["detail"]
    api("POST", "/items", 201, json=GEAR | {"code": "COG"}, headers=other)
    assert {actor for _, actor in api.done()} == {"staff", "li.na"}


def test_a_refusal_is_not_kept_so_that_the_request_succeeds_once_it_can(api):
    patch = {"name": "Cog"}
    api("PATCH", "/items/GEAR", 404, json=patch, headers=ONCE | ANY)
    assert api.kept_count() == 0
    api("POST", "/items", 201, json=GEAR)
    done = api("PATCH", "/items/GEAR", 200, json=patch, headers=ONCE | ANY)
    assert done.json()["name"] == "Cog"


def test_a_request_whose_commit_fails_is_not_done_and_may_be_repeated(api):
    def lost(_connection):
        raise LedgerUnavailable("the server is gone", hint="Look.")

    event.listen(Engine, "commit", lost)
    try:
        answer = api("POST", "/items", 503, json=GEAR, headers=ONCE)
    finally:
        event.remove(Engine, "commit", lost)
    assert answer.headers["retry-after"]
    assert (api.done(), api.kept_count()) == ([], 0)
    assert "idempotency-replayed" not in api("POST", "/items", 201, json=GEAR, headers=ONCE).headers


@pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
@pytest.mark.parametrize("moment", ["begin", "before_cursor_execute", "commit"])
def test_a_request_whose_connection_ends_in_the_middle_is_done_once_when_it_is_repeated(
    api, moment
):
    ended = []

    def end(connection, *_):
        if not ended:
            ended.append(connection.connection.driver_connection.info.backend_pid)
            with api.database.read() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({ended[0]}, 10000)")

    api("POST", "/items", 201, json=GEAR | {"code": "COG"})
    event.listen(Engine, moment, end)
    try:
        answer = api("POST", "/items", 503, json=GEAR, headers=ONCE)
    finally:
        event.remove(Engine, moment, end)
    assert ended and answer.headers["retry-after"]
    assert (len(api.done()), api.kept_count()) == (1, 0)
    again = api("POST", "/items", 201, json=GEAR, headers=ONCE)
    assert "idempotency-replayed" not in again.headers
    assert len(api.done()) == 2


def test_answers_are_kept_for_a_week(api):
    api("POST", "/items", 201, json=GEAR, headers=ONCE)
    api.clock.time_ms += KEPT_MS
    api("POST", "/items", 201, json=GEAR, headers=ONCE)
    api.clock.time_ms += 1
    api("POST", "/items", 201, json=GEAR | {"code": "COG"}, headers={"Idempotency-Key": "other"})
    assert api.kept_count() == 1


class Body(BaseModel):
    """An answer."""

    code: str


def test_of_two_processes_that_get_a_request_at_the_same_time_one_does_it(database):
    load(database)
    who = Principal("staff", frozenset())
    asked = Asked(actor="staff", version=None, key="k", digest=b"\1" * 32, principal=who)

    def work(change):
        return Answer(Body(code=change.next_code("X")), status=201, version=1)

    processes = [WriteSide(Desk(database, clock=FixedClock())) for _ in range(4)]
    with ThreadPoolExecutor(len(processes)) as pool:
        answers = list(pool.map(lambda process: process.answer(asked, work), processes))
    assert {answer.body for answer in answers} == {b'{"code":"X-000001"}'}
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.headers.get("idempotency-replayed", "") for answer in answers) == [
        "", "true", "true", "true",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        pytest.param('"1"', 200, id="present"),
        pytest.param(' "1" ', 200, id="blanks-around"),
        pytest.param('W/"1"', 200, id="weak-from-a-proxy"),
        pytest.param("*", 200, id="any"),
        pytest.param('"0"', 412, id="older"),
        pytest.param('"2"', 412, id="newer"),
        pytest.param("1", 412, id="no-quotes"),
        pytest.param('"a"', 412, id="no-number"),
        pytest.param('"1", "2"', 412, id="several"),
        pytest.param('"-1"', 412, id="negative"),
        pytest.param('"9999999999999999999"', 412, id="beyond-64-bits"),
        pytest.param("", 412, id="empty"),
        pytest.param('"' + "1" * 80 + '"', 422, id="too-long"),
    ],
)
def test_a_request_names_the_version_that_its_caller_has_seen(api, if_match, status):
    assert api("POST", "/items", 201, json=GEAR).headers["etag"] == '"1"'
    headers = {"If-Match": if_match}
    answer = api("PATCH", "/items/GEAR", status, json={"name": "Cog"}, headers=headers)
    read = api("GET", "/items/GEAR", 200)
    assert read.json()["name"] == ("Cog" if status == 200 else "Gear")
    if status == 200:
        assert answer.headers["etag"] == read.headers["etag"] == '"2"'
    if if_match in {'"0"', '"2"'}:
        assert answer.json()["fields"] == {"version": 1}


@pytest.mark.parametrize(
    ("actor", "noted"),
    [
        pytest.param(None, "staff", id="nobody"),
        pytest.param("li.na", "li.na", id="somebody"),
        pytest.param("", None, id="empty"),
        pytest.param("li na", None, id="blank"),
        pytest.param("-li", None, id="dash"),
        pytest.param("x" * 65, None, id="too-long"),
        pytest.param("李".encode(), None, id="other-letters"),
    ],
)
def test_what_is_done_bears_the_name_of_whoever_asked(api, actor, noted):
    headers = {} if actor is None else {"Dockledger-Actor": actor}
    api("POST", "/items", 201 if noted else 422, json=GEAR, headers=headers)
    assert [who for _, who in api.done()] == ([noted] if noted else [])


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="empty"),
        pytest.param("k" * 129, id="too-long"),
        pytest.param(b"a\0b", id="nul"),
        pytest.param("钥".encode(), id="other-letters"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused(api, key):
    api("POST", "/items", 422, json=GEAR, headers={"Idempotency-Key": key})
    assert (api.done(), api.kept_count()) == ([], 0)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param('"a\\u0000b"', 422, id="nul"),
        pytest.param('"\\\\\\u0000"', 422, id="after-a-backslash"),
        pytest.param('"\\\\u0000"', 201, id="a-backslash-and-u0000"),
        pytest.param('"\\ud800"', 422, id="half-a-character"),
        pytest.param('"a\x00b"', 422, id="bare-nul"),
    ],
)
def test_text_that_no_database_holds_is_refused(api, text, status):
    body = f'{{"code": "GEAR", "unit": "C62", "name": {text}}}'.encode()
    headers = {"content-type": "application/json"}
    answer = api("POST", "/items", status, content=body, headers=headers)
    assert "u0000" not in text or status == 201 or "name:" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "named"),
    [
        pytest.param("/items?search=%00", "'search'", id="query"),
        pytest.param("/trace?item=a%00&lot=b", "'item'", id="one-of-two"),
        pytest.param("/items/a%00", "path", id="path"),
    ],
)
def test_an_address_with_text_that_no_database_holds_is_refused(api, path, named):
    answer = api("GET", path, 422)
    assert named in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_more_of_a_body_is_read_than_can_be_used_even_where_none_is_wanted(api):
    big = b"x" * (BODY_BYTES_MAX + 1)
    api("DELETE", "/items/BOLT", 413, content=big)
    assert api.done() == []


def test_a_server_that_only_reads_says_so(database):
    load(database)
    app = application(database=database, clock=FixedClock())
    answer = call(app, "POST", "/api/v1/items", json=GEAR)
    assert (answer.status_code, answer.json()["title"]) == (404, "Nothing is written here")
