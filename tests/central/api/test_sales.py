"""Sales, reservations, picking and customer returns over HTTP."""

import pytest

from central.api.writing import WriteSide
from central.storage import bulk, catalogue_tables
from tests.central.clients import call
from tests.central.one_app import application
from tests.central.orders.sales_scenes import ONE, Scene

ORDER = {
    "warehouse": "SH1",
    "customer": "SHOP",
    "promised_on": "2026-06-05",
    "lines": [{"line": 1, "item": "BOLT", "quantity": "4"}],
}


@pytest.fixture
def scene(database):
    return Scene(database, stock=[("BIN-1", 5)])


@pytest.fixture
def asking(scene):
    """Ask an application with a desk: method, path below /api/v1, status, options of httpx."""
    writing = WriteSide(scene.desk)
    app = application(database=scene.database, clock=scene.clock, writing=writing)

    def ask(method, path, status=200, **options):
        answer = call(app, method, f"/api/v1/{path}", **options)
        assert answer.status_code == status, answer.text
        return answer

    return ask


def ordered(asking, *actions, **fields):
    """The code of an order, after these actions."""
    code = asking("POST", "sales-orders", 201, json=ORDER | fields).json()["code"]
    for action in actions:
        asking("POST", f"sales-orders/{code}/{action}")
    return code


def test_an_order_is_made_once_worked_on_against_its_version_and_shipped(scene, asking):
    key = {"Idempotency-Key": "k-1"}
    made = asking("POST", "sales-orders", 201, json=ORDER, headers=key)
    again = asking("POST", "sales-orders", 201, json=ORDER, headers=key)
    assert again.json() == made.json()
    code = made.json()["code"]
    assert made.headers["Location"] == f"/api/v1/sales-orders/{code}"
    assert (made.headers["ETag"], made.json()["state"]) == ('"1"', "draft")
    changed = ORDER | {"lines": [{"line": 1, "item": "BOLT", "quantity": "3"}], "note": "soon"}
    put = asking("PUT", f"sales-orders/{code}", json=changed, headers={"If-Match": '"1"'}).json()
    assert (put["version"], put["lines"][0]["quantity"], put["note"]) == (2, "3", "soon")
    refused = asking("POST", f"sales-orders/{code}/submit", 412, headers={"If-Match": '"1"'})
    assert refused.json()["fields"] == {"version": 2}
    for action in ("submit", "approve", "release"):
        asking("POST", f"sales-orders/{code}/{action}")
    scene.ship(code, "BIN-1", 3, line=1)
    shown = asking("GET", f"sales-orders/{code}")
    body = shown.json()
    assert (body["state"], body["fulfilment"], body["coverage"]) == ("shipped", "complete", "none")
    assert body["picks"][0] | {"reason": ""} == {
        "line": 1,
        "pick": 1,
        "location": "BIN-1",
        "lot": "",
        "serial": "",
        "sscc": "",
        "state": "shipped",
        "quantity": "0",
        "shipped": "3",
        "freed": "0",
        "reason": "",
    }
    assert body["customer_name"] == "The shop"
    asking("POST", f"sales-orders/{code}/sign", json={"signed_by": "Mr Wang"})
    closed = asking("POST", f"sales-orders/{code}/close").json()
    assert (closed["state"], closed["actions"], closed["signed_by"]) == ("closed", [], "Mr Wang")


def test_a_sale_over_the_counter_is_done_once_with_every_step_noted_or_not_at_all(asking):
    sale = {name: ORDER[name] for name in ("warehouse", "customer", "lines")}
    much = sale | {"lines": [ORDER["lines"][0] | {"quantity": "6"}]}
    problem = asking("POST", "sales-orders/sell", 409, json=much).json()
    assert problem["fields"]["lines"][0]["available"] == "5"
    assert asking("GET", "sales-orders").json()["sales_orders"] == []
    for _ in range(2):
        headers = {"Dockledger-Actor": "li.na", "Idempotency-Key": "k-1"}
        answer = asking("POST", "sales-orders/sell", 201, json=sale, headers=headers)
    body = answer.json()
    assert asking("GET", answer.headers["Location"].removeprefix("/api/v1/")).json() == body
    assert (body["state"], body["actions"]) == ("shipped", ["sign"])
    code = ordered(asking, "hand-over", lines=[ORDER["lines"][0] | {"quantity": "1"}])
    assert asking("GET", f"sales-orders/{code}").json()["state"] == "shipped"
    noted = asking("GET", f"history/sales_order/{body['code']}").json()["events"]
    steps = [(one["action"], one["actor"]) for one in reversed(noted)]
    names = ("drafted", "submitted", "approved", "handed_over")
    assert steps == [(name, "li.na") for name in names]


