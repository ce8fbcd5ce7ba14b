"""A closed period keeps what goods weighed beside how many they were."""

import pytest

from tests.central.orders.settling import Settling
from tests.central.orders.test_periods import END_OF_26, MAY_26, closed
from tests.central.scenery import set_policy
from tests.central.web.test_weights_of_stock import shown


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def test_what_came_late_is_told_by_its_weight_where_no_piece_is_left_of_it(site, database):
    set_policy(database, "BOLT", weight_unit="KGM")
    weighed = {"weight_unit": "KGM", "event_time_ms": MAY_26}
    site.dock.move(quantity="4", net_weight="16", **weighed)
    site.dock.move(quantity="1", source="BIN-1", target="customer", net_weight="4.1", **weighed)
    site.send()
    closed(site)
    site.dock.move(quantity="1", source="BIN-1", target="BIN-2", net_weight="3.9", **weighed)
    site.dock.reverse(2, event_time_ms=MAY_26)
    site.send()
    totals = site.get("/periods/2026-05a/late/totals")["totals"]
    assert [(one["location"], one["quantity"], one["weight"]) for one in totals] == [
        ("BIN-2", "1", "3.9"),
        ("BIN-1", "0", "0.2"),
    ]


def weights(site, query=""):
    """[(place, on hand, weight)] of a period."""
    rows = site.get(f"/periods/2026-05a/balances{query}")["balances"]
    return [(row["location"], row["on_hand"], row["weight"]) for row in rows]


def test_the_weights_of_a_period_are_kept_beside_its_quantities(site, database):
    set_policy(database, "BOLT", weight_unit="KGM")
    weighed = {"weight_unit": "KGM", "event_time_ms": MAY_26}
    site.dock.move(quantity="4", net_weight="16", **weighed)
    site.dock.move(quantity="1", source="BIN-1", target="customer", net_weight="4.1", **weighed)
    site.send()
    closed(site)
    figures = [("BIN-1", "3", "11.9"), ("customer", "1", "4.1"), ("supplier", "-4", "-16")]
    assert weights(site) == figures
    site.dock.move(quantity="1", source="BIN-1", target="BIN-2", net_weight="3.9", **weighed)
    site.dock.reverse(2, event_time_ms=MAY_26)
    site.send()
    assert weights(site) == figures
    page = shown(site.app, "/periods/2026-05a")
    assert "|3|pcs|11.9|kg|" in page
    assert "|0|pcs|0.2|kg|" in page, "what came late"


def test_a_weight_of_which_no_piece_was_left_at_the_end_is_kept_and_shown_then(site, database):
    set_policy(database, "BOLT", weight_unit="KGM")
    weighed = {"weight_unit": "KGM", "event_time_ms": MAY_26}
    site.dock.move(quantity="1", net_weight="4", **weighed)
    site.dock.move(quantity="1", net_weight="5", **weighed | {"event_time_ms": END_OF_26})
    site.dock.move(quantity="1", source="BIN-1", target="customer", net_weight="3.9", **weighed)
    site.send()
    closed(site)
    here = "?item=BOLT&warehouse=SH1"
    figures = [("BIN-1", "0", "0.1"), ("customer", "1", "3.9"), ("supplier", "-1", "-4")]
    assert weights(site, here) == figures
    then = f"{here}&as_of=2026-05-26T23:59:59.999Z&include_virtual=true"
    rows = site.get(f"/stock{then}")["stock"]
    assert [(row["location"], row["on_hand"], row["weight"]) for row in rows] == figures
