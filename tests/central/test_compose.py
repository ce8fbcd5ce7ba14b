"""Pages and intake end together. Edge of threads and signals."""

import signal
import socket
from threading import Event

import pytest

from central.access.refusals import Refusals
from central.compose import WebServer, run_both
from central.config import HttpSection
from central.errors import IntakeEnded
from central.inbox.intake_loop import IntakeLoop
from central.service_notice import Pulse
from central.web.app import create_app
from central.web.serving import web_config
from tests.central.scenery import FixedClock
from tests.central.test_intake_loop import KEY, MemoryInbox, MemoryLink


class BreakingLink(MemoryLink):
    """A link that fails in one call, once `broken` is set."""

    def __init__(self, call):
        super().__init__([])
        self.call = call
        self.broken = Event()

    def take(self, count_max, timeout_s):
        self._break("take")
        return super().take(count_max, timeout_s)

    def settle(self, messages):
        self._break("settle")
        super().settle(messages)

    def _break(self, call):
        if self.broken.is_set() and call == self.call:
            raise ZeroDivisionError("oops")


@pytest.fixture
def signals_kept():
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def serve_until_end(link, database, *, ready):
    intake = IntakeLoop(
        link=link, inbox=MemoryInbox([], []), note_states=len, jitter=lambda: 0.0, sign=KEY.sign
    )
    app = create_app(database=database, clock=FixedClock(), site="demo", intake_alive=intake.alive)
    config = web_config(app, HttpSection(), Refusals())
    pulse = Pulse(lambda: 0, clock_s=lambda: 0.0)
    server = WebServer(config, ready, intake_alive=intake.alive, pulse=pulse)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        run_both(server, intake, listening)
    assert not intake.alive()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("call", ["take", "settle"])
def test_an_intake_that_dies_ends_the_program_with_an_error(database, call, signals_kept, caplog):
    link = BreakingLink(call)
    with pytest.raises(IntakeEnded) as caught:
        serve_until_end(link, database, ready=link.broken.set)
    assert caught.value.hint
    told = {record.getMessage(): record for record in caplog.records}
    assert told["the intake has ended"].exc_info and told["ending"].hint


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_intake_that_is_told_to_end_is_no_error(database, signals_kept):
    link = BreakingLink("")
    serve_until_end(link, database, ready=lambda: signal.raise_signal(signal.SIGTERM))
