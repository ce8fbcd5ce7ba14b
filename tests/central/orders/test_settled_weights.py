"""A weight that was written off with the last piece is given back with the pieces."""

import pytest
from sqlalchemy import text

from central.contract.facts import Evidence
from central.ledger.verify import verify_ledger
from central.storage import tables
from tests.central.orders.settling import Settling
from tests.central.orders.test_settled_decisions import opened_again
from tests.central.scenery import rows, set_policy

PIECE = KILOGRAM = 1_000_000
SOLD = {"source": "BIN-1", "target": "customer", "business_step": "shipping"}
UNKNOWN = {"document": "X-9"}


@pytest.fixture
def site(database):
    made = Settling(database)
    set_policy(database, "BOLT", weight_unit="KGM")
    yield made
    made.proved()


def weighed(kilograms):
    return {"net_weight": kilograms, "weight_unit": "KGM"}


def held(site):
    """{(place, status): (pieces, kilograms)} in all books, zeros left out."""
    names = ("warehouse", "location", "status", "on_hand_micro", "weight_micro")
    found = rows(site.database, tables.balances, *names)
    return {
        row[1:3]: (row[3] / PIECE, row[4] / KILOGRAM)
        for row in found
        if row[0] == "SH1" and any(row[3:])
    }


def test_what_a_settlement_wrote_off_is_there_again_when_it_is_opened_again(site):
    site.dock.move(quantity="4", **weighed("4"), **UNKNOWN)
    site.dock.move(quantity="1", **weighed("2"))
    site.dock.move(quantity="1", **SOLD, **weighed("1.5"))
    site.send()
    before = held(site)
    assert before["BIN-1", "available"] == (4, 4.5)
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert ("BIN-1", "available") not in held(site)
    assert held(site)["adjustment", "available"] == (0, 0.5)
    opened_again(site, "unknown_document")
    assert held(site) == before
    # Once more: what was given back is written off and given back again.
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert held(site)["adjustment", "available"] == (0, 0.5)
    opened_again(site, "unknown_document")
    assert held(site) == before


def test_a_place_below_zero_that_weighed_something_weighs_it_again(site):
    site.dock.move(quantity="1", **weighed("1"))
    site.dock.move(quantity="3", **SOLD, **weighed("2.4"))
    site.send()
    before = held(site)
    assert before["BIN-1", "available"] == (-2, -1.4)
    assert site.settle("negative_balance", {"action": "adjust"}).status_code == 200
    assert ("BIN-1", "available") not in held(site)
    opened_again(site, "negative_balance")
    assert held(site) == before


@pytest.mark.parametrize("sold", ["2.4", "2.7"])
def test_a_fact_that_is_settled_as_never_happened_gives_back_what_it_wrote_off(site, sold):
    site.dock.move(quantity="3", **weighed("2.5"))
    site.send()
    before = held(site)
    site.dock.move(quantity="3", **SOLD, **weighed(sold), **UNKNOWN)
    site.send()
    after = held(site)
    assert after["adjustment", "available"] == (0, round(2.5 - float(sold), 6))
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert held(site) == before
    opened_again(site, "unknown_document")
    assert held(site) == after


def test_a_weight_is_given_back_to_the_pieces_that_are_there_by_now(site):
    site.dock.move(quantity="2", **weighed("3"))
    site.dock.move(quantity="2", **SOLD, **weighed("2.5"), **UNKNOWN)
    site.dock.move(quantity="5", to_status="held", **weighed("6"))
    site.send()
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    there = held(site)
    assert (there["BIN-1", "available"], there["BIN-1", "held"]) == ((2, 3), (5, 6))
    opened_again(site, "unknown_document")
    site.dock.move(
        quantity="5",
        source="BIN-1",
        target="BIN-1",
        business_step="inspecting",
        from_status="held",
        to_status="available",
    )
    site.send()
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert held(site)["BIN-1", "available"] == (7, 9)


def test_goods_of_several_statuses_get_back_what_was_written_off_of_each(site):
    site.dock.move(quantity="2", **weighed("2.2"))
    site.dock.move(quantity="3", to_status="inspection", **weighed("3.9"))
    site.send()
    before = held(site)
    site.dock.move(quantity="5", **SOLD, **weighed("6"), **UNKNOWN)
    site.send()
    after = held(site)
    assert after["adjustment", "available"] != after["adjustment", "inspection"]
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert held(site) == before
    opened_again(site, "unknown_document")
    assert held(site) == after


def test_no_station_can_give_weights_back(site):
    raw = b"gives back 5 available BIN-1"
    said = (Evidence(device="ledger", kind="manual", raw=raw),)
    site.dock.move(quantity="2", flags=("gives_back",), evidence=said, **weighed("3"))
    site.send()
    assert held(site)["BIN-1", "available"] == (2, 3)
    assert ("adjustment", "available") not in held(site)


def test_that_another_weight_is_given_back_than_was_said_is_found(database):
    site = Settling(database)
    site.dock.move(quantity="2", **weighed("3"))
    site.dock.move(quantity="2", **SOLD, **weighed("2.5"), **UNKNOWN)
    site.send()
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    site.proved()
    with database.write() as connection:
        doubled = "UPDATE lines SET weight_micro = 2 * weight_micro WHERE record_no = 3"
        connection.execute(text(f"{doubled} AND quantity_micro = 0"))
    assert "rest" in {fault.check for fault in verify_ledger(database).faults}
