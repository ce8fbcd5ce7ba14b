"""Staff see what needs them and settle it: alerts, discrepancies, gateways, places, figures."""

from itertools import count

import msgspec
import pytest
from sqlalchemy import insert, update

from central.api.context import Outgoing
from central.contract.states import DeviceState
from central.outbox.snapshot import Snapshots
from central.storage import catalogue_tables, tables
from tests.browser.axe import violations
from tests.browser.central_pages import DESKTOP, PHONE, central_at, page_of
from tests.browser.chromium import opened_browser
from tests.central.orders.purchasing import row
from tests.central.scenery import NOW_MS

pytestmark = pytest.mark.browser
MICRO = 1_000_000
DAY_MS = 86_400_000
DEVICES = [
    DeviceState(name="dock-1-scanner", device_class="scanner", state="ready"),
    DeviceState(
        name="dock-1-printer", device_class="label_printer", state="offline", problem="paper_out"
    ),
]
STATE = {
    "online": True,
    "seen_ms": NOW_MS - 2000,
    "told_ms": NOW_MS - 2000,
    "state_ms": NOW_MS,
    "clock_synced": True,
    "unsent_count": 4,
    "lag_s": 40,
    "software": "0.1.0",
    "devices_json": msgspec.json.encode(DEVICES).decode(),
}
PAGES = {
    "/dashboard": ("Dashboard", "仪表板"),
    "/dashboard/turnover": ("Inventory turnover", "库存周转率"),
    "/dashboard/movers": ("Best and worst sellers", "畅销与滞销"),
    "/dashboard/dead-stock": ("Dead stock", "呆滞库存"),
    "/dashboard/stock-age": ("Age of stock", "库龄"),
    "/dashboard/deliveries": ("On-time delivery", "按时交付率"),
    "/dashboard/suppliers": ("Suppliers on time", "供应商按时率"),
    "/dashboard/accuracy": ("Stock accuracy", "库存准确率"),
    "/dashboard/docks": ("Docks in the last 24 hours", "近 24 小时月台作业"),
    "/dashboard/in-transit": ("Transfers under way", "在途调拨"),
    "/alerts": ("Alerts", "预警"),
    "/discrepancies": ("Discrepancies", "差异"),
    "/gateways": ("Gateways", "网关"),
    "/gateways/sh1-dock-1": ("sh1-dock-1", "sh1-dock-1"),
    "/quarantine": ("Quarantine", "隔离区"),
    "/warehouses": ("Warehouses", "仓库"),
    "/warehouses/SH1": ("SH1 Shanghai 1", "SH1 上海一仓"),
    "/warehouses/SH1/places/BIN-2": ("SH1 · BIN-2", "SH1 · BIN-2"),
    "/periods": ("Periods", "会计期间"),
}


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def central(tmp_path_factory):
    """Stock below zero in two places, an unknown item, refused bytes, a printer without labels."""
    with central_at(tmp_path_factory.mktemp("oversight")) as scene:
        dock = scene.dock
        dock.move("BOLT", "100", target="BIN-1")
        dock.move("BOLT", "10", source="BIN-2", target="customer", business_step="shipping")
        dock.move("NUT", "4", source="BIN-3", target="customer", business_step="shipping")
        dock.move("GHOST", "3", target="BIN-1")
        dock.move("<b>RICE</b>", "1", target="BIN-1")
        scene.send()
        scene.inbox.accept([("sh1-dock-1", b"no batch \x00\xff")])
        policy = {"item": "BOLT", "version": 1, "max_micro": 20 * MICRO}
        place = {"warehouse": "SH1", "location": "BIN-1", "version": 1, "zone": "A"}
        with scene.database.write() as connection:
            for table, values in (
                (catalogue_tables.item_policies, policy),
                (catalogue_tables.location_details, place | {"capacity_micro": 50 * MICRO}),
            ):
                connection.execute(insert(table), [row(table, **values)])
            gateways = tables.gateways
            connection.execute(
                update(gateways).where(gateways.c.gateway == "sh1-dock-1").values(**STATE)
            )
        snapshots = Snapshots(
            scene.database,
            clock=scene.clock,
            sign=dock.key.sign,
            new_name=lambda: "n",
            told=lambda: None,
        )
        names = (f"n{number}" for number in count())
        scene.app.state.outgoing = Outgoing(snapshots, lambda: None, lambda: next(names))
        yield scene


def keys(page):
    return page.eval_on_selector_all("tr[data-key]", "rows => rows.map((row) => row.dataset.key)")


@pytest.mark.parametrize(
    ("size", "language"),
    [
        pytest.param(DESKTOP, "en", id="desktop-en"),
        pytest.param(PHONE, "zh", id="phone-zh"),
    ],
)
def test_every_page_of_oversight_fits_the_screen_and_speaks_the_language(
    browser, central, size, language
):
    with page_of(browser, central.url + "/alerts", size=size, language=language) as page:
        for path, titles in PAGES.items():
            page.goto(central.url + path)
            assert page.text_content("h1").strip() == titles[language == "zh"], path
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path


