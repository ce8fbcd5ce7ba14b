"""Goods that cross to another warehouse under no document are told of, until they are explained."""

import re

import pytest

from central.web.taken_back_words import TAKEN_BACK
from tests.central.orders.settling import Settling

KIND = "transit_unnamed"
OUT = {"source": "BIN-1", "target": "in_transit"}


@pytest.fixture
def site(database):
    made = Settling(database)
    made.dock.move("BOLT", "9")
    made.send()
    yield made
    made.proved()


def sent(site, quantity="5", item="BOLT", **fields):
    """The number of a fact by which goods left."""
    site.dock.move(item, quantity, **OUT, **fields)
    site.send()
    return len(site.dock.bodies)


def arrived(site, quantity="5"):
    site.other.move("BOLT", quantity, source="in_transit", target="BIN-1")
    site.send(site.other)


def open_ones(site):
    found = site.get("/discrepancies?state=open")["discrepancies"]
    return sorted((one["warehouse"], one["kind"], one["subject"]) for one in found)


def under_way(site):
    return [(one["document"], one["quantity"]) for one in site.get("/in-transit")["in_transit"]]


def settled(site, warehouse, body=None):
    (row,) = site.get(f"/discrepancies?kind={KIND}&state=open&warehouse={warehouse}")[
        "discrepancies"
    ]
    if body is None:
        body = site.get(f"/discrepancies/{row['id']}")["proposals"][0]["body"]
    path = f"/discrepancies/{row['id']}/settle"
    return site.ask("POST", path, {"reason": "asked", **body})


def test_each_book_tells_of_it_and_books_it_as_gone_and_as_come(site):
    sent(site)
    arrived(site)
    assert open_ones(site) == [("BJ1", KIND, "BOLT"), ("SH1", KIND, "BOLT")]
    refused = settled(site, "SH1", {"action": "accept"})
    assert refused.status_code == 409
    assert "5 C62 of BOLT would stay under way unexplained" in refused.json()["detail"]
    for warehouse in ("SH1", "BJ1"):
        answer = settled(site, warehouse)
        assert (answer.status_code, answer.json()["state"]) == (200, "settled"), answer.text
    assert (open_ones(site), under_way(site)) == ([], [])
    assert site.on_hand()["BIN-1", ""] == 4
    assert site.on_hand(warehouse="BJ1")["BIN-1", ""] == 5


def test_the_transfer_is_named_that_it_was(site):
    sent(site)
    arrived(site)
    lines = [{"item": "BOLT", "quantity": "5"}]
    ends = {"source_warehouse": "SH1", "destination_warehouse": "BJ1"}
    site.dock.move("BOLT", "5", target="BIN-2")
    site.send()
    code = site.post("/transfers", {**ends, "lines": lines})["code"]
    for action in ("request", "approve", "release"):
        site.post(f"/transfers/{code}/{action}")
    for warehouse in ("SH1", "BJ1"):
        answer = settled(site, warehouse)
        assert answer.json()["settlements"][-1]["action"] == "reassign", answer.text
    (line,) = site.get(f"/transfers/{code}")["lines"]
    assert (line["shipped"], line["received"]) == ("5", "5")
    assert (open_ones(site), under_way(site)) == ([], [])


def test_what_came_back_the_same_way_settles_itself(site):
    sent(site)
    site.dock.move("BOLT", "3", source="in_transit", target="BIN-1")
    site.send()
    assert open_ones(site) == [("SH1", KIND, "BOLT")]
    site.dock.move("BOLT", "2", source="in_transit", target="BIN-1")
    site.send()
    why = site.found(KIND, "settled")["settlement"]
    assert re.fullmatch(r"since record \d+ nothing of it is under way", why)
    assert any(re.fullmatch(pattern, why) for pattern, _ in TAKEN_BACK)


def test_what_is_undone_after_it_was_accounted_for_is_told_again(site):
    seq = sent(site)
    settled(site, "SH1")
    site.dock.reverse(seq)
    site.send()
    assert under_way(site) == [("", "-5")]
    assert site.found(KIND)["detail"].endswith("was taken back, and was accounted for before")
    assert settled(site, "SH1").status_code == 200
    assert under_way(site) == []


def test_goods_that_get_their_name_are_told_under_it(site):
    sent(site, item="WHAT-7", quantity="2")
    site.settle("negative_balance", {"action": "adjust"})
    assert ("SH1", KIND, "WHAT-7") in open_ones(site)
    site.settle("unknown_item", {"action": "reassign", "item": "BOLT"})
    assert ("SH1", KIND, "BOLT") in open_ones(site)
    assert ("SH1", KIND, "WHAT-7") not in open_ones(site)
