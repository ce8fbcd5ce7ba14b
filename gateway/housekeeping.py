"""Keeps the journal in order while the gateway runs, and tells systemd that it does. Loop."""

import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from gateway.clock import Clock
from gateway.config_sections import GatewayConfig
from gateway.health import Health
from gateway.journal.copier import JournalCopier
from gateway.journal.journal import Journal
from gateway.journal.retention import Keeping
from gateway.journal.upkeep import Upkeep
from gateway.logs import log_event
from gateway.station_loop import StationLoop

JOURNAL_FILE = "journal.db"
HOUSEKEEPING_S = 1.0
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
    )


def journal_path(config: GatewayConfig) -> Path:
    """Return where the journal is."""
    return Path(config.gateway.data_directory) / JOURNAL_FILE


def keep_house(stations: Sequence[StationLoop], upkeep: Upkeep, stop: SimpleQueue[int]) -> bool:
    """Do the journal's upkeep and feed the watchdog until `stop` holds something (True)."""
    while True:
        with suppress(Empty):
            stop.get(timeout=HOUSEKEEPING_S)
            return True
        if not all(station.alive for station in stations):
            log_event("error", "the station's thread has ended", hint="The service restarts it.")
            return False
        notify_service("WATCHDOG=1")
        upkeep.tick()


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
