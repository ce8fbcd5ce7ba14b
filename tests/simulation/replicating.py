"""Between a card and the line: what the gateway's replicator does with its Sender. Pure."""

from central.contract.acks import Ack
from central.contract.envelope import Batch
from central.contract.identifiers import Epoch
from gateway.journal.records import EpochProgress
from gateway.replication.sender import Sender, SendRun
from tests.simulation.bugs import Bugs
from tests.simulation.card import Card, EpochRows
from tests.simulation.checkers import Oracle
from tests.simulation.kernel import Kernel
from tests.simulation.knowing import Knowing
from tests.simulation.network import Broker, Line, Message

# Hours in the product; here it happens in some runs, and not at all in others.
STABLE_ASKED_EACH_S = (100.0, 5000.0)
FORGED = b"forged"  # Any signature that is not the ledger's.
WAKE_LATE_S = 0.001  # A thread never wakes early, and seldom at once.


class Replicating:
    """The state of one gateway between start and crash."""

    line: Line
    boot: int
    running: bool

    def __init__(
        self,
        kernel: Kernel,
        oracle: Oracle,
        broker: Broker,
        bugs: Bugs,
        *,
        code: str,
        shard: int,
        card: Card,
    ) -> None:
        self.kernel = kernel
        self.oracle = oracle
        self.broker = broker
        self.bugs = bugs
        self.code = self.name = code
        self.shard = shard
        self.card = card
        self.opened = False
        self.knowing: Knowing | None = None
        self.connection = 0
        self.rows: EpochRows | None = None
        self.visible = 0  # Facts of the current epoch whose commit has returned.
        self.run_facts_max = 8  # Stands for what fits into a batch.
        self.window_facts_max = 60
        self.acked: dict[Epoch, int] = {}  # As believed, ahead of the card.
        self.stable: dict[Epoch, int] = {}
        self._words: dict[str, tuple[str, int, str]] = {}
        self.sender: Sender
        self._clock_base_s = 0.0
        self._clock_rate = 1.0
        self._booted_s = 0.0
        self._wake_s = 0.0
        self._unwritten = False
        self._stable_due_s = self._stable_each_s = 0.0
        self._progress: list[EpochProgress] | None = None  # Until something changes.
        self._recorded: Message | None = None  # By somebody who listens at the broker.

    def monotonic_s(self) -> float:
        """Return the machine's clock since its boot; it drifts."""
        return self._clock_base_s + (self.kernel.now_s - self._booted_s) * self._clock_rate

    def true_s(self, seconds: float) -> float:
        """Return how long so many seconds of the machine's clock are."""
        return seconds / self._clock_rate

    def open_replication(self) -> None:
        """Begin with what the card knows."""
        kernel = self.kernel
        self._booted_s = kernel.now_s
        self._clock_base_s = kernel.between(0.0, 1e6)
        self._clock_rate = kernel.between(0.999, 1.001)
        self._wake_s = float("inf")
        rows = self.rows
        assert rows is not None
        self.visible = len(rows.bodies)
        self.acked = {epoch: one.acked for epoch, one in self.card.epochs.items()}
        self.stable = {}
        self._words = {}
        self._progress = None
        self._unwritten = False
        self._stable_each_s = kernel.random.choice(STABLE_ASKED_EACH_S)
        self._stable_due_s = kernel.now_s + self._stable_each_s
        self.sender = self.bugs.sender(
            jitter=kernel.random.random,
            window_facts_max=self.window_facts_max,
            generation=self.card.generation,
        )
        self.opened = True
        if self.knowing is not None:
            self.knowing.open()
            self.knowing.step()
        self.step()

    def close_replication(self) -> None:
        """End with the program."""
        self.opened = False
        if self.connection:
            self.broker.leave_machine(self)
        self.connection = 0

    def connected(self) -> None:
        """Tell the sender that the broker holds the connection."""
        if self.kernel.tracing:
            self.kernel.note(self.name, "connected")
        self.sender.connected(self.monotonic_s())
        if self.knowing is not None:
            self.knowing.connected()
        self.step()

    def hear_central(self, connection: int, word: tuple[str, int, str]) -> None:
        """Take in the state of a worker; what it says again, word for word, is no news."""
        worker, _, generation = word
        if self.opened and connection == self.connection and generation:
            if self._words.get(worker) == word:
                return
            self._words[worker] = word
            self.sender.listening(generation)
            self.step()

    def hear_ack(self, connection: int, ack: Ack) -> None:
        """Take in an acknowledgement."""
        if not self.opened or connection != self.connection:
            return
        now_s = self.monotonic_s()
        self.sender.appended(self.progress(), now_s)
        epoch, acked = ack.epoch, ack.acked
        ours = self.digest_at(epoch, acked)
        authentic = ack.signature != FORGED
        if authentic and ours is not None and ours == ack.head_digest and not ack.problem:
            head = self.head_of(epoch)
            if head > acked:
                self.sender.reopened(EpochProgress(epoch, head, acked), now_s)
        note = self.sender.received_ack(ack, our_digest=ours, now_s=now_s, authentic=authentic)
        if self.kernel.tracing:
            believed = "" if note is None else f"believed to {note.acked}"
            self.kernel.note(
                self.name, "hears ack", epoch, acked, ack.problem, ack.ledger_generation, believed
            )
        if note is not None:
            self.believe(note.epoch, note.acked, note.stable)
        self._go_on(now_s)

    def believe(self, epoch: Epoch, acked: int, stable: int) -> None:
        """Note what the ledger has, as the journal's `record_ack` does."""
        self.oracle.believed(self.code, epoch, acked, stable)
        if acked > self.acked.get(epoch, 0):
            self.acked[epoch] = min(acked, self.head_of(epoch))
            self._progress = None
        if stable > self.stable.get(epoch, 0):
            self.stable[epoch] = stable
        self._unwritten = True

    def believe_puback(self, message: object) -> None:
        """Do what one of the planted bugs does when the broker has a batch."""
        assert isinstance(message, Message)
        epoch, last_seq = message.batch.epoch, message.batch.last_seq
        if last_seq > self.acked.get(epoch, 0):
            self.acked[epoch] = last_seq
            self._progress = None
            self._unwritten = True
        stream = self.sender._streams.get(epoch)
        if stream is not None and last_seq > stream.acked:
            stream.acked = stream.recorded = last_seq
            stream.sent = max(stream.sent, last_seq)
        rows = self.card.epochs.get(epoch)
        if rows is not None:
            self.card.forget(rows, last_seq)

    def send_broken(self, kind: str) -> None:
        """Let somebody send a batch in this gateway's name. kind: "forged" or "corrupt"."""
        if self.rows is None:
            return
        batch = Batch(
            gateway=self.code,
            epoch=self.rows.epoch,
            first_seq=len(self.rows.bodies) + 1,
            previous_epoch_head=self.rows.previous_head,
            previous_digest=bytes(32),
            signature=b"",
            facts=(b"forged",),
            digests=(self.kernel.random.randbytes(32),),
        )
        self.broker.take_batch(self, 0, Message(batch, batch.digests[0], kind))

    def forge_ack(self) -> None:
        """Let somebody who listens at the broker acknowledge all facts in the ledger's name."""
        rows = self.rows
        if rows is None or not 0 < self.visible <= len(rows.digests):
            return  # It has just died, and what was seen of it is gone.
        ack = Ack(
            gateway=self.code,
            start_count=rows.epoch.start_count,
            nonce=rows.epoch.nonce,
            acked=self.visible,
            want=self.visible + 1,
            head_digest=rows.digests[self.visible - 1],
            credit_count=0,
            ledger_generation="forged",
            ledger_time_ms=0,
            signature=FORGED,
        )
        self.broker.take_ack(ack, retain=True)

    def send_again(self) -> None:
        """Let somebody send a true batch of this gateway again, much later."""
        if self._recorded is not None:
            self.broker.take_batch(self, 0, self._recorded)

    def step(self) -> None:
        """Send what is to be sent, and wake when there may be more."""
        if not self.opened:
            return
        now_s = self.monotonic_s()
        self.sender.appended(self.progress(), now_s)
        self._go_on(now_s)

    def _go_on(self, now_s: float) -> None:
        sender = self.sender
        if sender.wants_epochs or self._asks_for_stable():
            sender.offer(self.kept(), now_s)
        if sender.generation != self.card.generation:
            self.card.generation = sender.generation  # A file of its own, synced at once.
        while (run := sender.next_run(now_s)) is not None:
            self._send(run, now_s)
        wake_s = sender.next_wake_s(now_s)
        if wake_s is not None:
            due_s = self.kernel.now_s + self.true_s(max(0.0, wake_s - now_s)) + WAKE_LATE_S
            if due_s < self._wake_s:
                self._wake_s = due_s
                self.kernel.after(due_s - self.kernel.now_s, self._woken, self.boot, due_s)

    def progress(self) -> list[EpochProgress]:
        """Return the epochs that are not acknowledged, and the current one."""
        if self._progress is None:
            assert self.rows is not None
            current = self.rows.epoch
            self._progress = [
                EpochProgress(epoch, self.head_of(epoch), self.acked[epoch])
                for epoch, rows in self.card.epochs.items()
                if epoch is current or self.acked[epoch] < len(rows.bodies)
            ]
        return self._progress

    def committed(self, last_seq: int) -> None:
        """Learn that the commit of facts has returned."""
        self.visible = last_seq
        self._progress = None

    def kept(self) -> list[EpochProgress]:
        """Return all epochs of which the card keeps facts."""
        return [
            EpochProgress(epoch, self.head_of(epoch), self.acked[epoch])
            for epoch, rows in self.card.epochs.items()
            if rows.bodies
        ]

    def head_of(self, epoch: Epoch) -> int:
        """Return the last fact of an epoch that is committed."""
        assert self.rows is not None
        rows = self.card.epochs[epoch]
        return self.visible if rows is self.rows else len(rows.bodies)

    def digest_at(self, epoch: Epoch, seq: int) -> bytes | None:
        """Return the journal's chain, None for a fact that it does not have."""
        if epoch not in self.card.epochs or seq > self.head_of(epoch):
            return None
        return self.card.digest_at(epoch, seq)

    def house_is_due(self) -> bool:
        """Return whether something is known that is not written."""
        return self.opened and self._unwritten

    def write_positions(self) -> None:
        """Write what is known to be acknowledged; not synced by itself."""
        self._unwritten = False
        self.card.write_acks(self.acked, self.stable)

    def forget_what_is_safe(self) -> None:
        """Delete facts that the ledger has for good; their age is no protection here."""
        for epoch, rows in self.card.epochs.items():
            seq = min(rows.stable, rows.acked)
            if self.card.stock.standing.stream:
                seq = min(seq, self.card.stock.positions.get(epoch, 0))
            if seq > rows.forgotten + 1:
                self.card.forget(rows, seq)

    def _asks_for_stable(self) -> bool:
        if self.kernel.now_s < self._stable_due_s:
            return False
        self._stable_due_s = self.kernel.now_s + self._stable_each_s
        return True

    def _send(self, run: SendRun, now_s: float) -> None:
        rows = self.card.epochs[run.epoch]
        first_seq = run.first_seq
        room_count = self.head_of(run.epoch) - first_seq + 1
        count = min(run.facts_max, self.run_facts_max, room_count)
        bodies = self.card.read(rows, first_seq, count)
        if not bodies:
            self.sender.cannot_send(run, problem="facts_gone", now_s=now_s)
            if self.kernel.tracing:
                self.kernel.note(self.name, "cannot send", run.epoch, first_seq)
            return
        last_seq = first_seq + len(bodies) - 1
        batch = Batch(
            gateway=self.code,
            epoch=run.epoch,
            first_seq=first_seq,
            previous_epoch_head=rows.previous_head,
            previous_digest=rows.digests[first_seq - 2] if first_seq > 1 else rows.start,
            signature=b"",
            facts=bodies,
            digests=tuple(rows.digests[first_seq - 1 : last_seq]),
        )
        digest = first_seq.to_bytes(8, "big") + batch.digests[-1][8:]
        if self.kernel.tracing:
            self.kernel.note(self.name, "sends", run.epoch, first_seq, "..", last_seq)
        message = Message(batch, digest)
        if self._recorded is None or self.kernel.chance(0.05):
            self._recorded = Message(batch, digest)
        self.line.carry("out", self.broker.take_batch, self, self.connection, message)
        self.sender.sent(run, last_seq=last_seq, now_s=now_s, payload_digest=digest)
        self.oracle.sent(self, run.epoch, last_seq)

    def _woken(self, boot: int, due_s: float) -> None:
        if boot == self.boot and due_s == self._wake_s:
            self._wake_s = float("inf")
            self.step()
