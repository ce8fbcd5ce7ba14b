"""Sends the journal's facts to the ledger and notes what the ledger has committed. Loop."""

import hashlib
from collections.abc import Callable, Sequence
from threading import Event, Thread

from msgspec.structs import replace

from central.contract.acks import decode_ack
from central.contract.errors import ContractError
from central.contract.states import (
    CentralState,
    GatewayState,
    decode_central_state,
    encode_state,
)
from central.contract.topics import shard_of
from gateway.clock import Clock
from gateway.config_sections import MqttSection
from gateway.health import ConnectionProblem, Health, LinkHealth
from gateway.journal.journal import Journal
from gateway.journal.records import EpochProgress
from gateway.logs import log_crash, log_event
from gateway.replication.batches import make_batch
from gateway.replication.central_software import lowest_software
from gateway.replication.down_traffic import DownTraffic
from gateway.replication.hints import PROBLEM_HINTS
from gateway.replication.known_ledger import KnownLedger, LedgerFileUnusable
from gateway.replication.mailbox import Connected, Disconnected, Mailbox
from gateway.replication.mqtt_link import HINTS, MqttLink
from gateway.replication.sender import Sender, SendRun
from gateway.replication.signing import GatewayKey
from gateway.replication.telemetry import gateway_state

STATE_INTERVAL_S = 2.0
HEARTBEAT_S = 60.0  # A state that says nothing new goes out as often: it tells that we live.
FULL_QUEUE_PAUSE_S = 0.1
CRASH_PAUSE_S = 1.0
WATCH_S = 0.5
STOP_S_MAX = 5.0
# The ledger is asked for the epochs that it has whole, too: so the journal learns what is safe for
# good and may be forgotten, without a message of its own.
STABLE_ASKED_EACH_S = 6 * 3600.0
RENEW_S = 10.0  # Between two questions for what the broker did not let us read.
WORKERS_MAX = 64  # Of central; one a shard.


