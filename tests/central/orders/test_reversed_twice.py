"""What a gateway undoes after something else was reversed as too much."""

import pytest
from sqlalchemy import select

from central.contract.reference import DocumentLine, ExpectedDocument
from central.ledger.reference_desk import put_document
from central.storage import tables
from central.web.drawing import drawing_in
from central.web.settlement_words import sentence
from tests.central.orders.settling import Settling
from tests.central.orders.test_settlement_proposals import DOCUMENT, _in_chinese, ordered
from tests.central.scenery import set_policy, sscc

KIND = "reversed_twice"
HOUR_MS = 3_600_000
RECEIVED = {"document": "PO-1", "document_line": 1}  # 100 BOLT, of which 5 % more are tolerated.
OTHERS = b"""
[[documents]]
partner = "Acme"
code = "PO-3"
warehouse = "SH1"
lines = [{ line = 1, item = "HAM", quantity = "10" }]
"""


@pytest.fixture
def site(database):
    made = Settling(database, DOCUMENT + OTHERS)
    set_policy(database, "DRILL", serial_tracked=True)
    set_policy(database, "HAM", weight_unit="KGM")
    yield made
    made.proved()


def sent(site, quantity):
    """A transfer from SH1 to BJ1 that has left; its code."""
    line = {"item": "BOLT", "quantity": quantity, "unit": "C62"}
    ends = {"source_warehouse": "SH1", "destination_warehouse": "BJ1"}
    code = site.post("/transfers", {**ends, "lines": [line]})["code"]
    for action in ("request", "approve", "release"):
        answer = site.ask("POST", f"/transfers/{code}/{action}", {}, If_Match="*")
        assert answer.status_code == 200, answer.text
    under = {"source": "BIN-1", "target": "in_transit", "document": code, "document_line": 1}
    site.dock.move(quantity=quantity, business_step="shipping", **under)
    site.send()
    return code


def open_kinds(site):
    rows = site.get("/discrepancies?state=open")["discrepancies"]
    return sorted(row["kind"] for row in rows)


def come(site, quantity, place, **fields):
    number = site.dock.move(quantity=str(quantity), target=place, **{**RECEIVED, **fields})
    site.send()
    site.clock.time_ms += HOUR_MS
    return number


def undone(site, number):
    site.dock.reverse(number)
    site.send()
    site.clock.time_ms += HOUR_MS


def over(site, mistaken=50):
    """50 come, some are scanned by mistake, 50 come: what came last is reversed."""
    come(site, 50, "BIN-1")
    number = come(site, mistaken, "BIN-1")
    come(site, 50, "BIN-2")
    assert site.settle("over_received").status_code == 200
    return number


def given_back(site, amount):
    row = site.found(KIND)
    assert (row["actual"], row["proposals"][0]["body"]["action"]) == (amount, "reverse")
    answer = site.settle(KIND)
    assert answer.status_code == 200, answer.text
    assert KIND not in open_kinds(site)


def test_a_mistake_undone_after_something_else_of_the_line_was_reversed_is_told(site):
    number = over(site)
    assert (site.on_hand()["BIN-1", ""], open_kinds(site)) == (100, [])
    undone(site, number)
    assert site.received("PO-1") == {1: 50}
    row = site.found(KIND)
    assert (row["expected"], row["document"], row["location"]) == ("50", "PO-1", "BIN-2")
    assert [one["why"] for one in row["proposals"]] == [
        "Take the reversing of 50 C62 back: what was wrong is undone by now.",
        "Leave it so, if 50 C62 were wrong as well: count BIN-2.",
    ]
    given_back(site, "50")
    assert site.on_hand() == {("BIN-1", ""): 50, ("BIN-2", ""): 50, ("supplier", ""): -100}
    assert (site.received("PO-1"), open_kinds(site)) == ({1: 100}, [])


def test_only_as_much_as_was_undone_is_given_back_and_the_rest_stays_reversed(site):
    come(site, 50, "BIN-1")
    mistakes = [come(site, 20, "BIN-1"), come(site, 30, "BIN-1")]
    come(site, 50, "BIN-2")
    assert site.settle("over_received").status_code == 200
    undone(site, mistakes[0])
    given_back(site, "20")
    assert (site.on_hand()["BIN-2", ""], site.received("PO-1")) == (20, {1: 100})
    undone(site, mistakes[1])
    assert site.received("PO-1") == {1: 70}
    given_back(site, "30")
    assert site.on_hand() == {("BIN-1", ""): 50, ("BIN-2", ""): 50, ("supplier", ""): -100}


