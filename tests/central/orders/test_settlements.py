"""Every discrepancy is settled by one action that posts facts, and can be opened again."""

from typing import get_args

import pytest

from central.access.permissions import ROLES, Permission, Role
from central.contract.reference import Barcode, DocumentLine, ExpectedDocument, Item, Location
from central.ledger.entries import DiscrepancyKind
from central.ledger.reference_desk import put_document, put_item, put_location
from central.orders.settling.kind_rules import CAUSES, KIND_RULES, cause_of, kinds_of
from central.storage import bulk, tables
from tests.central.clients import call
from tests.central.orders.settling import Settling
from tests.central.scenery import rows, set_packs

GOODS = ("warehouse", "location", "item", "unit", "on_hand_micro")


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def there(site):
    """What the books have at BIN-1 of any warehouse, sorted."""
    return [row for row in rows(site.database, tables.balances, *GOODS) if row[1] == "BIN-1"]


def test_every_kind_has_a_cause_a_meaning_and_actions():
    assert set(KIND_RULES) == set(get_args(DiscrepancyKind))
    assert {kind for cause in CAUSES for kind in kinds_of(cause)} == set(KIND_RULES)
    assert all(rule.means.endswith(".") and rule.actions for rule in KIND_RULES.values())
    named = {kind for kind, rule in KIND_RULES.items() if rule.target}
    # What was received is posted anew as it left: nothing is to be named for that.
    assert {kind for kind, rule in KIND_RULES.items() if "reassign" in rule.actions} - named == {
        "moved_unavailable"
    }
    assert all("reassign" in KIND_RULES[kind].actions for kind in named)
    assert cause_of("fork") == "devices"


def test_a_bin_below_zero_is_filled_from_the_bin_that_has_too_much(site):
    site.dock.move(quantity="10", target="BIN-2", lot="L1")
    site.dock.move(quantity="4", source="BIN-1", target="customer", lot="L1")
    site.send()
    row = site.found("negative_balance")
    assert (row["cause"], row["actual"], row["actions"][0]) == ("goods", "-4", "adjust")
    assert [one["body"] for one in row["proposals"]] == [
        {"action": "reassign", "location": "BIN-2", "quantity": "4"},
        {"action": "adjust", "counted": "0"},
    ]
    answer = site.settle("negative_balance", Dockledger_Actor="li.na")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["state"], body["settlement"]) == ("settled", "reassign by li.na: looked")
    assert site.on_hand()["BIN-2", "L1"] == 6
    assert ("BIN-1", "L1") not in site.on_hand()
    (settlement,) = body["settlements"]
    (name,) = settlement["facts"]
    fact = site.get(f"/movements/{name}")
    assert (fact["gateway"], fact["operator"], fact["flags"]) == (
        "central",
        "li.na",
        ["settlement"],
    )
    assert [one["raw"] for one in fact["evidence"]] == [f"settles {row['id']}"]


def test_a_bin_is_counted_and_another_lot_was_taken(site):
    site.dock.move(quantity="3", target="BIN-1", lot="L2")
    site.dock.move(quantity="4", source="BIN-1", target="customer", lot="L1")
    site.dock.move("NUT", quantity="4", source="BIN-3", target="customer")
    site.send()
    rows = site.get("/discrepancies?kind=negative_balance")["discrepancies"]
    nut, bolt = rows[0]["id"], rows[1]["id"]
    proposals = site.get(f"/discrepancies/{bolt}")["proposals"]
    assert proposals[0]["body"] == {
        "action": "reassign",
        "location": "BIN-1",
        "lot": "L2",
        "quantity": "3",
    }
    answer = site.ask(
        "POST", f"/discrepancies/{bolt}/settle", {"reason": "seen", **proposals[0]["body"]}
    )
    assert answer.status_code == 200, answer.text
    assert site.on_hand()["BIN-1", "L1"] == -1
    assert ("BIN-1", "L2") not in site.on_hand()
    body = {"action": "adjust", "counted": "7", "reason": "counted"}
    assert site.ask("POST", f"/discrepancies/{nut}/settle", body).status_code == 200
    assert site.on_hand("NUT")["BIN-3", ""] == 7


