"""Each list of the interface has pages: what has none is named here, with the reason."""

from copy import copy
from functools import cache

import pytest
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from sqlalchemy import event

from central.access.users import list_users
from central.api.parameters import LIMIT_MAX, PREFIX, write_cursor
from central.api.problems import PROBLEM_TYPE
from central.api.writing import WriteSide
from central.contract.states import CentralState
from central.inbox.workers import record_worker
from central.ledger.desk import Desk
from central.orders.settling.period_book import list_periods
from central.orders.settling.period_late import count_late
from central.staff.saved_views import list_views
from central.stock.workers import WORKERS_MAX
from central.storage import tables
from central.trust.registry import newest_certificates
from central.webhooks.subscribing import list_subscriptions
from tests.central.clients import call
from tests.central.one_app import application
from tests.central.orders.sales_scenes import Scene
from tests.central.scenery import load
from tests.central.trust.machines import Machine, SetClock, claimed, trust_of

DOCUMENT = "one document or thing, with its parts"
PAPER = "one round or sheet for one person, in walking order: half of it is no round"
# Lists of things that have no pages. Whoever adds one says why, or gives it `limit` and `cursor`.
WITHOUT_PAGES = {
    "/discrepancies/{identity}": DOCUMENT,
    "/items/{code}/conversion": DOCUMENT,
    "/periods/{code}": DOCUMENT,
    "/counts/{code}/sheet": PAPER,
    "/kpis/count-accuracy": "sums, as many as warehouses, classes and units",
    "/audit/check": "one finding about the whole chain",
    "/discrepancies/counts": "sums, as many as warehouses, causes and ages",
    "/holds": "what one hold would be about; more than 1,000 balances are refused, not cut",
    "/periods/checklist": "the answer to one question: may this period be closed?",
    "/periods/{code}/late/totals": "sums; the facts behind them have pages at `late`",
    "/putaway-suggestions": "the answer to one question: where to put these goods?",
    "/warehouses/{warehouse}/lot-date": "one lot with its history, as long as people correct it",
}
# The standard's own form (EPCIS 2.0, 12.4.1): the header `Link` has the cursor.
WITH_LINKS = {"/epcis/events"}


@cache
def whole_document():
    """The OpenAPI document of every route that programs can ask, also of those it leaves out."""
    routes = []
    for route in application(database=None, clock=None).routes:
        if isinstance(route, APIRoute) and route.path.startswith(PREFIX):
            routes.append(copy(route))
            routes[-1].include_in_schema = True
    return get_openapi(title="all", version="1", routes=routes)


def lists_of(document):
    """{address: (names of its parameters, fields of its answer)} of what answers with a list.

    One thing with parts is none: the answer names what the address ends with.
    """
    schemas = document["components"]["schemas"]

    def resolved(schema):
        while "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        return schema

    def has_list(schema):
        """Whether there is a list of any length, on the outside or within a plain part."""
        schema = resolved(schema)
        parts = [*schema.get("anyOf", ()), *schema.get("properties", {}).values()]
        return "items" in schema or any(map(has_list, parts))

    found = {}
    for path, methods in document["paths"].items():
        operation = methods.get("get")
        content = operation["responses"]["200"].get("content", {}) if operation else {}
        for media_type, said in content.items():
            fields = resolved(said.get("schema", {})).get("properties", {}).keys()
            # What the document does not describe may be a list as well.
            if "json" not in media_type or (fields and not has_list(said["schema"])):
                continue
            if path.endswith("}") and path.rpartition("{")[2].rstrip("}") in fields:
                continue
            names = {one["name"] for one in operation.get("parameters", ())}
            found[path.removeprefix(PREFIX)] = names, fields
    return found


def pageless(lists):
    """The lists that cannot be read page by page."""
    return {
        address
        for address, (names, fields) in lists.items()
        if not {"limit", "cursor"} <= names
        or ("next_cursor" not in fields and address not in WITH_LINKS)
    }