def test_overselling_is_refused_with_what_is_available(asking):
    ordered(asking, "submit", "approve")
    code = ordered(asking, "submit", backorders=False)
    problem = asking("POST", f"sales-orders/{code}/approve", 409).json()
    assert problem["fields"]["lines"] == [
        {"line": 1, "item": "BOLT", "wanted": "4", "available": "1"}
    ]
    assert problem["hint"]
    (row,) = asking("GET", "availability?item=BOLT").json()["availability"]
    assert row == {
        "warehouse": "SH1",
        "item": "BOLT",
        "unit": "C62",
        "on_hand": "5",
        "weight": "0",
        "weight_unit": "",
        "allocated": "4",
        "available": "1",
        "inspection": "0",
        "held": "0",
        "rejected": "0",
        "in_transit": "0",
    }
    (held,) = asking("GET", "reservations?item=BOLT&warehouse=SH1").json()["reservations"]
    assert (held["quantity"], held["state"], held["location"]) == ("4", "reserved", "BIN-1")


def test_what_waits_is_set_aside_after_the_next_receipt(scene, asking):
    code = ordered(asking, "submit", "approve", lines=[ORDER["lines"][0] | {"quantity": "7"}])
    asking("POST", "sales-orders/reserve-backorders", json={"warehouse": "SH1"})
    scene.receive("BIN-2", 9)
    covered = asking("POST", "sales-orders/reserve-backorders", json={"warehouse": "SH1"}).json()
    assert covered == {
        "lines": [{"order": code, "line": 1, "item": "BOLT", "reserved": "2", "missing": "0"}],
        "more": False,
    }
    found = asking("GET", "sales-orders?state=reserved&limit=1").json()
    assert [one["code"] for one in found["sales_orders"]] == [code]


def test_lists_go_on_where_a_page_ended(asking):
    codes = [ordered(asking) for _ in range(3)]
    first = asking("GET", "sales-orders?limit=2").json()
    assert [one["code"] for one in first["sales_orders"]] == codes[:2]
    rest = asking("GET", f"sales-orders?limit=2&cursor={first['next_cursor']}").json()
    assert ([one["code"] for one in rest["sales_orders"]], rest["next_cursor"]) == (
        codes[2:],
        None,
    )
    for code in codes:
        for action in ("submit", "approve"):
            asking("POST", f"sales-orders/{code}/{action}")
    asking("POST", f"sales-orders/{codes[0]}/cancel", json={"reason": "x"})
    asking("POST", "sales-orders/reserve-backorders", json={"warehouse": "SH1"})
    page = asking("GET", "reservations?limit=1&ended=true").json()
    seen = [page["reservations"][0]["order"]]
    while page["next_cursor"]:
        page = asking("GET", f"reservations?limit=1&ended=true&cursor={page['next_cursor']}").json()
        seen.append(page["reservations"][0]["order"])
    assert seen == sorted(codes)
    asking("GET", "availability?limit=1&cursor=AAAA", 422)


def test_orders_are_picked_on_a_round_and_short_picks_and_remainders_are_dealt_with(scene, asking):
    code = ordered(asking, "submit", "approve")
    wave = asking("POST", "pick-waves", 201, json={"warehouse": "SH1", "orders": [code]}).json()
    assert (wave["state"], wave["lines"][0]["location"], wave["lines"][0]["quantity"]) == (
        *("released", "BIN-1", "4"),
    )
    assert asking("GET", f"pick-waves/{wave['code']}").headers["ETag"] == '"1"'
    assert len(asking("GET", "pick-waves?warehouse=SH1").json()["pick_waves"]) == 1
    for query in ("", f"&order={code}"):
        lines = asking("GET", f"pick-lists?warehouse=SH1{query}").json()["lines"]
        assert [(one["order"], one["pick"]) for one in lines] == [(code, 1)]
    short = asking("POST", f"sales-orders/{code}/picks/1/short", json={"found": "3"}).json()
    assert short["lines"][0]["backorder"] == "1"
    body = {"reason": "nobody waits for one"}
    left = asking("POST", f"sales-orders/{code}/lines/1/give-up", json=body | {"quantity": "1"})
    assert left.json()["lines"][0]["given_up"] == "1"
    scene.move("BIN-1", "BIN-2", 5)
    told = asking("POST", "pick-lists/tell-stations", json={"warehouse": "SH1"}).json()
    assert told == {"orders": [code]}
    empty = asking("POST", f"pick-waves/{wave['code']}/break-up").json()
    assert (empty["orders"], empty["version"]) == ([], 2)
    asking("POST", f"sales-orders/{code}/recall")
    asking("POST", f"sales-orders/{code}/reopen", json={"reason": "other goods"})
    asking("POST", f"sales-orders/{code}/submit")
    asking("POST", f"sales-orders/{code}/send-back", json={"reason": "price"})


