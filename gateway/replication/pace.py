"""How much to send at once, and how long to wait for word of it. Pure.

    event                        run (facts a batch)    window (facts under way)     pause
    start                        RUN_FACTS_MAX          WINDOW_START                 2 s
    word on a timed run, quick   doubled                grows by what was taken      2 x delay
    word on a timed run, slow    stays                  grows by what was taken      2 x delay
    silence for the pause        halved                 halved                       doubled to 30 s

A thin line gets small batches and few of them under way, so that each is answered before it would
be sent again; a quick one is kept full. What is measured is the ledger's word, hence the line and
the commit together. A run that went twice is not timed: nobody knows which one was answered (Karn
and Partridge, "Improving Round-Trip Time Estimates in Reliable Transport Protocols", 1987).
"""

from collections.abc import Callable

RUN_FACTS_MIN = 10
RUN_FACTS_MAX = 500
WINDOW_START_COUNT = 1000
QUICK_S = 1.0
RESEND_MIN_S = 2.0
RESEND_MAX_S = 30.0
DELAY_WEIGHT = 0.125  # Of a new delay in the smoothed one, as RFC 6298 has it.


class Pace:
    """What was learnt of the line, for all epochs together.

    jitter: returns a random number from 0 to 1, so that gateways do not send again in step.
    run_facts_count: facts for one batch. window_count: facts that may be under way.
    """

    def __init__(self, *, jitter: Callable[[], float], window_facts_max: int) -> None:
        self._jitter = jitter
        self._window_facts_max = window_facts_max
        self._delay_s = 0.0  # Smoothed, 0 before the first word.
        self._timed: tuple[object, int, float] | None = None  # Epoch, last fact, when sent.
        self.run_facts_count = RUN_FACTS_MAX
        self.window_count = min(WINDOW_START_COUNT, window_facts_max)

    def sent(self, epoch: object, *, last_seq: int, now_s: float) -> None:
        """Take note that facts of `epoch` up to `last_seq` went for the first time."""
        if self._timed is None:
            self._timed = (epoch, last_seq, now_s)

    def heard(self, epoch: object, *, acked: int, count: int, now_s: float) -> None:
        """Take note that the ledger has `count` facts more of `epoch`, up to `acked`."""
        self.window_count = min(self._window_facts_max, self.window_count + count)
        if self._timed is None or self._timed[0] != epoch or acked < self._timed[1]:
            return
        delay_s = now_s - self._timed[2]
        self._timed = None
        smoothed_s = self._delay_s + DELAY_WEIGHT * (delay_s - self._delay_s)
        # Up at once, down slowly: a pause that is too short sends everything twice.
        self._delay_s = max(delay_s, smoothed_s)
        if delay_s <= QUICK_S:
            self.run_facts_count = min(RUN_FACTS_MAX, self.run_facts_count * 2)

    def gone_back(self) -> None:
        """Take note that facts will go a second time: the run under way tells no delay."""
        self._timed = None

    def timed_out(self) -> None:
        """Take note that nothing was heard in time."""
        self._timed = None
        self.run_facts_count = max(RUN_FACTS_MIN, self.run_facts_count // 2)
        window_count = max(self.run_facts_count, self.window_count // 2)
        self.window_count = min(self._window_facts_max, window_count)

    def pause_s(self, resends_count: int) -> float:
        """Return how long to wait for word after so many silences in a row, with jitter."""
        # The exponent is bounded because a float overflows after 1024 doublings.
        plain_s = max(RESEND_MIN_S, 2.0 * self._delay_s) * 2.0 ** min(resends_count, 10)
        return min(plain_s, RESEND_MAX_S) * (0.75 + 0.5 * self._jitter())
