"""Item, movements, search, pictures and the sorted stock page in a real browser."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from central.clock import SystemClock
from central.web.app import create_app, notify_of_app
from tests.browser.axe import violations_by_looks
from tests.browser.chromium import opened_browser
from tests.central.clients import served
from tests.central.migrated import open_migrated
from tests.central.scenery import Gateway, furnished

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="window.hurt=1">\u202e=1+1'
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
PAGES = [
    "/",
    "/?sort=-total&group=abc",
    "/?as_of=2030-01-01T10:00",
    "/stock",
    "/movements",
    "/items/BOLT",
    "/items/BOLT?lot=L1",
    "/search?q=o",
    "/search?q=%3Cimg",
    "/pictures?item=BOLT",
    "/pictures/throughput",
    "/pictures/expiry",
    "/pictures/untouched",
    "/pictures/lots",
    "/pictures/pareto",
    "/pictures/flows",
]


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def dock(tmp_path_factory):
    database = open_migrated(
        tmp_path_factory.mktemp("stock") / "ledger.db", generation="generation-1"
    )
    gateway = Gateway()
    gateway.inbox = furnished(database, gateway)
    now_ms = SystemClock().now_ms()
    gateway.now_ms = now_ms
    gateway.move("BOLT", "5", lot="L1", expiry_date="2030-01-31", event_time_ms=now_ms)
    gateway.move("NUT", "9", operator="op-1", document="PO-1", event_time_ms=now_ms)
    gateway.move(HOSTILE, "1", lot=HOSTILE[:20], event_time_ms=now_ms)
    gateway.inbox.accept([gateway.offer()])
    gateway.app = create_app(database=database, clock=SystemClock(), site="demo", poll_s=60)
    with served(gateway.app) as url:
        gateway.url = url
        yield gateway
    database.close()


@pytest.fixture
def page(browser, dock):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    opened.errors, opened.hosts = [], set()
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.on("request", lambda request: opened.hosts.add(urlsplit(request.url).hostname))
    yield opened
    assert opened.errors == []
    assert opened.hosts <= {"127.0.0.1"}
    context.close()


def scan(dock, item, quantity, **fields):
    seq = dock.move(item, quantity, event_time_ms=dock.now_ms, **fields)
    dock.inbox.accept([dock.offer(seq)])
    notify_of_app(dock.app)()


@pytest.mark.parametrize(("size", "language"), [("desktop", "zh"), ("phone", "en")])
def test_every_page_of_stock_fits_and_shows_hostile_texts_as_texts(page, dock, size, language):
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    looks = set()
    for path in PAGES:
        sign = "&" if "?" in path else "?"
        page.goto(f"{dock.url}{path}{sign}lang={language}")
        assert page.get_attribute("html", "lang") == {"en": "en", "zh": "zh-Hans"}[language]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("window.hurt") is None, path
        assert page.locator("main img").count() == 0, path
        assert violations_by_looks(page, looks) == [], path


def test_the_stock_page_is_sorted_grouped_and_exported(page, dock):
    page.goto(dock.url)
    page.wait_for_selector("#live.good")
    page.click("th.total a")
    page.wait_for_selector("th.total[aria-sort=descending]")
    items = page.eval_on_selector_all("tr[data-item]", "rows => rows.map(r => r.dataset.item)")
    assert items[:2] == ["NUT", "BOLT"]
    assert "sort=-total" in page.url
    page.select_option("select[name=group]", "abc")
    page.wait_for_selector("tr.group")
    assert "sort=-total" in page.url and "group=abc" in page.url
    with page.expect_download() as download:
        page.click("#export")
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"


def test_keys_walk_through_the_stock_page(page, dock):
    page.goto(dock.url)
    page.wait_for_selector("#live.good")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("tr.detail .places")
    page.keyboard.press("i")
    page.wait_for_url("**/items/BOLT")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("NUT")
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/NUT")


def test_an_earlier_moment_rests_while_movements_go_on(page, dock):
    page.goto(dock.url + "/?as_of=2000-01-01T00:00")
    page.wait_for_selector(".past")
    page.wait_for_selector("#live.good")
    rows = page.locator("tr[data-item]")
    then = rows.all_inner_texts()
    assert [text.split()[-1] for text in then] == ["–"] * 3, "what is known now, none of it then"
    scan(dock, "BOLT", "2", lot="L1")
    page.wait_for_selector("#feed li >> text=2 pcs")
    assert rows.all_inner_texts() == then


def test_an_item_shows_where_it_stands_and_its_evidence_down_to_the_bytes(page, dock):
    page.goto(dock.url + "/items/BOLT")
    page.wait_for_selector("#live.good")
    movements = page.locator('[data-listing="item-movements"]')
    before = movements.locator("tr[data-key]").count()
    scan(dock, "BOLT", "3", lot="L77")
    page.wait_for_selector('[data-listing="item-stock"] >> text=L77')
    movements.locator("tr[data-key]").nth(before).wait_for()
    movements.locator("button.open").first.click()
    page.wait_for_selector("tr.detail details.bytes")
    page.click("tr.detail details.bytes summary")
    assert len(page.inner_text("tr.detail details.bytes code >> nth=0").split()) > 10
    page.click('[data-listing="item-stock"] >> text=L77')
    page.wait_for_selector("#followed >> text=L77")
    assert page.locator('[data-listing="item-trace"] tr[data-key]').count() == 1


def test_movements_are_filtered_and_live(page, dock):
    page.goto(dock.url + "/movements?operator=op-1")
    page.wait_for_selector("#live.good")
    rows = page.locator("tr[data-key]")
    before = rows.count()
    assert before >= 1 and "NUT" in rows.first.inner_text()
    scan(dock, "NUT", "8", operator="op-2")
    scan(dock, "NUT", "4", operator="op-1")
    rows.nth(before).wait_for()
    assert rows.count() == before + 1


def test_a_scan_of_one_thing_leads_straight_to_it(page, dock):
    page.goto(dock.url + "/movements")
    page.fill("#find", "BOLT")
    page.press("#find", "Enter")
    page.wait_for_url("**/items/BOLT")
    page.fill("#find", f"{dock.code}/{dock.epoch}/1")
    page.press("#find", "Enter")
    page.wait_for_selector("text=The fact byte for byte")
    page.fill("#find", "BIN-1")
    page.press("#find", "Enter")
    page.wait_for_selector(".found li")
    assert page.locator(".found li").count() == 2


def test_a_picture_follows_the_filter_of_its_table(page, dock):
    page.goto(dock.url + "/pictures?item=BOLT")
    assert "BOLT" in page.inner_text("#picture p")
    page.fill("input[name=item]", "NUT")
    page.wait_for_selector("#picture p >> text=NUT")
    assert page.locator("#picture svg[role=img]:visible").count() == 1
