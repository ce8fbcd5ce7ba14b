"""The ledger's database: transactions, row locks, deadlocks, backups. Pure.

A transaction reads a row after it has locked it, keeps what it writes to itself, and commits whole
or not at all. Who waits for a lock gets it when its holder ends, first come, first served. A
transaction that would wait for itself over others is ended, as PostgreSQL does.
"""

from collections.abc import Callable, Sequence

from central.contract.facts import NO_HEAD
from central.contract.identifiers import Epoch
from tests.simulation.checkers import Oracle, moves_of
from tests.simulation.checkers import Row as BalanceRow

Key = tuple[str, Epoch]  # gateway, epoch
Row = tuple[object, ...]


class Kept:
    """What the ledger has of one epoch: facts 1, 2, 3 ... and the chain after each."""

    __slots__ = ("bodies", "digests", "previous_head", "revision")

    def __init__(self, previous_head: bytes) -> None:
        self.previous_head = previous_head
        self.revision = 0  # The ledger's when the last fact was posted.
        self.bodies: list[bytes] = []
        self.digests: list[bytes] = []


class Backup:
    """How far each epoch was when it was made; facts are only ever added."""

    __slots__ = ("balances", "counts", "revision")

    def __init__(
        self, counts: dict[Key, int], balances: dict[BalanceRow, int], revision: int
    ) -> None:
        self.counts = counts
        self.balances = balances
        self.revision = revision


class Transaction:
    """What one worker has locked and is about to write."""

    __slots__ = ("added", "locks", "resume", "wants")

    def __init__(self) -> None:
        self.locks: list[Row] = []
        self.wants: Row | None = None
        self.resume: tuple[Callable[..., object], tuple[object, ...]] | None = None
        # Epoch, first number, facts, chain, head of the epoch before.
        self.added: list[tuple[Key, int, Sequence[bytes], Sequence[bytes], bytes]] = []


class Database:
    """Truth once it is committed. It survives the workers, not what is restored over it."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self.generation = "g1"
        self.kept: dict[Key, Kept] = {}
        self.balances: dict[BalanceRow, int] = {}
        self.touched: dict[BalanceRow, int] = {}  # The revision that last changed a balance.
        self.revision = 0  # Counts facts.
        self.stable: dict[Key, int] = {}
        self.enrolled: set[str] = set()
        self.backup = Backup({}, {}, 0)
        self._holders: dict[Row, Transaction] = {}
        self._waiting: dict[Row, list[Transaction]] = {}

    def standing(self, key: Key) -> tuple[int, bytes]:
        """Return how far an epoch is committed, and the chain there."""
        kept = self.kept.get(key)
        return (len(kept.bodies), kept.digests[-1]) if kept and kept.bodies else (0, NO_HEAD)

    def digest_at(self, key: Key, seq: int) -> bytes | None:
        """Return the committed chain after a fact, None if it is not there."""
        kept = self.kept.get(key)
        return kept.digests[seq - 1] if kept and 1 <= seq <= len(kept.digests) else None

    def lock(
        self, one: Transaction, rows: Sequence[Row], then: Callable[..., object], *arguments: object
    ) -> bool | None:
        """Lock rows in their order; return True if all are locked.

        False: it waits, and calls `then` when it is its turn; call again then. None: a deadlock;
        the transaction is over.
        """
        for row in rows:
            holder = self._holders.get(row)
            if holder is one:
                continue
            if holder is None:
                self._holders[row] = one
                one.locks.append(row)
                continue
            one.wants = row
            if self._waits_for_itself(one):
                self.roll_back(one)
                return None
            one.resume = (then, arguments)
            self._waiting.setdefault(row, []).append(one)
            return False
        return True

    def roll_back(self, one: Transaction) -> None:
        """End a transaction without a trace."""
        if one.wants is not None and one.resume is not None:
            self._waiting[one.wants].remove(one)
        one.wants = one.resume = None
        one.added.clear()
        self._release(one)

    def commit(self, one: Transaction, *, worker: str) -> None:
        """Make true what the transaction adds, all of it, and end it."""
        balances, touched = self.balances, self.touched
        for key, first_seq, bodies, digests, previous_head in one.added:
            kept = self.kept.get(key)
            if kept is None:
                kept = self.kept[key] = Kept(previous_head)
            kept.bodies += bodies
            kept.digests += digests
            self.revision = kept.revision = revision = self.revision + len(bodies)
            for body in bodies:
                for row, quantity in moves_of(body):
                    balances[row] = balances.get(row, 0) + quantity
                    touched[row] = revision
            self._oracle.committed(key, first_seq, bodies, worker=worker)
        one.added.clear()
        self._release(one)

    def back_up(self) -> None:
        """Make a backup; from now on what it holds is stable."""
        counts = {key: len(kept.bodies) for key, kept in self.kept.items()}
        self.backup = Backup(counts, self.balances.copy(), self.revision)
        self.stable = counts
        self._oracle.backed_up(counts)

    def restore(self, generation: str) -> None:
        """Go back to the backup, as another generation. No worker may be at work."""
        self._holders.clear()
        self._waiting.clear()
        for key, kept in list(self.kept.items()):
            count = self.backup.counts.get(key, 0)
            if count:
                del kept.bodies[count:], kept.digests[count:]
                kept.revision = min(kept.revision, self.backup.revision)
            else:
                del self.kept[key]
        self.balances = self.backup.balances.copy()
        self.revision = self.backup.revision
        self.touched = dict.fromkeys(self.balances, self.revision)
        self.generation = generation
        self._oracle.restored(self.backup.counts)

    def _waits_for_itself(self, one: Transaction) -> bool:
        seen = one
        while seen.wants is not None:
            holder = self._holders.get(seen.wants)
            if holder is None:
                return False
            if holder is one:
                return True
            seen = holder
        return False

    def _release(self, one: Transaction) -> None:
        for row in one.locks:
            del self._holders[row]
        locks, one.locks = one.locks, []
        woken = [self._waiting[row].pop(0) for row in locks if self._waiting.get(row)]
        for other in woken:
            other.wants = None
            assert other.resume is not None
            (then, arguments), other.resume = other.resume, None
            then(*arguments)
