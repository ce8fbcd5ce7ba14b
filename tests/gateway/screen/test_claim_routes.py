"""The HTTP interface of finding and claiming, spoken to as a page and as a stranger."""

import http.client
import json
from contextlib import contextmanager

import pytest

from gateway.screen.server import ScreenServer
from gateway.screen.stations import ScreenStation
from tests.gateway.devices.claim_bench import ClaimBench, usb_serial
from tests.gateway.station.bench import bench_at

JSON = {"content-type": "application/json"}
KEY = "serial:usb:0403:6001:A50285BI:00"


@contextmanager
def claims_served(folder, language="en"):
    claims = ClaimBench(folder)
    claims.plug(usb_serial(str(folder / "tty"), "A50285BI"))
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
        try:
            yield claims, server.url.removeprefix("http://").rstrip("/")
        finally:
            server.stop()


def ask(place, method, path, body=None, headers=None):
    """Return status and text of an answer."""
    connection = http.client.HTTPConnection(place, timeout=60)
    try:
        data = body if isinstance(body, str | None) else json.dumps(body)
        connection.request(method, path, data, headers or JSON)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_device_is_listed_claimed_and_released_in_the_language_of_the_page(tmp_path):
    with claims_served(tmp_path) as (claims, place):
        listed = json.loads(ask(place, "GET", "/api/v1/devices?lang=zh")[1])
        assert listed["found"][0]["key"] == KEY
        assert listed["words"]["claim"] == "认领"
        wish = {"key": KEY, "driver": "mt-sics-serial", "name": "scale", "force": True}
        status, text = ask(place, "POST", "/api/v1/claims?lang=zh", wish)
        assert (status, json.loads(text)) == (
            200,
            {"kind": "success", "text": "scale 已投入使用。"},
        )
        assert [one.section.name for one in claims.floor.devices] == ["scale"]
        assert ask(place, "POST", "/api/v1/claims", wish)[0] == 409
        assert ask(place, "POST", "/api/v1/releases", {"name": "scale"})[0] == 200
        assert ask(place, "POST", "/api/v1/releases", {"name": "scale"})[0] == 409
        assert claims.floor.devices == []


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        pytest.param(
            "/api/v1/claims", {"key": KEY}, JSON | {"origin": "http://evil.example"}, 403, id="page"
        ),
        pytest.param(
            "/api/v1/claims", {"key": KEY}, {"content-type": "text/plain"}, 415, id="form"
        ),
        pytest.param("/api/v1/claims", "{", JSON, 400, id="not-json"),
        pytest.param("/api/v1/claims", {"key": KEY, "x": 1}, JSON, 400, id="unknown-field"),
        pytest.param("/api/v1/claims", {"key": "k" * 2000}, JSON, 400, id="too-long"),
        pytest.param("/api/v1/releases", {"nam": "x"}, JSON, 400, id="release-of-nothing"),
        pytest.param(
            "/api/v1/releases", {"name": "x"}, JSON | {"origin": "http://evil.example"}, 403, id="r"
        ),
    ],
)
def test_what_no_page_of_ours_sends_claims_nothing(tmp_path, path, body, headers, status):
    with claims_served(tmp_path) as (claims, place):
        assert ask(place, "POST", path, body, headers)[0] == status
        assert claims.floor.devices == []


def test_settings_come_from_a_program_on_this_machine_alone(tmp_path):
    with claims_served(tmp_path) as (claims, place):
        wish = {
            "key": KEY,
            "driver": "mt-sics-serial",
            "force": True,
            "settings": {"baud_rate": 4800},
        }
        page = JSON | {"origin": f"http://{place}"}
        assert ask(place, "POST", "/api/v1/claims", wish, page)[0] == 403
        assert ask(place, "POST", "/api/v1/claims", wish)[0] == 200
        assert claims.floor.devices[0].section.settings == {"baud_rate": 4800}


@pytest.mark.parametrize(
    ("path", "status"),
    [("/barcode/BND-K7Q2.svg", 200), ("/barcode/CMD-DONE.svg", 404), ("/barcode/%3Cx%3E.svg", 404)],
)
def test_only_binding_codes_are_drawn(tmp_path, path, status):
    with claims_served(tmp_path) as (_, place):
        assert ask(place, "GET", path)[0] == status
