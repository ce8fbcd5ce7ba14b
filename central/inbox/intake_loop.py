"""Takes what gateways sent, has it committed, acknowledges it, in this order. Loop.

    take all that waits -> Inbox.accept: ONE transaction -> signed acknowledgements -> PUBACK of all

PUBACKs go out in the order in which the messages came (MQTT 5, [MQTT-4.6.0-2]); a broker such as
rumqttd ends the connection otherwise. No acknowledgement before the commit. The newest
acknowledgement of each epoch says everything (`receiver.to_publish`), so only that one is signed
and published. While the database does not commit, nothing is taken further from the broker than the
link's bound; while it is slow, gateways get less credit.

Where a batch fails, the loop goes on. Where the link itself fails, it ends: messages that cannot be
settled would use up the broker's window and starve it in silence. `alive` says so, and whoever
built it ends the program, so that it is started again.
"""

from collections.abc import Callable, Sequence
from logging import getLogger
from threading import Event, Thread
from typing import Protocol

from central.contract.acks import encode_ack, sign_ack
from central.contract.errors import ContractError
from central.contract.topics import Channel, parse_topic
from central.errors import LedgerUnavailable
from central.inbox.inbox import Outcome
from central.inbox.receiver import is_retained, to_publish
from central.mqtt_link import Incoming

MESSAGES_PER_COMMIT_MAX = 64
IDLE_S = 1.0
RETRY_MIN_S = 0.1
RETRY_MAX_S = 5.0
STOP_S_MAX = 10.0
# What stands for the gateway where the topic names none: no gateway can be called so.
NO_GATEWAY = ""

logger = getLogger(__name__)


class Accepting(Protocol):
    """What the loop needs of `central.inbox.inbox.Inbox`."""

    def accept(self, payloads: Sequence[tuple[str | None, bytes]]) -> list[Outcome]:
        """Return one outcome each, all durable. Raises LedgerUnavailable."""
        ...


