"""The sender's rules, one by one. Pure."""

from msgspec.structs import replace

from central.contract.acks import Ack
from central.contract.identifiers import Epoch
from gateway.journal.records import EpochProgress
from gateway.replication.sender import (
    FLUSH_S,
    GAP_PAUSE_S,
    RESEND_MAX_S,
    RESEND_MIN_S,
    RUN_FACTS_MAX,
    RecordAck,
    Sender,
    SendRun,
)

OLD = Epoch(start_count=1, nonce=11)
NEW = Epoch(start_count=2, nonce=5)
OURS = b"o" * 32


def a_sender(*progress: EpochProgress, window_facts_max: int = 8000) -> Sender:
    sender = Sender(jitter=lambda: 0.5, window_facts_max=window_facts_max)
    sender.appended(progress, 0.0)
    sender.connected(0.0)
    return sender


def send_all(sender: Sender, now_s: float) -> list[tuple[Epoch, int, int]]:
    """Send what the sender wants to; return (epoch, first, last) of each run."""
    runs = []
    while (run := sender.next_run(now_s)) is not None:
        last_seq = run.first_seq + run.facts_max - 1
        sender.sent(run, last_seq=last_seq, now_s=now_s)
        runs.append((run.epoch, run.first_seq, last_seq))
        assert len(runs) < 100
    return runs


def ack(epoch: Epoch, acked: int, **changes: object) -> Ack:
    plain = Ack(
        gateway="dock-1",
        start_count=epoch.start_count,
        nonce=epoch.nonce,
        acked=acked,
        want=acked + 1,
        head_digest=OURS,
        credit_count=8000,
        ledger_generation="g1",
        ledger_time_ms=1,
    )
    return replace(plain, **changes)


def test_nothing_is_sent_before_the_broker_holds_the_connection() -> None:
    sender = Sender(jitter=lambda: 0.5)
    sender.appended([EpochProgress(NEW, 3, 0)], 0.0)
    assert sender.next_run(0.0) is None
    assert sender.next_wake_s(0.0) is None
    sender.connected(1.0)
    assert sender.next_run(1.0) == SendRun(NEW, 1, 3)
    sender.disconnected()
    assert sender.next_run(9.0) is None


def test_a_lone_fact_goes_at_once_and_the_next_ones_together() -> None:
    sender = a_sender(EpochProgress(NEW, 1, 0))
    assert send_all(sender, 0.0) == [(NEW, 1, 1)]
    sender.appended([EpochProgress(NEW, 2, 0)], 0.010)
    sender.appended([EpochProgress(NEW, 7, 0)], 0.020)
    assert send_all(sender, 0.020) == []
    assert sender.next_wake_s(0.020) == 0.010 + FLUSH_S
    assert send_all(sender, 0.010 + FLUSH_S) == [(NEW, 2, 7)]


def test_a_full_run_does_not_wait_for_the_flush_time() -> None:
    sender = a_sender(EpochProgress(NEW, 1, 0))
    send_all(sender, 0.0)
    sender.appended([EpochProgress(NEW, RUN_FACTS_MAX + 2, 0)], 0.001)
    assert send_all(sender, 0.001) == [(NEW, 2, RUN_FACTS_MAX + 1)]


def test_the_window_and_the_credit_bound_what_is_under_way() -> None:
    sender = a_sender(EpochProgress(NEW, 5000, 0), window_facts_max=900)
    assert send_all(sender, 0.0)[-1] == (NEW, 501, 900)
    sender.received_ack(ack(NEW, 500, credit_count=450), our_digest=OURS, now_s=0.1)
    assert send_all(sender, 1.0) == [(NEW, 901, 950)]


def test_a_ledger_without_credit_gets_one_fact_at_a_time() -> None:
    sender = a_sender(EpochProgress(NEW, 5, 0))
    send_all(sender, 0.0)
    sender.received_ack(ack(NEW, 5, credit_count=0), our_digest=OURS, now_s=0.1)
    sender.appended([EpochProgress(NEW, 9, 5)], 0.2)
    assert send_all(sender, 0.2) == [(NEW, 6, 6)]


def test_the_oldest_epoch_drains_before_newer_ones() -> None:
    sender = a_sender(EpochProgress(NEW, 4, 0), EpochProgress(OLD, 2, 1))
    assert send_all(sender, 0.0) == [(OLD, 2, 2)]
    note = sender.received_ack(ack(OLD, 2), our_digest=OURS, now_s=0.1)
    assert note == RecordAck(OLD, 2)
    assert send_all(sender, 0.1) == [(NEW, 1, 4)]