def test_each_list_of_the_interface_has_a_limit_and_a_cursor():
    lists = lists_of(whole_document())
    assert len(lists) > 50 and lists.keys() >= WITH_LINKS
    assert pageless(lists) == WITHOUT_PAGES.keys()


class Office:
    """An application with an authority, and what adds a row to each of its lists."""

    def __init__(self, database):
        load(database)
        self.database, self.clock = database, SetClock()
        self.trust = trust_of(database, clock=self.clock)
        self.app = application(
            database=database,
            clock=self.clock,
            writing=WriteSide(Desk(database, clock=self.clock)),
        )
        self.app.state.trust = self.trust
        self._months = iter(range(1, 13))

    def ask(self, method, path, status, **options):
        answer = call(self.app, method, f"{PREFIX}{path}", **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    def page(self, path, **query):
        return self.ask("GET", path, 200, params=query)

    def add_period(self, _):
        month = next(self._months)
        through = f"2026-{month:02}-10"
        self.ask("POST", "/periods", 201, json={"period": f"P{month}", "through": through})

    def add_webhook(self, number):
        self.ask("POST", "/webhooks", 201, json={"url": f"https://x.example.com/{number}"})

    def add_view(self, number):
        self.ask("PUT", "/views/stock", 200, json={"name": f"view {number}", "query": "a=b"})

    def add_worker(self, number):
        state = CentralState(
            worker=f"worker-{number}",
            online=True,
            generation="g",
            shards=(number,),
            software="1",
            public_key="00" * 32,
        )
        record_worker(self.database, state, clock=self.clock)

    def add_claim(self, number):
        self.clock.time_ms += number % 2  # Some of one moment, some of later ones.
        claimed(self.trust, f"dock-{number}")

    def add_certificate(self, number):
        self.trust.enrol(Machine().request(claimed(self.trust, f"dock-{number}")), address="")

    def add_user(self, number):
        self.ask("POST", "/users", 201, json={"name": f"user-{number}", "external": f"x {number}"})

    def add_token(self, number):
        self.clock.time_ms += number % 2
        body = {"label": f"key {number}", "permissions": ["stock.read"]}
        self.ask("POST", "/tokens", 201, json=body)


# Lists that came whole before they had pages, what tells their rows apart, and what adds one.
LISTS = [
    pytest.param("/periods", "periods", "period", Office.add_period, id="periods"),
    pytest.param("/webhooks", "webhooks", "code", Office.add_webhook, id="webhooks"),
    pytest.param("/views/stock", "views", "name", Office.add_view, id="views"),
    pytest.param("/workers", "workers", "worker", Office.add_worker, id="workers"),
    pytest.param("/claims", "claims", "name", Office.add_claim, id="claims"),
    pytest.param(
        "/claims/certificates",
        "certificates",
        "gateway",
        Office.add_certificate,
        id="certificates",
    ),
    pytest.param("/users", "users", "name", Office.add_user, id="users"),
    pytest.param("/tokens", "tokens", "token", Office.add_token, id="tokens"),
]


@pytest.fixture
def office(database):
    made = Office(database)
    yield made
    made.app.state.trust = None


@pytest.mark.parametrize(("path", "key", "name", "add"), LISTS)
def test_pages_have_each_row_once_while_others_are_added(office, path, key, name, add):
    for number in (2, 4, 6, 8):
        add(office, number)
    whole = office.page(path)
    before = [row[name] for row in whole[key]]
    assert len(before) == 4 and whole["next_cursor"] is None
    seen, query = [], {}
    for number in range(1, 9):
        page = office.page(path, limit=1, **query)
        seen += [row[name] for row in page[key]]
        if page["next_cursor"] is None:
            break
        query = {"cursor": page["next_cursor"]}
        if number <= 3:
            add(office, 2 * number - 1)
    else:
        pytest.fail("the pages do not end")
    after = [row[name] for row in office.page(path)[key]]
    assert len(after) == 7
    assert seen == [one for one in after if one in seen]  # In order, and none of them twice.
    assert set(before) <= set(seen)


@pytest.mark.parametrize(("path", "key", "name", "add"), LISTS)
@pytest.mark.parametrize(
    "query",
    [{"cursor": "!!"}, {"cursor": write_cursor({"a": 1})}, {"limit": LIMIT_MAX + 1}, {"page": 2}],
    ids=["no cursor", "another's cursor", "too many", "unknown parameter"],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_no_page_is_asked_with_is_refused(office, path, key, name, add, query):
    answer = call(office.app, "GET", PREFIX + path, params=query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM_TYPE
    said = answer.json()
    assert next(iter(query)) in said["detail"] and said["hint"]


def test_which_shards_nobody_takes_is_said_of_all_workers_on_each_page(office):
    for number in (1, 2):
        office.add_worker(number)
    first = office.page("/workers", limit=1)
    rest = office.page("/workers", limit=1, cursor=first["next_cursor"])
    assert [one["worker"] for one in first["workers"] + rest["workers"]] == [
        "worker-1",
        "worker-2",
    ]
    assert first["unserved_shards"] == rest["unserved_shards"]
    assert not {1, 2} & set(first["unserved_shards"])
    assert WORKERS_MAX <= LIMIT_MAX  # Whoever knows of no pages has all of them in one.


BY_KEY = [
    pytest.param(lambda c: list_periods(c, after=1, limit=2), id="periods"),
    pytest.param(lambda c: count_late(c, numbers=[1]), id="late facts"),
    pytest.param(lambda c: list_subscriptions(c, after="WH-1", limit=2), id="webhooks"),
    pytest.param(lambda c: list_views(c, "stock", after="a", limit=2), id="views"),
    pytest.param(lambda c: newest_certificates(c, after="a", limit=2), id="certificates"),
    pytest.param(lambda c: list_users(c, after="a", limit=2), id="users"),
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("read", BY_KEY)
def test_a_page_by_key_begins_in_an_index_and_sorts_nothing(office, read):
    for number in (1, 2):
        office.add_user(number)
    asked = []
    with office.database.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        read(connection)
        for statement, values in list(asked):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            steps = [step[3] for step in plan]
            assert all(step.startswith("SEARCH") for step in steps), steps
    assert asked


def test_pages_of_alerts_go_on_after_the_last_one_while_others_come_and_go(office):
    names = [one.name for one in tables.balances.columns][:11]

    def below_zero(*items):
        rows = [("SH1", "BIN-1", item, "", "", "", "C62", "available", -1, 1, 0) for item in items]
        with office.database.write() as connection:
            found = [dict(zip(names, row, strict=True)) for row in rows]
            connection.execute(tables.balances.delete())
            connection.execute(tables.balances.insert(), found)
        office.clock.time_ms += 60_000  # The alerts are kept for a while.

    below_zero("A", "C", "E")
    asked = {"kind": "negative_stock", "limit": 1}
    seen, query = [], {}
    for number in range(9):
        page = office.page("/alerts", **asked, **query)
        seen += [one["subject"] for one in page["alerts"]]
        if page["next_cursor"] is None:
            break
        query = {"cursor": page["next_cursor"]}
        below_zero(*(("A", "B", "C", "D", "E") if number else ("A", "B", "C", "E")))
    assert seen == ["A", "B", "C", "D", "E"]
    refused = call(office.app, "GET", f"{PREFIX}/alerts", params={"cursor": write_cursor("A")})
    assert refused.status_code == 422


def test_pages_of_what_is_to_be_taken_have_each_order_once(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    codes = [scene.order(1, upto="released") for _ in range(5)]
    app = application(database=database, clock=scene.clock)

    def pages(**asked):
        found, query = [], {}
        while True:
            answer = call(app, "GET", f"{PREFIX}/pick-lists", params=asked | query)
            page = answer.json()
            found.append([one["order"] for one in page["lines"]])
            if page["next_cursor"] is None:
                return found
            query = {"cursor": page["next_cursor"]}

    assert pages(warehouse="SH1") == [codes]
    assert pages(warehouse="SH1", limit=2) == [codes[:2], codes[2:4], codes[4:]]
    assert pages(warehouse="SH1", limit=1, order=codes[1:3]) == [[codes[1]], [codes[2]]]
