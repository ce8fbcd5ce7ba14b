"""How far people and programs reach: warehouses, keys of programs, names beside changes, money."""

import pytest

from central.access.permissions import Grant, Permission, Role
from central.inbox.gateways import write_enrolment
from tests.central.access.people import People
from tests.central.trust.machines import trust_of

TRANSFER = {"lines": [{"item": "BOLT", "quantity": "4"}]}
P = Permission


def _transfer(people, source="SH1", destination="BJ1", by="supervisor"):
    ends = {"source_warehouse": source, "destination_warehouse": destination}
    answer = people.browser(by).change("POST", "/api/v1/transfers", ends | TRANSFER)
    assert answer.status_code == 201, answer.text
    return answer.json()["code"]


def _count(people, warehouse):
    body = {"warehouse": warehouse, "lines": [{"location": "BIN-1", "item": "BOLT"}]}
    answer = people.browser("supervisor").change("POST", "/api/v1/counts", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["code"]


def test_a_keeper_of_one_warehouse_finds_nothing_of_another(people_on_both):
    people = people_on_both
    here, there = _count(people, "SH1"), _count(people, "BJ1")
    keeper = people.browser("keeper-sh1")
    listed = keeper.ask("GET", "/api/v1/counts").json()["counts"]
    assert [one["code"] for one in listed] == [here]
    assert keeper.ask("GET", f"/api/v1/counts/{here}").status_code == 200
    assert keeper.ask("GET", f"/counts/{here}", page=True).status_code == 200
    for path in (f"/api/v1/counts/{there}", f"/api/v1/counts/{there}/lines", f"/counts/{there}"):
        assert keeper.ask("GET", path).status_code == 404
    assert keeper.change("POST", f"/api/v1/counts/{there}/cancel").status_code == 404
    assert keeper.ask("GET", "/api/v1/counts?warehouse=BJ1").status_code == 404
    assert keeper.ask("GET", "/api/v1/counts?warehouse=SH1&warehouse=BJ1").status_code == 404
    page = keeper.ask("GET", "/counts", page=True)
    assert (here in page.text, there in page.text) == (True, False)
    part = keeper.ask("GET", "/tables/count?main=1")
    assert (here in part.text, there in part.text) == (True, False)


def test_a_keeper_changes_documents_of_the_own_warehouse_only(people):
    keeper = people.browser("keeper-sh1")
    line = {"lines": [{"location": "BIN-1", "item": "BOLT"}]}
    assert keeper.change("POST", "/api/v1/counts", {"warehouse": "SH1"} | line).status_code == 201
    for body in ({"warehouse": "BJ1"} | line, line, [], {"warehouse": ["SH1"]} | line):
        assert keeper.change("POST", "/api/v1/counts", body).status_code == 403


def test_both_ends_of_a_transfer_see_it(people_on_both):
    people = people_on_both
    code = _transfer(people)
    for name, status in (("keeper-sh1", 200), ("keeper-bj1", 200)):
        assert people.browser(name).ask("GET", f"/api/v1/transfers/{code}").status_code == status
    people.add("nobody-in-particular")
    assert people.browser("nobody-in-particular").ask("GET", "/api/v1/transfers").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        *("/api/v1/trace?item=BOLT", "/api/v1/exports/items", "/warehouses/BJ1", "/?warehouse=BJ1"),
        *("/live?warehouse=BJ1", "/items/BOLT?warehouse=BJ1", "/search?q=B&warehouse=BJ1"),
    ],
)
def test_what_shows_every_warehouse_is_closed_to_whoever_works_in_one(people, path):
    assert people.browser("keeper-sh1").ask("GET", path).status_code in {403, 404}


