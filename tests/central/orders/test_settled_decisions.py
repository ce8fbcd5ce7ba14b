"""Settlements take back what stations decided, and leave alone what others still have to decide."""

import pytest
from sqlalchemy import select, text

from central.orders.proofs import PROOFS
from central.storage import tables
from tests.central.orders.settling import Settling
from tests.central.scenery import set_policy


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def stock(site):
    """{(place, lot, status): whole units}, zeros left out."""
    table = tables.balances.c
    with site.database.read() as connection:
        query = select(table.location, table.lot, table.status, table.on_hand_micro)
        return {
            tuple(row[:3]): row[3] // 10**6
            for row in connection.execute(query.where(table.item == "BOLT"))
            if row[3] and row[0].startswith("BIN")
        }


def decide(site, quantity, becomes, *, target, **fields):
    """A station that does not know what goods in BIN-1 were says what they are now, and where."""
    said = {"source": "BIN-1", "target": target, "business_step": "inspecting"}
    site.dock.move(quantity=quantity, to_status=becomes, **said, **fields)


def accepted_beside_others(site, **fields):
    """5 are accepted from BIN-1 to BIN-2, where 10 others wait for inspection."""
    site.dock.move(quantity="5", to_status="inspection", **fields)
    decide(site, "5", "available", target="BIN-2", **fields)
    site.dock.move(quantity="10", target="BIN-2", to_status="inspection")
    site.send()


def opened_again(site, kind):
    row = site.found(kind, "settled")
    answer = site.ask("POST", f"/discrepancies/{row['id']}/reopen", {"reason": "no"})
    assert answer.status_code == 200, answer.text


def test_an_acceptance_that_is_taken_back_leaves_what_waits_for_inspection_there(site):
    accepted_beside_others(site, document="X-9")
    before = stock(site)
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert stock(site) == {("BIN-2", "", "inspection"): 10}
    opened_again(site, "unknown_document")
    assert stock(site) == before


def test_accepted_goods_are_given_their_lot_and_those_that_wait_keep_theirs(site):
    set_policy(site.database, "BOLT", lot_tracked=True)
    accepted_beside_others(site)
    before = stock(site)
    told = site.found("lot_missing")["facts"][:2]
    facts = [f"{one['gateway']}/{one['epoch']}/{one['seq']}" for one in told]
    body = {"action": "reassign", "lot": "L7", "facts": facts}
    assert site.settle("lot_missing", body).status_code == 200
    assert stock(site) == {("BIN-2", "L7", "available"): 5, ("BIN-2", "", "inspection"): 10}
    everything = {"action": "reassign", "lot": "L7"}
    assert site.settle("lot_missing", everything).status_code == 200
    assert stock(site) == {("BIN-2", "L7", "available"): 5, ("BIN-2", "L7", "inspection"): 10}
    opened_again(site, "lot_missing")
    assert stock(site)["BIN-2", "", "inspection"] == before["BIN-2", "", "inspection"]


def test_rejected_goods_that_were_not_there_go_back_as_they_came(site):
    decide(site, "5", "rejected", target="BIN-2")
    site.send()
    before = stock(site)
    assert before == {("BIN-1", "", "available"): -5, ("BIN-2", "", "rejected"): 5}
    assert site.settle("negative_balance", {"action": "reverse"}).status_code == 200
    assert stock(site) == {}
    opened_again(site, "negative_balance")
    assert stock(site) == before


@pytest.mark.parametrize("becomes", ["rejected", "held"])
def test_goods_that_were_refused_are_taken_back_and_those_beside_them_stay(site, becomes):
    site.dock.move(quantity="5", to_status="inspection", document="X-9")
    decide(site, "5", becomes, target="BIN-2", document="X-9")
    site.dock.move(quantity="10", target="BIN-2")
    site.send()
    before = stock(site)
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert stock(site) == {("BIN-2", "", "available"): 10}
    opened_again(site, "unknown_document")
    assert stock(site) == before


