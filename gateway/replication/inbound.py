"""Decides which notices of central to apply, what to acknowledge and when a snapshot is due. Pure.

        number
    ------|-----------------------------------------> notices of `stream`
      applied, on disk

    event                                what follows
    connected                            acknowledge: central learns where to go on
    message continues at `number` + 1,
      or begins before and ends after    apply what is new of it, acknowledge
    message ends at `number` or before   acknowledge again: central did not hear the last one
    message begins after `number` + 1    acknowledge: central goes back to `number` + 1
    message of another stream            a snapshot is wanted; acknowledge, and again each
                                         REPEAT_S as long as it is
    no stream known                      the same
    snapshot applied                     stream and number are the snapshot's; acknowledge
    snapshot of the stream that we have  nothing is wanted any more; acknowledge

Nothing is held back for later: what cannot be applied now, central sends again. A message is
applied whole or, where the disk takes no more, not at all: then the acknowledgement says so.
An acknowledgement that says nothing new goes out once in PAUSE_S at most, so that doubled messages
are not answered by doubled acknowledgements.
"""

from dataclasses import dataclass

from central.contract.notices import DownMessage
from gateway.journal.records import Standing

REPEAT_S = 30.0
PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class ApplyNotices:
    """Apply the notices of the message but its first `skip_count`; then tell `Inbound.stands`."""

    skip_count: int


class Inbound:
    """The receiving end of central's notices at one gateway. One thread uses it.

    All times are seconds of one monotonic clock.
    """

    def __init__(self, standing: Standing, *, asks_again: bool = True) -> None:
        """standing: what the journal has. asks_again: False where no snapshot can be loaded:
        nobody is asked for one again and again then."""
        self._standing = standing
        self._asks_again = asks_again
        self._foreign = ""
        self._connected = False
        self._due_s: float | None = None
        self._quiet_until_s = 0.0  # An acknowledgement before this would say nothing new.

    @property
    def standing(self) -> Standing:
        """Return the stream and the last notice of it that is applied."""
        return self._standing

    @property
    def wants_snapshot(self) -> bool:
        """Return True if no stream is known, or central now speaks in another one."""
        return not self._standing.stream or bool(self._foreign)

    def connected(self, now_s: float) -> None:
        """The broker holds our connection: acknowledge, so that central knows where to go on."""
        self._connected = True
        self._due_s = now_s

    def disconnected(self) -> None:
        """Nothing can be acknowledged until `connected`."""
        self._connected = False

    def received(self, message: DownMessage, now_s: float) -> ApplyNotices | None:
        """Return what to apply of a message of central, None if nothing."""
        number = self._standing.number
        if message.stream != self._standing.stream:
            if not self.wants_snapshot or self._foreign != message.stream:
                self._foreign = message.stream
                self._acknowledge_by(max(now_s, self._quiet_until_s))
            return None
        # Central goes on with the stream that we have: a foreign one before it was an old message.
        self._foreign = ""
        if message.first_number > number + 1 or message.last_number <= number:
            self._acknowledge_by(max(now_s, self._quiet_until_s))
            return None
        return ApplyNotices(skip_count=number + 1 - message.first_number)

    def stands(self, standing: Standing, now_s: float) -> None:
        """Learn what the journal has now, by notices or by a snapshot."""
        if standing.stream != self._standing.stream:
            self._foreign = ""
        self._standing = standing
        self._acknowledge_by(now_s)

    def confirmed(self, now_s: float) -> None:
        """Learn that central's snapshot is of the stream that we have: what spoke otherwise was an
        old message."""
        self._foreign = ""
        self._acknowledge_by(now_s)

    def ack_due(self, now_s: float) -> bool:
        """Return whether to acknowledge now; tell `acknowledged` after it."""
        return self._connected and self._due_s is not None and now_s >= self._due_s

    def acknowledged(self, now_s: float) -> None:
        """Tell that the broker was given an acknowledgement of `standing`."""
        again = self.wants_snapshot and self._asks_again
        self._due_s = now_s + REPEAT_S if again else None
        self._quiet_until_s = now_s + PAUSE_S

    def next_wake_s(self) -> float | None:
        """Return when `ack_due` turns true if nothing happens before, None for never."""
        return self._due_s if self._connected else None

    def _acknowledge_by(self, due_s: float) -> None:
        self._due_s = due_s if self._due_s is None else min(self._due_s, due_s)
