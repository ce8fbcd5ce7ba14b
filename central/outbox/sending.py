"""Hears what gateways have applied, makes their notices and sends them. Edge of the database.

`NoticeStream` decides for each gateway what goes out when; here is what it needs: rows, keys, seals
and the broker. Everything is written before it is sent.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from central.clock import Clock
from central.contract.errors import ContractError
from central.contract.notices import (
    DOWN_ACK_BYTES_MAX,
    DOWN_BYTES_MAX,
    decode_down_ack,
    encode_down,
)
from central.contract.sealed import open_sealed, seal
from central.ledger.state import read_state
from central.outbox.changes import Told, read_changes
from central.outbox.desk import Work, is_outdated, write_work
from central.outbox.directory import Entry, read_entries
from central.outbox.notices import read_run
from central.outbox.seals import is_signed_by
from central.outbox.stream import NoticeStream, RecordAck, Renew, SendRun
from central.storage.database import Database

# How often all rows are read anew: what other processes wrote is found so late at most.
REFRESH_S = 1.0
# A stock notice is made at most so often, and only when the gateway has the one before: what
# changes meanwhile becomes one notice.
CHANGES_PAUSE_S = 0.2
# Making notices takes at most a tenth of the time, however fast the ledger posts.
COST_FACTOR = 10.0
HEARD_S = 90.0  # Who acknowledged so lately is there, whatever its state message says.
RUNS_PER_ROUND_MAX = 256
BROKER_PAUSE_S = 0.05
SEAL_BYTES_MAX = 256


@dataclass(slots=True, frozen=True)
class Parts:
    """What `Sending` works with.

    publish: gives a sealed message to the broker for a gateway; False if it takes none now.
    sign: with the ledger's key. new_name: makes random codes. jitter: random numbers, 0 to 1.
    shards: whose gateways are ours, None for all.
    """

    database: Database
    clock: Clock
    publish: Callable[[str, bytes], bool]
    sign: Callable[[bytes], bytes]
    new_name: Callable[[], str]
    jitter: Callable[[], float]
    shards: Collection[int] | None = None


class Sending:
    """The sending end of all gateways of some shards. One thread uses it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._entries: dict[str, Entry] = {}
        self._streams: dict[str, NoticeStream] = {}
        self._looked: dict[str, int] = {}
        self._heard_s: dict[str, float] = {}
        self._work = Work()
        self._connected = False
        self._refresh_s = 0.0
        self._changes_s = 0.0
        self._broker_s = 0.0
        self.counters: dict[str, int] = {}

    def connected(self, now_s: float, *, yes: bool) -> None:
        """Learn whether the broker holds our connection; again after each new one."""
        self._connected = yes
        for stream in self._streams.values():
            if yes:
                stream.connected(now_s)
            else:
                stream.disconnected()

    def refresh(self) -> None:
        """Read all rows in the next round: somebody else wrote."""
        self._refresh_s = 0.0

    def take_ack(self, gateway: str, payload: bytes, now_s: float) -> None:
        """Take in what came on a gateway's topic; forged and unreadable ones are counted."""
        entry = self._entries.get(gateway)
        if entry is None:
            self._count("acks_of_strangers_total")
            return
        try:
            sealed = open_sealed(payload, bytes_max=DOWN_ACK_BYTES_MAX + SEAL_BYTES_MAX)
            ack = decode_down_ack(sealed.payload)
        except ContractError:
            self._count("acks_unreadable_total")
            return
        if ack.gateway != gateway or not is_signed_by(entry.public_key, sealed, "down-ack"):
            self._count("acks_forged_total")
            return
        self._count("acks_total")
        self._heard_s[gateway] = now_s
        stream = self._streams.get(gateway)
        if stream is None:
            self._work.announcements.add(gateway)
            return
        stream.reachable(now_s, yes=True)
        found = stream.received_ack(stream=ack.stream, number=ack.number, now_s=now_s)
        if isinstance(found, RecordAck):
            self._work.acks[(gateway, stream.name)] = found.number
        elif isinstance(found, Renew):
            self._work.renewals[gateway] = (stream.name, found)
        if stream.needs_announcement:
            self._work.announcements.add(gateway)

    def work(self, now_s: float) -> None:
        """Read and write what is due, then send. Raises LedgerUnavailable; then call it again."""
        if now_s >= self._refresh_s:
            self._read_entries(now_s, names=None)
            self._refresh_s = now_s + REFRESH_S
        if now_s >= self._changes_s:
            self._find_changes()
            took_s = self._parts.clock.monotonic_s() - now_s
            self._changes_s = now_s + max(CHANGES_PAUSE_S, COST_FACTOR * took_s)
        names = self._work.names
        if names:
            with self._parts.database.write() as connection:
                write_work(
                    connection,
                    self._work,
                    now_ms=self._parts.clock.now_ms(),
                    new_name=self._parts.new_name,
                )
            self._work = Work()
            self._read_entries(now_s, names=names)
        self._send(now_s)

    def next_wake_s(self, now_s: float) -> float:
        """Return when `work` has something next if nothing happens before."""
        wakes_s = [self._refresh_s, self._changes_s]
        for stream in self._streams.values():
            wake_s = stream.next_wake_s(now_s)
            if wake_s is not None:
                wakes_s.append(max(wake_s, self._broker_s))
        return max(now_s, min(wakes_s))

    def _read_entries(self, now_s: float, *, names: Collection[str] | None) -> None:
        with self._parts.database.read() as connection:
            generation = read_state(connection).generation
            entries = read_entries(connection, shards=self._parts.shards, names=names)
        if names is None:
            self._forget_all_but({entry.gateway for entry in entries})
        for entry in entries:
            self._entries[entry.gateway] = entry
            kept = entry.kept
            if entry.row is None or kept is None:
                continue
            stream = self._streams.get(entry.gateway)
            if stream is None or stream.name != kept.stream:
                stream = NoticeStream(kept, jitter=self._parts.jitter)
                if self._connected:
                    stream.connected(now_s)
                self._streams[entry.gateway] = stream
                self._looked[entry.gateway] = 0
            else:
                stream.loaded(kept)
            stream.reachable(now_s, yes=self._is_there(entry, now_s))
            if is_outdated(entry.row, generation=generation, warehouse=entry.warehouse):
                renewal = Renew("generation", kept.head)
                self._work.renewals[entry.gateway] = (kept.stream, renewal)

    def _forget_all_but(self, names: Collection[str]) -> None:
        for gone in self._entries.keys() - names:
            for remembered in (self._entries, self._streams, self._looked, self._heard_s):
                remembered.pop(gone, None)

    def _is_there(self, entry: Entry, now_s: float) -> bool:
        heard_s = self._heard_s.get(entry.gateway)
        return entry.online or (heard_s is not None and now_s < heard_s + HEARD_S)

    def _find_changes(self) -> None:
        told = [
            Told(row, max(row.stock_revision, self._looked.get(name, 0)))
            for name, entry in self._entries.items()
            if (row := entry.row) is not None
            and row.has_snapshot
            and self._streams[name].acked >= row.changes_number
            and self._streams[name].is_reachable
            and name not in self._work.names
        ]
        if not told or not self._connected:
            return
        with self._parts.database.read() as connection:
            changes = read_changes(connection, told)
        for change in changes:
            if change.stock or change.reference or change.too_large:
                self._work.changes.append(change)
            else:
                self._looked[change.row.gateway] = change.stock_revision

    def _send(self, now_s: float) -> None:
        runs_count = 0
        for gateway, stream in self._streams.items():
            while now_s >= self._broker_s and (run := stream.next_run(now_s)) is not None:
                if runs_count >= RUNS_PER_ROUND_MAX or not self._send_run(
                    gateway, stream, run, now_s
                ):
                    break
                runs_count += 1

    def _send_run(self, gateway: str, stream: NoticeStream, run: SendRun, now_s: float) -> bool:
        """Return False if nothing could be sent: the rows are others by now, or no broker."""
        with self._parts.database.read() as connection:
            bodies = read_run(
                connection,
                gateway,
                stream.name,
                first_number=run.first_number,
                count_max=run.count_max,
            )
        if not bodies:
            self._refresh_s = 0.0
            return False
        payload = encode_down(
            gateway=gateway, stream=stream.name, first_number=run.first_number, notices=bodies
        )
        message = seal("down", payload, self._parts.sign)
        assert len(message) <= DOWN_BYTES_MAX
        if not self._parts.publish(gateway, message):
            self._broker_s = now_s + BROKER_PAUSE_S
            return False
        stream.sent(run, sizes=[len(body) for body in bodies], now_s=now_s)
        self._count("messages_total")
        self._count("notices_total", len(bodies))
        return True

    def _count(self, name: str, by: int = 1) -> None:
        self.counters[name] = self.counters.get(name, 0) + by
