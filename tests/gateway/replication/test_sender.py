"""The sender's rules, one by one. Pure."""

from msgspec.structs import replace

from central.contract.acks import Ack
from central.contract.identifiers import Epoch
from gateway.journal.records import EpochProgress
from gateway.replication.pace import RESEND_MAX_S, RESEND_MIN_S, RUN_FACTS_MAX, RUN_FACTS_MIN
from gateway.replication.sender import FLUSH_S, RecordAck, Sender, SendRun
from gateway.replication.streams import GAP_PAUSE_S

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
    sender = a_sender(EpochProgress(NEW, 5000, 0), window_facts_max=1000)
    assert send_all(sender, 0.0)[-1] == (NEW, 501, 1000)
    sender.received_ack(ack(NEW, 500, credit_count=450), our_digest=OURS, now_s=0.1)
    assert send_all(sender, 1.0) == []
    sender.received_ack(ack(NEW, 1000, credit_count=450), our_digest=OURS, now_s=1.1)
    assert send_all(sender, 1.1) == [(NEW, 1001, 1450)]


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
        run_count = max(RUN_FACTS_MIN, RUN_FACTS_MAX >> len(pauses))  # Perhaps the line is thin.
        assert send_all(sender, now_s) == [(NEW, 1, run_count)]
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
    # Perhaps the ledger has them: the last one, which is here, asks; the newer epoch goes on.
    assert send_all(sender, 0.0) == [(OLD, 2, 2), (NEW, 1, 2)]
    sender.received_ack(ack(OLD, 0), our_digest=OURS, now_s=0.1)
    assert sender.problem == "facts_gone"
    assert send_all(sender, 0.1) == []
    assert send_all(sender, RESEND_MIN_S)[0] == (OLD, 2, 2)  # And again, for ever.


def test_facts_that_are_gone_but_were_acknowledged_are_no_problem() -> None:
    sender = a_sender(EpochProgress(OLD, 5, 0), EpochProgress(NEW, 2, 0))
    run = sender.next_run(0.0)
    assert run is not None
    sender.cannot_send(run, problem="facts_gone", now_s=0.0)
    assert send_all(sender, 0.0) == [(OLD, 5, 5), (NEW, 1, 2)]
    note = sender.received_ack(ack(OLD, 5), our_digest=OURS, now_s=0.1)
    assert (note, sender.problem) == (RecordAck(OLD, 5), "")


def test_what_arrived_after_all_is_not_sent_again() -> None:
    sender = a_sender(EpochProgress(NEW, 9, 0))
    send_all(sender, 0.0)
    sender.connected(0.1)
    sender.received_ack(ack(NEW, 6), our_digest=OURS, now_s=0.2)
    assert send_all(sender, 0.2) == [(NEW, 7, 9)]


def test_a_word_that_our_ledger_did_not_sign_moves_nothing() -> None:
    sender = a_sender(EpochProgress(NEW, 5, 0))
    send_all(sender, 0.0)
    forged = sender.received_ack(ack(NEW, 5), our_digest=OURS, now_s=0.1, authentic=False)
    assert (forged, sender.problem) == (None, "foreign_ledger")
    assert sender.received_ack(ack(NEW, 5), our_digest=OURS, now_s=0.2) == RecordAck(NEW, 5)
    assert sender.problem == ""


def test_a_refusal_of_what_somebody_else_sent_in_our_name_delays_nothing() -> None:
    sender = a_sender(EpochProgress(NEW, 5, 0))
    run = sender.next_run(0.0)
    assert run is not None
    sender.sent(run, last_seq=5, now_s=0.0, payload_digest=b"p" * 32)
    not_ours = ack(NEW, 0, problem="bad_signature", refused_digest=b"f" * 32)
    sender.received_ack(not_ours, our_digest=OURS, now_s=0.1)
    assert sender.problem == ""
    ours = ack(NEW, 0, problem="bad_signature", refused_digest=b"p" * 32)
    sender.received_ack(ours, our_digest=OURS, now_s=0.1)
    assert sender.problem == "bad_signature"


def test_another_generation_makes_every_kept_epoch_ask_and_fills_up_what_is_lost() -> None:
    sender = Sender(jitter=lambda: 0.5, generation="g1")
    sender.appended([EpochProgress(NEW, 4, 4)], 0.0)
    sender.connected(0.0)
    assert not sender.wants_epochs
    sender.appended([EpochProgress(NEW, 5, 4)], 0.0)
    send_all(sender, 0.0)
    sender.received_ack(ack(NEW, 5, ledger_generation="g2"), our_digest=OURS, now_s=0.1)
    assert sender.wants_epochs
    sender.offer([EpochProgress(OLD, 3, 3), EpochProgress(NEW, 5, 5)], 0.2)
    assert (sender.wants_epochs, sender.generation) == (False, "g1")
    assert send_all(sender, 0.2) == [(OLD, 3, 3)]
    # Of the old epoch the restored ledger has nothing.
    sender.received_ack(ack(OLD, 0, ledger_generation="g2"), our_digest=OURS, now_s=0.3)
    assert send_all(sender, 0.3) == [(OLD, 1, 3)]
    sender.received_ack(ack(OLD, 3, ledger_generation="g2"), our_digest=OURS, now_s=0.4)
    assert sender.generation == "g1"
    assert send_all(sender, 0.4) == [(NEW, 5, 5)]
    sender.received_ack(ack(NEW, 5, ledger_generation="g2"), our_digest=OURS, now_s=0.5)
    assert sender.generation == "g2"


