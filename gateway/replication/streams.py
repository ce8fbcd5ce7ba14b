"""What the sender knows of one epoch. Pure."""

from central.contract.acks import Ack
from gateway.journal.records import EpochProgress

GAP_PAUSE_S = 0.25


class Stream:
    """One epoch on its way to the ledger; it changes, hence no dataclass.

        acked            sent                   head
    ------|----------------|----------------------|------>  seq
      ledger has     under way             in the journal
    """

    def __init__(self, progress: EpochProgress, now_s: float) -> None:
        self.epoch = progress.epoch
        self.head = progress.head_seq
        self.acked = self.sent = progress.acked_seq
        self.recorded = progress.acked_seq  # What the journal knows to be acknowledged,
        self.stable = 0  # and what of it to be safe for good.
        self.waiting_since_s = now_s  # Since when facts wait beside those under way.
        self.generation = ""
        self.ledger_time_ms = 0
        self.problem = ""
        self.probes_count = 0  # Runs sent since there is a problem.
        # So often in a row without progress; above 0 only one run is under way at a time.
        self.resends_count = 0
        self.resend_s = 0.0  # When to send again; counts while something is under way.
        self.gap_heard = False  # A repeated acknowledgement has been answered; wait for progress.
        self.asks = False  # The last fact goes again only to ask; nothing was heard of it yet.
        self.gap_until_s = 0.0  # A repeated acknowledgement before this says nothing new.

    @property
    def under_way_count(self) -> int:
        """Return how many facts are sent and not acknowledged."""
        return self.sent - self.acked

    @property
    def done(self) -> bool:
        """Return whether the ledger has all of it."""
        return self.acked >= self.head

    def go_back(self, now_s: float) -> None:
        """Send again what is not acknowledged; once until there is progress."""
        self.sent = self.acked
        self.gap_heard = True
        self.gap_until_s = now_s + GAP_PAUSE_S

    def says_gap(self, now_s: float) -> bool:
        """Return whether a repeated acknowledgement tells of something lost."""
        # While one probe is under way it starts at `acked`: its repeat tells of no gap before it.
        return (
            self.under_way_count > 0
            and self.resends_count == 0
            and not self.gap_heard
            and now_s >= self.gap_until_s
        )

    def go_on_without(self) -> bool:
        """Go on where the next facts, which are gone from the journal, were only to ask."""
        if not self.asks:
            return False
        self.asks = False  # What is gone the ledger holds safely.
        self.acked = self.sent = self.acked + 1
        return True

    def offer_last(self) -> None:
        """Send the last fact again, so that the ledger says how far it is."""
        if self.done and self.head and not self.problem:
            self.acked = self.sent = self.head - 1
            self.asks = True

    def take_newer(self, ack: Ack) -> bool:
        """Return whether an acknowledgement was made after the newest one; it is that then."""
        if ack.ledger_generation == self.generation and ack.ledger_time_ms < self.ledger_time_ms:
            return False
        self.generation = ack.ledger_generation
        self.ledger_time_ms = ack.ledger_time_ms
        return True