def test_silence_makes_one_probe_at_growing_pauses_for_ever() -> None:
    sender = a_sender(EpochProgress(NEW, 5000, 0))
    assert len(send_all(sender, 0.0)) == 2
    now_s, pauses = 0.0, []
    for _ in range(12):
        wake_s = sender.next_wake_s(now_s)
        assert wake_s is not None
        assert send_all(sender, wake_s - 0.001) == []
        pauses.append(wake_s - now_s)
        now_s = wake_s
        assert send_all(sender, now_s) == [(NEW, 1, RUN_FACTS_MAX)]
    assert pauses[:4] == [2.0, 4.0, 8.0, 16.0]
    assert set(pauses[4:]) == {RESEND_MAX_S}
    sender.received_ack(ack(NEW, 500), our_digest=OURS, now_s=now_s)
    assert len(send_all(sender, now_s)) > 1


def test_a_repeated_acknowledgement_goes_back_once() -> None:
    sender = a_sender(EpochProgress(NEW, 600, 0))
    send_all(sender, 0.0)
    sender.received_ack(ack(NEW, 100), our_digest=OURS, now_s=GAP_PAUSE_S)
    sender.received_ack(ack(NEW, 100), our_digest=OURS, now_s=GAP_PAUSE_S)
    assert send_all(sender, 0.5) == [(NEW, 101, 600)]
    sender.received_ack(ack(NEW, 100), our_digest=OURS, now_s=1.0)
    assert send_all(sender, 1.0) == []


def test_gaps_one_upon_the_other_go_back_only_so_often() -> None:
    sender = a_sender(EpochProgress(NEW, 500, 0))
    send_all(sender, 0.0)
    for acked in range(10, 60, 10):
        for _ in range(2):
            sender.received_ack(ack(NEW, acked), our_digest=OURS, now_s=0.1)
        assert send_all(sender, 0.1) == []


def test_an_old_acknowledgement_changes_nothing() -> None:
    sender = a_sender(EpochProgress(NEW, 9, 0))
    send_all(sender, 0.0)
    sender.received_ack(ack(NEW, 8, ledger_time_ms=80), our_digest=OURS, now_s=0.3)
    note = sender.received_ack(ack(NEW, 3, ledger_time_ms=30), our_digest=OURS, now_s=0.4)
    assert note is None
    assert send_all(sender, 0.4) == []


def test_a_restored_ledger_gets_again_what_it_lost() -> None:
    sender = a_sender(EpochProgress(NEW, 9, 0))
    send_all(sender, 0.0)
    sender.received_ack(ack(NEW, 9), our_digest=OURS, now_s=0.3)
    restored = ack(NEW, 4, ledger_generation="g2", ledger_time_ms=0)
    assert sender.received_ack(restored, our_digest=OURS, now_s=0.4) is None
    assert send_all(sender, 0.4) == [(NEW, 5, 9)]
    assert (
        sender.received_ack(ack(NEW, 9, ledger_generation="g2"), our_digest=OURS, now_s=0.5) is None
    )  # The journal has known it since the first time.


def test_a_finished_epoch_that_the_ledger_lost_is_opened_again() -> None:
    sender = a_sender(EpochProgress(NEW, 0, 0))
    sender.reopened(EpochProgress(OLD, 7, 2), 1.0)
    sender.appended([EpochProgress(NEW, 1, 0)], 1.0)
    assert send_all(sender, 1.0) == [(OLD, 3, 7)]
    sender.received_ack(ack(OLD, 7), our_digest=OURS, now_s=1.1)
    assert send_all(sender, 1.1) == [(NEW, 1, 1)]


def test_an_acknowledgement_that_is_not_ours_is_ignored_and_told() -> None:
    foreign = Epoch(start_count=9, nonce=9)
    cases = [
        ("unknown_epoch", ack(foreign, 3), None),
        ("foreign_head", ack(NEW, 3, head_digest=b"x" * 32), OURS),
        ("ack_ahead", ack(NEW, 99), None),
        ("ack_ahead", ack(NEW, 99), OURS),
    ]
    for problem, bad, our_digest in cases:
        sender = a_sender(EpochProgress(NEW, 5, 0))
        send_all(sender, 0.0)
        assert sender.received_ack(bad, our_digest=our_digest, now_s=0.1) is None
        assert sender.problem == problem
        assert sender.received_ack(ack(NEW, 5), our_digest=OURS, now_s=0.2) is not None
        assert sender.problem == ""


