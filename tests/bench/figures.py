"""What a measurement gives: ratios with how they came about. Pure."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure. at_least / at_most: the bound that the project holds itself to, None for none."""

    name: str
    value: float
    detail: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def kept(self) -> bool:
        """Return True if the figure is within its bound."""
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def bound(self) -> str:
        """Return the bound as text, "" for none."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""


def percentile(values: list[float], percent: float) -> float:
    """Return the value below which `percent` of the sorted values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def milliseconds(values: list[float]) -> str:
    """Return median and 95th percentile of seconds as text."""
    return f"p50 {median(values) * 1e3:.3f} ms, p95 {percentile(values, 95) * 1e3:.3f} ms"
