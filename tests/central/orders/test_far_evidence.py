"""Facts behind a discrepancy are found however much of their item moved between them."""

import pytest

from central.orders.settling import discrepancy_facts
from tests.central.orders.settling import Settling

BETWEEN_COUNT = 5_200
CALLS = 26


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def busy(site):
    """Very much of the item moves that has nothing to do with it."""
    for _ in range(CALLS):
        for _ in range(BETWEEN_COUNT // CALLS):
            site.dock.move(quantity="1", target="BIN-2")
        site.send()


def test_what_came_long_after_under_the_same_unknown_order_is_taken_back_too(site):
    site.dock.move(quantity="5", document="PO-404")
    site.dock.move(quantity="3", lot="L2", expiry_date="2026-07-01")
    site.dock.move(quantity="1", source="BIN-3", target="BIN-1")
    site.send()
    busy(site)
    site.dock.move(quantity="7", document="PO-404")
    site.dock.move(quantity="4", lot="L2", expiry_date="2026-09-09")
    site.dock.move(quantity="2", source="BIN-3", target="BIN-1")
    site.send()
    for kind in ("unknown_document", "negative_balance"):
        assert len(site.found(kind)["facts"]) == 2
    row = site.found("unknown_document")
    assert row["facts_count"] == 2 and "Only the first" not in str(row["advice"])
    answer = site.settle("unknown_document", {"action": "reverse"})
    assert answer.json()["state"] == "settled"
    assert site.on_hand()["BIN-1", ""] == 3


def test_who_settles_what_was_not_looked_through_is_told(site, monkeypatch):
    monkeypatch.setattr("central.orders.settling.discrepancy_facts.LINES_SCANNED_MAX", 4)
    monkeypatch.setattr("central.orders.settling.discrepancy_views.LINES_SCANNED_MAX", 4)
    assert discrepancy_facts.LINES_SCANNED_MAX == 4
    site.dock.move(quantity="5", document="PO-404")
    for _ in range(9):
        site.dock.move(quantity="1", target="BIN-2")
    site.dock.move(quantity="7", document="PO-404")
    site.send()
    told = {"en": "Only the first 4 movements of BOLT", "zh": "的前 4 次移动"}
    row = site.found("unknown_document")
    for language, said in told.items():
        path = f"/discrepancies/{row['id']}"
        body = site.ask("GET", path, **{"Accept-Language": language}).json()
        advice = body["advice"][-1]
        assert said in advice["text"]
        assert advice["page"] == "/movements?item=BOLT&warehouse=SH1&document=PO-404"
