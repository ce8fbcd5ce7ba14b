"""What is ordered of gateways over HTTP, and how they load snapshots, whole and in pieces."""

import httpx
import pytest

from central.access.audit import AuditFilter, list_audit
from central.api.body_bound import BODY_BYTES_MAX
from central.api.context import Outgoing
from central.api.snapshots import wanted_piece
from central.api.writing import WriteSide
from central.contract.sealed import open_sealed
from central.contract.snapshots import decode_manifest, decode_snapshot
from central.ledger.desk import Desk
from central.outbox import orders
from central.web.app import create_app
from tests.central.clients import ask, run
from tests.central.outbox.scenes import Outbox, Told, new_name
from tests.central.scenery import FixedClock, furnished

GATEWAYS = "/api/v1/gateways/sh1-dock-1"
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Served:
    """An application with one enrolled gateway; told_count: how often the downlink was woken."""

    def __init__(self, database):
        self.told = Told()
        furnished(database, self.told.facts)
        self.outbox = Outbox(database, self.told)
        self.told_count = 0
        outgoing = Outgoing(snapshots=self.outbox.snapshots, told=self.wake, new_name=new_name)
        clock = FixedClock()
        self.app = create_app(
            database=database,
            clock=clock,
            site="demo",
            telling=outgoing,
            writing=WriteSide(Desk(database, clock=clock)),
        )

    def wake(self):
        self.told_count += 1

    def send(self, method, path, **options):
        async def request():
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://central") as client:
                return await client.request(method, path, **options)

        return run(request())

    def manifest(self):
        answer = self.send("POST", "/api/v1/snapshots", content=self.told.request())
        assert answer.status_code == 200, answer.text
        return decode_manifest(open_sealed(answer.content, bytes_max=4096).payload)


@pytest.fixture
def served(database):
    return Served(database)


@ONE_DATABASE
def test_settings_are_ordered_and_shown_as_waiting(served):
    path = f"{GATEWAYS}/settings"
    answer = served.send("PUT", path, json={"settings": {"language": "zh"}})
    assert answer.status_code == 200 and answer.json()["changed"] and served.told_count == 1
    assert not served.send("PUT", path, json={"settings": {"language": "zh"}}).json()["changed"]
    shown = served.send("GET", f"{GATEWAYS}/notices").json()
    assert (shown["waiting"], shown["last_number"], shown["acked_number"]) == (
        {"settings": 1},
        1,
        0,
    )
    assert shown["stream"] == answer.json()["stream"] and not shown["has_snapshot"]


@ONE_DATABASE
def test_who_ordered_what_of_a_gateway_stands_in_the_history(served):
    for language in ("zh", "zh", "en"):
        served.send("PUT", f"{GATEWAYS}/settings", json={"settings": {"language": language}})
    served.send("PUT", "/api/v1/templates/bin", json={"text": "a = 1"})
    served.send("PUT", "/api/v1/templates/bin", json={"text": "a = 1"})
    served.send("DELETE", "/api/v1/templates/bin")
    body = {"template": "bin", "job": "J-1"}
    for _ in range(2):
        served.send("POST", f"{GATEWAYS}/print", json=body)
    with served.outbox.database.read() as connection:
        found = list_audit(connection, AuditFilter(), before=None, limit=10)[::-1]
    assert [(one.kind, one.code, one.action, one.warehouse) for one in found] == [
        ("gateway", "sh1-dock-1", "settings_changed", "SH1"),
        ("gateway", "sh1-dock-1", "settings_changed", "SH1"),
        ("label_template", "bin", "given", ""),
        ("label_template", "bin", "taken_back", ""),
        ("gateway", "sh1-dock-1", "labels_ordered", "SH1"),
    ]
    assert found[1].fields["changes"] == {"language": ["zh", "en"]}
    before, after = found[2].fields["changes"]["digest"]
    assert (before, len(after)) == ("", 16)
    assert found[3].fields["changes"]["digest"] == [after, ""]
    assert found[4].fields["job"] == "J-1"