def test_two_mistakes_that_are_undone_count_together(site):
    come(site, 50, "BIN-1")
    mistakes = [come(site, 20, "BIN-1"), come(site, 30, "BIN-1")]
    come(site, 50, "BIN-2")
    assert site.settle("over_received").status_code == 200
    for number in mistakes:
        undone(site, number)
    given_back(site, "50")
    assert (site.on_hand()["BIN-2", ""], site.received("PO-1")) == (50, {1: 100})


def test_of_a_mistake_that_was_reversed_in_part_the_rest_is_taken_back_as_well(site):
    number = over(site, mistaken=70)  # 20 of the 70 are reversed besides the last 50.
    undone(site, number)
    assert open_kinds(site) == ["reversal_unmatched"]
    assert site.settle("reversal_unmatched").status_code == 200
    assert site.received("PO-1") == {1: 50}
    given_back(site, "50")
    assert site.on_hand() == {("BIN-1", ""): 50, ("BIN-2", ""): 50, ("supplier", ""): -100}


def test_a_mistake_alone_that_was_reversed_in_part_is_no_matter(site):
    come(site, 90, "BIN-1")
    number = come(site, 20, "BIN-2")
    assert site.settle("over_received").status_code == 200
    undone(site, number)
    assert site.settle("reversal_unmatched").status_code == 200
    assert (site.received("PO-1"), open_kinds(site)) == ({1: 90}, [])


def test_what_came_after_the_settlement_and_is_undone_is_no_matter(site):
    over(site)
    number = come(site, 50, "BIN-3")
    assert open_kinds(site) == ["over_received"]
    undone(site, number)
    assert (site.received("PO-1"), open_kinds(site)) == ({1: 100}, [])


def test_what_was_scanned_anew_is_left_so_first(site):
    undone(site, over(site))
    come(site, 50, "BIN-3")
    row = site.found(KIND)
    assert [one["body"]["action"] for one in row["proposals"]] == ["accept", "reverse"]
    assert row["proposals"][0]["why"] == "Leave it so: PO-1 has as much as it expects."


def test_opened_again_what_was_reversed_stands_and_it_settles_itself(site):
    undone(site, over(site))
    row = site.found("over_received", "settled")
    site.post(f"/discrepancies/{row['id']}/reopen", {"reason": "wrong one", "take_back": True})
    assert site.received("PO-1") == {1: 100}
    assert KIND not in open_kinds(site)
    why = site.found(KIND, "settled")["settlement"]
    assert why == "what had been reversed as too much stands again"
    assert sentence(why, drawing_in("zh").texts).startswith("自行了结")


def test_what_was_given_back_is_guarded_and_can_be_taken_again(site):
    undone(site, over(site))
    given_back(site, "50")
    row = site.found("over_received", "settled")
    answer = site.ask(
        "POST", f"/discrepancies/{row['id']}/reopen", {"reason": "no", "take_back": True}
    )
    assert answer.status_code == 409
    mine = site.found(KIND, "settled")
    site.post(f"/discrepancies/{mine['id']}/reopen", {"reason": "no", "take_back": True})
    assert site.received("PO-1") == {1: 50}
    given_back(site, "50")
    assert site.received("PO-1") == {1: 100}


def test_what_was_given_back_and_is_undone_after_all_is_proposed_to_be_taken_back(site):
    come(site, 50, "BIN-1")
    mistaken = come(site, 20, "BIN-1")
    last = come(site, 50, "BIN-2")
    assert site.settle("over_received", {"action": "reverse", "quantity": "50"}).status_code == 200
    undone(site, mistaken)
    given_back(site, "20")
    undone(site, last)
    assert site.settle("reversal_unmatched").status_code == 200
    assert site.on_hand() == {("BIN-1", ""): 50, ("supplier", ""): -50}


def test_no_more_is_given_back_than_was_undone(site):
    undone(site, over(site))
    answer = site.settle(KIND, {"action": "reverse", "quantity": "51"})
    assert (answer.status_code, answer.json()["fields"]) == (422, {"there": "50", "asked": "51"})


