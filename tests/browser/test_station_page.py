"""The station page in a real browser: what the operator sees, touches and reads."""

from contextlib import ExitStack

import pytest

from drivers.readings import BarcodeScanned
from gateway.health import DeviceHealth, InstallationTrouble, LinkHealth
from gateway.journal.records import Refusal
from tests.browser.axe import violations
from tests.browser.kiosk import (
    SIZE_IDS,
    SIZES,
    opened_browser,
    outside,
    page_of,
    press,
    small_targets,
    watched,
)
from tests.gateway.screen.served import served, settle_for
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

TEA = "6901234567892"


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


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


@pytest.mark.parametrize(
    ("language", "size"), [("en", SIZES[1]), ("zh", SIZES[0]), ("zh", SIZES[1]), ("en", SIZES[2])]
)
def test_prompt_signal_weight_unsent_and_lights_are_on_one_screen(
    browser, tmp_path, language, size
):
    with served(tmp_path, language=language) as (bench, server):
        busy(bench)
        with page_of(browser, server.url, size) as page:
            page.wait_for_selector("#signal.success")
            page.wait_for_selector("#unsent.some")
            shown = ("#prompt", "#signal", "#weight", "#unsent", "#devices li", "#buttons button")
            assert outside(page, *shown) == []
            assert page.locator("#weight-value").inner_text() == "1234.50"
            assert "PO-7" in page.inner_text("#prompt")
            assert "17" in page.inner_text("#signal-text")
            assert page.inner_text("#operator") == "Ann Li"
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
            load = "请给 dock-1-printer 装上标签纸。" if language == "zh" else "Load labels into"
            assert load in page.locator("#devices .fault small").inner_text()
            assert small_targets(page, "#buttons button") == []
            assert violations(page) == []
            assert (page.problems, page.foreign) == ([], [])


@pytest.mark.parametrize("size", SIZES, ids=SIZE_IDS)
def test_what_the_office_settled_is_a_quiet_list_that_gives_way_to_work(browser, tmp_path, size):
    with served(tmp_path) as (bench, server):
        settle_for(bench)
        with page_of(browser, server.url, size) as page:
            page.wait_for_selector("#settled li")
            title = page.inner_text("#settled-title")
            assert title.lower() == "settled by the office"
            assert "it stays as it was recorded" in page.inner_text("#settled li")
            shown = ("#settled-title", "#settled li:first-child", "#documents-list button")
            assert outside(page, *shown) == []
            assert violations(page) == []
            busy(bench)
            page.wait_for_selector("#signal.success")
            assert page.is_hidden("#settled-box")
            assert (page.problems, page.foreign) == ([], [])


def test_a_scan_changes_the_screen_and_a_touch_is_done_and_answered(browser, tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url) as page,
    ):
        page.wait_for_selector("#tiles button")
        bench.queue_scan("CMD-RECEIVE")
        bench.queue_scan("0109501101530004")
        page.wait_for_selector("#signal.error")
        assert "relabel" in page.inner_text("#signal-text")
        press(page, "CMD-DONE")
        page.wait_for_selector("#signal.info")
        # Asked from here: what waits within the page asks by eval, which the page's policy forbids.
        wait_for(lambda: page.evaluate("!document.body.classList.contains('sending')"))
        assert page.problems == []


@pytest.mark.parametrize(
    ("codes", "kind", "word", "icon"),
    [
        pytest.param([TEA], "success", "OK", "#icon-success", id="recorded"),
        pytest.param(["CMD-QTY-3"], "info", "UNDERSTOOD", "#icon-info", id="understood"),
        pytest.param(["4006381333931"], "warning", "ATTENTION", "#icon-warning", id="unexpected"),
        pytest.param(["CMD-FLY"], "error", "ERROR", "#icon-error", id="refused"),
    ],
)
def test_each_kind_of_answer_differs_by_word_icon_border_and_sound(
    browser, tmp_path, codes, kind, word, icon
):
    with served(tmp_path) as (bench, server), page_of(browser, server.url) as page:
        bench.scan("CMD-RECEIVE")
        page.wait_for_selector("#signal.info")
        bench.scan(*codes)
        page.wait_for_selector(f"#signal.{kind}")
        page.wait_for_selector(f"body[data-sounded={kind}]")
        assert page.inner_text("#signal-word").upper() == word
        assert page.get_attribute("#signal-icon", "href") == icon
        border = page.eval_on_selector("#signal", "one => getComputedStyle(one).border")
        shapes = {"success": "solid", "info": "solid", "warning": "dashed", "error": "double"}
        assert shapes[kind] in border
        assert page.evaluate("new Set(Object.values(TONES).map(JSON.stringify)).size") == 4


