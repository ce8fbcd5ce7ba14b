"""The page of devices in a real browser: found, claimed by touch, released, in both languages."""

import io
from contextlib import contextmanager

import pytest
import zxingcpp
from PIL import Image

from drivers.candidates import Candidate
from drivers.simulators.lines import VirtualSerialLine
from drivers.simulators.scale_mt_sics import VirtualMtSicsScale
from gateway.screen.server import ScreenServer
from gateway.screen.stations import ScreenStation
from tests.browser.chromium import opened_browser
from tests.gateway.devices.claim_bench import ClaimBench, usb_serial
from tests.gateway.station.bench import bench_at
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

ATTACK = "<img src=x onerror=document.title='owned'>"


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


@contextmanager
def devices_page(
    browser, folder, *candidates, language="en", size=(1280, 800), stations=("dock-2",)
):
    """Serve the page of a desk that has found `candidates`; yield the desk's bench and the page."""
    claims = ClaimBench(folder, stations=stations)
    claims.plug(*candidates)
    with bench_at(folder) as bench:
        server = ScreenServer(
            host="127.0.0.1",
            port=0,
            stations=[ScreenStation("dock-2", bench.board, bench.observations)],
            language=language,
            health=claims.health,
            clock=bench.clock,
            catalogue=lambda: bench.catalogue,
            unsent_count=bench.journal.unsent_count,
            claims=claims.desk,
        )
        server.start()
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        try:
            page.goto(server.url + "devices")
            page.wait_for_selector("#found > *")
            yield claims, page
        finally:
            context.close()
            server.stop()
            claims.desk.stop()


def test_a_scale_is_claimed_and_released_by_touch(browser, tmp_path):
    node = tmp_path / "tty"
    with (
        VirtualSerialLine(node) as line,
        VirtualMtSicsScale(line),
        devices_page(browser, tmp_path, usb_serial(str(node), "A50285BI")) as (claims, page),
    ):
        page.select_option("#found select", "mt-sics-serial")
        page.fill("#found input", "dock-2-scale")
        page.click("#found button.go")
        page.wait_for_selector("#notice.success:has-text('dock-2-scale is in service.')")
        page.wait_for_selector("#claimed .present:has-text('dock-2-scale')")
        page.wait_for_selector("#found:has-text('Nothing new is plugged in.')")
        assert [one.section.name for one in claims.floor.devices] == ["dock-2-scale"]
        page.click("#claimed button")
        assert claims.floor.devices, "one touch releases nothing"
        page.click("#claimed button:has-text('Really release?')")
        page.wait_for_selector("#found .card select")
        assert claims.floor.devices == []
        assert page.problems == []


def test_a_device_that_does_not_answer_says_what_to_do_and_may_be_claimed_all_the_same(
    browser, tmp_path
):
    gone = usb_serial(str(tmp_path / "gone"), "A50285BI")
    with devices_page(browser, tmp_path, gone, language="zh") as (claims, page):
        page.click("#found button.go")
        page.wait_for_selector("#notice.error:has-text('无法用 scanner-serial 打开')")
        page.click("#found button.force")
        page.wait_for_selector("#notice.success:has-text('已投入使用')")
        assert len(claims.floor.devices) == 1
        assert page.problems == []


@pytest.mark.parametrize("size", [(800, 480), (1280, 800)], ids=["800x480", "1280x800"])
def test_a_code_on_the_screen_is_read_by_a_reader_that_is_not_ours(browser, tmp_path, size):
    found = usb_serial("/dev/ttyUSB0", "A50285BI", product=ATTACK)
    with devices_page(browser, tmp_path, found, size=size) as (claims, page):
        width = "document.querySelector('#found img').naturalWidth"
        wait_for(lambda: page.evaluate(width), what="the bar code drawn")
        shot = Image.open(io.BytesIO(page.locator("#found img").screenshot()))
        (read,) = zxingcpp.read_barcodes(shot)
        assert read.text == claims.desk.device_list().found[0].code
        assert ATTACK in page.inner_text("#found h3")
        assert page.title() != "owned"
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_with_several_stations_the_one_that_it_serves_is_chosen_and_names_it(browser, tmp_path):
    gone = usb_serial(str(tmp_path / "gone"), "A50285BI")
    stations = ("dock-2", "dock-3")
    with devices_page(browser, tmp_path, gone, size=(800, 480), stations=stations) as (
        claims,
        page,
    ):
        assert page.input_value("#found input").startswith("dock-2-")
        page.select_option("#found .station", label="dock-3")
        name = page.input_value("#found input")
        assert name.startswith("dock-3-")
        page.click("#found button.go")
        page.click("#found button.force")
        page.wait_for_selector(f"#notice.success:has-text('{name}')")
        assert [one.section.name for one in claims.floor.devices] == [name]
        assert page.evaluate("document.documentElement.scrollWidth") <= 800
        assert page.problems == []


def test_what_is_being_typed_stays_while_the_list_changes(browser, tmp_path):
    one, other = usb_serial("/dev/ttyUSB0", "A50285BI"), usb_serial("/dev/ttyUSB1", "B50285BI")
    with devices_page(browser, tmp_path, one) as (claims, page):
        page.fill("#found input", "left-sca")
        claims.plug(one, other)
        page.wait_for_selector("#found .card:nth-child(2)")
        assert page.locator("#found input").first.input_value() == "left-sca"


def test_two_that_cannot_be_told_apart_are_refused_with_the_reason(browser, tmp_path):
    twins = [usb_serial(f"/dev/ttyUSB{number}") for number in (0, 1)]
    unknown = Candidate("hidraw", "/dev/hidraw3", vendor_id=1, product_id=2, port_path="p")
    with devices_page(browser, tmp_path, *twins, unknown) as (_, page):
        assert page.locator("#found .refused").count() == 2
        assert "cannot be told from another" in page.inner_text("#found .refused:first-child")
        assert page.locator("#found form").count() == 0
        assert "No driver knows this device" in page.inner_text("#found")
