"""A station that moves a part of a piece is believed, and told of."""

import pytest

from central.ledger.reading import read_facts
from tests.central.orders.settling import Settling
from tests.central.scenery import REFERENCE, set_packs

BULK = b'[[items]]\ncode = "GRIT"\nname = "g"\nname_zh = "g"\nunit = "C62"\nkind = "bulk"\n'
DOCUMENT = REFERENCE.replace(b"[[documents]]", BULK + b"[[documents]]", 1)
OUT = {"source": "BIN-1", "target": "customer", "business_step": "shipping"}


@pytest.fixture
def site(database):
    made = Settling(database, DOCUMENT)
    set_packs(database, "BOLT", CT=(24, 1), XBX=(5, 1))
    yield made
    made.proved()


def told(site):
    """(item, facts, what the first one moved) of each item of which parts of pieces moved."""
    found = site.get("/discrepancies?kind=piece_parted")["discrepancies"]
    return [(one["item"], one["facts_count"], one["actual"]) for one in found]


MOVES = [
    pytest.param("BOLT", "2.5", {}, "2.5", id="pieces"),
    pytest.param("BOLT", "0.5", {"document": "PO-1", "document_line": 1}, "0.5", id="document"),
    pytest.param("BOLT", "0.5", {"to_status": "held"}, "0.5", id="status"),
    pytest.param("BOLT", "0.5", OUT, "0.5", id="goes"),
    pytest.param("BOLT", "0.5", {"unit": "XBX"}, "2.5", id="part of a pack parts a piece"),
    pytest.param("BOLT", "0.5", {"unit": "CT"}, None, id="half a pack"),
    pytest.param("BOLT", "0.5", {"unit": "DZN"}, None, id="half a dozen"),
    pytest.param("BOLT", "2.0", {}, None, id="whole"),
    pytest.param("BOLT", "0.5", {"unit": "KGM"}, None, id="another measure"),
    pytest.param("RICE", "0.5", {"unit": "KGM"}, None, id="kilograms"),
    pytest.param("GRIT", "0.5", {}, None, id="bulk"),
    pytest.param("GADGET", "0.5", {}, None, id="unknown"),
    pytest.param("BOLT", "0.5", {"warehouse": "BJ1"}, None, id="another warehouse"),
]


@pytest.mark.parametrize(("item", "quantity", "fields", "actual"), MOVES)
def test_that_a_part_of_a_piece_moved_is_told_of_what_is_counted(
    site, item, quantity, fields, actual
):
    site.dock.weigh()  # The first fact says whose the gateway is.
    site.dock.move(item, quantity, **fields)
    site.send()
    assert told(site) == ([] if actual is None else [(item, 1, actual)])


@pytest.mark.parametrize("at_once", [True, False])
def test_parts_are_told_however_facts_are_cut_and_even_if_they_add_up(site, at_once):
    for quantity in ("1", "0.5", "0.5", "3", "0.5"):
        site.dock.move(quantity=quantity)
        if not at_once:
            site.send()
    site.send()
    assert told(site) == [("BOLT", 3, "0.5")]
    assert site.on_hand() == {("BIN-1", ""): 5.5, ("supplier", ""): -5.5}


def test_only_the_parts_are_taken_back(site):
    for quantity in ("4", "0.5", "2.5"):
        site.dock.move(quantity=quantity)
    site.dock.move(quantity="0.5", unit="CT")
    site.send()
    answer = site.settle("piece_parted", {"action": "reverse"})
    assert answer.json()["state"] == "settled", answer.text
    assert site.on_hand() == {("BIN-1", ""): 16, ("supplier", ""): -16}


def test_what_the_desk_does_about_parts_is_no_news(site):
    site.dock.move(quantity="0.5", **OUT)
    site.send()
    assert site.settle("negative_balance", {"action": "adjust"}).status_code == 200
    assert told(site) == [("BOLT", 1, "0.5")]
    (proposal,) = site.found("piece_parted")["proposals"]
    assert proposal["body"] == {"action": "accept"}


def test_where_a_batch_goes_on_its_parts_are_where_they_were(site):
    for quantity in ("1", "0.5", "2", "1.5"):
        site.dock.move(quantity=quantity)
    read = read_facts(site.dock.bodies, first_seq=1)
    assert (read.parts, read.part(2, len(read.facts)).parts) == ([1, 3], [1])
