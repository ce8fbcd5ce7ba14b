"""What came for two transfers under the code of one is settled in one order alone."""

import pytest

from tests.central.orders.settling import Settling
from tests.central.orders.test_settlement_proposals import _in_chinese, released, under_way

CHINESE = {"Accept-Language": "zh"}


@pytest.fixture
def site(database):
    made = Settling(database)
    made.dock.move(quantity="20")
    made.send()
    made.codes = [released(made, ("BOLT", 5)) for _ in range(2)]
    for code in made.codes:
        fields = {"document": code, "document_line": 1, "business_step": "transferring"}
        made.dock.move(quantity="5", source="BIN-1", target="in_transit", **fields)
    made.send()
    fields = {"document": made.codes[0], "document_line": 1, "business_step": "receiving"}
    made.other.move(quantity="10", source="in_transit", target="BIN-1", **fields)
    made.send(made.other)
    yield made
    assert made.proved() is None


def test_what_is_another_transfers_is_not_booked_as_found_first(site):
    first, second = site.codes
    row = site.found("received_before_shipped")
    excess = site.found("over_received")
    assert row["proposals"] == []
    (said,) = row["advice"]
    assert said["text"] == f"More came than {first} expects: settle that first."
    assert said["page"] == f"/discrepancies/{excess['id']}"
    answer = site.ask("GET", f"/discrepancies/{row['id']}", **CHINESE)
    assert _in_chinese(answer.json()["advice"][0]["text"])
    body = excess["proposals"][0]["body"]
    assert (body["action"], body["document"]) == ("reassign", second)
    assert site.settle("over_received").json()["state"] == "settled"
    assert site.found("received_before_shipped", "settled")
    assert site.get("/discrepancies?state=open")["discrepancies"] == []
    assert sum(under_way(site)) == 0


def test_what_came_above_both_is_booked_as_found_once_that_is_accepted(site):
    answer = site.settle("over_received", {"action": "accept"})
    assert answer.json()["state"] == "settled", answer.text
    row = site.found("received_before_shipped")
    assert [one["body"]["action"] for one in row["proposals"]] == ["adjust"]
    assert site.settle("received_before_shipped").json()["state"] == "settled"
