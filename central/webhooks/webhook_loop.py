"""Tells subscribers what happened, several at a time, each in order. Loop."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from logging import getLogger
from threading import Event, Lock, Thread
from typing import Protocol

from central.clock import Clock
from central.errors import LedgerUnavailable
from central.storage.database import Database
from central.webhooks.http_sender import Attempt
from central.webhooks.messages import Signed, signed
from central.webhooks.outgoing import Due, fill, note_failed, note_taken, read_due

TURN_S = 1.0
FAILED_TURN_S = 5.0
SUBSCRIBERS_AT_ONCE_MAX = 8
LANE_MS_MAX = 10_000  # Then whoever takes its time has the rest in the next turn, with the others.
STOP_S_MAX = 12.0

logger = getLogger(__name__)


class Sender(Protocol):
    """What is needed of `central.webhooks.http_sender.HttpSender`."""

    def send(self, url: str, signed: Signed) -> Attempt: ...
    def close(self) -> None: ...


class WebhookLoop:
    """A thread that looks, and one for each subscriber who is told something. `start` once.

    jitter: returns a number from 0 to below 1.
    """

    def __init__(
        self, database: Database, *, sender: Sender, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock
        self._jitter = jitter
        self._woken = Event()
        self._stopping = False
        self._failing = False
        self._lock = Lock()
        self._counters: dict[str, int] = {}
        self._thread = Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the attempts in hand; what waits is told after the next start."""
        self._stopping = True
        self._woken.set()
        self._thread.join(STOP_S_MAX)
        self._sender.close()

    def alive(self) -> bool:
        """Return False before `start` and after `stop`."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Look now: something was committed."""
        self._woken.set()

    def counters(self) -> dict[str, int]:
        """Return counts since the start: of messages taken, attempts failed, database failures."""
        with self._lock:
            return dict(self._counters)

    def turn(self) -> bool:
        """Make the attempts that are due; return False if there may be more.

        Raises LedgerUnavailable.
        """
        filled_all = fill(self._database, now_ms=self._clock.now_ms())
        with self._database.read() as connection:
            due = read_due(connection, now_ms=self._clock.now_ms())
        lanes: dict[str, list[Due]] = {}
        for one in due:
            lanes.setdefault(one.subscription, []).append(one)
        if lanes:
            with ThreadPoolExecutor(SUBSCRIBERS_AT_ONCE_MAX, "webhook") as pool:
                for done in [pool.submit(self._tell, lane) for lane in lanes.values()]:
                    done.result()
        return filled_all and not due

    def _run(self) -> None:
        pause_s = TURN_S
        while not self._stopping:
            self._woken.wait(pause_s)
            self._woken.clear()
            try:
                pause_s = TURN_S if self.turn() else 0.0
                self._failing = False
            except LedgerUnavailable as error:
                self._note_failure(error)
                pause_s = FAILED_TURN_S
            except Exception:  # The top of a loop that must outlive its own mistakes.
                self._count("crashes_total")
                logger.exception("webhooks failed, going on")
                pause_s = FAILED_TURN_S

    def _tell(self, lane: list[Due]) -> None:
        """Make the attempts for one subscriber, until nobody answers or it took long enough."""
        began_ms = self._clock.now_ms()
        for due in lane:
            now_ms = self._clock.now_ms()
            if self._stopping or now_ms - began_ms >= LANE_MS_MAX:
                return
            message = signed(
                due.message,
                subscription=due.subscription,
                secret_hex=due.secret_hex,
                now_ms=now_ms,
            )
            attempt = self._sender.send(due.url, message)
            if attempt.taken:
                note_taken(self._database, due)
                self._count("taken_total")
                continue
            self._count("failed_total")
            note_failed(
                self._database,
                due,
                status=attempt.status,
                error=attempt.error,
                now_ms=now_ms,
                jitter=self._jitter(),
            )
            if not attempt.status:
                return  # Nobody answers: the next attempt would take as long.

    def _note_failure(self, error: LedgerUnavailable) -> None:
        self._count("database_failures_total")
        if not self._failing:  # Once until it is back.
            extra = {"detail": str(error), "hint": error.hint}
            logger.error("webhooks have no database", extra=extra)
        self._failing = True

    def _count(self, name: str) -> None:
        with self._lock:
            self._counters[name] = self._counters.get(name, 0) + 1