def test_a_muted_page_stays_mute_over_a_reload(browser, tmp_path):
    with served(tmp_path) as (_, server), page_of(browser, server.url) as page:
        page.wait_for_selector("#sound:has-text('Sound on')")
        page.click("#sound")
        page.wait_for_selector("#sound:has-text('Sound off')")
        page.reload()
        page.wait_for_selector("#sound:has-text('Sound off')")
        assert page.get_attribute("#sound", "aria-pressed") == "false"
        page.click("#sound")
        page.wait_for_selector("#sound:has-text('Sound on')")


def test_each_person_reads_the_language_last_chosen_also_after_a_restart(browser, tmp_path):
    with served(tmp_path) as (bench, server), page_of(browser, server.url) as page:
        page.wait_for_selector("html[lang=en] #language:has-text('中文')")
        bench.scan("OPR-ann")
        page.wait_for_selector("#operator:has-text('Ann Li')")
        page.click("#language")
        page.wait_for_selector("html[lang=zh-CN] #language:has-text('English')")
        bench.scan("OPR-bob")  # Who never chose reads the language of the station.
        page.wait_for_selector("html[lang=en]")
    with served(tmp_path) as (bench, server), page_of(browser, server.url) as page:
        bench.scan("OPR-bob")
        page.wait_for_selector("#operator:has-text('bob')")
        assert page.get_attribute("html", "lang") == "en"
        bench.scan("OPR-ann")
        page.wait_for_selector("html[lang=zh-CN]")
        bench.scan("CMD-LANGUAGE")
        page.wait_for_selector("html[lang=en]")
        assert page.problems == []


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("<img src=x onerror=document.title='owned'>", id="html"),
        pytest.param("\u202e<b>gnp.exe\u202c\u2066x", id="right-to-left"),
        pytest.param("A\x00B\x07C\x1bD\rE\nF", id="control characters"),
        pytest.param("=HYPERLINK(1)" * 308, id="4,000 characters"),
        pytest.param("𒐫﷽" * 30, id="wide"),
    ],
)
def test_text_from_outside_is_shown_cut_in_its_place_and_never_run(browser, tmp_path, code):
    with served(tmp_path) as (bench, server), page_of(browser, server.url, (1024, 600)) as page:
        bench.scan("CMD-RECEIVE", code)
        page.wait_for_selector("#signal:not(.idle):not(.info)")
        page.wait_for_selector("#scans li:nth-child(2)")
        assert page.title() == "Station dock-1"
        assert page.locator("#scans img, #signal img, #scans b, #lines img").count() == 0
        texts = page.inner_text("body")
        assert not {"\u202e", "\u202c", "\u2066", "\x00", "\x07", "\x1b"} & set(texts)
        assert outside(page, "#signal", "#prompt", "#buttons button", "#scans li") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 1024
        assert page.problems == []


