"""Thins out what a resting scale says over and over; never hides a change. Pure."""

from collections.abc import Sequence
from typing import Protocol

from drivers.readings import DeviceFault, Reading, WeightMeasured
from gateway.station.passages import TagPassage

REPEAT_NS = 200_000_000  # At most five unchanged stable weights a second.


class ReadingFilter(Protocol):
    """Stands between one device and the station: passes readings on, drops or digests them."""

    def pass_on(
        self, readings: Sequence[Reading], monotonic_ns: int
    ) -> Sequence[Reading | TagPassage]:
        """Return what the station gets of `readings`, in order; never raises.

        Called by the device's thread after each read, also with no readings (at least twice a
        second while the device is open), so that what follows from silence can be passed on too.
        While it is not open: before each attempt to open it.
        It is kept while the device is lost and opened again.
        """
        ...


class Repeats:
    """The filter of one scale."""

    def __init__(self) -> None:
        self._last: object = None
        self._passed_ns = 0

    def pass_on(self, readings: Sequence[Reading], monotonic_ns: int) -> Sequence[Reading]:
        """Return all but stable weights and faults repeated within REPEAT_NS."""
        return [reading for reading in readings if self._passes(reading, monotonic_ns)]

    def _passes(self, reading: Reading, monotonic_ns: int) -> bool:
        said = _said(reading)
        if said is not None and said == self._last and monotonic_ns - self._passed_ns < REPEAT_NS:
            return False
        self._last = said
        self._passed_ns = monotonic_ns
        return True


def _said(reading: Reading) -> object:
    """Return what two repeats have in common, None for what is never a repeat."""
    match reading:
        case WeightMeasured(stable=True):
            # as_tuple, because 1.5 and 1.50 are equal and still not the same statement.
            digits = reading.value.as_tuple()
            return (digits, reading.unit, reading.kind, reading.tare, reading.device_alibi)
        case DeviceFault():
            return (reading.code, reading.detail)
        case _:
            return None
