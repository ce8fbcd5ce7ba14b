"""Every workflow walked at the kiosk in both languages: journal, loop and server are real."""

import re
from decimal import Decimal

import pytest

from drivers.readings import WeightMeasured
from gateway.health import DeviceHealth, LinkHealth
from tests.browser.axe import violations
from tests.browser.kiosk import opened_browser, outside, page_of, press, small_targets
from tests.gateway.screen.served import served

pytestmark = pytest.mark.browser

TEA, SALT, MILK = "6901234567892", "96385074", "0109501101530003" + "10L1"
OUTER, INNER = "00" + "106141411234567897", "00" + "006141411234567890"
CHINESE = re.compile("[\u4e00-\u9fff]")
# What is scanned; ("weigh", value) is the scale.
WORKFLOWS = {
    "receive": ["DOC-PO-7", "CMD-QTY-3", TEA, "CMD-DONE"],
    "receive unknown": ["CMD-RECEIVE", "4006381333931", "CMD-UNDO", "CMD-DONE"],
    "transfer in": ["DOC-TI-1", INNER, TEA, "CMD-DONE"],
    "weigh": [
        *("CMD-WEIGH", SALT, "DOC-PO-7", ("weigh", "2.00"), "CMD-TARE"),
        *(("weigh", "60.50"), "CMD-CONFIRM", "CMD-DONE"),
    ],
    "inspect": ["CMD-INSPECT", "LOC-DOCK-1", TEA, "CMD-ACCEPT", "CMD-DONE"],
    "put away": ["CMD-PUTAWAY", TEA, "LOC-A-01-03", "CMD-DONE"],
    "move": ["CMD-MOVE", "LOC-A-01-03", TEA, "LOC-A-01-04", "CMD-DONE"],
    "pick": ["CMD-PICK", "DOC-SO-1", "LOC-A-01-04", TEA, "CMD-DONE"],
    "pack": ["CMD-PACK", OUTER, INNER, "CMD-DONE"],
    "ship": ["DOC-SO-1", "LOC-A-01-03", TEA, "CMD-DONE"],
    "transfer out": ["DOC-TO-1", TEA, "CMD-DONE"],
    "count": ["DOC-CNT-1", "LOC-A-01-04", TEA, "CMD-CONFIRM", "CMD-DONE"],
    "return": ["CMD-RETURN", "CMD-REASON-DAMAGED", TEA, "CMD-DONE"],
    "look up": ["CMD-LOOKUP", TEA, "LOC-DOCK-1", "CMD-DONE"],
    "print": ["CMD-PRINT-BIN", "LOC-A-01-03", "CMD-REPRINT", "CMD-DONE"],
}


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


class Walk:
    """One person at one kiosk."""

    def __init__(self, bench, page, language):
        self.bench, self.page, self.language = bench, page, language

    def take(self, step):
        """Scan or weigh; return once the page shows what came of it."""
        self.bench.clock.elapsed_ns += 300_000_000
        if isinstance(step, tuple):
            value = Decimal(step[1])
            reading = WeightMeasured(value, "KGM", "gross", True, b"x")
            self.bench.put(reading, device="dock-1-scale")
            self.page.wait_for_selector(f"#weight-value:text-is('{step[1]}')")
            return
        number = self.page.evaluate("lastState.scans.length ? lastState.scans[0].number : 0")
        self.bench.queue_scan(step)
        self.page.wait_for_function(
            "number => lastState.scans.length && lastState.scans[0].number > number", arg=number
        )

    def look(self):
        """Return what a person would complain about."""
        page = self.page
        found = list(page.problems)
        found += [f"not on the screen: {one}" for one in outside(page, "#prompt", "header")]
        for one in ("#signal", "#buttons button", "#lines li.next", "#tiles button"):
            if page.locator(one).count() and page.locator(one).first.is_visible():
                found += [f"not on the screen: {wrong}" for wrong in outside(page, one)]
        missed = small_targets(page, "#buttons button, #tiles button, #documents-list button")
        found += [f"too small for a glove: {one}" for one in missed]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("wider than the screen")
        said = [page.inner_text("#prompt"), *page.locator("button:visible").all_inner_texts()]
        if self.language == "zh":
            codes = ("English", "LOC-", "DOC-", "OPR-")
            found += [f"no Chinese: {text}" for text in said if text and text not in codes
                      and not CHINESE.search(text)]  # fmt: skip
        return found


@pytest.mark.parametrize(
    ("language", "size", "with_axe"),
    [
        pytest.param("en", (1024, 600), True, id="en 1024x600"),
        pytest.param("zh", (1024, 600), True, id="zh 1024x600"),
        pytest.param("zh", (800, 480), False, id="zh 800x480"),
        pytest.param("en", (1280, 800), False, id="en 1280x800"),
    ],
)
def test_every_workflow_can_be_walked_from_the_page_alone(
    browser, tmp_path, language, size, with_axe
):
    wrong = []
    with (
        served(tmp_path, language=language, running=True) as (bench, server),
        page_of(browser, server.url, size) as page,
    ):
        bench.health.set_link(LinkHealth(connected=True, detail=""))
        for name, device_class in (("dock-1-scale", "scale"), ("dock-1-printer", "label_printer")):
            bench.health.set_device(DeviceHealth(name, device_class, "ready"))
        page.wait_for_selector("#tiles button")
        walk = Walk(bench, page, language)
        for name, steps in WORKFLOWS.items():
            middle = len(steps) // 2
            for number, step in enumerate(steps):
                walk.take(step)
                wrong += [f"{name}, {step}: {one}" for one in walk.look()]
                if with_axe and number == middle:
                    wrong += [f"{name}, {step}: {one}" for one in violations(page)]
            if not page.locator("#tiles").is_visible():
                walk.take("CMD-DONE")
            if not page.locator("#tiles").is_visible():
                walk.take("CMD-CANCEL")
        assert bench.fact_count() >= len(WORKFLOWS) - 3
    assert not wrong, "\n".join(dict.fromkeys(wrong))


def test_a_document_is_begun_and_ended_by_touch_alone(browser, tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url, (1024, 600)) as page,
    ):
        page.wait_for_selector("#documents-list button")
        while not page.locator("[data-code=DOC-PO-7]:visible").count():
            page.click("#later")
        press(page, "DOC-PO-7")
        page.wait_for_selector("#lines li.next:has-text('24')")
        assert "0 / 24" in page.inner_text("#lines li.next")
        page.click("button:has-text('Quantity')")
        page.click("#keypad-keys button:text-is('9')")
        page.click("#keypad-keys .go")
        page.wait_for_selector("#times:has-text('9')")
        page.keyboard.type(TEA)
        page.keyboard.press("Enter")
        page.wait_for_selector("#lines li:has-text('9 / 24'):has-text('left 15')")
        press(page, "CMD-DONE")
        page.wait_for_selector("#signal.warning:has-text('closed short')")
        assert bench.fact_count() == 1
        assert page.problems == []
