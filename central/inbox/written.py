"""How far one inbox has itself written epochs, to guess by what is new. Pure."""

from collections.abc import Iterable

from central.contract.envelope import Batch

EPOCHS_KEPT_MAX = 10_000
EpochKey = tuple[str, str]  # gateway, epoch


class Written:
    """Where the next batch of an epoch begins, if nobody else has written it meanwhile."""

    def __init__(self) -> None:
        self._ends: dict[EpochKey, int] = {}

    def is_followed_by(self, batch: Batch) -> bool:
        """Return whether a batch begins right behind what was written last of its epoch."""
        return self._ends.get(_epoch_of(batch)) == batch.first_seq - 1

    def note(self, taken: Iterable[Batch], left: Iterable[Batch]) -> None:
        """Note what was written, and what was not: of its epoch nothing is guessed any more."""
        if len(self._ends) > EPOCHS_KEPT_MAX:
            self._ends.clear()
        self._ends |= {_epoch_of(batch): batch.last_seq for batch in taken}
        for batch in left:  # Maybe another worker hears this gateway, too, and was sooner.
            self._ends.pop(_epoch_of(batch), None)


def _epoch_of(batch: Batch) -> EpochKey:
    return batch.gateway, str(batch.epoch)