def test_a_problem_of_the_gateway_stops_all_but_a_slow_probe() -> None:
    sender = a_sender(EpochProgress(OLD, 2, 0), EpochProgress(NEW, 2, 0))
    send_all(sender, 0.0)
    refused = ack(OLD, 0, problem="unknown_gateway")
    assert sender.received_ack(refused, our_digest=OURS, now_s=1.0) is None
    assert sender.problem == "unknown_gateway"
    now_s, pauses = 1.0, []
    for _ in range(7):
        wake_s = sender.next_wake_s(now_s)
        assert wake_s is not None
        assert send_all(sender, wake_s - 0.001) == []
        assert [run[:2] for run in send_all(sender, wake_s)] == [(OLD, 1)]
        sender.received_ack(refused, our_digest=OURS, now_s=wake_s)
        pauses.append(wake_s - now_s)
        now_s = wake_s
    assert pauses == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    sender.received_ack(ack(OLD, 2), our_digest=OURS, now_s=99.0)
    assert sender.problem == ""
    assert send_all(sender, 99.0) == [(NEW, 1, 2)]


def test_a_forged_refusal_does_not_delay_an_idle_gateway() -> None:
    sender = a_sender(EpochProgress(NEW, 1, 1))
    sender.received_ack(ack(NEW, 1, problem="bad_signature"), our_digest=OURS, now_s=1.0)
    assert sender.problem == "bad_signature"
    sender.appended([EpochProgress(NEW, 2, 1)], 1.5)
    assert [run[:2] for run in send_all(sender, 1.5)] == [(NEW, 2)]
    sender.received_ack(ack(NEW, 2), our_digest=OURS, now_s=1.6)
    assert sender.problem == ""


def test_a_forked_epoch_does_not_stop_the_newer_ones() -> None:
    sender = a_sender(EpochProgress(OLD, 2, 0), EpochProgress(NEW, 2, 0))
    send_all(sender, 0.0)
    sender.received_ack(ack(OLD, 0, problem="fork"), our_digest=OURS, now_s=1.0)
    assert send_all(sender, 1.0) == [(NEW, 1, 2)]
    sender.received_ack(ack(NEW, 2), our_digest=OURS, now_s=1.1)
    assert sender.problem == "fork"
    assert sender.next_wake_s(1.1) == 1.0 + RESEND_MIN_S


def test_an_older_epoch_of_which_the_ledger_has_more_does_not_stop_the_newer_ones() -> None:
    sender = a_sender(EpochProgress(OLD, 10, 0), EpochProgress(NEW, 3, 0))
    send_all(sender, 0.0)
    sender.received_ack(ack(OLD, 15), our_digest=None, now_s=1.0)
    assert sender.problem == "ack_ahead"
    assert send_all(sender, 1.0) == [(NEW, 1, 3)]
    assert sender.received_ack(ack(NEW, 3), our_digest=OURS, now_s=1.1) == RecordAck(NEW, 3)
    assert sender.problem == "ack_ahead"
    assert sender.next_wake_s(1.1) == 1.0 + RESEND_MIN_S
    assert [run[:2] for run in send_all(sender, 1.0 + RESEND_MIN_S)] == [(OLD, 1)]
    sender.received_ack(ack(OLD, 10), our_digest=OURS, now_s=4.0)
    assert sender.problem == ""


def test_a_gateway_of_the_wrong_warehouse_sends_nothing_but_a_slow_probe() -> None:
    sender = a_sender(EpochProgress(OLD, 2, 0), EpochProgress(NEW, 2, 0))
    send_all(sender, 0.0)
    sender.received_ack(ack(OLD, 0, problem="wrong_warehouse"), our_digest=OURS, now_s=1.0)
    assert sender.problem == "wrong_warehouse"
    assert send_all(sender, 1.0) == []
    assert sender.next_wake_s(1.0) == 1.0 + RESEND_MIN_S


def test_facts_that_the_journal_no_longer_holds_are_told_and_do_not_stop_newer_epochs() -> None:
    sender = a_sender(EpochProgress(OLD, 2, 0), EpochProgress(NEW, 2, 0))
    run = sender.next_run(0.0)
    assert run is not None
    sender.cannot_send(run, problem="facts_gone", now_s=0.0)
    assert sender.problem == "facts_gone"
    assert send_all(sender, 0.0) == [(NEW, 1, 2)]


def test_what_arrived_after_all_is_not_sent_again() -> None:
    sender = a_sender(EpochProgress(NEW, 9, 0))
    send_all(sender, 0.0)
    sender.connected(0.1)
    sender.received_ack(ack(NEW, 6), our_digest=OURS, now_s=0.2)
    assert send_all(sender, 0.2) == [(NEW, 7, 9)]
