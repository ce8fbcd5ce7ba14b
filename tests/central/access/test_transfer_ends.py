"""Goods of a transfer are set aside, and seen, by whoever may where they are."""

import pytest

from central.access.permissions import Grant, Role
from central.inbox.inbox import Inbox
from central.orders.following import FOLLOWERS
from central.storage.tables import warehouses
from tests.central.scenery import Gateway, enrol


def _asked(source="SH1", destination="BJ1", quantity="1", **fields):
    ends = {"source_warehouse": source, "destination_warehouse": destination}
    return ends | {"lines": [{"item": "BOLT", "quantity": quantity}]} | fields


@pytest.fixture
def two_ends(people_on_both):
    """Stock at SH1, and a supervisor of each warehouse."""
    people = people_on_both
    here = Gateway()
    enrol(people.database, here)
    here.move("BOLT", "5", source="supplier", target="BIN-1", lot="LOT-HERE")
    Inbox(people.database, clock=people.clock, followers=FOLLOWERS).accept([here.offer(1)])
    for place in ("SH1", "BJ1"):
        people.add(f"boss-{place.lower()}", Grant(Role.SUPERVISOR, place))
    return people


def test_goods_of_another_warehouse_are_neither_set_aside_nor_told(two_ends):
    boss, path = two_ends.browser("boss-bj1"), "/api/v1/transfers"
    for body in (_asked(), _asked(quantity="999"), _asked() | {"source_warehouse": ["BJ1"]}):
        answer = boss.change("POST", f"{path}/release", body)
        assert answer.status_code == 403, answer.text
        assert (answer.json()["fields"], "picks" in answer.json()) == ({}, False)
    code = boss.change("POST", path, _asked(quantity="999")).json()["code"]
    for action in ("request", "approve"):
        assert boss.change("POST", f"{path}/{code}/{action}").status_code == 200
    for action, body in (("release", None), ("reserve", None), ("release", {"warehouse": "BJ1"})):
        answer = boss.change("POST", f"{path}/{code}/{action}", body)
        assert (answer.status_code, "available" in answer.text) == (403, False)
    source = two_ends.browser("boss-sh1")
    refused = source.change("POST", f"{path}/{code}/release")
    assert (refused.status_code, refused.json()["fields"]["lines"][0]["available"]) == (409, "5")
    assert source.change("POST", f"{path}/release", _asked()).json()["picks"]


def test_nobody_releases_what_is_of_neither_end(two_ends):
    with two_ends.database.write() as connection:
        connection.execute(warehouses.insert().values(warehouse="XX1", name="", name_zh=""))
    two_ends.add("boss-of-none", Grant(Role.SUPERVISOR, "XX1"))
    made = two_ends.browser("supervisor").change("POST", "/api/v1/transfers", _asked())
    code = made.json()["code"]
    answer = two_ends.browser("boss-of-none").change("POST", f"/api/v1/transfers/{code}/release")
    assert answer.status_code == 404


def test_where_goods_are_set_aside_is_shown_to_whoever_may_see_their_warehouse(two_ends):
    made = two_ends.browser("boss-sh1").change("POST", "/api/v1/transfers/release", _asked())
    code = made.json()["code"]
    for name, seen in (("boss-sh1", True), ("supervisor", True), ("boss-bj1", False)):
        browser = two_ends.browser(name)
        shown = browser.ask("GET", f"/api/v1/transfers/{code}")
        assert (shown.status_code, bool(shown.json()["picks"])) == (200, seen)
        assert shown.json()["lines"][0]["reserved"] == "1"
        page = browser.ask("GET", f"/transfers/{code}", page=True)
        assert (page.status_code, "BIN-1" in page.text, "LOT-HERE" in page.text) == (
            200,
            seen,
            seen,
        )
        assert ("/print/transfer-picks/" in page.text) == seen
        printed = browser.ask("GET", f"/print/transfer-picks/{code}.pdf", page=True)
        assert printed.status_code == (200 if seen else 404)
    path, reason = f"/api/v1/transfers/{code}/cancel", {"reason": "not needed"}
    answer = two_ends.browser("boss-bj1").change("POST", path, reason)
    assert (answer.status_code, answer.json()["picks"]) == (200, [])


def test_what_takes_goods_is_offered_to_whoever_may_where_they_are(two_ends):
    made = two_ends.browser("boss-sh1").change("POST", "/api/v1/transfers", _asked())
    path = f"/transfers/{made.json()['code']}"
    for action in ("request", "approve"):
        two_ends.browser("boss-sh1").change("POST", f"/api/v1{path}/{action}")
    for action in ("release", "reserve"):
        for name, seen in (("boss-sh1", True), ("supervisor", True), ("boss-bj1", False)):
            browser = two_ends.browser(name)
            page = browser.ask("GET", path, page=True)
            assert (f"/api/v1{path}/cancel" in page.text, page.status_code) == (True, 200)
            assert (f"/api/v1{path}/{action}" in page.text) == seen, (name, action)
            answer = browser.ask("GET", f"/api/v1{path}").json()
            assert action in answer["actions"]
        two_ends.browser("boss-sh1").change("POST", f"/api/v1{path}/release")


def test_what_has_left_whole_offers_nothing_to_set_aside(two_ends):
    boss = two_ends.browser("boss-sh1")
    made = boss.change("POST", "/api/v1/transfers/release", _asked(quantity="2"))
    path = f"/transfers/{made.json()['code']}"
    trucks = {place: Gateway(f"truck-{place}", warehouse=place) for place in ("SH1", "BJ1")}
    enrol(two_ends.database, *trucks.values())
    inbox = Inbox(two_ends.database, clock=two_ends.clock, followers=FOLLOWERS)
    said = {"document": made.json()["code"], "document_line": 1, "lot": "LOT-HERE"}
    steps = (
        ("SH1", "BIN-1", "in_transit", "shipping", True),
        ("BJ1", "in_transit", "BIN-9", "receiving", True),
        ("SH1", "BIN-1", "in_transit", "receiving", False),
    )
    for place, source, target, state, offered in steps:
        truck = trucks[place]
        truck.move("BOLT", "1", source=source, target=target, **said)
        inbox.accept([truck.offer(len(truck.bodies))])
        shown = boss.ask("GET", f"/api/v1{path}").json()
        assert (shown["state"], "reserve" in shown["actions"]) == (state, True)
        page = boss.ask("GET", path, page=True)
        assert (f"/api/v1{path}/reserve" in page.text) == offered, state
