"""The stock page in a real browser: live without reloading, filtered, in two languages."""

from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from central.clock import SystemClock
from central.inbox.time_correction import TimeCorrection
from central.web.app import create_app, live_of_app
from tests.browser.chromium import opened_browser
from tests.central.clients import served
from tests.central.migrated import open_migrated
from tests.central.scenery import Gateway, furnished
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

BOLT = 'tr[data-item="BOLT"]'


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def dock(tmp_path):
    database = open_migrated(tmp_path / "ledger.db", generation="generation-1")
    gateway = Gateway()
    gateway.database = database
    gateway.inbox = furnished(database, gateway)
    gateway.app = application(gateway)
    scan(gateway, "BOLT", "5", lot="L1")
    yield gateway
    database.close()


def application(dock):
    return create_app(database=dock.database, clock=SystemClock(), site="demo", poll_s=60)


def scan(dock, item, quantity, **fields):
    """What a gateway's batch does: accepted, then announced to the pages."""
    seq = dock.move(item, quantity, **fields)
    dock.inbox.accept([dock.offer(seq)])
    live_of_app(dock.app).notify()


@contextmanager
def page_at(browser, url, size=(1440, 900)):
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.errors, page.hosts = [], set()
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("request", lambda request: page.hosts.add(urlsplit(request.url).hostname))
    try:
        page.goto(url)
        page.wait_for_selector("#live.good", state="attached")
        page.evaluate("window.neverReloaded = true")
        yield page
        assert page.evaluate("window.neverReloaded === true")
        assert page.errors == []
        assert page.hosts == {"127.0.0.1"}
    finally:
        context.close()


def total(page, item="BOLT"):
    return page.text_content(f'tr[data-item="{item}"] [data-column="total"]')


def wait_total(page, text, item="BOLT"):
    page.wait_for_selector(f'tr[data-item="{item}"] [data-column="total"]:text-is("{text}")')


def test_a_movement_appears_without_a_reload(browser, dock):
    with served(dock.app) as url, page_at(browser, url) as page:
        assert (total(page), page.locator("#feed li").count()) == ("5", 1)
        scan(dock, "BOLT", "1200", lot="L2")
        wait_total(page, "1,205")
        assert page.text_content(f'{BOLT} [data-column="w:SH1"]') == "1,205"
        page.wait_for_selector('#feed li[data-no="2"]:first-child')
        scan(dock, "BOLT", "2000", source="BIN-1", target="customer", lot="L1")
        page.wait_for_selector(f'{BOLT} [data-column="total"].minus')
        page.wait_for_selector("#discrepancies-count.warn")
        scan(dock, "<b>NEW</b>", "1")
        page.wait_for_selector('tr[data-item="<b>NEW</b>"]')


def test_a_corrected_time_takes_the_place_of_the_one_that_is_shown(browser, dock):
    with served(dock.app) as url, page_at(browser, url) as page:
        scan(dock, "BOLT", "1", clock_synced=False, monotonic_ns=10**9, event_time_ms=5_000)
        page.wait_for_selector('#feed li[data-no="2"] .flag:has-text("clock not set")')
        TimeCorrection(dock.database, clock=SystemClock()).tick()
        live_of_app(dock.app).notify()
        page.wait_for_selector('#feed li[data-no="2"] .flag:has-text("time corrected")')
        assert page.locator('#feed li[data-no="2"]').count() == 1
        assert page.locator("#feed li").count() == 2


def test_a_row_opens_to_its_places_and_stays_current(browser, dock):
    with served(dock.app) as url, page_at(browser, url) as page:
        page.click(f"{BOLT} button")
        page.wait_for_selector(".places td:text-is('L1')")
        scan(dock, "BOLT", "3", lot="L9", target="BIN-2")
        page.wait_for_selector(".places td:text-is('L9')")
        page.click(f"{BOLT} button")
        assert page.locator(".places").count() == 0
        page.click("#feed li:first-child summary")
        page.wait_for_selector(f"#feed a:text('sh1-dock-1/{dock.epoch}/2')")


def test_the_filter_narrows_the_table_and_survives_news(browser, dock):
    with served(dock.app) as url, page_at(browser, url) as page:
        page.fill("#filter input[type=search]", "ric")
        page.wait_for_selector(BOLT, state="detached")
        assert page.locator("tr[data-item]").count() == 1
        assert "q=ric" in page.url
        scan(dock, "RICE", "2.5", unit="KGM")
        wait_total(page, "2.5", item="RICE")
        page.fill("#filter input[type=search]", "")
        page.check("#filter input[name=stocked]")
        page.wait_for_selector('tr[data-item="NUT"]', state="detached")
        scan(dock, "NUT", "4")
        page.wait_for_selector('tr[data-item="NUT"]')


def test_the_language_is_switched_and_remembered(browser, dock):
    with served(dock.app) as url, page_at(browser, url) as page:
        assert page.inner_text("#feed-title") == "Movements"
        page.click("text=中文")
        page.wait_for_selector("#feed-title:text-is('库存移动')")
        page.goto(url)
        assert page.inner_text("#feed-title") == "库存移动"
        assert page.get_attribute("html", "lang") == "zh-Hans"
        page.wait_for_selector("#live.good", state="attached")
        scan(dock, "NUT", "1")
        page.wait_for_selector("#feed li:first-child >> text=螺母")
        page.evaluate("window.neverReloaded = true")


def test_after_a_restart_of_the_server_the_page_catches_up_by_itself(browser, dock):
    with ExitStack() as first_server, ExitStack() as open_page:
        url = first_server.enter_context(served(dock.app))
        page = open_page.enter_context(page_at(browser, url))
        first_server.close()
        page.wait_for_selector("#lost:not(:empty)")
        seq = dock.move("BOLT", "10", lot="L1")
        dock.inbox.accept([dock.offer(seq)])
        dock.app = application(dock)
        with served(dock.app, port=urlsplit(url).port):
            wait_total(page, "15")
            page.wait_for_selector("#lost:empty", state="attached")
            page.wait_for_selector('#feed li[data-no="2"]')
            open_page.close()


def test_a_hidden_tab_gives_its_connection_back_and_catches_up(browser, dock):
    live = live_of_app(dock.app)
    with served(dock.app) as url, page_at(browser, url) as page:
        hide(page, hidden=True)
        wait_for(lambda: live.client_count == 0, what="the hidden page's stream to end")
        scan(dock, "BOLT", "1", lot="L1")
        assert total(page) == "5"
        hide(page, hidden=False)
        wait_total(page, "6")


def hide(page, *, hidden):
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_fits_a_telephone(browser, dock, language):
    address = f"/?lang={language}"
    with served(dock.app) as url, page_at(browser, url + address, (390, 844)) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator(f'{BOLT} [data-column="total"]').bounding_box()["x"] < 390
