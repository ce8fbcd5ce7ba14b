"""Holds what came from the broker until it is taken, bounded. Edge of threads."""

from collections import deque
from dataclasses import dataclass
from threading import Condition

from central.contract.topics import Channel


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came. topic: None if it is no readable text. connection: which one, 1, 2 ...

    number, qos: how the broker knows it. channel: by its last level, "up" for what is none.
    """

    topic: str | None
    payload: bytes
    channel: Channel
    number: int
    qos: int
    connection: int


class Waiting:
    """Messages in their order, between the thread that reads them and the one that takes them.

    count_max: of messages that are settled (QoS 1 and 2); as many with QoS 0 have room beside them.
    """

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._condition = Condition()
        self._messages: deque[Incoming] = deque()
        self._unsettled_count = 0  # Of the messages, the ones with QoS 1 or 2.
        self._dropped_count = 0
        self._woken = False
        self._closed = False

    @property
    def unsettled_count(self) -> int:
        """Return how many messages with QoS 1 or 2 wait."""
        return self._unsettled_count

    @property
    def dropped_count(self) -> int:
        """Return how many messages did not find room since the start."""
        return self._dropped_count

    def put(self, message: Incoming, *, patience_s: float = 0.0) -> bool:
        """Return True if the message found room, at once or within `patience_s`."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._has_room(message), patience_s)
            if not self._has_room(message):
                self._dropped_count += 1
                return False
            self._messages.append(message)
            self._unsettled_count += message.qos > 0
            self._condition.notify_all()
            return True

    def take(self, count_max: int, timeout_s: float) -> list[Incoming]:
        """Return what waits, oldest first; empty if nothing came in time, or after `wake`."""
        with self._condition:
            self._condition.wait_for(lambda: self._messages or self._woken, timeout_s)
            self._woken = False
            count = min(count_max, len(self._messages))
            taken = [self._messages.popleft() for _ in range(count)]
            self._unsettled_count -= sum(message.qos > 0 for message in taken)
            self._condition.notify_all()
            return taken

    def wake(self) -> None:
        """Make `take` return."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def clear(self) -> None:
        """Forget what waits, and wake whoever takes."""
        with self._condition:
            self._messages.clear()
            self._unsettled_count = 0
            self._woken = True
            self._condition.notify_all()

    def close(self) -> None:
        """Let nobody wait for room any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _has_room(self, message: Incoming) -> bool:
        unsettled_count = self._unsettled_count
        same_count = unsettled_count if message.qos else len(self._messages) - unsettled_count
        return same_count < self._count_max
