"""What waits for the ledger is bounded. Edge of threads."""

from threading import Thread

import pytest

from central.messages import Incoming, Waiting
from tests.waiting import wait_for


def message(number, *, qos=1):
    return Incoming("topic", b"payload", "up", number, qos, 1)


def full(count=3):
    waiting = Waiting(count)
    for number in range(count):
        assert waiting.put(message(number))
    return waiting


def test_messages_are_taken_in_the_order_in_which_they_came():
    waiting = full()
    assert [one.number for one in waiting.take(2, 0)] == [0, 1]
    assert waiting.put(message(7))
    assert [one.number for one in waiting.take(9, 0)] == [2, 7]
    assert waiting.take(9, 0) == []


@pytest.mark.parametrize("qos", [1, 2])
def test_beyond_the_bound_messages_are_dropped_and_counted(qos):
    waiting = full()
    assert not waiting.put(message(4, qos=qos), patience_s=0.01)
    assert waiting.put(message(5, qos=0))
    assert (waiting.dropped_count, waiting.unsettled_count) == (1, 3)


def test_who_has_patience_gets_the_room_that_is_made():
    waiting, found = full(), []
    thread = Thread(target=lambda: found.append(waiting.put(message(4), patience_s=10)))
    thread.start()
    assert wait_for(lambda: waiting.take(1, 0.01), what="a message")[0].number == 0
    thread.join(60)
    assert found == [True] and waiting.unsettled_count == 3


def test_nobody_waits_for_room_in_what_is_closed():
    waiting = full()
    waiting.close()
    assert not waiting.put(message(4), patience_s=1000)


def test_what_is_cleared_is_forgotten_and_who_takes_is_woken():
    waiting = full()
    waiting.clear()
    assert (waiting.take(9, 1000), waiting.unsettled_count) == ([], 0)
    assert waiting.put(message(4))
