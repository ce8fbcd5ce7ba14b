"""Goods of catch weight that were not weighed: somebody says what they weighed, or leaves it."""

import pytest

from central.orders.transfers.transfer_book import LineWanted, create_transfer, decide
from central.storage import tables
from tests.central.orders.settling import Settling
from tests.central.scenery import rows, set_policy


@pytest.fixture
def site(database):
    made = Settling(database)
    set_policy(database, "BOLT", weight_unit="GRM")
    yield made
    made.proved()


def held(site):
    """{location: (pieces, grams)} of all lots, zeros left out."""
    sums = {}
    for location, *amounts in rows(
        site.database, tables.balances, "location", "on_hand_micro", "weight_micro"
    ):
        before = sums.get(location, (0, 0))
        sums[location] = tuple(
            (was + more / 10**6) for was, more in zip(before, amounts, strict=True)
        )
    return {location: amounts for location, amounts in sums.items() if any(amounts)}


def test_what_came_unweighed_gets_its_weight_at_the_desk(site):
    site.dock.move(quantity="5", net_weight="4", weight_unit="KGM")
    site.dock.move(quantity="3")
    site.send()
    row = site.found("weight_missing")
    assert (row["cause"], row["actual"], row["proposals"]) == ("goods", "3", [])
    body = {"action": "reassign", "weight": "2500"}
    assert site.settle("weight_missing", {"action": "reassign"}).status_code == 422
    answer = site.settle("weight_missing", body)
    assert answer.status_code == 200, answer.text
    assert held(site) == {"BIN-1": (8, 6500), "supplier": (-8, -6500)}
    reopened = site.ask("POST", f"/discrepancies/{row['id']}/reopen", {"reason": "no"})
    assert reopened.status_code == 200, reopened.text
    assert held(site) == {"BIN-1": (8, 4000), "supplier": (-8, -4000)}


def test_what_left_unweighed_took_its_share_or_what_somebody_says(site):
    site.dock.move(quantity="3", net_weight="2500", weight_unit="GRM")
    site.dock.move(quantity="2", source="BIN-1", target="customer")
    site.send()
    row = site.found("weight_missing")
    assert [one["body"] for one in row["proposals"]] == [{"action": "accept"}]
    answer = site.settle("weight_missing", {"action": "reassign", "weight": "1600"})
    assert answer.status_code == 200, answer.text
    assert held(site) == {
        "BIN-1": (1, 900),
        "customer": (2, 1600),
        "supplier": (-3, -2500),
    }


def test_what_came_unweighed_goes_back_without_a_weight(site):
    site.dock.move(quantity="5", net_weight="4", weight_unit="KGM")
    site.dock.move(quantity="3")
    site.send()
    assert site.settle("weight_missing", {"action": "reverse"}).status_code == 200
    assert held(site) == {"BIN-1": (5, 4000), "supplier": (-5, -4000)}


def test_a_weight_is_that_of_one_fact(site):
    site.dock.move(quantity="3")
    site.dock.move(quantity="2")
    site.dock.move(quantity="2", lot="L1")
    site.dock.move(quantity="1", source="BIN-1", target="BIN-2")
    site.send()
    first = next(
        row
        for row in site.get("/discrepancies?kind=weight_missing")["discrepancies"]
        if not row["lot"]
    )
    path = f"/discrepancies/{first['id']}"
    assert [one["seq"] for one in site.get(path)["facts"]] == [1, 2]
    body = {"action": "reassign", "weight": "700", "reason": "weighed now"}
    answer = site.ask("POST", f"{path}/settle", body)
    assert answer.status_code == 422 and "of one fact" in answer.text
    fact = site.get(path)["facts"][1]
    name = f"{fact['gateway']}/{fact['epoch']}/{fact['seq']}"
    answer = site.ask("POST", f"{path}/settle", body | {"facts": [name]})
    assert answer.status_code == 200, answer.text
    assert held(site)["BIN-1"] == (6, 700)


@pytest.mark.parametrize(
    ("stated", "unit", "grams"),
    [
        pytest.param("22.05", "LBR", 10001.711758, id="half of a millionth, to even"),
        pytest.param("0.1", "ONZ", 2.834952, id="ounces"),
        pytest.param("2500", "MGM", 2.5, id="exact"),
    ],
)
def test_a_weight_of_another_unit_of_mass_is_rounded_once(site, stated, unit, grams):
    site.dock.move(quantity="3", net_weight=stated, weight_unit=unit)
    site.send()
    assert held(site) == {"BIN-1": (3, grams), "supplier": (-3, -grams)}
    assert not site.get("/discrepancies?state=open")["discrepancies"]
    site.dock.reverse(1)
    site.send()
    assert held(site) == {}


