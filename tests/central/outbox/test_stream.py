"""What goes out when, event by event. Pure."""

import pytest

from central.contract.notices import NOTICE_BYTES_MAX
from central.outbox.stream import (
    DOUBTS_MAX,
    RESEND_MAX_S,
    RESEND_MIN_S,
    WINDOW_BYTES_MAX,
    WINDOW_COUNT_MAX,
    Kept,
    NoticeStream,
    RecordAck,
    Renew,
    SendRun,
)


class Sender:
    """A stream with a clock of its own; `sends` says what goes out now."""

    def __init__(self, *, head=0, acked=0, oldest=1, heard=True):
        self.now_s = 100.0
        self.kept = Kept("s1", oldest, acked, head)
        self.stream = NoticeStream(self.kept, jitter=lambda: 0.5)
        self.stream.connected(self.now_s)
        self.stream.reachable(self.now_s, yes=True)
        if heard:
            self.ack(acked)

    def write(self, count):
        kept = self.kept
        self.kept = Kept("s1", kept.oldest, kept.acked, kept.head + count)
        self.stream.loaded(self.kept)

    def ack(self, number, *, stream="s1"):
        return self.stream.received_ack(stream=stream, number=number, now_s=self.now_s)

    def wait(self, seconds):
        self.now_s += seconds
        return self

    def sends(self, *, size=100, at_once_max=1000):
        """(first, last) of all messages that go out now."""
        messages = []
        while (run := self.stream.next_run(self.now_s)) is not None:
            count = min(run.count_max, at_once_max)
            self.stream.sent(run, sizes=[size] * count, now_s=self.now_s)
            messages.append((run.first_number, run.first_number + count - 1))
        return messages


def test_nothing_goes_out_without_broker_or_gateway():
    sender = Sender(head=3)
    sender.stream.disconnected()
    assert sender.sends() == [] and sender.stream.next_wake_s(sender.now_s) is None
    sender.stream.connected(sender.now_s)
    sender.stream.reachable(sender.now_s, yes=False)
    assert sender.sends() == [] and sender.stream.next_wake_s(sender.now_s) is None
    sender.stream.reachable(sender.now_s, yes=True)
    assert sender.sends() == [(1, 3)]


def test_a_start_begins_with_one_message_until_the_gateway_is_heard():
    sender = Sender(head=200, heard=False)
    assert sender.sends() == [(1, WINDOW_COUNT_MAX)]
    sender.ack(WINDOW_COUNT_MAX)
    assert sender.sends(at_once_max=32) == [(65, 96), (97, 128)]


def test_the_window_is_bounded_in_notices_and_in_bytes():
    assert Sender(head=200).sends(at_once_max=10)[-1][1] == WINDOW_COUNT_MAX
    large = Sender(head=200).sends(size=NOTICE_BYTES_MAX, at_once_max=1)
    assert len(large) * NOTICE_BYTES_MAX == WINDOW_BYTES_MAX


def test_an_acknowledgement_is_recorded_once():
    sender = Sender(head=5)
    sender.sends()
    assert sender.ack(3) == RecordAck(3)
    assert sender.ack(3) is None
    assert sender.ack(5) == RecordAck(5)


def test_silence_is_answered_by_one_message_after_growing_pauses():
    sender = Sender(head=200)
    sender.sends()
    pauses = []
    for _ in range(7):
        wake_s = sender.stream.next_wake_s(sender.now_s)
        pauses.append(wake_s - sender.now_s)
        sender.now_s = wake_s
        assert sender.sends(at_once_max=4) == [(1, 4)]
    assert pauses == [RESEND_MIN_S, 4.0, 8.0, 16.0, RESEND_MAX_S, RESEND_MAX_S, RESEND_MAX_S]
    sender.ack(4)
    assert sender.sends(at_once_max=30) == [(5, 34), (35, 64), (65, 68)]


