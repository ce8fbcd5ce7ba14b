"""Waits until somebody at central has said who this machine is, and shows it a code. Root.

What a gateway does is all in the name of its code: journal, topics, settings. A machine whose
configuration leaves that open (one card image for many) runs this first, then becomes it. Nothing
is scanned meanwhile; there is no warehouse yet that it could be recorded for.
"""

import queue
import signal
from pathlib import Path
from queue import Empty

from gateway.clock import SystemClock
from gateway.config_sections import GatewayConfig
from gateway.health import Health
from gateway.housekeeping import HOUSEKEEPING_S, notify_service
from gateway.identity.files import IdentityFolder
from gateway.identity.keeper import IdentityKeeper
from gateway.logs import log_event
from gateway.replication.known_ledger import LEDGER_FILE, KnownLedger
from gateway.replication.signing import KEY_FILE, load_or_create_key
from gateway.screen.server import WaitingServer


def wait_for_name(config: GatewayConfig) -> bool:
    """Return True once this machine is let in, at once if it was; False if it is to end.

    Raises ConfigInvalid, KeyUnusable, LedgerFileUnusable before anything is started.
    """
    folder = IdentityFolder(Path(config.gateway.data_directory))
    if folder.certificate.exists():
        return True
    stop: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stop.put(received))
    data = Path(config.gateway.data_directory)
    data.mkdir(parents=True, exist_ok=True)
    load_or_create_key(data / KEY_FILE)
    ledger = KnownLedger(data / LEDGER_FILE, configured_key=config.ledger.public_key)
    keeper = IdentityKeeper(
        config,
        signing_key_file=data / KEY_FILE,
        clock=SystemClock(),
        health=Health(),
        heard=ledger.hear,
    )
    screen = WaitingServer(
        keeper,
        host=config.screen.host,
        port=config.screen.port,
        language=config.gateway.language,
    )
    screen.start()
    keeper.start()
    notify_service("READY=1")
    log_event("info", "waiting to be let in", screen=f"{config.screen.host}:{screen.port}")
    try:
        return _wait(keeper, stop)
    finally:
        keeper.stop()
        screen.stop()


def _wait(keeper: IdentityKeeper, stop: queue.SimpleQueue[int]) -> bool:
    while keeper.shown().state != "enrolled":
        notify_service("WATCHDOG=1")
        try:
            stop.get(timeout=HOUSEKEEPING_S)
        except Empty:
            continue
        return False
    return True
