"""The interface for programs answers from what gateways sent, on both databases."""

import base64
import uuid

import pytest

from central.contract.facts import Evidence, decode_fact
from central.contract.states import DeviceState, GatewayState, encode_state
from central.inbox.gateways import record_states
from central.web.app import create_app
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.scenery import NOW_MS, FixedClock, Gateway, furnished

RAW = b"]C1010690123456789210LOT\x1d<b>"


@pytest.fixture
def dock(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    reading = Evidence(device="scanner-1", kind="barcode", symbology="]C1", raw=RAW)
    gateway.move("BOLT", "12", lot="L1", target="BIN-1", evidence=(reading,))
    gateway.move("RICE", "2.125", unit="KGM", target="BIN-2")
    gateway.move(
        "BOLT", "5", lot="L1", source="BIN-1", target="in_transit", business_step="transferring"
    )
    gateway.move("WHAT?", "1", target="BIN-1", flags=("unknown_item",))
    gateway.reverse(2, reason="wrong pallet")
    inbox.accept([gateway.offer()])
    return gateway


@pytest.fixture
def app(database, dock):
    return application(database=database, clock=FixedClock(NOW_MS + 60_000))


def get(app, path, **parameters):
    answer = ask(app, f"/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_stock_lists_places_with_decimal_text_and_leaves_virtual_places_out(app):
    rows = get(app, "stock")["stock"]
    assert [(row["location"], row["item"], row["lot"], row["on_hand"]) for row in rows] == [
        ("BIN-1", "BOLT", "L1", "7"),
        ("BIN-1", "WHAT?", "", "1"),
    ]
    assert (rows[0]["item_name"], rows[0]["item_name_zh"]) == ("Bolt", "螺栓")
    assert rows[1]["item_name"] == ""


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param({"item": "BOLT"}, ["7"], id="item"),
        pytest.param({"lot": "L1"}, ["7"], id="lot"),
        pytest.param({"location": "BIN-2"}, [], id="place at zero"),
        pytest.param({"warehouse": "BJ1"}, [], id="other warehouse"),
        pytest.param({"item": "BOLT", "include_virtual": "true"}, ["7", "5", "-12"], id="virtual"),
    ],
)
def test_stock_can_be_narrowed(app, parameters, expected):
    assert [row["on_hand"] for row in get(app, "stock", **parameters)["stock"]] == expected


