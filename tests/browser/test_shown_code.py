"""A blank machine shows a code, staff let it in at central, and it is a gateway: real programs."""

import os
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
import uvicorn

from central.clock import SystemClock
from central.web.app import create_app
from gateway.identity.files import IdentityFolder
from tests.browser.kiosk import opened_browser, outside, small_targets, watched
from tests.browser.layout import layout_faults
from tests.central.scenery import load
from tests.gateway.identity.https_central import Central
from tests.gateway.identity.test_enrolment import CONFIG
from tests.ports import steady_port
from tests.programs import started
from tests.waiting import wait_for

pytestmark = pytest.mark.browser
STATION_SIZES = {"1024x600": (1024, 600), "800x480": (800, 480)}
DESK_SIZES = {"1280x800": (1280, 800), "390x844": (390, 844)}
LANGUAGES = ("en", "zh")
# For people who look at what was made: the folder that pictures go to.
PICTURES = os.environ.get("SHOWN_CODE_PICTURES", "")


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as made:
        yield made


@pytest.fixture(scope="module")
def central(tmp_path_factory):
    """Central with its pages over HTTPS, and a clock that goes on."""
    made = Central(tmp_path_factory.mktemp("central"))
    load(made.database)
    clock = SystemClock()
    app = create_app(database=made.database, clock=clock, site="demo")
    made.trust = app.state.trust = replace(made.trust, clock=clock)
    port = steady_port()
    config = uvicorn.Config(
        app, port=port, log_level="error", ws="none", ssl_certfile=str(made.pem)
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, what="central")
    made.url = f"https://127.0.0.1:{port}"
    yield made
    server.should_exit = True
    server.force_exit = True
    thread.join(timeout=60)
    made.database.close()


@contextmanager
def blank_machine(folder, central):
    """Start the gateway's program on a card that names nobody; yields the address of its page."""
    port = steady_port()
    nameless = CONFIG.replace('"dock-a"', '""').replace('"sh1"', '""').replace('"DOCK-1"', '""')
    (folder / "gateway.toml").write_text(f"{nameless}[screen]\nport = {port}\n")
    (folder / "dockledger-enrol.toml").write_text(central.enrol_file())
    words = [sys.executable, "-P", "-m", "gateway.service", str(folder / "gateway.toml"), "info"]
    with started(words) as program:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(url), what="the page")
        yield url
        program.terminate()
        assert program.wait(60) == 0


def answers(url):
    try:
        return httpx.get(f"{url}/api/v1/enrolment", trust_env=False).json()["state"] == "shown"
    except httpx.HTTPError:
        return False


def at(browser, url, size, **options):
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, ignore_https_errors=True, **options
    )
    page = watched(context.new_page(), url)
    page.goto(url)
    return page


def picture(page, name):
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def test_a_blank_machine_is_let_in_by_the_code_on_its_screen(browser, central, tmp_path):
    with blank_machine(tmp_path, central) as url:
        screen = at(browser, url, STATION_SIZES["1024x600"])
        screen.wait_for_selector("#shown:visible")
        code, own = (screen.inner_text(f"#{one}") for one in ("code", "fingerprint"))
        for name, size in STATION_SIZES.items():
            screen.set_viewport_size({"width": size[0], "height": size[1]})
            for language in LANGUAGES:
                if screen.evaluate("document.documentElement.lang")[:2] != language:
                    screen.click("#language")
                    screen.wait_for_function(
                        "wanted => document.documentElement.lang.startsWith(wanted)", arg=language
                    )
                assert outside(screen, "#code", "#fingerprint", "#qr", "#type-claim") == []
                assert small_targets(screen, "footer button") == []
                picture(screen, f"station_{name}_{language}")
        desk = at(browser, f"{central.url}/claims/shown", DESK_SIZES["1280x800"])
        desk.fill("input[name=code]", code.replace("-", " ").lower())
        desk.click("button.go")
        assert desk.inner_text(".machine .large >> nth=1") == own
        assert code not in desk.url
        desk.fill("input[name=gateway]", "sh1-dock-9")
        desk.select_option("select[name=warehouse]", "SH1")
        desk.fill("input[name=receive_location]", "DOCK-1")
        desk.check("input[name=compared]")
        picture(desk, "desk_ready")
        desk.click("[data-part=approve] button.go")
        desk.wait_for_selector("[data-part=let-in]")
        # The machine becomes a gateway; its page becomes the station's.
        screen.wait_for_selector("#prompt", timeout=60_000)
        screen.wait_for_selector("#station >> text=/sh1-dock-9$/")  # Told after the page is there.
        known = IdentityFolder(tmp_path / "data").read()
        assert (known.gateway, known.warehouse, known.receive_location) == (
            "sh1-dock-9",
            "SH1",
            "DOCK-1",
        )
        assert desk.problems == []
        for page in (screen, desk):
            page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_staff_fits_and_warns_in_both_languages(browser, central, tmp_path, language):
    with blank_machine(tmp_path, central) as url:
        code = httpx.get(f"{url}/api/v1/enrolment", trust_env=False).json()["code"]
        locale = {"en": "en-GB", "zh": "zh-CN"}[language]
        for name, size in DESK_SIZES.items():
            desk = at(browser, f"{central.url}/claims/shown", size, locale=locale)
            assert desk.locator(".warning-note:visible").count() == 1
            picture(desk, f"desk_code_{name}_{language}")
            desk.fill("input[name=code]", code)
            desk.click("button.go")
            desk.wait_for_selector("[data-part=approve]")
            assert layout_faults(desk)[0] == []
            picture(desk, f"desk_found_{name}_{language}")
            desk.context.close()
