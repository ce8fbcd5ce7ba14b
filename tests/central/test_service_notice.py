"""Central feeds systemd's watchdog while facts are taken, and not a moment longer. Edge."""

import socket
from pathlib import Path

import pytest

from central.service_notice import BEAT_S_MAX, Pulse, notify_service
from tests.waiting import within

QUEUE_MAX = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text()) + 1


@pytest.fixture
def heard(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "8000000")

        def said():
            found = []
            try:
                while True:
                    found.append(listening.recv(100).decode())
            except BlockingIOError:
                return found

        yield said


def test_each_quarter_of_the_limit_a_loop_that_gets_on_says_so(heard):
    turns, now_s = iter(range(1000)), [0.0]
    pulse = Pulse(turns.__next__, clock_s=lambda: now_s[0])
    for tenth in range(61):
        now_s[0] = tenth / 10
        pulse.tick()
    assert heard() == ["WATCHDOG=1"] * 4  # At 0, 2, 4 and 6 s.


def test_a_web_loop_beside_an_intake_that_hangs_says_nothing(heard):
    now_s = [0.0]
    pulse = Pulse(lambda: 7, clock_s=lambda: now_s[0])
    for second in range(60):
        now_s[0] = float(second)
        pulse.tick()
    assert heard() == ["WATCHDOG=1"]


def test_an_intake_that_gets_on_again_is_told_at_once(heard):
    turns, now_s = [7], [0.0]
    pulse = Pulse(lambda: turns[0], clock_s=lambda: now_s[0])
    for second in (0, 3, 5):
        now_s[0] = float(second)
        pulse.tick()
    turns[0] = 8
    pulse.tick()
    assert heard() == ["WATCHDOG=1"] * 2


@pytest.mark.parametrize("limit", ["", "0", "soon"])
def test_without_a_watchdog_nothing_is_said(heard, monkeypatch, limit):
    monkeypatch.setenv("WATCHDOG_USEC", limit)
    pulse = Pulse(iter(range(9)).__next__, clock_s=iter([float(n) for n in range(9)]).__next__)
    for _ in range(5):
        pulse.tick()
    assert heard() == []


def test_nobody_listening_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify_service("READY=1")


def test_nobody_reading_holds_nobody_up(heard):
    for _ in range(QUEUE_MAX):
        notify_service("WATCHDOG=1")
    with within(3 * BEAT_S_MAX, what="a beat beyond what the socket takes"):
        notify_service("STOPPING=1")
    assert set(heard()) == {"WATCHDOG=1"}
