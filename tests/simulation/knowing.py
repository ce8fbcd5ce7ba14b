"""A gateway's end of the way from central: the product's Inbound over the modelled card. Pure."""

from typing import TYPE_CHECKING

from central.contract.notices import DownMessage
from gateway.replication.inbound import Inbound
from tests.simulation.local_stock import Snapshot

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.outbox import Office

WAKE_LATE_S = 0.001


class Knowing:
    """What one gateway does with central's notices between start and crash."""

    def __init__(self, machine: "Machine", office: "Office") -> None:
        self._machine = machine
        self._office = office
        self._loading = False
        self._wake_s = float("inf")
        self._inbound: Inbound = machine.bugs.inbound(machine.card.stock.standing)

    def open(self) -> None:
        """Begin with what the card knows."""
        self._inbound = self._machine.bugs.inbound(self._machine.card.stock.standing)
        self._loading = False
        self._wake_s = float("inf")

    def connected(self) -> None:
        """The broker holds the connection."""
        self._inbound.connected(self._machine.monotonic_s())
        self.step()

    def disconnected(self) -> None:
        """The broker is gone."""
        self._inbound.disconnected()

    def hear(self, connection: int, message: DownMessage) -> None:
        """Take in a message of central."""
        machine = self._machine
        if not machine.opened or connection != machine.connection:
            return
        now_s = machine.monotonic_s()
        todo = self._inbound.received(message, now_s)
        if todo is not None and not machine.card.full:
            notices = message.notices[todo.skip_count :]
            machine.card.apply(message.last_number, notices)  # type: ignore[arg-type]
            if machine.armed_at("notices written"):
                return
            machine.card.sync()
            if machine.kernel.tracing:
                machine.kernel.note(machine.name, "applies", message.stream, message.last_number)
            self._inbound.stands(machine.card.stock.standing, now_s)
        self.step()

    def step(self) -> None:
        """Acknowledge, load a snapshot, and wake when there may be more."""
        machine, inbound = self._machine, self._inbound
        if not machine.opened:
            return
        now_s = machine.monotonic_s()
        if inbound.ack_due(now_s):
            standing = inbound.standing
            office = self._office
            machine.line.carry("out", office.pass_ack, machine, machine.connection, standing)
            inbound.acknowledged(now_s)
        if inbound.wants_snapshot and not self._loading:
            self._loading = True
            pause_s = machine.kernel.between(0.05, 3.0)
            machine.kernel.after(pause_s, self._ask, machine.boot)
        wake_s = inbound.next_wake_s()
        if wake_s is not None:
            due_s = machine.kernel.now_s + machine.true_s(max(0.0, wake_s - now_s)) + WAKE_LATE_S
            if due_s < self._wake_s:
                self._wake_s = due_s
                machine.kernel.after(due_s - machine.kernel.now_s, self._woken, machine.boot, due_s)

    def _woken(self, boot: int, due_s: float) -> None:
        if boot == self._machine.boot and due_s == self._wake_s:
            self._wake_s = float("inf")
            self.step()

    def _ask(self, boot: int) -> None:
        """Load by HTTPS: no broker, the same line; the file may come late."""
        machine = self._machine
        if boot != machine.boot or not machine.opened:
            return
        snapshot = self._office.snapshot_for(machine.code) if machine.line.whole else None
        if snapshot is None or machine.kernel.chance(machine.line.loss):
            self._loading = False
            machine.kernel.after(machine.kernel.between(4.0, 20.0), self._again, boot)
        else:
            pause_s = machine.kernel.spread(0.05, 20.0)
            machine.kernel.after(pause_s, self._loaded, boot, snapshot)

    def _again(self, boot: int) -> None:
        if boot == self._machine.boot:
            self.step()

    def _loaded(self, boot: int, snapshot: Snapshot) -> None:
        machine = self._machine
        if boot != machine.boot or not machine.opened:
            return
        self._loading = False
        standing = self._inbound.standing
        if snapshot.stream != standing.stream:
            machine.card.apply_snapshot(snapshot)
            if machine.armed_at("snapshot written"):
                return
            machine.card.sync()
            if machine.kernel.tracing:
                machine.kernel.note(machine.name, "applies snapshot", snapshot.stream)
        self._inbound.stands(machine.card.stock.standing, machine.monotonic_s())
        self.step()
