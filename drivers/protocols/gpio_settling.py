"""Inputs whose contacts bounce, on a chip for which the kernel does not wait until they rest. Pure.

    line  ____|~|_|~|_|~~~~~~~~~~~~~~        ~ active
    told  ___________________|~~~~~~~        after debounce_ms without a change

The kernel does that itself where a line interrupts it at once. It refuses to for chips that it has
to ask, such as expanders on I2C and adapters on USB (Linux 6.1, drivers/gpio/gpiolib-cdev.c and
kernel/irq/manage.c: a nested interrupt takes no handler without a thread).
"""

from collections.abc import Iterable, Mapping, Sequence

from drivers.readings import InputChanged, Reading


class Settling:
    """Feed readings in, take those of inputs that have come to rest; times are of any clock.

    waits_s: how long each input must rest, by name; others are told at once. active: the names of
    those that are active at the beginning.
    """

    def __init__(self, waits_s: Mapping[str, float], *, active: Iterable[str]) -> None:
        self._waits_s = dict(waits_s)
        self._told = dict.fromkeys(waits_s, False) | dict.fromkeys(active, True)
        self._moving: dict[str, tuple[float, InputChanged]] = {}

    def feed(self, readings: Sequence[Reading], now_s: float) -> Sequence[Reading]:
        """Return those that need not rest; the others are told by `rested`."""
        at_once: list[Reading] = []
        for reading in readings:
            if not isinstance(reading, InputChanged) or not self._waits_s.get(reading.name):
                at_once.append(reading)
            elif reading.active == self._told[reading.name]:
                self._moving.pop(reading.name, None)  # It is again what it was: it only bounced.
            else:
                self._moving[reading.name] = (now_s + self._waits_s[reading.name], reading)
        return at_once

    def rested(self, now_s: float) -> Sequence[Reading]:
        """Return the changes of inputs that have rested long enough by now."""
        due = [name for name, (at_s, _) in self._moving.items() if at_s <= now_s]
        readings = [self._moving.pop(name)[1] for name in due]
        self._told |= {reading.name: reading.active for reading in readings}
        return readings

    def next_s(self) -> float | None:
        """Return when the next input will have rested; None if none moves."""
        return min((at_s for at_s, _ in self._moving.values()), default=None)