def test_the_first_page_of_whoever_works_in_one_warehouse_is_its_stock(people):
    keeper = people.browser("keeper-sh1")
    page = keeper.ask("GET", "/", page=True)
    assert page.status_code == 200
    assert 'data-within="SH1"' in page.text
    menu = page.text.partition('id="menu"')[2].partition("</nav>")[0]
    for path in ("/", "/stock", "/dashboard", "/pictures", "/warehouses"):
        assert f'href="{path}"' in menu


def test_money_is_for_whoever_may_see_it(people):
    line = {"line": 1, "item": "BOLT", "quantity": "5", "unit_price": "96.5"}
    order = {"supplier": "ACME", "warehouse": "SH1", "currency": "CNY", "lines": [line]}
    administrator = people.browser("administrator")
    made = administrator.change("POST", "/api/v1/partners", {"code": "ACME", "name": "Acme"})
    assert made.status_code == 201, made.text
    answer = administrator.change("POST", "/api/v1/purchase-orders", order)
    assert answer.status_code == 201, answer.text
    code = answer.json()["code"]
    for name, price in (("finance", "96.5000"), ("keeper", None)):
        browser = people.browser(name)
        told = browser.ask("GET", f"/api/v1/purchase-orders/{code}").json()
        assert told["lines"][0]["unit_price"] == price
        for path in (f"/purchase-orders/{code}", "/purchase-orders", "/tables/purchase_order"):
            page = browser.ask("GET", path, page=True)
            assert page.status_code == 200
            shown = "96.5" in page.text or "482.5" in page.text
            assert shown == (price is not None), path


def test_what_somebody_does_stands_under_their_own_name(people):
    _transfer(people, by="keeper")
    refused = people.browser("keeper").change(
        "POST",
        "/api/v1/transfers",
        {"source_warehouse": "SH1", "destination_warehouse": "BJ1"} | TRANSFER,
        Dockledger_Actor="li.na",
    )
    assert refused.status_code == 403
    assert [actor for _, _, actor in people.events("transfer")] == ["keeper"]


def test_a_program_that_may_act_for_others_names_them(people):
    answer = people.browser("administrator").change(
        "POST",
        "/api/v1/transfers",
        {"source_warehouse": "SH1", "destination_warehouse": "BJ1"} | TRANSFER,
        Dockledger_Actor="li.na",
    )
    assert answer.status_code == 201
    assert [actor for _, _, actor in people.events("transfer")] == ["li.na"]


def _key(people, by, permissions, **more):
    body = {"label": "ERP", "permissions": permissions, **more}
    return people.browser(by).change("POST", "/api/v1/tokens", body)


def _by_key(people, text, path="/api/v1/stock", method="GET", body=None):
    headers = {"Authorization": f"Bearer {text}"}
    return people.browser().ask(method, path, headers=headers, json=body).status_code


def test_a_key_may_do_what_it_was_given_and_no_more(people_on_both):
    people = people_on_both
    made = _key(people, "supervisor", ["stock.read", "counts.read"], warehouse="SH1")
    assert made.status_code == 201, made.text
    text = made.json()["text"]
    assert text.startswith("dlt_")
    assert _by_key(people, text) == 200
    assert _by_key(people, text, "/api/v1/stock?warehouse=BJ1") == 404
    assert _by_key(people, text, "/api/v1/transfers") == 403
    assert _by_key(people, text, "/api/v1/users") == 403
    assert _by_key(people, text, "/api/v1/account/password", "POST", {}) == 422
    shown = people.browser("supervisor").ask("GET", "/api/v1/tokens").json()["tokens"]
    assert [(one["text"], bool(one["used"])) for one in shown] == [("", True)]


def test_a_key_needs_no_csrf_and_is_worth_nothing_once_it_ends(people):
    text = _key(people, "administrator", ["users.change", "users.read"], days=1).json()["text"]
    path = "/api/v1/users/viewer/disable"
    assert _by_key(people, text, path, "POST", {}) == 200
    assert _by_key(people, text[:-1] + ("0" if text[-1] != "0" else "1")) == 401
    people.clock.ms += 24 * 3_600_000
    assert _by_key(people, text, "/api/v1/users") == 401


