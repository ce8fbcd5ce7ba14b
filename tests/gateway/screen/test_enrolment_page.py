"""The page of a machine that is no gateway yet: what it says, takes, and never tells."""

from dataclasses import replace

import httpx
import pytest

from gateway.screen.enrolment_page import SHOWN_STATES, STATE_TEXTS
from gateway.screen.server import ScreenServer, WaitingServer
from gateway.screen.stations import ScreenStation
from gateway.station.effects import Signal
from gateway.station.enrolment import ShownEnrolment
from gateway.station.messages import say
from tests.gateway.station.bench import bench_at

SHOWN = ShownEnrolment(
    "shown",
    code="WDJB-MJHT",
    fingerprint="3f2a 91bc 07de 44a1",
    page="https://central.example.com/claims/shown",
    qr_svg='<svg xmlns="http://www.w3.org/2000/svg"/>',
    expires_in_s=601,
)
CLAIM = "7K3D-9XQM-2TBW-P4HC"


class Keeper:
    """Who would ask central: shows what the test says, notes what it is told."""

    def __init__(self, shown=SHOWN):
        self.now, self.claims, self.presses = shown, [], 0

    def shown(self):
        return self.now

    def show_code(self):
        self.presses += 1

    def scanned(self, claim):
        self.claims.append(claim)
        return None if self.now.state == "enrolled" else Signal("success", say("Taken."))


@pytest.fixture
def keeper():
    return Keeper()


@pytest.fixture
def page(keeper):
    server = WaitingServer(keeper, host="127.0.0.1", port=0, language="en")
    server.start()
    url = f"http://127.0.0.1:{server.port}"
    with httpx.Client(base_url=url, trust_env=False) as client:
        yield client
    server.stop()


def test_the_page_shows_code_fingerprint_and_where_to_type_it(page, keeper):
    html = page.get("/")
    assert 'id="code"' in html.text and "default-src 'none'" in str(html.headers)
    said = page.get("/api/v1/enrolment").json()
    assert (said["code"], said["fingerprint"]) == (SHOWN.code, SHOWN.fingerprint)
    assert (said["minutes"], said["over"], said["has_station"]) == (11, False, False)
    picture = page.get("/enrolment.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert SHOWN.code not in picture.text
    keeper.now = ShownEnrolment("asking")
    assert page.get("/enrolment.svg").status_code == 404


@pytest.mark.parametrize("state", STATE_TEXTS, ids=str)
def test_each_state_is_said_in_both_languages(page, keeper, state):
    keeper.now = replace(SHOWN, state=state)
    english, chinese = (
        page.get("/api/v1/enrolment", params={"lang": one}).json() for one in ("en", "zh")
    )
    assert english["over"] == (state in {"denied", "expired", "refused"})
    assert (english["text"] != chinese["text"]) == (state != "shown")
    assert english["words"]["again"] != chinese["words"]["again"]


def test_a_press_asks_for_another_code_and_a_claim_is_taken(page, keeper):
    assert page.post("/api/v1/enrolment/code", json={}).status_code == 204
    typed = page.post("/api/v1/enrolment/claim", json={"claim": f" {CLAIM.lower()} "})
    assert (typed.status_code, typed.json()["kind"]) == (200, "success")
    assert (keeper.presses, keeper.claims) == (1, [CLAIM])
    keeper.now = ShownEnrolment("enrolled")
    assert page.post("/api/v1/enrolment/claim", json={"claim": CLAIM}).status_code == 204


REFUSED = {
    "a page elsewhere": ({"origin": "http://evil.example"}, {}, 403),
    "no JSON": ({"content-type": "text/plain"}, {}, 415),
    "no claim": ({}, {"claim": "'; DROP TABLE claims; --"}, 422),
    "another field": ({}, {"code": "x"}, 400),
    "far too much": ({}, {"claim": "x" * 100_000}, 400),
}


@pytest.mark.parametrize(("headers", "body", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_claim_of_our_own_page_is_refused(page, keeper, headers, body, status):
    answer = page.post("/api/v1/enrolment/claim", json=body, headers=headers)
    assert (answer.status_code, keeper.claims) == (status, [])


def test_the_code_stands_where_the_station_will_until_somebody_works_without(tmp_path):
    keeper = Keeper()
    with bench_at(tmp_path) as bench:
        server = ScreenServer(
            host="127.0.0.1",
            port=0,
            stations=[ScreenStation("dock-1", bench.board, bench.observations)],
            language="en",
            health=bench.health,
            clock=bench.clock,
            catalogue=lambda: bench.catalogue,
            unsent_count=bench.journal.unsent_count,
            enrolment=keeper,
        )
        server.start()
        try:
            with httpx.Client(base_url=server.url, trust_env=False) as client:
                for state in STATE_TEXTS:
                    keeper.now = replace(SHOWN, state=state)
                    for path in ("/", "/s/dock-1"):
                        is_code = 'id="fingerprint"' in client.get(path).text
                        assert is_code == (state in SHOWN_STATES)
                assert 'id="prompt"' in client.get("/?work=1").text
                assert client.get("/api/v1/enrolment").json()["has_station"]
        finally:
            server.stop()
