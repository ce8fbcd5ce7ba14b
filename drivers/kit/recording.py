"""Writes what goes over a device's line into a capture file. Edge of that file.

    with Recorder(path, driver="acme-scale-serial", source="dock 2, 2026-03-01") as recorder:
        device.tap(recorder)

From then on every `device.read` is written, and `conformance.check_capture` takes the file.
"""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from drivers.kit.captures import FIRST_LINE, IDLE_S, Step, format_step
from drivers.kit.descriptions import describe
from drivers.readings import Reading

PAUSE_MIN_S = 0.02  # A shorter silence says nothing.
RECORDED_BYTES_MAX = 64 * 1024 * 1024


class Recorder:
    """The file, written as it comes: a listener for `drivers.api.TappedDevice.tap`.

    Use as a context manager. One thread uses it. The file is made anew and is readable at any
    moment: a recording that breaks off is a capture up to there.
    """

    def __init__(self, path: Path, *, driver: str, source: str, idle_s: Decimal = IDLE_S) -> None:
        """Begin the file. idle_s: as the driver gives it to its StreamDevice. Raises OSError."""
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=1)
        self._bytes_count = 0
        self._at_s: float | None = None
        self._idle_s = idle_s
        self._file.write(
            f"{FIRST_LINE}\n# driver: {driver}\n# source: {' '.join(source.split())}\n"
        )
        if idle_s != IDLE_S:
            self._file.write(f"# idle: {idle_s}\n")

    @property
    def full(self) -> bool:
        """Return True if the file has reached its limit; what comes then is not written."""
        return self._bytes_count >= RECORDED_BYTES_MAX

    def received(self, data: bytes, monotonic_s: float) -> None:
        """Write bytes that came from the device."""
        self._write(Step("received", data=data), monotonic_s)

    def sent(self, data: bytes, monotonic_s: float) -> None:
        """Write bytes that went to the device."""
        self._write(Step("sent", data=data), monotonic_s)

    def idle(self, monotonic_s: float) -> None:
        """Write that the protocol is told now that the line is idle."""
        quiet_s = Decimal(0) if self._at_s is None else Decimal(f"{monotonic_s - self._at_s:.3f}")
        # Questions in between cut the silence; what counts is that the protocol was told.
        self._line(format_step(Step("pause", pause_s=max(quiet_s, self._idle_s))))
        self._at_s = monotonic_s

    def readings(self, readings: Sequence[Reading]) -> None:
        """Write what the protocol made of all that came before."""
        for reading in readings:
            self._line(format_step(Step("expected", text=describe(reading))))

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, step: Step, monotonic_s: float) -> None:
        quiet_s = 0.0 if self._at_s is None else monotonic_s - self._at_s
        if quiet_s >= PAUSE_MIN_S:
            self._line(format_step(Step("pause", pause_s=Decimal(f"{quiet_s:.3f}"))))
        self._at_s = monotonic_s
        self._line(format_step(step))

    def _line(self, text: str) -> None:
        if not self.full:
            self._bytes_count += len(text) + 1
            self._file.write(text + "\n")
