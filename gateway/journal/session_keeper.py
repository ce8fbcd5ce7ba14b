"""Keeps the session of one station in the journal, and takes it up after a start. Edge of SQLite.

A session that cannot be saved costs nobody a scan: the work goes on from memory, the health of the
journal says so, and the next change tries again.
"""

import logging
from collections.abc import Sequence

from gateway.clock import Clock
from gateway.errors import JournalFull
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.journal.station_memory import SavedSession
from gateway.station.catalogue import Catalogue
from gateway.station.saved_session import (
    Restored,
    Whose,
    encode_session,
    holds_work,
    kept_part,
    restore_session,
)
from gateway.station.session import Session

TOUCHES_MAX = 64  # A page repeats a touch for half a minute.

logger = logging.getLogger(__name__)


class SessionKeeper:
    """One thread uses it: the station's. touches: of the page, done and saved, oldest first."""

    def __init__(self, journal: Journal, *, station: str, clock: Clock, health: Health) -> None:
        self._journal = journal
        self._station = station
        self._clock = clock
        self._health = health
        self._saved = kept_part(Session())
        self._failed = False
        self.touches = journal.stations.touches(station)

    def restore(self, catalogue: Catalogue) -> Restored:
        """Return the session to go on with. Raises JournalDamaged."""
        data = self._journal.stations.session(self._station)
        restored = restore_session(data, self._whose(), catalogue)
        if restored.dropped:
            logger.warning("a saved session is dropped", extra={"station": self._station})
        self._saved = kept_part(restored.session)
        return restored

    def unsaved(self, session: Session, touches: Sequence[str] = ()) -> SavedSession | None:
        """Return what is to be saved of a session, None if it is as it was saved.

        touches: of the page, that led to it or to what is recorded beside it: each is done once,
        also if the power goes before the page has heard so.
        """
        if kept_part(session) == self._saved and not touches:
            return None
        data = encode_session(session, self._whose())
        return SavedSession(self._station, data, (*self.touches, *touches)[-TOUCHES_MAX:])

    def saved(self, session: Session, touches: Sequence[str] = ()) -> None:
        """Take note that a session was saved in a commit."""
        self._saved = kept_part(session)
        self._failed = False
        self.touches = (*self.touches, *touches)[-TOUCHES_MAX:]

    def save(self, session: Session, touches: Sequence[str] = ()) -> None:
        """Save a session that has changed and comes with nothing else to record.

        A touch that changed nothing that is kept may as well be done again.
        """
        unsaved = self.unsaved(session, touches)
        if unsaved is None or kept_part(session) == self._saved:
            return
        synced = holds_work(session) or holds_work(self._saved)
        try:
            self._journal.stations.save(unsaved, synced=synced)
        except JournalFull as error:
            logger.warning("the session is not saved", extra={"reason": str(error)})
            self._health.set_journal_problem(error.hint)
            self._health.count("sessions_unsaved_total")
            self._failed = True
            return
        if self._failed:  # What was told is over; the next fact may be long in coming.
            self._health.set_journal_problem("")
        self.saved(session, touches)

    def _whose(self) -> Whose:
        return Whose(
            self._station,
            self._journal.warehouse,
            now_ms=self._clock.now_ms(),
            clock_synced=self._clock.synced(),
        )
