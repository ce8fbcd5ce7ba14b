"""Lines and a broker that may lose, double, reorder, delay and forget whatever passes. Pure."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from central.contract.acks import Ack
from central.contract.envelope import Batch
from central.contract.notices import DownMessage
from tests.simulation.checkers import Oracle
from tests.simulation.kernel import Kernel

if TYPE_CHECKING:
    from tests.simulation.central import Worker
    from tests.simulation.machine import Machine

SESSION_MESSAGES_MAX = 120
KEEPALIVE_S = 20.0


class Message:
    """A batch on its way. kind: "" as its gateway made it, else what befell it: "corrupt" or
    "forged". digest: stands for the SHA-256 of the payload."""

    __slots__ = ("batch", "digest", "kind", "number")

    def __init__(self, batch: Batch, digest: bytes, kind: str = "") -> None:
        self.batch = batch
        self.digest = digest
        self.kind = kind
        self.number = 0


class Line:
    """The line of one machine to the broker; each direction can break by itself."""

    __slots__ = (
        "delay_high_s",
        "delay_low_s",
        "duplicate",
        "kernel",
        "loss",
        "open_in",
        "open_out",
    )

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.open_in = self.open_out = True
        self.loss = self.duplicate = 0.0
        self.delay_low_s, self.delay_high_s = 0.002, 0.05

    @property
    def whole(self) -> bool:
        """Return whether both directions are open."""
        return self.open_in and self.open_out

    def calm(self) -> None:
        """Become a good line."""
        self.open_in = self.open_out = True
        self.loss = self.duplicate = 0.0
        self.delay_low_s, self.delay_high_s = 0.002, 0.05

    def carry(self, way: str, action: Callable[..., object], *arguments: object) -> None:
        """Have `action` called at the other end, perhaps never, perhaps twice. way: "in", "out"."""
        if not (self.open_out if way == "out" else self.open_in):
            return
        draw = self.kernel.random.random
        if self.loss and draw() < self.loss:
            return
        low, width = self.delay_low_s, self.delay_high_s - self.delay_low_s
        self.kernel.after(low + width * draw() ** 3, action, *arguments)
        if self.duplicate and draw() < self.duplicate:
            self.kernel.after(low + width * draw(), action, *arguments)


class Session:
    """What the broker keeps of one worker: messages that it has not settled."""

    __slots__ = ("connection", "messages", "worker")

    def __init__(self, worker: "Worker") -> None:
        self.worker = worker
        self.connection = 0  # 0 while the worker is away.
        self.messages: dict[int, Message] = {}


class Broker:
    """Topics of one site. A connection is a number; 0 is none.

    keeps_sessions: for workers that are away. oracle: is told what it holds.
    """

    def __init__(self, kernel: Kernel, oracle: Oracle, *, keeps_sessions: bool) -> None:
        self._kernel = kernel
        self._oracle = oracle
        self._keeps_sessions = keeps_sessions
        self.up = True
        self.confirms = False  # Whether PUBACKs are worth an event: one planted bug believes them.
        self._connections = 0
        self._messages = 0
        self._sessions: dict[str, Session] = {}
        self._machines: dict[str, Machine] = {}
        self._retained: dict[str, Ack] = {}
        self._retained_before: dict[str, Ack] = {}
        # By worker: its word (name, connection, generation, "" for one that is away), its shards.
        self._states: dict[str, tuple[tuple[str, int, str], frozenset[int]]] = {}

    def connect_machine(self, machine: "Machine") -> int:
        """Return the new connection, 0 if there is none; it throws out another of the same code."""
        if not self.up or not machine.line.whole:
            return 0
        before = self._machines.get(machine.code)
        if before is not None and before is not machine:
            before.lost_connection(taken_over=True)
        self._connections += 1
        self._machines[machine.code] = machine
        machine.connection = self._connections
        ack = self._retained.get(machine.code)
        if ack is not None:
            machine.line.carry("in", machine.hear_ack, self._connections, ack)
        for word, shards in self._states.values():
            if word[2] and machine.shard in shards:
                machine.line.carry("in", machine.hear_central, self._connections, word)
        return self._connections

    def connect_worker(self, worker: "Worker") -> int:
        """Return the new connection, 0 if there is none; unsettled messages come again."""
        if not self.up or not worker.line.whole:
            return 0
        session = self._sessions.get(worker.name)
        if session is None or not self._keeps_sessions:
            session = self._sessions[worker.name] = Session(worker)
        self._connections += 1
        session.connection = self._connections
        for message in list(session.messages.values()):
            worker.line.carry("in", worker.hear, self._connections, message)
        return self._connections

    def leave_machine(self, machine: "Machine") -> None:
        """Learn that a connection is no more."""
        if self._machines.get(machine.code) is machine:
            del self._machines[machine.code]

    def leave_worker(self, worker: "Worker") -> None:
        """Learn that a connection is no more; the last will says so."""
        session = self._sessions.get(worker.name)
        if session is not None:
            session.connection = 0
        self._states[worker.name] = ((worker.name, 0, ""), frozenset())

    def forget_worker(self, worker: "Worker") -> None:
        """Let its session expire."""
        self._sessions.pop(worker.name, None)

    def take_batch(self, machine: "Machine", connection: int, message: Message) -> None:
        """Pass a batch on to every worker that hears the shard."""
        if not self.up or (machine.connection != connection and connection):
            return
        if self.confirms:
            machine.line.carry("in", machine.hear_puback, connection, message)
        self._messages += 1
        message.number = self._messages
        for session in self._sessions.values():
            worker = session.worker
            if machine.shard not in worker.shards:
                continue
            if not session.connection and not self._keeps_sessions:
                continue
            if len(session.messages) >= SESSION_MESSAGES_MAX:
                # A broker's patience ends: it drops what waits, and whom it waits for.
                session.messages.clear()
                self.leave_worker(worker)
                worker.lost_connection()
                continue
            session.messages[self._messages] = message
            self._oracle.broker_holds(len(session.messages))
            if session.connection:
                worker.line.carry("in", worker.hear, session.connection, message)

    def settle(self, worker: "Worker", connection: int, numbers: list[int]) -> None:
        """Take PUBACKs of a worker."""
        session = self._sessions.get(worker.name)
        if self.up and session is not None and session.connection == connection:
            for number in numbers:
                session.messages.pop(number, None)

    def take_ack(self, ack: Ack, *, retain: bool) -> None:
        """Pass an acknowledgement on, and keep it for who connects later."""
        if not self.up:
            return
        if retain:
            self._retained[ack.gateway] = ack
        machine = self._machines.get(ack.gateway)
        if machine is not None:
            machine.line.carry("in", machine.hear_ack, machine.connection, ack)

    def take_state(self, worker: "Worker", connection: int, generation: str) -> None:
        """Pass the state of a worker on, retained."""
        if not self.up or worker.connection != connection:
            return
        word = (worker.name, connection, generation)
        self._states[worker.name] = (word, frozenset(worker.shards))
        for machine in self._machines.values():
            if machine.shard in worker.shards:
                machine.line.carry("in", machine.hear_central, machine.connection, word)

    def take_down(self, message: DownMessage) -> None:
        """Pass notices on to their gateway; nobody keeps them for one that is away."""
        machine = self._machines.get(message.gateway)
        if self.up and machine is not None and machine.knowing is not None:
            machine.line.carry("in", machine.knowing.hear, machine.connection, message)

    def holds(self, code: str) -> bool:
        """Return whether a gateway of this code is connected."""
        return code in self._machines

    def note_retained(self) -> None:
        """Make the copy that `crash("old")` comes back with."""
        self._retained_before = self._retained.copy()

    def crash(self, kept: str) -> None:
        """End; come back later with all ("all"), nothing ("none") or an older state ("old")."""
        self.up = False
        for machine in list(self._machines.values()):
            machine.lost_connection()
        self._machines.clear()
        for session in self._sessions.values():
            session.worker.lost_connection()
            session.connection = 0
        if kept == "none":
            self._retained.clear()
            self._sessions.clear()
            self._states.clear()
        elif kept == "old":
            self._retained = self._retained_before.copy()

    def start(self) -> None:
        """Be there again."""
        self.up = True
