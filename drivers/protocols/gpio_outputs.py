"""Which outputs are on at a moment, after a signal was given: lights and buzzers. Pure.

 pulses_count = 3, on_s = 0.1      on_s = 2.0                  on_s = 0
 _   _   _                         ____                        __________ ...
| |_| |_| |______                 |    |________              |  until the next signal
0  .1  .2  .3                     0    2 s                    0
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.api import SignalKind


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One output.

    line: its number on the chip. shows: the signals that switch it on.
    on_s: how long, 0 until the next signal; a pulse and the pause after it are as long.
    """

    line: int
    shows: tuple[SignalKind, ...]
    active_low: bool = False
    on_s: float = 0.0
    pulses_count: int = 1


class OutputSchedule:
    """Holds the signal that is shown; times are seconds of any clock that never goes back."""

    def __init__(self, outputs: Sequence[OutputLine]) -> None:
        self._outputs = tuple(outputs)
        self._signal: SignalKind = "off"
        self._since_s = 0.0

    def begin(self, signal: SignalKind, now_s: float) -> None:
        """Show `signal` from now on; what was shown before ends."""
        self._signal, self._since_s = signal, now_s

    def shown_by(self, signal: SignalKind) -> bool:
        """Return True if some output shows `signal`; "off" is always shown."""
        return signal == "off" or any(signal in one.shows for one in self._outputs)

    def bits(self, now_s: float) -> int:
        """Return which outputs are on, by their order: bit 0 is the first."""
        age_s = now_s - self._since_s
        return sum(1 << index for index, one in enumerate(self._outputs) if self._is_on(one, age_s))

    def next_change_s(self, now_s: float) -> float | None:
        """Return when an output changes next; None if nothing changes until the next signal."""
        age_s = now_s - self._since_s
        changes = [
            self._since_s + step * one.on_s
            for one in self._outputs
            if one.on_s > 0 and self._signal in one.shows
            for step in range(1, 2 * one.pulses_count)
            if step * one.on_s > age_s
        ]
        return min(changes, default=None)

    def _is_on(self, output: OutputLine, age_s: float) -> bool:
        if self._signal not in output.shows:
            return False
        if output.on_s <= 0:
            return True
        step = int(age_s / output.on_s)
        return step % 2 == 0 and step < 2 * output.pulses_count