def test_pages_of_stock_continue_where_the_last_one_ended(app):
    whole = get(app, "stock", include_virtual="true")["stock"]
    paged, cursor = [], {}
    while True:
        page = get(app, "stock", include_virtual="true", limit=1, **cursor)
        paged += page["stock"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == whole
    assert len(whole) == 5


def test_movements_come_newest_first_and_lead_back_to_their_gateway(app, dock):
    page = get(app, "movements")
    assert [row["seq"] for row in page["movements"]] == [5, 4, 3, 2, 1]
    first = page["movements"][-1]
    assert first["id"] == f"sh1-dock-1/{dock.epoch}/1"
    assert (first["gateway"], first["epoch"], first["seq"]) == ("sh1-dock-1", str(dock.epoch), 1)
    assert uuid.UUID(first["uuid"]).version == 5
    assert first["event_time"] == "2026-05-28T20:26:35.000Z"
    assert first["record_time"] == "2026-05-28T20:26:40.000Z"
    assert first["quantity"] == "12"
    (reading,) = first["evidence"]
    assert reading["raw"] == r"]C1010690123456789210LOT\x1d<b>"
    assert base64.b64decode(reading["raw_base64"]) == RAW


def test_a_reversal_shows_what_it_took_back_the_other_way_round(app, dock):
    row = get(app, "movements")["movements"][0]
    assert (row["kind"], row["reverses"], row["reason"]) == (
        "reversal",
        f"sh1-dock-1/{dock.epoch}/2",
        "wrong pallet",
    )
    assert (row["from_location"], row["to_location"], row["quantity"], row["unit"]) == (
        "BIN-2",
        "supplier",
        "2.125",
        "KGM",
    )


@pytest.mark.parametrize(
    ("parameters", "seqs"),
    [
        pytest.param({"item": "RICE"}, [5, 2], id="item, with its reversal"),
        pytest.param({"location": "in_transit"}, [3], id="place"),
        pytest.param({"lot": "L1", "warehouse": "SH1"}, [3, 1], id="lot and warehouse"),
        pytest.param({"kind": "reversal"}, [5], id="kind"),
        pytest.param({"gateway": "bj1-dock-1"}, [], id="other gateway"),
    ],
)
def test_movements_can_be_narrowed(app, parameters, seqs):
    assert [row["seq"] for row in get(app, "movements", **parameters)["movements"]] == seqs


def test_pages_of_movements_stay_put_while_new_facts_come(app, dock, database):
    page = get(app, "movements", limit=2)
    dock.move("NUT", "1")
    furnished(database, dock).accept([dock.offer(6)])
    rest = get(app, "movements", cursor=page["next_cursor"])["movements"]
    assert [row["seq"] for row in page["movements"] + rest] == [5, 4, 3, 2, 1]


def test_one_fact_comes_with_its_canonical_bytes(app, dock):
    fact = get(app, f"movements/sh1-dock-1/{dock.epoch}/1")
    body = base64.b64decode(fact["canonical_base64"])
    assert body == dock.bodies[0]
    assert decode_fact(body).quantity == fact["fact"]["quantity"] == "12"
    assert fact["digest"] == dock.digests[1].hex()


def test_a_fact_that_changed_no_stock_says_so(app, dock, database):
    dock.print_label()
    dock.move("BOLT", "1", warehouse="BJ1")
    furnished(database, dock).accept([dock.offer(6)])
    fact = get(app, f"movements/sh1-dock-1/{dock.epoch}/7")
    assert fact["posted"] is False
    assert get(app, "movements")["movements"][1]["posted"] is True


def test_gateways_tell_lag_in_facts_and_seconds(app, dock, database):
    state = GatewayState(
        gateway=dock.code,
        warehouse="SH1",
        epoch=str(dock.epoch),
        online=True,
        head_seq=9,
        unsent_count=4,
        software="1.2",
        devices=(
            DeviceState(
                name="scale-1", device_class="scale", state="fault", detail="E1", problem="error"
            ),
        ),
    )
    record_states(database, [(dock.code, encode_state(state))], clock=FixedClock())
    (row,) = get(app, "gateways")["gateways"]
    assert (row["online"], row["head_seq"], row["acked_seq"]) == (True, 9, 5)
    assert (row["lag_count"], row["unsent_count"], row["lag_s"]) == (4, 4, 60)
    assert row["last_seen"] == "2026-05-28T20:26:40.000Z"
    (device,) = row["devices"]
    assert (device["state"], device["problem"], device["detail"]) == ("fault", "error", "E1")
    assert row["positions"][0]["acked_seq"] == 5


def test_discrepancies_name_the_fact_behind_them(app, dock):
    page = get(app, "discrepancies", state="open", kind="unknown_item")
    (row,) = page["discrepancies"]
    assert (row["item"], row["actual"], row["fact"]) == (
        "WHAT?",
        "1",
        f"sh1-dock-1/{dock.epoch}/4",
    )
    assert get(app, "discrepancies", warehouse="BJ1")["discrepancies"] == []


def test_health_counts_and_says_whether_the_intake_hears_the_broker(database, dock):
    for connected, status in ((None, "ok"), (lambda: True, "ok"), (lambda: False, "degraded")):
        app = create_app(
            database=database, clock=FixedClock(), site="demo", intake_connected=connected
        )
        body = get(app, "health")
        assert (body["status"], body["counts"]["facts"]) == (status, 5)


def test_health_says_that_the_intake_has_ended(database, dock):
    app = create_app(
        database=database,
        clock=FixedClock(),
        site="demo",
        intake_connected=lambda: True,
        intake_alive=lambda: False,
    )
    answer = ask(app, "/api/v1/health")
    body = answer.json()
    assert (answer.status_code, body["status"], body["intake_connected"]) == (503, "down", False)
    assert body["detail"] and body["hint"]
    assert "dockledger_intake_up 0\n" in ask(app, "/metrics").text


def test_metrics_are_prometheus_text(app):
    text = ask(app, "/metrics").text
    assert "dockledger_database_up 1\n" in text
    assert "dockledger_facts_recorded_total 5\n" in text
    assert 'dockledger_discrepancies_open{kind="unknown_item"} 1\n' in text
    assert 'dockledger_gateway_online{gateway="sh1-dock-1",warehouse="SH1"} 0\n' in text


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        pytest.param("stock?warehouse=a%2Fb", 422, "warehouse", id="no code"),
        pytest.param("stock?colour=red", 422, "colour", id="unknown parameter"),
        pytest.param("stock?limit=1001", 422, "limit", id="limit too high"),
        pytest.param("stock?limit=0", 422, "limit", id="limit too low"),
        pytest.param("stock?item=a%00b", 422, "item", id="U+0000"),
        pytest.param("stock?cursor=%21%21", 422, "cursor", id="no cursor"),
        pytest.param("stock?cursor=gQ", 422, "cursor", id="cut cursor"),
        pytest.param("movements?cursor=kc__________8", 422, "cursor", id="number beyond 64 bits"),
        pytest.param("movements?kind=unreadable", 422, "kind", id="no kind"),
        pytest.param("movements?epoch=12", 422, "epoch", id="no epoch"),
        pytest.param("discrepancies?kind=other", 422, "kind", id="no kind of discrepancy"),
        pytest.param("movements/x/00000001-0000000000000001/0", 422, "seq", id="number zero"),
        pytest.param("movements/x/1/1", 422, "epoch", id="epoch not in form"),
        pytest.param("movements/x/00000001-0000000000000001/1", 404, "no readable", id="absent"),
        pytest.param("nothing", 404, "Not Found", id="unknown address"),
    ],
)
def test_what_cannot_be_answered_says_why_and_what_to_do(app, path, status, said):
    answer = ask(app, f"/api/v1/{path}")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in body["detail"]
    assert body["hint"]


def test_a_lost_database_is_an_answer_not_a_stack_trace(app, database):
    with database.write() as connection:
        for table in ("lines", "discrepancies", "facts"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    database.close()
    health = ask(app, "/api/v1/health")
    stock = ask(app, "/api/v1/movements")
    if database.dialect == "sqlite":  # A missing table is an OperationalError there.
        assert (health.status_code, health.json()["status"]) == (503, "down")
        assert (stock.status_code, stock.headers["retry-after"]) == (503, "5")
        assert stock.json()["hint"]
        assert "dockledger_database_up 0\n" in ask(app, "/metrics").text


def test_no_page_of_documentation_loads_anything_from_elsewhere(app):
    assert ask(app, "/docs").status_code == ask(app, "/redoc").status_code == 404
    assert "/api/v1/stock" in ask(app, "/openapi.json").json()["paths"]
