"""Takes what gateways say of their notices, and keeps notices coming. Loop.

    gateways -> broker -> down-ack --> Sending -> database -> down -> broker -> gateways
                      `-> digests ---> Comparing

Nothing is lost if this thread is away: notices wait in the database, gateways acknowledge again.
"""

from collections.abc import Callable, Sequence
from logging import getLogger
from threading import Event, Thread
from typing import Protocol

from central.clock import Clock
from central.contract.errors import ContractError
from central.contract.topics import Channel, parse_topic
from central.errors import LedgerUnavailable
from central.messages import Incoming
from central.outbox.sending import Sending

MESSAGES_PER_ROUND_MAX = 64
IDLE_S_MAX = 1.0
COMPARE_S = 1.0
RETRY_MIN_S = 0.2
RETRY_MAX_S = 5.0
STOP_S_MAX = 10.0

logger = getLogger(__name__)


class Connected(Protocol):
    """What the loop needs of `central.mqtt_link.CentralLink`, which documents it."""

    @property
    def connected(self) -> bool: ...
    @property
    def connections_count(self) -> int: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def wake(self) -> None: ...
    def take(self, count_max: int, timeout_s: float) -> list[Incoming]: ...
    def publish(self, gateway: str, channel: Channel, payload: bytes, *, retain: bool) -> bool: ...
    def settle(self, messages: Sequence[Incoming]) -> None: ...


class Comparing(Protocol):
    """What the loop needs of `central.inbox.reconciliation.Reconciliation`."""

    def take_digests(self, payloads: Sequence[tuple[str, bytes]]) -> None:
        """Take (gateway of the topic, sealed report of stock). Raises LedgerUnavailable."""
        ...

    def compare_waiting(self) -> int:
        """Compare what can be compared by now. Raises LedgerUnavailable."""
        ...


def publish_down(link: Connected) -> Callable[[str, bytes], bool]:
    """Return what gives a sealed message to the broker for a gateway, for `Sending`."""

    def publish(gateway: str, message: bytes) -> bool:
        return link.publish(gateway, "down", message, retain=False)

    return publish


class DownLoop:
    """One thread between notices and broker. `start` once, `stop` once.

    link: a connection of its own, on the channels "down-ack" and "digests".
    comparing: for reports of stock; what it cannot take is lost, gateways report again.
    """

    def __init__(
        self,
        *,
        link: Connected,
        sending: Sending,
        clock: Clock,
        comparing: Comparing,
    ) -> None:
        self._link = link
        self._sending = sending
        self._clock = clock
        self._comparing = comparing
        self._compare_s = 0.0
        self._stopping = Event()
        self._failures_count = 0
        self._connections_count = 0
        self._connected = False
        self._written = Event()
        self._counters: dict[str, int] = {}
        self._thread = Thread(target=self._run, name="downlink", daemon=True)

    def start(self) -> None:
        """Connect to the broker and begin."""
        self._link.start()
        self._thread.start()

    def stop(self) -> None:
        """End after the round in hand, then disconnect."""
        self._stopping.set()
        self._link.wake()
        self._thread.join(STOP_S_MAX)
        self._link.stop()

    def alive(self) -> bool:
        """Return False before `start`, after `stop`, and after a fault that ended the loop."""
        return self._thread.is_alive()

    def counters(self) -> dict[str, int]:
        """Return counts since the start: of acknowledgements, messages, notices and failures."""
        return self._counters | self._sending.counters

    def notices_written(self) -> None:
        """Tell that somebody wrote a notice or a snapshot; any thread may."""
        self._written.set()
        self._link.wake()

    def facts_posted(self) -> None:
        """Tell that the ledger has posted facts; any thread may."""
        self._link.wake()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._round()
        except Exception:  # The top of the thread: told here, seen by `alive`.
            hint = "Report this fault with the log; the service manager starts the ledger again."
            logger.exception("the downlink has ended", extra={"hint": hint})

    def _round(self) -> None:
        now_s = self._clock.monotonic_s()
        timeout_s = min(IDLE_S_MAX, self._sending.next_wake_s(now_s) - now_s)
        messages = self._link.take(MESSAGES_PER_ROUND_MAX, timeout_s)
        if self._stopping.is_set():
            return
        try:
            self._tell_connection()
            if self._written.is_set():
                self._written.clear()
                self._sending.refresh()
            self._sort(messages)
            self._sending.work(self._clock.monotonic_s())
            if now_s >= self._compare_s:
                self._compare_s = now_s + COMPARE_S
                self._comparing.compare_waiting()
            if self._failures_count:
                logger.info("the downlink has its database again")
            self._failures_count = 0
        except LedgerUnavailable as error:
            self._wait_for_database(error)
        except Exception:  # The top of a loop that must outlive its own mistakes.
            self._count("crashes_total")
            logger.exception("the downlink failed, going on")
            self._stopping.wait(RETRY_MAX_S)
        # Also what could not be taken: gateways say it again when they are asked.
        self._link.settle(messages)

    def _tell_connection(self) -> None:
        connected, count = self._link.connected, self._link.connections_count
        if (connected, count) != (self._connected, self._connections_count):
            self._connected, self._connections_count = connected, count
            self._sending.connected(self._clock.monotonic_s(), yes=connected)

    def _sort(self, messages: Sequence[Incoming]) -> None:
        now_s = self._clock.monotonic_s()
        digests = []
        for message in messages:
            try:
                gateway = parse_topic(message.topic or "").gateway
            except ContractError:
                self._count("foreign_topics_total")
                continue
            if message.channel == "down-ack":
                self._sending.take_ack(gateway, message.payload, now_s)
            elif message.channel == "digests":
                digests.append((gateway, message.payload))
        if digests:
            self._count("digests_total", len(digests))
            self._comparing.take_digests(digests)

    def _wait_for_database(self, error: LedgerUnavailable) -> None:
        self._count("database_failures_total")
        if self._failures_count == 0:
            extra = {"detail": str(error), "hint": error.hint}
            logger.error("the downlink has no database", extra=extra)
        pause_s = min(RETRY_MAX_S, RETRY_MIN_S * 2.0 ** min(self._failures_count, 10))
        self._failures_count += 1
        self._stopping.wait(pause_s)

    def _count(self, name: str, by: int = 1) -> None:
        self._counters[name] = self._counters.get(name, 0) + by
