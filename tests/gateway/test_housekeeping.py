"""The watchdog is fed while every station's thread goes round, and no longer."""

import queue
import socket
from itertools import count

import pytest

from gateway.housekeeping import STILL_S_MAX, Progress, keep_house

TURNS_OF_HOUSEKEEPING = 3


class Clock:
    """Monotonic time that moves on by so many seconds whenever somebody looks."""

    def __init__(self, step_s):
        self._seconds = count(0, step_s)

    def monotonic_ns(self):
        return next(self._seconds) * 10**9


class Station:
    """A station's thread: its turns, one after another."""

    def __init__(self, turns):
        self._turns = iter(turns)

    @property
    def turns(self):
        return next(self._turns)


class Upkeep:
    """Ends the housekeeping after some turns."""

    def __init__(self):
        self.stop = queue.SimpleQueue()
        self._left = TURNS_OF_HOUSEKEEPING

    def tick(self):
        self._left -= 1
        if not self._left:
            self.stop.put(15)


@pytest.fixture
def beats(tmp_path, monkeypatch):
    """What systemd is told, as a list; read when it is asked for."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        def read():
            found = []
            while True:
                try:
                    found.append(notify.recv(64))
                except BlockingIOError:
                    return found

        yield read


@pytest.mark.parametrize(
    ("turns", "fed_count"),
    [
        pytest.param([(1, 2, 3), (5, 6, 7)], 3, id="both go round"),
        pytest.param([(1, 2, 3), (5, 5, 5)], 1, id="one stands still"),
        pytest.param([(5, 5, 6), (1, 2, 3)], 2, id="one stood still for a while"),
    ],
)
def test_systemd_hears_from_us_only_while_every_station_goes_round(turns, fed_count, beats):
    upkeep = Upkeep()
    stations = [Station(one) for one in turns]
    # Each looks at the clock once a turn of the housekeeping.
    assert keep_house(stations, upkeep, upkeep.stop, clock=Clock(STILL_S_MAX // 2 + 1))
    assert beats() == [b"WATCHDOG=1"] * fed_count


def test_a_thread_that_has_ended_ends_the_service(beats):
    upkeep = Upkeep()
    assert not keep_house([Station([None])], upkeep, upkeep.stop, clock=Clock(1))
    assert beats() == []


def test_where_the_threads_stand_is_said_once(capfd, caplog):
    progress = Progress(Clock(STILL_S_MAX))
    assert [progress.goes_on(7) for _ in range(4)] == [True, False, False, False]
    assert [one.message for one in caplog.records].count("a station's thread stands still") == 1
    assert "test_where_the_threads_stand_is_said_once" in capfd.readouterr().err
