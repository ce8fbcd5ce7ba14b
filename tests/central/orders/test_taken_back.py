"""What is taken back in full leaves nothing to decide: each kind settles itself and says why."""

import pytest

from central.contract.reference import DocumentLine, ExpectedDocument
from central.ledger.reference_desk import put_document
from central.orders.counts.outdated_counts import OutdatedCounts
from tests.central.orders.settling import Settling
from tests.central.orders.test_settlement_proposals import (
    DOCUMENT,
    KINDS,
    OUTER,
    SCENES,
    SSCC,
    _in_chinese,
)
from tests.central.scenery import set_policy

# No gateway can take back what these are about.
NOT_TAKEN_BACK = {"fork", "broken_chain", "stock_differs", "reversal_unmatched"}
# It names no fact: what it does is in test_regained.
NOT_TAKEN_BACK |= {"reservation_short"}
# It is about an undoing, which no gateway undoes: how it settles itself is in test_reversed_twice.
NOT_TAKEN_BACK |= {"reversed_twice"}
EMPTY = "record {} was taken back, and nothing else is behind it"


@pytest.fixture
def site(database):
    made = Settling(database, DOCUMENT)
    set_policy(database, "HAM", weight_unit="GRM")
    set_policy(database, "QI", inspected=True)
    set_policy(database, "MILK", expiry_tracked=True, lot_tracked=True)
    set_policy(database, "DRILL", serial_tracked=True)
    yield made
    made.proved()


def take_back(site, kind, row):
    """The gateways take back each fact that is behind a discrepancy, the newest first."""
    gateways = {site.dock.code: site.dock, site.other.code: site.other}
    behind = [(gateways[one["gateway"]], one["seq"]) for one in row["facts"]]
    if kind == "unreadable_fact":  # Which is not shown as one.
        behind = [(site.dock, 1)]
    if kind == "packing_impossible":  # Of what was packed no reversal is sent.
        site.dock.pack(OUTER, SSCC, action="unpack")
        site.send()
        return
    for gateway, seq in reversed(behind):
        gateway.reverse(seq)
        site.send(gateway)
    if kind == "count_outdated":  # Which upkeep looks after.
        assert OutdatedCounts(site.database, clock=site.clock).tick()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in NOT_TAKEN_BACK])
def test_what_is_taken_back_in_full_settles_itself_and_says_why(site, kind):
    SCENES[kind][0](site)
    site.send(site.dock)
    site.send(site.other)
    row = site.found(kind)
    take_back(site, kind, row)
    settled = site.get(f"/discrepancies/{row['id']}")
    assert (settled["state"], settled["proposals"]) == ("settled", [])
    assert _in_chinese(settled["settlement"]), settled["settlement"]
    assert site.get("/discrepancies?state=open")["discrepancies"] == []


def order(kind, item):
    lines = (DocumentLine(line=1, item=item, quantity="5"),)
    return ExpectedDocument(code="D-1", warehouse="SH1", partner="Acme", kind=kind, lines=lines)


def of_kind(site, kind):
    """The state of each discrepancy of a kind, and why it is settled."""
    found = site.get(f"/discrepancies?kind={kind}")["discrepancies"]
    return sorted((one["state"], one["settlement"]) for one in found)


TWICE = [
    pytest.param("unknown_item", {"item": "BLOT"}, id="item"),
    pytest.param("unknown_location", {"target": "BIN-9"}, id="place"),
    pytest.param("unknown_document", {"document": "PO-9"}, id="document"),
    pytest.param("unexpected", {"item": "NUT", "document": "PO-1"}, id="item of an order"),
    pytest.param("unit_differs", {"unit": "XCT"}, id="unit"),
    pytest.param("weight_missing", {"item": "HAM"}, id="weight"),
    pytest.param("lot_missing", {"item": "MILK"}, id="lot"),
    pytest.param(
        "outside_tolerance",
        {"document": "PO-1", "document_line": 1, "flags": ("outside_tolerance",)},
        id="weighing",
    ),
]


@pytest.mark.parametrize(("kind", "fields"), TWICE)
@pytest.mark.parametrize("first", [1, 2])
def test_what_is_taken_back_in_part_stays_open_until_nothing_is_left(site, kind, fields, first):
    site.dock.move(**fields)
    site.dock.move(**fields)
    site.dock.reverse(first)
    site.send()
    assert of_kind(site, kind) == [("open", "")]
    site.dock.reverse(3 - first)
    site.send()
    assert of_kind(site, kind) == [("settled", EMPTY.format(3 - first))]