def test_a_lost_gateway_is_said_big_and_the_page_comes_back_by_itself(browser, tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with ExitStack() as pages:
        with served(tmp_path / "first") as (bench, server):
            port = int(server.url.rstrip("/").rpartition(":")[2])
            page = pages.enter_context(page_of(browser, server.url, (800, 480)))
            page.wait_for_selector("#tiles button")
            assert page.locator("#lost").is_hidden()
        page.wait_for_selector("#lost:visible")
        assert "The gateway does not answer" in page.inner_text("#lost")
        box = page.locator("#lost").bounding_box()
        assert (box["width"], box["height"]) == (800, 480), "nothing old can be taken for new"
        assert "grayscale" in page.eval_on_selector("main", "one => getComputedStyle(one).filter")
        with served(tmp_path / "second", port=port) as (bench, _):
            bench.scan("CMD-RECEIVE")
            page.wait_for_selector("#signal.info", timeout=10_000)
            assert page.locator("#lost").is_hidden()


def test_without_central_the_page_says_that_work_goes_on_and_how_much_waits(browser, tmp_path):
    with served(tmp_path) as (bench, server), page_of(browser, server.url, (800, 480)) as page:
        bench.scan("CMD-RECEIVE", TEA, TEA)
        bench.health.set_link(LinkHealth(connected=False, connection="unreachable"))
        page.wait_for_selector("#problem.mild:has-text('Go on working')")
        page.wait_for_selector("#unsent:has-text('2 unsent')")
        bench.clock.elapsed_ns += 7 * 60_000_000_000
        page.wait_for_selector("#unsent:has-text('the oldest for 7 min')")
        assert page.locator("#lost").is_hidden()
        assert violations(page) == []


def test_a_clock_that_jumps_changes_no_age_and_is_told_while_it_is_not_set(browser, tmp_path):
    with served(tmp_path) as (bench, server), page_of(browser, server.url) as page:
        bench.clock.disciplined = False
        bench.clock.offset_ms = -50 * 365 * 24 * 3_600_000  # The first boot of a Pi.
        bench.scan("CMD-RECEIVE", TEA)
        page.wait_for_selector("#clock:has-text('not set')")
        bench.clock.elapsed_ns += 3 * 60_000_000_000
        page.wait_for_selector("#unsent:has-text('1 unsent, the oldest for 3 min')")
        bench.clock.offset_ms, bench.clock.disciplined = 0, True
        page.wait_for_selector("#clock", state="hidden")
        assert "the oldest for 3 min" in page.inner_text("#unsent")


def test_a_touch_whose_answer_was_lost_is_done_once_over_a_reload(browser, tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url) as page,
    ):
        bench.queue_scan("CMD-RECEIVE")
        page.wait_for_selector("#signal.info")
        sent = []

        def lose(route):
            sent.append(route.request.post_data_json)
            route.fetch()
            route.abort()

        page.route("**/api/v1/scan", lose)
        page.evaluate("code => send(code)", TEA)
        page.wait_for_selector("#signal.success")
        page.unroute("**/api/v1/scan")
        page.on("request", lambda one: "scan" in one.url and sent.append(one.post_data_json))
        page.reload()
        wait_for(lambda: page.evaluate("sessionStorage.getItem(OUTBOX) === '[]'"))
        assert len(sent) >= 2
        assert {one["id"] for one in sent} == {sent[0]["id"]}
        assert bench.fact_count() == 1
        assert TEA not in page.inner_text("#problem")


def test_a_touch_that_reached_nobody_for_long_is_not_done_behind_peoples_back(browser, tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url) as page,
    ):
        bench.queue_scan("CMD-RECEIVE")
        page.wait_for_selector("#signal.info")
        page.evaluate(
            "code => { keep([{ id: identity(), code, at: Date.now() - 60000 }]); deliver(); }", TEA
        )
        page.wait_for_selector(f"#problem:has-text('{TEA} did not reach the gateway')")
        assert bench.fact_count() == 0


def test_two_tabs_show_one_station_and_do_nothing_twice(browser, tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url) as page,
    ):
        other = watched(page.context.new_page(), server.url)
        other.goto(server.url)
        bench.queue_scan("CMD-RECEIVE")
        page.evaluate("code => send(code)", TEA)
        for tab in (page, other):
            tab.wait_for_selector("#scans li.success")
            assert tab.locator("#scans li").count() == 2
        other.reload()
        other.wait_for_selector("#scans li.success")
        assert bench.fact_count() == 1
        assert (page.problems, other.problems) == ([], [])


def test_the_back_button_closes_a_dialog_and_leaves_the_step_as_it_is(browser, tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url, (800, 480)) as page,
    ):
        for code in ("DOC-PO-7", TEA):
            bench.queue_scan(code)
        page.wait_for_selector("#signal.success")
        prompt = page.inner_text("#prompt")
        page.click("button:has-text('Quantity')")
        page.wait_for_selector("#keypad[open]")
        page.click("#keypad-keys button:has-text('7')")
        page.go_back()
        page.wait_for_selector("#keypad", state="hidden")
        assert page.inner_text("#prompt") == prompt
        page.click("#sheet")
        page.wait_for_selector("figure")
        page.go_back()
        page.wait_for_selector("#signal.success")
        assert page.inner_text("#prompt") == prompt
        assert bench.fact_count() == 1