@pytest.mark.parametrize("how", ["owner-dismissed", "taken-back", "owner-lost-the-role"])
def test_a_key_ends_with_what_it_stands_on(people_on_both, how):
    people = people_on_both
    made = _key(people, "supervisor", ["stock.read"]).json()
    administrator = people.browser("administrator")
    if how == "owner-dismissed":
        administrator.change("POST", "/api/v1/users/supervisor/disable")
        administrator.change("POST", "/api/v1/users/supervisor/enable")
    elif how == "taken-back":
        assert administrator.change("DELETE", f"/api/v1/tokens/{made['token']}").is_success
    else:
        administrator.change("PUT", "/api/v1/users/supervisor/roles", {"roles": []})
    expected = 403 if how == "owner-lost-the-role" else 401
    assert _by_key(people, made["text"]) == expected


@pytest.mark.parametrize(
    ("permissions", "more"),
    [
        pytest.param(["users.change"], {}, id="more-than-one-may"),
        pytest.param([], {}, id="nothing"),
        pytest.param(["stock.read"], {"days": 366}, id="longer-than-a-year"),
        pytest.param(["stock.steal"], {}, id="unknown"),
    ],
)
def test_a_key_that_may_not_be_is_not_made(people, permissions, more):
    assert _key(people, "supervisor", permissions, **more).status_code == 422


def test_nobody_gives_away_what_they_do_not_have(people):
    made = _key(people, "administrator", ["users.change", "users.read"]).json()["text"]
    body = {"roles": [{"role": "administrator", "warehouse": ""}]}
    assert _by_key(people, made, "/api/v1/users/viewer/roles", "PUT", body) == 403
    assert _by_key(people, made, "/api/v1/users/viewer/roles", "PUT", {"roles": []}) == 200


def test_figures_for_watchers_need_a_key_unless_the_watcher_is_on_this_machine(people):
    far, near = people.browser(), people.browser(address="127.0.0.1")
    assert (far.ask("GET", "/metrics").status_code, near.ask("GET", "/metrics").status_code) == (
        401,
        200,
    )
    text = _key(people, "fleet", ["metrics.read"]).json()["text"]
    assert _by_key(people, text, "/metrics") == 200
    assert people.browser("keeper").ask("GET", "/metrics").status_code == 403


def test_where_nobody_signs_in_everything_is_as_it_was(lite):
    people = People(lite)
    people.app.state.access = None
    visitor = people.browser()
    assert visitor.ask("GET", "/api/v1/users").status_code == 200
    assert visitor.ask("GET", "/", page=True).status_code == 200
    assert visitor.ask("GET", "/login", page=True).headers["location"] == "/"
    assert visitor.ask("GET", "/account", page=True).headers["location"] == "/users"


def test_a_warehouse_said_twice_shows_nothing_of_another(people_on_both):
    people = people_on_both
    here, there = _count(people, "SH1"), _count(people, "BJ1")
    keeper = people.browser("keeper-sh1")
    for query in ("warehouse=SH1&warehouse=", "warehouse=&warehouse=SH1", "warehouse="):
        for path in ("/tables/count?", "/tables/count.xlsx?", "/counts?", "/api/v1/counts?"):
            answer = keeper.ask("GET", path + query, page=path == "/counts?")
            assert there not in answer.text
            assert (answer.status_code == 404) == ("&" in query)
    assert here in keeper.ask("GET", "/counts?warehouse=", page=True).text


def test_what_is_of_the_own_warehouse_is_not_moved_into_another(people):
    people.add("boss-sh1", Grant(Role.SUPERVISOR, "SH1"))
    code = _count(people, "SH1")
    path, boss = f"/api/v1/counts/{code}/cancel", people.browser("boss-sh1")
    assert boss.change("POST", path, {"warehouse": "BJ1"}).status_code == 403
    assert boss.change("POST", path, {"warehouse": None}).status_code != 403
    assert boss.change("POST", path, {"reason": "no more"}).status_code != 403