def reopen(site, kind):
    row = site.found(kind, "settled")
    answer = site.ask("POST", f"/discrepancies/{row['id']}/reopen", {"reason": "no"})
    assert answer.status_code == 200, answer.text


def test_an_item_that_an_order_expects_is_unexpected_no_more_once_it_is_known(site):
    site.dock.move("BLOT", "5", document="PO-1", document_line=1)
    site.send()
    first = site.found("unexpected")
    body = {"action": "reassign", "item": "BOLT"}
    assert site.settle("unknown_item", body).json()["state"] == "settled"
    row = site.found("unexpected", "settled")
    why = "record 1 was taken back as unknown_item BLOT was settled, and nothing else is behind it"
    assert (row["id"], row["settlement"]) == (first["id"], why)
    assert _in_chinese(why)
    assert site.received("PO-1") == {1: 5}
    # Opened again both are open as they were; what is posted on the way tells nothing new.
    reopen(site, "unknown_item")
    (again,) = site.get("/discrepancies?kind=unexpected")["discrepancies"]
    assert (again["id"], again["state"], again["settlement"]) == (first["id"], "open", "")
    assert _in_chinese(site.found("unexpected")["proposals"][0]["why"])
    site.proved()
    assert site.settle("unknown_item", body).json()["state"] == "settled"
    assert of_kind(site, "unexpected") == [("settled", why)]
    reopen(site, "unknown_item")
    site.dock.reverse(1)
    site.send()
    assert of_kind(site, "unexpected") == [("settled", EMPTY.format(1))]
    assert of_kind(site, "unknown_item") == [("settled", EMPTY.format(1))]
    assert site.on_hand() == site.on_hand("BLOT") == {}


def test_an_item_that_an_order_does_not_expect_stays_unexpected_as_what_it_is(site):
    site.dock.move("BLOT", "5", document="PO-1", document_line=1)
    site.send()
    site.settle("unknown_item", {"action": "reassign", "item": "NUT"})
    assert site.found("unexpected")["subject"] == "PO-1/NUT"
    assert site.found("unexpected", "settled")["subject"] == "PO-1/BLOT"
    reopen(site, "unknown_item")
    assert site.found("unexpected")["subject"] == "PO-1/BLOT"
    assert site.found("unexpected", "settled")["subject"] == "PO-1/NUT"
    assert "was opened again" in site.found("unexpected", "settled")["settlement"]
    assert _in_chinese(site.found("unexpected", "settled")["settlement"])


def test_what_a_settlement_posts_again_of_the_same_stays_open(site):
    site.dock.move(quantity="2", unit="XCT", document="PO-9")
    site.send()
    body = {"action": "reassign", "document": "PO-1", "document_line": 1, "item": "BOLT"}
    assert site.settle("unknown_document", body).json()["state"] == "settled"
    # Under another order as well nobody can convert it.
    assert of_kind(site, "unit_differs") == [("open", "")]


def test_what_was_settled_by_people_before_stays_so_and_the_undoing_is_told(site):
    site.dock.say(b"\xc1")
    site.send()
    assert site.settle("unreadable_fact").status_code == 200
    site.dock.reverse(1)
    site.send()
    assert of_kind(site, "reversal_unmatched") == [("open", "")]


@pytest.mark.parametrize(("back", "state"), [("1", "open"), ("2", "settled")])
def test_goods_that_came_back_unexpected_leave_nothing_of_what_went(site, back, state):
    with site.desk.change(actor="x") as change:
        put_document(change, order("shipment", "BOLT"))
    site.dock.move("NUT", "9")
    under = {"document": "D-1", "document_line": 1}
    site.dock.move("NUT", "2", source="BIN-1", target="customer", **under)
    site.dock.move("NUT", back, source="customer", target="BIN-1", **under)
    site.send()
    ((now, why),) = of_kind(site, "unexpected")
    assert now == state
    if state == "open":
        left = "1 C62 of it are left. Leave the stock as it is: the goods count for no order."
        said = [one["why"] for one in site.found("unexpected")["proposals"]]
        assert left in said
        assert _in_chinese(left)
    if state == "settled":
        assert why == "since record 3 nothing is left of it under D-1"
        assert _in_chinese(why)
