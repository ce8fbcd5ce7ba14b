"""Sends the journal's facts to the ledger and notes what the ledger has committed. Loop."""

from collections.abc import Callable
from threading import Event, Thread

from msgspec.structs import replace

from central.contract.acks import Ack, decode_ack
from central.contract.envelope import encode_batch
from central.contract.errors import ContractError
from central.contract.states import DeviceState, GatewayState, encode_state
from gateway.clock import Clock
from gateway.config_sections import MqttSection
from gateway.health import ConnectionProblem, Health, LinkHealth
from gateway.journal.journal import Journal
from gateway.journal.records import EpochProgress, StoredRun
from gateway.logs import log_crash, log_event
from gateway.replication.mailbox import Connected, Disconnected, Mailbox
from gateway.replication.mqtt_link import HINTS, MqttLink
from gateway.replication.sender import Sender, SendRun
from gateway.replication.signing import GatewayKey

RUN_BYTES_MAX = 128 * 1024  # Before compression; the broker's limit is checked after it.
STATE_INTERVAL_S = 2.0
FULL_QUEUE_PAUSE_S = 0.1
CRASH_PAUSE_S = 1.0
WATCH_S = 0.5
STOP_S_MAX = 5.0
DETAIL_CHARACTERS_MAX = 256
SOFTWARE = "dockledger"

# By LinkProblem, for the log; what the screen says is in its catalogue.
PROBLEM_HINTS = {
    "unknown_gateway": "Enrol this gateway at central with the public key that it shows.",
    "bad_signature": "Enrol this gateway's key at central anew; central knows another one.",
    "wrong_warehouse": "Enrol this gateway at central for the warehouse in its configuration.",
    "fork": "Find the second machine or card with this gateway's code and stop it.",
    "broken_chain": "Ask central staff to look at this gateway's discrepancies.",
    "unknown_epoch": "Check that no other machine has this gateway's code.",
    "foreign_head": "Find the second machine or card with this gateway's code and stop it.",
    "foreign_ledger": "Check [ledger] public_key, or delete ledger.pub if central was set up anew.",
    "ack_ahead": "Tell central staff that the journal of this gateway may be an old copy.",
    "facts_gone": "Tell central staff that the ledger wants facts that are no longer here.",
    "too_large": "Raise message_size_limit of the broker to 300000 or more.",
}


