"""An intake worker of central: the product's receiver over the modelled database. Pure.

    take what waits -> lock positions -> judge -> lock balances, state -> commit -> acks -> PUBACK

The order is that of `central/inbox`: nothing is said before the commit, nothing settled before it
is said. Two workers may hear one shard; each step of a transaction is an event, so they interleave.
"""

from collections.abc import Callable

from central.contract.acks import Ack
from central.contract.notices import DownMessage
from central.inbox.announcing import SAY_AGAIN_S
from central.inbox.receiver import credit_for, is_retained, to_publish
from gateway.journal.records import Standing
from tests.simulation.bugs import Bugs
from tests.simulation.call import Call
from tests.simulation.checkers import Oracle, moves_of
from tests.simulation.database import Database, Row, Transaction
from tests.simulation.kernel import Kernel
from tests.simulation.network import Broker, Line, Message
from tests.simulation.outbox import CHANGES_PAUSE_S, Outbox

MESSAGES_PER_COMMIT_MAX = 64
WAITING_MAX = 128
WALL_START_S = 1.76e9
STATE_ROW = ("state",)


class Worker:
    """One intake process and its line. connection: 0 for none."""

    def __init__(
        self,
        kernel: Kernel,
        oracle: Oracle,
        database: Database,
        broker: Broker,
        bugs: Bugs,
        *,
        name: str,
        shards: set[int],
    ) -> None:
        self.kernel = kernel
        self.name = name
        self.shards = shards
        self.line = Line(kernel)
        self.connection = 0
        self.running = False
        self.boot = 0
        self.paused_until_s = 0.0
        self.wall_offset_s = 0.0
        self.commit_s = 0.004
        self.credit_divisor = 1
        self.forgetful_commits = 0.0  # How often the answer of a commit is lost.
        self.armed: tuple[str, str] | None = None
        self.posted: Callable[[], None] = _nobody
        self.steps_apart = False  # Whether another worker's steps may come between ours.
        self._oracle = oracle
        self._database = database
        self._broker = broker
        self._bugs = bugs
        self._queue: list[Message] = []
        self._busy = False
        self._transaction: Transaction | None = None
        self.make_outbox: Callable[[], Outbox] | None = None
        self._outbox: Outbox | None = None
        self._outbox_wake_s = 0.0

    def start(self) -> None:
        """Begin to listen."""
        if not self.running:
            self.running = True
            self.boot += 1
            self._outbox_wake_s = float("inf")
            self._outbox = self.make_outbox() if self.make_outbox is not None else None
            self._connect(self.boot)
            self.wake_outbox()

    def crash(self) -> None:
        """End at once; the database rolls back what is not committed."""
        if not self.running:
            return
        if self.kernel.tracing:
            self.kernel.note(self.name, "CRASH")
        self.running = self._busy = False
        self.boot += 1
        self.armed = None
        self.paused_until_s = 0.0
        self._queue.clear()
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            self._database.roll_back(transaction)
        if self.connection:
            self._broker.leave_worker(self)
        self.connection = 0

    def crash_for(self, away_s: float) -> None:
        """Crash, and start again later."""
        if self.running:
            self.crash()
            self.kernel.after(away_s, self.start)

    def lost_connection(self) -> None:
        """Learn that the broker holds our connection no longer; what waits is dropped."""
        if self.connection:
            self.connection = 0
            self._queue.clear()
            if self._outbox is not None:
                self._outbox.disconnected()
            self.kernel.after(self.kernel.between(1.0, 8.0), self._connect, self.boot)

    def line_changed(self) -> None:
        """Have the broken line noticed."""
        if not self.line.whole and self.connection:
            self.kernel.after(self.kernel.between(1.0, 20.0), self._notice_line, self.connection)

    def hear(self, connection: int, message: Message) -> None:
        """Take in a message of the broker."""
        if not self.running or connection != self.connection or len(self._queue) >= WAITING_MAX:
            return
        self._queue.append(message)
        if not self._busy:
            self._busy = True
            self.kernel.after(self.kernel.between(0.0002, 0.003), self._take, self.boot)

    def hear_down_ack(self, code: str, standing: Standing) -> None:
        """Take in what a gateway has applied of its notices."""
        if self._outbox is not None and self.running and self.connection:
            self._outbox.take_ack(code, standing)
            self.wake_outbox(0.002)

    def send_down(self, message: DownMessage) -> None:
        """Publish notices."""
        self.line.carry("out", self._broker.take_down, message)

    def wake_outbox(self, pause_s: float = CHANGES_PAUSE_S) -> None:
        """Look after the notices soon."""
        due_s = self.kernel.now_s + pause_s
        if self._outbox is not None and self.running and due_s < self._outbox_wake_s:
            self._outbox_wake_s = due_s
            self.kernel.after(pause_s, self._work_outbox, self.boot, due_s)

    def _work_outbox(self, boot: int, due_s: float) -> None:
        if due_s == self._outbox_wake_s and not self._stopped(boot, self._work_outbox, due_s):
            assert self._outbox is not None
            self._outbox_wake_s = float("inf")
            wake_s = self._outbox.work()
            self.wake_outbox(max(0.001, wake_s - self.kernel.now_s))

    def _connect(self, boot: int) -> None:
        if boot != self.boot or not self.running or self.connection:
            return
        self.connection = self._broker.connect_worker(self)
        if self.connection:
            if self._outbox is not None:
                self._outbox.connected()
                self.wake_outbox(0.01)
            self._say(self.connection)
        else:
            self.kernel.after(self.kernel.between(1.0, 8.0), self._connect, boot)

    def _say(self, connection: int) -> None:
        """Say that we listen, and again each SAY_AGAIN_S: a word can be lost."""
        if self.running and connection == self.connection:
            generation = self._database.generation
            self.line.carry("out", self._broker.take_state, self, connection, generation)
            self.kernel.after(SAY_AGAIN_S, self._say, connection)

    def _notice_line(self, connection: int) -> None:
        if self.running and connection == self.connection and not self.line.whole:
            self._broker.leave_worker(self)
            self.lost_connection()

    def _stopped(self, boot: int, step: Callable[..., object], *arguments: object) -> bool:
        """Return whether `step` is not to go on now: we are dead, or asleep until later."""
        if boot != self.boot:
            return True
        pause_s = self.paused_until_s - self.kernel.now_s
        if pause_s > 0.0:
            self.kernel.after(pause_s, step, boot, *arguments)
            return True
        return False

    def _armed_at(self, point: str) -> bool:
        if self.armed is None or self.armed[0] != point:
            return False
        if self.kernel.tracing:
            self.kernel.note(self.name, "crash at", point)
        self.crash_for(self.kernel.between(1.0, 20.0))
        return True

    def _take(self, boot: int) -> None:
        if self._stopped(boot, self._take):
            return
        messages = self._queue[:MESSAGES_PER_COMMIT_MAX]
        del self._queue[: len(messages)]
        if not messages:
            self._busy = False
            return
        self._transaction = Transaction()
        self._lock_positions(boot, messages)

    def _lock_positions(self, boot: int, messages: list[Message]) -> None:
        if self._stopped(boot, self._lock_positions, messages):
            return
        keys = sorted({(one.batch.gateway, one.batch.epoch) for one in messages})
        if self._lock([("position", *key) for key in keys], self._lock_positions, boot, messages):
            call = Call(self._database, self._bugs, self._wall_ms(), self._credit_count())
            acks = call.judge_all(messages)
            assert self._transaction is not None
            self._transaction.added = call.added
            rows = list(dict.fromkeys(row for one in call.added for row in _rows_of(one[2])))
            if not self._bugs.unsorted_balances:
                rows.sort()
            self._lock_balances(boot, messages, acks, rows, 0)

    def _lock_balances(
        self, boot: int, messages: list[Message], acks: list[Ack], rows: list[Row], done: int
    ) -> None:
        if self._stopped(boot, self._lock_balances, messages, acks, rows, done):
            return
        if self.steps_apart and len(rows) - done > 1:
            count = done + self.kernel.random.randint(1, len(rows) - done)
        else:
            count = len(rows)
        if not self._lock(rows[:count], self._lock_balances, boot, messages, acks, rows, done):
            return
        if count < len(rows):
            pause_s = self.kernel.spread(0.005, 2.0)
            self.kernel.after(pause_s, self._lock_balances, boot, messages, acks, rows, count)
        else:
            self._lock_state(boot, messages, acks)

    def _lock_state(self, boot: int, messages: list[Message], acks: list[Ack]) -> None:
        if self._lock([STATE_ROW], self._lock_state, boot, messages, acks):
            if self._bugs.acknowledges_before_commit:
                self._acknowledge(acks)
            self.kernel.after(self.commit_s, self._commit, boot, messages, acks)

    def _lock(self, rows: list[Row], then: Callable[..., object], *arguments: object) -> bool:
        assert self._transaction is not None
        locked = self._database.lock(self._transaction, rows, then, *arguments)
        if locked is None:
            self._oracle.deadlocked(self.name)
        return locked is True

    def _commit(self, boot: int, messages: list[Message], acks: list[Ack]) -> None:
        if self._stopped(boot, self._commit, messages, acks) or self._armed_at("before the commit"):
            return
        transaction, self._transaction = self._transaction, None
        assert transaction is not None
        self._database.commit(transaction, worker=self.name)
        if self._armed_at("committed") or boot != self.boot:
            return
        if self.forgetful_commits and self.kernel.chance(self.forgetful_commits):
            if self.kernel.tracing:
                self.kernel.note(self.name, "does not know whether it has committed")
            self._queue[:0] = messages  # As long as a call: it is offered again as it was.
            self.kernel.after(self.kernel.between(0.1, 5.0), self._take, boot)
            return
        self.posted()
        if not self._bugs.acknowledges_before_commit:
            self._acknowledge(acks)
        if boot != self.boot or self._armed_at("acknowledged"):
            return
        if self.connection:
            numbers = [one.number for one in messages]
            self.line.carry("out", self._broker.settle, self, self.connection, numbers)
        self._take(boot)

    def _acknowledge(self, acks: list[Ack]) -> None:
        for count, ack in enumerate(to_publish(acks)):
            if count and self._armed_at("between acknowledgements"):
                return
            if self.kernel.tracing:
                self.kernel.note(self.name, "acks", ack.gateway, ack.epoch, ack.acked, ack.problem)
            self._oracle.acknowledged((ack.gateway, ack.epoch), ack.acked, ack.stable)
            if self.connection:
                self.line.carry("out", self._publish, ack)

    def _publish(self, ack: Ack) -> None:
        self._broker.take_ack(ack, retain=is_retained(ack))

    def _wall_ms(self) -> int:
        return int((WALL_START_S + self.kernel.now_s + self.wall_offset_s) * 1000.0)

    def _credit_count(self) -> int:
        credit = credit_for(waiting_count=len(self._queue), waiting_max=WAITING_MAX)
        return credit // self.credit_divisor


def _nobody() -> None:
    """Nobody is told that something was posted."""


def _rows_of(bodies: tuple[bytes, ...]) -> list[Row]:
    return [row for body in bodies for row, _ in moves_of(body)]
