"""What stations remember beside facts: their session, and their last label. Edge of SQLite.

a step with facts or labels     the session is in the same commit: no sync of its own
work in hand, nothing recorded  a commit with a sync of its own: a tally, goods in hand, a tare
where in which workflow         a commit without a sync: a kill loses nothing, a power cut at
                                most what nobody had worked for since the last sync
"""

import sqlite3
from dataclasses import dataclass
from threading import RLock

from gateway.journal import print_jobs
from gateway.journal.transactions import reading, transaction
from gateway.station.effects import NewPrintJob

SELECT_SESSION = "SELECT data FROM station_sessions WHERE station = ?"
SAVE_SESSION = "INSERT OR REPLACE INTO station_sessions (station, data) VALUES (?, ?)"
FORGET_SESSION = "DELETE FROM station_sessions WHERE station = ?"
TOUCHES_OF = "#touches"  # Added to a station's code: no code is like it.
# In a write-ahead log NORMAL writes without waiting for the disk; the next sync takes it along.
WITHOUT_SYNC, WITH_SYNC = "PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"


@dataclass(frozen=True, slots=True)
class SavedSession:
    """A session as bytes. station: whose.

    touches: identities of the page's newest touches that are done, these and all that led to this
    session; () keeps those that were saved last.
    """

    station: str
    data: bytes
    touches: tuple[str, ...] = ()


class StationMemory:
    """Any thread may call anything. The journal's lock stands before it."""

    def __init__(self, connection: sqlite3.Connection, lock: RLock) -> None:
        self._connection = connection
        self._lock = lock

    def session(self, station: str) -> bytes | None:
        """Return the session of a station as it was saved last, None if there is none."""
        with self._lock, reading():
            row = self._connection.execute(SELECT_SESSION, (station,)).fetchone()
            return None if row is None else row[0]

    def touches(self, station: str) -> tuple[str, ...]:
        """Return the identities of a station's touches as they were saved last, oldest first."""
        data = self.session(station + TOUCHES_OF)
        return tuple(data.decode().split()) if data else ()

    def save(self, saved: SavedSession, *, synced: bool) -> None:
        """Keep a session; on return it outlives a kill, and with `synced` a power cut.

        Raises JournalFull or JournalDamaged, and then the one before is kept.
        """
        with self._lock:
            if not synced:
                self._connection.execute(WITHOUT_SYNC)
            try:
                with transaction(self._connection):
                    write_session(self._connection, saved)
            finally:
                if not synced:
                    self._connection.execute(WITH_SYNC)

    def forget(self, station: str) -> None:
        """Keep no session of a station. Raises as `save`."""
        with self._lock, transaction(self._connection):
            self._connection.execute(FORGET_SESSION, (station,))

    def last_label(self, station: str) -> NewPrintJob | None:
        """Return the last label of a station, None if none is kept."""
        with self._lock, reading():
            return print_jobs.last_label(self._connection, station)


def write_session(connection: sqlite3.Connection, saved: SavedSession) -> None:
    """Write a session inside the caller's transaction."""
    connection.execute(SAVE_SESSION, (saved.station, saved.data))
    if saved.touches:
        touches = " ".join(saved.touches).encode()
        connection.execute(SAVE_SESSION, (saved.station + TOUCHES_OF, touches))
