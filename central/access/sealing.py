"""Seals what was done, some times a minute, and forgets sign-ins that nobody finished. Loop."""

from logging import getLogger
from threading import Event, Thread

from central.access.audit import seal_events
from central.clock import Clock
from central.errors import LedgerUnavailable
from central.storage.database import Database

TURN_S = 20.0  # So long an event may stand without a seal.
STOP_S_MAX = 10.0

logger = getLogger(__name__)


class Sealing:
    """One thread. `start` once, `stop` once."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ended = Event()
        self._thread = Thread(target=self._run, name="sealing", daemon=True)

    def start(self) -> None:
        """Begin to seal."""
        self._thread.start()

    def stop(self) -> None:
        """End, with everything sealed that the database takes."""
        self._ended.set()
        self._thread.join(STOP_S_MAX)

    def alive(self) -> bool:
        """Return whether it still seals."""
        return self._thread.is_alive()

    def _run(self) -> None:
        failing = False
        while True:
            ended = self._ended.wait(TURN_S)
            try:
                seal_events(self._database, clock=self._clock)
                failing = False
            except LedgerUnavailable as error:
                if not failing:
                    logger.warning("events wait for their seal", extra={"detail": str(error)})
                failing = True
            if ended:
                return
