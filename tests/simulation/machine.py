"""A gateway: operators scan, the journal commits, the product's Sender drives the line. Pure.

    scan -> waiting -> [crash] write -> [crash] sync -> [crash] green light -> Sender -> broker

Everything between the brackets is the product's order of steps; `Replicating` is the part of
`gateway/replication/replicator.py` that is no input or output.
"""

from tests.simulation.bugs import Bugs
from tests.simulation.card import Card, EpochRows
from tests.simulation.checkers import WAREHOUSES_COUNT, Oracle
from tests.simulation.kernel import Kernel
from tests.simulation.network import Broker, Line
from tests.simulation.replicating import Replicating

FACTS_PER_APPEND_MAX = 20
CODE_TAKEN_PAUSE_S = 20.0
ACKS_WRITTEN_AFTER_S = 4.0


class Machine(Replicating):
    """One gateway computer with a card in it. connection: 0 for none."""

    def __init__(
        self,
        kernel: Kernel,
        oracle: Oracle,
        broker: Broker,
        bugs: Bugs,
        *,
        code: str,
        shard: int,
        card: Card,
    ) -> None:
        super().__init__(kernel, oracle, broker, bugs, code=code, shard=shard, card=card)
        self.line = Line(kernel)
        self.warehouse = 0
        self.boot = 0  # Counts starts; an event of an earlier one finds nobody.
        self.removed = False
        self.running = False
        self.scan_pause_s = 10.0
        self.scans_until_s = 0.0
        self.burst_max = 1
        self.sync_s = 0.004
        self.armed: tuple[str, str] | None = None  # Where to crash, and how.
        self._waiting: list[bytes] = []
        self._writing = False

    def start(self) -> None:
        """Switch on: mint an epoch, then work."""
        if self.running or self.removed:
            return
        kernel = self.kernel
        self.boot += 1
        self.running = True
        self.armed_at("before minting")
        if not self.running:
            return
        if self.bugs.one_epoch and self.card.epochs:
            self.rows = list(self.card.epochs.values())[-1]
        else:
            self.rows = self.card.mint(kernel.random.getrandbits(64))
        if self.armed_at("epoch written"):
            return
        kernel.after(self.sync_s, self._opened, self.boot, self.rows)

    def remove(self) -> None:
        """Take the machine away for good, also if it was about to start again."""
        self.crash("kill")
        self.removed = True

    def crash(self, how: str) -> None:
        """End at once. how: "kill" ends the program, "power" the machine."""
        if not self.running:
            return
        if self.kernel.tracing:
            self.kernel.note(self.name, "CRASH", how)
        self.running = False
        self.armed = None
        self._waiting.clear()
        self._writing = False
        self.close_replication()
        if how == "power":
            self.card.lose_power(self.kernel)

    def crash_for(self, how: str, away_s: float) -> None:
        """Crash, and start again later."""
        if self.running:
            self.crash(how)
            self.kernel.after(away_s, self.start)

    def armed_at(self, point: str) -> bool:
        """Crash here if that is wanted; return whether it was."""
        if self.armed is None or self.armed[0] != point:
            return False
        how = self.armed[1]
        self.armed = None
        if self.kernel.tracing:
            self.kernel.note(self.name, "crash at", point)
        self.crash_for(how, self.kernel.between(1.0, 20.0))
        return True

    def operate(self) -> None:
        """Have people scan from now on."""
        kernel = self.kernel
        if kernel.now_s >= self.scans_until_s:
            return
        kernel.after(self.scan_pause_s * kernel.between(0.2, 1.8), self.operate)
        self.scan(kernel.random.randint(1, self.burst_max) if self.burst_max > 1 else 1)

    def scan(self, count: int) -> None:
        """Have so many things scanned at once."""
        if not self.running or not self.opened:
            return
        draw = self.kernel.random.getrandbits
        bodies = [
            (draw(61) * WAREHOUSES_COUNT + self.warehouse).to_bytes(8, "big") for _ in range(count)
        ]
        if self.bugs.beeps_before_commit:
            self.oracle.green_unnumbered(self, bodies)
        self._waiting += bodies
        if not self._writing:
            self._append()

    def lost_connection(self, *, taken_over: bool = False) -> None:
        """Learn that the broker holds our connection no longer."""
        if not self.connection:
            return
        self.connection = 0
        self.sender.disconnected()
        if self.knowing is not None:
            self.knowing.disconnected()
        self._connect_after(CODE_TAKEN_PAUSE_S if taken_over else self.kernel.between(1.0, 8.0))

    def line_changed(self) -> None:
        """Have the broken line noticed: TCP and MQTT take their time."""
        if not self.line.whole and self.connection:
            self.kernel.after(self.kernel.between(1.0, 40.0), self._notice_line, self.connection)

    def hear_puback(self, connection: int, message: object) -> None:
        """Take in that the broker has a batch: the product does not care."""
        if self.running and connection == self.connection:
            self.believe_puback(message)

    def _notice_line(self, connection: int) -> None:
        if self.running and connection == self.connection and not self.line.whole:
            self.broker.leave_machine(self)
            self.lost_connection()

    def _opened(self, boot: int, rows: EpochRows) -> None:
        if boot != self.boot or not self.running:
            return
        self.card.sync()
        if self.armed_at("epoch synced"):
            return
        if self.kernel.tracing:
            self.kernel.note(self.name, "starts epoch", rows.epoch)
        self.open_replication()
        self._connect_after(self.kernel.between(0.05, 3.0))
        self.kernel.after(ACKS_WRITTEN_AFTER_S, self._keep_house, boot)

    def _connect_after(self, pause_s: float) -> None:
        self.kernel.after(pause_s, self._connect, self.boot)

    def _connect(self, boot: int) -> None:
        if boot != self.boot or not self.running or self.connection:
            return
        if self.broker.connect_machine(self):
            self.connected()
        else:
            self._connect_after(self.kernel.between(1.0, 10.0))

    def _append(self) -> None:
        self._writing = False
        if not self._waiting or self.armed_at("before the append"):
            return
        if self.card.full:  # Refused loudly; what is acknowledged stays and drains.
            if self.kernel.tracing:
                self.kernel.note(self.name, "disk full, red light for", len(self._waiting))
            self._waiting.clear()
            return
        bodies = self._waiting[:FACTS_PER_APPEND_MAX]
        del self._waiting[:FACTS_PER_APPEND_MAX]
        rows = self.rows
        assert rows is not None
        first_seq = len(rows.bodies) + 1
        self.card.append(rows, bodies)
        if self.kernel.tracing:
            self.kernel.note(self.name, "writes", first_seq, "..", len(rows.bodies))
        if self.armed_at("facts written"):
            return
        self._writing = True
        self.kernel.after(self.sync_s, self._synced, self.boot, first_seq, bodies)

    def _synced(self, boot: int, first_seq: int, bodies: list[bytes]) -> None:
        if boot != self.boot or not self.running:
            return
        if not self.bugs.skips_fsync:
            self.card.sync()
        if self.armed_at("facts synced"):
            return
        assert self.rows is not None
        self.committed(first_seq + len(bodies) - 1)
        self.oracle.green(self, self.rows.epoch, first_seq, bodies)
        if self.armed_at("green light"):
            return
        self.step()
        self._append()

    def _keep_house(self, boot: int) -> None:
        if boot != self.boot or not self.running:
            return
        self.kernel.after(ACKS_WRITTEN_AFTER_S, self._keep_house, boot)
        if not self._writing and self.house_is_due():
            self.write_positions()
            if self.armed_at("positions written"):
                return
            self.forget_what_is_safe()
            if self.kernel.chance(0.5) and not self.bugs.skips_fsync:
                self.card.sync()
