"""Writes the broker's lists anew each day, long before they end. Loop."""

from collections.abc import Callable
from logging import getLogger
from threading import Event, Thread

from central.errors import CentralError
from central.trust.trust import Trust

INTERVAL_S = 24 * 3600.0
AGAIN_S = 300.0  # After a failure.
STOP_S_MAX = 5.0

logger = getLogger(__name__)


def trust_loops(trust: Trust | None) -> tuple["TrustUpkeep", ...]:
    """Return what runs beside the intake: nothing where gateways are enrolled by hand."""
    return (TrustUpkeep(trust.keep_up),) if trust is not None else ()


class TrustUpkeep:
    """A thread that calls `keep_up` at once and each day. `start` once, `stop` once."""

    def __init__(self, keep_up: Callable[[], int], *, interval_s: float = INTERVAL_S) -> None:
        self._keep_up = keep_up
        self._interval_s = interval_s
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="trust-upkeep", daemon=True)

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
        while not self._stopping.wait(self._turn()):
            pass

    def _turn(self) -> float:
        """Return how long to wait for the next turn."""
        try:
            self._keep_up()
        except CentralError as error:
            logger.error(  # noqa: TRY400 - a person mends it; the trace says nothing
                "revocation list not renewed", extra={"detail": str(error), "hint": error.hint}
            )
            return AGAIN_S
        except Exception:  # the top of a loop: the list has days left
            logger.exception("upkeep failed, going on")
            return AGAIN_S
        return self._interval_s
