"""Every page of central, in both languages, on a desk, on a kiosk's screen and on a telephone.

A page is loaded once for each language and then goes through the sizes. axe-core judges it with
everything unfolded: once where both languages of a page are made of the same elements; its rules
for contrast see one text of each look, and what depends on the size is first looked for by a script
that costs a tenth (`layout`).
"""

import re

import pytest

from central.web.catalogue import read_translations
from tests.browser.axe import script, violations
from tests.browser.chromium import opened_browser
from tests.browser.every_page import (
    MENU_PATHS,
    MISSING,
    Way,
    full_ledger,
    shape_of,
    unseen_routes,
)
from tests.browser.layout import layout_faults, mark_new_looks, structure_of

pytestmark = pytest.mark.browser

SIZES = ((1280, 800), (1024, 600), (390, 844))  # Of a desk, a kiosk and a telephone.
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
TAGS = {"en": "en", "zh": "zh-Hans"}
BY_SIZE = ("target-size", "scrollable-region-focusable")  # What axe-core judges by the size.
# Of documents and the catalogue, each a page or a form of its own.
DOCUMENTS = {
    *("/transfers", "/transfers/new", "/purchase-orders", "/purchase-orders/new"),
    *("/shipping-notices", "/shipping-notices/new", "/inspections", "/supplier-returns"),
    *("/supplier-returns/new", "/sales-orders", "/sales-orders/new", "/pick-lists"),
    *("/pick-lists/new", "/pick-lists/now", "/customer-returns", "/customer-returns/new"),
    *("/counts", "/counts/new", "/count-plans", "/count-plans/*", "/count-plans/new"),
    *("/availability", "/in-transit", "/reservations", "/replenishments", "/catalogue/items"),
    *("/catalogue/items/*", "/catalogue/items/new", "/catalogue/partners/*"),
    *("/catalogue/places", "/catalogue/places/*/new", "/catalogue/places/*/*"),
    *("/catalogue/import", "/catalogue/cleaning"),
}
WHOLE_MAX = 3  # Pages of which axe-core judges the frame too: it is the same on all.
LINKS = "[...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'))"
# What lies over the page while it is open stays closed; all else is unfolded, or folded again.
UNFOLD = """(open) => [...document.querySelectorAll("main details")]
    .filter((one) => !one.matches(".guide, .views details, .fold"))
    .filter((one) => one.open !== open).map((one) => { one.open = open; }).length"""
# What people read: text that is drawn, and what is read out instead of it.
LOOK = """() => {
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode, above = node.parentElement;
        if (above.closest("script, style, [lang=en], code, .raw")) continue;
        found.add(node.textContent.trim());
    }
    for (const one of document.querySelectorAll("[aria-label], [title], [placeholder]"))
        for (const name of ["aria-label", "title", "placeholder"])
            found.add((one.getAttribute(name) || "").trim());
    return {
        language: document.documentElement.lang, title: document.title,
        headings: [...document.querySelectorAll("h1")].filter(
            (one) => one.textContent.trim()).length,
        framed: document.querySelector("nav.menu") !== null, texts: [...found].filter(Boolean),
    };
}"""
# Nothing is called so, and nobody is signed in where everything is open.
NOT_THERE = {MISSING, "/account"}
NAMES = {"bin"}  # Of a label template, and of what a gateway calls itself.
SENTENCE = re.compile(
    r"\b[A-Za-z]{2,},? [a-z]{2,},? [a-z]{2,}\b"
)  # Three words on end are English.
# Reasons and notes of the examples, as people typed them, and what is to be typed.
TYPED = re.compile(
    "open transfers are known|for the shop|on one pallet|Before the holiday|dockledger-gateway"
    "|counted again: none|found in BIN-7|driver says|nobody needs it|the wrong bin|no longer wanted"
)


def english_texts():
    """Texts of the catalogue that read differently in Chinese."""
    return {
        text
        for one in read_translations()
        for text in (one.id if isinstance(one.id, tuple) else (one.id,))
        if text and one.string != one.id and re.search("[a-z]{3}", text)
    }


@pytest.fixture(scope="module")
def central(tmp_path_factory):
    with full_ledger(tmp_path_factory.mktemp("walk")) as served:
        yield served


@pytest.fixture(scope="module")
def browser(central):  # After it: the walk needs this thread for itself.
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def judged():
    """What pages are made of that axe-core has judged, in whatever language."""
    return set()


