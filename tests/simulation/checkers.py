"""What must be true whatever happens, kept apart from the code under test. Pure.

The checkers know the green lights and the commits, as lists; nothing of windows, positions or
acknowledgements of the product goes into them.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from central.contract.identifiers import Epoch
from gateway.replication.pace import RUN_FACTS_MAX
from tests.simulation.kernel import Kernel

if TYPE_CHECKING:
    from tests.simulation.card import Card
    from tests.simulation.machine import Machine

Key = tuple[str, Epoch]
Row = tuple[int, int, int]  # Warehouse, item, place.
WAREHOUSES_COUNT = 2
ITEMS_COUNT = 3
PLACES_COUNT = 4
BROKER_MESSAGES_MAX = 200
NOTICES_MAX = 12  # Acknowledged ones that are kept, and what is written before the next word.
STREAMS_SPARE_COUNT = 3


class Broken(Exception):
    """A promise is broken."""


@lru_cache(maxsize=4096)
def moves_of(body: bytes) -> tuple[tuple[Row, int], ...]:
    """Return the two lines of a fact: (balance row, quantity); the bytes say everything."""
    number = int.from_bytes(body, "big")
    warehouse = number % WAREHOUSES_COUNT
    number //= WAREHOUSES_COUNT
    item = number % ITEMS_COUNT
    source = number // ITEMS_COUNT % PLACES_COUNT
    target = (source + 1 + number // 16 % (PLACES_COUNT - 1)) % PLACES_COUNT
    quantity = 1 + number // 64 % 9
    return ((warehouse, item, source), -quantity), ((warehouse, item, target), quantity)


class Oracle:
    """Watches one run. Every method may raise Broken.

    posted: what is committed of each epoch, in the order of the commits.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.posted: dict[Key, list[bytes]] = {}
        self.greens: dict[Key, dict[int, bytes]] = {}
        self.deadlocks_count = 0
        self.greens_count = 0
        self.posted_count = 0
        self.faults_count = 0
        self.lost_count = 0  # Known losses: only on a card that is gone.
        self._most: dict[Key, int] = {}  # Ever committed, also before a restore.
        self._backed_up: dict[Key, int] = {}
        self._gone: set[tuple[str, Epoch, int]] = set()  # On a card that is gone.
        self._gone_bodies: set[bytes] = set()
        self._unnumbered: list[tuple[str, bytes]] = []

    def green(self, machine: "Machine", epoch: Epoch, first_seq: int, bodies: list[bytes]) -> None:
        """Note green lights: a person was told that these are recorded."""
        if self._kernel.tracing:
            self._kernel.note(machine.name, "GREEN", epoch, first_seq, "x", len(bodies))
        greens = self.greens.setdefault((machine.code, epoch), {})
        for seq, body in enumerate(bodies, first_seq):
            if greens.get(seq, body) != body:
                self._broken(f"{machine.name} gave {epoch}/{seq} twice")
            greens[seq] = body
        self.greens_count += len(bodies)

    def green_unnumbered(self, machine: "Machine", bodies: list[bytes]) -> None:
        """Note green lights that came before a number was given: a planted bug."""
        self._unnumbered += [(machine.name, body) for body in bodies]

    def committed(self, key: Key, first_seq: int, bodies: Sequence[bytes], *, worker: str) -> None:
        """Check a commit: each number once, in order, without gaps."""
        posted = self.posted.setdefault(key, [])
        if self._kernel.tracing:
            last_seq = first_seq + len(bodies) - 1
            self._kernel.note(worker, "COMMITS", key[0], key[1], first_seq, "..", last_seq)
        if first_seq <= len(posted):
            self._broken(f"{worker} posts {key[0]}/{key[1]}/{first_seq} twice")
        if first_seq > len(posted) + 1:
            self._broken(f"{worker} posts {key[0]}/{key[1]}/{first_seq} after {len(posted)}")
        posted += bodies
        self._most[key] = max(self._most.get(key, 0), len(posted))
        self.posted_count += len(bodies)

    def acknowledged(self, key: Key, acked: int, stable: int) -> None:
        """Check an acknowledgement at the moment when it goes out."""
        if acked > len(self.posted.get(key, ())):
            self._broken(f"acknowledged {key[0]}/{key[1]}/{acked} before the commit")
        if stable > self._backed_up.get(key, 0):
            self._broken(f"called {key[0]}/{key[1]}/{stable} stable without a backup")

    def believed(self, code: str, epoch: Epoch, acked: int, stable: int) -> None:
        """Check what a gateway takes for committed."""
        key = code, epoch
        if acked > self._most.get(key, 0):
            self._broken(f"{code} believes {epoch}/{acked}, which was never committed")
        if stable > self._backed_up.get(key, 0):
            self._broken(f"{code} believes {epoch}/{stable} stable, which was never backed up")

    def backed_up(self, counts: dict[Key, int]) -> None:
        """Note what a backup holds."""
        self._backed_up = counts

    def restored(self, counts: dict[Key, int]) -> None:
        """Note that the ledger went back to its backup."""
        for key, posted in list(self.posted.items()):
            del posted[counts.get(key, 0) :]

    def deadlocked(self, worker: str) -> None:
        """Two workers waited for each other: sorted rows exclude that."""
        self._broken(f"{worker} ran into a deadlock")

    def sent(self, machine: "Machine", epoch: Epoch, last_seq: int) -> None:
        """Check what a gateway has under way, and what its sender remembers."""
        under_way = last_seq - machine.acked[epoch]
        streams = machine.sender._streams
        if len(streams) > len(machine.card.epochs) + STREAMS_SPARE_COUNT:
            self._broken(f"{machine.name} remembers {len(streams)} epochs")
        if under_way > max(machine.window_facts_max, RUN_FACTS_MAX):
            self._broken(f"{machine.name} has {under_way} facts under way")

    def broker_holds(self, messages_count: int) -> None:
        """Check the broker's queue of one worker."""
        if messages_count > BROKER_MESSAGES_MAX:
            self._broken(f"{messages_count} messages wait at the broker")

    def notices_kept(self, code: str, count: int) -> None:
        """Check how many notices wait for a gateway or are kept."""
        if count > NOTICES_MAX:
            self._broken(f"{count} notices are kept for {code}")

    def card_gone(self, gone: "Card", *, left: "Card | None" = None) -> None:
        """Note that a card is gone; left: what went on in its place with an older copy."""
        for epoch, rows in gone.epochs.items():
            self._gone_bodies.update(rows.bodies)
            same = left.epochs.get(epoch) if left is not None else None
            first = 1 + (len(same.bodies) if same is not None else 0)
            for seq in range(first, len(rows.bodies) + 1):
                self._gone.add((gone.gateway, epoch, seq))

    def check_end(self, machines: Iterable["Machine"], balances: dict[Row, int]) -> None:
        """Check that all is well once the faults have stopped and time has passed."""
        machines = list(machines)
        for machine in machines:
            self._check_sent(machine)
        self._check_greens(machines)
        self._check_stock(balances)

    def check_shown(
        self, machine: "Machine", balances: dict[Row, int], *, warehouse: int, told: tuple[str, int]
    ) -> None:
        """Check that a gateway shows what the ledger has in its warehouse."""
        stock = machine.card.stock
        if (stock.standing.stream, stock.standing.number) != told:
            self._broken(f"{machine.name} stands at {stock.standing}, central at {told}")
        wanted = {row: one for row, one in balances.items() if row[0] == warehouse and one}
        if {row: one for row, one in stock.shown.items() if one} != wanted:
            self._broken(f"{machine.name} shows other stock than the ledger has")

    def _check_sent(self, machine: "Machine") -> None:
        if not machine.opened:
            self._broken(f"{machine.name} does not run")
        for epoch, rows in machine.card.epochs.items():
            posted = self.posted.get((machine.code, epoch), [])
            if posted[: len(rows.bodies)] != rows.bodies:
                self._broken(
                    f"{machine.name} has {len(rows.bodies)} facts of {epoch}, the ledger"
                    f" {len(posted)}; the sender says {machine.sender.problem or 'nothing'}"
                )
            rewound = len(posted) > len(rows.bodies)
            if machine.acked[epoch] != len(rows.bodies) and not rewound:
                self._broken(f"{machine.name} believes {epoch}/{machine.acked[epoch]} only")

    def _check_greens(self, machines: list["Machine"]) -> None:
        for key, greens in self.greens.items():
            posted = self.posted.get(key, [])
            for seq, body in greens.items():
                if seq <= len(posted) and posted[seq - 1] == body:
                    continue
                if (*key, seq) not in self._gone:
                    self._broken(f"green {key[0]}/{key[1]}/{seq} is lost")
                self.lost_count += 1
        if self._unnumbered:
            known = {body for bodies in self.posted.values() for body in bodies}
            known |= self._gone_bodies
            known |= {body for one in machines for body in _bodies_on(one)}
            for name, body in self._unnumbered:
                if body not in known:
                    self._broken(f"{name}: a green scan is recorded nowhere")

    def _check_stock(self, balances: dict[Row, int]) -> None:
        counted: dict[Row, int] = {}
        for bodies in self.posted.values():
            for body in bodies:
                for row, quantity in moves_of(body):
                    counted[row] = counted.get(row, 0) + quantity
        for item in range(ITEMS_COUNT):
            if sum(one for row, one in balances.items() if row[1] == item):
                self._broken(f"stock of item {item} is not conserved")
        if {row: one for row, one in balances.items() if one} != {
            row: one for row, one in counted.items() if one
        }:
            self._broken("balances are not what the facts add up to")

    def _broken(self, text: str) -> None:
        if self._kernel.tracing:
            self._kernel.note("BROKEN", text)
        raise Broken(text)


def _bodies_on(machine: "Machine") -> list[bytes]:
    return [body for rows in machine.card.epochs.values() for body in rows.bodies]