@ONE_DATABASE
def test_templates_come_and_go(served):
    path = "/api/v1/templates/bin"
    assert served.send("PUT", path, json={"text": "a = 1"}).json()["gateways_count"] == 1
    query = "?gateway=sh1-dock-1"
    assert served.send("PUT", path + query, json={"text": "a = 2"}).json()["gateways_count"] == 1
    assert served.send("DELETE", path + query).status_code == 200
    assert served.send("DELETE", path + query).status_code == 404
    assert served.send("DELETE", path).json()["gateways_count"] == 1
    assert served.send("GET", f"{GATEWAYS}/notices").json()["waiting"] == {"template": 4}


@ONE_DATABASE
def test_a_print_is_ordered_once_under_a_code_of_ones_own(served):
    body = {"template": "bin", "fields": {"place": "BIN-1"}, "job": "J-1"}
    first = served.send("POST", f"{GATEWAYS}/print", json=body).json()
    again = served.send("POST", f"{GATEWAYS}/print", json=body).json()
    assert (first["job"], first["changed"], again["changed"]) == ("J-1", True, False)
    other = served.send("POST", f"{GATEWAYS}/print", json=body | {"copies_count": 2})
    assert other.status_code == 409 and other.json()["hint"]
    made = [
        served.send("POST", f"{GATEWAYS}/print", json={"template": "bin"}).json()["job"]
        for _ in range(2)
    ]
    assert len(set(made)) == 2
    assert served.send("GET", f"{GATEWAYS}/notices").json()["waiting"] == {"print": 3}


REFUSED = [
    pytest.param("PUT", f"{GATEWAYS}/settings", {"settings": {"journal": "x"}}, 422, id="setting"),
    pytest.param("PUT", f"{GATEWAYS}/settings", {"settings": {"language": "fr"}}, 422, id="value"),
    pytest.param(
        "PUT", f"{GATEWAYS}/settings", {"settings": {"receive_location": "../x"}}, 422, id="place"
    ),
    pytest.param(
        "PUT",
        f"{GATEWAYS}/settings",
        {"settings": {"receive_location": "supplier"}},
        422,
        id="a place that keeps nothing",
    ),
    pytest.param("PUT", f"{GATEWAYS}/settings", {}, 422, id="no settings"),
    pytest.param("PUT", "/api/v1/gateways/nobody/settings", {"settings": {}}, 404, id="stranger"),
    pytest.param("PUT", "/api/v1/templates/bin", {"text": "no toml"}, 422, id="no TOML"),
    pytest.param("PUT", "/api/v1/templates/bin", {"text": ""}, 422, id="empty"),
    pytest.param("PUT", "/api/v1/templates/a.b", {"text": "a = 1"}, 422, id="template name"),
    pytest.param(
        "PUT", "/api/v1/templates/bin", {"text": "a = '" + "x" * 70_000}, 422, id="long template"
    ),
    pytest.param(
        "PUT", "/api/v1/templates/bin", {"text": "x" * BODY_BYTES_MAX}, 413, id="huge body"
    ),
    pytest.param("PUT", "/api/v1/templates/b?gateway=no", {"text": "a = 1"}, 404, id="no gateway"),
    pytest.param("POST", f"{GATEWAYS}/print", {"template": "bin", "copies_count": 0}, 422, id="0"),
    pytest.param("POST", f"{GATEWAYS}/print", {"template": "bin", "job": "a b"}, 422, id="job"),
    pytest.param("POST", f"{GATEWAYS}/print", {"template": "bin", "shell": "rm"}, 422, id="extra"),
    pytest.param("GET", "/api/v1/gateways/nobody/notices", None, 404, id="never told"),
]


