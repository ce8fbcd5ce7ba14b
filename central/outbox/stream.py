"""Decides which notices of one gateway to send, to send again and to believe applied. Pure.

        oldest        acked           sent                  head
    ------|-------------|---------------|---------------------|------>  number
       still kept    the gateway     under way           written in the
                     has them                            database

    event                             what follows
    connected, gateway heard again    sent = acked: what was under way may be lost
    ack of the stream above acked     acked rises, RecordAck; pauses start afresh
    ack repeated                      the gateway misses one: sent = acked, once until progress
                                      and at most each GAP_PAUSE_S
    ack below acked, still kept       it went back (its copy was restored), or the ack is late:
                                      acked = sent = that, at most each GAP_PAUSE_S
    ack below what is kept            doubt; heard DOUBTS_MAX times, with a message of ours between
                                      each two, it is no late one: Renew
    ack of another stream, or none    doubt: the gateway has to load a snapshot, and does so when it
                                      hears a message of our stream
    ack above head                    the ledger forgot what it said: Renew
    no progress for RESEND_MIN_S      sent = acked, and ONE run as a probe until there is progress;
                                      pauses double to RESEND_MAX_S, with jitter, for ever

In doubt one notice goes out after growing pauses, so that the gateway says where it is; nothing
else is sent. The newest notices are kept although acknowledged, as something to ask with; where
there is none, `needs_announcement` asks for one. A new stream and a new start begin with one run.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from central.contract.notices import NOTICE_BYTES_MAX

WINDOW_COUNT_MAX = 64
WINDOW_BYTES_MAX = 512 * 1024
RUN_BYTES_MAX = NOTICE_BYTES_MAX  # Of one message before packing, so that any notice fits into it.
GAP_PAUSE_S = 0.25
RESEND_MIN_S = 2.0
RESEND_MAX_S = 30.0
DOUBTS_MAX = 3

Doubt = Literal["", "foreign", "below"]
RenewReason = Literal["ahead", "gone", "generation", "warehouse", "too_large", "too_many"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database has of a gateway's notices.

    oldest: number of the oldest that is kept, head + 1 if none is. acked: the highest ever.
    """

    stream: str
    oldest: int
    acked: int
    head: int


@dataclass(frozen=True, slots=True)
class SendRun:
    """Send notices from `first_number` on, at most `count_max` and RUN_BYTES_MAX of them."""

    first_number: int
    count_max: int


@dataclass(frozen=True, slots=True)
class RecordAck:
    """The gateway has applied everything up to `number`; note it in the database."""

    number: int


@dataclass(frozen=True, slots=True)
class Renew:
    """This stream cannot go on: begin another, after looking whether that is still so.

    number: what the gateway says that it has.
    """

    reason: RenewReason
    number: int


