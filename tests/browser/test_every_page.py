"""Every page of central: in English on a desk, in Chinese on a telephone.

axe-core takes most of the time, so it judges each page in one of the two, by its address.
"""

import re
from zlib import crc32

import pytest

from central.web.catalogue import read_translations
from tests.browser.axe import violations
from tests.browser.every_page import MENU_PATHS, Way, full_ledger, shape_of
from tests.browser.test_stock_page import ARGUMENTS, CHROMIUM

pytestmark = pytest.mark.browser

SIZES = {"en": (1280, 800), "zh": (390, 844)}
TAGS = {"en": "en", "zh": "zh-Hans"}
LINKS = "[...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'))"
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
        headings: document.querySelectorAll("h1").length,
        width: document.documentElement.scrollWidth, texts: [...found].filter(Boolean),
    };
}"""
WIDE = """() => [...document.querySelectorAll("body *")].filter((one) =>
    one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll, dialog, svg"))
    .slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""
MISSING = "/nothing/there"
NAMES = {"bin"}  # Of a label template, and of what a gateway calls itself.
SENTENCE = re.compile(
    r"\b[A-Za-z]{2,},? [a-z]{2,},? [a-z]{2,}\b"
)  # Three words on end are English.
# Reasons and notes of the examples, as people typed them, and what is to be typed.
TYPED = re.compile(
    "open transfers are known|for the shop|on one pallet|Before the holiday|dockledger-gateway"
    "|counted again: none|found in BIN-7|driver says|nobody needs it"
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
def url(tmp_path_factory):
    with full_ledger(tmp_path_factory.mktemp("walk")) as address:
        yield address


@pytest.fixture(scope="module")
def browser(url):  # After it: the walk needs this thread for itself.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield opened
        opened.close()


class Visitor:
    """One tab that notes whatever is wrong with a page."""

    def __init__(self, browser, url, language):
        self.language, self._url = language, url
        self._width, height = SIZES[language]
        self._context = browser.new_context(
            locale={"en": "en-GB", "zh": "zh-CN"}[language],
            viewport={"width": self._width, "height": height},
        )
        self.page = self._context.new_page()
        self.page.set_default_timeout(15_000)
        self.seen, self._faults = [], {}
        self._asked = ""
        self.page.on("pageerror", lambda error: self._note(f"script: {error}"))
        self.page.on("console", self._console)
        self.page.on("request", self._request)
        self._english = english_texts()

    def visit(self, path):
        """Look at a page; return where it links to."""
        self._asked = path
        # Styles are there and scripts have run by then.
        answer = self.page.goto(self._url + path, wait_until="domcontentloaded")
        if answer.status != (404 if path == MISSING else 200):
            self._note(f"answer {answer.status}")
            return []
        self.seen.append(path)
        self._look()
        if list(SIZES)[crc32(path.encode()) % 2] == self.language:
            for violation in violations(self.page):
                self._note(violation)
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

    def _look(self):
        seen = self.page.evaluate(LOOK)
        if seen["language"] != TAGS[self.language]:
            self._note("another language in <html lang>")
        if "Dockledger" not in seen["title"] or len(seen["title"]) < 14:
            self._note(f"title {seen['title']!r}")
        if seen["headings"] != 1:
            self._note(f"{seen['headings']} headings of the first level")
        if seen["width"] > self._width:
            self._note(f"{seen['width']} wide: {self.page.evaluate(WIDE)}")
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

    def _console(self, message):
        # A page that is not there is asked for on purpose; browsers say so on the console.
        if message.type in {"error", "warning"} and "404" not in message.text:
            self._note(f"console: {message.text}")

    def _request(self, request):
        if not request.url.startswith((self._url, "data:", "blob:")):
            self._note(f"asks elsewhere: {request.url}")

    def _note(self, fault):
        self._faults.setdefault(fault, []).append(self._asked)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_sound(browser, url, language):
    visitor, way = Visitor(browser, url, language), Way()
    for path in way:
        for href in visitor.visit(path):
            way.link(href)
    visitor.close()
    shapes = {shape_of(path) for path in visitor.seen}
    assert not visitor.faults, "\n" + "\n".join(visitor.faults)
    assert set(MENU_PATHS) <= set(visitor.seen)
    assert {"/transfers/*", "/items/*", "/sales-orders/*", "/counts/*"} <= shapes
