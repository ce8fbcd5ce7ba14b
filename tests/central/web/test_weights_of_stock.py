"""Pages of stock show what goods weigh beside how many they are."""

import re

import pytest

from tests.central.api.test_openapi import prepared
from tests.central.clients import call
from tests.central.scenery import set_policy


def shown(app, path):
    """The words of a page, parted by one bar."""
    text = call(app, "GET", path, headers={"Accept": "text/html"}).text
    return re.sub(r"[\s|]*\|[\s|]*", "|", re.sub(r"<[^>]+>", "|", text))


@pytest.mark.parametrize("path", ["/stock", "/stock/totals", "/items/BOLT", "/availability"])
def test_what_is_weighed_is_shown_with_its_weight(database, path):
    walk = prepared(database)
    set_policy(database, "BOLT", weight_unit="KGM")
    place = {"warehouse": "SH1", "business_step": "receiving"}
    walk.move("BOLT", "4", "supplier", "BIN-2", net_weight="16.5", weight_unit="KGM", **place)
    page = shown(walk.app, path)
    assert "|On hand|Weight|" in page
    found = re.findall(r"\|4\|pcs\|16\.5\|kg\|", page)
    assert len(found) == (2 if path.startswith("/items") else 1)


def test_what_is_on_hand_is_told_with_its_weight_among_what_is_available(database):
    walk = prepared(database)
    set_policy(database, "BOLT", weight_unit="GRM")
    came = {"warehouse": "SH1", "business_step": "receiving", "weight_unit": "GRM"}
    walk.move("BOLT", "4", "supplier", "BIN-2", net_weight="16.5", **came)
    walk.move("BOLT", "2", "supplier", "BIN-1", net_weight="7.25", **came)
    walk.move("NUT", "2", "supplier", "BIN-1", warehouse="SH1", business_step="receiving")
    walk.move("BOLT", "1", "BIN-1", "customer", net_weight="3", warehouse="SH1",
              business_step="shipping", weight_unit="GRM")  # fmt: skip
    held = {"warehouse": "SH1", "item": "BOLT", "location": "BIN-2", "reason": "smell"}
    assert call(walk.app, "POST", "/api/v1/holds", json=held).status_code == 201
    rows = call(walk.app, "GET", "/api/v1/availability?warehouse=SH1").json()["availability"]
    said = {row["item"]: (row["on_hand"], row["held"], row["weight"], row["weight_unit"])
            for row in rows}  # fmt: skip
    assert said == {"BOLT": ("1", "4", "4.25", "GRM"), "NUT": ("2", "0", "0", "")}
