"""What the replicator waits for, put in by other threads. Edge of threads."""

from collections import deque
from dataclasses import dataclass
from threading import Condition

from gateway.health import ConnectionProblem

# Acknowledgements are cumulative, notices are sent again, states say what is: where more wait than
# this, the oldest may go.
ACKS_WAITING_MAX = 256
NOTICES_WAITING_MAX = 32
STATES_WAITING_MAX = 64


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker took us and our subscription. payload_bytes_max: what it lets a message hold."""

    payload_bytes_max: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The broker is gone or refuses us.

    detail: what happened. hint: what a person can do; both for the log. problem: for the screen.
    """

    detail: str
    hint: str
    problem: ConnectionProblem


@dataclass(frozen=True, slots=True)
class Mail:
    """Everything that came since the last time.

    acks, notices, states: payloads as they came, of the ledger's acknowledgements, of its notices
    and of the states of its workers. connection: the newest change, None if there was none.
    refused: why the broker did not take a message, the newest reason, "" if it took all.
    """

    acks: tuple[bytes, ...]
    notices: tuple[bytes, ...]
    states: tuple[bytes, ...]
    connection: Connected | Disconnected | None
    refused: str


class Mailbox:
    """Bounded; any thread may put, one thread takes."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._acks: deque[bytes] = deque(maxlen=ACKS_WAITING_MAX)
        self._notices: deque[bytes] = deque(maxlen=NOTICES_WAITING_MAX)
        self._states: deque[bytes] = deque(maxlen=STATES_WAITING_MAX)
        self._connection: Connected | Disconnected | None = None
        self._refused = ""
        self._woken = False

    def put_ack(self, payload: bytes) -> None:
        """Put in an acknowledgement as it came."""
        with self._condition:
            self._acks.append(payload)
            self._wake()

    def put_notices(self, payload: bytes) -> None:
        """Put in a message with notices as it came."""
        with self._condition:
            self._notices.append(payload)
            self._wake()

    def put_state(self, payload: bytes) -> None:
        """Put in the state of a worker of central as it came."""
        with self._condition:
            self._states.append(payload)
            self._wake()

    def put_connection(self, change: Connected | Disconnected) -> None:
        """Put in that the connection came or went."""
        with self._condition:
            self._connection = change
            self._wake()

    def put_refused(self, detail: str) -> None:
        """Put in that the broker did not take a message."""
        with self._condition:
            self._refused = detail
            self._wake()

    def wake(self) -> None:
        """Make `take` return: there are new facts, room in the queue, or an end."""
        with self._condition:
            self._wake()

    def take(self, timeout_s: float) -> Mail:
        """Return what came, at once if something did, else after `timeout_s`, empty."""
        with self._condition:
            self._condition.wait_for(lambda: self._woken, timeout_s)
            mail = Mail(
                tuple(self._acks),
                tuple(self._notices),
                tuple(self._states),
                self._connection,
                self._refused,
            )
            for waiting in (self._acks, self._notices, self._states):
                waiting.clear()
            self._connection = None
            self._refused = ""
            self._woken = False
            return mail

    def _wake(self) -> None:
        self._woken = True
        self._condition.notify()
