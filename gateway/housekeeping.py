"""Keeps the journal in order while the gateway runs, and tells systemd that it does. Loop."""

import faulthandler
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from gateway.clock import Clock
from gateway.config_sections import GatewayConfig
from gateway.health import Health
from gateway.journal.backup_news import BackupWatch
from gateway.journal.copier import JournalCopier
from gateway.journal.journal import Journal
from gateway.journal.retention import Keeping
from gateway.journal.upkeep import Upkeep
from gateway.logs import log_event
from gateway.station_loop import StationLoop

JOURNAL_FILE = "journal.db"
HOUSEKEEPING_S = 1.0
# A commit may wait for a slow card for seconds; with WatchdogSec= the service ends 30 s later.
STILL_S_MAX = 60
STOP_S_MAX = 5.0
BEAT_S_MAX = 1.0  # Said later it is worth nothing.
READY_S_MAX = 60.0  # Said not at all, the service would be started again.


def start_upkeep(
    parts: ExitStack, config: GatewayConfig, journal: Journal, *, clock: Clock, health: Health
) -> Upkeep:
    """Return the upkeep of the journal; the copy on a second medium, if any, has begun.

    `parts` ends the copy before it closes the journal.
    """
    path, section = journal_path(config), config.journal
    if section.copy_directory:
        copier = JournalCopier(
            journal, path, Path(section.copy_directory), clock=clock, health=health
        )
        copier.start()
        parts.callback(copier.stop)
    return Upkeep(
        journal,
        path,
        keeping=Keeping(section.keep_days, section.alibi_keep_days),
        quota_bytes=section.quota_bytes,
        clock=clock,
        health=health,
        backups=BackupWatch(path.parent, config.backup.places, clock=clock, health=health),
    )


def journal_path(config: GatewayConfig) -> Path:
    """Return where the journal is."""
    return Path(config.gateway.data_directory) / JOURNAL_FILE


def keep_house(
    stations: Sequence[StationLoop], upkeep: Upkeep, stop: SimpleQueue[int], *, clock: Clock
) -> bool:
    """Do the journal's upkeep and feed the watchdog until `stop` holds something (True)."""
    progress = [Progress(clock) for _ in stations]
    while True:
        with suppress(Empty):
            stop.get(timeout=HOUSEKEEPING_S)
            return True
        turns = [station.turns for station in stations]
        if None in turns:
            log_event("error", "the station's thread has ended", hint="The service restarts it.")
            return False
        # Each is asked, whatever the others say: who stands still is told once, by itself.
        moving = [one.goes_on(count) for one, count in zip(progress, turns, strict=True)]
        if all(moving):
            notify_service("WATCHDOG=1")
        upkeep.tick()


class Progress:
    """Whether a station's thread still goes round; it does five times a second when idle."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns: int | None = None
        self._since_ns = clock.monotonic_ns()
        self._told = False

    def goes_on(self, turns: int | None) -> bool:
        """Return False once it has stood still for STILL_S_MAX; then say where every thread is."""
        now_ns = self._clock.monotonic_ns()
        if turns != self._turns:
            self._turns, self._since_ns, self._told = turns, now_ns, False
        still_s = (now_ns - self._since_ns) // 10**9
        if still_s < STILL_S_MAX:
            return True
        if not self._told:
            self._told = True
            hint = "The service is restarted by its watchdog; report where the threads stand."
            log_event("error", "a station's thread stands still", still_s=still_s, hint=hint)
            faulthandler.dump_traceback(file=sys.stderr)
        return False


def notify_service(state: str) -> None:
    """Tell systemd, if it started us, how we are (sd_notify(3)).

    It not listening or not reading is no fault. Its socket takes a few messages, by
    net.unix.max_dgram_qlen: a send beyond them would wait, and our end with it.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.settimeout(READY_S_MAX if state == "READY=1" else BEAT_S_MAX)
        notify.connect(name)
        notify.sendall(state.encode())


def give_up() -> None:
    """End the program at once: what counts is on disk, something hangs that does not."""
    log_event("error", "stopping took too long, ending at once", stop_s_max=STOP_S_MAX)
    os._exit(1)
