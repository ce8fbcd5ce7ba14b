"""Stock of the past, and the way of a lot or serial number, as programs ask for them."""

import pytest

from central.inbox.inbox import Inbox
from central.stock.times import utc_text
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.scenery import NOW_MS, FixedClock, Gateway, enrol, load

DAY_MS = 86_400_000


@pytest.fixture
def app(database):
    """A lot that came, went to another warehouse, was sold in part and came back in part."""
    clock = FixedClock()
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    load(database)
    enrol(database, here, there)
    inbox = Inbox(database, clock=clock)
    here.move(quantity="10", lot="L1", document="PO-1", document_line=1)
    here.move(quantity="2", lot="L1", document="PO-1", document_line=1)
    here.reverse(2)
    here.move(quantity="1", lot="L2", serial="S-1")
    inbox.accept([here.offer(1, 4)])
    clock.time_ms += DAY_MS
    here.move(
        quantity="6", lot="L1", source="BIN-1", target="in_transit", document="TR-1",
        event_time_ms=clock.time_ms,
    )  # fmt: skip
    inbox.accept([here.offer(5, 5)])
    clock.time_ms += DAY_MS
    # Offline for a day: it happened before the ledger heard of what it followed from.
    there.move(
        quantity="6", lot="L1", source="in_transit", document="TR-1",
        event_time_ms=clock.time_ms - DAY_MS + 3_600_000,
    )  # fmt: skip
    there.move(
        quantity="5", lot="L1", source="BIN-1", target="customer", document="SO-9",
        event_time_ms=clock.time_ms,
    )  # fmt: skip
    there.move(
        quantity="1", lot="L1", source="customer", document="SO-9", event_time_ms=clock.time_ms
    )
    inbox.accept([there.offer()])
    return application(database=database, clock=clock)


def get(app, path, **parameters):
    answer = ask(app, f"/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def stock(app, **parameters):
    return [
        (row["warehouse"], row["lot"], row["on_hand"])
        for row in get(app, "stock", **parameters)["stock"]
    ]


@pytest.mark.parametrize(
    ("days", "time", "expected"),
    [
        pytest.param(0, "event", [("SH1", "L1", "10"), ("SH1", "L2", "1")], id="first-day"),
        pytest.param(
            1.2, "event", [("BJ1", "L1", "6"), ("SH1", "L1", "4"), ("SH1", "L2", "1")],
            id="arrived-though-nobody-knew",
        ),
        pytest.param(
            1.2, "record", [("SH1", "L1", "4"), ("SH1", "L2", "1")], id="what-the-ledger-knew"
        ),
        pytest.param(
            2, "event", [("BJ1", "L1", "2"), ("SH1", "L1", "4"), ("SH1", "L2", "1")], id="today"
        ),
        pytest.param(-1, "event", [], id="before-everything"),
    ],
)  # fmt: skip
def test_the_stock_of_a_day_is_asked_for_by_either_time(app, days, time, expected):
    as_of = utc_text(NOW_MS + int(days * DAY_MS))
    assert stock(app, item="BOLT", as_of=as_of, as_of_time=time) == expected


def test_the_stock_of_the_past_is_continued_page_by_page(app):
    as_of = utc_text(NOW_MS + 2 * DAY_MS)
    first = get(app, "stock", item="BOLT", as_of=as_of, limit=2)
    rest = get(app, "stock", item="BOLT", as_of=as_of, limit=2, cursor=first["next_cursor"])
    assert [row["on_hand"] for row in (*first["stock"], *rest["stock"])] == ["2", "4", "1"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"as_of": "2026-11-22"}, id="of-everything"),
        pytest.param({"as_of": "yesterday", "item": "BOLT"}, id="no-time"),
        pytest.param({"as_of": "2026-11-22T08:00:00", "item": "BOLT"}, id="without-a-zone"),
        pytest.param({"as_of": "1969-01-01", "item": "BOLT"}, id="before-1970"),
        pytest.param({"as_of": "2026-11-22", "as_of_time": "local", "item": "B"}, id="time-kind"),
    ],
)
def test_a_past_that_cannot_be_told_is_refused_with_what_to_write(app, parameters):
    answer = ask(app, "/api/v1/stock", params=parameters)
    assert answer.status_code == 422
    assert answer.json()["hint"]


def test_a_lot_is_traced_from_its_supplier_to_its_customers_over_all_warehouses(app):
    found = get(app, "trace", item="BOLT", lot="L1")
    assert [(step["kind"], step["from_location"], step["quantity"]) for step in found["steps"]] == [
        ("movement", "supplier", "10"),
        ("movement", "supplier", "2"),
        ("reversal", "BIN-1", "2"),
        ("movement", "BIN-1", "6"),
        ("movement", "in_transit/TR-1", "6"),
        ("movement", "BIN-1", "5"),
        ("movement", "customer", "1"),
    ]

    def ends(name):
        return [
            (one["warehouse"], one["location"], one["document"], one["quantity"])
            for one in found[name]
        ]

    assert ends("came_from") == [
        ("SH1", "supplier", "PO-1", "10"),
        ("BJ1", "in_transit/TR-1", "TR-1", "6"),
    ]
    assert ends("went_to") == [
        ("SH1", "in_transit/TR-1", "TR-1", "6"),
        ("BJ1", "customer", "SO-9", "4"),
    ]
    assert [(one["warehouse"], one["on_hand"]) for one in found["whereabouts"]] == [
        ("BJ1", "2"),
        ("SH1", "4"),
    ]
    assert found["complete"]
    assert get(app, f"movements/{found['steps'][0]['id']}")["fact"]["document"] == "PO-1"


def test_a_serial_number_is_traced_and_a_long_way_is_cut_where_it_was_asked_to(app):
    found = get(app, "trace", item="BOLT", serial="S-1")
    assert [step["lot"] for step in found["steps"]] == ["L2"]
    assert [(one["serial"], one["on_hand"]) for one in found["whereabouts"]] == [("S-1", "1")]
    cut = get(app, "trace", item="BOLT", lot="L1", limit=2)
    assert (len(cut["steps"]), cut["complete"]) == (2, False)
    narrow = get(app, "trace", item="BOLT", lot="L1", limit=1)
    assert [one["warehouse"] for one in narrow["whereabouts"]] == ["BJ1"]


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"item": "BOLT"}, id="neither"),
        pytest.param({"item": "BOLT", "lot": "L1", "serial": "S-1"}, id="both"),
        pytest.param({"lot": "L1"}, id="no-item"),
    ],
)
def test_a_trace_needs_an_item_and_either_a_lot_or_a_serial_number(app, parameters):
    assert ask(app, "/api/v1/trace", params=parameters).status_code == 422
