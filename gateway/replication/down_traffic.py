"""What goes between central and this gateway beside facts: notices, and digests of stock. Loop.

    down      payload -> is it central's? -> Downlink -> journal, station
    down-ack  <- what is applied
    digests   <- what is shown here, bin by bin, each INTERVAL_S

The replicator's thread calls everything. Facts come first: what fails here is told and rests a
while, and the replicator goes on.
"""

from collections.abc import Callable, Sequence

from central.contract.errors import ContractError
from central.contract.notices import DOWN_BYTES_MAX, decode_down, encode_down_ack
from central.contract.sealed import open_sealed, seal
from central.contract.topics import Channel
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.logs import log_crash, log_event
from gateway.replication.downlink import Downlink
from gateway.replication.known_ledger import KnownLedger
from gateway.replication.signing import GatewayKey
from gateway.replication.stock_report import ReportTimes, all_stock_digests

Publish = Callable[[Channel, bytes], bool]
CRASH_PAUSE_S = 2.0
FULL_QUEUE_PAUSE_S = 0.1


class DownTraffic:
    """Opens what comes, seals what goes. Times are seconds of one monotonic clock."""

    def __init__(
        self,
        downlink: Downlink,
        *,
        journal: Journal,
        key: GatewayKey,
        ledger: KnownLedger,
        health: Health,
        times: ReportTimes | None = None,
    ) -> None:
        self._downlink = downlink
        self._journal = journal
        self._key = key
        self._ledger = ledger
        self._health = health
        self._times = times or ReportTimes()
        self._unreadable = ""
        self._rests_until_s = 0.0
        self._full_until_s = 0.0  # What could not go is tried again, but not without a pause.

    def connected(self, now_s: float) -> None:
        """The broker holds our connection."""
        self._downlink.connected(now_s)
        self._times.forget()

    def disconnected(self) -> None:
        """The broker is gone."""
        self._downlink.disconnected()

    def turn(
        self,
        payloads: Sequence[bytes],
        publish: Publish,
        now_s: float,
        *,
        connected: bool,
        listening: bool,
    ) -> None:
        """Apply what came, do what is due, say what is to be said. Raises nothing.

        listening: whether a worker of central serves us.
        """
        if now_s < self._rests_until_s:
            return  # Central sends again what is not acknowledged.
        try:
            self._downlink.listening(now_s, yes=listening)
            for payload in payloads:
                self._take(payload, now_s)
            self._step(publish, now_s, connected=connected)
        except Exception:  # noqa: BLE001 - the top of what must not hold up the facts beside it
            log_crash("what comes from central failed, facts go on")
            self._health.count("downlink_crashes_total")
            self._rests_until_s = now_s + CRASH_PAUSE_S

    def next_wake_s(self) -> float | None:
        """Return when there is something to do if nothing happens before, None if not known."""
        wake_s = self._downlink.next_wake_s()
        if wake_s is None:
            return None
        return max(wake_s, self._rests_until_s, self._full_until_s)

    def stop(self) -> None:
        """End what runs beside."""
        self._downlink.stop()

    def _take(self, payload: bytes, now_s: float) -> None:
        try:
            sealed = open_sealed(payload, bytes_max=DOWN_BYTES_MAX)
            if not self._ledger.signed(sealed.signed_bytes("down"), sealed.signature):
                self._health.count("notices_not_signed_total")
                return
            message = decode_down(sealed.payload)
        except ContractError as error:
            self._health.count("notices_unreadable_total")
            if str(error) != self._unreadable:  # Central sends it again and again.
                self._unreadable = str(error)
                log_event("error", "notices not readable", detail=str(error), hint=error.hint)
            return
        self._downlink.take(message, now_s)

    def _step(self, publish: Publish, now_s: float, *, connected: bool) -> None:
        self._downlink.tick(now_s)
        if not connected:
            return
        if self._downlink.ack_due(now_s):
            payload = seal("down-ack", encode_down_ack(self._downlink.ack()), self._key.sign)
            if publish("down-ack", payload):
                self._downlink.acknowledged(now_s)
            else:
                self._full_until_s = now_s + FULL_QUEUE_PAUSE_S
        if self._times.due(now_s):
            self._report(publish, now_s)

    def _report(self, publish: Publish, now_s: float) -> None:
        knowledge = self._journal.knowledge
        payloads = all_stock_digests(
            lambda after, places_max: knowledge.stock_report(after=after, places_max=places_max),
            gateway=self._journal.gateway,
        )
        if not payloads or not self._times.worth_sending(payloads, now_s):
            return
        for payload in payloads:
            if not publish("digests", seal("digests", payload, self._key.sign)):
                return  # The next interval says all of it again.
        self._times.sent(payloads, now_s)
