"""Pages of what was under way, open and set aside say of when they are, or that nobody knows."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from central.orders.sales.reservations_as_of import KNOWN_SINCE
from central.storage import tables
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.orders.sales_scenes import Scene

DAY_MS = 86_400_000
PATHS = {"/in-transit": "TR-9", "/reservations": "SO-000001", "/discrepancies": "BIN-3"}


@pytest.fixture
def site(database):
    """Goods on their way, an order that has some set aside, a place below zero; a day later."""
    scene = Scene(database, stock=[("BIN-1", 9)])
    scene.order(4)
    scene.move("BIN-1", "in_transit", 2, document="TR-9", event_time_ms=scene.clock.time_ms)
    scene.move("BIN-3", "customer", 1, event_time_ms=scene.clock.time_ms)
    scene.clock.time_ms += DAY_MS
    scene.app = application(database=database, clock=scene.clock)
    return scene


def page(site, path, ago_ms=None, **asked):
    """The text of a page, as of so long ago; now for None."""
    if ago_ms is not None:
        moment = datetime.fromtimestamp((site.clock.time_ms - ago_ms) / 1000, UTC)
        asked["as_of"] = moment.strftime("%Y-%m-%dT%H:%M:%S")
    answer = ask(site.app, path, params={"lang": "en"} | asked, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize(("path", "there"), PATHS.items())
def test_a_page_of_the_past_says_of_when_it_is_and_shows_what_was_there(site, path, there):
    now, then = page(site, path), page(site, path, DAY_MS // 2)
    before = page(site, path, 3 * DAY_MS)
    assert there in now and there in then and there not in before
    for text, live in ((now, True), (then, False), (before, False)):
        assert ("It is not live." in text) is not live
        assert 'name="as_of"' in text
    assert "Everything adds up." not in before


@pytest.mark.parametrize("path", ["/in-transit", "/discrepancies"])
def test_a_page_tells_what_the_ledger_knew_then(site, path):
    assert "As the ledger knew it at" in page(site, path, DAY_MS // 2, known="1")
    assert "by all that is known now" in page(site, path, DAY_MS // 2)


def test_where_nobody_can_tell_what_was_set_aside_the_page_says_so_in_both_languages(site):
    with site.database.write() as connection:
        since = {"key": KNOWN_SINCE, "value": str(site.clock.time_ms - DAY_MS)}
        connection.execute(insert(tables.ledger_state).values(since))
    text = page(site, "/reservations", 2 * DAY_MS)
    assert "what was set aside is known since" in text and "Nothing is set aside." not in text
    assert "请查询更晚的时刻。" in page(site, "/reservations", 2 * DAY_MS, lang="zh")
    # Of the past what is gone is not listed; the field for it is left alone.
    assert "SO-000001" in page(site, "/reservations", DAY_MS // 2, ended="1")


def test_a_file_of_a_table_of_the_past_has_its_rows(site):
    moment = datetime.fromtimestamp((site.clock.time_ms - 3 * DAY_MS) / 1000, UTC)
    asked = {"as_of": moment.strftime("%Y-%m-%d")}
    sizes = [
        len(ask(site.app, "/tables/in-transit.xlsx", params=one).content) for one in ({}, asked)
    ]
    assert sizes[0] > sizes[1]
