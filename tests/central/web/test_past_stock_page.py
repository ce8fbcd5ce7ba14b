"""The stock page shows an earlier moment of a warehouse, and says so where it cannot."""

import html

import pytest

from tests.central.orders.settling import Settling
from tests.central.scenery import NOW_MS, set_policy, sscc
from tests.central.web.test_weights_of_stock import shown

DAY_MS = 24 * 3600 * 1000
UNIT = sscc(1)
# scenery.NOW_MS is 2026-05-28 20:26:40 UTC.
THEN = "as_of=2026-05-20T00:00"


@pytest.fixture
def app(database):
    set_policy(database, "BOLT", weight_unit="KGM")
    site = Settling(database)
    of_old = {"event_time_ms": NOW_MS - 20 * DAY_MS}
    site.dock.move(quantity="10", net_weight="40", weight_unit="KGM", **of_old)
    site.dock.move("NUT", "6", target="BIN-2", lot="L1", expiry_date="2027-01-31", **of_old)
    site.dock.move("NUT", "3", target="BIN-2", sscc=UNIT, **of_old)
    for fields in ({"lot": "L1"}, {"sscc": UNIT}):
        site.dock.move("NUT", "2", source="BIN-2", target="customer", **fields)
    site.dock.move(
        quantity="7", source="BIN-1", target="customer", net_weight="28", weight_unit="KGM"
    )
    site.send()
    return site.app


@pytest.mark.parametrize(
    ("narrowed", "rows"),
    [
        pytest.param("", ["BIN-1 10", "BIN-2 3", "BIN-2 6"], id="warehouse"),
        pytest.param("&lot=L1", ["BIN-2 6"], id="lot"),
        pytest.param(f"&sscc={UNIT}", ["BIN-2 3"], id="unit"),
        pytest.param("&location=BIN-1", ["BIN-1 10"], id="place"),
        pytest.param("&q=bol", ["BIN-1 10"], id="search"),
        pytest.param("&q=%25", [], id="no-sign-stands-for-others"),
        pytest.param("&known=1", [], id="nothing-was-known-then"),
        pytest.param("&recorded_by=2026-05-28T23:00", ["BIN-1 10", "BIN-2 3", "BIN-2 6"], id="by"),
        pytest.param("&recorded_by=2026-05-25T23:00Z", [], id="known-earlier"),
    ],
)
def test_an_earlier_moment_is_shown_as_far_as_the_page_is_narrowed(app, narrowed, rows):
    page = shown(app, f"/stock?warehouse=SH1&{THEN}{narrowed}")
    assert "2026-05-20 00:00 UTC" in page and "It is not live." in page
    listed = page.partition("|Weight|")[2].split("|SH1|")[1:]
    found = [(one.split("|")[0], one.partition("|available|")[2].split("|")[0]) for one in listed]
    assert [" ".join(one) for one in found] == rows


def test_an_earlier_moment_shows_weights_and_dates_of_lots(app):
    page = shown(app, f"/stock?warehouse=SH1&{THEN}")
    assert "|10|pcs|40|kg|" in page
    assert "|L1|2027-01-31|" in page


@pytest.mark.parametrize(
    ("asked", "english", "chinese"),
    [
        pytest.param(THEN, "choose a warehouse", "请选择仓库", id="everywhere"),
        pytest.param(f"{THEN}&lot=L1", "choose a warehouse", "请选择仓库", id="a-lot-everywhere"),
        pytest.param(
            "as_of=yesterday&warehouse=SH1", "yesterday is no moment", "不是时间", id="odd"
        ),
        pytest.param("recorded_by=2026-05-20&warehouse=SH1", "say that, too", "同时给出", id="by"),
    ],
)
def test_what_cannot_be_shown_is_said_in_both_languages_and_nothing_is_listed(
    app, asked, english, chinese
):
    for language, words in (("en", english), ("zh", chinese)):
        page = html.unescape(shown(app, f"/stock?lang={language}&{asked}"))
        assert words in page
        assert "|BIN-1|" not in page and "|BIN-2|" not in page


def test_the_page_has_the_fields_and_a_place_shows_its_past_too(app):
    page = shown(app, "/stock")
    assert "As of (UTC)" in page and "As the ledger knew it then" in page
    page = shown(app, f"/tables/place-stock?warehouse=SH1&location=BIN-1&{THEN}")
    assert "|10|pcs|40|kg|" in page