def test_a_bin_below_zero_settles_itself_when_the_late_facts_come(site):
    late = site.dock.next_epoch()  # Another gateway would do as well: both came before.
    site.dock.move(quantity="4", source="BIN-1", target="customer", event_time_ms=9)
    site.send()
    first = site.found("negative_balance")
    late.move(quantity="1", target="BIN-1")
    site.send(late)
    assert site.found("negative_balance")["id"] == first["id"]
    late.move(quantity="9", target="BIN-1")
    site.send(late)
    row = site.found("negative_balance", state="settled")
    assert row["id"] == first["id"]
    assert (row["settlement"], row["settled_time"] is None) == (
        "record 3 brought it to 6 C62",
        False,
    )
    # Below zero and back within one batch: opened and settled in the same moment.
    late.move(quantity="7", source="BIN-1", target="customer")
    late.move(quantity="7", target="BIN-1")
    site.send(late)
    rows = site.get("/discrepancies?kind=negative_balance")["discrepancies"]
    assert [row["state"] for row in rows] == ["settled", "settled"]


def test_a_code_that_became_a_bar_code_is_posted_anew_under_its_item(site):
    site.dock.move("4006381333931", "2", target="DOCK-1", document="PO-1", document_line=1)
    site.dock.move("4006381333931", "2", source="DOCK-1", target="BIN-1")
    site.dock.move("4006381333931", "1", target="DOCK-1", document="PO-1")
    site.dock.reverse(3)
    site.send()
    assert [one["seq"] for one in site.found("unknown_item")["facts"]] == [1, 2, 3]
    assert site.found("unknown_item")["proposals"] == []
    barcodes = (Barcode(gtin="04006381333931", quantity="12"),)
    with site.desk.change(actor="x") as change:
        put_item(change, Item(code="BOLT", name="B", name_zh="螺", unit="C62", barcodes=barcodes))
    (proposal,) = site.found("unknown_item")["proposals"]
    assert proposal["body"] == {"action": "reassign", "item": "BOLT", "factor": "12"}
    assert site.settle("unknown_item").status_code == 200
    assert site.on_hand() == {("supplier", ""): -24, ("BIN-1", ""): 24}
    assert site.on_hand("4006381333931") == {}
    assert site.received("PO-1") == {1: 24}
    assert site.received("PO-1", "4006381333931") == {}
    # What a settlement took back is taken back once: the gateway's own word comes too late.
    site.dock.reverse(1)
    site.send()
    assert "is taken back already" in site.found("reversal_unmatched")["detail"]


def test_goods_under_an_unknown_order_are_counted_towards_the_right_one(site):
    site.dock.move(quantity="5", document="PO-7", document_line=3)
    site.dock.move("RICE", "2", unit="KGM", document="PO-7")
    site.send()
    row = site.found("unknown_document")
    assert [one["item"] for one in row["facts"]] == ["BOLT", "RICE"]
    assert row["proposals"][0]["body"] == {
        "action": "reassign",
        "document": "PO-1",
        "document_line": 1,
        "item": "BOLT",
    }
    wrong = {"action": "reassign", "document": "PO-1", "document_line": 2}
    assert site.settle("unknown_document", wrong).status_code == 422
    # In part: what else came under it is still nobody's.
    assert site.settle("unknown_document").json()["state"] == "open"
    assert site.received("PO-1") == {1: 5}
    assert site.received("PO-7") == {}
    assert site.received("PO-7", "RICE") == {0: 2}
    assert site.found("unknown_document")["proposals"][0]["body"] == {
        "action": "reassign",
        "document": "PO-1",
        "document_line": 2,
        "item": "RICE",
    }
    rice = {"action": "reassign", "document": "PO-1", "facts": [row["facts"][1]["id"]]}
    assert site.settle("unknown_document", rice).json()["state"] == "settled"
    assert site.received("PO-1", "RICE") == {0: 2}


def test_what_crosses_another_border_than_its_order_is_about_is_unexpected(site):
    for source, target in (("customer", "BIN-1"), ("BIN-1", "in_transit"), ("supplier", "BIN-1")):
        site.dock.move(quantity="1", source=source, target=target, document="PO-1")
    site.send()
    row = site.found("unexpected")
    assert (row["facts_count"], row["subject"]) == (2, "PO-1/BOLT")
    # No order of this warehouse is about what customers bring back.
    assert [one["body"] for one in row["proposals"]] == [{"action": "accept"}]
    assert site.settle("unexpected").status_code == 200