@ONE_DATABASE
@pytest.mark.parametrize(("method", "path", "body", "status"), REFUSED)
def test_what_cannot_be_ordered_is_said_with_a_hint(served, method, path, body, status):
    answer = served.send(method, path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["hint"]
    assert served.told_count == 0


@ONE_DATABASE
def test_a_form_of_another_page_cannot_order_anything(served):
    content = b'{"template": "bin"}'
    for media_type in ("text/plain", "application/x-www-form-urlencoded"):
        headers = {"content-type": media_type}
        answer = served.send("POST", f"{GATEWAYS}/print", content=content, headers=headers)
        assert answer.status_code == 415


@ONE_DATABASE
def test_an_application_that_only_reads_orders_nothing(database):
    app = create_app(database=database, clock=FixedClock(), site="demo")
    answer = ask(app, f"{GATEWAYS}/notices")
    assert answer.status_code == 404


def test_a_snapshot_is_loaded_whole(served):
    manifest = served.manifest()
    answer = served.send("GET", f"/api/v1/snapshots/{manifest.sha256}")
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{manifest.sha256}"'
    assert answer.headers["accept-ranges"] == "bytes"
    snapshot = decode_snapshot(answer.content)
    assert snapshot.stream == manifest.stream
    assert len(answer.content) == manifest.bytes_count == int(answer.headers["content-length"])


def test_a_snapshot_is_loaded_in_pieces(served):
    manifest = served.manifest()
    path = f"/api/v1/snapshots/{manifest.sha256}"
    whole = served.send("GET", path).content
    headers = {"Range": "bytes=100-", "If-Range": f'"{manifest.sha256}"'}
    rest = served.send("GET", path, headers=headers)
    assert rest.status_code == 206 and rest.content == whole[100:]
    assert rest.headers["content-range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    piece = served.send("GET", path, headers={"Range": "bytes=5-9"})
    assert (piece.status_code, piece.content) == (206, whole[5:10])
    beyond = served.send("GET", path, headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"
    other = served.send("GET", path, headers=headers | {"If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole)


PIECES = [
    ("", None),
    ("bytes=0-0", (0, 0)),
    ("bytes=0-", (0, 99)),
    ("bytes=90-200", (90, 99)),
    ("bytes=-10", (90, 99)),
    ("bytes=-200", (0, 99)),
    ("bytes=-0", (100, 99)),
    ("bytes=100-", (100, 99)),
    ("bytes=9-5", None),
    ("bytes=-", None),
    ("bytes=0-1,5-6", None),
    ("lines=0-1", None),
    ("bytes=" + "9" * 30 + "-", None),
]


@pytest.mark.parametrize(("text", "piece"), PIECES, ids=lambda one: str(one)[:20])
def test_a_range_is_read_as_the_standard_has_it(text, piece):
    assert wanted_piece(text, size=100) == piece


@ONE_DATABASE
def test_a_request_that_is_not_answered_says_why(served):
    stranger = Told()
    path = "/api/v1/snapshots"
    forged = served.told.request(key=Told(type(stranger.facts)("other")).facts.key)
    assert served.send("POST", path, content=forged).status_code == 403
    assert served.send("POST", path, content=b"x" * 2000).status_code == 413
    assert served.send("POST", path, content=b"nonsense").status_code == 422
    assert served.send("GET", f"{path}/{'0' * 64}").status_code == 404
    assert served.send("GET", f"{path}/nonsense").status_code == 422


@ONE_DATABASE
def test_a_gateway_that_asks_too_often_is_told_when_to_come_again(served):
    served.outbox.load(served.told)
    served.send("PUT", f"{GATEWAYS}/settings", json={"settings": {"language": "zh"}})
    served.outbox.sending.refresh()
    served.outbox.hear(served.told)
    served.outbox.turn()
    answer = served.send("POST", "/api/v1/snapshots", content=served.told.request())
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0


@ONE_DATABASE
def test_templates_are_bounded_by_what_a_gateway_reads_and_can_still_be_corrected(served):
    for number in range(orders.TEMPLATES_OF_ONE_MAX):
        answer = served.send("PUT", f"/api/v1/templates/t-{number}", json={"text": "a = 1"})
        assert answer.status_code == 200, answer.text
    answer = served.send("PUT", "/api/v1/templates/one-more", json={"text": "a = 1"})
    assert (answer.status_code, answer.json()["title"]) == (409, "Cannot be ordered")
    answer = served.send("PUT", "/api/v1/templates/t-3", json={"text": "a = 2"})
    assert answer.status_code == 200, answer.text
