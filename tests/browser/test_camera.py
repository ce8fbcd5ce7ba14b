"""The camera as a scanner: finds what is meant, fills in counts, says why it cannot."""

import hashlib
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import zxingcpp
from PIL import Image

from central.api.writing import WriteSide
from central.clock import SystemClock
from central.ledger.desk import Desk
from central.web.app import create_app
from central.web.assets import STATIC_FOLDER
from tests.browser.axe import violations
from tests.browser.chromium import launched
from tests.central.clients import served
from tests.central.migrated import open_migrated
from tests.central.scenery import Gateway, furnished

pytestmark = pytest.mark.browser

SIZE = (640, 480)


def film(path, text):
    """A film of one picture: a bar code, as a camera would see it (YUV4MPEG2, 4:2:0)."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    drawn = Image.fromarray(code.to_image(scale=3))
    picture = Image.new("L", SIZE, 200)
    picture.paste(drawn, ((SIZE[0] - drawn.width) // 2, (SIZE[1] - drawn.height) // 2))
    grey = bytes([128]) * (SIZE[0] * SIZE[1] // 2)
    frame = b"FRAME\n" + picture.tobytes() + grey
    head = f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + frame * 3)
    return path


@pytest.fixture(scope="module")
def playing():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def pages(playing, tmp_path_factory):
    """Opens pages in a browser whose camera shows a place or an item, by name."""
    folder, browsers = tmp_path_factory.mktemp("films"), {}

    def browser_of(text):
        if text not in browsers:
            shown = [
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={film(folder / f'{text}.y4m', text)}",
            ]
            browsers[text] = parts.enter_context(launched(playing, *shown))
        return browsers[text]

    with ExitStack() as parts:
        yield browser_of


@pytest.fixture(scope="module")
def central(tmp_path_factory):
    database = open_migrated(
        tmp_path_factory.mktemp("ledger") / "ledger.db", generation="generation-1"
    )
    gateway = Gateway()
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer(gateway.move("BOLT", "5", lot="L1"))])
    clock = SystemClock()
    app = create_app(
        database=database, clock=clock, site="demo", poll_s=60,
        writing=WriteSide(Desk(database, clock=clock)),
    )  # fmt: skip
    with served(app) as url:
        app.url = url
        yield app
    database.close()


def opened(browser, url, **options):
    context = browser.new_context(viewport={"width": 390, "height": 844}, **options)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.errors, page.hosts = [], set()
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("request", lambda request: page.hosts.add(request.url.split("/")[2].split(":")[0]))
    page.goto(url)
    return page


def test_a_bar_code_before_the_camera_leads_to_what_it_means(pages, central):
    page = opened(pages("BOLT"), f"{central.url}/search")
    assert page.evaluate("typeof ZXingWASM") == "undefined"  # Loaded only when it is wanted.
    page.click(".camera > button")
    page.wait_for_url("**/items/BOLT")
    assert (page.errors, page.hosts) == ([], {"127.0.0.1"})
    page.context.close()


def test_the_camera_is_given_back_when_somebody_stops(pages, central):
    page = opened(pages("NUT"), f"{central.url}/search")
    page.evaluate("document.querySelector('form.look').requestSubmit = () => {}")
    page.click(".camera > button")
    page.wait_for_selector(".camera dialog[open]")
    assert violations(page) == []
    page.wait_for_selector(".camera dialog:not([open])", state="attached")
    assert page.evaluate("document.querySelector('.camera video').srcObject") is None
    assert page.input_value("form.look input") == "NUT"
    page.context.close()


@pytest.mark.parametrize(("text", "field"), [("LOC-BIN-2", "location"), ("NUT", "item")])
def test_a_bar_code_fills_in_a_line_of_a_count(pages, central, text, field):
    body = {"warehouse": "SH1", "lines": [{"location": "BIN-1"}]}
    api = f"{central.url}/api/v1/counts"
    made = httpx.post(api, json=body).raise_for_status().json()
    httpx.post(f"{api}/{made['code']}/release", json={}).raise_for_status()
    page = opened(pages(text), f"{central.url}/counts/{made['code']}")
    page.evaluate("for (const one of document.querySelectorAll('details.act')) one.open = true")
    row = page.locator("form:visible [data-row]").first
    row.locator('input[data-name="quantity"]').focus()
    page.evaluate("document.querySelector('.camera > button').click()")
    name = f'input[data-name="{field}"]'
    value = text.removeprefix("LOC-")
    page.wait_for_function(
        "([name, text]) => [...document.querySelectorAll(name)].some((one) => one.value === text)",
        arg=[name, value],
    )
    assert row.locator(name).input_value() == value
    assert text in page.inner_text(".camera [role=status]")
    assert page.errors == []
    page.context.close()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        pytest.param("Object.defineProperty(window, 'isSecureContext', {value: false})",
                     "only over HTTPS", id="no-https"),
        pytest.param("Object.defineProperty(navigator, 'mediaDevices', {value: undefined})",
                     "no camera here", id="no-cameras"),
        pytest.param("", "was refused", id="refused"),
    ],
)  # fmt: skip
def test_the_page_says_why_there_is_no_picture(pages, central, broken, words):
    context = pages("NUT").new_context()
    page = context.new_page()
    page.add_init_script(
        broken
        or "navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    page.goto(f"{central.url}/search?lang=en")
    page.click(".camera > button")
    page.wait_for_function(
        "(words) => document.querySelector('.camera [role=status]').textContent.includes(words)",
        arg=words,
    )
    context.close()


def test_what_others_have_made_is_what_was_looked_at():
    """A file that is exchanged has to be looked at again, and the sum written anew."""
    for line in (STATIC_FOLDER / "vendored.sha256").read_text(encoding="utf-8").splitlines():
        digest, name = line.split()
        assert hashlib.sha256((STATIC_FOLDER / name).read_bytes()).hexdigest() == digest, name
    named = {path.name for path in STATIC_FOLDER.glob("zxing*")}
    lock = Path(STATIC_FOLDER / "vendored.sha256").read_text(encoding="utf-8")
    assert all(name in lock for name in named)


@pytest.mark.parametrize(
    ("path", "allowed"), [("/search", True), ("/", False), ("/api/v1/stock", False)]
)
def test_only_pages_with_a_camera_may_compile_a_program(central, path, allowed):
    policy = httpx.get(central.url + path).headers["content-security-policy"]
    assert ("'wasm-unsafe-eval'" in policy) is allowed
    assert "'unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")
