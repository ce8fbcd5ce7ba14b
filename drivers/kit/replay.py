"""Plays a capture to a driver over a real line, as the device would. Loop."""

import threading
from types import TracebackType
from typing import Self

from drivers.kit.captures import Capture
from drivers.simulators.lines import VirtualLine

READ_STEP_S = 0.02
STOP_TIMEOUT_S = 5.0
HEARD_BYTES_MAX = 65_536


class CapturePlayer:
    """Speaks the received bytes of a capture on `line`, in a thread of its own.

    Before it goes on behind a "sent" step it waits until the driver has written those bytes, at
    most `patience_s`; what a driver writes beyond them is ignored. Pauses are kept.
    Use as a context manager; `wait` returns True once all was played.
    """

    def __init__(self, line: VirtualLine, capture: Capture, *, patience_s: float = 5.0) -> None:
        self._line = line
        self._capture = capture
        self._patience_s = patience_s
        self._heard = bytearray()
        self._stopping = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._play, name="capture-player", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Return True as soon as the whole capture was played, False after `timeout_s`."""
        return self._done.wait(timeout_s)

    def close(self) -> None:
        """Stop playing. May be called twice."""
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _play(self) -> None:
        for step in self._capture.steps:
            if self._stopping.is_set():
                return
            if step.kind == "sent" and not self._hear(step.data):
                return
            if step.kind == "received":
                self._line.write(step.data)
            if step.kind == "pause":
                self._stopping.wait(float(step.pause_s))
        self._done.set()

    def _hear(self, wanted: bytes) -> bool:
        steps_left = int(self._patience_s / READ_STEP_S)
        while wanted not in self._heard:
            if self._stopping.is_set() or steps_left <= 0:
                return False
            steps_left -= 1
            self._heard += self._line.read(READ_STEP_S)
            del self._heard[:-HEARD_BYTES_MAX]
        del self._heard[: self._heard.index(wanted) + len(wanted)]
        return True
