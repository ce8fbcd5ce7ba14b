"""Thins out what a resting scale says over and over; never hides a change. Pure."""

from drivers.readings import DeviceFault, Reading, WeightMeasured

REPEAT_NS = 200_000_000  # At most five unchanged stable weights a second.


class Repeats:
    """Decides reading by reading, for one scale."""

    def __init__(self) -> None:
        self._last: object = None
        self._passed_ns = 0

    def passes(self, reading: Reading, monotonic_ns: int) -> bool:
        """Return False for a repeated stable weight, or a repeated fault, within REPEAT_NS."""
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
            return (digits, reading.unit, reading.kind, reading.device_alibi)
        case DeviceFault():
            return (reading.code, reading.detail)
        case _:
            return None
