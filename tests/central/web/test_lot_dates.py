"""The page of a lot says when it expires, what that was before, and lets it be corrected."""

import pytest

from tests.central.clients import call
from tests.central.orders.settling import Settling
from tests.central.web.test_weights_of_stock import shown

MINUTE_MS = 60_000
LOT = "/api/v1/warehouses/SH1/lot-date?item=BOLT&lot=A"


@pytest.fixture
def site(database):
    made = Settling(database)
    made.dock.move(lot="A", expiry_date="2062-06-01")
    made.dock.move(lot="B")
    made.send()
    made.clock.time_ms += 10 * MINUTE_MS
    body = {"expiry_date": "2026-06-01", "reason": "the label says so"}
    answer = call(made.app, "PUT", LOT, json=body, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    return made


def test_the_page_of_a_lot_has_its_date_and_what_that_was(site):
    page = shown(site.app, "/items/BOLT?lot=A")
    dates = page.partition("|When the lot expires|")[2].partition("|The way|")[0]
    assert "SH1|: 2026-06-01|" in dates
    assert "|2062-06-01|· as a movement states|" in dates
    assert "· corrected" in dates and ": the label says so|" in dates
    drawn = call(site.app, "GET", "/items/BOLT?lot=A", headers={"Accept-Language": "zh"}).text
    assert "批次有效期" in drawn and 'data-api="PUT"' in drawn
    assert "When the lot expires" not in shown(site.app, "/items/BOLT")
    assert "|SH1|: Nobody has said when|" in shown(site.app, "/items/BOLT?lot=B")


@pytest.mark.parametrize(
    ("asked", "date"),
    [
        ("", "2026-06-01"),
        ("&as_of=2026-05-28T20:30&known=1", "2062-06-01"),
        ("&as_of=2026-05-28T20:40&known=1", "2026-06-01"),
        ("&as_of=2026-05-28T20:30", "2026-06-01"),
        ("&as_of=2026-05-28T20:30&recorded_by=2026-05-28T20:30", "2062-06-01"),
        ("&as_of=2026-05-28T20:30&recorded_by=2026-05-28T20:40", "2026-06-01"),
    ],
)
def test_an_earlier_moment_has_the_date_that_the_ledger_knew_then(site, asked, date):
    page = shown(site.app, f"/stock?warehouse=SH1&lot=A{asked}")
    assert f"|A|{date}|" in page