def test_what_was_given_to_another_order_goes_back_to_its_own(site):
    come(site, 60, "BIN-1")
    number = come(site, 30, "BIN-1")
    come(site, 40, "BIN-2")
    line = DocumentLine(line=1, item="BOLT", quantity="40")
    other = ExpectedDocument(code="PO-2", warehouse="SH1", partner="Acme", lines=(line,))
    with site.desk.change(actor="test") as change:
        put_document(change, other)
    body = {"action": "reassign", "document": "PO-2", "document_line": 1, "quantity": "30"}
    assert site.settle("over_received", body).status_code == 200
    assert (site.received("PO-1"), site.received("PO-2")) == ({1: 100}, {1: 30})
    undone(site, number)
    given_back(site, "30")
    assert (site.received("PO-1"), site.received("PO-2")) == ({1: 100}, {})
    assert site.on_hand() == {("BIN-1", ""): 60, ("BIN-2", ""): 40, ("supplier", ""): -100}


def test_a_shipment_undone_after_another_was_reversed_is_told(site):
    site.dock.move(quantity="30")
    site.send()
    order = ordered(site, "10")
    answer = site.ask("POST", f"/sales-orders/{order}/release", {}, If_Match="*")
    assert answer.status_code == 200, answer.text
    out = {"source": "BIN-1", "business_step": "shipping", "document": order}
    numbers = [come(site, 5, "customer", **out) for _ in range(3)]
    assert site.settle("over_shipped").status_code == 200
    undone(site, numbers[1])
    assert site.on_hand()["BIN-1", ""] == 25
    given_back(site, "5")
    assert site.on_hand()["BIN-1", ""] == 20
    assert site.received(order) == {1: 10}


def test_a_weight_comes_back_as_it_went(site):
    of = {"item": "HAM", "document": "PO-3", "weight_unit": "KGM"}
    come(site, 5, "BIN-1", net_weight="20", **of)
    number = come(site, 5, "BIN-1", net_weight="20", **of)
    come(site, 5, "BIN-2", net_weight="27", **of)
    assert site.settle("over_received").status_code == 200
    undone(site, number)
    given_back(site, "5")
    held = tables.balances.c
    query = select(held.location, held.weight_micro).where(held.on_hand_micro > 0)
    with site.database.read() as connection:
        weights = {place: micro / 10**6 for place, micro in connection.execute(query)}
    assert weights == {"BIN-1": 20, "BIN-2": 27}


def test_a_receipt_of_a_transfer_undone_after_another_was_reversed_is_told(site):
    come(site, 20, "BIN-1", document="", document_line=0)
    code = sent(site, "10")
    there = {"source": "in_transit", "document": code, "document_line": 1}
    numbers = [site.other.move(quantity="5", target=place, **there) for place in "ABA"]
    site.send(site.other)
    assert site.settle("over_received").status_code == 200
    site.other.reverse(numbers[1])
    site.send(site.other)
    assert site.found(KIND)["warehouse"] == "BJ1"
    given_back(site, "5")
    assert site.on_hand(warehouse="BJ1")["A", ""] == 10
    assert ("B", "") not in site.on_hand(warehouse="BJ1")


@pytest.mark.parametrize("action", ["reverse", "adjust"])
def test_a_serial_number_that_is_nowhere_any_more_is_told(site, action):
    alone = {"item": "DRILL", "serial": "S9", "document": "", "document_line": 0}
    wrong = come(site, 1, "BIN-1", **alone)
    come(site, 1, "BIN-2", **alone)
    body = {"action": action, **({"location": "BIN-2"} if action == "adjust" else {})}
    assert site.settle("serial_twice", body).status_code == 200
    undone(site, wrong)
    assert ("BIN-1", "") not in site.on_hand("DRILL")
    assert site.found(KIND)["subject"] == "DRILL/S9"
    given_back(site, "1")
    assert site.on_hand("DRILL")["BIN-2", ""] == 1
    assert ("BIN-1", "") not in site.on_hand("DRILL")


def test_a_serial_number_that_was_taken_out_of_the_right_book_comes_back_there_to_nothing(site):
    alone = {"item": "DRILL", "serial": "S9", "document": "", "document_line": 0}
    wrong = come(site, 1, "BIN-1", **alone)
    come(site, 1, "BIN-2", **alone)
    body = {"action": "adjust", "location": "BIN-1"}
    assert site.settle("serial_twice", body).status_code == 200
    undone(site, wrong)
    assert open_kinds(site) == ["negative_balance", KIND]
    given_back(site, "1")
    assert open_kinds(site) == []
    assert site.on_hand("DRILL")["BIN-2", ""] == 1
    assert ("BIN-1", "") not in site.on_hand("DRILL")


