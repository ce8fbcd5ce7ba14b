"""Goods that are held in an inspection, beside goods of the same lot that are held otherwise."""

import pytest

from tests.central.orders.purchasing import Purchasing

RICE_THERE = {"warehouse": "SH1", "item": "RICE", "lot": "R1", "reason": "damp"}


@pytest.fixture
def site(database):
    return Purchasing(database)


def held_in_inspection(site):
    """80 of R1 in BIN-2 are accepted, 30 that came to BIN-1 later are held in the inspection."""
    site.receive("80", item="RICE", lot="R1", target="BIN-2")
    body = {"decisions": [{"decision": "accept", "quantity": "80"}]}
    site.post("/inspections/QI-000001/decisions", body)
    site.receive("30", item="RICE", lot="R1")
    site.post("/holds", RICE_THERE | {"location": "BIN-1"}, status=201)


def hold_at_station(site, before, after):
    """A station holds 10 of R1 in BIN-2 at a short pick, or gives them free."""
    site.gateway.move(
        "RICE", "10", source="BIN-2", target="BIN-2", unit="KGM", lot="R1", flags=("short_pick",),
        business_step="inspecting", from_status=before, to_status=after,
    )  # fmt: skip
    site.send()


def hold_at_desk(site, before, after):
    path = "/holds" if after == "held" else "/holds/release"
    site.post(path, RICE_THERE | {"location": "BIN-2", "quantity": "50"}, status=201)


@pytest.mark.parametrize("say", [hold_at_desk, hold_at_station])
def test_what_was_held_apart_from_an_inspection_is_no_decision_of_it(site, say):
    held_in_inspection(site)
    say(site, "available", "held")
    say(site, "held", "available")
    (found,) = site.get("/inspections")["inspections"]
    assert (found["held"], found["accepted"], found["open"]) == ("30", "80", True)
    site.post("/holds/release", RICE_THERE | {"becomes": "rejected"}, status=201)
    (found,) = site.get("/inspections")["inspections"]
    assert (found["held"], found["rejected"], found["open"]) == ("0", "30", False)
    assert site.stock("RICE") == {
        ("BIN-1", "rejected"): 30_000_000,
        ("BIN-2", "available"): 80_000_000,
    }
    assert site.faults() == []


HELD = {"from_status": "held", "to_status": "held"}


def carry(site, quantity, source, target, **fields):
    """A station carries rice of R1 from place to place; without a status, whatever is there."""
    said = {"unit": "KGM", "lot": "R1", "business_step": "storing"} | fields
    site.gateway.move("RICE", quantity, source=source, target=target, **said)
    site.send()


def free(site, location, quantity):
    body = RICE_THERE | {"location": location, "quantity": quantity}
    site.post("/holds/release", body, status=201)


def standing(site):
    (found,) = site.get("/inspections")["inspections"]
    return found["held"], found["accepted"], found["open"]


def test_held_goods_that_are_carried_and_freed_there_are_decided(site):
    held_in_inspection(site)
    carry(site, "20", "BIN-1", "BIN-3", **HELD)
    assert standing(site) == ("30", "80", True)
    carry(site, "20", "BIN-3", "BIN-2")
    free(site, "BIN-2", "15")
    assert standing(site) == ("15", "95", True)
    free(site, "BIN-1", "10")
    free(site, "BIN-2", "5")
    assert standing(site) == ("0", "110", False)
    shown = site.get("/inspections/QI-000001")["decisions"]
    carried = [
        (one["location"], one["to_location"], one["quantity"])
        for one in shown
        if (one["decision"], one["source"]) == ("hold", "held")
    ]
    assert carried == [("BIN-1", "BIN-3", "20"), ("BIN-3", "BIN-2", "20")]
    assert site.faults() == []


def test_goods_held_otherwise_are_carried_and_freed_apart_from_the_inspection(site):
    held_in_inspection(site)
    hold_at_desk(site, "available", "held")
    carry(site, "40", "BIN-2", "BIN-3", **HELD)
    free(site, "BIN-3", "40")
    assert standing(site) == ("30", "80", True)
    # Nobody can tell apart what stands at one place: what the inspection holds there goes first.
    carry(site, "30", "BIN-1", "BIN-2")
    carry(site, "35", "BIN-2", "BIN-3", **HELD)
    free(site, "BIN-2", "5")
    assert standing(site) == ("30", "80", True)
    free(site, "BIN-3", "35")
    assert standing(site) == ("0", "110", False)
    assert site.faults() == []


def test_who_takes_back_that_goods_were_carried_has_them_held_where_they_were(site):
    held_in_inspection(site)
    carry(site, "30", "BIN-1", "BIN-3")
    site.gateway.reverse(len(site.gateway.bodies))
    site.send()
    free(site, "BIN-1", "10")
    assert standing(site) == ("20", "90", True)
    assert site.faults() == []


def test_held_goods_that_left_are_decided_as_gone(site):
    held_in_inspection(site)
    carry(site, "30", "BIN-1", "customer")
    assert standing(site) == ("30", "80", True)
    gone = {"decision": "gone", "source": "held", "quantity": "30", "reason": "shipped by mistake"}
    done = site.post("/inspections/QI-000001/decisions", {"decisions": [gone]})
    assert (done["held"], done["gone"], done["open"]) == ("0", "30", False)
    assert site.faults() == []
