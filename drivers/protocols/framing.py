"""Cuts a byte stream into lines. Pure."""

from typing import Literal, NamedTuple

LineEnd = Literal["cr_or_lf", "cr", "lf", "crlf", "tab", "etx"]

_CR = b"\r"
_LF = b"\n"
_CRLF = b"\r\n"
_ENDS: dict[LineEnd, bytes] = {
    "cr_or_lf": _LF,
    "cr": _CR,
    "lf": _LF,
    "crlf": _CRLF,
    "tab": b"\t",
    "etx": b"\x03",
}


class Frame(NamedTuple):
    """One line without its end.

    oversized: it was longer than the limit; `data` is its beginning, kept as evidence only.
    """

    data: bytes
    oversized: bool = False


class LineFramer:
    """Splits a stream at line ends; holds at most one line of `frame_bytes_max`.

    line_end:
        "cr_or_lf"  either byte ends a line; so CR, LF and CR LF all do, in any mixture
        "cr"        CR ends a line; one LF right after it belongs to the end
        "lf"        LF ends a line; one CR right before it belongs to the end
        "crlf"      only both together end a line; a lone CR or LF is data
        "tab"       HT ends a line; all else is data
        "etx"       ETX (0x03) ends a line; all else is data
    Empty lines are dropped. A line that outgrows the limit yields one oversized frame as soon as
    that is certain, and the rest of it is dropped up to its end: noise costs one frame, never the
    connection and never memory.
    """

    def __init__(self, *, line_end: LineEnd, frame_bytes_max: int) -> None:
        self._line_end = line_end
        self._end = _ENDS[line_end]
        self._frame_bytes_max = frame_bytes_max
        self._buffer = bytearray()
        self._oversized = False
        self._after_cr = False

    def receive_data(self, data: bytes) -> list[Frame]:
        """Return the lines completed by `data`, oldest first."""
        if self._line_end == "cr_or_lf":
            data = data.replace(_CR, _LF)
        frames: list[Frame] = []
        # Slices keep the buffer bounded whatever size the transport reads at once.
        for start in range(0, len(data), self._frame_bytes_max):
            self._buffer += data[start : start + self._frame_bytes_max]
            self._take_lines(frames)
        return frames

    def idle(self) -> bytes:
        """Forget the line that has begun and return its beginning; b"" if none had.

        The rest of an oversized line is forgotten too; it was reported already.
        """
        begun = b"" if self._oversized else bytes(self._buffer)
        self._buffer.clear()
        self._oversized = False
        return begun

    def _take_lines(self, frames: list[Frame]) -> None:
        if self._line_end == "cr_or_lf" and not self._oversized:
            # By far the most common setting, and all that it needs is one split.
            lines = self._buffer.split(_LF)
            self._buffer = lines.pop()
            limit = self._frame_bytes_max
            frames += [Frame(bytes(line[:limit]), len(line) > limit) for line in lines if line]
        while True:
            if self._after_cr and self._buffer:
                if self._buffer.startswith(_LF):
                    del self._buffer[:1]
                self._after_cr = False
            end = self._buffer.find(self._end)
            if end == -1:
                break
            line = bytes(self._buffer[:end])
            del self._buffer[: end + len(self._end)]
            self._after_cr = self._line_end == "cr"
            if self._line_end == "lf":
                line = line.removesuffix(_CR)
            if line and not self._oversized:
                too_long = len(line) > self._frame_bytes_max
                frames.append(Frame(line[: self._frame_bytes_max], oversized=too_long))
            self._oversized = False
        # Two bytes more than the limit may still turn out to be a CR and the begin of an end.
        if len(self._buffer) > self._frame_bytes_max + len(_CRLF):
            if not self._oversized:
                head = bytes(self._buffer[: self._frame_bytes_max])
                frames.append(Frame(head, oversized=True))
            self._oversized = True
            del self._buffer[: -len(_CRLF)]
