"""Whether the ledger still has what it acknowledged: its generations. Pure.

A ledger that was restored from a backup names another generation. Then every epoch that the journal
keeps offers its last fact, and the answers say from where to send again. Until all of it is
acknowledged the old generation counts as the settled one, also over a restart.
"""

from central.contract.identifiers import Epoch


class Refill:
    """settled: the generation that has everything which is acknowledged here, "" if none is known.

    wants_epochs: all epochs that the journal keeps are to be offered.
    """

    def __init__(self, settled: str) -> None:
        self.settled = settled
        self.wants_epochs = False
        self._heard = settled
        self._hinted = ""
        self._offered: set[Epoch] = set()

    def hinted(self, generation: str) -> None:
        """Central says, unsigned, which generation it is: ask, once for each that is said."""
        if self._heard and generation not in ("", self._heard, self._hinted):
            self._hinted = generation
            self.wants_epochs = True

    def heard(self, generation: str) -> None:
        """The ledger says, signed, which generation it is."""
        if generation != self._heard:
            self.wants_epochs = bool(self._heard)
            self._heard = generation
            self._settle()

    def offered(self, epoch: Epoch) -> None:
        """An epoch has asked."""
        self._offered.add(epoch)

    def begun(self) -> None:
        """All epochs that the journal keeps have been named by `offered`."""
        self.wants_epochs = False
        self._settle()

    def done(self, epoch: Epoch) -> None:
        """The ledger has all of an epoch."""
        self._offered.discard(epoch)
        self._settle()

    def _settle(self) -> None:
        if not self._offered and not self.wants_epochs:
            self.settled = self._heard
