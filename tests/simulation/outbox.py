"""Central's end of the way to the gateways: the product's NoticeStream over modelled rows. Pure."""

from typing import TYPE_CHECKING

from central.contract.notices import DownMessage
from central.contract.wire_types import EpochSeq
from central.outbox.stream import Kept, NoticeStream, RecordAck, Renew
from gateway.journal.records import Standing
from tests.simulation.database import Database
from tests.simulation.kernel import Kernel
from tests.simulation.local_stock import Level, Notice, Snapshot

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.worker import Worker
    from tests.simulation.world import World

KEPT_ACKED_COUNT = 4  # More in the product; here a gateway shall fall behind what is kept.
# Both shorter in the product; here what is written wakes the round, too.
CHANGES_PAUSE_S = 1.0
REFRESH_S = 15.0
HEARD_S = 90.0
PAUSE_S = 10.0
NOTICES_MAX = 400


class StreamRow:
    """The numbering of one gateway's notices, as the database has it."""

    __slots__ = ("acked", "changes_number", "generation", "has_snapshot", "head", "name", "notices",
                 "revision")  # fmt: skip

    def __init__(self, name: str, generation: str) -> None:
        self.name = name
        self.generation = generation
        self.notices: dict[int, Notice] = {}
        self.head = self.acked = self.changes_number = self.revision = 0
        self.has_snapshot = False

    @property
    def kept(self) -> Kept:
        """Return what NoticeStream has to know."""
        oldest = min(self.notices, default=self.head + 1)
        return Kept(stream=self.name, oldest=oldest, acked=self.acked, head=self.head)

    def add(self, notice: Notice) -> None:
        """Write a notice."""
        self.head += 1
        self.notices[self.head] = notice

    def record_ack(self, number: int) -> None:
        """Note what the gateway has, and delete what is long acknowledged."""
        if self.acked < number <= self.head:
            self.acked = number
            for old in [one for one in self.notices if one <= number - KEPT_ACKED_COUNT]:
                del self.notices[old]


class Office:
    """Central's rows of notices, what is read of stock for them, and the way of the answers."""

    def __init__(self, world: "World", database: Database) -> None:
        self._world = world
        self._database = database
        self._names = 0
        self._snapshots: dict[str, tuple[Snapshot, float]] = {}
        self.rows: dict[str, StreamRow] = {}

    def row_of(self, code: str) -> StreamRow:
        """Return the numbering of a gateway, made where there is none."""
        row = self.rows.get(code)
        if row is None:
            row = self.rows[code] = StreamRow(self._new_name(), self._database.generation)
        return row

    def begin(self, code: str, *, snapshot: bool = False) -> StreamRow:
        """Begin another numbering."""
        row = self.rows[code] = StreamRow(self._new_name(), self._database.generation)
        row.has_snapshot = snapshot
        if snapshot:
            row.revision = self._database.revision
        else:
            row.add(Notice(None))
        return row

    def snapshot_for(self, code: str) -> Snapshot | None:
        """Return a snapshot, None if nobody serves or one was made a moment ago."""
        if not any(worker.running for worker in self._world.workers):
            return None
        now_s = self._world.kernel.now_s
        row = self.row_of(code)
        made = self._snapshots.get(code)
        if made is not None:
            snapshot, made_s = made
            if snapshot.stream == row.name and row.acked == 0:
                return snapshot
            if now_s < made_s + PAUSE_S:
                return None
        row = self.begin(code, snapshot=True)
        snapshot = Snapshot(row.name, self.levels(code, after=-1), self.positions(code, after=-1))
        self._snapshots[code] = (snapshot, now_s)
        for worker in self._world.workers:
            worker.wake_outbox()
        return snapshot

    def levels(self, code: str, *, after: int) -> list[Level]:
        """Return what is on hand in the gateway's warehouse, as far as it changed."""
        database, warehouse = self._database, self._world.warehouses[code]
        return [
            (row, quantity)
            for row, quantity in database.balances.items()
            if row[0] == warehouse and database.touched[row] > after
        ]

    def positions(self, code: str, *, after: int) -> tuple[EpochSeq, ...]:
        """Return how far the ledger has the gateway's epochs that moved."""
        if self._world.bugs.tells_no_positions:
            return ()
        return tuple(
            EpochSeq(start_count=epoch.start_count, nonce=epoch.nonce, seq=len(kept.bodies))
            for (gateway, epoch), kept in self._database.kept.items()
            if gateway == code and kept.revision > after
        )

    def pass_ack(self, machine: "Machine", connection: int, standing: Standing) -> None:
        """Carry an acknowledgement over the broker to whom it concerns."""
        if not self._world.broker.up or machine.connection != connection:
            return
        for worker in self._world.workers:
            if machine.shard in worker.shards and worker.connection:
                worker.line.carry("in", worker.hear_down_ack, machine.code, standing)

    def _new_name(self) -> str:
        self._names += 1
        return f"s{self._names}"