@pytest.mark.parametrize("size", SIZES[:2], ids=SIZE_IDS[:2])
def test_a_quantity_and_a_damaged_label_are_typed_with_gloves(browser, tmp_path, size):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url, size) as page,
    ):
        bench.queue_scan("CMD-RECEIVE")
        page.wait_for_selector("#signal.info")
        page.click("button:has-text('Quantity')")
        assert small_targets(page, "#keypad button") == []
        assert outside(page, "#keypad") == []
        assert violations(page) == []
        for digit in "12":
            page.click(f"#keypad-keys button:text-is('{digit}')")
        page.click("#keypad-keys .go")
        page.wait_for_selector("#signal-text:has-text('12 times')")
        page.click("button:has-text('Type a code')")
        assert small_targets(page, "#typing-keys button", least=62) == []
        assert outside(page, "#typing", "#typing .go") == []
        assert violations(page) == []
        for digit in TEA:
            page.click(f"#typing-keys button:text-is('{digit}')")
        page.click("#typing .go")
        page.wait_for_selector("#signal.success:has-text('12 pcs')")
        assert page.problems == []


def test_without_touch_the_keyboard_reaches_everything(browser, tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url, (1024, 600)) as page,
    ):
        bench.queue_scan("CMD-RECEIVE")
        page.wait_for_selector("#signal.info")
        page.keyboard.type(TEA)
        page.wait_for_selector("#typing[open]")
        assert page.input_value("#typing-value") == TEA
        page.keyboard.press("Enter")
        page.wait_for_selector("#signal.success")
        number = page.eval_on_selector("[data-code=CMD-DONE]", "one => one.dataset.key")
        page.keyboard.press(number)
        page.wait_for_selector("#tiles button")
        page.keyboard.type("x")
        page.keyboard.press("Escape")
        page.wait_for_selector("#typing", state="hidden")
        assert bench.fact_count() == 1


def test_what_was_lost_stays_until_somebody_has_read_it(browser, tmp_path):
    with served(tmp_path) as (bench, server), page_of(browser, server.url, (800, 480)) as page:
        bench.scan("CMD-RECEIVE")
        full = Refusal("full", "Make space on the gateway's disk or replace its card; scan again "
                       "afterwards.")  # fmt: skip
        bench.journal.refuse_new_work(full)
        bench.scan(TEA)
        bench.journal.refuse_new_work(None)
        bench.scan(TEA)
        page.wait_for_selector("#signal.success")
        page.wait_for_selector("#alarms p:has-text('Not recorded')")
        assert TEA in page.inner_text("#alarms b")
        assert small_targets(page, "#alarms button") == []
        assert violations(page) == []
        bench.scan("CMD-OK")
        page.wait_for_selector("#alarms", state="hidden")


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
        bench.scan("CMD-RECEIVE")
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


def test_a_gateway_that_hangs_is_not_taken_for_one_that_has_nothing_to_say(browser, tmp_path):
    with served(tmp_path) as (_, server), page_of(browser, server.url) as page:
        page.wait_for_selector("#tiles button")
        page.route("**/events*", lambda route: None)  # Never answered.
        page.evaluate("events.close(); heardAt = performance.now() - 60000")
        page.wait_for_selector("#lost:visible")
        page.unroute("**/events*")
        page.evaluate("heardAt = performance.now() - 60000")
        page.wait_for_selector("#lost", state="hidden")


def test_a_scan_is_on_the_page_though_another_came_just_before(browser, tmp_path):
    with served(tmp_path, running=True) as (bench, server), page_of(browser, server.url) as page:
        bench.queue_scan("CMD-RECEIVE")
        for number in range(50):
            bench.put(BarcodeScanned("", f"LOT-{number}", b""), device="dock-1-scanner")
        page.wait_for_selector("#scans li:has-text('LOT-49')")
        wait_for(lambda: bench.fact_count() == 50, what="all recorded")
