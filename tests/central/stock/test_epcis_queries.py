"""EPCIS events asked for by the standard's parameters are exactly those that it means."""

import itertools
from urllib.parse import urlencode

import pytest

from central.stock.epcis_query import EventQuery, is_asked
from central.stock.epcis_reading import Bounds, read_events
from tests.central.api.test_openapi import NOW_MS, prepared
from tests.central.clients import call
from tests.central.scenery import sscc
from tests.central.stock.test_epcis_stories import CARD, LINK, PIECE, Desk

DAY_MS = 86_400_000
BASE = "https://dockledger.invalid/demo"
LISTS = ("epcList", "childEPCs")
AMOUNTS = ("quantityList", "childQuantityList")


def documents(event, kind):
    some = event.get("bizTransactionList", ())
    return {one["bizTransaction"] for one in some if one.get("type") == kind}


def listed(event, names):
    return {one for name in names for one in event.get(name, ())}


# What an event has that a parameter asks for, as the standard says.
MEANT = {
    "eventType": lambda event: {event["type"]},
    "EQ_action": lambda event: {event["action"]},
    "EQ_bizStep": lambda event: {event["bizStep"]},
    "EQ_disposition": lambda event: {event.get("disposition")} - {None},
    "EQ_readPoint": lambda event: {event["readPoint"]["id"]},
    "EQ_bizLocation": lambda event: {event.get("bizLocation", {}).get("id")} - {None},
    **{
        f"EQ_bizTransaction_{kind}": lambda event, kind=kind: documents(event, kind)
        for kind in ("po", "poc", "desadv", "rma", "prodorder")
    },
    "MATCH_epc": lambda event: listed(event, LISTS),
    "MATCH_anyEPC": lambda event: listed(event, LISTS) | ({event.get("parentID")} - {None}),
    "MATCH_parentID": lambda event: {event.get("parentID")} - {None},
    "MATCH_epcClass": lambda event: {
        one["epcClass"] for name in AMOUNTS for one in event.get(name, ())
    },
}


@pytest.fixture
def desk(database):
    """A ledger with events of every kind, and such as were declared wrong."""
    desk = Desk(database)
    desk("POST", "/items", CARD)
    move, walk = desk.walk.move, desk.walk
    move("G", "24", "supplier", "BIN-1", document="PO-1", document_line=1)
    move("G", "2", "supplier", "BIN-1", unit="CT", lot="L 1/2")
    move("G", "3", "supplier", "BIN-1", sscc=sscc(2))
    gateway = walk._gateways["SH1"]
    gateway.pack(sscc(1), sscc(2))
    gateway.pack(sscc(1), sscc(2), action="unpack")
    gateway.pass_by()
    gateway.count("3", item="G")
    gateway.move("G", "7", target="BIN-3")
    gateway.reverse(len(gateway.bodies))
    walk._inbox.accept([gateway.offer(walk._sent["SH1"] + 1)])
    walk._sent["SH1"] = len(gateway.bodies)
    desk.clock.time_ms += 60_000
    move("G", "1", "supplier", "BIN-2", serial="S-1/2")
    move("G", "1", "BIN-2", "scrap", serial="S-1/2", business_step="inspecting")
    move("G", "1", "production", "BIN-1", document="MO-1")
    move("G", "2", "BIN-1", "customer", document="SO-9", business_step="shipping")
    move("G", "1", "customer", "BIN-1", to_status="held", document="RMA-1")
    move("G", "4", "BIN-1", "in_transit", document="TR-9", business_step="shipping")
    move("G", "1", "BIN-1", "BIN-2", business_step="odd", event_time_ms=NOW_MS - DAY_MS)
    move("G", "4", "supplier", "BIN-2", document="PO-404")
    desk.clock.time_ms += 60_000
    open_now = desk("GET", "/discrepancies?kind=unknown_document&state=open")["discrepancies"]
    (wrong,) = [one["id"] for one in open_now if one["subject"] == "PO-404"]
    desk("POST", f"/discrepancies/{wrong}/settle", {"reason": "no", "action": "reverse"})
    desk.change(barcodes=[])
    move("G", "5", "supplier", "BIN-1", event_time_ms=NOW_MS - 60_000)
    return desk


def asked(desk, *, limit=1000, **parameters):
    """All events of a query, page after page."""
    found, path = [], f"/api/v1/epcis/events?{urlencode({'limit': limit} | parameters)}"
    while path:
        answer = call(desk.walk.app, "GET", path)
        assert answer.status_code == 200, answer.text
        events = answer.json()["epcisBody"]["eventList"]
        assert len(events) <= limit
        found += events
        more = answer.headers["dockledger-more"] == "true"
        path = answer.headers["link"].split(">")[0].strip("<") if more else ""
    return found


