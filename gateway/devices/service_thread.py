"""A thread that is started once, asked to end, and whose pauses can be cut short. Loop."""

from collections.abc import Callable
from threading import Event, Thread

PREDECESSOR_POLL_S = 0.2
REST_S = 3600.0


class ServiceThread:
    """Runs `run` once. Any thread may call anything; `pause`, `rest` and `stopping` are for `run`.

    predecessor: the thread that had the same device; `run` begins when that one has ended, so that
    two never hold one line.
    """

    def __init__(
        self,
        run: Callable[[], None],
        *,
        name: str,
        predecessor: "ServiceThread | None" = None,
    ) -> None:
        self._run = run
        self._predecessor = predecessor
        self._stopping = False
        self._woken = Event()
        self._thread = Thread(target=self._begin, name=name, daemon=True)

    @property
    def stopping(self) -> bool:
        """Return True once `stop` was called."""
        return self._stopping

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        self._stopping = True
        self._woken.set()

    def wake(self) -> None:
        """End its pause at once, or the next one if it makes none now."""
        self._woken.set()

    def join(self, timeout_s: float) -> bool:
        """Return True if it has ended, or never began, within `timeout_s`."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def pause(self, seconds: float) -> bool:
        """Wait; return True if the pause was cut short by `wake` or `stop`."""
        woken = self._woken.wait(seconds)
        if woken and not self._stopping:
            self._woken.clear()
        return woken

    def rest(self) -> None:
        """Wait until `stop` is called."""
        while not self._stopping:
            self.pause(REST_S)

    def _begin(self) -> None:
        # Also when asked to end meanwhile: a successor must wait for both.
        while self._predecessor is not None:
            if self._predecessor.join(PREDECESSOR_POLL_S):
                self._predecessor = None
        if not self._stopping:
            self._run()
