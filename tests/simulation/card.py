"""A gateway's memory card: what of the journal survives which crash. Pure.

    written   in the page cache: survives the end of the program, a power cut takes it
    synced    on the medium: survives everything but the loss of the card

A transaction is whole or not there. A power cut keeps some of the unsynced ones, the oldest first;
of the one that was being written a torn rest may be there, which the log's checksum discards.
"""

from collections.abc import Sequence

from central.contract.facts import NO_HEAD, chain_next, chain_start
from central.contract.identifiers import Epoch
from gateway.journal.records import EpochProgress
from tests.simulation.kernel import Kernel
from tests.simulation.local_stock import LocalStock, Notice, Snapshot


class EpochRows:
    """One epoch on a card. forgotten: facts 1 to this number are deleted, their digests are kept
    from the last of them on. acked, stable: as written to the card."""

    __slots__ = ("acked", "bodies", "digests", "epoch", "forgotten", "previous_head", "stable",
                 "start")  # fmt: skip

    def __init__(self, epoch: Epoch, *, gateway: str, previous_head: bytes) -> None:
        self.epoch = epoch
        self.previous_head = previous_head
        self.start = chain_start(gateway=gateway, epoch=epoch, previous_epoch_head=previous_head)
        self.bodies: list[bytes] = []
        self.digests: list[bytes] = []
        self.acked = self.stable = 0
        self.forgotten = 0

    def copy(self) -> "EpochRows":
        """Return the same on another card."""
        other = EpochRows.__new__(EpochRows)
        other.epoch, other.previous_head, other.start = self.epoch, self.previous_head, self.start
        other.bodies, other.digests = self.bodies.copy(), self.digests.copy()
        other.acked, other.stable = self.acked, self.stable
        other.forgotten = self.forgotten
        return other


class Card:
    """The durable memory of one gateway. One program uses it at a time.

    full: the disk takes no new facts. generation: of the ledger that has all that is acknowledged.
    """

    def __init__(self, gateway: str, *, keeps_stock: bool) -> None:
        self.gateway = gateway
        self.keeps_stock = keeps_stock
        self.start_count = 0
        self.epochs: dict[Epoch, EpochRows] = {}
        self.head = NO_HEAD
        self.generation = ""
        self.full = False
        self.stock = LocalStock()
        self._undo: list[tuple[object, ...]] = []

    def copy(self) -> "Card":
        """Return an image of the card as it is on the medium; call it while it is synced."""
        other = Card(self.gateway, keeps_stock=self.keeps_stock)
        other.start_count, other.head = self.start_count, self.head
        other.epochs = {epoch: rows.copy() for epoch, rows in self.epochs.items()}
        other.generation = self.generation
        other.stock = self.stock.copy()
        return other

    def mint(self, nonce: int) -> EpochRows:
        """Write a new epoch."""
        self._undo.append(("mint", self.start_count, self.epochs.copy()))
        self.epochs = {epoch: rows for epoch, rows in self.epochs.items() if rows.bodies}
        self.start_count += 1
        epoch = Epoch(start_count=self.start_count, nonce=nonce)
        rows = EpochRows(epoch, gateway=self.gateway, previous_head=self.head)
        self.epochs[epoch] = rows
        return rows

    def append(self, rows: EpochRows, bodies: Sequence[bytes]) -> None:
        """Write facts at the end of an epoch."""
        self._undo.append(("facts", rows, len(rows.bodies), self.head))
        if self.keeps_stock:
            self.stock.add(bodies, 1)
        digest = rows.digests[-1] if rows.digests else rows.start
        for body in bodies:
            digest = chain_next(digest, body)
            rows.bodies.append(body)
            rows.digests.append(digest)
        self.head = digest

    def write_acks(self, acked: dict[Epoch, int], stable: dict[Epoch, int]) -> None:
        """Write what is known to be acknowledged, and what of it to be safe for good."""
        rows = [self.epochs[epoch] for epoch in acked if epoch in self.epochs]
        self._undo.append(("acks", [(one, one.acked, one.stable) for one in rows]))
        for one in rows:
            one.acked = max(one.acked, acked[one.epoch])
            one.stable = max(one.stable, stable.get(one.epoch, 0))

    def apply(self, number: int, notices: Sequence[Notice]) -> None:
        """Write what central's notices change."""
        before = self.stock
        self._undo.append(("stock", before))
        self.stock = before.copy()
        self.stock.apply(number, notices, list(self.epochs.values()))

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Write a snapshot in place of what was known."""
        before = self.stock
        self._undo.append(("stock", before))
        self.stock = before.copy()
        self.stock.replace(snapshot, list(self.epochs.values()))

    def sync(self) -> None:
        """Bring to the medium what is written."""
        self._undo.clear()

    def lose_power(self, kernel: Kernel) -> None:
        """Forget what was not synced: all of it, none, or the newest part."""
        undone = kernel.random.randint(0, len(self._undo))
        for _ in range(undone):
            kind, *before = self._undo.pop()
            if kind == "facts":
                rows, count, self.head = before
                if self.keeps_stock:
                    self.stock.add(rows.bodies[count:], -1)
                del rows.bodies[count:], rows.digests[count:]
            elif kind == "mint":
                self.start_count, self.epochs = before
            elif kind == "stock":
                (self.stock,) = before
            elif kind == "forgotten":
                before[0].forgotten = before[1]
            else:
                for rows, acked, stable in before[0]:
                    rows.acked, rows.stable = acked, stable
        self._undo.clear()

    def forget(self, rows: EpochRows, seq: int) -> None:
        """Delete facts up to `seq`: the ledger has them for good. The last one always stays."""
        self._undo.append(("forgotten", rows, rows.forgotten))
        rows.forgotten = max(rows.forgotten, min(seq, len(rows.bodies) - 1))

    def digest_at(self, epoch: Epoch, seq: int) -> bytes | None:
        """Return the chain after a fact, NO_HEAD for 0, None if it is not here."""
        rows = self.epochs.get(epoch)
        if rows is None or seq > len(rows.digests) or 0 < seq < rows.forgotten:
            return None
        return rows.digests[seq - 1] if seq else NO_HEAD

    def read(self, rows: EpochRows, first_seq: int, count: int) -> Sequence[bytes]:
        """Return facts from `first_seq` on, none if they are not here."""
        if first_seq <= rows.forgotten:
            return ()
        return tuple(rows.bodies[first_seq - 1 : first_seq - 1 + count])


def progress_of(rows: EpochRows, *, head_seq: int, acked: int) -> EpochProgress:
    """Return how far an epoch is, as the journal tells the sender."""
    return EpochProgress(rows.epoch, head_seq=head_seq, acked_seq=acked)