@pytest.mark.parametrize(
    ("path", "size", "language"),
    [
        pytest.param("/dashboard", DESKTOP, "zh", id="dashboard"),
        pytest.param("/alerts", PHONE, "en", id="alerts"),
        pytest.param("/discrepancies", DESKTOP, "en", id="discrepancies"),
        pytest.param("/gateways/sh1-dock-1", PHONE, "zh", id="gateway"),
        pytest.param("/warehouses/SH1", DESKTOP, "en", id="places"),
        pytest.param("/periods", DESKTOP, "zh", id="periods"),
    ],
)
def test_pages_of_oversight_keep_to_the_rules_of_access(browser, central, path, size, language):
    with page_of(browser, central.url + path, size=size, language=language) as page:
        assert violations(page) == []


def test_an_alert_names_its_figures_what_to_do_and_leads_there(browser, central):
    with page_of(browser, central.url + "/alerts?kind=negative_stock") as page:
        found = page.text_content("tr[data-key='negative_stock/SH1/NUT/BIN-3/']")
        assert "Stock below zero" in found and "Count the place" in found and "-4" in found
        badge = page.text_content(".menu .badge span[aria-hidden]")
        assert int(badge) >= 3
        page.click("tr[data-key='negative_stock/SH1/NUT/BIN-3/'] a")
        page.wait_for_url("**/warehouses/SH1/places/BIN-3")
        assert "NUT" in page.text_content(".listing")
    with page_of(browser, central.url + "/alerts?severity=warn", language="zh") as page:
        found = page.text_content("table.list")
        assert "高于最高库存" in found and "设备未就绪" in found


def test_a_discrepancy_is_settled_by_its_one_button_with_the_reason(browser, central):
    found = central.ask("GET", "/discrepancies?kind=negative_balance").json()["discrepancies"]
    identity = next(one["id"] for one in found if one["location"] == "BIN-2")
    with page_of(browser, f"{central.url}/discrepancies/{identity}") as page:
        assert "More left the place than the book had there." in page.text_content("main")
        assert "Reassign" in page.text_content("#proposals")
        page.click(".fact-row summary")
        assert "sh1-dock-1/" in page.text_content(".fact-row .evidence")
        assert "byte for byte" in page.text_content(".fact-row .evidence")
        page.click("#settle summary")
        page.fill("#settle input[name=reason]", "typed, and then not needed")
        page.click("#proposals form.api button.go")
        page.wait_for_selector("[data-part=done] li:has-text('reassigned')")
        # Nothing is left that offers to settle it, without a reload.
        page.wait_for_selector("#reopen")
        assert page.locator("#settle, #proposals").count() == 0
        said = page.text_content("[data-part=settlement]")
        assert "reassigned by" in said and "BIN-1 has" in said
        page.click("#reopen summary")
        page.fill("#reopen input[name=reason]", "it was not there either")
        page.click("#reopen button")
        page.wait_for_selector("[data-part=done] li:has-text('opened again')")
    row = central.ask("GET", f"/discrepancies/{identity}").json()
    assert [one["action"] for one in row["settlements"]] == ["reassign", "reopen"]
    assert row["state"] == "open"


def test_chosen_discrepancies_are_assigned_and_settled_one_by_one(browser, central):
    with page_of(browser, central.url + "/discrepancies") as page:
        names = page.eval_on_selector_all("tr.group th", "all => all.map((one) => one.textContent)")
        assert names == ["Goods", "Master data"]
        ghosts = [one["id"] for one in _open(central, "unknown_item")]
        assert len(ghosts) == 2
        assert "<b>RICE</b>" in page.text_content("table.list")
        for identity in ghosts:
            page.check(f"tr[data-key='{identity}'] input[data-choose]")
        assert page.text_content("#bulk .count") == "chosen: 2"
        page.fill("#bulk-owner", "li.na")
        page.click("#bulk [data-bulk=assign]")
        page.wait_for_selector("#bulk li.good:nth-child(2)")
        assert {one["owner"] for one in _open(central, "unknown_item")} == {"li.na"}
        page.check(f"tr[data-key='{ghosts[0]}'] input[data-choose]")
        page.click("#bulk [data-bulk=settle]")
        page.click("#sure button[value=yes]")
        # Nothing is proposed for an item that nobody knows: it says so, and stays open.
        page.wait_for_selector("#bulk li.bad")
        assert "Nothing is proposed" in page.text_content("#bulk li.bad")
        assert len(_open(central, "unknown_item")) == 2


