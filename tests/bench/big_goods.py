"""Movements of a hundred gateways in twelve warehouses, for ledgers of millions of them. Root.

    supplier --> DOCK-n --> BIN-nnn --> customer     1 : 1 : 5, and what people do wrong

50,000 items, every tenth with lots, at 200 places in each warehouse, 8 of them docks. Eight of ten
movements are of two of ten items, each item has three bins of its own in a warehouse, and five of a
hundred calls are of a gateway that was offline for up to two days. A warehouse begins with a call
that counts in what is there; after that things move only from where they stand. Of a thousand
picks two are booked from a bin in which hardly ever so much stands and two are taken back at once,
and of two thousand receipts one is of something that nobody knows.
"""

import random
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, text

from central.contract.facts import BusinessStep, Fact, Movement, Reversal, encode_fact
from central.contract.quantities import MICRO_PER_UNIT
from central.ledger.ledger import Ledger
from central.ledger.reading import read_facts
from central.ledger.runs import Run
from central.ledger.state import lock_ledger
from central.storage.database import Database

ITEMS, BINS, WAREHOUSES, GATEWAYS = 50_000, 192, 12, 8
LOTS_PER_ITEM, BINS_PER_ITEM = 20, 3
FACTS_PER_CALL = 8_000
LATE_SHARE = 0.05
PIECES_RECEIVED, PIECES_PICKED_MAX = (12, 24, 36), 9
PICKS_PER_RECEIPT = 5  # So as many pieces leave as come in.
WRONG_BIN_SHARE = TAKEN_BACK_SHARE = 0.002
UNKNOWN_SHARE, UNKNOWN_ITEMS = 0.0005, 500
_STEPS: dict[str, BusinessStep] = {"supplier": "receiving", "customer": "shipping"}
EPOCH = "00000001-0000000000000001"
LOTS_TRACED_MAX = 1_000

_HEAD_SQL = text(
    "SELECT MAX(seq) FROM facts WHERE warehouse = :warehouse AND gateway = :gateway"
    " AND epoch = :epoch"
)
_LOTS_SQL = text(
    "SELECT DISTINCT item, lot FROM balances WHERE warehouse = 'W03' AND item = :item"
    " AND lot <> '' LIMIT 2"
)
_STANDING_SQL = text(
    "SELECT location, item, lot, on_hand_micro FROM balances WHERE warehouse = :warehouse"
    " AND location >= 'BIN-' AND location < 'DOCL' AND on_hand_micro <> 0"
    " AND item >= 'P' AND item < 'Q' ORDER BY location, item, lot"
)


class Goods(NamedTuple):
    """Some of an item, as it comes, stands and goes together. lot: 0 for none."""

    item: int
    lot: int
    pieces: int


@dataclass(frozen=True, slots=True)
class Call:
    """What one gateway says in a call, to be posted to any ledger that has what it moves.

    moved: from where to where, and what; from and to are "" for the last one taken back.
    """

    warehouse: str
    gateway: str
    first_seq: int
    bodies: list[bytes]
    digests: list[bytes]
    now_ms: int
    moved: list[tuple[str, str, Goods]]

    def post(self, database: Database, ledger: Ledger) -> None:
        """Read its facts and post them."""
        read = read_facts(self.bodies, first_seq=self.first_seq)
        who = (self.warehouse, self.gateway, EPOCH, self.first_seq)
        with database.write() as connection:
            state = lock_ledger(connection)
            run = Run(*who, state.record_no + 1, self.bodies, self.digests, read)
            ledger.post(connection, state, [run], now_ms=self.now_ms)