def test_where_to_put_goods_and_what_to_bring_to_faces_are_proposals(scene, asking):
    with scene.database.write() as connection:
        row = ("SH1", "BOLT", "BIN-1", 9 * ONE, 0)
        bulk.insert_rows(connection, catalogue_tables.item_places, [row])
    scene.receive("BIN-2", 3)
    found = asking("GET", "putaway-suggestions?warehouse=SH1&item=BOLT&quantity=2.5").json()
    assert found == {
        "suggestions": [{"location": "BIN-1", "quantity": "2.5", "rule": "home"}],
        "without_room": "0",
    }
    page = asking("GET", "replenishments?warehouse=SH1").json()
    (one,) = page["replenishments"]
    assert (page["kind"], one["there"], one["missing"]) == ("proposal", "5", "1")
    assert one["bring"][0]["quantity"] == "3"
    asking("GET", "putaway-suggestions?warehouse=SH1&item=BOLT&quantity=-1", 422)
    asking("GET", "putaway-suggestions?warehouse=SH1&item=WHAT&quantity=1", 404)


def test_goods_come_back_and_are_decided_on(scene, asking):
    body = {"warehouse": "SH1", "customer": "SHOP", "reason": "damaged", "lines": ORDER["lines"]}
    made = asking("POST", "customer-returns", 201, json=body)
    code = made.json()["code"]
    for action in ("approve", "release"):
        asking("POST", f"customer-returns/{code}/{action}", headers={"If-Match": "*"})
    scene.move("customer", "STAGE-1", 4, step="receiving", document=code, document_line=1)
    decision = {"line": 1, "quantity": "2", "location": "STAGE-1", "reason": "bent"}
    asked = [decision | {"decision": "scrap"}, decision | {"decision": "exchange"}]
    decided = asking("POST", f"customer-returns/{code}/decisions", json={"decisions": asked}).json()
    assert (decided["state"], decided["lines"][0]["undecided"]) == ("received", "2")
    assert [one["decision"] for one in decided["decisions"]] == ["scrap", "exchange"]
    exchange = decided["decisions"][1]["exchange_order"]
    assert asking("GET", f"sales-orders/{exchange}").json()["reference"] == code
    asking("POST", f"customer-returns/{code}/close", 409, json={"reason": "done"})
    found = asking("GET", "customer-returns?reason=damaged&state=released").json()
    assert [one["code"] for one in found["customer_returns"]] == [code]
    assert asking("GET", f"customer-returns/{code}").headers["ETag"] == '"4"'
    other = asking("POST", "customer-returns", 201, json=body).json()["code"]
    asking("POST", f"customer-returns/{other}/reject", json={"reason": "too late"})
    asking("POST", f"customer-returns/{other}/cancel", 409, json={"reason": "x"})


IMPOSSIBLE = [
    ("GET", "sales-orders/SO-9", 404, None),
    ("GET", "pick-waves/PW-9", 404, None),
    ("GET", "customer-returns/CR-9", 404, None),
    ("GET", "sales-orders?colour=red", 422, None),
    ("GET", "pick-lists", 422, None),
    ("POST", "sales-orders", 422, ORDER | {"lines": []}),
    ("POST", "sales-orders", 422, ORDER | {"colour": "red"}),
    ("POST", "sales-orders", 422, ORDER | {"customer": "NOBODY"}),
    ("POST", "sales-orders", 422, ORDER | {"lines": [ORDER["lines"][0] | {"quantity": "0"}]}),
    ("POST", "sales-orders", 409, ORDER | {"code": "PO-1"}),
    ("POST", "sales-orders", 422, ORDER | {"code": "no/code"}),
    ("POST", "sales-orders/SO-9/approve", 404, None),
    ("POST", "pick-waves", 422, {"warehouse": "SH1", "orders": ["SO-9"]}),
]


def test_what_cannot_be_is_a_problem_with_a_hint(asking):
    # One application for all of them: making it takes longer than asking it.
    for method, path, status, body in IMPOSSIBLE:
        problem = asking(method, path, status, **({"json": body} if body else {})).json()
        assert problem["hint"], path
        assert problem["status"] == status, path
