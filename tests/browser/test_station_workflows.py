"""Every workflow walked at the kiosk: each step in both languages and at four sizes of a screen.

Journal, loop and server are real. One walk; the page is resized in place and its language switched.
"""

from decimal import Decimal

import pytest

from drivers.readings import WeightMeasured
from gateway.health import DeviceHealth, LinkHealth
from tests.browser.axe import violations_by_looks
from tests.browser.kiosk import GLOVE_PX, opened_browser, page_of, press
from tests.browser.station_walks import (
    COMPLAINTS,
    RECORDED_MIN,
    TEA,
    WORKFLOWS,
    AsksAgain,
    Weighs,
    ask_again,
)
from tests.gateway.screen.served import served

pytestmark = pytest.mark.browser

SIZES = {
    "kiosk": (1024, 600),
    "small kiosk": (800, 480),
    "desktop": (1280, 800),
    "phone": (390, 844),
}
# All that is drawn of a step; and of which parts it is drawn, whatever they say.
DRAWN = "JSON.stringify([lastState.prompt, (lastState.signal || {}).text, lastState.step])"
SHAPE = """JSON.stringify([(lastState.signal || {}).kind,
    lastState.step.buttons.map(one => one.code), !lastState.step.lines.length,
    !lastState.step.aim, !lastState.step.times])"""


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


class Walk:
    """One person at one kiosk, who reads every step in both languages and on every screen."""

    def __init__(self, bench, page):
        self.bench, self.page, self.language = bench, page, "en"
        self.wrong = []
        self.steps_count = 0
        self.seen_before, self.looks = set(), set()

    def take(self, step):
        """Do one step; return once the page shows what came of it."""
        self.bench.clock.elapsed_ns += 300_000_000
        if isinstance(step, AsksAgain):
            ask_again(self.bench, step)
            return
        if isinstance(step, Weighs):
            reading = WeightMeasured(Decimal(step.value), "KGM", "gross", True, b"x")
            self.bench.put(reading, device="dock-1-scale")
            self.page.wait_for_selector(f"#weight-value:text-is('{step.value}')")
            return
        number = self.page.evaluate("lastState.scans.length ? lastState.scans[0].number : 0")
        self.bench.queue_scan(step)
        self.page.wait_for_function(
            "number => lastState.scans.length && lastState.scans[0].number > number", arg=number
        )

    def look(self, name, step):
        """Note what a person would complain about, here, in both languages on all screens."""
        drawn = self.page.evaluate(DRAWN)
        if drawn in self.seen_before:  # The menu, after most workflows.
            return
        shape = self.page.evaluate(SHAPE)
        with_axe = shape not in self.seen_before
        for turn, sizes in enumerate((list(SIZES), list(reversed(SIZES)))):
            for size in sizes:
                width, height = SIZES[size]
                self.page.set_viewport_size({"width": width, "height": height})
                found = self.page.evaluate(COMPLAINTS, GLOVE_PX)
                if with_axe and turn == 1 and size == sizes[self.steps_count % len(sizes)]:
                    found += violations_by_looks(self.page, self.looks)
                self.seen(name, step, size)
                self.wrong += [f"{name}, {step} ({self.language}, {size}): {one}" for one in found]
            self.seen_before |= {shape, self.page.evaluate(DRAWN)}
            if turn == 0:  # The next step begins in the language in which this one ends.
                self.switch()
        self.steps_count += 1

    def seen(self, name, step, size):
        """Called for each picture; whoever wants to keep them does it here."""

    def switch(self):
        """Read the other language from now on."""
        self.language = "zh" if self.language == "en" else "en"
        self.page.click("#language")
        lang = "zh-CN" if self.language == "zh" else "en"
        self.page.wait_for_selector(f"html[lang={lang}]")


def walk_through(bench, page, walk):
    """Walk through every workflow, from menu to menu."""
    bench.health.set_link(LinkHealth(connected=True, detail=""))
    for name, device_class in (("dock-1-scale", "scale"), ("dock-1-printer", "label_printer")):
        bench.health.set_device(DeviceHealth(name, device_class, "ready"))
    page.wait_for_selector("#tiles button")
    for name, steps in WORKFLOWS.items():
        for step in steps:
            walk.take(step)
            walk.look(name, step)
        if not page.is_visible("#tiles"):  # A document was closed; its task goes on.
            walk.take("CMD-DONE")
        assert page.is_visible("#tiles"), f"after {name}: not in the menu"


def test_every_step_of_every_workflow_reads_well_in_both_languages_on_every_screen(
    browser, tmp_path
):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url, SIZES["kiosk"]) as page,
    ):
        walk = Walk(bench, page)
        walk_through(bench, page, walk)
        assert bench.fact_count() >= RECORDED_MIN
        assert page.problems == []
    assert not walk.wrong, "\n".join(dict.fromkeys(walk.wrong))


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
        page.wait_for_selector("#signal.warning:has-text('not complete')")
        assert bench.fact_count() == 1
        assert page.problems == []
