"""Tells a QEMU what to do and hears what happens in it (QMP, qemu.org/docs). Edge of QEMU."""

import queue
import time
from pathlib import Path
from threading import Condition
from typing import Any

from tests.hardware.errors import GuestFailed
from tests.hardware.lines import JsonLines

ANSWER_S_MAX = 120


class Monitor:
    """The control connection of one guest."""

    def __init__(self, path: Path) -> None:
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._events: list[str] = []
        self._changed = Condition()
        self._lines = JsonLines(path, self._hear)
        self.ask("qmp_capabilities")

    def ask(self, command: str, *, answer_s_max: float = ANSWER_S_MAX, **arguments: Any) -> Any:
        """Run one command and return its answer. Raises GuestFailed."""
        try:
            self._lines.send({"execute": command, "arguments": arguments})
            answer = self._answers.get(timeout=answer_s_max)
        except OSError as error:
            raise GuestFailed(f"{command}: QEMU has ended") from error
        except queue.Empty:
            raise GuestFailed(f"QEMU does not answer to {command}") from None
        if "error" in answer:
            raise GuestFailed(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def events_count(self) -> int:
        """Return how many events there were so far."""
        with self._changed:
            return len(self._events)

    def wait_for(self, event: str, *, since: int, timeout_s: float = 30.0) -> None:
        """Wait for an event after the first `since` ones. Raises GuestFailed."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while event not in self._events[since:]:
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    raise GuestFailed(f"no event {event} within {timeout_s} s")

    def close(self) -> None:
        """Hang up."""
        self._lines.close()

    def _hear(self, message: dict[str, Any] | None) -> None:
        if message is None:
            self._answers.put({"error": {"desc": "QEMU has ended"}})
        elif "event" in message:
            with self._changed:
                self._events.append(message["event"])
                self._changed.notify_all()
        elif "QMP" not in message:
            self._answers.put(message)