@pytest.mark.parametrize(
    ("stated", "unit"),
    [
        pytest.param("2.5", "LTR", id="no mass"),
        pytest.param("9999999", "TNE", id="out of range"),
        pytest.param("0.0001", "MGM", id="less than is kept"),
    ],
)
def test_a_weight_that_means_nothing_waits_for_one_that_does(site, stated, unit):
    site.dock.move(quantity="3", net_weight=stated, weight_unit=unit)
    site.dock.move(quantity="1", source="BIN-1", target="BIN-2")
    site.send()
    (row,) = site.get("/discrepancies?state=open")["discrepancies"]
    said = f"{stated} {unit} of an item weighed in GRM"
    assert (row["kind"], row["actual"], row["detail"]) == ("weight_missing", "3", said)
    assert [one["seq"] for one in site.get(f"/discrepancies/{row['id']}")["facts"]] == [1]
    answer = site.settle("weight_missing", {"action": "reassign", "weight": "2500"})
    assert answer.status_code == 200, answer.text
    assert held(site) == {"BIN-1": (2, 2500), "BIN-2": (1, 0), "supplier": (-3, -2500)}


def test_a_weight_that_means_nothing_is_said_where_nobody_has_to_weigh(site):
    site.dock.move(quantity="3", net_weight="4", weight_unit="KGM")
    site.dock.move(quantity="1", source="BIN-1", target="BIN-2", net_weight="2", weight_unit="LTR")
    site.send()
    (row,) = site.get("/discrepancies?state=open")["discrepancies"]
    assert (row["kind"], row["subject"]) == ("unit_differs", "BOLT/LTR")
    proposals = site.found("unit_differs")["proposals"]
    assert [one["body"] for one in proposals] == [{"action": "accept"}]
    assert site.settle("unit_differs").status_code == 200
    assert held(site)["BIN-1"] == (2, 4000)


def advised(site):
    """What is proposed about the one that is open, and what somebody is told to do."""
    row = site.found("weight_missing")
    return [one["body"] for one in row["proposals"]], [one["text"] for one in row["advice"]]


PAPER = "Does a paper say what they weighed? Settle it with that weight."


def test_of_goods_that_all_left_again_nobody_is_told_to_weigh_them(site):
    site.dock.move(quantity="3")
    site.send()
    assert advised(site) == ([], ["Weigh them, and settle it with the weight."])
    site.dock.move(quantity="2", source="BIN-1", target="BIN-2")
    site.send()
    assert advised(site)[0] == []
    for place, quantity in (("BIN-1", "1"), ("BIN-2", "2")):
        site.dock.move(quantity=quantity, source=place, target="customer")
    site.send()
    rows = site.get("/discrepancies?kind=weight_missing&state=open")["discrepancies"]
    assert len(rows) == 2
    for row in rows:
        path = f"/discrepancies/{row['id']}"
        found = site.get(path)
        assert [one["text"] for one in found["advice"]] == [PAPER]
        (proposal,) = found["proposals"]
        assert proposal["why"] == "They have left again: nobody can weigh them any more."
        answer = site.ask("POST", f"{path}/settle", {"reason": "gone", **proposal["body"]})
        assert answer.json()["state"] == "settled", answer.text


def test_what_was_weighed_when_it_left_is_proposed_where_it_had_come_before(site):
    site.dock.move(quantity="10", net_weight="25", weight_unit="KGM")
    site.send()
    with site.desk.change(actor="x") as change:
        wanted = [LineWanted("BOLT", 10 * 10**6)]
        code = create_transfer(change, wanted, source="SH1", destination="BJ1").code
    for action in ("request", "approve", "release"):
        with site.desk.change(actor="x") as change:
            decide(change, code, action, version=None, reason="")
    under = {"document": code, "document_line": 1, "business_step": "transferring"}
    site.other.move(quantity="10", source="in_transit", target="BIN-1", **under)
    site.send(site.other)
    site.dock.move(quantity="10", source="BIN-1", target="in_transit", **under)
    site.send()
    (row,) = site.get("/discrepancies?kind=weight_missing&warehouse=BJ1")["discrepancies"]
    path = f"/discrepancies/{row['id']}"
    (proposal,) = site.get(path)["proposals"]
    assert proposal["why"] == "They weighed 25000 when they left."
    answer = site.ask("POST", f"{path}/settle", {"reason": "as sent", **proposal["body"]})
    assert answer.json()["state"] == "settled", answer.text
    # What had been written off as they left is back.
    assert held(site) == {"BIN-1": (10, 25000), "supplier": (-10, -25000)}


def test_pieces_that_have_a_weight_again_settle_that_they_had_none(site):
    site.dock.move(quantity="4", net_weight="4", weight_unit="KGM")
    site.dock.move(
        quantity="3", source="BIN-1", target="customer", net_weight="5", weight_unit="KGM"
    )
    site.send()
    assert site.found("weight_missing")["detail"].startswith("more was weighed out than in: -1000")
    site.dock.move(quantity="2", net_weight="3", weight_unit="KGM")
    site.send()
    why = "record 3 left the pieces there with a weight of 2000"
    assert site.found("weight_missing", "settled")["settlement"] == why


def test_goods_that_nobody_weighed_stay_so_when_others_are_weighed_beside_them(site):
    site.dock.move(quantity="4")
    site.dock.move(
        quantity="3", source="BIN-1", target="customer", net_weight="5", weight_unit="KGM"
    )
    site.dock.move(quantity="2", net_weight="9", weight_unit="KGM")
    site.send()
    assert site.found("weight_missing")["facts_count"] == 2