class NoticeStream:
    """The sending end of one stream of one gateway. One thread uses it.

    jitter: returns a random number from 0 to 1, so that gateways are not asked in step.
    All times are seconds of one monotonic clock.
    """

    def __init__(self, kept: Kept, *, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._connected = False
        self._reachable = False
        self._kept = kept
        self._acked = kept.acked
        self._sent = kept.acked
        self._recorded = kept.acked  # What the database knows to be acknowledged.
        self._under_way: deque[tuple[int, int]] = deque()  # (number, bytes)
        self._heard = False  # Until an acknowledgement of this stream only one run is under way.
        self._doubt: Doubt = ""
        self._doubts_count = 0
        self._asked_count = 0  # Messages sent in doubt.
        self._answered_count = 0  # Of those, when a doubt was last counted.
        # So often in a row without progress; above 0 only one run is under way at a time.
        self._resends_count = 0
        self._resend_s = 0.0
        self._gap_heard = False  # A repeated acknowledgement has been answered; wait for progress.
        self._gap_until_s = 0.0

    @property
    def name(self) -> str:
        """Return the stream's name."""
        return self._kept.stream

    @property
    def acked(self) -> int:
        """Return up to where the gateway has them, as far as we believe."""
        return self._acked

    @property
    def is_reachable(self) -> bool:
        """Return whether the gateway is there, as last told."""
        return self._reachable

    @property
    def needs_announcement(self) -> bool:
        """Return True if there is no notice to ask with, where one has to be sent."""
        return bool(self._doubt) and self._kept.head < self._kept.oldest

    def loaded(self, kept: Kept) -> None:
        """Learn what the database has now of this stream."""
        assert kept.stream == self._kept.stream
        if kept.acked > max(self._kept.acked, self._acked):  # Another worker heard it.
            self._acked = kept.acked
            self._sent = max(self._sent, kept.acked)
            self._forget_under_way()
        self._kept = kept

    def connected(self, now_s: float) -> None:
        """The broker holds our connection."""
        self._connected = True
        self._restart(now_s)

    def disconnected(self) -> None:
        """Nothing can be sent until `connected`."""
        self._connected = False

    def reachable(self, now_s: float, *, yes: bool) -> None:
        """Learn whether the gateway is online, or was heard of late; nothing is sent if not."""
        if yes and not self._reachable:
            self._restart(now_s)
        self._reachable = yes

    def next_run(self, now_s: float) -> SendRun | None:
        """Return what is to be sent now, None if nothing is; call again after `sent`."""
        if not self._connected or not self._reachable:
            return None
        if self._doubt:
            first = max(self._kept.oldest, min(self._acked + 1, self._kept.head))
            due = now_s >= self._resend_s and first <= self._kept.head
            return SendRun(first, 1) if due else None
        if self._sent > self._acked and now_s >= self._resend_s:
            self._go_back()
            self._resends_count += 1
        count_max = min(self._room_count(), self._kept.head - self._sent)
        return SendRun(self._sent + 1, count_max) if count_max > 0 else None

    def sent(self, run: SendRun, *, sizes: Sequence[int], now_s: float) -> None:
        """Tell that the notices of `run`, of these sizes in bytes, have gone to the broker."""
        assert sizes
        if self._doubt:
            self._asked_count += 1
            self._pause(self._asked_count - 1, now_s)
            return
        if self._sent == self._acked:
            self._pause(self._resends_count, now_s)
        self._sent = run.first_number + len(sizes) - 1
        self._under_way.extend(zip(range(run.first_number, self._sent + 1), sizes, strict=True))

    def received_ack(self, *, stream: str, number: int, now_s: float) -> RecordAck | Renew | None:
        """Take in a verified acknowledgement; return what is to be done about it, None: nothing."""
        if stream != self._kept.stream:
            self._begin_doubt("foreign", now_s)
            return None
        if number > self._kept.head:
            return Renew("ahead", number)
        if number < self._kept.oldest - 1:
            return self._below_kept(number, now_s)
        if self._doubt:
            self._doubt = ""
            self._go_back()
        self._heard = True
        if number > self._acked:
            self._acked = number
            self._sent = max(self._sent, number)
            self._resends_count = 0
            self._gap_heard = False
            self._forget_under_way()
            self._pause(0, now_s)
        elif now_s >= self._gap_until_s and (number < self._acked or self._says_gap()):
            self._acked = number
            self._go_back()
            self._gap_heard = True
            self._gap_until_s = now_s + GAP_PAUSE_S
        if number <= self._recorded:
            return None
        self._recorded = number
        return RecordAck(number)

    def next_wake_s(self, now_s: float) -> float | None:
        """Return when `next_run` has something next if nothing happens before, None for never."""
        if not self._connected or not self._reachable:
            return None
        if self._doubt:
            return max(now_s, self._resend_s)
        if self._sent < self._kept.head and self._room_count() > 0:
            return now_s
        return max(now_s, self._resend_s) if self._sent > self._acked else None

    def _restart(self, now_s: float) -> None:
        self._go_back()
        self._resends_count = 0
        self._resend_s = now_s

    def _go_back(self) -> None:
        self._sent = self._acked
        self._under_way.clear()

    def _forget_under_way(self) -> None:
        while self._under_way and self._under_way[0][0] <= self._acked:
            self._under_way.popleft()

    def _room_count(self) -> int:
        if self._resends_count > 0 or not self._heard:
            return 0 if self._under_way else WINDOW_COUNT_MAX
        if sum(size for _, size in self._under_way) + RUN_BYTES_MAX > WINDOW_BYTES_MAX:
            return 0
        return WINDOW_COUNT_MAX - len(self._under_way)

    def _says_gap(self) -> bool:
        # While one probe is under way it starts at `acked`: its repeat tells of no gap before it.
        return self._sent > self._acked and self._resends_count == 0 and not self._gap_heard

    def _begin_doubt(self, doubt: Doubt, now_s: float) -> None:
        if doubt == self._doubt:
            return
        self._doubt = doubt
        self._doubts_count = self._asked_count = self._answered_count = 0
        self._go_back()
        self._resend_s = now_s

    def _below_kept(self, number: int, now_s: float) -> Renew | None:
        self._begin_doubt("below", now_s)
        if self._asked_count > self._answered_count:
            self._answered_count = self._asked_count
            self._doubts_count += 1
        return Renew("gone", number) if self._doubts_count >= DOUBTS_MAX else None

    def _pause(self, doublings_count: int, now_s: float) -> None:
        # The exponent is bounded because a float overflows after 1024 doublings.
        pause_s = min(RESEND_MIN_S * 2.0 ** min(doublings_count, 10), RESEND_MAX_S)
        self._resend_s = now_s + pause_s * (0.75 + 0.5 * self._jitter())