class Replicator:
    """The loop between journal and broker: two threads of its own and one of paho's.

    jitter: returns a random number from 0 to 1. down: None takes acknowledgements alone.
    `start` once, `stop` once.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        key: GatewayKey,
        ledger: KnownLedger,
        mqtt: MqttSection,
        site: str,
        clock: Clock,
        health: Health,
        jitter: Callable[[], float],
        down: DownTraffic | None = None,
    ) -> None:
        self._down = down
        self._journal = journal
        self._key = key
        self._ledger = ledger
        self._clock = clock
        self._health = health
        self._mailbox = Mailbox()
        self._sender = Sender(jitter=jitter, generation=ledger.generation)
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
        self._workers: dict[str, CentralState] = {}  # Of our shard: what they said last.
        self._generation_lost = ""
        self._renew_due_s = 0.0
        self._stable_due_s = self._now_s() + STABLE_ASKED_EACH_S
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
        if self._down is not None:
            self._down.stop()
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
        for payload in mail.states:
            self._take_state(payload)
        self._sender.appended(self._journal.epochs(), self._now_s())
        for payload in mail.acks:
            self._take_ack(payload)
        self._offer_epochs()
        self._keep_generation()
        self._step_down(mail.notices)
        while not self._queue_full and (run := self._sender.next_run(self._now_s())) is not None:
            self._send(run)
        self._note_problem()
        self._publish_state()
        if self._now_s() >= self._renew_due_s:
            self._renew_due_s = self._now_s() + RENEW_S
            self._link.renew()

    def _timeout_s(self) -> float:
        if self._queue_full:
            return FULL_QUEUE_PAUSE_S
        now_s, down = self._now_s(), self._down
        wakes_s = [self._sender.next_wake_s(now_s), down.next_wake_s() if down else None]
        known_s = [max(0.0, wake_s - now_s) for wake_s in wakes_s if wake_s is not None]
        return min([STATE_INTERVAL_S, *known_s])

    def _note_connection(self, change: Connected | Disconnected) -> None:
        before, self._connection = self._connection, change
        if isinstance(change, Connected):
            self._refused = ""
            self._sender.connected(self._now_s())
            if self._down is not None:
                self._down.connected(self._now_s())
            self._state_sent = None
            log_event("info", "connected to the broker", bytes_max=change.payload_bytes_max)
        else:
            self._sender.disconnected()
            if self._down is not None:
                self._down.disconnected()
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
        # Before the first ledger was heard nobody is known who could be another.
        authentic = not self._ledger.public_key_hex or self._ledger.signed(
            ack.signed_bytes, ack.signature
        )
        ours = self._journal.digest_at(ack.epoch, ack.acked)
        if authentic and ours is not None and ours == ack.head_digest and not ack.problem:
            progress = self._journal.progress(ack.epoch)
            # A restored ledger may have lost facts of an epoch that was finished: again, then.
            if progress is not None and progress.head_seq > ack.acked:
                lost = EpochProgress(progress.epoch, progress.head_seq, ack.acked)
                self._sender.reopened(lost, self._now_s())
        note = self._sender.received_ack(
            ack, our_digest=ours, now_s=self._now_s(), authentic=authentic
        )
        if note is not None:
            self._journal.record_ack(note.epoch, acked=note.acked, stable=note.stable)
        if authentic and not ack.problem:
            self._refused = ""
            self._acked_ms = self._clock.now_ms()
            self._write_health()
        if not authentic:
            self._health.count("acks_not_signed_total")

    def _take_state(self, payload: bytes) -> None:
        """A worker of central came or went."""
        try:
            state = decode_central_state(payload)
        except ContractError as error:
            self._health.count("central_states_unreadable_total")
            log_event("warning", "state of central not readable", detail=str(error))
            return
        if shard_of(self._journal.gateway) not in state.shards:
            self._workers.pop(state.worker, None)
            return
        before = self._workers.get(state.worker)
        if len(self._workers) < WORKERS_MAX or before is not None:
            self._workers[state.worker] = state
        if state.online and state != before:  # Word for word the same is no news.
            self._believe(state)
            self._sender.listening(state.generation)
        self._write_health()

    def _step_down(self, payloads: Sequence[bytes]) -> None:
        if self._down is None:
            return
        connected = isinstance(self._connection, Connected)
        listening = connected and any(one.online for one in self._workers.values())
        self._down.turn(
            payloads, self._link.publish, self._now_s(), connected=connected, listening=listening
        )

    def _believe(self, state: CentralState) -> None:
        try:
            if self._ledger.hear(state.public_key):
                log_event("info", "this ledger is believed from now on", key=state.public_key)
                self._stable_due_s = self._now_s()  # Perhaps it is another one than before.
        except LedgerFileUnusable as error:  # Facts go on; whoever looks after the disk hears.
            log_event("error", "the ledger's key is not kept", detail=str(error), hint=error.hint)

    def _keep_generation(self) -> None:
        generation = self._sender.generation
        if generation in (self._ledger.generation, self._generation_lost):
            return
        try:
            self._ledger.note_generation(generation)
        except LedgerFileUnusable as error:
            self._generation_lost = generation  # At worst the ledger is asked once more.
            log_event("error", "the generation is not kept", detail=str(error), hint=error.hint)

    def _offer_epochs(self) -> None:
        now_s = self._now_s()
        if now_s >= self._stable_due_s:
            self._stable_due_s = now_s + STABLE_ASKED_EACH_S
        elif not self._sender.wants_epochs:
            return
        kept = self._journal.kept_epochs()
        log_event("info", "asking the ledger how far it is", epochs_count=len(kept))
        self._sender.offer(kept, now_s)

    def _send(self, run: SendRun) -> None:
        connection = self._connection
        assert isinstance(connection, Connected)
        made = make_batch(self._journal, self._key, run, bytes_max=connection.payload_bytes_max)
        now_s = self._now_s()
        if isinstance(made, str):
            self._sender.cannot_send(run, problem=made, now_s=now_s)
            return
        if not self._link.publish("up", made.payload):
            self._queue_full = True
            return
        self._health.count("batches_sent_total")
        self._health.count("batch_bytes_sent_total", len(made.payload))
        self._health.count("facts_sent_total", made.last_seq - run.first_seq + 1)
        payload_digest = hashlib.sha256(made.payload).digest()
        self._sender.sent(run, last_seq=made.last_seq, now_s=now_s, payload_digest=payload_digest)

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
        elif self._workers and not any(one.online for one in self._workers.values()):
            detail, reason = "no worker of central takes our facts", "central_silent"
        if self._refused:
            detail = f"the broker refuses our messages: {self._refused}"
            reason = reason or "writing_refused"
        software = lowest_software(self._workers.values())
        link = LinkHealth(connected, detail, self._problem, self._acked_ms, reason, software)
        self._health.set_link(link)

    def _publish_state(self) -> None:
        now_s = self._now_s()
        if not isinstance(self._connection, Connected):
            return
        if self._state_sent is not None and now_s < self._state_due_s:
            return
        state = self._state_now(online=True)
        sent = self._state_sent
        if sent is not None and now_s < self._state_due_s - STATE_INTERVAL_S + HEARTBEAT_S:
            # What changes by itself waits for the heartbeat.
            same = replace(
                state,
                time_ms=sent.time_ms,
                monotonic_ms=sent.monotonic_ms,
                known_age_s=sent.known_age_s,
                written_bytes_day=sent.written_bytes_day,
            )
            if same == sent:
                return
        if self._link.publish("state", encode_state(state), retain=True):
            self._state_sent = state
            self._state_due_s = now_s + STATE_INTERVAL_S

    def _state_now(self, *, online: bool) -> GatewayState:
        return gateway_state(self._journal, self._clock, self._health, online=online)

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9
