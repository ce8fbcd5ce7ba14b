"""Views of tables are kept by name for all staff, and can become nothing but a query."""

import pytest

from central.api.writing import WriteSide
from central.ledger.desk import Desk
from central.staff.saved_views import VIEWS_MAX, VIEWS_PER_PAGE_MAX
from central.storage import bulk
from central.storage.view_tables import saved_views
from tests.central.clients import call
from tests.central.one_app import application
from tests.central.scenery import NOW_MS, FixedClock


@pytest.fixture
def ask(database):
    clock = FixedClock()
    app = application(
        database=database, clock=clock, writing=WriteSide(Desk(database, clock=clock))
    )

    def asked(method, page, status, body=None, **options):
        answer = call(app, method, f"/api/v1/views/{page}", json=body, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    asked.database = database
    return asked


def test_a_view_is_kept_replaced_listed_by_name_and_forgotten(ask):
    late = {"name": "晚到", "query": "?state=late&page=3&lang=zh&sort=-due"}
    made = ask("PUT", "transfers", 200, late, headers={"Dockledger-Actor": "li.na"})
    assert made == {
        "page": "transfers",
        "name": "晚到",
        "query": "state=late&sort=-due",
        "made_by": "li.na",
        "time": "2026-05-28T20:26:40.000Z",
    }
    ask("PUT", "transfers", 200, {"name": " All ", "query": ""})
    ask("PUT", "stock", 200, {"name": "晚到", "query": "q=x"})
    ask("PUT", "transfers", 200, late | {"query": "state=open"})
    views = ask("GET", "transfers", 200)["views"]
    assert [(one["name"], one["query"]) for one in views] == [("All", ""), ("晚到", "state=open")]
    ask("DELETE", "transfers", 200, params={"name": "晚到"})
    assert len(ask("GET", "transfers", 200)["views"]) == 1
    assert len(ask("GET", "stock", 200)["views"]) == 1
    assert ask("DELETE", "transfers", 404, params={"name": "晚到"})["title"] == "Not there"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"name": "   ", "query": ""}, id="blank-name"),
        pytest.param({"name": "a\u202eb", "query": ""}, id="writing-turned-round"),
        pytest.param({"name": "a" * 65, "query": ""}, id="long-name"),
        pytest.param({"name": "a", "query": "q=" + "x" * 2000}, id="long-query"),
        pytest.param({"name": "a", "query": "&".join("q=1" for _ in range(41))}, id="many-fields"),
        pytest.param({"name": "a", "query": "q=\n"}, id="unprintable"),
        pytest.param({"name": "a", "query": "q=%00"}, id="nul"),
    ],
)
def test_what_no_address_has_is_refused(ask, body):
    assert ask("PUT", "stock", 422, body)["hint"]
    assert ask("GET", "stock", 200)["views"] == []


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        pytest.param('q="><script>', "q=%22%3E%3Cscript%3E", id="markup"),
        pytest.param("q=1#elsewhere", "q=1%23elsewhere", id="fragment"),
        pytest.param("//evil.example", "", id="address"),
        pytest.param("q=a+b&r=%E6%99%9A", "q=a+b&r=%E6%99%9A", id="as-browsers-write-it"),
    ],
)
def test_a_query_is_written_anew_so_that_it_can_only_be_a_query(ask, query, kept):
    assert ask("PUT", "stock", 200, {"name": "a", "query": query})["query"] == kept


def test_there_is_an_end_to_views_of_one_table_and_of_all(ask):
    def fill(count, page):
        with ask.database.write() as connection:
            rows = [(page(number), f"v{number}", "", "x", NOW_MS) for number in range(count)]
            bulk.insert_rows(connection, saved_views, rows)

    fill(VIEWS_PER_PAGE_MAX, lambda _: "stock")
    view = {"name": "One more", "query": ""}
    assert "Delete" in ask("PUT", "stock", 409, view)["hint"]
    ask("PUT", "stock", 200, view | {"name": "v1"})
    fill(VIEWS_MAX - VIEWS_PER_PAGE_MAX - 1, lambda number: f"p{number // 40}")
    ask("PUT", "feed", 200, view)
    ask("PUT", "feed", 409, view | {"name": "Too many"})
