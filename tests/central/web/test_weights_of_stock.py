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


@pytest.mark.parametrize("path", ["/stock", "/items/BOLT"])
def test_what_is_weighed_is_shown_with_its_weight(database, path):
    walk = prepared(database)
    set_policy(database, "BOLT", weight_unit="KGM")
    place = {"warehouse": "SH1", "business_step": "receiving"}
    walk.move("BOLT", "4", "supplier", "BIN-2", net_weight="16.5", weight_unit="KGM", **place)
    page = shown(walk.app, path)
    assert "|On hand|Weight|" in page
    assert re.search(r"\|4\|pcs\|16\.5\|kg\|", page)
