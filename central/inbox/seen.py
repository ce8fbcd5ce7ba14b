"""When one inbox has last noted that it heard a gateway, so that it does so once a second. Pure."""

from collections.abc import Iterable

SEEN_AGAIN_MS = 1000  # Whoever asks whether a gateway is silent counts minutes.
GATEWAYS_KEPT_MAX = 10_000


class Seen:
    """Of which gateways it is to be noted again that words of theirs came."""

    def __init__(self) -> None:
        self._noted_ms: dict[str, int] = {}

    def due(self, names: Iterable[str], *, now_ms: int) -> list[str]:
        """Return those that were not noted within the last second, by a clock that may be set."""
        noted_ms = self._noted_ms
        return [
            name
            for name in names
            if not 0 <= now_ms - noted_ms.get(name, now_ms + 1) < SEEN_AGAIN_MS
        ]

    def note(self, names: Iterable[str], *, now_ms: int) -> None:
        """Remember what was noted and committed."""
        if len(self._noted_ms) > GATEWAYS_KEPT_MAX:
            self._noted_ms.clear()
        for name in names:
            self._noted_ms[name] = now_ms