def test_every_permission_that_is_asked_for_has_to_hold_there(people):
    people.add("mixed", Grant(Role.VIEWER), Grant(Role.FINANCE, "SH1"))
    mixed = people.browser("mixed")
    assert mixed.ask("GET", "/api/v1/exports/items").status_code == 403
    assert people.browser("finance").ask("GET", "/api/v1/exports/items").status_code == 200


def test_a_key_makes_no_further_keys(people):
    made = _key(people, "supervisor", ["tokens.change", "stock.read"], warehouse="SH1", days=1)
    body = {"label": "wider", "permissions": ["stock.read"], "warehouse": "", "days": 365}
    assert _by_key(people, made.json()["text"], "/api/v1/tokens", "POST", body) == 403
    assert len(people.browser("supervisor").ask("GET", "/api/v1/tokens").json()["tokens"]) == 1


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("PUT", "password", {"password": "nine horses eat slowly"}),
        ("DELETE", "second-factor", None),
        ("POST", "enable", {}),
    ],
)
def test_a_narrow_key_opens_no_account_that_may_more(people, method, what, body):
    key = _key(people, "administrator", ["users.change", "users.read"]).json()["text"]
    assert _by_key(people, key, f"/api/v1/users/supervisor/{what}", method, body) == 403
    answer = people.browser("administrator").change(
        method, f"/api/v1/users/supervisor/{what}", body
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=str,
)
def test_where_nobody_signs_in_other_sites_change_nothing(lite, headers):
    people = People(lite)
    people.app.state.access = None
    visitor, body = people.browser(), {"code": "ACME", "name": "Acme"}
    path = "/api/v1/partners"
    assert visitor.ask("POST", path, json=body, headers=headers).status_code == 403
    own = {"Origin": "http://central", "Sec-Fetch-Site": "same-origin"}
    assert visitor.ask("POST", path, json=body, headers=own).status_code == 201


def test_staff_of_one_warehouse_claim_no_gateway_of_another(people_on_both):
    people = people_on_both
    trust = people.app.state.trust = trust_of(people.database, clock=people.clock)
    try:
        people.add("fleet-sh1", Grant(Role.FLEET, "SH1"))
        fleet = people.browser("fleet-sh1")
        there = trust.make_claim(gateway="bj1-a", warehouse="BJ1", by="tests").row.name

        def claim(gateway, warehouse):
            body = {"gateway": gateway, "warehouse": warehouse}
            return fleet.change("POST", "/api/v1/claims", body)

        assert claim("sh1-a", "BJ1").status_code == 404
        assert claim("bj1-a", "SH1").status_code == 404  # Being claimed there.
        for gateway in ("bj1-b", "sh1-b"):
            with people.database.write() as connection:
                write_enrolment(
                    connection,
                    gateway=gateway,
                    site="demo",
                    warehouse=gateway[:3].upper(),
                    public_key=bytes(32),
                    now_ms=1,
                )
        assert claim("bj1-b", "SH1").status_code == 404  # Enrolled there.
        assert claim("sh1-b", "SH1").status_code == 201
        here = claim("sh1-a", "SH1").json()["name"]
        for name, status in ((there, 404), (here, 200)):
            path = f"/api/v1/claims/{name}/withdraw"
            assert fleet.change("POST", path).status_code == status
        page = fleet.ask("GET", "/claims", page=True).text
        assert ("sh1-a" in page, "bj1-a" in page, "BJ1" in page) == (True, False, False)
        assert "bj1-a" not in fleet.ask("GET", "/api/v1/claims").text
        assert people.events("gateway_claim")[-1] == (here, "withdrawn", "fleet-sh1")
        assert (here, "made", "fleet-sh1") in people.events("gateway_claim")
    finally:
        people.app.state.trust = None
