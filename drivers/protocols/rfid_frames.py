"""Cuts a byte stream into frames that state their length behind a fixed head. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

NOISE_BYTES_MAX = 256  # So much of what is no frame makes one fault.


@dataclass(frozen=True, slots=True)
class FrameForm:
    """What a frame looks like.

    head: its first bytes. begin: matches the head and what tells the length, `begin_bytes` in all;
        only where a frame can begin.
    length_of: the length of the whole frame from its begin.
    is_framed: whether the whole frame is one by its form; False looks for the next head inside it.
    is_checked: whether its checksum is right.
    """

    head: bytes
    begin: re.Pattern[bytes]
    begin_bytes: int
    length_of: Callable[[bytes], int]
    is_framed: Callable[[bytes], bool]
    is_checked: Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of the stream. kind: a frame, a frame with a wrong checksum, or neither."""

    kind: Literal["frame", "damaged", "noise"]
    data: bytes


class FrameCutter:
    """Holds at most one frame and NOISE_BYTES_MAX of noise; the same cuts however data arrives."""

    def __init__(self, form: FrameForm) -> None:
        self._form = form
        self._buffer = bytearray()
        self._noise = bytearray()

    def receive_data(self, data: bytes) -> list[Cut]:
        """Return what `data` completes, in the order of the stream."""
        self._buffer += data
        cuts: list[Cut] = []
        position = 0
        while True:
            position, frame = self._next(position, cuts)
            if frame is None:
                break
            if self._noise:
                self._end_noise(cuts)
            kind: Literal["frame", "damaged"] = (
                "frame" if self._form.is_checked(frame) else "damaged"
            )
            cuts.append(Cut(kind, frame))
        del self._buffer[:position]
        return cuts

    def idle(self) -> bytes:
        """Forget noise and the frame that has begun; return their first bytes, b"" if none."""
        left = bytes(self._noise + self._buffer)
        self._noise.clear()
        self._buffer.clear()
        return left[:NOISE_BYTES_MAX]

    def _next(self, position: int, cuts: list[Cut]) -> tuple[int, bytes | None]:
        """Return the position behind the next frame, and the frame; None if none is complete."""
        buffer, form = self._buffer, self._form
        noise_at = position
        while True:
            begin = form.begin.search(buffer, position)
            start = begin.start() if begin else self._begin_of_tail(position)
            self._take_noise(noise_at, start, cuts)
            if begin is None:
                return start, None
            length = form.length_of(begin[0])
            if len(buffer) - start < length:
                return start, None
            frame = bytes(buffer[start : start + length])
            if form.is_framed(frame):
                return start + length, frame
            noise_at, position = start, start + 1

    def _begin_of_tail(self, position: int) -> int:
        """Return where in the last bytes a frame may have begun that is not to be seen yet."""
        buffer, head = self._buffer, self._form.head
        start = max(position, len(buffer) - self._form.begin_bytes + 1)
        while start < len(buffer):
            tail = buffer[start : start + len(head)]
            if head.startswith(tail):
                return start
            start += 1
        return start

    def _take_noise(self, start: int, end: int, cuts: list[Cut]) -> None:
        while start < end:
            taken = min(end - start, NOISE_BYTES_MAX - len(self._noise))
            self._noise += self._buffer[start : start + taken]
            start += taken
            if len(self._noise) == NOISE_BYTES_MAX:
                self._end_noise(cuts)

    def _end_noise(self, cuts: list[Cut]) -> None:
        cuts.append(Cut("noise", bytes(self._noise)))
        self._noise.clear()