def test_the_keyboard_goes_through_the_inbox_and_settles_a_row(browser, central):
    (nut,) = [one for one in _open(central, "negative_balance") if one["item"] == "NUT"]
    with page_of(browser, central.url + "/discrepancies?state=open&cause=goods") as page:
        focused = "document.activeElement.dataset.key"
        for _ in keys(page):
            page.keyboard.press("j")
            if page.evaluate(focused) == nut["id"]:
                break
        page.keyboard.press("o")
        page.wait_for_selector("tr.detail .proposal")
        page.keyboard.press("s")
        page.click("#sure button[value=yes]")
        page.wait_for_selector("#bulk li.good")
    after = central.ask("GET", f"/discrepancies/{nut['id']}").json()
    assert (after["state"], after["settlements"][0]["action"]) == ("settled", "adjust")


def test_a_gateway_shows_its_lights_devices_and_refused_bytes(browser, central):
    with page_of(browser, central.url + "/gateways/sh1-dock-1", language="zh") as page:
        devices = page.text_content("[data-part=devices]")
        assert "dock-1-printer" in devices and "离线" in devices and "标签" in devices
        assert "4 条事实" in page.text_content("[data-part=lights]")
        assert "无法读取" in page.text_content(".listing")
        with page.expect_download() as saved:
            page.click(".listing a[href*=payload]")
        assert saved.value.path().read_bytes() == b"no batch \x00\xff"


def test_a_label_is_ordered_at_a_gateway_and_its_outcome_is_seen(browser, central):
    with page_of(browser, central.url + "/gateways/sh1-dock-1") as page:
        page.select_option("#print select[name=template]", "bin")
        page.fill("#print input[name='fields.place']", "BIN-1")
        page.click("#print form.api button")
        page.wait_for_selector("#print .timeline code")
        job = page.text_content("#print .timeline code")
        assert "waits for the gateway" in page.text_content("#print .timeline")
        central.dock.print_label(content=f"{job}: BIN-1", outcome="failed", detail="Paper is out.")
        central.send()
        central.tell()
        page.wait_for_selector("#print .timeline .chip.bad")
        assert "Paper is out." in page.text_content("#print .timeline")
        page.select_option("[data-part=settings] select", "zh")
        with page.expect_response(lambda answer: answer.request.method != "GET"):
            page.click("[data-part=settings] button")  # #told still has what was told before.
        page.wait_for_selector("#told.good")
        page.reload()
        assert page.input_value("[data-part=settings] select") == "zh"
        waiting = page.text_content("[data-part=notices]")
        assert "1 wait: settings" in waiting and "1 wait: labels to print" in waiting


def test_a_period_is_closed_with_what_is_open_only_when_somebody_says_why(browser, central):
    with page_of(browser, central.url + "/periods?through=2026-05-27") as page:
        page.fill("input[name=period]", "MAY-27")
        page.fill("[data-part=close] input[name=reason]", "")
        assert page.text_content("[data-part=checklist] summary .chip").strip()
        page.fill("[data-part=close] input[name=reason]", "the gateways are away")
        if page.query_selector("input[name=anyway]"):
            page.check("input[name=anyway]")
        page.click("[data-part=close] button")
        page.click("#sure button[value=yes]")
        page.wait_for_url("**/periods/MAY-27")
        assert "the gateways are away" in page.text_content("[data-part=facts]")
        page.goto(central.url + "/periods")
        assert "MAY-27" in page.text_content("[data-part=closed]")


def test_places_show_their_fill_and_lead_to_their_stock(browser, central):
    with page_of(browser, central.url + "/warehouses/SH1") as page:
        place = page.locator(".places-grid a", has_text="BIN-1")
        assert "too full" in place.text_content() or "differs" in place.text_content()
        place.click()
        page.wait_for_url("**/warehouses/SH1/places/BIN-1")
        assert "BOLT" in page.text_content(".listing")
        page.goto(central.url + "/warehouses/SH1?only=empty")
        assert "DOCK-1" in page.text_content("[data-part=grid]")
        assert "BIN-1" not in page.text_content("[data-part=grid]")


def test_figures_say_how_they_are_made_and_lead_to_their_rows(browser, central):
    with page_of(browser, central.url + "/dashboard?warehouse=SH1") as page:
        card = page.locator("[data-kpi=turnover]")
        assert "Last 30 days" in card.text_content() and "By quantity" in card.text_content()
        card.locator("a").click()
        page.wait_for_url("**/dashboard/turnover?days=30&warehouse=SH1")
        assert "SH1" in page.text_content("tr[data-key='SH1/C62']")
        with page.expect_download() as saved:
            page.click("a.export")
        assert saved.value.suggested_filename == "kpi-turnover.xlsx"


def _open(central, kind):
    found = central.ask("GET", f"/discrepancies?kind={kind}&state=open").json()
    return found["discrepancies"]
