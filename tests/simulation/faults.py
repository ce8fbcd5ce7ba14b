"""What goes wrong, drawn from the seed. Pure.

Each seed takes some kinds of fault and leaves out others, so that some are seen alone, and has
lines of a quality of its own. `end` puts everything right: what is not whole then, never was.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.card import Card
from tests.simulation.network import Line

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

FIFTY_YEARS_S = 50 * 365.25 * 86400.0
FAULTS_MIN, FAULTS_MAX = 6, 30
MACHINE_POINTS = (
    "before minting",
    "epoch written",
    "epoch synced",
    "before the append",
    "facts written",
    "facts synced",
    "green light",
    "positions written",
    "notices written",
    "snapshot written",
)
WORKER_POINTS = ("before the commit", "committed", "between acknowledgements", "acknowledged")


# The method that makes it, how often it is drawn beside the others of its seed.
KINDS = (
    ("_partition", 8),
    ("_bad_line", 3),
    ("_crash_broker", 3),
    ("_note_retained", 2),
    ("_kill_gateway", 4),
    ("_cut_power", 4),
    ("_arm_gateway", 6),
    ("_take_image", 2),
    ("_restore_image", 2),
    ("_lose_card", 1),
    ("_clone_card", 1),
    ("_fill_disk", 1),
    ("_slow_disk", 1),
    ("_rush", 5),
    ("_crash_worker", 2),
    ("_arm_worker", 4),
    ("_pause_worker", 2),
    ("_take_over", 1),
    ("_back_up", 3),
    ("_restore_ledger", 5),
    ("_slow_database", 1),
    ("_forgetful_database", 1),
    ("_jump_clock", 1),
    ("_withdraw_enrolment", 1),
    ("_shrink_credit", 1),
    ("_forge", 1),
    ("_corrupt", 1),
    ("_forge_ack", 2),
    ("_replay", 1),
)


class Faults:
    """Plans and makes the faults of one world. count: how many were made."""

    def __init__(self, world: "World", *, until_s: float) -> None:
        self._world = world
        self._kernel = world.kernel
        self._until_s = until_s
        self._images: dict[str, Card] = {}
        self._clones: list[tuple[Machine, Machine]] = []
        self._over = False
        self.count = 0
        self._line = Line(world.kernel)  # The quality of every line until the end.

    def plan(self) -> None:
        """Draw the quality of the lines, the kinds of fault, and when each strikes."""
        kernel = self._kernel
        draw = kernel.random
        if kernel.chance(0.6):
            self._line.loss = kernel.spread(0.003, 0.3)
            self._line.duplicate = kernel.spread(0.003, 0.2)
            self._line.delay_high_s = kernel.spread(0.02, 2.0)
        for line in self._lines():
            self._worsen(line)
        kinds = [name for name, weight in KINDS if kernel.chance(0.5) for _ in range(weight)]
        if not kinds:
            return
        for _ in range(draw.randint(FAULTS_MIN, FAULTS_MAX)):
            moment_s = kernel.between(3.0, self._until_s - 5.0)
            kernel.after(moment_s, self._strike, draw.choice(kinds))

    def end(self) -> None:
        """Put everything right."""
        self._over = True
        world = self._world
        if self._kernel.tracing:
            self._kernel.note("-- the faults end")
        for original, clone in self._clones:
            self._remove_one_of(original, clone)
        world.broker.start()
        for line in self._lines():
            line.calm()
        for worker in world.workers:
            worker.armed = None
            worker.paused_until_s = 0.0
            worker.commit_s = min(worker.commit_s, 0.03)
            worker.credit_divisor = 1
            worker.forgetful_commits = 0.0
            worker.start()
        for machine in world.machines:
            machine.armed = None
            machine.card.full = False
            machine.sync_s = min(machine.sync_s, 0.02)
            world.database.enrolled.add(machine.code)
            machine.start()

    def _strike(self, name: str) -> None:
        if self._kernel.tracing:
            self._kernel.note("-- fault:", name.strip("_").replace("_", " "))
        self.count += 1
        getattr(self, name)()

    def _later(self, delay_s: float, action: Callable[..., object], *arguments: object) -> None:
        self._kernel.after(delay_s, self._unless_over, action, arguments)

    def _unless_over(self, action: Callable[..., object], arguments: tuple[object, ...]) -> None:
        if not self._over:
            action(*arguments)

    def _machine(self) -> "Machine":
        return self._kernel.random.choice(self._world.machines)

    def _lines(self) -> list[Line]:
        return [one.line for one in (*self._world.machines, *self._world.workers)]

    def _worsen(self, line: Line) -> None:
        line.loss, line.duplicate = self._line.loss, self._line.duplicate
        line.delay_high_s = self._line.delay_high_s

    def _partition(self) -> None:
        kernel = self._kernel
        one = kernel.random.choice((*self._world.machines, *self._world.workers))
        one.line.open_in, one.line.open_out = kernel.random.choice(
            ((False, False), (False, True), (True, False))
        )
        one.line_changed()
        self._later(kernel.spread(1.0, 240.0), self._mend, one.line)

    def _mend(self, line: Line) -> None:
        line.open_in = line.open_out = True

    def _bad_line(self) -> None:
        kernel = self._kernel
        line = kernel.random.choice(self._lines())
        line.loss, line.duplicate = kernel.between(0.2, 0.95), kernel.between(0.0, 0.6)
        line.delay_high_s = kernel.spread(0.5, 90.0)
        self._later(kernel.spread(5.0, 120.0), self._worsen, line)

    def _crash_broker(self) -> None:
        kernel, broker = self._kernel, self._world.broker
        if broker.up:
            kept = kernel.random.choice(("all", "none", "none", "old"))
            if kernel.tracing:
                kernel.note("broker crashes, keeps", kept)
            broker.crash(kept)
            self._later(kernel.spread(0.5, 90.0), broker.start)

    def _note_retained(self) -> None:
        self._world.broker.note_retained()

    def _kill_gateway(self) -> None:
        self._machine().crash_for("kill", self._kernel.spread(0.5, 60.0))

    def _cut_power(self) -> None:
        self._machine().crash_for("power", self._kernel.spread(2.0, 60.0))

    def _arm_gateway(self) -> None:
        draw = self._kernel.random
        machine = self._machine()
        machine.armed = (draw.choice(MACHINE_POINTS), draw.choice(("kill", "power")))

    def _take_image(self) -> None:
        card = self._machine().card
        card.sync()  # It is made of a card that is taken out.
        self._images[card.gateway] = card.copy()

    def _restore_image(self) -> None:
        machine = self._machine()
        image = self._images.get(machine.code)
        if image is not None:
            self._change_card(machine, image.copy())

    def _lose_card(self) -> None:
        machine = self._machine()
        card = Card(machine.code, keeps_stock=machine.card.keeps_stock)
        self._change_card(machine, card)

    def _change_card(self, machine: "Machine", card: Card) -> None:
        machine.crash("power")
        self._world.oracle.card_gone(machine.card, left=card)
        machine.card = card
        machine.acked = {}
        self._later(self._kernel.spread(2.0, 60.0), machine.start)

    def _clone_card(self) -> None:
        """Copy a card and work with both: two machines, one identity."""
        machine = self._machine()
        if any(machine in pair for pair in self._clones):
            return
        machine.crash("power")
        world = self._world
        clone = world.add_machine(machine.code, shard=machine.shard, card=machine.card.copy())
        clone.name = f"{machine.code}-clone"
        self._worsen(clone.line)
        self._clones.append((machine, clone))
        for one in (machine, clone):
            self._later(self._kernel.spread(1.0, 60.0), one.start)
        clone.operate()

    def _remove_one_of(self, original: "Machine", clone: "Machine") -> None:
        removed, stays = (original, clone) if self._kernel.chance(0.5) else (clone, original)
        removed.remove()
        self._world.oracle.card_gone(removed.card, left=stays.card)
        self._world.machines.remove(removed)

    def _fill_disk(self) -> None:
        card = self._machine().card
        card.full = True
        self._later(self._kernel.spread(5.0, 120.0), _empty, card)

    def _slow_disk(self) -> None:
        machine = self._machine()
        before, machine.sync_s = machine.sync_s, self._kernel.spread(0.1, 8.0)
        self._later(self._kernel.spread(5.0, 60.0), setattr, machine, "sync_s", before)

    def _rush(self) -> None:
        """A lorry at every door: everybody scans much at the same time."""
        for machine in self._world.machines:
            machine.scan(self._kernel.random.randint(5, 25))

    def _crash_worker(self) -> None:
        kernel = self._kernel
        kernel.random.choice(self._world.workers).crash_for(kernel.spread(0.5, 60.0))

    def _arm_worker(self) -> None:
        draw = self._kernel.random
        draw.choice(self._world.workers).armed = (draw.choice(WORKER_POINTS), "")

    def _pause_worker(self) -> None:
        kernel = self._kernel
        worker = kernel.random.choice(self._world.workers)
        worker.paused_until_s = kernel.now_s + kernel.spread(1.0, 60.0)

    def _take_over(self) -> None:
        """Let a worker hear the other's shards, too; the other may not know that it is replaced."""
        for worker in self._world.workers:
            worker.shards |= {0, 1}

    def _back_up(self) -> None:
        self._world.database.back_up()

    def _restore_ledger(self) -> None:
        """Go back to the backup; every worker is stopped before, and knows the new generation."""
        world = self._world
        for worker in world.workers:
            worker.crash()
        generation = f"g{int(world.database.generation[1:]) + 1}"
        world.database.restore(generation)
        if self._kernel.tracing:
            self._kernel.note("ledger restored as", generation)
        for worker in world.workers:
            self._later(self._kernel.spread(1.0, 60.0), worker.start)

    def _slow_database(self) -> None:
        for worker in self._world.workers:
            before, worker.commit_s = worker.commit_s, self._kernel.spread(0.1, 6.0)
            self._later(self._kernel.spread(5.0, 60.0), setattr, worker, "commit_s", before)

    def _forgetful_database(self) -> None:
        for worker in self._world.workers:
            worker.forgetful_commits = 0.2
            self._later(60.0, setattr, worker, "forgetful_commits", 0.0)

    def _jump_clock(self) -> None:
        draw = self._kernel.random
        years_s = draw.choice((-FIFTY_YEARS_S, FIFTY_YEARS_S, 0.0, -3.0, 3600.0))
        draw.choice(self._world.workers).wall_offset_s = years_s

    def _withdraw_enrolment(self) -> None:
        enrolled = self._world.database.enrolled
        code = self._machine().code
        enrolled.discard(code)
        self._later(self._kernel.spread(3.0, 90.0), enrolled.add, code)

    def _shrink_credit(self) -> None:
        divisor = self._kernel.random.choice((200, 1000, 8001))
        for worker in self._world.workers:
            worker.credit_divisor = divisor
            self._later(self._kernel.spread(5.0, 120.0), setattr, worker, "credit_divisor", 1)

    def _forge(self) -> None:
        self._machine().send_broken("forged")

    def _corrupt(self) -> None:
        self._machine().send_broken("corrupt")

    def _forge_ack(self) -> None:
        """Acknowledge in the ledger's name what was scanned this moment."""
        machine = self._machine()
        machine.scan(9)
        self._kernel.after(2.0 * machine.sync_s, machine.forge_ack)

    def _replay(self) -> None:
        self._machine().send_again()


def _empty(card: Card) -> None:
    card.full = False