class Replicator:
    """The loop between journal and broker: two threads of its own and one of paho's.

    jitter: returns a random number from 0 to 1. `start` once, `stop` once.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        key: GatewayKey,
        mqtt: MqttSection,
        site: str,
        clock: Clock,
        health: Health,
        jitter: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._key = key
        self._clock = clock
        self._health = health
        self._mailbox = Mailbox()
        self._sender = Sender(jitter=jitter)
        self._link = MqttLink(
            mqtt,
            site=site,
            gateway=journal.gateway,
            will=encode_state(replace(self._state_now(online=False), time_ms=0)),
            mailbox=self._mailbox,
        )
        self._stopping = Event()
        self._connection: Connected | Disconnected = Disconnected("not connected yet", "", "")
        self._refused = ""
        self._problem = ""
        self._acked_ms = 0
        self._state_sent: GatewayState | None = None
        self._state_due_s = 0.0
        self._queue_full = False
        self._threads = [
            Thread(target=self._run, name="replicator", daemon=True),
            Thread(target=self._watch_journal, name="replicator-watch", daemon=True),
        ]

    def start(self) -> None:
        """Connect and begin to send. Never raises because of the broker."""
        self._link.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Say farewell to the broker and end; what is not acknowledged stays in the journal."""
        self._stopping.set()
        self._mailbox.wake()
        for thread in self._threads:
            thread.join(STOP_S_MAX)
        self._link.stop(encode_state(self._state_now(online=False)))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except Exception:  # noqa: BLE001 - the top of a loop that must outlive its own mistakes
                log_crash("replication failed, going on")
                self._health.count("replication_crashes_total")
                self._stopping.wait(CRASH_PAUSE_S)

    def _watch_journal(self) -> None:
        seen = 0
        while not self._stopping.is_set():
            count = self._journal.wait_for_append(seen, WATCH_S)
            if count != seen:
                seen = count
                self._mailbox.wake()

    def _step(self) -> None:
        mail = self._mailbox.take(self._timeout_s())
        self._queue_full = False
        if mail.connection is not None:
            self._note_connection(mail.connection)
        if mail.refused != "":
            self._note_refused(mail.refused)
        self._sender.appended(self._journal.epochs(), self._now_s())
        for payload in mail.acks:
            self._take_ack(payload)
        while not self._queue_full and (run := self._sender.next_run(self._now_s())) is not None:
            self._send(run)
        self._note_problem()
        self._publish_state()

    def _timeout_s(self) -> float:
        if self._queue_full:
            return FULL_QUEUE_PAUSE_S
        now_s = self._now_s()
        wake_s = self._sender.next_wake_s(now_s)
        idle_s = STATE_INTERVAL_S
        return idle_s if wake_s is None else min(idle_s, max(0.0, wake_s - now_s))

    def _note_connection(self, change: Connected | Disconnected) -> None:
        before, self._connection = self._connection, change
        if isinstance(change, Connected):
            self._refused = ""
            self._sender.connected(self._now_s())
            self._state_sent = None
            log_event("info", "connected to the broker", bytes_max=change.payload_bytes_max)
        else:
            self._sender.disconnected()
            if getattr(before, "hint", "") != change.hint:  # Once for each thing to do.
                log_event("warning", "no broker", detail=change.detail, hint=change.hint)
        self._write_health()

    def _note_refused(self, detail: str) -> None:
        self._health.count("messages_refused_total")
        if detail != self._refused:
            self._refused = detail
            hint = HINTS["writing_refused"]
            log_event("error", "the broker refuses our messages", detail=detail, hint=hint)
            self._write_health()

    def _take_ack(self, payload: bytes) -> None:
        try:
            ack = decode_ack(payload)
        except ContractError as error:
            self._health.count("acks_unreadable_total")
            log_event("error", "acknowledgement not readable", detail=str(error), hint=error.hint)
            return
        if ack.gateway != self._journal.gateway:
            self._health.count("acks_foreign_total")
            return
        ours = self._journal.digest_at(ack.epoch, ack.acked)
        self._reopen_lost(ack, ours)
        note = self._sender.received_ack(ack, our_digest=ours, now_s=self._now_s())
        if note is not None:
            self._journal.record_ack(note.epoch, acked=note.acked)
        if not ack.problem:
            self._refused = ""
            self._acked_ms = self._clock.now_ms()
            self._write_health()

    def _reopen_lost(self, ack: Ack, ours: bytes | None) -> None:
        """A restored ledger may have lost facts of an epoch that was finished: send them again."""
        if ours is None or ours != ack.head_digest or ack.problem:
            return
        if any(one.epoch == ack.epoch for one in self._journal.epochs()):
            return
        head = self._head_of(ack)
        if head > ack.acked:
            progress = EpochProgress(ack.epoch, head, ack.acked)
            self._sender.reopened(progress, self._now_s())

    def _head_of(self, ack: Ack) -> int:
        """Return the last fact of an epoch, found by doubling: the journal lists only open ones."""
        low, step = ack.acked, 1
        while self._journal.digest_at(ack.epoch, low + step) is not None:
            low, step = low + step, step * 2
        while step > 1:
            step //= 2
            if self._journal.digest_at(ack.epoch, low + step) is not None:
                low += step
        return low

    def _send(self, run: SendRun) -> None:
        facts_max = run.facts_max
        while facts_max:
            stored = self._journal.read_run(
                run.epoch, first_seq=run.first_seq, facts_max=facts_max, bytes_max=RUN_BYTES_MAX
            )
            if stored is None:
                self._sender.cannot_send(run, problem="facts_gone", now_s=self._now_s())
                return
            payload = self._payload_of(stored)
            if payload is not None:
                self._publish_run(run, stored, payload)
                return
            facts_max = len(stored.facts) // 2
        self._sender.cannot_send(run, problem="too_large", now_s=self._now_s())

    def _publish_run(self, run: SendRun, stored: StoredRun, payload: bytes) -> None:
        if not self._link.publish_batch(payload):
            self._queue_full = True
            return
        self._health.count("batches_sent_total")
        self._health.count("facts_sent_total", len(stored.facts))
        last_seq = stored.first_seq + len(stored.facts) - 1
        self._sender.sent(run, last_seq=last_seq, now_s=self._now_s())

    def _payload_of(self, stored: StoredRun) -> bytes | None:
        """Return the batch, None if contract or broker do not take one so large."""
        try:
            payload = encode_batch(
                gateway=self._journal.gateway,
                epoch=stored.epoch,
                first_seq=stored.first_seq,
                previous_epoch_head=stored.previous_epoch_head,
                previous_digest=stored.previous_digest,
                facts=stored.facts,
                sign=self._key.sign,
            )
        except ContractError:
            return None
        connection = self._connection
        bytes_max = connection.payload_bytes_max if isinstance(connection, Connected) else 0
        return payload if len(payload) <= bytes_max or bytes_max == 0 else None

    def _note_problem(self) -> None:
        problem = self._sender.problem
        if problem == self._problem:
            return
        before, self._problem = self._problem, problem
        if problem:
            hint = PROBLEM_HINTS.get(problem, "Upgrade this gateway; central says something new.")
            log_event("error", "the ledger does not take our facts", problem=problem, hint=hint)
        else:
            log_event("info", "the ledger takes our facts again", problem=before)
        self._write_health()

    def _write_health(self) -> None:
        connection = self._connection
        connected = isinstance(connection, Connected)
        detail = ""
        reason: ConnectionProblem = ""
        if isinstance(connection, Disconnected):
            detail, reason = connection.detail, connection.problem
        if self._refused:
            detail = f"the broker refuses our messages: {self._refused}"
            reason = reason or "writing_refused"
        self._health.set_link(
            LinkHealth(connected, detail, self._problem, self._acked_ms, connection=reason)
        )

    def _publish_state(self) -> None:
        now_s = self._now_s()
        if not isinstance(self._connection, Connected):
            return
        if self._state_sent is not None and now_s < self._state_due_s:
            return
        state = self._state_now(online=True)
        sent = self._state_sent
        if sent is not None and replace(state, time_ms=0) == replace(sent, time_ms=0):
            return
        if self._link.publish_state(encode_state(state)):
            self._state_sent = state
            self._state_due_s = now_s + STATE_INTERVAL_S

    def _state_now(self, *, online: bool) -> GatewayState:
        journal = self._journal
        epoch = journal.epoch
        return GatewayState(
            gateway=journal.gateway,
            warehouse=journal.warehouse,
            epoch=str(epoch),
            online=online,
            time_ms=self._clock.now_ms(),
            head_seq=max((p.head_seq for p in journal.epochs() if p.epoch == epoch), default=0),
            unsent_count=journal.unsent_count(),
            software=SOFTWARE,
            problem="journal" if self._health.journal_problem() else self._health.link().problem,
            devices=tuple(
                DeviceState(
                    name=device.name,
                    device_class=device.device_class,
                    state=device.state,
                    detail=device.detail[:DETAIL_CHARACTERS_MAX],
                    problem=device.problem,
                )
                for device in self._health.devices()
            ),
        )

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9