def test_what_came_above_the_expected_is_given_to_another_order_or_back(site):
    site.dock.move(quantity="100", document="PO-1", document_line=1)
    site.dock.move(quantity="8", document="PO-1", document_line=1)
    site.send()
    row = site.found("over_received")
    assert [one["body"]["action"] for one in row["proposals"]] == ["reverse", "accept"]
    line = DocumentLine(line=4, item="BOLT", quantity="3")
    document = ExpectedDocument(code="PO-2", warehouse="SH1", partner="Acme", lines=(line,))
    with site.desk.change(actor="x") as change:
        put_document(change, document)
    proposals = site.found("over_received")["proposals"]
    assert proposals[0]["body"] == {
        "action": "reassign",
        "document": "PO-2",
        "document_line": 4,
        "quantity": "3",
    }
    assert site.settle("over_received").status_code == 200
    assert (site.received("PO-1"), site.received("PO-2")) == ({1: 105}, {4: 3})
    identity = row["id"]
    body = {"reason": "not ours", "take_back": True}
    assert site.ask("POST", f"/discrepancies/{identity}/reopen", body).status_code == 200
    assert (site.received("PO-1"), site.received("PO-2")) == ({1: 108}, {})
    assert site.settle("over_received", {"action": "reverse"}).status_code == 200
    assert (site.received("PO-1"), site.on_hand()["BIN-1", ""]) == ({1: 100}, 100)
    assert [one["action"] for one in site.found("over_received", "settled")["settlements"]] == [
        "reassign",
        "reopen",
        "reverse",
    ]


def test_goods_at_an_unknown_place_are_moved_to_the_one_that_was_meant(site):
    site.dock.move(quantity="5", target="BIN-X", lot="L1")
    site.dock.move("NUT", quantity="2", source="BIN-X", target="customer")
    site.send()
    assert site.settle("unknown_location", {"action": "reassign"}).status_code == 422
    assert (
        site.settle("unknown_location", {"action": "reassign", "location": "NO"}).status_code == 422
    )
    answer = site.settle("unknown_location", {"action": "reassign", "location": "BIN-2"})
    assert answer.status_code == 200, answer.text
    assert site.on_hand() == {("BIN-2", "L1"): 5, ("supplier", "L1"): -5}
    assert site.on_hand("NUT") == {("BIN-2", ""): -2, ("customer", ""): 2}


def test_a_unit_without_an_exact_value_is_rounded_by_the_factor_that_somebody_gives(site):
    site.dock.move("RICE", "3", unit="LBR", document="PO-1", document_line=2)
    site.dock.move("RICE", "7", unit="C62")
    site.send()
    rows = site.get("/discrepancies?kind=unit_differs")["discrepancies"]
    sacks, pounds = rows[0]["id"], rows[1]["id"]
    (proposal,) = site.get(f"/discrepancies/{pounds}")["proposals"]
    assert proposal["body"] == {"action": "reassign", "factor": "45359237/100000000"}
    path = f"/discrepancies/{pounds}/settle"
    assert site.ask("POST", path, {"reason": "r", **proposal["body"]}).status_code == 200
    assert site.received("PO-1", "RICE") == {2: 1.360777}  # 1.36077711 to the millionth.
    path = f"/discrepancies/{sacks}/settle"
    body = {"action": "reassign", "reason": "sacks of 25 kg", "factor": "25"}
    assert site.ask("POST", path, body).status_code == 200
    assert site.on_hand("RICE")["BIN-1", ""] == 175 + 1.360777


def test_a_fact_about_another_warehouse_is_posted_where_it_says(site):
    site.dock.weigh()
    site.dock.move(quantity="5", warehouse="BJ1")
    site.send()
    assert [one["body"] for one in site.found("wrong_warehouse")["proposals"]] == [
        {"action": "reassign", "warehouse": "BJ1"},
        {"action": "reassign", "warehouse": "SH1"},
    ]
    assert site.settle("wrong_warehouse").status_code == 200
    assert site.on_hand(warehouse="BJ1")["BIN-1", ""] == 5
    assert site.on_hand(warehouse="SH1") == {}
    row = site.found("wrong_warehouse", "settled")
    path = f"/discrepancies/{row['id']}/reopen"
    assert site.ask("POST", path, {"reason": "no"}).status_code == 200
    assert site.on_hand(warehouse="BJ1") == {}


def test_goods_of_another_warehouse_are_posted_in_the_unit_that_their_item_is_kept_in(site):
    set_packs(site.database, "NUT", PF=(40, 1))
    site.dock.weigh()
    for item, unit in (("BOLT", "DZN"), ("NUT", "PF"), ("RICE", "GRM"), ("NUT", "CT")):
        site.dock.move(item, "2", unit=unit, warehouse="BJ1")
    site.send()
    opened = site.get("/discrepancies?kind=wrong_warehouse&state=open")["discrepancies"]
    body = {"action": "reassign", "warehouse": "BJ1", "reason": "it was there"}
    for row in opened:
        answer = site.ask("POST", f"/discrepancies/{row['id']}/settle", body)
        assert answer.status_code == 200, answer.text
    assert there(site) == [
        ("BJ1", "BIN-1", "BOLT", "C62", 24_000_000),
        ("BJ1", "BIN-1", "NUT", "C62", 80_000_000),
        ("BJ1", "BIN-1", "NUT", "CT", 2_000_000),
        ("BJ1", "BIN-1", "RICE", "KGM", 2_000),
    ]
    for row in opened:
        path = f"/discrepancies/{row['id']}/reopen"
        assert site.ask("POST", path, {"reason": "no"}).status_code == 200
    assert [row[-1] for row in there(site)] == [0] * 4


