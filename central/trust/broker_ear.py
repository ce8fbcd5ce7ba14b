"""Counts whom the broker beside us refuses, as soon as its log says it. Loop.

mosquitto -> log on a tmpfs -> BrokerLog -> BrokerWords -> Refusals -> database -> alerts
"""

from logging import getLogger
from pathlib import Path
from threading import Event, Thread

from central.access.refusals import Refusals
from central.clock import SystemClock
from central.config import Config
from central.errors import CentralError
from central.trust.broker_log import BrokerLog
from central.trust.broker_words import BrokerWords

TURN_S = 0.5  # With READ_BYTES_MAX a turn: 2 MB, some 15,000 lines, a second at most.
STOP_S_MAX = 5.0

logger = getLogger(__name__)


def broker_ears(config: Config, refusals: Refusals) -> tuple["BrokerEar", ...]:
    """Return what listens to the broker of this machine: nothing where its log is not named."""
    if not config.trust.broker_log:
        return ()
    log = BrokerLog(Path(config.trust.broker_log))
    return (BrokerEar(log, BrokerWords(site=config.ledger.site), refusals),)


class BrokerEar:
    """A thread that reads the log every TURN_S. `start` once, `stop` once."""

    def __init__(
        self, log: BrokerLog, words: BrokerWords, refusals: Refusals, *, turn_s: float = TURN_S
    ) -> None:
        self._log, self._words, self._refusals = log, words, refusals
        self._turn_s = turn_s
        self._clock = SystemClock()
        self._deaf = False
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="broker-ear", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(STOP_S_MAX)

    def alive(self) -> bool:
        """Return whether it still works."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.wait(self._turn_s):
            try:
                self._turn()
            except Exception:  # the top of a loop: whoever is refused next is heard again
                logger.exception("the broker's log was not understood, going on")
        self._log.close()

    def _turn(self) -> None:
        try:
            lines = self._log.read()
        except CentralError as error:
            if not self._deaf:
                self._deaf = True
                extra = {"detail": str(error), "hint": error.hint}
                logger.error("the broker is not heard", extra=extra)  # noqa: TRY400 - as told
            return
        if self._deaf:
            self._deaf = False
            logger.info("the broker is heard again")
        for one in self._words.hear(lines, now_s=self._clock.monotonic_s()):
            self._refusals.count(
                one.kind, subject=one.subject, address=one.address, detail=one.detail
            )
