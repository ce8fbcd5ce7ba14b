"""Decides what to send, to send again and to believe acknowledged. Pure.

Each epoch with unacknowledged facts is a stream; the oldest drains first. `pace` says how much.

    event                              what follows
    connected                          sent = acked: what was under way may be lost
    acknowledgement above acked        acked rises, RecordAck; pauses start afresh
    acknowledgement repeated           the ledger has a gap: sent = acked, once until progress
                                       and at most each GAP_PAUSE_S (duplicates make repeats)
    acknowledgement below acked        if newer, the ledger lost facts: acked = what it says
    no progress in the pause           sent = acked, and ONE run as a probe until there is progress;
                                       pauses double to RESEND_MAX_S, with jitter, for ever
    central comes up                   as connected, and no pause counts
    facts are gone from the journal    a problem of the epoch; its last fact asks where the ledger
                                       is, again and again; none if it was only to ask
    another generation                 `wants_epochs`: every kept epoch offers its last fact; the
                                       answer says from where to send again
    problem of the epoch, the gateway  this stream, all streams: one run after growing pauses
    problem with a payload not ours    ignored: somebody else sent it in our name
    more than the journal holds        of an older epoch a problem of that epoch: the journal went
                                       back in time; of the newest one as the following
    unknown epoch, foreign head        ignored, `problem` says it until the next good one
    not signed by our ledger           the same, but `problem` says it only while facts wait

A broker's PUBACK is not believed: only an acknowledgement that our ledger signed and whose head
digest is the journal's own moves `acked`, also for what an earlier run of the program sent.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from central.contract.acks import Ack
from central.contract.identifiers import Epoch
from gateway.journal.records import EpochProgress
from gateway.replication.pace import RESEND_MAX_S, RESEND_MIN_S, Pace
from gateway.replication.refill import Refill
from gateway.replication.streams import Stream

WINDOW_FACTS_MAX = 8000
CREDIT_BEFORE_FIRST_ACK_COUNT = 1000
FLUSH_S = 0.05
LOCAL_PROBLEM_PAUSE_S = 30.0
PAYLOADS_REMEMBERED_MAX = 512
# Ours: the journal no longer holds the facts, or the broker takes no message as large as one fact.
LOCAL_PROBLEMS = frozenset({"facts_gone", "too_large"})
EPOCH_PROBLEMS = frozenset({"fork", "broken_chain", "ack_ahead"}) | LOCAL_PROBLEMS


@dataclass(frozen=True, slots=True)
class SendRun:
    """Send facts of `epoch` from `first_seq` on, at most `facts_max`; then tell `Sender.sent`."""

    epoch: Epoch
    first_seq: int
    facts_max: int


@dataclass(frozen=True, slots=True)
class RecordAck:
    """The ledger has committed `epoch` up to `acked`; note it in the journal.

    stable: up to here it is replicated or backed up; what is known of it, 0 for nothing.
    """

    epoch: Epoch
    acked: int
    stable: int = 0


class Sender:
    """The sending end of the replication of one gateway. One thread uses it.

    jitter: returns a random number from 0 to 1, so that gateways do not resend in step.
    generation: of the ledger that has everything that is acknowledged, "" if none is known.
    All times are seconds of one monotonic clock.
    """

    def __init__(
        self,
        *,
        jitter: Callable[[], float],
        window_facts_max: int = WINDOW_FACTS_MAX,
        generation: str = "",
    ) -> None:
        self._pace = Pace(jitter=jitter, window_facts_max=window_facts_max)
        self._credit_count = CREDIT_BEFORE_FIRST_ACK_COUNT
        self._streams: dict[Epoch, Stream] = {}
        self._connected = False
        self._alarm = ""
        self._payloads: deque[bytes] = deque(maxlen=PAYLOADS_REMEMBERED_MAX)
        self._refill = Refill(generation)

    @property
    def problem(self) -> str:
        """Return why facts do not get through, "" if nothing is known: a LinkProblem or newer."""
        for stream in self._streams.values():
            if stream.problem:
                return stream.problem
        return self._alarm

    @property
    def generation(self) -> str:
        """Return the generation that has everything acknowledged here, for durable keeping."""
        return self._refill.settled

    @property
    def wants_epochs(self) -> bool:
        """Return whether `offer` is to be called with all epochs that the journal keeps."""
        return self._refill.wants_epochs

    def connected(self, now_s: float) -> None:
        """The broker holds our connection: what was under way may be lost, so it goes again."""
        self._connected = True
        self._pace.gone_back()
        for stream in self._streams.values():
            stream.go_back(now_s)
            stream.resends_count = 0
            if stream.problem:
                stream.resend_s = now_s

    def disconnected(self) -> None:
        """Send nothing until `connected`."""
        self._connected = False

    def listening(self, generation: str) -> None:
        """Central says that it takes facts from now on: a hint to send what was under way again."""
        self._pace.gone_back()
        for stream in self._streams.values():
            stream.resends_count = 0
            stream.sent = stream.acked
        self._refill.hinted(generation)

    def appended(self, progress: Sequence[EpochProgress], now_s: float) -> None:
        """Learn how far the journal is: all epochs not acknowledged, and the current."""
        for one in progress:
            stream = self._streams.get(one.epoch)
            if stream is None:
                self._add(Stream(one, now_s))
            elif one.head_seq > stream.head:
                if stream.sent == stream.head:
                    stream.waiting_since_s = now_s
                stream.head = one.head_seq
        listed = {one.epoch for one in progress}
        for epoch, stream in list(self._streams.items()):
            if epoch not in listed and stream.done:
                del self._streams[epoch]

    def reopened(self, progress: EpochProgress, now_s: float) -> None:
        """Learn of an epoch of which the ledger has only `acked_seq`; no news if it is known."""
        if progress.epoch not in self._streams:
            self._add(Stream(progress, now_s))

    def offer(self, kept: Sequence[EpochProgress], now_s: float) -> None:
        """Ask the ledger how far it is in these epochs: all that the journal keeps facts of.

        Each sends its last fact again; the answer says from where on the ledger lacks facts.
        """
        for one in kept:
            if not one.head_seq:
                continue
            self.reopened(one, now_s)
            self._streams[one.epoch].offer_last()
            self._refill.offered(one.epoch)
        self._refill.begun()

    def next_run(self, now_s: float) -> SendRun | None:
        """Return what is to be sent now, None if nothing is; call again after `sent`."""
        if not self._connected:
            return None
        for stream in self._streams.values():
            if stream.done:
                continue
            if not stream.problem:
                return self._run_of(stream, now_s)
            if now_s >= stream.resend_s:
                if stream.problem == "facts_gone":
                    return SendRun(stream.epoch, stream.head, 1)
                return SendRun(stream.epoch, stream.acked + 1, self._pace.run_facts_count)
            if stream.problem not in EPOCH_PROBLEMS:
                return None
        return None

    def sent(
        self, run: SendRun, *, last_seq: int, now_s: float, payload_digest: bytes = b""
    ) -> None:
        """Tell that the facts of `run` up to `last_seq` have been given to the broker.

        payload_digest: SHA-256 of the message, by which a refusal is known.
        """
        stream = self._streams[run.epoch]
        self._payloads.append(payload_digest)
        if stream.problem:
            stream.sent = max(stream.sent, last_seq)
            self._pause_for_problem(stream, now_s)
            stream.probes_count += 1
            return
        if stream.under_way_count == 0:
            stream.resend_s = now_s + self._pace.pause_s(stream.resends_count)
        if stream.resends_count == 0:
            self._pace.sent(stream.epoch, last_seq=last_seq, now_s=now_s)
        stream.sent = last_seq
        stream.waiting_since_s = now_s

    def cannot_send(self, run: SendRun, *, problem: str, now_s: float) -> None:
        """Tell that the facts of `run` cannot be sent, for one of LOCAL_PROBLEMS."""
        assert problem in LOCAL_PROBLEMS
        stream = self._streams[run.epoch]
        if problem == "facts_gone" and stream.go_on_without():
            if stream.done:
                self._refill.done(stream.epoch)
            return
        # The last fact asks at once where the ledger is: perhaps we were told of an old position.
        asked = stream.problem == problem or problem != "facts_gone"
        stream.problem = problem
        stream.resend_s = now_s + LOCAL_PROBLEM_PAUSE_S if asked else now_s

    def received_ack(
        self, ack: Ack, *, our_digest: bytes | None, now_s: float, authentic: bool = True
    ) -> RecordAck | None:
        """Take in an acknowledgement; return what the journal shall note, None if nothing.

        our_digest: the journal's chain at `ack.epoch`, `ack.acked`; None if it has no such fact.
        authentic: whether the ledger that we know signed it.
        """
        if not authentic:
            if not all(one.done for one in self._streams.values()):  # Else it may be kept from old.
                self._alarm = "foreign_ledger"
            return None
        stream = self._streams.get(ack.epoch)
        if ack.problem:
            if ack.refused_digest and ack.refused_digest not in self._payloads:
                return None  # Not our message: forged in our name, or of an earlier start.
            if stream is None:
                self._alarm = ack.problem
            else:
                self._set_problem(stream, ack.problem, now_s)
            return None
        if our_digest is None:
            if stream is None:
                self._alarm = "unknown_epoch"
            elif ack.epoch == max(self._streams):
                self._alarm = "ack_ahead"
            else:
                self._set_problem(stream, "ack_ahead", now_s)
            return None
        if our_digest != ack.head_digest:
            self._alarm = "foreign_head"
            return None
        self._refill.heard(ack.ledger_generation)
        if stream is None:  # An epoch that is done; nothing to learn.
            return None
        note = self._advance(stream, ack, now_s)
        if stream.done and not stream.problem:
            self._refill.done(stream.epoch)
        return note

    def next_wake_s(self, now_s: float) -> float | None:
        """Return when `next_run` has something next if nothing happens before, None for never."""
        if not self._connected:
            return None
        wake_s: float | None = None
        for stream in self._streams.values():
            if stream.done:
                continue
            due_s = stream.resend_s
            if not stream.problem and self._sendable_count(stream) > 0:
                due_s = min(due_s, stream.waiting_since_s + FLUSH_S)
            wake_s = due_s if wake_s is None else min(wake_s, due_s)
            if stream.problem not in EPOCH_PROBLEMS:
                break
        return None if wake_s is None else max(wake_s, now_s)

    def _add(self, stream: Stream) -> None:
        self._streams[stream.epoch] = stream
        self._streams = dict(sorted(self._streams.items()))

    def _run_of(self, stream: Stream, now_s: float) -> SendRun | None:
        if stream.under_way_count > 0 and now_s >= stream.resend_s:
            stream.sent = stream.acked
            stream.resends_count += 1
            self._pace.timed_out()
        facts_max = self._sendable_count(stream)
        if facts_max <= 0:
            return None
        flush = (
            stream.under_way_count == 0
            or facts_max >= self._pace.run_facts_count
            or now_s >= stream.waiting_since_s + FLUSH_S
        )
        return SendRun(stream.epoch, stream.sent + 1, facts_max) if flush else None

    def _sendable_count(self, stream: Stream) -> int:
        run_count = min(self._pace.run_facts_count, stream.head - stream.sent)
        if stream.under_way_count == 0:
            # A ledger without credit still gets one fact: else nobody would ever speak again.
            return min(run_count, max(1, min(self._credit_count, self._pace.window_count)))
        if stream.resends_count > 0:
            return 0
        window_count = min(self._credit_count, self._pace.window_count)
        run_count = min(run_count, max(0, window_count - stream.under_way_count))
        # Less than a run waits for more room, or crumbs would go for ever (RFC 1122, 4.2.3.4).
        enough_count = min(self._pace.run_facts_count, window_count // 2)
        return run_count if run_count >= min(enough_count, stream.head - stream.sent) else 0

    def _set_problem(self, stream: Stream, problem: str, now_s: float) -> None:
        stream.problem = problem
        if stream.under_way_count:
            self._pause_for_problem(stream, now_s)
        else:
            stream.resend_s = now_s  # Nothing of ours was refused; the next fact shows.

    def _pause_for_problem(self, stream: Stream, now_s: float) -> None:
        pause_s = min(RESEND_MIN_S * 2.0 ** min(stream.probes_count, 10), RESEND_MAX_S)
        stream.resend_s = now_s + pause_s

    def _advance(self, stream: Stream, ack: Ack, now_s: float) -> RecordAck | None:
        if ack.acked > stream.head:
            self._alarm = "ack_ahead"
            return None
        self._credit_count = ack.credit_count
        self._alarm, stream.asks = "", False
        newer = stream.take_newer(ack)
        if stream.problem and (stream.problem not in LOCAL_PROBLEMS or ack.acked > stream.acked):
            stream.problem = ""
            stream.probes_count = 0
            stream.sent = stream.acked
        if ack.acked > stream.acked:
            count = ack.acked - stream.acked
            self._pace.heard(stream.epoch, acked=ack.acked, count=count, now_s=now_s)
            stream.acked = ack.acked
            stream.sent = max(stream.sent, ack.acked)
            stream.resends_count = 0
            stream.gap_heard = False
            stream.resend_s = now_s + self._pace.pause_s(0)
        elif ack.acked < stream.acked and newer:
            stream.acked = ack.acked
            self._go_back(stream, now_s)
        elif ack.acked == stream.acked and stream.says_gap(now_s):
            self._go_back(stream, now_s)
        stable = min(ack.stable, ack.acked)
        if ack.acked <= stream.recorded and stable <= stream.stable:
            return None
        stream.recorded = max(stream.recorded, ack.acked)
        stream.stable = max(stream.stable, stable)
        return RecordAck(ack.epoch, ack.acked, stable)

    def _go_back(self, stream: Stream, now_s: float) -> None:
        stream.go_back(now_s)
        self._pace.gone_back()