class Shelves:
    """What stands in one warehouse, as the ledger's book has it."""

    def __init__(self, chooser: random.Random) -> None:
        self._chooser = chooser
        self._bins: dict[int, dict[tuple[int, int], int]] = {}  # item: (bin, lot): pieces
        self.docks: list[deque[Goods]] = [deque() for _ in range(GATEWAYS)]

    def put(self, goods: Goods, bin_no: int) -> None:
        """Add to what a bin has of an item; less than none takes away."""
        there = self._bins.setdefault(goods.item, {})
        left = there.get((bin_no, goods.lot), 0) + goods.pieces
        if left:
            there[bin_no, goods.lot] = left
        else:
            del there[bin_no, goods.lot]

    def come(self) -> Goods:
        """Return what comes next from a supplier."""
        item = self._item()
        lot = self._chooser.randrange(LOTS_PER_ITEM) + 1 if item % 10 == 0 else 0
        return Goods(item, lot, self._chooser.choice(PIECES_RECEIVED))

    def bin_of(self, item: int) -> int:
        """Return one of the bins that an item has here."""
        return (item * 7 + self._chooser.randrange(BINS_PER_ITEM)) % BINS

    def picked(self) -> tuple[Goods, int]:
        """Return what is picked next, and in which bin it stands."""
        while True:
            item = self._item()
            standing = [one for one in self._bins.get(item, {}).items() if one[1] > 0]
            if standing:
                (bin_no, lot), pieces = self._chooser.choice(standing)
                wanted = self._chooser.randint(1, PIECES_PICKED_MAX)
                return Goods(item, lot, min(pieces, wanted)), bin_no

    def _item(self) -> int:
        busy = self._chooser.random() < 0.8
        return self._chooser.randrange(ITEMS // 5 if busy else ITEMS)


class Gateways:
    """What gateways say next.

    heads: the last number of each, of those that said something. shelves: what stands in each
    warehouse that is open. told: how many movements of each kind they have made.
    """

    def __init__(self, chooser: random.Random, connection: Connection | None = None) -> None:
        self._chooser = chooser
        self._heads = heads_of(connection) if connection is not None else {}
        self._shelves: dict[int, Shelves] = {}
        for number in range(WAREHOUSES):
            shelves = Shelves(chooser)
            if connection is not None and _filled(connection, number, shelves):
                self._shelves[number] = shelves
        self.told: Counter[str] = Counter()

    def made(self, now_ms: int, warehouse_no: int | None = None) -> Call:
        """Make a call's worth of one gateway's movements."""
        chooser = self._chooser
        number = chooser.randrange(WAREHOUSES) if warehouse_no is None else warehouse_no
        dock = chooser.randrange(GATEWAYS)
        late_ms = chooser.randrange(2 * 86_400_000) if chooser.random() < LATE_SHARE else 0
        if number in self._shelves:
            said = self._work(self._shelves[number], dock)
        else:
            shelves = self._shelves[number] = Shelves(chooser)
            said = self._opening(shelves)
        moved = list(islice(said, FACTS_PER_CALL))
        return self._call(*_names(number, dock), moved, now_ms=now_ms, late_ms=late_ms)

    def opening_of(self, connection: Connection, calls: Iterable[Call], now_ms: int) -> list[Call]:
        """Return calls that count in, in another ledger, what these take from places.

        connection: of the ledger in which it stands, none of them posted yet.
        """
        taken: dict[str, set[tuple[str, int, int]]] = {}
        for call in calls:
            places = taken.setdefault(call.warehouse, set())
            places |= {(source, goods.item, goods.lot) for source, _, goods in call.moved}
        found = []
        for warehouse, places in sorted(taken.items()):
            standing = _standing(connection, warehouse)
            moved = [
                ("adjustment", place, goods)
                for place, goods in standing
                if (place, goods.item, goods.lot) in places and goods.pieces > 0
            ]
            self.told["opening"] += len(moved)
            for start in range(0, len(moved), FACTS_PER_CALL):
                some = moved[start : start + FACTS_PER_CALL]
                found.append(self._call(warehouse, f"{warehouse}-opening", some, now_ms=now_ms))
        return found

    def _call(
        self,
        warehouse: str,
        gateway: str,
        moved: Sequence[tuple[str, str, Goods]],
        *,
        now_ms: int,
        late_ms: int = 0,
    ) -> Call:
        first_seq = self._heads.get(gateway, 0) + 1
        self._heads[gateway] = first_seq + len(moved) - 1
        voice = _Voice(warehouse, now_ms - late_ms)
        bodies = [encode_fact(voice.fact(seq, *one)) for seq, one in enumerate(moved, first_seq)]
        digests = [body[:1] * 32 for body in bodies]
        return Call(warehouse, gateway, first_seq, bodies, digests, now_ms, list(moved))

    def _opening(self, shelves: Shelves) -> Iterator[tuple[str, str, Goods]]:
        while True:
            goods = shelves.come()
            bin_no = shelves.bin_of(goods.item)
            shelves.put(goods, bin_no)
            self.told["opening"] += 1
            yield "adjustment", f"BIN-{bin_no:03d}", goods

    def _work(self, shelves: Shelves, dock: int) -> Iterator[tuple[str, str, Goods]]:
        """Yield movements without end: from, to and goods; from and to "" for the last one back."""
        waiting, chooser = shelves.docks[dock], self._chooser
        while True:
            kind = chooser.randrange(2 + PICKS_PER_RECEIPT)
            if kind == 0 and waiting:
                goods = waiting.popleft()
                bin_no = shelves.bin_of(goods.item)
                shelves.put(goods, bin_no)
                self.told["putaway"] += 1
                yield f"DOCK-{dock}", f"BIN-{bin_no:03d}", goods
            elif kind <= 1:
                goods = shelves.come()
                if chooser.random() < UNKNOWN_SHARE:
                    self.told["unknown"] += 1
                    yield "supplier", f"DOCK-{dock}", goods._replace(item=-goods.item - 1)
                    continue
                waiting.append(goods)
                self.told["receipt"] += 1
                yield "supplier", f"DOCK-{dock}", goods
            else:
                yield from self._pick(shelves)

    def _pick(self, shelves: Shelves) -> Iterator[tuple[str, str, Goods]]:
        goods, bin_no = shelves.picked()
        if self._chooser.random() < WRONG_BIN_SHARE:
            bin_no = shelves.bin_of(goods.item)
            goods = goods._replace(pieces=PIECES_RECEIVED[-1])
            self.told["wrong bin"] += 1
        taken = goods._replace(pieces=-goods.pieces)
        shelves.put(taken, bin_no)
        self.told["pick"] += 1
        yield f"BIN-{bin_no:03d}", "customer", goods
        if self._chooser.random() < TAKEN_BACK_SHARE:
            shelves.put(goods, bin_no)
            self.told["taken back"] += 1
            yield "", "", goods


class _Voice(NamedTuple):
    """How a gateway says what moved."""

    warehouse: str
    time_ms: int

    def fact(self, seq: int, source: str, target: str, goods: Goods) -> Fact:
        if not source:
            return Reversal(
                seq=seq,
                event_time_ms=self.time_ms,
                clock_synced=True,
                boot_id="b",
                monotonic_ns=1,
                warehouse=self.warehouse,
                station="s",
                reverses_epoch=EPOCH,
                reverses_seq=seq - 1,
                reason="mistake",
            )
        is_known = goods.item >= 0
        return Movement(
            seq=seq,
            event_time_ms=self.time_ms,
            clock_synced=True,
            boot_id="b",
            monotonic_ns=1,
            warehouse=self.warehouse,
            station="s",
            flags=() if is_known else ("unknown_item",),
            business_step=_STEPS.get(source) or _STEPS.get(target) or "storing",
            from_location=source,
            to_location=target,
            item=f"P{goods.item:05d}" if is_known else f"X{-goods.item % UNKNOWN_ITEMS:05d}",
            quantity=str(goods.pieces),
            unit="C62",
            lot=f"L{goods.lot}" if goods.lot else "",
        )


def heads_of(connection: Connection) -> dict[str, int]:
    """Return the last number of each gateway that a ledger of these movements has heard of."""
    heads = {}
    for number in range(WAREHOUSES * GATEWAYS):
        warehouse, gateway = _names(*divmod(number, GATEWAYS))
        named = {"warehouse": warehouse, "gateway": gateway, "epoch": EPOCH}
        if last := connection.execute(_HEAD_SQL, named).scalar_one():
            heads[gateway] = last
    return heads


def lots_of(connection: Connection) -> list[tuple[str, str]]:
    """Return some lots of busy items, at most LOTS_TRACED_MAX."""
    found = (
        (row.item, row.lot)
        for number in range(0, ITEMS // 5, 10)
        for row in connection.execute(_LOTS_SQL, {"item": f"P{number:05d}"})
    )
    return list(islice(found, LOTS_TRACED_MAX))


def reference() -> bytes:
    """Return the reference document: its items, warehouses and places."""
    return "".join(_reference()).encode()


def _reference() -> Iterator[str]:
    yield "revision = 1\n"
    codes = [f"BIN-{number:03d}" for number in range(BINS)]
    places = ", ".join(f'{{ code = "{code}", kind = "bin" }}' for code in codes)
    docks = [f'{{ code = "DOCK-{number}", kind = "dock_door" }}' for number in range(GATEWAYS)]
    for number in range(WAREHOUSES):
        yield f'[[warehouses]]\ncode = "W{number:02d}"\nname = "W"\nname_zh = "W"\n'
        yield f"locations = [{places}, {', '.join(docks)}]\n"
    for number in range(ITEMS):
        code = f"P{number:05d}"
        yield f'[[items]]\ncode = "{code}"\nname = "{code}"\nname_zh = "{code}"\nunit = "C62"\n'


def _names(warehouse_no: int, gateway_no: int) -> tuple[str, str]:
    return f"W{warehouse_no:02d}", f"W{warehouse_no:02d}-{gateway_no}"


def _filled(connection: Connection, number: int, shelves: Shelves) -> bool:
    """Put on the shelves what a ledger says that stands there; return False if nothing does."""
    is_open = False
    for location, goods in _standing(connection, f"W{number:02d}"):
        if location.startswith("DOCK-"):
            shelves.docks[int(location[5:])].append(goods)
        else:
            shelves.put(goods, int(location[4:]))
        is_open = True
    return is_open


def _standing(connection: Connection, warehouse: str) -> Iterator[tuple[str, Goods]]:
    """Yield what a ledger says that stands in a warehouse, with its places."""
    found = connection.execute(_STANDING_SQL, {"warehouse": warehouse})
    for location, item, lot, micro in found:
        yield location, Goods(int(item[1:]), int(lot[1:] or 0), micro // MICRO_PER_UNIT)