class Visitor:
    """One tab that notes whatever is wrong with a page. judged: as the fixture, it grows."""

    def __init__(self, browser, url, language, judged):
        self.language, self._url, self._judged = language, url, judged
        self._context = browser.new_context(locale=LOCALES[language], reduced_motion="reduce")
        if not judged:  # After that axe-core is rarely asked, and loads with the question.
            self._context.add_init_script(script())
        self.page = self._context.new_page()
        self.page.set_default_timeout(15_000)
        self.seen, self._faults, self._looks = [], {}, set()
        self._asked = ""
        self.page.on("pageerror", lambda error: self._note(f"script: {error}"))
        self.page.on("console", self._console)
        self.page.on("request", self._request)
        self._english = english_texts()

    def visit(self, path):
        """Look at a page in all sizes; return where it links to."""
        self._asked = path
        # Each page begins at the size at which the one before ended.
        sizes = SIZES if len(self.seen) % 2 else SIZES[::-1]
        self._resize(sizes[0])
        # Styles are there and scripts have run by then.
        answer = self.page.goto(self._url + path, wait_until="domcontentloaded")
        if answer.status != (404 if path in NOT_THERE else 200):
            self._note(f"answer {answer.status}")
            return []
        self.seen.append(path)
        framed = self._look()
        self._look_at_size(sizes[0])
        self._judge(whole=not framed or len(self.seen) <= WHOLE_MAX)
        for size in sizes[1:]:
            self._resize(size)
            self._look_at_size(size)
        self._judge_contrast()
        return self.page.evaluate(LINKS)

    @property
    def faults(self):
        """What is wrong, each thing once, with the pages that have it."""
        return [
            f"{self.language} {', '.join(pages[:3])}{' ...' * (len(pages) > 3)}: {fault}"
            for fault, pages in self._faults.items()
        ]

    def close(self):
        self._context.close()

    def _resize(self, size):
        if self.page.viewport_size == {"width": size[0], "height": size[1]}:
            return
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def _look(self):
        seen = self.page.evaluate(LOOK)
        if seen["language"] != TAGS[self.language]:
            self._note("another language in <html lang>")
        if "Dockledger" not in seen["title"] or len(seen["title"]) < 14:
            self._note(f"title {seen['title']!r}")
        if seen["headings"] != 1:
            self._note(f"{seen['headings']} headings of the first level")
        if self.language == "en":
            for text in seen["texts"]:
                if re.search("[\u4e00-\u9fff]", text) and text != "中文":
                    self._note(f"not English: {text!r}")
        else:
            for text in seen["texts"]:
                if text in self._english - NAMES or (
                    SENTENCE.search(text) and not TYPED.search(text)
                ):
                    self._note(f"untranslated: {text!r}")
        return seen["framed"]

    def _look_at_size(self, size):
        """Look at the layout, folded as it came and unfolded; leaves it unfolded."""
        for unfolded in (False, True):
            if not self.page.evaluate(UNFOLD, unfolded) and unfolded:
                continue  # There is nothing to unfold.
            faults, rules = layout_faults(self.page)
            for fault in faults:
                self._note(f"at {size[0]}: {fault}")
            if rules:
                for violation in violations(self.page, only=rules):
                    self._note(f"at {size[0]}: {violation}")

    def _judge(self, *, whole):
        made_of = structure_of(self.page, "html" if whole else "main")
        if made_of not in self._judged:
            self._judged.add(made_of)
            without, within = (*BY_SIZE, "color-contrast"), None if whole else ["main"]
            for violation in violations(self.page, without=without, within=within):
                self._note(violation)
        self._judge_contrast()

    def _judge_contrast(self):
        if mark_new_looks(self.page, self._looks):
            judged = violations(self.page, only=["color-contrast"], within=["[data-judged]"])
            for violation in judged:
                self._note(violation)

    def _console(self, message):
        # A page that is not there is asked for on purpose; browsers say so on the console.
        if message.type in {"error", "warning"} and "404" not in message.text:
            self._note(f"console: {message.text}")

    def _request(self, request):
        if not request.url.startswith((self._url, "data:", "blob:")):
            self._note(f"asks elsewhere: {request.url}")

    def _note(self, fault):
        self._faults.setdefault(fault, []).append(self._asked)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_sound_at_every_size(browser, central, judged, language):
    visitor = Visitor(browser, central.url, language, judged)
    way = Way(central.routes, central.documents)
    for path in way:
        for href in visitor.visit(path):
            way.link(href)
    visitor.close()
    assert not visitor.faults, "\n" + "\n".join(visitor.faults)
    assert {*MENU_PATHS, *central.documents} <= set(visitor.seen)
    assert unseen_routes(central.routes, visitor.seen) == []
    seen = [path for path in visitor.seen if path not in central.documents]
    shapes = {shape_of(path) for path in seen}
    assert {"/transfers/*", "/items/*", "/sales-orders/*", "/counts/*"} <= shapes
    assert shapes >= DOCUMENTS
