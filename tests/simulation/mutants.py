"""Planted bugs: each must be found, or the simulation looks away. Pure."""

import math
from collections.abc import Callable, Sequence

from central.contract.acks import Ack
from central.contract.envelope import Batch
from central.inbox.receiver import Standing, judge
from central.inbox.sequences import Verdict
from central.outbox.stream import NoticeStream
from central.outbox.stream import SendRun as NoticeRun
from gateway.journal.records import EpochProgress
from gateway.replication.sender import RecordAck, Sender, SendRun
from gateway.replication.streams import Stream
from tests.simulation.bugs import Bugs

TRIES_MAX = 5


class SendsOnce(Sender):
    """Sends each fact once, whatever is heard or not heard."""

    def connected(self, now_s: float) -> None:
        self._connected = True

    def listening(self, generation: str) -> None:
        """Learn nothing."""

    def next_run(self, now_s: float) -> SendRun | None:
        for stream in self._streams.values():
            stream.resend_s = math.inf
        return super().next_run(now_s)

    def _go_back(self, stream: Stream, now_s: float) -> None:
        """Go on as if it had arrived."""


class GivesUpOldEpochs(Sender):
    """Tries to drain older epochs a number of times, then leaves them."""

    def __init__(self, **arguments: object) -> None:
        super().__init__(**arguments)  # type: ignore[arg-type]
        self._tries: dict[object, int] = {}

    def next_run(self, now_s: float) -> SendRun | None:
        run = super().next_run(now_s)
        if run is not None and run.epoch != max(self._streams):
            count = self._tries[run.epoch] = self._tries.get(run.epoch, 0) + 1
            if count > TRIES_MAX:
                stream = self._streams[run.epoch]
                stream.acked = stream.sent = stream.head
                return super().next_run(now_s)
        return run


class NeverRefills(Sender):
    """Does not care whether the ledger is the one that acknowledged."""

    @property
    def wants_epochs(self) -> bool:
        return False

    def offer(self, kept: Sequence[EpochProgress], now_s: float) -> None:
        """Ask nothing."""


class BelievesAnybody(Sender):
    """Does not care who signed an acknowledgement."""

    def received_ack(
        self, ack: Ack, *, our_digest: bytes | None, now_s: float, authentic: bool = True
    ) -> RecordAck | None:
        return super().received_ack(ack, our_digest=our_digest, now_s=now_s, authentic=True)


class TellsOnce(NoticeStream):
    """Sends each notice once, whatever is heard or not heard."""

    def next_run(self, now_s: float) -> NoticeRun | None:
        self._resend_s = math.inf
        return super().next_run(now_s)


def takes_twice(
    standing: Standing, batch: Batch, *, digest_at: Callable[[int], bytes | None]
) -> Verdict:
    """Judge without looking for what the ledger has already."""
    verdict = judge(standing, batch, digest_at=digest_at)
    return Verdict("accept", 0) if verdict.kind in {"duplicate", "accept"} else verdict


def accepts_gaps(
    standing: Standing, batch: Batch, *, digest_at: Callable[[int], bytes | None]
) -> Verdict:
    """Judge without missing what comes before the batch."""
    verdict = judge(standing, batch, digest_at=digest_at)
    return Verdict("accept", 0) if verdict.kind == "gap" else verdict


MUTANTS = (
    Bugs(name="trust the PUBACK", trusts_puback=True),
    Bugs(name="no retransmission", sender=SendsOnce),
    Bugs(name="no fsync", skips_fsync=True),
    Bugs(name="acknowledge before commit", acknowledges_before_commit=True),
    Bugs(name="no dedup", judge=takes_twice),
    Bugs(name="accept gaps", judge=accepts_gaps),
    Bugs(name="no epoch", one_epoch=True),
    Bugs(name="bounded replay of old epochs", sender=GivesUpOldEpochs),
    Bugs(name="unsorted balances", unsorted_balances=True),
    Bugs(name="beep before commit", beeps_before_commit=True),
    Bugs(name="no refill of a restored ledger", sender=NeverRefills),
    Bugs(name="unsigned acknowledgements", sender=BelievesAnybody),
    Bugs(name="notices sent once", notice_stream=TellsOnce),
    Bugs(name="own facts counted twice", tells_no_positions=True),
)
