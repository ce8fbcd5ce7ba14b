"""A ledger, a journal and a bad network (loses, doubles, reorders, delays) in memory. Pure."""

import random
from dataclasses import dataclass, field

from central.contract.acks import Ack
from central.contract.facts import NO_HEAD, chain_next, chain_start
from central.contract.identifiers import Epoch
from gateway.journal.records import EpochProgress
from gateway.replication.sender import Sender

GATEWAY = "dock-1"


@dataclass
class ModelJournal:
    """Facts per epoch; one byte string each."""

    facts: dict[Epoch, list[bytes]] = field(default_factory=dict)
    acked: dict[Epoch, int] = field(default_factory=dict)

    def start(self, start_count: int, nonce: int) -> Epoch:
        epoch = Epoch(start_count=start_count, nonce=nonce)
        self.facts[epoch] = []
        self.acked[epoch] = 0
        return epoch

    def append(self, epoch: Epoch, count: int) -> None:
        have = self.facts[epoch]
        have.extend(f"{epoch}/{len(have) + n + 1}".encode() for n in range(count))

    def epochs(self) -> list[EpochProgress]:
        current = max(self.facts)
        return [
            EpochProgress(epoch, len(facts), self.acked[epoch])
            for epoch, facts in sorted(self.facts.items())
            if epoch == current or self.acked[epoch] < len(facts)
        ]

    def digest_at(self, epoch: Epoch, seq: int) -> bytes | None:
        if epoch not in self.facts or seq > len(self.facts[epoch]):
            return None
        return digest_of(epoch, self.facts[epoch][:seq])


_digests: dict[tuple[Epoch, bytes], bytes] = {}  # The chain is long and asked for often.


def digest_of(epoch: Epoch, facts: list[bytes]) -> bytes:
    if not facts:
        return NO_HEAD
    unknown = []
    for fact in reversed(facts):
        if (epoch, fact) in _digests:
            break
        unknown.append(fact)
    known_count = len(facts) - len(unknown)
    digest = chain_start(gateway=GATEWAY, epoch=epoch, previous_epoch_head=NO_HEAD)
    if known_count:
        digest = _digests[epoch, facts[known_count - 1]]
    for fact in reversed(unknown):
        digest = _digests[epoch, fact] = chain_next(digest, fact)
    return digest


@dataclass
class ModelLedger:
    """Takes what is contiguous, in order; acknowledges everything that it hears."""

    facts: dict[Epoch, list[bytes]] = field(default_factory=dict)
    credit_count: int = 2000
    generation: str = "g1"
    time_ms: int = 0
    problem: str = ""

    def receive(self, epoch: Epoch, first_seq: int, facts: list[bytes]) -> Ack:
        have = self.facts.setdefault(epoch, [])
        if not self.problem and first_seq <= len(have) + 1:
            have.extend(facts[len(have) + 1 - first_seq :])
        return self.ack(epoch)

    def ack(self, epoch: Epoch) -> Ack:
        have = self.facts.setdefault(epoch, [])
        self.time_ms += 1
        return Ack(
            gateway=GATEWAY,
            start_count=epoch.start_count,
            nonce=epoch.nonce,
            acked=len(have),
            want=len(have) + 1,
            head_digest=digest_of(epoch, have),
            credit_count=self.credit_count,
            ledger_generation=self.generation,
            ledger_time_ms=self.time_ms,
            problem=self.problem,
        )


@dataclass
class World:
    """One gateway that restarts, one ledger, and everything that can happen between them."""

    random: random.Random
    loss: float = 0.0
    journal: ModelJournal = field(default_factory=ModelJournal)
    ledger: ModelLedger = field(default_factory=ModelLedger)
    now_s: float = 0.0
    sent_count: int = 0
    under_way: list[tuple[float, tuple[Epoch, int, list[bytes]] | Ack]] = field(
        default_factory=list
    )

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """The gateway dies and starts again: a new epoch, a sender that knows nothing."""
        self.epoch = self.journal.start(len(self.journal.facts) + 1, self.random.getrandbits(64))
        self.sender = Sender(jitter=self.random.random)
        self.sender.appended(self.journal.epochs(), self.now_s)
        self.sender.connected(self.now_s)

    def append(self, count: int) -> None:
        self.journal.append(self.epoch, count)

    def step(self, pass_s: float) -> None:
        self.now_s += pass_s
        self.sender.appended(self.journal.epochs(), self.now_s)
        self._deliver()
        while (run := self.sender.next_run(self.now_s)) is not None:
            start = run.first_seq - 1
            facts = self.journal.facts[run.epoch][start : start + run.facts_max]
            assert facts, f"asked to send nothing: {run}"
            self.sent_count += len(facts)
            self.sender.sent(run, last_seq=start + len(facts), now_s=self.now_s)
            self._transmit((run.epoch, run.first_seq, facts))

    def settle(self, seconds_max: float) -> None:
        """The network is good again: let everything arrive within `seconds_max`."""
        self.loss = 0.0
        end_s = self.now_s + seconds_max
        self.step(0.001)
        while not self.done() and self.now_s < end_s:
            wake_s = self.sender.next_wake_s(self.now_s) or end_s
            soonest = min([due for due, _ in self.under_way], default=wake_s)
            self.step(max(0.001, min(wake_s, soonest) - self.now_s))

    def done(self) -> bool:
        return all(
            self.journal.acked[epoch] == len(facts) for epoch, facts in self.journal.facts.items()
        )

    def _deliver(self) -> None:
        ready = [one for one in self.under_way if one[0] <= self.now_s]
        self.under_way = [one for one in self.under_way if one[0] > self.now_s]
        if self.loss:
            self.random.shuffle(ready)
        for _, message in ready:
            if isinstance(message, Ack):
                ours = self.journal.digest_at(message.epoch, message.acked)
                record = self.sender.received_ack(message, our_digest=ours, now_s=self.now_s)
                if record is not None:
                    committed = len(self.ledger.facts.get(record.epoch, []))
                    assert record.acked <= committed, "acknowledged what is not committed"
                    assert record.acked > self.journal.acked[record.epoch]
                    self.journal.acked[record.epoch] = record.acked
            else:
                self._transmit(self.ledger.receive(*message))

    def _transmit(self, message: tuple[Epoch, int, list[bytes]] | Ack) -> None:
        copies_count = 1
        if self.random.random() < self.loss:
            copies_count = self.random.choice([0, 0, 2])
        for _ in range(copies_count):
            delay_s = 0.005 + (self.random.random() * 3 if self.random.random() < self.loss else 0)
            self.under_way.append((self.now_s + delay_s, message))
