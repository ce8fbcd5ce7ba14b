"""What a transfer lost of what was set aside: proposed, set aside anew, settled once it left."""

import pytest

from central.orders.transfers.transfer_book import LineWanted, release_at_once
from central.storage import tables
from central.web.drawing import drawing_in
from central.web.settlement_words import sentence
from tests.central.orders.sales_scenes import ONE
from tests.central.orders.settling import Settling
from tests.central.scenery import rows

KIND = "reservation_short"


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def short(site, *lines, gone):
    """A released transfer of SH1, of which BIN-1 then lost so much."""
    wanted = lines or (LineWanted("BOLT", 5 * ONE),)
    site.dock.move(quantity="5")
    site.send()
    with site.desk.change(actor="x") as change:
        code = release_at_once(change, wanted, source="SH1", destination="BJ1").code
    site.dock.move(quantity=gone, source="BIN-1", target="adjustment", business_step="counting")
    site.send()
    return code


def load_truck(site, code, quantity, *, source="BIN-1"):
    fields = {"document": code, "document_line": 1, "business_step": "shipping"}
    site.dock.move(quantity=quantity, source=source, target="in_transit", **fields)
    site.send()


def proposed(site):
    return [one["body"]["action"] for one in site.found(KIND)["proposals"]]


def test_what_was_set_aside_and_is_gone_is_told_in_both_languages(site):
    short(site, gone="3")
    detail = site.found(KIND)["detail"]
    assert detail == "BOLT of BIN-1 was set aside and is gone"
    texts = drawing_in("zh").texts
    assert sentence(detail, texts) == "BIN-1 的 BOLT 已预留，但现已不在。"
    of_lot = "lot L-1 of BIN-1 was set aside and is gone"
    assert sentence(of_lot, texts) == "BIN-1 的批次 L-1 已预留，但现已不在。"


def test_a_transfer_is_given_other_stock_as_far_as_there_is(site):
    code = short(site, gone="3")
    assert proposed(site) == ["accept"]
    assert site.found(KIND)["advice"][0]["page"] == "/items/BOLT"
    refused = site.settle(KIND, {"action": "reserve"})
    assert (refused.status_code, refused.json()["fields"]["lines"][0]["available"]) == (409, "0")
    site.dock.move(quantity="2", target="BIN-2")
    site.send()
    row = site.found(KIND)
    assert proposed(site) == ["reserve", "accept"]
    assert (
        row["proposals"][0]["why"]
        == "Set aside 2 C62 of 3 C62 that are missing: they are available."
    )
    assert row["advice"] == []
    assert site.settle(KIND).json()["state"] == "open"
    site.dock.move(quantity="2", target="BIN-2")
    site.send()
    answer = site.settle(KIND, Dockledger_Actor="li.na")
    assert (answer.status_code, answer.json()["settlement"]) == (200, "reserve by li.na: looked")
    figures = site.get(f"/transfers/{code}")["lines"][0]
    assert (figures["reserved"], figures["backorder"]) == ("5", "0")


def test_only_what_its_line_may_be_taken_from_is_proposed(site):
    short(site, LineWanted("BOLT", 5 * ONE, from_location="BIN-1"), gone="3")
    site.dock.move(quantity="9", target="BIN-2")
    site.send()
    assert proposed(site) == ["accept"]


def test_a_transfer_that_is_short_of_nothing_any_more_needs_no_decision(site):
    code = short(site, gone="3")
    load_truck(site, code, "2")
    assert [one["state"] for one in [site.found(KIND)]] == ["open"]  # Three are still to leave.
    site.dock.move(quantity="3", target="BIN-2")
    site.send()
    load_truck(site, code, "3", source="BIN-2")
    why = rows(site.database, tables.discrepancies, "kind", "state", "settlement")
    assert why == [(KIND, "settled", "all that it asks for has left")]
    said = sentence(why[0][2], drawing_in("zh").texts)
    assert said == "已自动处理：所要的货物已全部发出。"


def test_who_called_the_transfer_off_has_nothing_to_set_aside(site):
    code = short(site, gone="3")
    site.dock.move(quantity="2", target="BIN-2")
    site.send()
    identity = site.found(KIND)["id"]
    cancel = site.ask("POST", f"/transfers/{code}/cancel", {"reason": "not needed"})
    assert cancel.status_code == 200, cancel.text
    again = {"reason": "no", "take_back": False}
    assert site.ask("POST", f"/discrepancies/{identity}/reopen", again).status_code == 200
    assert proposed(site) == ["accept"]
    refused = site.settle(KIND, {"action": "reserve"})
    assert (refused.status_code, code in refused.json()["detail"]) == (409, True)
    assert site.settle(KIND).status_code == 200


def test_what_still_waits_is_set_aside_while_the_first_goods_arrive(site):
    code = short(site, gone="3")
    arrive = {"document": code, "document_line": 1, "business_step": "transferring"}
    site.other.move(quantity="1", source="in_transit", target="BIN-9", **arrive)
    site.send(site.other)
    assert site.get(f"/transfers/{code}")["state"] == "receiving"
    site.dock.move(quantity="3", target="BIN-2")
    site.send()
    assert proposed(site) == ["reserve", "accept"]
    assert site.settle(KIND).json()["state"] == "settled"
    figures = site.get(f"/transfers/{code}")["lines"][0]
    assert (figures["reserved"], figures["backorder"]) == ("5", "0")


def test_a_transfer_that_has_come_whole_has_nothing_to_set_aside(site):
    code = short(site, gone="3")
    fields = {"document": code, "document_line": 2}  # Of no line: nobody knows that it left.
    site.dock.move(quantity="5", source="BIN-2", target="in_transit", **fields)
    site.send()
    arrive = {"document": code, "document_line": 1, "business_step": "transferring"}
    site.other.move(quantity="5", source="in_transit", target="BIN-9", **arrive)
    site.send(site.other)
    assert site.get(f"/transfers/{code}")["state"] == "received"
    why = rows(site.database, tables.discrepancies, "kind", "state", "settlement")
    assert (KIND, "settled", "all that it asks for has left") in why


def test_what_left_before_the_release_counts_and_the_rest_may_be_let_go(site):
    asked = {"source_warehouse": "SH1", "destination_warehouse": "BJ1",
             "lines": [{"item": "BOLT", "quantity": "4", "unit": "C62"}]}  # fmt: skip
    code = site.ask("POST", "/transfers", asked).json()["code"]
    act(site, code, "request", "approve")
    site.dock.move(quantity="2")
    site.send()
    load_truck(site, code, "2")
    refused = site.ask("POST", f"/transfers/{code}/release")
    assert refused.status_code == 409
    assert "of BOLT 0 of 2 are available" in refused.json()["detail"]
    assert "made a draft again" in refused.json()["hint"]
    act(site, code, "revise")
    patch = site.ask("PATCH", f"/transfers/{code}", {"backorders": True}, If_Match="*")
    assert patch.status_code == 200
    assert act(site, code, "request", "approve", "release")["state"] == "shipping"
    site.other.move(
        quantity="2", source="in_transit", document=code, document_line=1,
        business_step="receiving",
    )  # fmt: skip
    site.send(site.other)
    assert site.get("/discrepancies?state=open")["discrepancies"] == []
    assert act(site, code, "close")["state"] == "closed"


def act(site, code, *actions):
    """Take steps of a transfer one after the other; the transfer after the last."""
    for action in actions:
        body = {"reason": "enough"} if action == "close" else None
        answer = site.ask("POST", f"/transfers/{code}/{action}", body)
        assert answer.status_code == 200, answer.text
    return answer.json()
