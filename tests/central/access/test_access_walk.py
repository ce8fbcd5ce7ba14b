"""Every address names what it asks for, and no role may do more than that."""

import re

import pytest
from fastapi.routing import APIRoute

from central.access.permissions import ALL_READS, ROLES, Permission, Role
from central.api.access_rules import READING, Way, Where
from central.api.access_table import RULES, rule_of
from central.orders.money_fields import stripped, tells_money
from central.web.app import create_app
from central.web.screens.all_screens import LISTINGS
from tests.central.access.people import People
from tests.central.migrated import open_migrated

# Open to anybody: signing in, what browsers need for its page, whether the ledger works.
ANYBODY = {
    "/login",
    "/login/code",
    "/login/oidc",
    "/login/oidc/back",
    "/static/{name}",
    "/openapi.json",
    "/api/v1/health",
    "/api/v1/revocation-list",
}
GATEWAY = {
    "/api/v1/ingest",
    "/api/v1/snapshots",
    "/api/v1/snapshots/{sha256}",
    "/api/v1/enrol",
    "/api/v1/enrol/ask",
    "/api/v1/enrol/poll",
    "/api/v1/renew",
}
P = Permission


def _routes():
    app = create_app(database=None, clock=None, site="demo")
    for route in app.routes:
        for method in sorted(route.methods - {"HEAD"}):
            yield method, route


ROUTES = list(_routes())


def example_of(path):
    """An address of a route: what nobody has, so that nothing is changed by asking."""
    path = path.replace("{kind}/{code}.pdf", "transfer-note/x.pdf")
    path = path.replace("{table}", "items").replace("{sha256}", "0" * 64)
    path = path.replace("{identity}", "0" * 32).replace("{seq}", "1")
    return re.sub(r"\{[^}]+\}", "x", path)


def test_every_route_has_a_rule_that_knows_its_method():
    """Whoever adds a route gives it a rule in central/api/access_table.py."""
    wrong = [f"{method} {route.path}" for method, route in ROUTES if _lacks_a_rule(method, route)]
    assert wrong == []


def _lacks_a_rule(method, route):
    if route.path.startswith("/tables/"):
        return False  # Each table has the rule of its page; see below.
    fit = rule_of(example_of(route.path))
    if fit is None:
        return True
    way, asked = fit.rule.way, fit.rule.asks(method)
    unnamed = way is Way.PEOPLE and (
        asked is None or (method not in READING and asked in ALL_READS)
    )
    return (
        unnamed
        or (way is Way.ANYBODY) != (route.path in ANYBODY)
        or (way is Way.GATEWAY) != (route.path in GATEWAY)
    )


def test_every_table_has_the_rule_of_its_page():
    rules = {name: rule_of(table.path) for name, table in LISTINGS.items()}
    assert [name for name, fit in rules.items() if fit is None or fit.rule.read is None] == []


def test_a_list_that_is_narrowed_to_a_warehouse_understands_it():
    wrong = []
    for method, route in ROUTES:
        fit = rule_of(example_of(route.path))
        if fit is None or method not in READING or fit.rule.place(method) is not Where.QUERY:
            continue
        if isinstance(route, APIRoute) and route.include_in_schema:
            names = {one.name for one in route.dependant.query_params}
            for one in route.dependant.query_params:
                names |= set(getattr(one.field_info.annotation, "model_fields", ()))
        else:
            tables = [one for one in LISTINGS.values() if fits(route.path, one.path)]
            common = [{field.name for field in one.filters} for one in tables]
            names = set.union(*common) if "{" not in route.path else set.intersection(*common)
        if "warehouse" not in names:
            wrong.append(route.path)
    assert wrong == []


def fits(template, path):
    """Whether an address is one of a route's."""
    return re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) is not None


def test_a_rule_that_no_route_has_is_left_over():
    fits = [rule_of(example_of(route.path)) for _, route in ROUTES]
    used = {fit.rule for fit in fits if fit is not None}
    left = [rule.pattern for rule in RULES if rule not in used]
    assert [one for one in left if not one.startswith("/print/")] == []


