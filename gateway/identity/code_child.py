"""A child process that shows a code until somebody has answered it. Edge of processes."""

import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import IO

from gateway.identity.exchange import (
    LINE_BYTES_MAX,
    CodeShown,
    Ended,
    Order,
    decode_said,
    encode,
)

STOP_S_MAX = 5.0


class CodeChild:
    """A child that was given an order to show a code. `stop` it once; any thread may ask.

    changed: called from a thread when `said` is another one.
    """

    def __init__(self, words: Sequence[str], order: Order, *, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = Lock()
        self._said: CodeShown | Ended | None = None
        self._child: subprocess.Popen[bytes] | None = None
        try:
            self._child = subprocess.Popen(  # noqa: S603 - our own program, no shell
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as error:
            self._said = Ended(problem="disk", detail=f"no process can be started: {error}")
            return
        assert self._child.stdin is not None and self._child.stdout is not None
        with suppress(OSError):  # It is gone already, and its output says why.
            self._child.stdin.write(encode(order))
            self._child.stdin.flush()
        self._thread = Thread(target=self._read, args=(self._child.stdout,), name="shown-code")
        self._thread.start()

    @property
    def said(self) -> CodeShown | Ended | None:
        """What it said last: None before its first word."""
        with self._lock:
            return self._said

    def stop(self) -> None:
        """End it; it hears that its input ends, and is killed if it does not."""
        child = self._child
        if child is None:
            return
        assert child.stdin is not None and child.stdout is not None
        with suppress(OSError):
            child.stdin.close()
        # It may wait for central just now; what it has kept goes on with the next one.
        child.kill()
        child.wait(STOP_S_MAX)
        self._thread.join(STOP_S_MAX)
        child.stdout.close()

    def _read(self, output: IO[bytes]) -> None:
        while line := output.readline(LINE_BYTES_MAX):
            self._take(decode_said(line))
        if not isinstance(self.said, Ended):
            self._take(Ended(problem="unexpected", detail="the child ended without a word"))

    def _take(self, said: CodeShown | Ended) -> None:
        with self._lock:
            self._said = said
        self._changed()