class Outbox:
    """The sending end of one worker between start and crash."""

    def __init__(self, kernel: Kernel, worker: "Worker", world: "World", office: Office) -> None:
        self._kernel = kernel
        self._worker = worker
        self._world = world
        self._office = office
        self._streams: dict[str, NoticeStream] = {}
        self._heard_s: dict[str, float] = {}
        self._looked: dict[str, tuple[str, int]] = {}

    def connected(self) -> None:
        """The broker holds the connection."""
        for stream in self._streams.values():
            stream.connected(self._kernel.now_s)

    def disconnected(self) -> None:
        """The broker is gone."""
        for stream in self._streams.values():
            stream.disconnected()

    def take_ack(self, code: str, standing: Standing) -> None:
        """Take in what a gateway says that it has."""
        now_s = self._kernel.now_s
        stream = self._streams.get(code)
        self._heard_s[code] = now_s
        if stream is None:
            return
        stream.reachable(now_s, yes=True)
        found = stream.received_ack(stream=standing.stream, number=standing.number, now_s=now_s)
        row = self._office.row_of(code)
        if isinstance(found, RecordAck) and row.name == stream.name:
            row.record_ack(found.number)
        elif isinstance(found, Renew) and row.name == stream.name and _must_renew(row, found):
            if self._kernel.tracing:
                self._kernel.note(self._worker.name, "renews stream of", code, found.reason)
            self._office.begin(code)
        if stream.needs_announcement and row.name == stream.name and row.kept.oldest > row.head:
            row.add(Notice(None))

    def work(self) -> float:
        """Read, write and send what is due; return when there is more."""
        now_s = self._kernel.now_s
        wake_s = now_s + REFRESH_S
        for code in self._world.codes_of(self._worker.shards):
            stream = self._looked_after(code, now_s)
            self._tell_changes(code, stream)
            while (run := stream.next_run(now_s)) is not None:
                row = self._office.row_of(code)
                last = min(row.head, run.first_number + run.count_max - 1)
                numbers = range(run.first_number, last + 1)
                notices = tuple(row.notices[one] for one in numbers if one in row.notices)
                if row.name != stream.name or len(notices) < len(numbers) or not notices:
                    wake_s = now_s
                    break
                message = DownMessage(
                    gateway=code,
                    stream=stream.name,
                    first_number=run.first_number,
                    notices=notices,  # type: ignore[arg-type]
                )
                self._worker.send_down(message)
                stream.sent(run, sizes=[100] * len(notices), now_s=now_s)
            due_s = stream.next_wake_s(now_s)
            if due_s is not None:
                wake_s = min(wake_s, due_s)
        return wake_s

    def _looked_after(self, code: str, now_s: float) -> NoticeStream:
        row = self._office.row_of(code)
        if row.generation != self._world.database.generation:
            row = self._office.begin(code)
        stream = self._streams.get(code)
        if stream is None or stream.name != row.name:
            jitter = self._kernel.random.random
            stream = self._world.bugs.notice_stream(row.kept, jitter=jitter)
            self._streams[code] = stream
            if self._worker.connection:
                stream.connected(now_s)
        else:
            stream.loaded(row.kept)
        heard_s = self._heard_s.get(code)
        there = self._world.broker.holds(code) or (
            heard_s is not None and now_s < heard_s + HEARD_S
        )
        stream.reachable(now_s, yes=there)
        return stream

    def _tell_changes(self, code: str, stream: NoticeStream) -> None:
        row, revision = self._office.row_of(code), self._world.database.revision
        if not row.has_snapshot or stream.acked < row.changes_number or not stream.is_reachable:
            return
        name, looked = self._looked.get(code, ("", 0))
        after = max(row.revision, looked if name == row.name else 0)
        if after >= revision or not self._worker.connection:
            return
        levels = self._office.levels(code, after=after)
        positions = self._office.positions(code, after=after)
        if not levels and not positions:
            self._looked[code] = (row.name, revision)
            return
        row.add(Notice(levels, positions))
        row.changes_number, row.revision = row.head, revision
        self._world.oracle.notices_kept(code, len(row.notices))
        stream.loaded(row.kept)


def _must_renew(row: StreamRow, found: Renew) -> bool:
    if found.reason == "ahead":
        return found.number > row.head
    return found.reason == "gone" and found.number < row.kept.oldest - 1
