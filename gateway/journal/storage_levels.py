"""How full the journal's disk is, and what follows from that. Pure.

    level      disk                                   quota     what follows
    ok                                                          everything is recorded
    low        85 % used                              85 %      a person is told
    shedding   95 % used, or the reserve is begun     95 %      passages of tags are not recorded
    full       the last of the reserve is begun       100 %     no new work; sending goes on

A level is left only when there is clearly more room, so that nobody is told in turns.
"""

from dataclasses import dataclass

from gateway.health import StorageLevel
from gateway.journal.records import Refusal

LOW_PERCENT = 85
SHED_PERCENT = 95
CLEARLY_PERCENT = 2
RESERVE_BYTES = 64 * 1024 * 1024
LAST_RESERVE_BYTES = 16 * 1024 * 1024
LEVELS: tuple[StorageLevel, ...] = ("ok", "low", "shedding", "full")
DISK_REFUSAL = Refusal(
    "the disk of the journal is full",
    "Make space on the gateway's disk or replace its card; scan again afterwards.",
)
QUOTA_REFUSAL = Refusal(
    "the journal has reached its quota_bytes",
    "Let the gateway send to central, or raise quota_bytes of [journal]; scan again afterwards.",
)


@dataclass(frozen=True, slots=True)
class Room:
    """What the journal may fill. shed_below_bytes, full_below_bytes: free room at these levels."""

    total_bytes: int
    free_bytes: int
    shed_below_bytes: int
    full_below_bytes: int
    refusal: Refusal

    @property
    def used_percent(self) -> int:
        """Return how much of it is used, 0 to 100."""
        used_bytes = min(max(self.total_bytes - self.free_bytes, 0), self.total_bytes)
        return used_bytes * 100 // self.total_bytes if self.total_bytes else 100


def disk_room(*, total_bytes: int, free_bytes: int) -> Room:
    """Return the room on a disk."""
    return Room(total_bytes, free_bytes, RESERVE_BYTES, LAST_RESERVE_BYTES, DISK_REFUSAL)


def quota_room(*, quota_bytes: int, used_bytes: int) -> Room:
    """Return the room that a quota leaves."""
    return Room(quota_bytes, quota_bytes - used_bytes, 1, 1, QUOTA_REFUSAL)


def decide_level(room: Room, *, before: StorageLevel) -> StorageLevel:
    """Return the level that room makes; `before`: the one until now."""
    level = _level(room, slack=False)
    if LEVELS.index(level) >= LEVELS.index(before):
        return level
    # Downwards by what the level would be with a little less room.
    careful = _level(room, slack=True)
    return min(careful, before, key=LEVELS.index)


def _level(room: Room, *, slack: bool) -> StorageLevel:
    percent = room.used_percent + (CLEARLY_PERCENT if slack else 0)
    free_bytes = room.free_bytes
    if slack:
        free_bytes -= room.full_below_bytes // 4
    if free_bytes < room.full_below_bytes:
        return "full"
    if percent >= SHED_PERCENT or free_bytes < room.shed_below_bytes:
        return "shedding"
    return "low" if percent >= LOW_PERCENT else "ok"