def test_every_permission_is_asked_for_somewhere():
    asked = {one for rule in RULES for one in (rule.read, rule.change, *rule.also)}
    assert set(Permission) - asked == {P.ACT_FOR_OTHERS}


def test_roles_are_what_they_are_called():
    keeper, finance, auditor = ROLES[Role.KEEPER], ROLES[Role.FINANCE], ROLES[Role.AUDITOR]
    assert P.STOCK_READ in keeper
    assert P.MONEY_READ not in keeper
    assert P.MONEY_READ in finance
    assert P.GATEWAYS_CHANGE not in finance
    assert auditor == ALL_READS
    assert ROLES[Role.ADMINISTRATOR] == set(Permission)
    assert {r for r in Role if P.USERS_CHANGE in ROLES[r]} == {Role.ADMINISTRATOR}


def test_whoever_may_change_what_has_a_price_sees_it():
    # Else a card that is saved whole would lose it.
    for held in ROLES.values():
        if {P.PURCHASING_CHANGE, P.CATALOGUE_CHANGE} & held:
            assert P.MONEY_READ in held


@pytest.fixture(scope="module")
def people(tmp_path_factory):

    database = open_migrated(tmp_path_factory.mktemp("people") / "ledger.db", generation="g")
    yield People(database)
    database.close()


def test_nobody_who_is_not_signed_in_gets_anything(people):
    wrong = []
    asked = [
        (method, example_of(route.path))
        for method, route in ROUTES
        if route.path not in ANYBODY | GATEWAY
    ]
    for (method, path), answer in zip(asked, people.browser().ask_all(asked), strict=True):
        to_login = answer.headers.get("location", "").startswith("/login?next=")
        if answer.status_code != 401 and not (answer.status_code == 303 and to_login):
            wrong.append((method, path, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_each_role_gets_at_each_route_what_the_table_says(people, role):
    asked, allowed = [], []
    for method, route in ROUTES:
        fit = rule_of(example_of(route.path))
        if fit is not None and fit.rule.way is Way.PEOPLE:
            asked.append((method, example_of(route.path)))
            allowed.append({fit.rule.asks(method), *fit.rule.also} <= ROLES[role])
    answers = people.browser(str(role)).ask_all(asked, behind=204)
    found = [answer.status_code for answer in answers]
    expected = [204 if one else 403 for one in allowed]
    assert list(zip(asked, found, strict=True)) == list(zip(asked, expected, strict=True))
    for answer in answers:
        if answer.status_code == 403:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["hint"]


def test_what_is_refused_before_a_route_is_refused_by_the_whole_application(people):
    keeper = people.browser("keeper")
    assert keeper.ask("GET", "/api/v1/users").status_code == 403
    assert keeper.change("POST", "/api/v1/periods", {}).status_code == 403
    page = keeper.ask("GET", "/users", page=True)
    assert (page.status_code, page.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert 'href="/users"' not in page.text
    assert 'href="/stock"' in page.text


def test_a_refusal_is_said_in_the_language_of_whoever_asks(people):
    viewer = people.browser("viewer")
    said = {
        language: viewer.ask(
            "GET", "/api/v1/webhooks", headers={"Accept-Language": language}
        ).json()
        for language in ("en", "zh")
    }
    assert said["en"]["title"] == "Not allowed"
    assert "webhooks.read" in said["en"]["detail"]
    assert said["zh"]["title"] != "Not allowed"
    assert said["zh"]["hint"] != said["en"]["hint"]


def test_money_is_left_out_wherever_it_stands():
    assert stripped({"lines": [{"unit_price": "9", "item": "A"}], "value": 1}) == {
        "lines": [{"unit_price": None, "item": "A"}],
        "value": None,
    }
    told = ("unit_price", "cost", "value", "variance_value", "lines.2.price", "price_e4")
    assert [one for one in told if not tells_money(one)] == []
    plain = ("variance", "counted", "items_count", "price_list_count", "valid_until")
    assert [one for one in plain if tells_money(one)] == []
