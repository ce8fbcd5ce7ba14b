"""The kiosk in front of a station: one browser, pages that note what goes wrong. Edge (browser)."""

from contextlib import contextmanager

from tests.browser import chromium

SIZES = [(1024, 600), (800, 480), (1280, 800)]
SIZE_IDS = [f"{width}x{height}" for width, height in SIZES]
GLOVE_PX = 64


@contextmanager
def opened_browser():
    """Give a browser that plays sounds unasked; it is closed at the end."""
    with chromium.opened_browser("--autoplay-policy=no-user-gesture-required") as opened:
        yield opened


@contextmanager
def page_of(browser, url, size=(1280, 800)):
    """Give a page that notes errors (`problems`) and requests to elsewhere (`foreign`)."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = watched(context.new_page(), url)
    try:
        page.goto(url)
        yield page
    finally:
        context.close()


def watched(page, url):
    """Return the page, noting what goes wrong on it."""
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda line: line.type == "error" and page.problems.append(line.text))
    page.foreign = []
    origin = "/".join(url.split("/")[:3])
    page.on("request", lambda r: r.url.startswith(origin) or page.foreign.append(r.url))
    return page


def press(page, code):
    """Touch the button that does what this bar code does."""
    page.click(f"[data-code='{code}']:visible")


def small_targets(page, selector, *, least=GLOVE_PX):
    """Return the visible targets that a glove misses, with their sizes."""
    boxes = page.eval_on_selector_all(
        selector,
        "all => all.filter(one => one.offsetParent).map(one => [one.textContent,"
        " one.getBoundingClientRect().width, one.getBoundingClientRect().height])",
    )
    assert boxes, selector
    return [box for box in boxes if min(box[1], box[2]) < least - 0.5]


def outside(page, *selectors):
    """Return which of the first elements are not wholly on the screen."""
    size = page.viewport_size
    found = []
    for wanted in selectors:
        box = page.locator(wanted).first.bounding_box()
        inside = box["x"] >= -0.5 and box["y"] >= -0.5
        inside = inside and box["x"] + box["width"] <= size["width"] + 1
        if not inside or box["y"] + box["height"] > size["height"] + 1:
            found.append((wanted, box))
    return found