def test_each_parameter_finds_the_events_that_have_what_it_asks_for(desk):
    told = desk.events()
    tried = 0
    for name, meant in MEANT.items():
        values = sorted({value for event in told for value in meant(event)})
        assert values, name
        for value in values:
            expected = [event for event in told if value in meant(event)]
            assert asked(desk, **{name: value}) == expected, (name, value)
            tried += 1
        expected = [one for one in told if meant(one)]
        assert asked(desk, limit=9, **{name: "|".join(values)}) == expected
    assert tried > 40


def test_times_find_the_events_between_them(desk):
    told = desk.events()
    for which in ("event", "record"):
        times = sorted({event[f"{which}Time"] for event in told})
        assert len(times) > 2
        for since, until in itertools.combinations(times, 2):
            span = {f"GE_{which}Time": since, f"LT_{which}Time": until}
            expected = [event for event in told if since <= event[f"{which}Time"] < until]
            assert asked(desk, limit=6, **span) == expected
        last = times[-1].replace("Z", "+00:00")
        assert asked(desk, **{f"GE_{which}Time": last}) == [
            event for event in told if event[f"{which}Time"] == times[-1]
        ]


def test_several_parameters_hold_together_and_pages_have_the_names_of_the_standard(desk):
    told = desk.events()
    answer = call(desk.walk.app, "GET", "/api/v1/epcis/events?perPage=4")
    assert answer.json()["epcisBody"]["eventList"] == told[:4]
    token = answer.headers["dockledger-next-cursor"]
    path = f"/api/v1/epcis/events?perPage=3&nextPageToken={token}"
    assert call(desk.walk.app, "GET", path).json()["epcisBody"]["eventList"] == told[4:7]
    query = {"eventType": "TransactionEvent", "EQ_bizStep": "receiving|shipping"}
    steps = ("receiving", "shipping")
    expected = [
        one for one in told if one["type"] == "TransactionEvent" and one["bizStep"] in steps
    ]
    assert 3 < len(expected) < len(told)
    assert asked(desk, **query) == asked(desk, warehouse="SH1", **query) == expected
    assert asked(desk, warehouse="BJ1", **query) == []
    both = {f"EQ_bizTransaction_{kind}": f"{BASE}/document/PO-1" for kind in ("po", "rma")}
    assert asked(desk, **both) == []


def test_a_page_that_looks_into_few_facts_goes_on_where_it_ended(desk, database):
    query = EventQuery(steps=frozenset({"shipping"}), classes=frozenset({LINK + PIECE}))
    for bounds in (Bounds(1, 1), Bounds(3, 2), Bounds(1000, 1)):
        found, after, more = [], 0, True
        with database.read() as connection:
            while more:
                read = read_events(
                    connection, query, base=BASE, after_record_no=after, limit=1, bounds=bounds
                )
                assert read.last_record_no > after
                found, after, more = [*found, *read.events], read.last_record_no, read.more
        assert len(found) == 2
        assert all(is_asked(event, query) for event in found)


REFUSED = [
    {"EQ_bizstep": "receiving"},
    {"EQ_bizTransaction_inv": "urn:x:1"},
    {"eventType": "QuantityEvent"},
    {"EQ_action": "add"},
    {"EQ_bizStep": "recieving"},
    {"EQ_disposition": "lost"},
    {"EQ_readPoint": "BIN-1"},
    {"MATCH_epc": "S1"},
    {"MATCH_epcClass": ""},
    {"GE_eventTime": "yesterday"},
    {"GE_recordTime": "2026-06-02T00:00:00Z", "LT_recordTime": "2026-06-01T00:00:00Z"},
    {"MATCH_epc": "|".join(["urn:x:1"] * 51)},
    {"perPage": 2, "limit": 2},
    {"nextPageToken": "kgCg", "cursor": "kgCg"},
    {"warehouse": "NO"},
]


def test_what_cannot_be_asked_for_is_refused_in_the_language_of_the_reader(database):
    app = prepared(database).app
    for query in REFUSED:
        for language in ("en", "zh"):
            headers = {"Accept-Language": language}
            path = f"/api/v1/epcis/events?{urlencode(query)}"
            answer = call(app, "GET", path, headers=headers)
            assert answer.status_code == 422, query
            problem = answer.json()
            for said in (problem["title"], problem["detail"], problem["hint"]):
                is_chinese = any(character > "\u4e00" for character in said)
                assert is_chinese == (language == "zh"), said