REFUSED = [
    pytest.param({"action": "adjust", "reason": "x"}, 409, "does not settle", id="wrong action"),
    pytest.param({"action": "accept", "reason": " "}, 422, "reason", id="no reason"),
    pytest.param({"action": "accept"}, 422, "reason", id="reason left out"),
    pytest.param({"action": "reassign", "reason": "x"}, 422, "item", id="no target"),
    pytest.param(
        {"action": "reassign", "reason": "x", "item": "NO"}, 422, "no item", id="unknown item"
    ),
    pytest.param(
        {"action": "reassign", "reason": "x", "item": "RICE"}, 422, "convert", id="other unit"
    ),
    pytest.param(
        {"action": "reverse", "reason": "x", "facts": ["a/b/1"]}, 422, "behind", id="no such fact"
    ),
    pytest.param(
        {"action": "accept", "reason": "x", "happened_time": "2031-01-01T00:00:00Z"},
        422,
        "yet",
        id="in the future",
    ),
    pytest.param({"action": "accept", "reason": "x", "more": 1}, 422, "more", id="unknown field"),
]


def test_what_cannot_settle_is_refused_and_nothing_is_done(site):
    site.dock.move("GHOST", "2")
    site.send()
    row = site.found("unknown_item")
    for case in REFUSED:  # Not parametrized: an application takes longer than all of them.
        body, status, said = case.values
        answer = site.ask("POST", f"/discrepancies/{row['id']}/settle", body)
        assert (answer.status_code, said in answer.text) == (status, True), (case.id, answer.text)
        assert site.found("unknown_item") == row


def test_an_own_settlement_is_done_once_and_against_the_version_that_was_seen(site):
    site.dock.move("GHOST", "2")
    site.send()
    row = site.found("unknown_item")
    path = f"/discrepancies/{row['id']}"
    owner = {"owner": "li.na", "due_time": "2026-06-01T00:00:00Z"}
    answer = site.ask("POST", f"{path}/assign", owner, If_Match='"1"')
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert answer.json()["due_time"] == "2026-06-01T00:00:00.000Z"
    body = {"action": "reverse", "reason": "sent back"}
    assert site.ask("POST", f"{path}/settle", body, If_Match='"1"').status_code == 412
    for replayed in (None, "true"):
        answer = site.ask("POST", f"{path}/settle", body, If_Match='"2"', Idempotency_Key="k-1")
        assert answer.status_code == 200, answer.text
        assert answer.headers.get("Idempotency-Replayed") == replayed
    assert site.on_hand("GHOST") == {}
    assert site.ask("POST", f"{path}/settle", body).status_code == 409
    assert site.found("unknown_item", "settled")["facts_count"] == 1
    text = {"text": "the driver took it back"}
    assert site.ask("POST", f"{path}/comments", text).status_code == 200
    events = site.get(f"/history/discrepancy/{row['id']}")["events"]
    assert [one["action"] for one in events] == ["commented", "settled", "assigned"]
    assert (
        events[1]["fields"]["facts"]
        == site.found("unknown_item", "settled")["settlements"][0]["facts"]
    )


def test_a_settlement_that_is_taken_back_leaves_everything_as_it_was(site):
    site.dock.move("GHOST", "2", document="PO-1", document_line=1)
    site.send()
    before = (site.on_hand("GHOST"), site.received("PO-1", "GHOST"))
    body = {"action": "reassign", "item": "BOLT"}
    assert site.settle("unknown_item", body).status_code == 200
    row = site.found("unknown_item", "settled")
    path = f"/discrepancies/{row['id']}/reopen"
    assert site.ask("POST", path, {"reason": "it was a nut"}).status_code == 200
    assert (site.on_hand("GHOST"), site.received("PO-1", "GHOST")) == before
    assert site.on_hand() == {}
    assert site.found("unknown_item")["settlement"] == ""
    assert site.ask("POST", path, {"reason": "again"}).status_code == 409
    # The fact stands again, so its gateway can take it back.
    site.dock.reverse(1)
    site.send()
    assert site.on_hand("GHOST") == {}
    assert site.get("/discrepancies?kind=reversal_unmatched")["discrepancies"] == []