def test_central_that_comes_up_is_asked_at_once_and_for_its_generation() -> None:
    sender = Sender(jitter=lambda: 0.5, generation="g1")
    sender.appended([EpochProgress(NEW, 5, 0)], 0.0)
    sender.connected(0.0)
    send_all(sender, 0.0)
    assert len(send_all(sender, RESEND_MIN_S)) == 1  # Silence: now the pause is four seconds.
    sender.listening("g1")
    assert send_all(sender, RESEND_MIN_S + 0.1) == [(NEW, 1, 5)]
    assert not sender.wants_epochs
    sender.listening("g2")
    assert sender.wants_epochs
    sender.offer([], 3.0)
    sender.listening("g2")  # Said again, it is no news.
    assert not sender.wants_epochs


def test_a_first_ledger_is_no_restored_one() -> None:
    sender = a_sender(EpochProgress(NEW, 5, 0))
    send_all(sender, 0.0)
    sender.received_ack(ack(NEW, 5), our_digest=OURS, now_s=0.1)
    assert (sender.generation, sender.wants_epochs) == ("g1", False)


def test_what_is_safe_for_good_is_noted_also_without_progress() -> None:
    sender = a_sender(EpochProgress(NEW, 5, 5))
    assert sender.received_ack(ack(NEW, 5), our_digest=OURS, now_s=0.1) is None
    note = sender.received_ack(ack(NEW, 5, stable=3), our_digest=OURS, now_s=0.2)
    assert note == RecordAck(NEW, 5, stable=3)
    ahead = sender.received_ack(ack(NEW, 5, stable=9), our_digest=OURS, now_s=0.3)
    assert ahead == RecordAck(NEW, 5, stable=5)


def test_a_thin_line_gets_small_batches_and_long_pauses() -> None:
    sender = a_sender(EpochProgress(NEW, 5000, 0))
    send_all(sender, 0.0)
    [(_, first, last)] = send_all(sender, 2.0)  # Nothing heard: half as much, once.
    assert (first, last) == (1, RUN_FACTS_MAX // 2)
    sender.received_ack(ack(NEW, last), our_digest=OURS, now_s=5.0)
    runs = send_all(sender, 5.0)
    assert {end - begin + 1 for _, begin, end in runs} == {RUN_FACTS_MAX // 2}
    # Word takes six seconds: that long nothing is sent twice.
    sender.received_ack(ack(NEW, runs[0][2]), our_digest=OURS, now_s=11.0)
    send_all(sender, 11.0)
    wake_s = sender.next_wake_s(11.0)
    assert wake_s is not None and wake_s >= 11.0 + 2 * 6.0


def test_a_question_about_facts_that_are_gone_is_left_without_a_problem() -> None:
    sender = a_sender(EpochProgress(NEW, 0, 0))
    sender.received_ack(ack(NEW, 0), our_digest=OURS, now_s=0.1)
    kept = [EpochProgress(OLD, 3, 3), EpochProgress(NEW, 2, 2)]
    sender.received_ack(ack(NEW, 0, ledger_generation="g2"), our_digest=OURS, now_s=0.2)
    sender.offer(kept, 1.0)
    run = sender.next_run(1.0)
    assert run == SendRun(OLD, 3, 1)
    sender.cannot_send(run, problem="facts_gone", now_s=1.0)
    assert sender.problem == ""
    sender.appended([EpochProgress(NEW, 2, 2)], 1.0)
    assert send_all(sender, 1.0) == [(NEW, 1, 2)]
    sender.received_ack(ack(NEW, 2, ledger_generation="g2"), our_digest=OURS, now_s=1.1)
    assert sender.generation == "g2"


def test_a_question_that_the_ledger_answered_with_less_is_a_problem_if_facts_are_gone() -> None:
    sender = a_sender(EpochProgress(NEW, 0, 0))
    sender.offer([EpochProgress(OLD, 3, 3)], 1.0)
    assert send_all(sender, 1.0) == [(OLD, 3, 3)]
    sender.received_ack(ack(OLD, 2), our_digest=OURS, now_s=1.1)
    run = sender.next_run(1.1)
    assert run == SendRun(OLD, 3, 1)
    sender.cannot_send(run, problem="facts_gone", now_s=1.1)
    assert sender.problem == "facts_gone"


def test_an_old_unsigned_word_that_the_broker_keeps_alarms_no_idle_gateway() -> None:
    sender = a_sender(EpochProgress(NEW, 2, 2))
    sender.received_ack(ack(NEW, 2), our_digest=OURS, now_s=0.1, authentic=False)
    assert sender.problem == ""
    sender.appended([EpochProgress(NEW, 3, 2)], 0.2)
    sender.received_ack(ack(NEW, 2), our_digest=OURS, now_s=0.3, authentic=False)
    assert sender.problem == "foreign_ledger"
