"""A balance below zero is settled when it is filled, by what is really there and no more."""

import pytest

from central.web.drawing import drawing_in
from central.web.settlement_words import sentence
from tests.central.orders.settling import Settling


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def taken(site, quantity, *, there, item="NUT"):
    """So many are shipped from BIN-2, which has none, while BIN-3 has some."""
    site.dock.move(item, there, target="BIN-3")
    site.dock.move(item, quantity, source="BIN-2", target="customer")
    site.send()


def test_a_hole_that_is_filled_in_part_stays_open_for_the_rest(site):
    taken(site, "7", there="4")
    first = site.found("negative_balance")["proposals"][0]
    assert first["body"] == {"action": "reassign", "location": "BIN-3", "quantity": "4"}
    assert first["why"] == (
        "BIN-3 has 4 C62: they may have been taken from there. 3 C62 stay missing, and it stays"
        " open."
    )
    texts = drawing_in("zh").texts
    assert sentence(first["why"], texts) == (
        "BIN-3 有 4 件：可能是从那里取的。 仍缺 3 件，此差异保持未处理。"
    )
    answer = site.settle("negative_balance").json()
    assert (answer["state"], answer["actual"], answer["settlement"]) == ("open", "-3", "")
    assert site.on_hand("NUT")["BIN-2", ""] == -3
    (event,) = site.get(f"/history/discrepancy/{answer['id']}")["events"]
    assert event["action"] == "settled_in_part"
    # The next proposal is about what is missing now; it settles it.
    (rest,) = site.found("negative_balance")["proposals"]
    assert rest["body"] == {"action": "adjust", "counted": "0"}
    settled = site.settle("negative_balance").json()
    assert settled["state"] == "settled"
    assert ("BIN-2", "") not in site.on_hand("NUT")
    body = {"reason": "not so", "take_back": True}
    path = f"/discrepancies/{settled['id']}/reopen"
    assert site.ask("POST", path, body).status_code == 200
    assert site.found("negative_balance")["actual"] == "-3"
    assert site.on_hand("NUT")["BIN-2", ""] == -3


def test_a_hole_that_somebody_fills_in_part_by_hand_stays_open(site):
    taken(site, "3", there="5")
    body = {"action": "reassign", "location": "BIN-3", "quantity": "1"}
    assert site.settle("negative_balance", body).json()["state"] == "open"
    assert site.on_hand("NUT")["BIN-2", ""] == -2
    # What late facts fill settles itself, as ever.
    site.dock.move("NUT", "2", target="BIN-2")
    site.send()
    assert site.found("negative_balance", "settled")["settlement"].endswith("brought it to 0 C62")


def test_a_hole_is_reversed_fact_by_fact(site):
    taken(site, "3", there="1")
    site.dock.move("NUT", "2", source="BIN-2", target="customer")
    site.send()
    back = {"action": "reverse"}
    assert site.settle("negative_balance", back).json()["state"] == "open"
    assert site.on_hand("NUT")["BIN-2", ""] == -2
    assert site.settle("negative_balance", back).json()["state"] == "settled"
    assert ("BIN-2", "") not in site.on_hand("NUT")


def test_a_hole_that_is_accepted_is_settled_as_it_is(site):
    taken(site, "3", there="1")
    assert site.settle("negative_balance", {"action": "accept"}).json()["state"] == "settled"
