"""The way in: once, in order, acknowledged after the commit; on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from central.contract.envelope import decode_batch
from central.contract.facts import NO_HEAD
from central.errors import LedgerUnavailable
from central.inbox.inbox import Inbox
from central.inbox.positions import lock_positions, lock_with_ledger
from central.inbox.written import Written
from central.ledger.state import lock_ledger, read_state
from central.ledger.verify import verify_ledger
from central.storage import tables
from central.storage.database import open_database
from tests.central.scenery import (
    NOW_MS,
    FixedClock,
    Gateway,
    discrepancies,
    enrol,
    furnished,
    load,
    on_hand,
    rows,
)
from tests.central.storage.counting import Statements
from tests.waiting import until


def moved(count, **changes):
    gateway = Gateway(**changes)
    for _ in range(count):
        gateway.move()
    return gateway


def kinds(outcomes):
    return [outcome.kind for outcome in outcomes]


def stored(database):
    return [row[:1] + row[1:2] for row in rows(database, tables.facts, "seq", "kind")]


def test_a_batch_is_stored_posted_and_acknowledged(database):
    gateway = moved(3)
    inbox = furnished(database, gateway)
    (outcome,) = inbox.accept([gateway.offer()])
    assert (outcome.kind, outcome.accepted_count, outcome.gateway) == ("accepted", 3, gateway.code)
    ack = outcome.ack
    assert (ack.gateway, ack.epoch, ack.acked, ack.want) == (gateway.code, gateway.epoch, 3, 4)
    assert ack.head_digest == gateway.head
    assert (ack.problem, ack.ledger_generation) == ("", "generation-1")
    assert (ack.ledger_time_ms, ack.credit_count) == (NOW_MS, 8000)
    assert stored(database) == [(1, "movement"), (2, "movement"), (3, "movement")]
    assert on_hand(database) == {
        ("SH1", "BIN-1", ""): 3_000_000,
        ("SH1", "supplier", ""): -3_000_000,
    }


def test_the_credit_is_what_the_intake_gives_just_now(database):
    gateway = moved(2)
    furnished(database, gateway)
    given = iter([70, 60])
    inbox = Inbox(database, clock=FixedClock(), credit=lambda: next(given))
    acks = [inbox.accept([gateway.offer()])[0].ack for _ in range(2)]
    assert [ack.credit_count for ack in acks] == [70, 60]


def test_the_stored_bytes_are_the_gateways_bytes(database):
    gateway = moved(2)
    furnished(database, gateway).accept([gateway.offer()])
    found = rows(database, tables.facts, "seq", "body", "digest", "record_no", "record_ms")
    assert found == [(n, gateway.bodies[n - 1], gateway.digests[n], n, NOW_MS) for n in (1, 2)]


def test_what_is_offered_again_after_a_crash_is_a_duplicate_with_the_same_acknowledgement(database):
    gateway = moved(3)
    first = furnished(database, gateway).accept([gateway.offer()])
    again = Inbox(database, clock=FixedClock()).accept([gateway.offer()])
    assert kinds(again) == ["duplicate"]
    assert again[0].ack == first[0].ack
    assert on_hand(database)["SH1", "BIN-1", ""] == 3_000_000


def test_an_overlapping_batch_adds_only_its_new_facts(database):
    gateway = moved(5)
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer(1, 3)])
    (outcome,) = inbox.accept([gateway.offer(2, 5)])
    assert (outcome.kind, outcome.accepted_count, outcome.ack.acked) == ("accepted", 2, 5)
    assert len(stored(database)) == 5


def test_a_gap_stores_nothing_and_asks_for_the_missing_fact(database):
    gateway = moved(5)
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer(1, 2)])
    (outcome,) = inbox.accept([gateway.offer(4, 5)])
    assert (outcome.kind, outcome.ack.acked, outcome.ack.want) == ("gap", 2, 3)
    assert outcome.ack.head_digest == gateway.digests[2]
    assert len(stored(database)) == 2


def test_an_epoch_that_does_not_begin_at_one_is_a_gap(database):
    gateway = moved(2)
    (outcome,) = furnished(database, gateway).accept([gateway.offer(2)])
    assert (outcome.kind, outcome.ack.want, outcome.ack.head_digest) == ("gap", 1, NO_HEAD)
    assert rows(database, tables.positions) == []


def test_batches_of_one_call_are_taken_in_the_order_of_their_numbers(database):
    gateway = moved(8)
    inbox = furnished(database, gateway)
    numbers = [(3, 4), (6, 6), (1, 2), (2, 3), (5, 6), (8, 8)]
    outcomes = inbox.accept([gateway.offer(first, last) for first, last in numbers])
    assert kinds(outcomes) == ["accepted", "duplicate", "accepted", "accepted", "accepted", "gap"]
    assert [outcome.ack.acked for outcome in outcomes] == [6] * 6
    assert rows(database, tables.facts, "record_no", "seq") == [(n, n) for n in range(1, 7)]


def test_a_younger_epoch_that_came_first_within_a_call_is_no_new_journal(database):
    gateway = moved(2)
    inbox = furnished(database, gateway)
    later = gateway.next_epoch()
    later.move()
    assert kinds(inbox.accept([later.offer(), gateway.offer()])) == ["accepted", "accepted"]
    assert discrepancies(database) == []
    assert rows(database, tables.facts, "record_no", "epoch") == [
        (1, str(gateway.epoch)),
        (2, str(gateway.epoch)),
        (3, str(later.epoch)),
    ]


def test_the_next_epoch_follows_on_the_head_of_the_one_before(database):
    gateway = moved(2)
    inbox = furnished(database, gateway)
    later = gateway.next_epoch()
    later.move()
    assert kinds(inbox.accept([gateway.offer(), later.offer()])) == ["accepted", "accepted"]
    assert discrepancies(database) == []


@pytest.mark.parametrize(
    ("previous_head", "word"),
    [
        pytest.param(NO_HEAD, "began anew", id="a new card"),
        pytest.param(b"x" * 32, "restored", id="a restored card"),
    ],
)
def test_a_journal_that_does_not_follow_on_is_taken_and_reported(database, previous_head, word):
    gateway = moved(2)
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer()])
    later = gateway.next_epoch(previous_head=previous_head)
    later.move()
    assert kinds(inbox.accept([later.offer()])) == ["accepted"]
    ((kind, detail),) = rows(database, tables.discrepancies, "kind", "detail")
    assert kind == "broken_chain" and word in detail


def test_another_history_under_the_same_numbers_is_a_fork(database):
    gateway, clone = moved(3), moved(2)
    clone.move("NUT")
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer()])
    for _ in range(2):
        (outcome,) = inbox.accept([clone.offer()])
        assert (outcome.kind, outcome.ack.problem, outcome.ack.acked) == ("quarantined", "fork", 3)
        assert outcome.ack.head_digest == gateway.head
    assert rows(database, tables.quarantine, "reason", "offers_count") == [("fork", 2)]
    assert discrepancies(database) == [("fork", f"{gateway.code}/{gateway.epoch}", 1)]
    assert len(stored(database)) == 3


def test_facts_that_do_not_continue_the_chain_are_refused_whole(database):
    gateway, clone = moved(2), moved(1)
    clone.move("NUT")
    clone.move()
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer()])
    (outcome,) = inbox.accept([clone.offer(3)])
    assert (outcome.kind, outcome.ack.problem, outcome.ack.want) == (
        "quarantined",
        "broken_chain",
        3,
    )
    assert len(stored(database)) == 2


def test_a_gateway_that_nobody_enrolled_is_quarantined(database):
    gateway = moved(1)
    inbox = furnished(database)
    (outcome,) = inbox.accept([gateway.offer()])
    assert (outcome.kind, outcome.ack.problem, outcome.ack.want) == (
        "quarantined",
        "unknown_gateway",
        1,
    )
    enrol(database, gateway)
    assert kinds(inbox.accept([gateway.offer()])) == ["accepted"]


def test_a_foreign_signature_is_quarantined_with_the_real_position(database):
    gateway = moved(2)
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer(1, 1)])
    forged = gateway.batch(2, key=Ed25519PrivateKey.from_private_bytes(b"z" * 32))
    (outcome,) = inbox.accept([(gateway.code, forged)])
    assert (outcome.kind, outcome.ack.problem) == ("quarantined", "bad_signature")
    assert (outcome.ack.acked, outcome.ack.head_digest) == (1, gateway.digests[1])
    assert len(stored(database)) == 1


def test_a_gateway_enrolled_for_a_wrong_warehouse_keeps_its_facts_until_that_is_put_right(database):
    gateway = moved(2)
    inbox = furnished(database, Gateway(gateway.code, warehouse="BJ1", key=gateway.key))
    (outcome,) = inbox.accept([gateway.offer()])
    assert (outcome.kind, outcome.ack.problem, outcome.ack.want) == (
        "quarantined",
        "wrong_warehouse",
        1,
    )
    assert stored(database) == [] and rows(database, tables.positions) == []
    assert rows(database, tables.quarantine, "reason") == [("wrong_warehouse",)]
    enrol(database, gateway)
    assert kinds(inbox.accept([gateway.offer()])) == ["accepted"]
    assert rows(database, tables.positions, "warehouse", "acked_seq") == [("SH1", 2)]
    assert on_hand(database)["SH1", "BIN-1", ""] == 2_000_000
    assert discrepancies(database) == []


def test_an_epoch_stays_with_its_warehouse_when_its_gateway_moves(database):
    gateway = moved(3)
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer(1, 2)])
    enrol(database, Gateway(gateway.code, warehouse="BJ1", key=gateway.key))
    later = gateway.next_epoch()
    later.move(warehouse="BJ1")
    offers = [gateway.offer(1, 2), gateway.offer(3), later.offer()]
    assert kinds(inbox.accept(offers)) == ["duplicate", "accepted", "accepted"]
    assert on_hand(database)["SH1", "BIN-1", ""] == 3_000_000
    assert on_hand(database)["BJ1", "BIN-1", ""] == 1_000_000


def test_a_batch_under_another_gateways_topic_is_quarantined(database):
    gateway = moved(1)
    (outcome,) = furnished(database, gateway).accept([("bj1-dock-9", gateway.batch())])
    assert (outcome.kind, outcome.ack, outcome.gateway) == ("quarantined", None, "bj1-dock-9")
    assert stored(database) == []


@pytest.mark.parametrize(
    "payload", [b"", b"\x00", b"no batch \x00\xff", b"\x9b" * 50, b"x" * 300_000]
)
def test_any_bytes_are_quarantined_and_hurt_nobody(database, payload):
    gateway = moved(1)
    outcomes = furnished(database, gateway).accept([("gw-x", payload), gateway.offer()])
    assert kinds(outcomes) == ["quarantined", "accepted"]
    assert rows(database, tables.quarantine, "reason") == [("unreadable",)]


def test_a_fact_that_cannot_be_read_is_kept_raw_and_does_not_block(database):
    gateway = Gateway()
    gateway.move()
    gateway.say(b"\xc1 not a fact")
    gateway.move(seq=9)
    gateway.move(lot="a\0b")
    gateway.move()
    (outcome,) = furnished(database, gateway).accept([gateway.offer()])
    assert (outcome.kind, outcome.ack.acked) == ("accepted", 5)
    assert [kind for _, kind in stored(database)] == [
        "movement",
        "unreadable",
        "unreadable",
        "unreadable",
        "movement",
    ]
    assert [kind for kind, _, _ in discrepancies(database)] == ["unreadable_fact"] * 3
    assert on_hand(database)["SH1", "BIN-1", ""] == 2_000_000
    assert verify_ledger(database).faults == ()


def test_a_database_that_is_locked_acknowledges_nothing_and_says_try_again(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    from central.storage.schema import migrate

    database, other = open_database(url, busy_timeout_s=0.05), open_database(url)
    migrate(database, generation="g")
    gateway = moved(1)
    inbox = furnished(database, gateway)
    with other.write():
        with pytest.raises(LedgerUnavailable) as caught:
            inbox.accept([gateway.offer()])
        assert caught.value.retriable and caught.value.hint
    assert kinds(inbox.accept([gateway.offer()])) == ["accepted"]
    database.close()
    other.close()


def test_a_failed_call_leaves_nothing_behind_and_the_inbox_goes_on(database):
    gateway = moved(2)
    inbox = furnished(database, gateway)
    with database.write() as connection:
        connection.execute(tables.lines.delete())
        connection.exec_driver_sql("ALTER TABLE lines RENAME TO lines_away")
    with pytest.raises(Exception, match="lines"):
        inbox.accept([gateway.offer()])
    assert stored(database) == [] and rows(database, tables.positions) == []
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE lines_away RENAME TO lines")
    assert kinds(inbox.accept([gateway.offer()])) == ["accepted"]
    assert verify_ledger(database).faults == ()


def test_two_workers_fed_the_same_batches_post_each_fact_once(database_url):
    from central.storage.schema import migrate

    database, second = open_database(database_url), open_database(database_url)
    migrate(database, generation="g")
    gateways = [moved(60, code=f"gw-{number}") for number in range(4)]
    load(database)
    enrol(database, *gateways)
    offers = [gateway.offer(first, first + 5) for first in range(1, 61, 6) for gateway in gateways]
    backwards = [offers[i + j] for i in range(0, len(offers), 4) for j in (3, 2, 1, 0)]
    start = threading.Barrier(2)

    def work(worker, batches):
        inbox = Inbox(worker, clock=FixedClock())
        start.wait()
        for index in range(0, len(batches), 2):
            inbox.accept(batches[index : index + 2])

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(work, database, offers), pool.submit(work, second, backwards)
        one.result(timeout=60)
        other.result(timeout=60)
    report = verify_ledger(database)
    assert (report.facts_count, report.lines_count, report.faults) == (240, 480, ())
    assert on_hand(database)["SH1", "BIN-1", ""] == 240_000_000
    database.close()
    second.close()


ON_POSTGRESQL = pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


def waiting_for_locks(database):
    with database.read() as connection:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return connection.execute(query).scalar_one()


@ON_POSTGRESQL
def test_of_two_workers_that_begin_one_epoch_the_later_one_looks_again(database):
    gateway = moved(5)
    inboxes = [furnished(database, gateway), Inbox(database, clock=FixedClock())]
    with ThreadPoolExecutor(2) as pool:
        with database.write() as connection:
            lock_ledger(connection)
            calls = [
                pool.submit(inbox.accept, [gateway.offer(1, last)])
                for inbox, last in zip(inboxes, (3, 5), strict=True)
            ]
            until(lambda: waiting_for_locks(database) == 2, "both workers to wait")
        outcomes = [call.result(timeout=60)[0] for call in calls]
    assert {outcome.kind for outcome in outcomes} <= {"accepted", "duplicate"}
    assert sum(outcome.accepted_count for outcome in outcomes) == 5
    assert rows(database, tables.facts, "seq", "record_no") == [(n, n) for n in range(1, 6)]
    assert verify_ledger(database).faults == ()


@ON_POSTGRESQL
def test_what_is_nothing_new_does_not_wait_for_the_ledger(database):
    gateway = moved(5)
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer(1, 3)])
    with database.write() as connection:
        lock_ledger(connection)
        assert kinds(inbox.accept([gateway.offer(1, 2), gateway.offer(5)])) == ["duplicate", "gap"]


@ON_POSTGRESQL
def test_an_epoch_is_moved_on_by_one_worker_at_a_time(database):
    gateway = moved(5)
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer(1, 1)])
    with ThreadPoolExecutor(1) as pool:
        with database.write() as connection:
            lock_positions(connection, [(gateway.code, str(gateway.epoch))])()
            call = pool.submit(inbox.accept, [gateway.offer(2, 5)])
            until(lambda: waiting_for_locks(database) == 1, "the worker to wait")
            assert len(stored(database)) == 1
        assert kinds(call.result(timeout=60)) == ["accepted"]


@ON_POSTGRESQL
def test_who_waits_for_an_epoch_does_not_hold_the_ledger(database):
    gateway = moved(5)
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer(1, 1)])
    with ThreadPoolExecutor(1) as pool:
        with database.write() as connection:
            lock_positions(connection, [(gateway.code, str(gateway.epoch))])()
            call = pool.submit(inbox.accept, [gateway.offer(2, 5)])
            until(lambda: waiting_for_locks(database) == 1, "the worker to wait")
            with database.write() as other:
                other.execute(text("SET LOCAL lock_timeout = '1s'"))
                assert lock_ledger(other).record_no == 1
        assert kinds(call.result(timeout=60)) == ["accepted"]


@ON_POSTGRESQL
def test_what_follows_is_asked_for_by_two_statements_and_written_by_one(database):
    gateway = moved(5)
    inbox = furnished(database, gateway)
    for seq in (1, 2):
        inbox.accept([gateway.offer(seq, seq)])
    with database.write() as connection:  # The connection is kept for who writes next.
        said = Statements(connection.connection.driver_connection.pgconn)
    inbox.accept([gateway.offer(3, 3)])
    assert ["FOR UPDATE" in one for one in said[:2]] == [True, False], list(said)
    assert len(said) == 3, list(said)
    said.stop()


@ON_POSTGRESQL
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_ledger_is_locked_with_the_epochs_of_several_gateways(database, count):
    gateways = [moved(2, code=f"sh1-dock-{number}") for number in range(count)]
    inbox = furnished(database, *gateways)
    for seq in (1, 2):
        outcomes = inbox.accept([gateway.offer(seq, seq) for gateway in gateways])
        assert kinds(outcomes) == ["accepted"] * count
    with database.write() as connection:
        keys = [(gateway.code, str(gateway.epoch)) for gateway in gateways]
        positions, state = lock_with_ledger(connection, [*keys, ("nobody", "1-1")])
        assert [(row[0], row[3]) for row in positions()] == [(key[0], 2) for key in sorted(keys)]
        assert state() == read_state(connection)
        assert state().record_no == 2 * count
    assert verify_ledger(database).faults == ()


def test_a_gateway_that_is_enrolled_anew_is_believed_by_its_new_key_alone(database):
    gateway = moved(1)
    inbox = furnished(database, gateway)
    assert kinds(inbox.accept([gateway.offer()])) == ["accepted"]
    other_key = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    enrol(database, Gateway(gateway.code, key=other_key))
    gateway.move()
    (outcome,) = inbox.accept([gateway.offer(2)])
    assert outcome.kind == "quarantined"
    assert outcome.detail == f"the signature is not that of {gateway.code}"
    gateway.key = other_key
    assert kinds(inbox.accept([gateway.offer(2)])) == ["accepted"]


def test_a_worker_that_another_has_overtaken_guesses_wrong_and_takes_nothing_twice(database):
    gateway = moved(4)
    first = furnished(database, gateway)
    second = Inbox(database, clock=FixedClock())
    assert kinds(first.accept([gateway.offer(1, 2)])) == ["accepted"]
    assert kinds(second.accept([gateway.offer(3, 3)])) == ["accepted"]
    # What follows on what it has written itself it takes for new, and learns better under the lock.
    for offer, kind in (((3, 3), "duplicate"), ((3, 4), "accepted"), ((4, 4), "duplicate")):
        (outcome,) = first.accept([gateway.offer(*offer)])
        assert outcome.kind == kind
    assert outcome.ack.acked == 4
    assert stored(database) == [(number, "movement") for number in range(1, 5)]
    gateway.move()
    own_key = gateway.offer(5)
    gateway.key = Ed25519PrivateKey.generate()
    enrol(database, gateway)
    assert kinds(first.accept([own_key, gateway.offer(5)])) == ["quarantined", "accepted"]


def test_what_is_written_is_followed_by_what_begins_behind_it():
    gateway = moved(5)
    batches = {first: decode_batch(gateway.offer(first, first)[1]) for first in range(1, 6)}
    written = Written()
    assert not written.is_followed_by(batches[1])
    written.note([batches[1], batches[2]], [])
    assert [first for first, one in batches.items() if written.is_followed_by(one)] == [3]
    written.note([], [batches[5]])
    assert not any(map(written.is_followed_by, batches.values()))
