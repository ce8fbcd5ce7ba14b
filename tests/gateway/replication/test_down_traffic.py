"""What fails on the way from central holds up no fact, and is tried again after a rest."""

import pytest

from central.contract.notices import PrintRequested, encode_down, encode_notice
from central.contract.sealed import seal
from central.inbox.ledger_key import LedgerKey
from gateway.replication.down_traffic import CRASH_PAUSE_S, FULL_QUEUE_PAUSE_S, DownTraffic
from gateway.replication.known_ledger import KnownLedger
from gateway.replication.signing import load_or_create_key
from tests.gateway.journal.samples import GATEWAY
from tests.gateway.replication.test_downlink import bench_of, stock

LEDGER_KEY = LedgerKey("5a" * 32)


@pytest.fixture
def bench(tmp_path):
    with bench_of(tmp_path) as bench:
        bench.load()
        bench.traffic = DownTraffic(
            bench.downlink,
            journal=bench.journal,
            key=load_or_create_key(tmp_path / "gateway.key"),
            ledger=KnownLedger(tmp_path / "ledger.json", configured_key=LEDGER_KEY.public_key_hex),
            health=bench.health,
        )
        yield bench


def message(number, notice):
    down = encode_down(
        gateway=GATEWAY,
        stream="stream-1",
        first_number=number,
        notices=[encode_notice(notice)],
    )
    return seal("down", down, LEDGER_KEY.sign)


def turn(bench, *payloads, takes=True):
    sent = []

    def publish(channel, payload):
        if takes:
            sent.append(channel)
        return takes

    bench.traffic.turn(payloads, publish, bench.now_s, connected=True, listening=True)
    return sent


def test_a_station_that_fails_holds_up_nothing_and_is_asked_again(bench):
    label_for = bench.station.label_for
    bench.station.label_for = None
    print_job = PrintRequested(job="J-1", printer="", template="bin", fields=())
    turn(bench, message(1, print_job))
    assert bench.health.counters()["downlink_crashes_total"] == 1
    assert turn(bench, message(2, stock(4))) == []  # It rests; central sends that again.
    assert bench.traffic.next_wake_s() == bench.now_s + CRASH_PAUSE_S
    bench.station.label_for = label_for
    bench.now_s += CRASH_PAUSE_S
    assert "down-ack" in turn(bench, message(2, stock(4)))
    assert bench.downlink.standing.number == 2
    assert len(bench.journal.print_jobs(10)) == 1
    assert bench.health.counters()["downlink_crashes_total"] == 1


def test_what_the_broker_cannot_take_now_is_tried_again_after_a_pause(bench):
    turn(bench, takes=False)
    assert bench.traffic.next_wake_s() == bench.now_s + FULL_QUEUE_PAUSE_S
    assert "down-ack" in turn(bench)