def test_a_repeated_acknowledgement_means_a_lost_message_and_goes_back_once():
    sender = Sender(head=6)
    assert sender.sends(at_once_max=2) == [(1, 2), (3, 4), (5, 6)]
    sender.ack(2)
    sender.wait(1.0).ack(2)
    assert sender.sends() == [(3, 6)]
    sender.wait(0.1).ack(2)
    assert sender.sends() == []


def test_a_gateway_that_went_back_a_little_is_sent_what_it_lacks_at_once():
    sender = Sender(head=20, acked=20, oldest=5)
    assert sender.wait(1.0).ack(10) is None
    assert sender.sends() == [(11, 20)]


def test_another_stream_brings_one_message_after_growing_pauses_and_nothing_else():
    sender = Sender(head=20, acked=10, oldest=1)
    sender.ack(7, stream="s0")
    assert sender.sends() == [(11, 11)]
    sender.write(5)
    sender.ack(7, stream="")
    assert sender.wait(1.9).sends() == []
    assert sender.wait(0.1).sends() == [(11, 11)]
    assert sender.wait(3.9).sends() == []
    assert sender.wait(0.1).sends() == [(11, 11)]
    sender.ack(10)
    assert sender.sends() == [(11, 25)]


def test_where_nothing_is_kept_to_ask_with_an_announcement_is_wanted():
    sender = Sender()
    assert not sender.stream.needs_announcement
    sender.ack(3, stream="s0")
    assert sender.stream.needs_announcement and sender.sends() == []
    sender.write(1)
    assert not sender.stream.needs_announcement and sender.sends() == [(1, 1)]


def test_the_newest_notice_asks_where_all_are_acknowledged():
    sender = Sender(head=20, acked=20, oldest=5)
    sender.ack(0, stream="")
    assert sender.sends() == [(20, 20)]


def test_an_acknowledgement_of_what_was_never_said_renews_the_stream():
    assert Sender(head=5).ack(6) == Renew("ahead", 6)


def test_what_is_no_longer_kept_renews_only_when_it_is_said_again_and_again():
    sender = Sender(head=40, acked=40, oldest=25)
    for _ in range(DOUBTS_MAX - 1):
        assert [sender.ack(3) for _ in range(5)] == [None] * 5
        assert sender.wait(RESEND_MAX_S * 2).sends() == [(40, 40)]
    assert sender.ack(3) is None
    assert sender.wait(RESEND_MAX_S * 2).sends() == [(40, 40)]
    assert sender.ack(3) == Renew("gone", 3)


def test_a_late_word_from_long_ago_is_forgotten_when_the_gateway_answers():
    sender = Sender(head=40, acked=40, oldest=25)
    for _ in range(DOUBTS_MAX * 2):
        assert sender.ack(3) is None
        assert sender.wait(60).sends() == [(40, 40)]
        assert sender.ack(40) is None
    assert sender.sends() == []


def test_what_another_worker_heard_is_not_sent_again():
    sender = Sender(head=20)
    sender.sends(at_once_max=10)
    sender.stream.loaded(Kept("s1", 5, 20, 20))
    assert sender.wait(60).sends() == [] and sender.stream.acked == 20


def test_a_new_connection_sends_what_was_under_way_again():
    sender = Sender(head=4)
    assert sender.sends() == [(1, 4)]
    sender.stream.disconnected()
    sender.stream.connected(sender.now_s)
    assert sender.sends() == [(1, 4)]


@pytest.mark.parametrize("number", [0, 5, 10])
def test_a_run_is_asked_for_again_until_it_is_sent(number):
    sender = Sender(head=number + 2, acked=number, oldest=1)
    run = SendRun(number + 1, 2)
    assert [sender.stream.next_run(sender.now_s) for _ in range(2)] == [run, run]


def test_late_words_make_it_go_back_once_in_a_while_only():
    sender = Sender(head=20, acked=20, oldest=5)
    sender.wait(1.0).ack(10)
    assert sender.sends() == [(11, 20)]
    sender.ack(20)
    sender.wait(0.1).ack(10)
    assert sender.sends() == []
    sender.wait(0.2).ack(10)
    assert sender.sends() == [(11, 20)]
