"""A device that says one thing, on the far end of a line. Loop."""

import threading
from collections.abc import Sequence

from drivers.simulators.lines import VirtualLine

HEAR_S = 0.05
BYTE_PAUSE_S = 0.001


class Speaker:
    """Says the pieces on a far end, in a thread: once, or if `polled` each time that it is asked.

    first: if polled, the first answer is this instead, if it is not empty.
    Use as a context manager.
    """

    def __init__(
        self, end: VirtualLine, pieces: Sequence[bytes], *, polled: bool, first: bytes = b""
    ) -> None:
        self._end = end
        self._pieces = pieces
        self._polled = polled
        self._first = first
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="kit-speaker", daemon=True)

    def __enter__(self) -> "Speaker":
        self._thread.start()
        return self

    def __exit__(self, *trace: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _speak(self) -> None:
        if not self._polled:
            self._say(self._pieces)
        first = self._first
        while self._polled and not self._stopping.is_set():
            if self._end.read(HEAR_S):
                self._say([first] if first else self._pieces)
                first = b""

    def _say(self, pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            self._end.write(piece)
            if len(pieces) > 1:
                self._stopping.wait(BYTE_PAUSE_S)
