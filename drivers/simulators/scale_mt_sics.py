"""A virtual MT-SICS scale that answers commands on its line. Loop.

Replies as in the METTLER TOLEDO MT-SICS reference manual, level 0, T, TA and TAC of level 1. Load,
faults and moods are set by the methods, from any thread.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from types import TracebackType
from typing import Literal, Self

from drivers.simulators.lines import VirtualLine

SERIAL_NUMBER = "B123456789"
COMMAND_BYTES_MAX = 64
READ_STEP_S = 0.05
REPEAT_INTERVAL_S = 0.1  # Of SIR, until another command or @.
STOP_TIMEOUT_S = 5.0

Condition = Literal["weighing", "overload", "underload", "not_ready"]

_CONDITION_REPLIES: dict[Condition, bytes] = {
    "overload": b"S +",
    "underload": b"S -",
    "not_ready": b"S I",
}


@dataclass(frozen=True, slots=True)
class _State:
    gross: Decimal
    unit: str
    stable: bool
    condition: Condition = "weighing"
    tare: Decimal = Decimal(0)
    muted: bool = False


class VirtualMtSicsScale:
    """Answers S, SI, SIR, Z, T, TA, TAC, @ and I4 on `line` in a thread of its own; ES to all else.

    Use as a context manager. It starts empty, stable and at zero. S does not wait for a stable
    weight: it answers "S I" while the load moves, as a scale does at its time limit.
    """

    def __init__(self, line: VirtualLine, *, unit: str = "kg", decimals_count: int = 3) -> None:
        self._line = line
        self._resolution = Decimal(1).scaleb(-decimals_count)
        self._state = _State(gross=Decimal(0), unit=unit, stable=True)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._repeating = False
        self._thread = threading.Thread(target=self._serve, name="mt-sics-scale", daemon=True)
        self._thread.start()

    def put(self, weight: Decimal, unit: str | None = None, *, stable: bool = True) -> None:
        """Lay so much on the scale in all (not more than before); ends any fault.

        unit: as the scale shows it, such as "kg" or "g"; None keeps the present one.
        """
        self._change(
            lambda state: replace(
                state, gross=weight, unit=unit or state.unit, stable=stable, condition="weighing"
            )
        )

    def overload(self) -> None:
        """Lay on more than the scale can weigh."""
        self._change(lambda state: replace(state, condition="overload"))

    def underload(self) -> None:
        """Take the pan away."""
        self._change(lambda state: replace(state, condition="underload"))

    def not_ready(self) -> None:
        """Make the scale busy."""
        self._change(lambda state: replace(state, condition="not_ready"))

    def mute(self, *, muted: bool = True) -> None:
        """Make the scale answer nothing, as if it were switched off behind its converter."""
        self._change(lambda state: replace(state, muted=muted))

    def close(self) -> None:
        """Stop answering. May be called twice; the line stays open."""
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

    def _change(self, change: Callable[[_State], _State]) -> None:
        with self._lock:
            self._state = change(self._state)

    def _serve(self) -> None:
        received = bytearray()
        while not self._stopping.is_set():
            received += self._line.read(REPEAT_INTERVAL_S if self._repeating else READ_STEP_S)
            commands = received.split(b"\r\n")
            received = commands.pop()
            del received[:-COMMAND_BYTES_MAX]
            for command in commands:
                self._say(self._answer(bytes(command)))
            if self._repeating and not commands:
                self._say(self._weight())

    def _say(self, reply: bytes) -> None:
        with self._lock:
            muted = self._state.muted
        if not muted:
            self._line.write(reply + b"\r\n")

    def _answer(self, command: bytes) -> bytes:
        self._repeating = command == b"SIR"
        match command:
            case b"SI" | b"SIR":
                return self._weight()
            case b"S":
                reply = self._weight()
                return b"S I" if reply.startswith(b"S D") else reply
            case b"Z":
                return self._zero()
            case b"T":
                return self._tare()
            case b"TA":
                return self._stated_tare()
            case b"TAC":
                self._change(lambda state: replace(state, tare=Decimal(0)))
                return b"TAC A"
            case b"@" | b"I4":
                return f'I4 A "{SERIAL_NUMBER}"'.encode()
            case _:
                return b"ES"

    def _weight(self) -> bytes:
        with self._lock:
            state = self._state
        if state.condition != "weighing":
            return _CONDITION_REPLIES[state.condition]
        net = (state.gross - state.tare).quantize(self._resolution)
        return f"S {'S' if state.stable else 'D'} {net:>10f} {state.unit}".encode()

    def _zero(self) -> bytes:
        with self._lock:
            if not self._can_settle():
                return b"Z I"
            self._state = replace(self._state, gross=Decimal(0), tare=Decimal(0))
        return b"Z A"

    def _tare(self) -> bytes:
        with self._lock:
            if not self._can_settle():
                return b"T I"
            tare = self._state.gross.quantize(self._resolution)
            self._state = replace(self._state, tare=tare)
            return f"T S {tare:>10f} {self._state.unit}".encode()

    def _stated_tare(self) -> bytes:
        with self._lock:
            tare = self._state.tare.quantize(self._resolution)
            return f"TA A {tare:>10f} {self._state.unit}".encode()

    def _can_settle(self) -> bool:
        return self._state.stable and self._state.condition == "weighing"