class Offering(Protocol):
    """What the loop needs of `central.mqtt_link.CentralLink`, which documents it."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def wake(self) -> None: ...
    def take(self, count_max: int, timeout_s: float) -> list[Incoming]: ...
    def publish(self, gateway: str, channel: Channel, payload: bytes, *, retain: bool) -> bool: ...
    def settle(self, messages: Sequence[Incoming]) -> None: ...


class Telling(Protocol):
    """What the loop needs of `central.inbox.announcing.Announcing`, which documents it."""

    def turn(self) -> None: ...
    def end(self) -> None: ...


class IntakeLoop:
    """One thread between broker and ledger. `start` once, `stop` once.

    sign: returns the ledger's signature of its argument. announcing: says to gateways that this
    worker listens; None says nothing.
    note_states: stores (gateway of the topic, payload) of states; telemetry, may be lost.
    jitter: returns a random number from 0 to 1, for the pauses while the database is away.
    """

    def __init__(
        self,
        *,
        link: Offering,
        inbox: Accepting,
        note_states: Callable[[Sequence[tuple[str, bytes]]], object],
        jitter: Callable[[], float],
        sign: Callable[[bytes], bytes],
        announcing: Telling | None = None,
    ) -> None:
        self._link = link
        self._inbox = inbox
        self._note_states = note_states
        self._jitter = jitter
        self._sign = sign
        self._announcing = announcing
        self._stopping = Event()
        self._failures_count = 0
        self._counters: dict[str, int] = {}
        self._turns_count = 0
        self._thread = Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Connect to the broker and begin."""
        self._link.start()
        self._thread.start()

    def stop(self) -> None:
        """End after the batches in hand, then disconnect."""
        self._stopping.set()
        self._link.wake()
        self._thread.join(STOP_S_MAX)
        if self._announcing is not None and not self._thread.is_alive():
            self._announcing.end()
        self._link.stop()

    def alive(self) -> bool:
        """Return False before `start`, after `stop`, and after a fault that ended the loop."""
        return self._thread.is_alive()

    def turns_count(self) -> int:
        """Return a number that grows at least every few seconds unless the loop hangs."""
        return self._turns_count

    def counters(self) -> dict[str, int]:
        """Return counts since the start: one a kind of outcome, and failures."""
        return dict(self._counters)

    def _run(self) -> None:
        try:
            self._take_until_stopped()
        except Exception:  # The top of the thread: told here, seen by `alive`.
            hint = "Report this fault with the log; the service manager starts the ledger again."
            logger.exception("the intake has ended", extra={"hint": hint})

    def _take_until_stopped(self) -> None:
        while not self._stopping.is_set():
            self._turns_count += 1
            messages = self._link.take(MESSAGES_PER_COMMIT_MAX, IDLE_S)
            try:
                self._take_states([one for one in messages if one.channel == "state"])
                self._take_batches([one for one in messages if one.channel == "up"])
                if self._announcing is not None:
                    self._announcing.turn()
            except Exception:  # The top of a loop that must outlive its own mistakes.
                self._count("crashes_total")
                logger.exception("intake failed, going on; gateways send again")
            if not self._stopping.is_set():
                # All of them, in order: also what could not be taken, for one left out would hold
                # up the order of all that follow, and its gateway sends again in any case.
                self._link.settle(messages)

    def _take_batches(self, messages: Sequence[Incoming]) -> None:
        if not messages:
            return
        try:
            outcomes = self._accept(messages)
        except Exception:
            if len(messages) == 1:
                raise
            # One of them brings the ledger to fail: alone it cannot hold up the others.
            for message in messages:
                self._take_alone(message)
            return
        if outcomes is None:
            return  # We are stopping; the broker or the gateways offer it again.
        self._acknowledge(outcomes)

    def _take_alone(self, message: Incoming) -> None:
        try:
            self._take_batches([message])
        except Exception:  # The top of the loop again, for one message.
            self._count("crashes_total")
            topic = message.topic
            logger.exception("a batch cannot be taken; left out", extra={"topic": topic})

    def _accept(self, messages: Sequence[Incoming]) -> list[Outcome] | None:
        """Return the outcomes, however long the database is away; None if we are stopping."""
        payloads = [(_gateway_of(message), message.payload) for message in messages]
        while not self._stopping.is_set():
            self._turns_count += 1  # A database that is away is no fault of this loop.
            try:
                outcomes = self._inbox.accept(payloads)
            except LedgerUnavailable as error:
                self._wait_for_database(error)
                continue
            if self._failures_count:
                logger.info("the database commits again")
            self._failures_count = 0
            for outcome in outcomes:
                self._count(f"batches_{outcome.kind}_total")
            return outcomes
        return None

    def _wait_for_database(self, error: LedgerUnavailable) -> None:
        self._count("database_failures_total")
        if self._failures_count == 0:
            logger.error(
                "the database does not commit", extra={"detail": str(error), "hint": error.hint}
            )
        pause_s = min(RETRY_MAX_S, RETRY_MIN_S * 2.0 ** min(self._failures_count, 10))
        self._failures_count += 1
        self._stopping.wait(pause_s * (0.75 + 0.5 * self._jitter()))

    def _acknowledge(self, outcomes: Sequence[Outcome]) -> None:
        for ack in to_publish([one.ack for one in outcomes if one.ack is not None]):
            payload = encode_ack(sign_ack(ack, self._sign))
            if not self._link.publish(ack.gateway, "ack", payload, retain=is_retained(ack)):
                self._count("acks_not_published_total")

    def _take_states(self, messages: Sequence[Incoming]) -> None:
        payloads = [(_gateway_of(message), message.payload) for message in messages]
        known = [one for one in payloads if one[0] != NO_GATEWAY]
        if not known:
            return
        self._count("states_total", len(known))
        try:
            self._note_states(known)
        except LedgerUnavailable:
            self._count("states_lost_total", len(known))
        except Exception:  # The top of the loop for telemetry: the batches beside it are taken.
            self._count("crashes_total")
            self._count("states_lost_total", len(known))
            logger.exception("states cannot be kept; facts go on")

    def _count(self, name: str, by: int = 1) -> None:
        self._counters[name] = self._counters.get(name, 0) + by


def _gateway_of(message: Incoming) -> str:
    try:
        return parse_topic(message.topic or "").gateway
    except ContractError:
        return NO_GATEWAY
