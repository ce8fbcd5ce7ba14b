"""What cannot be meant is refused by name: no such warehouse or kind, no body that can be read."""

import re

import pytest

from central.api.body_bound import BODY_BYTES_MAX
from central.api.parameters import PREFIX
from central.api.problems import PROBLEM_TYPE, SAID
from central.api.writing import WriteSide
from central.ledger.desk import Desk
from tests.central.clients import call
from tests.central.one_app import application
from tests.central.scenery import FixedClock, Gateway, furnished


@pytest.fixture
def app(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move("BOLT", "12", target="BIN-1")
    inbox.accept([gateway.offer()])
    clock = FixedClock()
    return application(
        database=database, clock=clock, writing=WriteSide(Desk(database, clock=clock))
    )


def refused(app, status, method, path, **options):
    """The problem that a request is answered with."""
    answer = call(app, method, PREFIX + path, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_TYPE
    return answer.json()


OF_A_WAREHOUSE = (
    *("/stock", "/replenishments", "/pick-lists", "/kpis/count-accuracy", "/kpis/turnover"),
    *("/kpis/movers", "/kpis/dead-stock", "/kpis/stock-age", "/kpis/in-transit-age"),
    *("/kpis/suppliers", "/kpis/throughput", "/kpis/deliveries"),
)


@pytest.mark.parametrize("path", OF_A_WAREHOUSE)
def test_a_list_is_not_empty_of_a_warehouse_that_is_not_there(app, path):
    problem = refused(app, 422, "GET", path, params={"warehouse": "NO"})
    assert problem["detail"] == "no warehouse is called 'NO'"
    assert problem["fields"] == {"warehouse": "NO"} and problem["hint"]
    for warehouse in ("SH1", "BJ1"):
        assert call(app, "GET", PREFIX + path, params={"warehouse": warehouse}).status_code == 200


def test_what_a_warehouse_holds_is_shown_although_nobody_knows_the_warehouse(app, database):
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE balances SET warehouse = 'OLD'")
    stock = call(app, "GET", f"{PREFIX}/stock", params={"warehouse": "OLD"}).json()["stock"]
    assert [(one["item"], one["on_hand"]) for one in stock] == [("BOLT", "12")]
    empty = {"warehouse": "OLD", "item": "NUT"}
    refused(app, 422, "GET", "/stock", params=empty)


@pytest.mark.parametrize(
    "span",
    [{"since": "2026-05-02", "until": "2026-05-01"}, {"since": "2099-01-01"}],
    ids=["backwards", "from tomorrow on"],
)
def test_how_true_the_book_was_is_not_told_of_a_span_backwards(app, span):
    problem = refused(app, 422, "GET", "/kpis/count-accuracy", params=span)
    assert "since" in problem["detail"] and "until" in problem["hint"]


def test_one_day_is_a_span(app):
    day = {"since": "2026-05-02", "until": "2026-05-02"}
    assert call(app, "GET", f"{PREFIX}/kpis/count-accuracy", params=day).status_code == 200


def test_the_history_of_a_kind_that_nothing_is_of_is_refused(app):
    problem = refused(app, 422, "GET", "/history/foo/bar")
    assert "'foo'" in problem["detail"] and "transfer" in problem["hint"]
    answer = call(app, "GET", f"{PREFIX}/history/transfer/TR-9")
    assert (answer.status_code, answer.json()["events"]) == (200, [])


PACK = {"unit": "PK", "numerator": 6}
DEEP = b"[" * 100_000
ITEM = b'{"code": "A", "name": "x", "unit": "C62"}'


@pytest.mark.parametrize(
    ("content", "media_type", "status", "hint"),
    [
        pytest.param(b"x" * 600_000, "application/json", 413, "smaller parts", id="large"),
        pytest.param(DEEP, "application/json", 400, "nested no deeper", id="deep"),
        pytest.param(b'{"a": "\xff"}', "application/json", 400, "UTF-8", id="no text"),
        pytest.param(ITEM, "text/plain", 415, "application/json", id="plain text"),
        pytest.param(ITEM, "application/xml", 415, "application/json", id="XML"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_what_its_sender_can_do(
    app, content, media_type, status, hint
):
    said = {"content": content, "headers": {"content-type": media_type}}
    problem = refused(app, status, "POST", "/items", **said)
    assert hint in problem["hint"]
    if status == 413:
        assert str(BODY_BYTES_MAX) in problem["detail"]
    said["headers"] |= {"accept-language": "zh"}
    problem = refused(app, status, "POST", "/items", **said)
    assert all(re.search("[\u4e00-\u9fff]", problem[name]) for name in SAID)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param('{"code": "A", "code": "B"}', "code", id="the last would count"),
        pytest.param('{"code": "A", "code": "A"}', "code", id="the same again"),
        pytest.param('{"c\\u006fde": "A", "name": "x", "code": "B"}', "code", id="escaped"),
        pytest.param(
            '{"name": {"code": 1}, "packs": [{"unit": "CT"}, {"unit": "PK", "unit": "CT"}]}',
            "packs.1.unit",
            id="within",
        ),
        pytest.param('{"n": {"": 1, "": 2}}', "n.", id="of no name"),
        pytest.param(f'{{"{"x" * 900}": 1, "{"x" * 900}": 2}}', "x" * 60, id="a long name"),
    ],
)
def test_what_a_body_says_twice_is_refused_by_name(app, body, place):
    said = {"content": body, "headers": {"content-type": "application/json"}}
    problem = refused(app, 422, "POST", "/items", **said)
    assert problem["detail"] == f"{place}: is said twice, and one of both would not count."
    said["headers"] |= {"accept-language": "zh"}
    problem = refused(app, 422, "POST", "/items", **said)
    assert all(re.search("[\u4e00-\u9fff]", problem[name]) for name in SAID)


def test_what_comes_in_parts_is_read_whole_before_it_is_refused(app):
    async def parts():
        for part in (b'{"code": "A", "co', b'de": "B", "name": "x"}'):
            yield part

    said = {"content": parts(), "headers": {"content-type": "application/JSON; charset=utf-8"}}
    problem = refused(app, 422, "POST", "/items", **said)
    assert problem["detail"].startswith("code: is said twice")


def test_what_several_objects_say_is_said_once_by_each(app):
    body = {"code": "A", "name": "x", "unit": "C62", "packs": [PACK | {"unit": "CT"}, PACK]}
    assert call(app, "POST", f"{PREFIX}/items", json=body).status_code == 201


def test_a_body_of_json_by_another_name_is_taken(app):
    said = {"content": ITEM, "headers": {"content-type": "application/merge-patch+json"}}
    assert call(app, "POST", f"{PREFIX}/items", **said).status_code == 201