def test_discrepancies_are_listed_by_cause_owner_and_age_and_counted(site):
    site.dock.move("GHOST", "2")
    site.dock.move(quantity="1", source="BIN-3", target="customer")
    site.dock.say(b"\xc1")
    site.send()
    unread = site.found("unreadable_fact")
    assert unread["unread_base64"] == "wQ=="
    assert (unread["owner"], unread["responsible"]) == ("", "supervisor")
    assert Permission.DISCREPANCIES_SETTLE in ROLES[Role(unread["responsible"])]
    page = call(site.app, "GET", "/discrepancies", headers={"Accept-Language": "zh"}).text
    assert page.count("SH1 的主管") == 3
    owner = {"owner": "wang.wei", "due_time": "2026-05-29T00:00:00Z"}
    path = f"/discrepancies/{unread['id']}/assign"
    assert site.ask("POST", path, owner, If_Match='"1"').status_code == 200
    assert site.found("unreadable_fact")["responsible"] == "wang.wei"
    page = call(site.app, "GET", "/discrepancies", headers={"Accept-Language": "zh"}).text
    assert page.count("SH1 的主管") == 2
    site.clock.time_ms += 3 * 24 * 3600 * 1000

    def kinds(query):
        return sorted(row["kind"] for row in site.get(f"/discrepancies?{query}")["discrepancies"])

    assert kinds("cause=devices") == kinds("owner=wang.wei") == ["unreadable_fact"]
    assert kinds("unowned=true") == ["negative_balance", "unknown_item"]
    assert len(kinds("age_days=2")) == 3
    assert kinds("age_days=4") == kinds("state=settled") == kinds("cause=documents") == []
    counts = site.get("/discrepancies/counts?warehouse=SH1")["counts"]
    assert [(one["cause"], one["within_week_count"], one["overdue_count"]) for one in counts] == [
        ("goods", 1, 0),
        ("data", 1, 0),
        ("devices", 1, 1),
    ]
    assert site.ask("GET", f"/discrepancies/{'0' * 32}").status_code == 404


def test_what_became_known_is_proposed_to_be_accepted(site):
    site.dock.move("GHOST", "2", target="BIN-X", document="PO-7")
    site.send()
    line = DocumentLine(line=1, item="GHOST", quantity="3")
    with site.desk.change(actor="x") as change:
        put_item(change, Item(code="GHOST", name="G", name_zh="鬼", unit="C62"))
        put_location(change, "SH1", Location(code="BIN-X", kind="bin"))
        put_document(
            change, ExpectedDocument(code="PO-7", warehouse="SH1", partner="A", lines=(line,))
        )
    assert "is known now" in site.found("unknown_document", "settled")["settlement"]
    for kind in ("unknown_item", "unknown_location"):
        assert site.settle(kind).json()["settlement"].startswith("accept by staff")


def test_a_status_that_was_changed_in_a_unit_that_differs_is_changed_again(site):
    site.dock.move("RICE", "4", unit="LBR", to_status="inspection")
    site.dock.move(
        *("RICE", "3"),
        unit="LBR",
        source="BIN-1",
        target="BIN-1",
        from_status="inspection",
        to_status="held",
        business_step="inspecting",
    )
    site.send()
    answer = site.settle("unit_differs")
    assert answer.status_code == 200, answer.text
    assert site.found("unit_differs", "settled")["state"] == "settled"
    with site.database.read() as connection:
        found = bulk.select_by_key(
            connection, tables.balances, [("SH1", "BIN-1", "RICE")], columns_count=3
        )
        held = {(row[6], row[7]): row[8] for row in found if row[8]}
    assert held == {("KGM", "inspection"): 453_592, ("KGM", "held"): 1_360_777}


def test_what_a_document_does_not_expect_is_the_goods_of_that_item_alone(site):
    site.dock.move("NUT", "2", document="PO-7")
    site.dock.move("RICE", "3", unit="KGM", document="PO-7")
    site.send()
    line = DocumentLine(line=1, item="NUT", quantity="5")
    known = ExpectedDocument(code="PO-7", warehouse="SH1", partner="Acme", lines=(line,))
    with site.desk.change(actor="x") as change:
        put_document(change, known)
    row = site.found("unexpected")
    assert [one["item"] for one in row["facts"]] == ["RICE"]
    assert row["proposals"][0]["body"]["document"] == "PO-1"
    assert site.settle("unexpected").status_code == 200
    assert site.received("PO-1", "RICE") == {2: 3}