def test_of_refused_goods_those_that_are_gone_are_taken_from_what_is_there(site):
    site.dock.move(quantity="5", to_status="rejected", document="X-9")
    site.dock.move(quantity="10")
    site.dock.move(
        quantity="2",
        source="BIN-1",
        target="scrap",
        from_status="rejected",
        business_step="storing",
    )
    site.send()
    before = stock(site)
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert stock(site) == {("BIN-1", "", "available"): 8}
    opened_again(site, "unknown_document")
    assert stock(site) == before


@pytest.mark.parametrize("target", ["BIN-1", "BIN-2"])
def test_a_decision_about_goods_of_several_statuses_is_taken_back(site, target):
    site.dock.move(quantity="3", to_status="inspection")
    site.dock.move(quantity="4")
    decide(site, "5", "rejected", target=target, document="X-9")
    site.dock.move(quantity="10", target=target)
    site.send()
    before = stock(site)
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    expected = {("BIN-1", "", "inspection"): 3, ("BIN-1", "", "available"): 4}
    added = (target, "", "available")
    assert stock(site) == {**expected, added: expected.get(added, 0) + 10}
    opened_again(site, "unknown_document")
    assert stock(site) == before
    # Once more: what was taken back in two steps can be taken back again.
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert stock(site) == {**expected, added: expected.get(added, 0) + 10}


@pytest.mark.parametrize("chosen", ["min", "max"])
def test_that_one_of_two_movements_which_take_back_a_decision_is_lost_is_found(database, chosen):
    site = Settling(database)
    site.dock.move(quantity="3", to_status="inspection")
    site.dock.move(quantity="4")
    decide(site, "5", "rejected", target="BIN-1", document="X-9")
    site.send()
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    site.proved()
    lost = f"SELECT {chosen}(seq) FROM settlement_facts"
    with database.write() as connection:
        connection.execute(text(f"DELETE FROM settlement_facts WHERE seq = ({lost})"))
    with database.read() as connection:
        assert {one.check for proof in PROOFS for one in proof(connection)} == {"settlement"}


def test_of_a_decision_only_what_it_changed_is_taken_back(site):
    site.dock.move(quantity="3", to_status="rejected")
    site.dock.move(quantity="2", to_status="inspection")
    decide(site, "5", "rejected", target="BIN-1", document="X-9")
    site.send()
    before = stock(site)
    assert before == {("BIN-1", "", "rejected"): 5}
    assert site.settle("unknown_document", {"action": "reverse"}).status_code == 200
    assert stock(site) == {("BIN-1", "", "rejected"): 3, ("BIN-1", "", "inspection"): 2}
    opened_again(site, "unknown_document")
    assert stock(site) == before


def below_zero_beside_held_goods(site):
    sold = {"source": "BIN-1", "target": "customer", "business_step": "shipping"}
    site.dock.move(quantity="3", from_status="available", **sold)
    site.dock.move(quantity="5", to_status="held")
    site.send()
    return sold


def test_what_was_added_to_a_balance_below_zero_is_taken_from_it_again(site):
    below_zero_beside_held_goods(site)
    before = stock(site)
    assert before == {("BIN-1", "", "available"): -3, ("BIN-1", "", "held"): 5}
    assert site.settle("negative_balance", {"action": "adjust"}).status_code == 200
    assert stock(site) == {("BIN-1", "", "held"): 5}
    opened_again(site, "negative_balance")
    assert stock(site) == before


def test_what_was_sold_since_is_not_taken_once_more(site):
    sold = below_zero_beside_held_goods(site)
    body = {"action": "adjust", "counted": "2"}
    assert site.settle("negative_balance", body).status_code == 200
    site.dock.move(quantity="2", **sold)
    site.send()
    opened_again(site, "negative_balance")
    assert stock(site) == {}
