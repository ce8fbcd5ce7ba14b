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


def test_held_goods_that_are_freed_elsewhere_are_decided_as_gone(site):
    held_in_inspection(site)
    site.gateway.move("RICE", "30", source="BIN-1", target="BIN-3", unit="KGM", lot="R1")
    site.send()
    site.post("/holds/release", RICE_THERE | {"location": "BIN-3"}, status=201)
    (found,) = site.get("/inspections")["inspections"]
    assert (found["held"], found["open"]) == ("30", True)
    gone = {"decision": "gone", "source": "held", "quantity": "30", "reason": "freed in BIN-3"}
    done = site.post("/inspections/QI-000001/decisions", {"decisions": [gone]})
    assert (done["held"], done["gone"], done["open"]) == ("0", "30", False)
    assert site.faults() == []
