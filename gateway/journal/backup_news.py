"""What became of the journal's backups, from the command to the running gateway. Edge of a file.

The command `journal backup --configured` writes it, by a timer; the gateway's upkeep reads it and
tells people which place has no backup of the last day.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gateway.clock import Clock
from gateway.health import Health, InstallationTrouble

NEWS_FILE = "backups.json"
NEWS_BYTES_MAX = 64 * 1024
AGE_MS_MAX = 26 * 3600 * 1000  # A day, and some time to make it in.
LOOK_NS = 60 * 10**9
NEVER = "there was none yet"


@dataclass(frozen=True, slots=True)
class PlaceOutcome:
    """What became of a backup in one place. fault: why it is not there, "" if it is.

    taken_ms: when it was begun. file: "" with a fault. gone_count: how many older ones went.
    """

    place: str
    taken_ms: int
    file: str = ""
    fault: str = ""
    gone_count: int = 0


class PlaceNews(msgspec.Struct, frozen=True):
    """taken_ms: when the last good backup of a place was begun, 0 if never. fault: of the last."""

    place: str
    taken_ms: int = 0
    fault: str = ""


_decoder = msgspec.json.Decoder(tuple[PlaceNews, ...])


def read_news(folder: Path) -> dict[str, PlaceNews]:
    """Return what is known, by place; nothing if there is no file or it is none of ours."""
    try:
        with (folder / NEWS_FILE).open("rb") as file:
            return {one.place: one for one in _decoder.decode(file.read(NEWS_BYTES_MAX))}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def write_news(folder: Path, outcomes: Sequence[PlaceOutcome]) -> None:
    """Add what became of a run; places that are configured no longer are forgotten.

    Raises OSError.
    """
    known = read_news(folder)
    news = tuple(
        PlaceNews(one.place, one.taken_ms)
        if not one.fault
        else PlaceNews(one.place, known[one.place].taken_ms if one.place in known else 0, one.fault)
        for one in outcomes
    )
    new = folder / f"{NEWS_FILE}.new"
    with new.open("wb") as file:
        file.write(msgspec.json.encode(news))
        file.flush()
        os.fsync(file.fileno())
    new.rename(folder / NEWS_FILE)


class BackupWatch:
    """Tells which place has no backup of the last day. One thread calls `tick`."""

    def __init__(
        self, folder: Path, places: Sequence[str], *, clock: Clock, health: Health
    ) -> None:
        self._folder = folder
        self._places = tuple(places)
        self._clock = clock
        self._health = health
        self._due_ns = clock.monotonic_ns()

    def tick(self) -> None:
        """Look once a minute."""
        now_ns = self._clock.monotonic_ns()
        if not self._places or now_ns < self._due_ns:
            return
        self._due_ns = now_ns + LOOK_NS
        news, now_ms = read_news(self._folder), self._clock.now_ms()
        for place in self._places:
            one = news.get(place, PlaceNews(place, fault=NEVER))
            if one.fault == "" and now_ms - one.taken_ms <= AGE_MS_MAX:
                self._health.clear_trouble("backup_missing", place)
            else:
                self._health.set_trouble(
                    InstallationTrouble("backup_missing", place, one.fault, one.taken_ms)
                )
