"""Looks at all alerts twice a minute, writes letters and events, sends what waits. Loop.

alerts as they are --judge--> records, letters, events of webhooks     one transaction
letters that wait  --SMTP---> sent, or tried again later               a thread of its own
"""

from collections.abc import Callable, Sequence
from logging import getLogger
from threading import Event, Lock, Thread
from typing import Protocol

from central.clock import Clock
from central.errors import LedgerUnavailable
from central.storage.database import Database
from central.watching.records import Attempt, Waiting, due_letters, note_not_sent, note_sent
from central.watching.watch import Watch

TURN_S = 20.0
MAIL_TURN_S = 5.0
FAILED_TURN_S = 10.0
STOP_S_MAX = 20.0

logger = getLogger(__name__)


class Sender(Protocol):
    """What is needed of `central.watching.mail_sender.MailSender`."""

    def send(self, mails: Sequence[Waiting], *, now_s: int) -> list[Attempt]: ...


class WatchLoop:
    """Two threads: one looks, one sends. `start` once, `stop` once.

    sender: None where no mail server is configured. told: called after events were written.
    wait: until an event or for so many seconds.
    """

    def __init__(
        self,
        database: Database,
        watch: Watch,
        *,
        sender: Sender | None,
        clock: Clock,
        jitter: Callable[[], float],
        told: Callable[[], None] = lambda: None,
        turn_s: float = TURN_S,
        mail_turn_s: float = MAIL_TURN_S,
        wait: Callable[[Event, float], object] = Event.wait,
    ) -> None:
        self._database = database
        self._watch = watch
        self._sender = sender
        self._clock = clock
        self._jitter = jitter
        self._told = told
        self._turn_s = turn_s
        self._mail_turn_s = mail_turn_s
        self._wait = wait
        self._stopping = Event()
        self._written = Event()
        self._failing = False
        self._lock = Lock()
        self._counters: dict[str, int] = {}
        self._threads = [Thread(target=self._look_on, name="watching", daemon=True)]
        if sender is not None:
            self._threads.append(Thread(target=self._send_on, name="mail", daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after what is in hand; letters that wait are sent after the next start."""
        self._stopping.set()
        self._written.set()
        for thread in self._threads:
            thread.join(STOP_S_MAX)

    def alive(self) -> bool:
        """Return False before `start` and after `stop`."""
        return all(thread.is_alive() for thread in self._threads)

    def counters(self) -> dict[str, int]:
        """Return counts since the start: of turns, alerts told, letters sent and failed."""
        with self._lock:
            return dict(self._counters)

    def send_due(self) -> bool:
        """Send the letters that are due; return False if there may be more.

        Raises LedgerUnavailable.
        """
        if self._sender is None:
            return True
        with self._database.read() as connection:
            mails = due_letters(connection, now_ms=self._clock.now_ms())
        if not mails:
            return True
        all_taken = True
        for attempt in self._sender.send(mails, now_s=self._clock.now_ms() // 1000):
            now_ms = self._clock.now_ms()
            if not attempt.error:
                note_sent(self._database, attempt.mail.mail_no, now_ms=now_ms)
                self._count("letters_sent_total")
                continue
            all_taken = False
            self._count("letters_failed_total")
            note_not_sent(
                self._database,
                attempt.mail,
                error=attempt.error,
                for_good=attempt.for_good,
                now_ms=now_ms,
                jitter=self._jitter(),
            )
        return not all_taken

    def _look_on(self) -> None:
        self._go_on(self._turn_s, self._look, self._stopping)

    def _send_on(self) -> None:
        self._go_on(self._mail_turn_s, self.send_due, self._written)

    def _look(self) -> bool:
        told_count = self._watch.look(now_ms=self._clock.now_ms())
        self._count("turns_total")
        if told_count:
            self._count("alerts_told_total", told_count)
            self._written.set()
            self._told()
        return True

    def _go_on(self, turn_s: float, act: Callable[[], bool], woken: Event) -> None:
        pause_s = 0.0
        while not self._stopping.is_set():
            self._wait(woken, pause_s)
            if self._stopping.is_set():
                return
            woken.clear()
            try:
                pause_s = turn_s if act() else 0.0
                self._failing = False
            except LedgerUnavailable as error:
                self._note_failure(error)
                pause_s = FAILED_TURN_S
            except Exception:  # The top of a loop that must outlive its own mistakes.
                self._count("crashes_total")
                logger.exception("watching failed, going on")
                pause_s = FAILED_TURN_S

    def _note_failure(self, error: LedgerUnavailable) -> None:
        self._count("database_failures_total")
        if not self._failing:  # Once until it is back.
            extra = {"detail": str(error), "hint": error.hint}
            logger.error("watching has no database", extra=extra)
        self._failing = True

    def _count(self, name: str, by: int = 1) -> None:
        with self._lock:
            self._counters[name] = self._counters.get(name, 0) + by
