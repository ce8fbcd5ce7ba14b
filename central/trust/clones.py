"""Sees two machines that speak as one gateway: an epoch that was over speaks again. Pure.

One machine never goes back: each start of a gateway begins an epoch of its own, and so does a card
that was put back. Two machines with one certificate throw each other off the broker, and each says
its own epoch whenever it is back.
"""

from collections import OrderedDict
from collections.abc import Sequence

from central.contract.states import GatewayState

GATEWAYS_MAX = 10_000
EPOCHS_MAX = 8  # Of one gateway, the newest.
RETURNS_MIN = 4  # A retained state of before that comes late makes two.


class CloneWatch:
    """What each gateway's states said last. One thread."""

    def __init__(self) -> None:
        self._epochs: OrderedDict[str, list[str]] = OrderedDict()
        self._returns: dict[str, int] = {}

    def look(self, states: Sequence[GatewayState]) -> tuple[str, ...]:
        """Return the gateways of which one more epoch has come back, each time that it does."""
        cloned = []
        for state in states:
            if state.online and state.epoch and self._came_back(state.gateway, state.epoch):
                cloned.append(state.gateway)
        return tuple(cloned)

    def _came_back(self, gateway: str, epoch: str) -> bool:
        known = self._epochs.setdefault(gateway, [])
        self._epochs.move_to_end(gateway)
        if len(self._epochs) > GATEWAYS_MAX:
            forgotten, _ = self._epochs.popitem(last=False)
            self._returns.pop(forgotten, None)
        if known and known[-1] == epoch:
            return False
        returned = epoch in known
        if returned:
            known.remove(epoch)
        known.append(epoch)
        del known[:-EPOCHS_MAX]
        if not returned:
            self._returns.pop(gateway, None)
            return False
        self._returns[gateway] = self._returns.get(gateway, 0) + 1
        return self._returns[gateway] >= RETURNS_MIN
