"""Compares stock, corrects times, keeps copies, guidance, counts; never in the intake's way. Loop.

digests -> take_digests --.
                           thread, every second: take, compare, follow the ledger, correct, tell
"""

from collections import deque
from collections.abc import Sequence
from logging import getLogger
from threading import Event, Lock, Thread

from central.errors import LedgerUnavailable
from central.inbox.reconciliation import Reconciliation
from central.inbox.time_correction import FACTS_PER_TICK_MAX, TimeCorrection
from central.ledger.checkpoints import Checkpoints
from central.orders.counts.outdated_counts import OutdatedCounts
from central.orders.explained_returns import ExplainedReturns
from central.orders.sales.stale_guidance import ORDERS_PER_TICK_MAX, StaleGuidance

TURN_S = 1.0
BUSY_TURN_S = 0.05  # While a backlog is corrected: others get at the database in between.
FAILED_TURN_S = 5.0
PAYLOADS_WAITING_MAX = 256  # With the largest ones 50 MiB; gateways report again.
STOP_S_MAX = 10.0

logger = getLogger(__name__)


class Upkeep:
    """One thread. `start` once, `stop` once; `take_digests` may be called from any thread.

    correction, checkpoints, guidance, returns, counts: None where another process corrects times,
    copies balances, has stations told of orders whose goods have moved, settles what orders
    explain, and tells people of what came late for a count.
    """

    def __init__(
        self,
        reconciliation: Reconciliation,
        *,
        correction: TimeCorrection | None,
        checkpoints: Checkpoints | None = None,
        guidance: StaleGuidance | None = None,
        returns: ExplainedReturns | None = None,
        counts: OutdatedCounts | None = None,
    ) -> None:
        self._reconciliation = reconciliation
        self._correction = correction
        self._checkpoints = checkpoints
        self._guidance = guidance
        self._returns = returns
        self._counts = counts
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._lock = Lock()
        self._woken = Event()
        self._stopping = False
        self._failing = False
        self._counters: dict[str, int] = {}
        self._thread = Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the work in hand; what waits is lost, gateways report again."""
        self._stopping = True
        self._woken.set()
        self._thread.join(STOP_S_MAX)

    def alive(self) -> bool:
        """Return False before `start` and after `stop`."""
        return self._thread.is_alive()

    def counters(self) -> dict[str, int]:
        """Return counts since the start: of reports, bins, times, orders, returns and failures."""
        return self._counters | self._reconciliation.counters()

    def take_digests(self, payloads: Sequence[tuple[str, bytes]]) -> None:
        """Leave (gateway of the topic, sealed report) for the thread; beyond the bound dropped."""
        with self._lock:
            room_count = PAYLOADS_WAITING_MAX - len(self._waiting)
            self._waiting.extend(payloads[:room_count])
        self._count("digests_dropped_total", max(0, len(payloads) - room_count))
        self._woken.set()

    def compare_waiting(self) -> int:
        """Have the thread compare now what waits for facts; return how many reports do."""
        count = self._reconciliation.waiting_count
        if count:
            self._woken.set()
        return count

    def _run(self) -> None:
        pause_s = TURN_S
        while not self._stopping:
            self._woken.wait(pause_s)
            self._woken.clear()
            try:
                pause_s = TURN_S if self._turn() else BUSY_TURN_S
                self._failing = False
            except LedgerUnavailable as error:
                self._note_failure(error)
                pause_s = FAILED_TURN_S
            except Exception:  # The top of a loop that must outlive its own mistakes.
                self._count("crashes_total")
                logger.exception("the upkeep failed, going on")
                pause_s = FAILED_TURN_S

    def _turn(self) -> bool:
        """Do what there is to do; return False if there is more of it."""
        with self._lock:
            payloads = list(self._waiting)
            self._waiting.clear()
        self._reconciliation.take_digests(payloads)
        self._reconciliation.compare_waiting()
        followed_all = self._checkpoints is None or self._checkpoints.tick()
        corrected_count = told_count = 0
        if self._correction is not None:
            corrected_count = self._correction.tick()
            self._count("times_corrected_total", corrected_count)
        if self._counts is not None:
            if self._correction is not None:
                self._counts.note_corrected(self._correction.take_corrected())
            followed_all = self._counts.tick() and followed_all
        if self._guidance is not None:
            told_count = self._guidance.tick()
            self._count("orders_told_total", told_count)
        if self._returns is not None:
            self._count("returns_explained_total", self._returns.tick())
        corrected_all = corrected_count < FACTS_PER_TICK_MAX
        return followed_all and corrected_all and told_count < ORDERS_PER_TICK_MAX

    def _note_failure(self, error: LedgerUnavailable) -> None:
        self._count("database_failures_total")
        if not self._failing:  # Once until it is back.
            extra = {"detail": str(error), "hint": error.hint}
            logger.error("the upkeep has no database", extra=extra)
        self._failing = True

    def _count(self, name: str, by: int = 1) -> None:
        if by:
            self._counters[name] = self._counters.get(name, 0) + by
