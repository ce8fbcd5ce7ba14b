"""Transfers over HTTP: made, decided once, explained, refused with what is off."""

import httpx
import pytest

from central.api.writing import WriteSide
from central.web.app import create_app
from tests.central.clients import run
from tests.central.one_app import application
from tests.central.orders.transferring import Scene
from tests.central.scenery import FixedClock

WANTED = {
    "source_warehouse": "SH1",
    "destination_warehouse": "BJ1",
    "lines": [{"item": "BOLT", "quantity": "10", "from_location": "BIN-1"}],
    "backorders": True,  # Nothing is in stock: what is tested is what comes after.
}
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def scene(database):
    return Scene(database)


@pytest.fixture
def asking(scene):
    """Ask an application with a desk: method, path below /api/v1, options of httpx."""
    app = create_app(
        database=scene.database,
        clock=scene.clock,
        site="demo",
        writing=WriteSide(scene.desk),
    )

    def ask(method, path, **options):
        async def request():
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://central") as client:
                return await client.request(method, f"/api/v1/{path}", **options)

        return run(request())

    return ask


def made(asking, **fields):
    answer = asking("POST", "transfers", json=WANTED | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["code"]


def released(asking):
    code = made(asking)
    for action in ("request", "approve", "release"):
        answer = asking("POST", f"transfers/{code}/{action}")
        assert answer.status_code == 200, answer.text
    return code


def test_a_transfer_is_made_with_its_address_its_version_and_what_is_possible(asking):
    answer = asking("POST", "transfers", json=WANTED, headers={"Dockledger-Actor": "li.na"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/api/v1/transfers/TR-000001"
    assert answer.headers["ETag"] == '"1"'
    body = answer.json()
    assert (body["state"], body["created_by"], body["actions"]) == (
        "draft",
        "li.na",
        ["edit", "request", "cancel"],
    )
    (line,) = body["lines"]
    assert (line["requested"], line["shipped"], line["to_ship"]) == ("10", "0", "10")
    read = asking("GET", "transfers/TR-000001")
    assert (read.json(), read.headers["ETag"]) == (body, '"1"')


def test_a_transfer_is_released_at_once_with_every_step_noted_or_not_at_all(asking):
    refused = asking("POST", "transfers/release", json=WANTED | {"destination_warehouse": "XX"})
    assert (refused.status_code, asking("GET", "transfers").json()["transfers"]) == (422, [])
    for _ in range(2):
        headers = {"Dockledger-Actor": "li.na", "Idempotency-Key": "k1"}
        answer = asking("POST", "transfers/release", json=WANTED, headers=headers)
        assert (answer.status_code, answer.headers["ETag"]) == (201, '"4"'), answer.text
    body = asking("GET", "transfers/TR-000001").json()
    assert (body, body["state"], body["approved_by"]) == (answer.json(), "released", "li.na")
    noted = asking("GET", "history/transfer/TR-000001").json()["events"]
    steps = [one["action"] for one in reversed(noted)]
    assert steps == ["drafted", "requested", "approved", "released"]


def test_a_request_that_is_repeated_is_done_once(asking):
    for _ in range(2):
        answer = asking("POST", "transfers", json=WANTED, headers={"Idempotency-Key": "k1"})
        assert (answer.status_code, answer.json()["code"]) == (201, "TR-000001")
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert len(asking("GET", "transfers").json()["transfers"]) == 1


def test_of_two_people_who_change_one_draft_the_second_is_told(asking):
    code = made(asking)
    lines = {"lines": [{"item": "NUT", "quantity": "3"}]}
    first = asking("PATCH", f"transfers/{code}", json=lines, headers={"If-Match": '"1"'})
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    second = asking("PATCH", f"transfers/{code}", json={"note": "x"}, headers={"If-Match": '"1"'})
    assert (second.status_code, second.json()["fields"]) == (412, {"version": 2})
    assert asking("GET", f"transfers/{code}").json()["note"] == ""


CANNOT_BE = {
    "to itself": ({"destination_warehouse": "SH1"}, "itself"),
    "unknown warehouse": ({"destination_warehouse": "XX"}, "XX"),
    "no lines": ({"lines": []}, "lines"),
    "unknown item": ({"lines": [{"item": "GUM", "quantity": "1"}]}, "GUM"),
    "zero": ({"lines": [{"item": "BOLT", "quantity": "0"}]}, "zero"),
    "negative": ({"lines": [{"item": "BOLT", "quantity": "-1"}]}, "zero"),
    "exponent": ({"lines": [{"item": "BOLT", "quantity": "1e3"}]}, "quantity"),
    "no such unit": ({"lines": [{"item": "BOLT", "quantity": "1", "unit": "KGM"}]}, "KGM"),
    "U+0000": ({"lines": [{"item": "BOLT", "quantity": "1", "lot": "a\x00b"}]}, "lot"),
    "unknown field": ({"surprise": 1}, "surprise"),
}


def test_what_cannot_be_is_a_problem_that_says_what_to_do(asking):
    for body, told in CANNOT_BE.values():
        answer = asking("POST", "transfers", json=WANTED | body)
        assert answer.status_code == 422, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert told in problem["detail"]
        assert problem["hint"]
    assert asking("GET", "transfers").json()["transfers"] == []


def test_what_the_state_forbids_is_a_conflict_that_names_what_is_possible(asking):
    code = made(asking)
    answer = asking("POST", f"transfers/{code}/release")
    assert (answer.status_code, answer.json()["fields"]) == (
        409,
        {"state": "draft", "possible": ["edit", "request", "cancel"]},
    )
    assert asking("POST", "transfers/TR-999999/release").status_code == 404
    assert asking("GET", "transfers/TR-999999").status_code == 404
    assert asking("GET", "transfers/TR-999999/in-transit").status_code == 404
    assert asking("POST", f"transfers/{code}/cancel", json={"reason": ""}).status_code == 422


def test_what_is_under_way_is_explained_by_its_facts_and_closed_with_reasons(asking, scene):
    code = released(asking)
    scene.gateways["SH1"].move("BOLT", "10", target="BIN-1")
    scene.ship(code, 10, operator="wang.wei", event_time_ms=scene.clock.now_ms() - 3 * DAY_MS)
    scene.receive(code, 8)
    scene.send()
    head = asking("GET", "transfers", params={"state": "receiving"}).json()["transfers"][0]
    assert (head["code"], head["under_way_days"]) == (code, 3)
    (thing,) = asking("GET", f"transfers/{code}/in-transit").json()["things"]
    assert (thing["shipped"], thing["received"], thing["under_way"], thing["days"]) == (
        "10",
        [{"warehouse": "BJ1", "quantity": "8"}],
        "2",
        3,
    )
    left, came = thing["facts"]
    assert (left["operator"], left["quantity"], came["quantity"]) == ("wang.wei", "10", "-8")
    assert left["fact"] == f"sh1-dock-1/{scene.gateways['SH1'].epoch}/2"
    closings = [{"item": "BOLT", "unit": "C62", "quantity": "1", "reason": "lost"}]
    refused = asking("POST", f"transfers/{code}/close", json={"closings": closings})
    (difference,) = refused.json()["fields"]["differences"]
    assert (refused.status_code, difference["under_way"], difference["closed"]) == (409, "2", "1")
    closings[0]["quantity"] = "2"
    body = asking("POST", f"transfers/{code}/close", json={"closings": closings}).json()
    assert (body["state"], body["under_way_since"]) == ("closed", None)
    (closing,) = body["closings"]
    assert (closing["reason"], closing["quantity"]) == ("lost", "2")
    assert closing["fact"].startswith("central/")
    (line,) = body["lines"]
    assert (line["shipped"], line["received"], line["remainder"]) == ("10", "8", "0")


def lacking(asking, code):
    """What a transfer with one line says is still to be done: shipped, reserved, received."""
    (line,) = asking("GET", f"transfers/{code}").json()["lines"]
    return line["to_ship"], line["backorder"], line["remainder"]


def test_of_a_transfer_that_has_ended_nothing_is_missing(asking, scene):
    code = released(asking)
    scene.gateways["SH1"].move("BOLT", "10", target="BIN-1")
    scene.ship(code, 6)
    scene.receive(code, 5)
    scene.send()
    assert lacking(asking, code)[::2] == ("4", "1")
    closings = [{"item": "BOLT", "unit": "C62", "quantity": "1", "reason": "lost"}]
    closed = asking("POST", f"transfers/{code}/close", json={"closings": closings, "reason": "r"})
    assert closed.json()["state"] == "closed"
    assert lacking(asking, code) == ("0", "0", "0")
    scene.ship(code, 2)
    scene.send()
    assert asking("GET", f"transfers/{code}").json()["state"] == "reopened"
    assert lacking(asking, code) == ("0", "0", "3")


def test_of_a_transfer_that_was_cancelled_only_what_is_under_way_is_missing(asking, scene):
    idle, code = made(asking), released(asking)
    asking("POST", f"transfers/{idle}/cancel", json={"reason": "not needed"})
    assert lacking(asking, idle) == ("0", "0", "0")
    scene.gateways["SH1"].move("BOLT", "10", target="BIN-1")
    scene.ship(code, 6)
    scene.send()
    asking("POST", f"transfers/{code}/cancel", json={"reason": "not needed"})
    assert lacking(asking, code) == ("0", "0", "6")


def test_lists_are_narrowed_and_continued(asking, scene):
    codes = [made(asking) for _ in range(3)]
    other = made(asking, source_warehouse="BJ1", destination_warehouse="CQ1")
    asking("POST", f"transfers/{codes[0]}/cancel", json={"reason": "not needed"})

    def listed(**parameters):
        answer = asking("GET", "transfers", params=parameters)
        assert answer.status_code == 200, answer.text
        return [one["code"] for one in answer.json()["transfers"]]

    assert listed() == [other, *reversed(codes)]
    assert listed(state="cancelled") == [codes[0]]
    assert listed(open_only="true") == [other, codes[2], codes[1]]
    assert listed(warehouse="BJ1", partner="CQ1") == [other]
    assert listed(source="SH1") == codes[::-1]
    assert listed(destination="CQ1") == [other]
    assert listed(under_way_days=0) == []
    pages, cursor = [], {}
    while True:
        page = asking("GET", "transfers", params={"limit": 3} | cursor).json()
        pages.append([one["code"] for one in page["transfers"]])
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert pages == [[other, codes[2], codes[1]], [codes[0]]]
    assert asking("GET", "transfers", params={"state": "lost"}).status_code == 422


def test_everything_that_was_done_is_in_the_history(asking):
    code = made(asking)
    asking("POST", f"transfers/{code}/request", headers={"Dockledger-Actor": "li.na"})
    asking("POST", f"transfers/{code}/reject", json={"reason": "too much"})
    newest = asking("GET", f"history/transfer/{code}", params={"limit": 2}).json()
    assert [(one["action"], one["actor"]) for one in newest["events"]] == [
        ("rejected", "staff"),
        ("requested", "li.na"),
    ]
    assert newest["events"][0]["fields"]["reason"] == "too much"
    oldest = asking(
        "GET", f"history/transfer/{code}", params={"cursor": newest["next_cursor"]}
    ).json()
    assert [one["action"] for one in oldest["events"]] == ["drafted"]
    assert oldest["next_cursor"] is None
    assert asking("GET", "history/location/SH1/BIN-1").json()["events"] == []
    assert asking("GET", "history/Transfer/x").status_code == 422


def test_a_server_that_only_reads_makes_no_transfers(scene):
    app = application(database=scene.database, clock=FixedClock())

    async def request():
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://central") as client:
            return await client.post("/api/v1/transfers", json=WANTED)

    assert run(request()).status_code == 404


def test_a_release_sets_goods_aside_and_less_than_is_asked_for_has_to_be_said_openly(scene, asking):
    scene.gateways["SH1"].move("BOLT", "8", target="BIN-1")
    scene.send("SH1")
    wanted = WANTED | {"backorders": False}
    refused = asking("POST", "transfers/release", json=wanted)
    assert refused.status_code == 409
    assert refused.json()["fields"]["lines"] == [
        {"line": 1, "item": "BOLT", "wanted": "10", "available": "8"}
    ]
    assert asking("GET", "transfers").json()["transfers"] == []
    short = asking("POST", "transfers/release", json=WANTED).json()
    assert (short["backorders"], short["stale"]) == (True, False)
    (line,), (pick,) = short["lines"], short["picks"]
    assert (line["reserved"], line["backorder"], line["to_ship"]) == ("8", "2", "10")
    assert (pick["number"], pick["location"], pick["quantity"]) == (2, "BIN-1", "8")
    scene.gateways["SH1"].move("BOLT", "5", target="BIN-1")
    scene.send("SH1")
    answer = asking("POST", f"transfers/{short['code']}/reserve").json()
    assert [one["quantity"] for one in answer["picks"]] == ["10"]
    held = asking("GET", "reservations", params={"order": short["code"]}).json()["reservations"]
    assert [(one["order_kind"], one["quantity"]) for one in held] == [("transfer", "10")]
    seen = asking("GET", "availability", params={"item": "BOLT", "warehouse": "SH1"}).json()
    assert seen["availability"][0]["available"] == "3"
