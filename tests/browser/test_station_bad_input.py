"""Bad names, and restarts in the middle of a step: the station page stays whole. Edge."""

from contextlib import ExitStack

import msgspec
import pytest

from gateway.health import LinkHealth
from gateway.station.catalogue import Catalogue
from tests.browser.kiosk import opened_browser, outside, page_of
from tests.gateway.screen.served import served
from tests.gateway.station.bench import REFERENCE

pytestmark = pytest.mark.browser

TEA = "6901234567892"
NAMES = {
    "html": "<img src=x onerror=document.title='owned'>" * 6,
    "right-to-left": "\u202eknat \u2066\u0634\u0627\u064a\u202c" * 20,
    "formula": '=HYPERLINK("http://evil")' * 9,
    "one word": "W" * 256,
    "control characters": "A\x00B\x07C\x1bD\rE\nF" * 20,
}


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


def rename(bench, name):
    """Let everything that has a name in the reference data have this one."""
    named = msgspec.structs.replace
    reference = named(
        REFERENCE,
        items=tuple(named(one, name=name, name_zh=name) for one in REFERENCE.items),
        documents=tuple(named(one, partner=name) for one in REFERENCE.documents),
        operators=tuple(named(one, name=name) for one in REFERENCE.operators),
    )
    bench.catalogue = Catalogue(reference, warehouse="sh1")
    bench.loop.use_catalogue(bench.catalogue)


def test_names_of_the_reference_data_are_text_and_leave_the_page_whole(browser, tmp_path):
    with served(tmp_path) as (bench, server):
        bench.health.set_link(LinkHealth(connected=True, detail=""))
        with page_of(browser, server.url, (800, 480)) as page:
            for kind, name in NAMES.items():
                rename(bench, name[:256])
                bench.scan("OPR-ann", "DOC-SO-1", TEA, "CMD-LOOKUP", TEA, "CMD-DONE")
                for code in ("DOC-PO-7", TEA, "CMD-DONE", "CMD-DONE"):
                    number = page.evaluate("lastState.scans.length && lastState.scans[0].number")
                    bench.scan(code)
                    newer = "n => lastState.scans.length && lastState.scans[0].number > n"
                    page.wait_for_function(newer, arg=number)
                    parts = ("#prompt", "#signal", "header", "#buttons button:last-child")
                    shown = [one for one in parts if page.is_visible(one)]
                    assert outside(page, *shown) == [], (kind, code)
                    assert page.evaluate("document.documentElement.scrollWidth") <= 800
                said = page.inner_text("body") + page.inner_text("#documents-list")
                assert not {"\u202e", "\u202c", "\u2066", "\x00", "\x07", "\x1b"} & set(said)
                assert page.locator("main img, main b b").count() == 0
                assert page.title() == "Station dock-1"
            assert page.problems == []


def test_a_gateway_that_restarts_in_the_middle_of_a_step_goes_on_there_and_counts_once(
    browser, tmp_path
):
    with ExitStack() as pages:
        with served(tmp_path, running=True) as (bench, server):
            port = int(server.url.rstrip("/").rpartition(":")[2])
            page = pages.enter_context(page_of(browser, server.url, (800, 480)))
            for code in ("DOC-PO-7", "CMD-QTY-5"):
                bench.queue_scan(code)
            page.wait_for_selector("#times:has-text('5')")
            page.reload()
            page.wait_for_selector("#times:has-text('5')")
            page.click("#buttons button:has-text('Type a code')")
            page.keyboard.type(TEA)
        page.wait_for_selector("#lost:visible")
        with served(tmp_path, running=True, port=port) as (bench, _):
            page.wait_for_selector("#lost", state="hidden", timeout=15_000)
            page.wait_for_selector("#times:has-text('5')")
            assert page.is_hidden("#typing"), "a code that was half typed is typed anew"
            assert "PO-7" in page.inner_text("#where")
            bench.queue_scan(TEA)
            page.wait_for_selector("#lines li:has-text('5 / 24')")
            assert bench.fact_count() == 1
