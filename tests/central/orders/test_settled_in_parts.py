"""What very many facts are behind is settled in parts: each is proposed, until nothing is left."""

import pytest

from central.contract.reference import Barcode, DocumentLine, ExpectedDocument, Item
from central.ledger.reference_desk import put_document, put_item
from central.orders.settling import discrepancy_facts, settlement_choice
from central.web.drawing import drawing_in
from central.web.settlement_words import sentence
from tests.central.orders.settling import Settling
from tests.central.scenery import set_packs

CODE = "4006381333931"


@pytest.fixture
def site(database, monkeypatch):
    monkeypatch.setattr(settlement_choice, "PARTS_AT_ONCE_MAX", 3)
    made = Settling(database)
    yield made
    made.proved()


def known(site, code, unit, *barcodes, **packs):
    if packs:
        set_packs(site.database, code, **packs)
    made = tuple(Barcode(gtin=one.zfill(14), quantity="12") for one in barcodes)
    with site.desk.change(actor="x") as change:
        put_item(change, Item(code=code, name="N", name_zh="N", unit=unit, barcodes=made))


def settled_by(site, kind, action):
    """What is said of the proposals of one action that are posted until it is settled."""
    said = []
    while len(said) < 9:
        row = site.found(kind)
        (proposal,) = [one for one in row["proposals"] if one["body"]["action"] == action]
        said.append(proposal["why"])
        answer = site.settle(kind, proposal["body"])
        assert answer.status_code == 200, answer.text
        if answer.json()["state"] == "settled":
            return said
    raise AssertionError(said)


def part(count, of_count, which="oldest"):
    return f"It settles the {which} {count} of {of_count} movements; the rest stays open."


def test_a_code_that_was_scanned_very_often_is_given_to_its_item_in_parts(site):
    for _ in range(7):
        site.dock.move(CODE, "1")
    site.send()
    known(site, "NEW", "C62", CODE)
    said = settled_by(site, "unknown_item", "reassign")
    told = "It is a code of item NEW, 12 C62 a scan."
    assert said == [f"{told} {part(3, 7)}", f"{told} {part(3, 4)}", told]
    assert site.on_hand("NEW") == {("supplier", ""): -84, ("BIN-1", ""): 84}
    assert site.on_hand(CODE) == {}
    found = site.found("unknown_item", state="settled")
    answer = site.ask("POST", f"/discrepancies/{found['id']}/reopen", {"reason": "no"})
    assert answer.status_code == 200, answer.text
    # The last part stands again.
    assert site.on_hand(CODE) == {("supplier", ""): -1, ("BIN-1", ""): 1}
    assert settled_by(site, "unknown_item", "reassign") == [told]
    assert site.on_hand("NEW") == {("supplier", ""): -84, ("BIN-1", ""): 84}


def test_what_is_right_and_what_nobody_can_convert_does_not_stand_before_the_rest(site):
    for _ in range(4):
        site.dock.move("FLOUR", "3", unit="KGM")
        site.dock.move("FLOUR", "1", unit="XPX")
    for _ in range(4):
        site.dock.move("FLOUR", "500", unit="GRM")
    site.send()
    known(site, "FLOUR", "KGM")
    told = "It is known by now: post it in the item's own unit."
    for more in (f" {part(3, 4)}", ""):
        row = site.found("unknown_item")
        (proposal,) = row["proposals"]
        assert proposal["why"] == told + more
        assert site.settle("unknown_item").json()["state"] == "open"
    row = site.found("unknown_item")
    assert (row["proposals"], len(row["advice"])) == ([], 1)
    known(site, "FLOUR", "KGM", XPX=(500, 1))
    assert settled_by(site, "unknown_item", "reassign") == [f"{told} {part(3, 4)}", told]
    assert site.on_hand("FLOUR") == {("supplier", ""): -2014, ("BIN-1", ""): 2014}


def test_a_unit_that_converts_by_now_is_settled_in_parts(site):
    for _ in range(4):
        site.dock.move(quantity="2", unit="PF")
    site.send()
    set_packs(site.database, "BOLT", PF=(12, 1))
    said = settled_by(site, "unit_differs", "reassign")
    assert said == [f"One PF is 12 of its own unit. {part(3, 4)}", "One PF is 12 of its own unit."]
    assert site.on_hand() == {("supplier", ""): -96, ("BIN-1", ""): 96}


