"""A virtual scale: a load, moods and faults, spoken in the language it is given. Loop."""

import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import TracebackType
from typing import Protocol, Self

from drivers.simulators.lines import VirtualLine
from drivers.simulators.scale_languages import Load

RECEIVED_BYTES_MAX = 256
READ_STEP_S = 0.02
STOP_TIMEOUT_S = 5.0


class Language(Protocol):
    """How a scale understands and speaks, see drivers/simulators/scale_languages."""

    def take(self, received: bytearray) -> list[bytes]:
        """Remove the whole commands from what was received and return them."""
        ...

    def answer(self, command: bytes, load: Load) -> tuple[bytes, Load]:
        """Return the reply, b"" for none, and the load after the command."""
        ...

    def speak(self, load: Load) -> bytes:
        """Return what the scale says by itself, b"" if it speaks only when asked."""
        ...


class VirtualScale:
    """Speaks `language` on `line` in a thread of its own. Use as a context manager.

    It starts empty, stable and at zero. Methods may be called from any thread.
    """

    def __init__(
        self, line: VirtualLine, language: Language, *, unit: str = "kg", decimals_count: int = 3
    ) -> None:
        self._line = line
        self._language = language
        self._load = Load(Decimal(0), unit, decimals_count)
        self._muted = False
        self._cut_after: int | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="virtual-scale", daemon=True)
        self._thread.start()

    def put(self, weight: Decimal, *, stable: bool = True) -> None:
        """Lay so much on the scale in all (not more than before); ends any fault."""
        self._change(lambda load: replace(load, gross=weight, stable=stable, condition="weighing"))

    def overload(self) -> None:
        """Lay on more than the scale can weigh."""
        self._change(lambda load: replace(load, condition="overload"))

    def underload(self) -> None:
        """Take the pan away."""
        self._change(lambda load: replace(load, condition="underload"))

    def mute(self, *, muted: bool = True) -> None:
        """Make the scale say nothing, as if it were switched off behind its converter."""
        with self._lock:
            self._muted = muted

    def break_off(self, bytes_count: int) -> None:
        """Send only so many bytes of the next reply, then be mute."""
        with self._lock:
            self._cut_after = bytes_count

    @property
    def is_mute(self) -> bool:
        """True while the scale says nothing, also after it broke off."""
        with self._lock:
            return self._muted

    @property
    def load(self) -> Load:
        """What lies on the scale now."""
        with self._lock:
            return self._load

    def close(self) -> None:
        """Stop speaking. May be called twice; the line stays open."""
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

    def _change(self, change: Callable[[Load], Load]) -> None:
        with self._lock:
            self._load = change(self._load)

    def _serve(self) -> None:
        received = bytearray()
        while not self._stopping.is_set():
            received += self._line.read(READ_STEP_S)
            commands = self._language.take(received)
            del received[:-RECEIVED_BYTES_MAX]
            for command in commands:
                with self._lock:
                    reply, self._load = self._language.answer(command, self._load)
                self._say(reply)
            if not commands:
                self._say(self._language.speak(self.load))

    def _say(self, data: bytes) -> None:
        with self._lock:
            if self._muted or not data:
                return
            if self._cut_after is not None:
                data, self._cut_after, self._muted = data[: self._cut_after], None, True
        self._line.write(data)