def test_a_serial_number_that_is_somewhere_is_no_matter(site):
    alone = {"item": "DRILL", "serial": "S9", "document": "", "document_line": 0}
    wrong = come(site, 1, "BIN-1", **alone)
    come(site, 1, "BIN-2", **alone)
    assert site.settle("serial_twice").status_code == 200
    come(site, 1, "BIN-3", **alone)
    assert site.settle("serial_twice").status_code == 200
    undone(site, wrong)
    row = site.found(KIND)
    come(site, 1, "BIN-2", **alone)
    row = site.found(KIND)
    assert [one["body"]["action"] for one in row["proposals"]] == ["accept"]


def test_a_unit_that_is_nowhere_any_more_is_told(site):
    alone = {"sscc": sscc(7), "document": "", "document_line": 0}
    wrong = come(site, 4, "BIN-1", **alone)
    come(site, 4, "BIN-2", **alone)
    assert site.settle("unit_twice").status_code == 200
    undone(site, wrong)
    given_back(site, "4")
    assert site.on_hand()["BIN-2", ""] == 4
    assert ("BIN-1", "") not in site.on_hand()


@pytest.mark.parametrize("first", [0, 1], ids=["the other first", "what was reversed first"])
def test_what_is_undone_after_it_was_reversed_is_not_given_back(site, first):
    """50 come; 50 and 50 more are scanned by mistake, and the last ones reversed as too much."""
    come(site, 50, "BIN-1")
    mistakes = [come(site, 50, "BIN-1"), come(site, 50, "BIN-2")]
    assert site.settle("over_received").status_code == 200
    undone(site, mistakes.pop(first))
    undone(site, mistakes.pop())
    while KIND in open_kinds(site):
        assert site.settle(KIND).status_code == 200
    assert site.on_hand() == {("BIN-1", ""): 50, ("supplier", ""): -50}


def test_what_giving_back_takes_from_another_document_is_looked_at_there(site):
    documents = [ordered_of(site, quantity) for quantity in ("5", "4")]
    first, second = ({"document": code, "document_line": 1} for code in documents)
    mistaken = come(site, 5, "BIN-2", **first)
    come(site, 3, "BIN-2", **first)
    assert site.settle("over_received").status_code == 200  # 3 for the other.
    come(site, 2, "BIN-1", **second)
    undone(site, mistaken)
    back = {"action": "reassign", "document": documents[0], "document_line": 1, "quantity": "1"}
    assert site.settle("over_received", back).status_code == 200
    assert site.settle(KIND).status_code == 200  # 3 of the first: the other has 1 too few now.
    row = site.found(KIND)
    assert (row["document"], row["actual"]) == (documents[1], "1")
    assert site.settle(KIND).status_code == 200
    assert [site.received(code) for code in documents] == [{1: 3}, {1: 2}]
    assert open_kinds(site) == []


def ordered_of(site, quantity):
    """The code of a purchase order that stations know of."""
    site.ask("POST", "/partners", {"code": "ACME", "name": "s", "kind": "supplier"})
    line = {"line": 1, "item": "BOLT", "quantity": quantity, "unit": "C62"}
    code = site.post("/purchase-orders", {"supplier": "ACME", "warehouse": "SH1", "lines": [line]})
    for step in ("submit", "approve", "send"):
        site.post(f"/purchase-orders/{code['code']}/{step}")
    return code["code"]


def test_what_was_given_by_an_order_that_may_have_it_back_is_not_given_on(site):
    """PO-1 gave 50 of its own to another; what is then too much there may be just these."""
    come(site, 50, "BIN-1")
    number = come(site, 50, "BIN-1")
    come(site, 50, "BIN-2")
    other = ordered_of(site, "60")
    given = {"action": "reassign", "document": other, "document_line": 1, "quantity": "50"}
    assert site.settle("over_received", given).status_code == 200
    come(site, 20, "BIN-3", document=other)
    assert site.found("over_received")["proposals"]
    undone(site, number)
    row = site.found("over_received")
    assert row["proposals"] == []
    (said,) = row["advice"]
    first = site.found(KIND)
    given = f"What was given to {other} may go back to another order: settle that first."
    assert said["text"] == given
    assert said["page"] == f"/discrepancies/{first['id']}"
    page = site.ask("GET", f"/discrepancies/{row['id']}", Accept_Language="zh").json()
    assert _in_chinese(page["advice"][0]["text"])
    given_back(site, "50")
    assert open_kinds(site) == []
    assert (site.received("PO-1"), site.received(other)) == ({1: 100}, {1: 20})
