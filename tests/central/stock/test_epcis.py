"""Every movement is an EPCIS 2.0 event that GS1's own schema finds valid."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.contract.errors import ContractError
from central.contract.facts import Count, Movement, Packing, check_fact
from central.contract.identifiers import Epoch, FactId
from central.inbox.inbox import Inbox
from central.stock.epcis import CONTEXT, event_of
from central.stock.epcis_names import ItemNames, Known, Naming
from central.stock.rows import MovementRow
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.scenery import NOW_MS, FixedClock, Gateway, enrol, load

SCHEMA = json.loads((Path(__file__).parent / "gs1" / "EPCIS-JSON-Schema.json").read_bytes())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
SSCC = "106141412345678908"
REFERENCE = b"""
revision = 1
[[warehouses]]
code = "SH1"
name = "S"
name_zh = "S"
locations = [ { code = "BIN-1", kind = "bin" }, { code = "BIN-2", kind = "bin" } ]
[[items]]
code = "TEA"
name = "Tea"
name_zh = "T"
unit = "C62"
barcodes = [
  { gtin = "06901234567892" }, { gtin = "16901234567899", quantity = "12" },
]
[[items]]
code = "RICE"
name = "Rice"
name_zh = "R"
unit = "KGM"
"""


@pytest.fixture
def app(database):
    gateway = Gateway()
    load(database, REFERENCE)
    enrol(database, gateway)
    gateway.move("TEA", "24", lot="L 1/2", document="PO-1", document_line=1)
    gateway.move("TEA", "12", source="BIN-1", target="BIN-2", business_step="storing")
    gateway.move("RICE", "2.125", unit="KGM", sscc=SSCC)
    gateway.move("TEA", "1", serial="S-1", source="BIN-1", target="scrap", business_step="odd")
    gateway.move("TEA", "6", source="BIN-2", target="in_transit", document="TR-1")
    gateway.weigh(seq=6)
    gateway.pass_by()
    gateway.reverse(2)
    gateway.reverse(2)  # It moves nothing: no event.
    gateway.move("TEA", "5", source="customer", target="BIN-1", document="RMA-1")
    Inbox(database, clock=FixedClock()).accept([gateway.offer()])
    return application(database=database, clock=FixedClock())


def events(app, **parameters):
    answer = ask(app, "/api/v1/epcis/events", params=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/ld+json"
    document = answer.json()
    VALIDATOR.validate(document)
    return document["epcisBody"]["eventList"], answer.headers


def test_what_happened_is_told_as_events_of_the_right_kind(app):
    found, headers = events(app)
    assert [(one["type"], one["action"], one["bizStep"]) for one in found] == [
        ("TransactionEvent", "ADD", "receiving"),
        ("ObjectEvent", "OBSERVE", "storing"),
        ("AggregationEvent", "OBSERVE", "receiving"),
        ("ObjectEvent", "DELETE", "destroying"),
        ("TransactionEvent", "ADD", "receiving"),
        ("ObjectEvent", "OBSERVE", "entering_exiting"),
        ("ObjectEvent", "OBSERVE", "storing"),
        ("TransactionEvent", "ADD", "receiving"),
    ]
    received, moved, pallet, scrapped, shipped, passed, reversed_, returned = found
    assert received["quantityList"] == [
        {"epcClass": "https://id.gs1.org/01/06901234567892/10/L%201%2F2", "quantity": 24}
    ]
    assert received["bizTransactionList"] == [
        {"type": "po", "bizTransaction": "https://dockledger.invalid/demo/document/PO-1"}
    ]
    assert pallet["parentID"] == f"https://id.gs1.org/00/{SSCC}"
    assert pallet["childQuantityList"] == [
        {
            "epcClass": "https://dockledger.invalid/demo/item/RICE",
            "quantity": 2.125,
            "uom": "KGM",
        }
    ]
    assert scrapped["epcList"] == ["https://id.gs1.org/01/06901234567892/21/S-1"]
    assert (shipped["disposition"], shipped["bizTransactionList"][0]["type"]) == (
        "in_transit",
        "desadv",
    )
    assert passed["epcList"] == ["https://id.gs1.org/01/80614141123458/21/6789"]
    assert returned["bizTransactionList"][0]["type"] == "rma"
    declared = reversed_.pop("errorDeclaration")
    assert declared["reason"] == "did_not_occur"
    assert {**reversed_, "recordTime": ""} == {**moved, "recordTime": ""}
    assert headers["dockledger-more"] == "false"


def test_what_has_no_gs1_key_begins_with_what_the_configuration_says_and_else_with_the_site(app):
    told, _ = events(app)
    app.state.read_side = replace(app.state.read_side, epcis_base_uri="https://id.example.com/s")
    found, _ = events(app)
    ours = "https://dockledger.invalid/demo/"
    assert json.dumps(told).count(ours) > 8
    assert found == json.loads(json.dumps(told).replace(ours, "https://id.example.com/s/"))


def test_events_are_continued_where_the_page_before_ended(app):
    everything, _ = events(app)
    found, link = [], "/api/v1/epcis/events?limit=3&warehouse=SH1"
    while link:  # As whoever goes by the standard, until no page is named any more.
        answer = ask(app, link)
        found += answer.json()["epcisBody"]["eventList"]
        assert len(found) <= len(everything)
        link = answer.headers.get("link", "").split(";")[0].strip("<>")
        assert answer.headers["dockledger-more"] == str(bool(link)).lower()
    assert found == everything
    again, _ = events(app, cursor=answer.headers["dockledger-next-cursor"])
    assert again == []


TEXTS = st.text(max_size=12)
FACTS = st.one_of(
    st.builds(
        Movement,
        seq=st.just(1),
        event_time_ms=st.integers(0, 2**62),
        clock_synced=st.booleans(),
        boot_id=st.just("b"),
        monotonic_ns=st.just(0),
        warehouse=st.sampled_from(["SH1", "BJ1"]),
        station=TEXTS,
        business_step=st.sampled_from(["receiving", "counting", "x", "packing", ""]),
        from_location=st.sampled_from(["supplier", "production", "BIN 1", "customer"]),
        to_location=st.sampled_from(["BIN/2", "scrap", "in_transit", "adjustment"]),
        item=TEXTS.filter(bool),
        quantity=st.sampled_from(["1", "0.000001", "12345678901.5"]),
        unit=st.sampled_from(["C62", "KGM", "MTR"]),
        lot=TEXTS,
        serial=TEXTS,
        sscc=st.sampled_from(["", SSCC]),
        document=TEXTS,
        to_status=st.sampled_from(["", "held", "rejected", "inspection"]),
    ),
    st.builds(
        Count,
        seq=st.just(1),
        event_time_ms=st.just(NOW_MS),
        clock_synced=st.just(True),
        boot_id=st.just("b"),
        monotonic_ns=st.just(0),
        warehouse=st.just("SH1"),
        station=TEXTS,
        location=TEXTS.filter(bool),
        item=TEXTS.filter(bool),
        quantity=st.sampled_from(["0", "1", "2.5"]),
        unit=st.sampled_from(["C62", "KGM"]),
        lot=TEXTS,
    ),
    st.builds(
        Packing,
        seq=st.just(1),
        event_time_ms=st.just(NOW_MS),
        clock_synced=st.just(True),
        boot_id=st.just("b"),
        monotonic_ns=st.just(0),
        warehouse=st.just("SH1"),
        station=TEXTS,
        parent=st.just(SSCC),
        children=st.just(("006141411234567890", "006141411234567906")),
        action=st.sampled_from(["pack", "unpack"]),
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FACTS)
def test_whatever_a_fact_says_its_event_is_valid_and_its_identifiers_are_uris(fact):
    try:
        check_fact(fact)
    except ContractError:
        return
    fact_id = FactId(gateway="g", epoch=Epoch(start_count=1, nonce=1), seq=1)
    row = MovementRow(
        record_no=1,
        fact_id=fact_id,
        fact=fact,
        taken_back=None,
        posted=True,
        event_time_ms=fact.event_time_ms,
        time_source="gateway",
        record_time_ms=NOW_MS,
        item_name="",
        item_name_zh="",
        raw=b"",
        digest=b"",
    )
    names = ItemNames("C62", (Known(0, "06901234567892"),))
    event = event_of(row, Naming("https://x.invalid", {"A": names}))
    if event is None:
        assert isinstance(fact, Count) and fact.quantity == "0"
        return
    said = json.loads(msgspec.json.encode(event))
    VALIDATOR.validate(said | {"@context": [CONTEXT]})
    for element in (*said.get("quantityList", ()), *said.get("childQuantityList", ())):
        parts = urlsplit(element["epcClass"])
        assert parts.scheme == "https" and not parts.query and not parts.fragment
        assert element["epcClass"].isascii() and element["epcClass"].isprintable()
