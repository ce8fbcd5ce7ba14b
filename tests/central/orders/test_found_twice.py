"""Goods of a transfer that were found under way, and of which its facts tell after all."""

import pytest

from tests.central.orders.settling import Settling
from tests.central.orders.test_settlement_proposals import _in_chinese, released, under_way

KIND, BEFORE = "filled_twice", "received_before_shipped"
CHINESE = {"Accept-Language": "zh"}
HOUR_MS = 3_600_000


@pytest.fixture
def site(database):
    """TR of ten; SH1's second gateway, which knows what it loads, is not heard of for hours."""
    made = Settling(database)
    made.dock.move(quantity="20")
    made.send()
    made.code = released(made, ("BOLT", 10))
    made.clock.time_ms += HOUR_MS
    yield made
    assert made.proved() is None


def told(site):
    rows = site.get("/discrepancies?state=open")["discrepancies"]
    return sorted(row["kind"] for row in rows)


def ship(site, quantity, **fields):
    values = {"document": site.code, "document_line": 1, "business_step": "transferring"}
    values |= {"source": "BIN-1", "target": "in_transit", "event_time_ms": site.clock.time_ms - 1}
    return site.dock.move(quantity=str(quantity), **(values | fields))


def receive(site, quantity, **fields):
    values = {"document": site.code, "document_line": 1, "business_step": "receiving"}
    values |= {"source": "in_transit", "target": "BIN-1", "event_time_ms": site.clock.time_ms - 1}
    number = site.other.move(quantity=str(quantity), **(values | fields))
    site.send(site.other)
    return number


def found(site):
    """What was received is found under way, as proposed; an hour later."""
    assert site.settle(BEFORE).json()["state"] == "settled"
    assert (sum(under_way(site)), told(site)) == (0, [])
    site.clock.time_ms += HOUR_MS


def test_the_departure_that_comes_late_is_told_and_the_finding_taken_back(site):
    ship(site, 5)
    receive(site, 5)
    found(site)
    site.send()
    assert (sum(under_way(site)), told(site)) == (5, [KIND])
    row = site.found(KIND)
    assert (row["document"], row["actual"], row["warehouse"]) == (site.code, "5", "BJ1")
    assert [one["why"] for one in row["proposals"]] == [
        f"Take 5 C62 back that were found of {site.code}: its facts tell of them by now.",
        f"Leave it so: 5 C62 are under way until {site.code} is closed with a reason.",
    ]
    page = site.ask("GET", f"/discrepancies/{row['id']}", **CHINESE).json()
    assert all(_in_chinese(one["why"]) for one in page["proposals"])
    assert site.settle(KIND).json()["state"] == "settled"
    assert (sum(under_way(site)), told(site)) == (0, [])


def test_a_receipt_that_is_undone_leaves_nothing_found(site):
    number = receive(site, 3)
    found(site)
    site.other.reverse(number, event_time_ms=site.clock.time_ms - 1)
    site.send(site.other)
    assert (sum(under_way(site)), told(site)) == (3, [KIND])
    site.settle(KIND)
    assert (sum(under_way(site)), told(site)) == (0, [])


def test_only_as_much_as_left_is_taken_back_and_what_stays_is_of_the_time_of_the_finding(site):
    number = ship(site, 2)
    site.clock.time_ms += 1000
    ship(site, 1)
    receive(site, 5)
    found(site)
    (offer,) = site.inbox.accept([site.dock.offer(number, number)])
    assert offer.kind == "accepted"
    assert site.found(KIND)["actual"] == "2"
    site.settle(KIND)
    assert (sum(under_way(site)), told(site)) == (0, [])
    (offer,) = site.inbox.accept([site.dock.offer(number + 1)])
    assert offer.kind == "accepted"
    assert site.found(KIND)["actual"] == "1"
    site.settle(KIND)
    assert (sum(under_way(site)), told(site)) == (0, [])


def test_what_leaves_and_comes_after_the_finding_is_no_matter(site):
    receive(site, 5)
    found(site)
    ship(site, 4)
    site.clock.time_ms += HOUR_MS
    site.send()
    receive(site, 4)
    assert (sum(under_way(site)), told(site)) == (0, [])


def test_what_is_told_settles_itself_once_it_is_so_again(site):
    number = ship(site, 5)
    receive(site, 5)
    found(site)
    site.send()
    assert told(site) == [KIND]
    site.dock.reverse(number, event_time_ms=site.clock.time_ms - 1)
    site.send()
    assert (sum(under_way(site)), told(site)) == (0, [])
    row = site.found(KIND, "settled")
    assert row["settlement"] == "by the facts, what was found under way was missing there"


def test_who_opens_the_finding_again_has_it_settled(site):
    ship(site, 5)
    receive(site, 5)
    found(site)
    site.send()
    first = site.found(BEFORE, "settled")
    body = {"reason": "its facts came", "take_back": True}
    answer = site.ask("POST", f"/discrepancies/{first['id']}/reopen", body, version="*")
    assert answer.status_code == 200, answer.text
    assert (sum(under_way(site)), told(site)) == (0, [BEFORE])
    assert [one["body"]["action"] for one in site.found(BEFORE)["proposals"]] == ["accept"]


def test_it_may_be_left_and_is_explained_by_the_end_of_the_transfer(site):
    ship(site, 5)
    receive(site, 5)
    found(site)
    site.send()
    closing = {"item": "BOLT", "quantity": "5", "unit": "C62", "reason": "lost"}
    body = {"reason": "nobody has them", "closings": [closing]}
    answer = site.ask("POST", f"/transfers/{site.code}/close", body, version="*")
    assert answer.status_code == 200, answer.text
    assert (sum(under_way(site)), told(site)) == (0, [])


def test_what_a_settlement_lets_stand_again_is_of_its_time(site):
    """Of fourteen that left, four by mistake, four right ones were reversed as too much."""
    wrong = ship(site, 4)
    ship(site, 10)
    site.send()
    site.clock.time_ms += HOUR_MS
    assert site.settle("over_shipped").json()["state"] == "settled"
    receive(site, 10)
    site.dock.reverse(wrong, event_time_ms=site.clock.time_ms - 1)
    site.send()
    assert told(site) == [BEFORE, "reversed_twice"]
    site.settle(BEFORE)
    site.clock.time_ms += HOUR_MS
    site.settle("reversed_twice")
    assert (sum(under_way(site)), told(site)) == (4, [KIND])
    site.settle(KIND)
    assert (sum(under_way(site)), told(site)) == (0, [])
    assert site.on_hand()["BIN-1", ""] == 10


def test_no_more_is_taken_back_than_is_too_much(site):
    ship(site, 2)
    receive(site, 5)
    found(site)
    site.send()
    answer = site.settle(KIND, {"action": "reverse", "quantity": "3"})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "2 C62 of BOLT came as well, not 3"
