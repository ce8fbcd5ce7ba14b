"""The station page in a real browser: what the operator sees, touches and reads."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.health import DeviceHealth, InstallationTrouble, LinkHealth
from tests.gateway.screen.served import served
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
TEA = "6901234567892"
SIZES = [(800, 480), (1280, 800)]


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: run `make test`, which installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield opened
        opened.close()


@contextmanager
def page_of(browser, url, size=(1280, 800)):
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda line: line.type == "error" and page.problems.append(line.text))
    page.foreign = []
    page.on("request", lambda r: r.url.startswith(url) or page.foreign.append(r.url))
    try:
        page.goto(url)
        yield page
    finally:
        context.close()


def busy(bench):
    """Put everything on the screen that a working station shows."""
    for name, device_class, state, problem in (
        ("dock-1-printer", "label_printer", "fault", "paper_out"),
        ("dock-1-scale", "scale", "ready", ""),
        ("dock-1-scanner", "scanner", "ready", ""),
    ):
        bench.health.set_device(DeviceHealth(name, device_class, state, problem))
    bench.health.set_link(LinkHealth(connected=True, detail=""))
    bench.scan("OPR-ann", "DOC-PO-7", TEA, "16901234567899", "CMD-FLY", "4006381333931")
    bench.scan("CMD-QTY-4", TEA)
    bench.weigh("1234.50")


@pytest.mark.parametrize("size", SIZES, ids=["800x480", "1280x800"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_prompt_signal_weight_scans_unsent_and_lights_are_on_one_screen(
    browser, tmp_path, language, size
):
    with served(tmp_path, language=language) as (bench, server):
        busy(bench)
        with page_of(browser, server.url, size) as page:
            page.wait_for_selector("#signal.success")
            page.wait_for_selector("#unsent.some")
            width, height = size
            for wanted in ("#prompt", "#signal", "#weight", "#unsent", "#devices li", "nav .go"):
                box = page.locator(wanted).first.bounding_box()
                assert box["x"] >= 0 and box["x"] + box["width"] <= width + 1, wanted
                assert box["y"] >= 0 and box["y"] + box["height"] <= height + 1, wanted
            assert page.locator("#scans li").count() == 8
            assert page.locator("#weight-value").inner_text() == "1234.50"
            assert ("收货 PO-7" if language == "zh" else "Receiving PO-7") in page.inner_text(
                "#prompt"
            )
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            load = "请给 dock-1-printer 装上标签纸。" if language == "zh" else "Load labels into"
            assert load in page.locator("#devices .fault small").inner_text()
            assert page.locator("nav .go").bounding_box()["height"] >= 44
            assert (page.problems, page.foreign) == ([], [])


def test_a_scan_changes_the_screen_and_a_touch_reaches_the_station(browser, tmp_path):
    with served(tmp_path) as (bench, server), page_of(browser, server.url) as page:
        page.wait_for_selector("#signal.idle")
        bench.scan("CMD-RECEIVE", "0109501101530004")
        page.wait_for_selector("#signal.error")
        assert "relabel" in page.inner_text("#signal-text")
        page.click("nav [data-code=CMD-CANCEL]")
        wait_for(lambda: not bench.observations.empty(), what="the touch")
        bench.step()
        page.wait_for_selector("#signal.success")
        assert page.problems == []


def test_the_language_is_switched_on_the_page_and_kept(browser, tmp_path):
    with served(tmp_path) as (_, server), page_of(browser, server.url) as page:
        page.wait_for_selector("#prompt:has-text('Scan')")
        page.click("#language")
        page.wait_for_selector("#prompt:has-text('请扫描')")
        page.reload()
        page.wait_for_selector("#prompt:has-text('请扫描')")
        assert page.get_attribute("html", "lang") == "zh-CN"


def test_text_from_outside_is_shown_and_never_run(browser, tmp_path):
    attack = "<img src=x onerror=document.title='owned'>"
    with served(tmp_path) as (bench, server), page_of(browser, server.url) as page:
        bench.scan("CMD-RECEIVE", attack)
        page.wait_for_selector("#signal.warning")
        assert attack in page.inner_text("#scans li:first-child")
        assert page.title() != "owned"
        assert page.locator("#scans img").count() == 0


def test_a_lost_gateway_is_told_and_the_page_comes_back_by_itself(browser, tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with served(tmp_path / "first") as (bench, server):
        port = int(server.url.rstrip("/").rpartition(":")[2])
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.url)
        page.wait_for_selector("#signal.idle")
    try:
        page.wait_for_selector("body.lost")
        assert "No connection to the gateway" in page.inner_text("#problem")
        with served(tmp_path / "second", port=port) as (bench, _):
            bench.scan("CMD-RECEIVE")
            page.wait_for_selector("#signal.success", timeout=10_000)
            assert page.locator("body.lost").count() == 0
            assert page.locator("#problem").is_hidden()
    finally:
        context.close()


class ZeroDesk:
    """A desk at which a scale is zeroed, or not."""

    def __init__(self) -> None:
        self.asked = []
        self.outcome = "done"

    def command(self, name, command, signal="off"):
        self.asked.append((name, command))
        return self.outcome, "in motion"


def test_a_scale_that_can_be_zeroed_is_zeroed_on_the_page(browser, tmp_path):
    desk = ZeroDesk()
    with (
        served(tmp_path, devices=desk) as (bench, server),
        page_of(browser, server.url, (800, 480)) as page,
    ):
        bench.health.set_device(DeviceHealth("dock-1-scale", "scale", "ready"))
        bench.weigh("0.02")
        page.wait_for_selector("#weight.stable")
        assert page.locator("#zero").is_hidden()
        bench.health.set_device(
            DeviceHealth("dock-1-scale", "scale", "ready", commands=("tare", "zero"))
        )
        page.wait_for_selector("#zero:visible")
        assert page.locator("#zero").bounding_box()["height"] >= 44
        page.click("#zero")
        wait_for(lambda: desk.asked == [("dock-1-scale", "zero")], what="zeroed")
        assert page.locator("#problem").is_hidden()
        desk.outcome = "refused"
        page.click("#zero")
        page.wait_for_selector("#problem:has-text('not zeroed')")
        assert (page.problems, page.foreign) == ([], [])


def test_impaired_and_locked_devices_and_other_repairs_say_what_to_do(browser, tmp_path):
    with (
        served(tmp_path, language="zh") as (bench, server),
        page_of(browser, server.url) as page,
    ):
        bench.health.set_device(DeviceHealth("gate", "rfid_reader", "degraded", "reader_error"))
        bench.health.set_device(
            DeviceHealth("dock-1-scale", "scale", "configured", "locked", locked=True)
        )
        bench.health.set_trouble(InstallationTrouble("template_broken", "bin.toml"))
        page.wait_for_selector("#devices .degraded small:has-text('gate 报告错误')")
        assert "已锁定" in page.inner_text("#devices .configured div")
        assert page.inner_text("#repairs li") == "标签模板 bin.toml 无法使用：请更正。"
        colours = page.eval_on_selector_all(
            "#devices .light", "all => all.map(one => getComputedStyle(one).backgroundColor)"
        )
        assert len(set(colours)) == 2
        assert page.problems == []
