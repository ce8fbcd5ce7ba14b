"""Keeps the journal's house each second: room on the disk, retention, a look at old facts. Loop."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.clock import Clock
from gateway.errors import JournalDamaged, JournalFull
from gateway.health import Health, InstallationProblem, InstallationTrouble, StorageHealth
from gateway.journal.backup_news import BackupWatch
from gateway.journal.chain_check import check_chain
from gateway.journal.disk import (
    file_bytes,
    hold_reserve,
    measure_disk,
    own_written_bytes,
    release_reserve,
)
from gateway.journal.journal import Journal
from gateway.journal.pruned import Pruned, load_pruned
from gateway.journal.retention import Keeping, forget_old
from gateway.journal.running_hours import (
    HOUR_NS,
    HOURS_PER_DAY,
    note_hour,
    written_in_hours,
)
from gateway.journal.storage_levels import LEVELS, Room, decide_level, quota_room
from gateway.journal.swap import LOG_SUFFIX, damaged_files
from gateway.journal.transactions import transaction
from gateway.logs import log_event

CHECKED_FACTS_PER_TICK = 1000
PRUNE_PAUSE_NS = 60_000_000_000  # After a step that found nothing to forget.
LEVEL_PROBLEMS: dict[str, InstallationProblem] = {
    "low": "disk_low",
    "shedding": "disk_shedding",
    "full": "disk_full",
}

PAGES = "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size"
FREE_PAGES = "PRAGMA freelist_count"


@dataclass(frozen=True, slots=True)
class DiskProbe:
    """How the disk is asked; tests pass another one."""

    room: Callable[[Path], Room] = measure_disk
    written_bytes: Callable[[], int] = own_written_bytes


class Upkeep:
    """The upkeep of one open journal. One thread calls `tick`, every second or so."""

    def __init__(
        self,
        journal: Journal,
        path: Path,
        *,
        keeping: Keeping,
        quota_bytes: int,
        clock: Clock,
        health: Health,
        probe: DiskProbe | None = None,
        backups: BackupWatch | None = None,
    ) -> None:
        """quota_bytes: what the journal may fill, 0 for the whole disk."""
        self._journal = journal
        self._path = path
        self._keeping = keeping
        self._quota_bytes = quota_bytes
        self._clock = clock
        self._health = health
        self._probe = probe or DiskProbe()
        self._backups = backups
        self._storage = StorageHealth()
        self._is_writable = True
        self._hour_began_ns = clock.monotonic_ns()
        self._hour_began_bytes = self._probe.written_bytes()
        self._prune_due_ns = 0
        self._checked: Pruned | None = None
        with journal.exclusive() as (connection, head):
            self._earlier_bytes = written_in_hours(connection, hours_count=HOURS_PER_DAY - 1)
            self._check_to_number = head.first_number - 1
        for kept in damaged_files(path)[:1]:  # As long as it lies there, people shall know.
            self._tell("journal_repaired", kept.name)

    def tick(self) -> None:
        """Write positions and the log back, look at the disk, forget what is kept no longer.

        Raises JournalDamaged if the file itself breaks; a full disk is told and survived.
        """
        self._judge()
        if self._backups is not None:
            self._backups.tick()
        try:
            self._write()
        except JournalFull as error:
            if release_reserve(self._path):
                log_event("warning", "journal's reserve of disk given back", reason=str(error))
            elif self._is_writable:
                log_event("error", "journal not written", reason=str(error), hint=error.hint)
                self._is_writable = False
            return
        self._is_writable = True
        if self._storage.level == "ok":
            hold_reserve(self._path)

    def _write(self) -> None:
        self._journal.checkpoint_if_due()
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._hour_began_ns >= HOUR_NS:
            self._end_hour(now_ns)
        if now_ns >= self._prune_due_ns:
            self._forget(now_ns)
        self._check_old_facts()

    def _judge(self) -> None:
        """Decide how full the disk is; tell journal, health and people when that changes."""
        before = self._storage.level
        level, room = max(
            ((decide_level(room, before=before), room) for room in self._rooms()),
            key=lambda judged: (LEVELS.index(judged[0]), judged[1].used_percent),
        )
        written = self._probe.written_bytes() - self._hour_began_bytes
        self._storage = StorageHealth(
            level=level,
            disk_used_percent=room.used_percent,
            written_bytes_day=self._earlier_bytes + written,
        )
        self._health.set_storage(self._storage)
        if level == before:
            return
        self._journal.refuse_new_work(room.refusal if level == "full" else None)
        if level == "full" or before == "full":
            self._health.set_journal_problem(room.refusal.hint if level == "full" else "")
        if before in LEVEL_PROBLEMS:
            self._health.clear_trouble(LEVEL_PROBLEMS[before], self._journal.gateway)
        if level in LEVEL_PROBLEMS:
            self._tell(LEVEL_PROBLEMS[level], self._journal.gateway)
        log_event(
            "info" if level == "ok" else "error" if level == "full" else "warning",
            "room for the journal changed",
            room=level,
            used_percent=room.used_percent,
            free_bytes=room.free_bytes,
            hint="" if level == "ok" else room.refusal.hint,
        )

    def _rooms(self) -> list[Room]:
        """Return the room on the disk and within the quota; pages that are free count for both."""
        with self._journal.exclusive() as (connection, _):
            pages_count, page_bytes = connection.execute(PAGES).fetchone()
            (free_count,) = connection.execute(FREE_PAGES).fetchone()
        disk = self._probe.room(self._path)
        rooms = [replace(disk, free_bytes=disk.free_bytes + free_count * page_bytes)]
        if self._quota_bytes:
            log_bytes = file_bytes(self._path.with_name(self._path.name + LOG_SUFFIX))
            used_bytes = (pages_count - free_count) * page_bytes + log_bytes
            rooms.append(quota_room(quota_bytes=self._quota_bytes, used_bytes=used_bytes))
        return rooms

    def _end_hour(self, now_ns: int) -> None:
        written_bytes = self._probe.written_bytes()
        with self._journal.exclusive() as (connection, head):
            with transaction(connection):
                note_hour(
                    connection,
                    last_number=head.first_number + head.seq - 1,
                    written_bytes=written_bytes - self._hour_began_bytes,
                )
            self._earlier_bytes = written_in_hours(connection, hours_count=HOURS_PER_DAY - 1)
        self._hour_began_ns, self._hour_began_bytes = now_ns, written_bytes
        self._prune_due_ns = now_ns

    def _forget(self, now_ns: int) -> None:
        before = self._journal.pruned_number
        if self._journal.prune(self._keeping) != before:
            return  # More may follow with the next tick.
        with self._journal.exclusive() as (connection, _):
            forget_old(connection, self._keeping)
        self._prune_due_ns = now_ns + PRUNE_PAUSE_NS

    def _check_old_facts(self) -> None:
        """Look, once after each start, whether the facts of earlier starts are what they were."""
        with self._journal.exclusive() as (connection, _):
            after = self._checked
            pruned = load_pruned(connection)
            if after is None or after.number < pruned.number:
                after = pruned
            left = self._check_to_number - after.number
            if left <= 0:
                self._checked = after
                return
            try:
                self._checked = check_chain(
                    connection,
                    gateway=self._journal.gateway,
                    after=after,
                    facts_max=min(left, CHECKED_FACTS_PER_TICK),
                )
            except JournalDamaged as error:
                self._check_to_number = 0
                self._tell("journal_damaged", self._path.name)
                log_event("error", "old facts are damaged", reason=str(error), hint=error.hint)

    def _tell(self, problem: InstallationProblem, subject: str) -> None:
        now_ms = self._clock.now_ms()
        self._health.set_trouble(InstallationTrouble(problem, subject, since_ms=now_ms))
