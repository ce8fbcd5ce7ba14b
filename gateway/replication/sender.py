"""Decides what to send, to send again and to believe acknowledged. Pure.

Each epoch with facts that the ledger has not acknowledged is a stream; the oldest drains first.

        acked            sent                   head
    ------|----------------|----------------------|------>  seq
      ledger has     under way             in the journal

    event                              what follows
    connected                          sent = acked: what was under way may be lost
    acknowledgement above acked        acked rises, RecordAck; pauses start afresh
    acknowledgement repeated           the ledger has a gap: sent = acked, once until
                                       progress and at most each GAP_PAUSE_S (duplicates make
                                       repeats, too)
    acknowledgement below acked        the ledger lost facts (new generation, or newer ledger
                                       time): acked = what it says, sent = acked; else it is old
    no progress for RESEND_MIN_S       sent = acked, and ONE run as a probe until there is progress;
                                       pauses double to RESEND_MAX_S, with jitter, for ever
    problem of the epoch               this stream: one run after growing pauses; others go on
    problem of the gateway             all streams: one run after growing pauses, short at first,
                                       since anyone could have forged what made the ledger say so
    more than the journal holds        of an older epoch: the journal went back in time, a problem
                                       of that epoch; of the newest one as the following
    unknown epoch, foreign head        ignored, `problem` says it until the next good one

A broker's PUBACK is not believed: only an acknowledgement whose head digest is the journal's own
moves `acked`, also for what an earlier run of the program sent. That tells a ledger with another
history; it is no proof of who speaks. The digest travels in clear in each batch, so whoever may
publish on the gateway's ack topic can forge an acknowledgement: the broker's access list must give
that topic to central alone. The journal keeps acknowledged facts in any case.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from central.contract.acks import Ack
from central.contract.identifiers import Epoch
from gateway.journal.records import EpochProgress

WINDOW_FACTS_MAX = 8000
CREDIT_BEFORE_FIRST_ACK_COUNT = 1000
RUN_FACTS_MAX = 500
FLUSH_S = 0.05
GAP_PAUSE_S = 0.25
RESEND_MIN_S = 2.0
RESEND_MAX_S = 30.0
LOCAL_PROBLEM_PAUSE_S = 30.0

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
    """The ledger has committed `epoch` up to `acked`; note it in the journal."""

    epoch: Epoch
    acked: int


class _Stream:
    """What is known of one epoch; the one thing here that changes, hence no dataclass."""

    def __init__(self, progress: EpochProgress, now_s: float) -> None:
        self.epoch = progress.epoch
        self.head = progress.head_seq
        self.acked = self.sent = progress.acked_seq
        self.recorded = progress.acked_seq  # What the journal knows to be acknowledged.
        self.waiting_since_s = now_s  # Since when facts wait beside those under way.
        self.generation = ""
        self.ledger_time_ms = 0
        self.problem = ""
        self.probes_count = 0  # Runs sent since there is a problem.
        # So often in a row without progress; above 0 only one run is under way at a time.
        self.resends_count = 0
        self.resend_s = 0.0  # When to send again; counts while something is under way.
        self.gap_heard = False  # A repeated acknowledgement has been answered; wait for progress.
        self.gap_until_s = 0.0  # A repeated acknowledgement before this says nothing new.

    @property
    def under_way_count(self) -> int:
        return self.sent - self.acked


class Sender:
    """The sending end of the replication of one gateway. One thread uses it.

    jitter: returns a random number from 0 to 1, so that gateways do not resend in step.
    All times are seconds of one monotonic clock.
    """

    def __init__(
        self, *, jitter: Callable[[], float], window_facts_max: int = WINDOW_FACTS_MAX
    ) -> None:
        self._jitter = jitter
        self._window_facts_max = window_facts_max
        self._credit_count = CREDIT_BEFORE_FIRST_ACK_COUNT
        self._streams: dict[Epoch, _Stream] = {}
        self._connected = False
        self._alarm = ""

    @property
    def problem(self) -> str:
        """Return why facts do not get through, "" if nothing is known: a LinkProblem, or what a
        newer ledger says."""
        for stream in self._streams.values():
            if stream.problem:
                return stream.problem
        return self._alarm

    def connected(self, now_s: float) -> None:
        """The broker holds our connection: what was under way may be lost, so it goes again."""
        self._connected = True
        for stream in self._streams.values():
            _go_back(stream, now_s)
            stream.resends_count = 0
            if stream.problem:
                stream.resend_s = now_s

    def disconnected(self) -> None:
        """Nothing can be sent until `connected`."""
        self._connected = False

    def appended(self, progress: Sequence[EpochProgress], now_s: float) -> None:
        """Learn how far the journal is: all epochs not acknowledged, and the current."""
        for one in progress:
            stream = self._streams.get(one.epoch)
            if stream is None:
                self._streams[one.epoch] = _Stream(one, now_s)
                self._streams = dict(sorted(self._streams.items()))
            elif one.head_seq > stream.head:
                if stream.sent == stream.head:
                    stream.waiting_since_s = now_s
                stream.head = one.head_seq
        listed = {one.epoch for one in progress}
        for epoch, stream in list(self._streams.items()):
            if epoch not in listed and stream.acked >= stream.head:
                del self._streams[epoch]

    def reopened(self, progress: EpochProgress, now_s: float) -> None:
        """Learn of a finished epoch of which the ledger now has only `acked_seq`."""
        if progress.epoch not in self._streams:
            current = [
                EpochProgress(stream.epoch, stream.head, stream.acked)
                for stream in self._streams.values()
            ]
            self.appended([*current, progress], now_s)

    def next_run(self, now_s: float) -> SendRun | None:
        """Return what is to be sent now, None if nothing is; call again after `sent`."""
        if not self._connected:
            return None
        for stream in self._streams.values():
            if stream.acked >= stream.head:
                continue
            if stream.problem:
                if now_s >= stream.resend_s:
                    return SendRun(stream.epoch, stream.acked + 1, RUN_FACTS_MAX)
                if stream.problem in EPOCH_PROBLEMS:
                    continue
                return None
            return self._run_of(stream, now_s)
        return None

    def sent(self, run: SendRun, *, last_seq: int, now_s: float) -> None:
        """Tell that the facts of `run` up to `last_seq` have been given to the broker."""
        stream = self._streams[run.epoch]
        if stream.problem:
            stream.sent = max(stream.sent, last_seq)
            self._pause_for_problem(stream, now_s)
            stream.probes_count += 1
            return
        if stream.under_way_count == 0:
            self._start_timer(stream, now_s)
        stream.sent = last_seq
        stream.waiting_since_s = now_s

    def cannot_send(self, run: SendRun, *, problem: str, now_s: float) -> None:
        """Tell that the facts of `run` cannot be sent, for one of LOCAL_PROBLEMS."""
        assert problem in LOCAL_PROBLEMS
        stream = self._streams[run.epoch]
        stream.problem = problem
        stream.resend_s = now_s + LOCAL_PROBLEM_PAUSE_S

    def received_ack(self, ack: Ack, *, our_digest: bytes | None, now_s: float) -> RecordAck | None:
        """Take in an acknowledgement; return what the journal shall note, None if nothing.

        our_digest: the journal's chain at `ack.epoch`, `ack.acked`; None if it has no such fact.
        """
        stream = self._streams.get(ack.epoch)
        if ack.problem:
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
        if stream is None:  # An epoch that is done; nothing to learn.
            return None
        return self._advance(stream, ack, now_s)

    def next_wake_s(self, now_s: float) -> float | None:
        """Return when `next_run` has something next if nothing happens before, None for never."""
        if not self._connected:
            return None
        wake_s: float | None = None
        for stream in self._streams.values():
            if stream.acked >= stream.head:
                continue
            due_s = stream.resend_s
            if not stream.problem and self._room_count(stream) > 0 and stream.sent < stream.head:
                due_s = min(due_s, stream.waiting_since_s + FLUSH_S)
            wake_s = due_s if wake_s is None else min(wake_s, due_s)
            if stream.problem not in EPOCH_PROBLEMS:
                break
        return None if wake_s is None else max(wake_s, now_s)

    def _run_of(self, stream: _Stream, now_s: float) -> SendRun | None:
        if stream.under_way_count > 0 and now_s >= stream.resend_s:
            stream.sent = stream.acked
            stream.resends_count += 1
        waiting_count = stream.head - stream.sent
        facts_max = min(RUN_FACTS_MAX, waiting_count, self._room_count(stream))
        if facts_max <= 0:
            return None
        flush = (
            stream.under_way_count == 0
            or waiting_count >= RUN_FACTS_MAX
            or now_s >= stream.waiting_since_s + FLUSH_S
        )
        return SendRun(stream.epoch, stream.sent + 1, facts_max) if flush else None

    def _room_count(self, stream: _Stream) -> int:
        if stream.resends_count > 0:
            return 0 if stream.under_way_count else RUN_FACTS_MAX
        # A ledger without credit still gets one fact: else nobody would ever speak again.
        window_count = max(1, min(self._credit_count, self._window_facts_max))
        return window_count - stream.under_way_count

    def _set_problem(self, stream: _Stream, problem: str, now_s: float) -> None:
        stream.problem = problem
        if stream.under_way_count:
            self._pause_for_problem(stream, now_s)
        else:
            stream.resend_s = now_s  # Nothing of ours was refused; the next fact shows.

    def _pause_for_problem(self, stream: _Stream, now_s: float) -> None:
        pause_s = min(RESEND_MIN_S * 2.0 ** min(stream.probes_count, 10), RESEND_MAX_S)
        stream.resend_s = now_s + pause_s

    def _start_timer(self, stream: _Stream, now_s: float) -> None:
        # The exponent is bounded because a float overflows after 1024 doublings.
        pause_s = min(RESEND_MIN_S * 2.0 ** min(stream.resends_count, 10), RESEND_MAX_S)
        stream.resend_s = now_s + pause_s * (0.75 + 0.5 * self._jitter())

    def _advance(self, stream: _Stream, ack: Ack, now_s: float) -> RecordAck | None:
        if ack.acked > stream.head:
            self._alarm = "ack_ahead"
            return None
        self._credit_count = ack.credit_count
        self._alarm = ""
        newer = (
            ack.ledger_generation != stream.generation
            or ack.ledger_time_ms >= stream.ledger_time_ms
        )
        if stream.problem and (stream.problem not in LOCAL_PROBLEMS or ack.acked > stream.acked):
            stream.problem = ""
            stream.probes_count = 0
            stream.sent = stream.acked
        if ack.acked > stream.acked:
            stream.acked = ack.acked
            stream.sent = max(stream.sent, ack.acked)
            stream.resends_count = 0
            stream.gap_heard = False
            self._start_timer(stream, now_s)
        elif ack.acked < stream.acked and newer:
            stream.acked = ack.acked
            _go_back(stream, now_s)
        elif ack.acked == stream.acked and _says_gap(stream, now_s):
            _go_back(stream, now_s)
        if newer:
            stream.generation = ack.ledger_generation
            stream.ledger_time_ms = ack.ledger_time_ms
        if ack.acked <= stream.recorded:
            return None
        stream.recorded = ack.acked
        return RecordAck(ack.epoch, ack.acked)


def _says_gap(stream: _Stream, now_s: float) -> bool:
    # While one probe is under way it starts at `acked`: its repeat tells of no gap before it.
    return (
        stream.under_way_count > 0
        and stream.resends_count == 0
        and not stream.gap_heard
        and now_s >= stream.gap_until_s
    )


def _go_back(stream: _Stream, now_s: float) -> None:
    stream.sent = stream.acked
    stream.gap_heard = True
    stream.gap_until_s = now_s + GAP_PAUSE_S