def test_held_goods_that_left_are_told_at_once_and_taken_back_in_parts(site):
    site.dock.move(quantity="10", to_status="held")
    for _ in range(5):
        site.dock.move(source="BIN-1", target="customer", business_step="shipping", quantity="2")
    site.send()
    told, back = site.found("moved_unavailable")["proposals"]
    assert told["why"] == "They have left: tell customer about 10 C62."
    moved = "back from customer to BIN-1, if they have not left."
    assert back["why"] == f"Move 6 C62 {moved} {part(3, 5)}"
    said = settled_by(site, "moved_unavailable", "reverse")
    assert said[1:] == [f"Move 4 C62 {moved}"]
    assert site.on_hand() == {("supplier", ""): -10, ("BIN-1", ""): 10}


def test_goods_of_another_date_are_taken_back_in_parts(site):
    site.dock.move(lot="E", expiry_date="2027-01-01", quantity="1")
    for _ in range(4):
        site.dock.move(lot="E", expiry_date="2027-02-01", quantity="1")
    site.send()
    assert len(settled_by(site, "expiry_differs", "reverse")) == 2
    assert site.on_hand() == {("supplier", "E"): -1, ("BIN-1", "E"): 1}


def test_of_what_came_too_much_the_newest_goes_back_and_the_rest_stays_open(site):
    for _ in range(12):
        site.dock.move(quantity="50", document="PO-1", document_line=1)
    site.send()
    _, left = site.found("over_received")["proposals"]
    assert left["why"] == "Leave it at 500 C62 more than expected."
    said = settled_by(site, "over_received", "reverse")
    back = "C62 back to where they came from."
    assert said == [
        f"Move 150 {back} {part(3, 10, 'newest')}",
        f"Move 150 {back} {part(3, 7, 'newest')}",
        f"Move 150 {back} {part(3, 4, 'newest')}",
        f"Move 50 {back}",
    ]
    assert site.received("PO-1") == {1: 100}


def test_what_lies_beyond_the_lines_that_are_looked_at_comes_later(site, monkeypatch):
    monkeypatch.setattr(discrepancy_facts, "LINES_SCANNED_MAX", 4)
    for _ in range(9):
        site.dock.move(CODE, "1")
    site.send()
    known(site, "NEW", "C62", CODE)
    said = settled_by(site, "unknown_item", "reassign")
    assert [one.rpartition("scan. ")[2] for one in said[:2]] == [
        "It settles the oldest 3 of at least 4 movements; the rest stays open.",
        part(3, 6),
    ]
    assert site.on_hand("NEW") == {("supplier", ""): -108, ("BIN-1", ""): 108}


def test_another_order_takes_a_part_of_what_came_under_an_unknown_one(site):
    for _ in range(5):
        site.dock.move(document="PO-9", document_line=1, quantity="1")
        site.dock.move("NUT", document="PO-9", document_line=2, quantity="1")
    site.dock.move(document="PO-9", source="BIN-1", target="supplier", quantity="1")
    site.send()
    said = []
    for _ in range(2):
        reassign, *_ = site.found("unknown_document")["proposals"]
        assert reassign["body"]["document"] == "PO-1"
        said.append(reassign["why"])
        answer = site.settle("unknown_document", reassign["body"])
        assert (answer.status_code, answer.json()["state"]) == (200, "open"), answer.text
    assert said[0].endswith(part(3, 5))
    assert "It settles" not in said[1]
    assert site.received("PO-1") == {1: 5}


def test_an_order_that_expects_less_than_a_part_takes_as_much(site):
    line = DocumentLine(line=1, item="BOLT", quantity="120")
    told = ExpectedDocument(code="PO-2", warehouse="SH1", partner="Acme", lines=(line,))
    with site.desk.change(actor="x") as change:
        put_document(change, told)
    for _ in range(12):
        site.dock.move(quantity="50", document="PO-1", document_line=1)
    site.send()
    to_line, back, _ = site.found("over_received")["proposals"]
    assert (to_line["body"]["quantity"], back["body"]["quantity"]) == ("120", "150")
    told = "PO-2 line 1 still expects 120 C62. 380 C62 are left, and it stays open."
    assert to_line["why"] == told
    assert site.settle("over_received", to_line["body"]).json()["state"] == "open"
    assert (site.received("PO-2"), site.received("PO-1")) == ({1: 120}, {1: 480})


@pytest.mark.parametrize("which", ["oldest", "newest"])
@pytest.mark.parametrize(("of_count", "least"), [("700", ""), ("at least 5000", "至少 ")])
def test_a_part_is_told_in_chinese(which, of_count, least):
    words = sentence(
        f"Keep it as it was weighed. {part(500, of_count, which)}", drawing_in("zh").texts
    )
    assert words.count("。") == 2
    assert not any(one in words for one in ("settles", "Keep", "%("))
    assert f"{least}{of_count.split()[-1]} 条" in words
    assert f"{'最早' if which == 'oldest' else '最新'}的 500 条" in words
