"""Enrolment and reported states of gateways; the quarantine's bound; on both databases."""

import pytest

from central.contract.errors import ContractError
from central.contract.states import DeviceState, GatewayState, encode_state
from central.errors import EnrolmentRefused
from central.inbox.gateways import enrol_gateway, record_states
from central.inbox.quarantine import Refused, keep
from central.ledger.state import lock_ledger, read_state
from central.storage import tables
from tests.central.scenery import NOW_MS, FixedClock, Gateway, enrol, furnished, load, rows


def state_of(gateway, **changes):
    values = {"gateway": gateway, "warehouse": "SH1", "epoch": "e", "online": True}
    return encode_state(GatewayState(**(values | changes)))


def enrolled(database, **changes):
    values = {"gateway": "gw-1", "site": "demo", "warehouse": "SH1", "public_key": b"k" * 32}
    return enrol_gateway(database, clock=FixedClock(), **(values | changes))


def test_a_gateway_is_enrolled_once_and_can_be_replaced(database):
    assert enrolled(database)
    assert not enrolled(database)
    assert enrolled(database, public_key=b"n" * 32)
    found = rows(database, tables.gateways, "gateway", "public_key", "online", "enrolled_ms")
    assert found == [("gw-1", b"n" * 32, False, NOW_MS)]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"public_key": b"short"}, EnrolmentRefused, id="no key"),
        pytest.param({"gateway": "a/b"}, ContractError, id="no code"),
        pytest.param({"warehouse": "SH9"}, EnrolmentRefused, id="no such warehouse"),
    ],
)
def test_what_cannot_be_enrolled_is_refused_with_a_hint(database, changes, error):
    load(database)
    with pytest.raises(error) as caught:
        enrolled(database, **changes)
    assert caught.value.hint
    assert rows(database, tables.gateways) == []


def test_the_last_state_of_an_enrolled_gateway_is_kept(database):
    enrolled(database)
    device = DeviceState(name="scanner", device_class="scanner", state="ready")
    payloads = [
        ("gw-1", state_of("gw-1", head_seq=1)),
        ("gw-1", state_of("gw-1", head_seq=7, unsent_count=3, devices=(device,), time_ms=5)),
        ("gw-2", state_of("gw-2")),
        ("gw-1", state_of("gw-2")),
        ("gw-1", b"{"),
        ("gw-1", state_of("gw-1", software="a\0")),
    ]
    (taken,) = record_states(database, payloads, clock=FixedClock())
    assert taken.head_seq == 7
    (found,) = rows(
        database,
        tables.gateways,
        "online",
        "head_seq",
        "unsent_count",
        "state_ms",
        "seen_ms",
        "devices_json",
    )
    assert found[:5] == (True, 7, 3, 5, NOW_MS)
    assert '"scanner"' in found[5]


def test_states_of_nobody_write_nothing(database):
    assert record_states(database, [("gw-9", state_of("gw-9"))], clock=FixedClock()) == ()


def test_a_batch_is_a_sign_of_life(database):
    gateway, other = Gateway("gw-1"), Gateway("gw-2")
    gateway.move()
    furnished(database, gateway, other).accept([gateway.offer()])
    assert rows(database, tables.gateways, "gateway", "seen_ms") == [("gw-1", NOW_MS), ("gw-2", 0)]


def test_the_quarantine_keeps_the_newest_and_counts_the_rest(database):
    enrol(database)
    for number in range(6):
        with database.write() as connection:
            refused = Refused("gw-1", "unreadable", "why\0", f"payload {number}".encode())
            keep(connection, lock_ledger(connection), [refused], now_ms=number, rows_max=4)
        assert len(rows(database, tables.quarantine)) == min(number + 1, 4)
    found = rows(database, tables.quarantine, "received_ms", "payload", "detail")
    assert [payload for _, payload, _ in found] == [f"payload {n}".encode() for n in (2, 3, 4, 5)]
    assert found[0][2] == "why\\0"
    with database.read() as connection:
        assert read_state(connection).quarantine_dropped_count == 2
