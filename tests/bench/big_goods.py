"""Movements of a hundred gateways in twelve warehouses, for ledgers of millions of them. Root.

50,000 items, every tenth with a lot, at 200 places in each warehouse: receipts, putaways, picks and
shipments. Eight of ten movements are of two of ten items, each item has three places of its own in
a warehouse, and five of a hundred calls are of a gateway that was offline for up to two days.
"""

import random
from collections.abc import Callable, Iterator
from itertools import islice

from sqlalchemy import Connection, text

from central.contract.facts import Movement, encode_fact
from central.ledger.ledger import Ledger
from central.ledger.reading import read_facts
from central.ledger.runs import Run
from central.ledger.state import lock_ledger
from central.storage.database import Database

ITEMS, PLACES, WAREHOUSES, GATEWAYS = 50_000, 200, 12, 8
LOTS_PER_ITEM = 20
FACTS_PER_CALL = 8_000
LATE_SHARE = 0.05
EPOCH = "00000001-0000000000000001"
LOTS_TRACED_MAX = 1_000

_HEAD_SQL = text(
    "SELECT MAX(seq) FROM facts WHERE warehouse = :warehouse AND gateway = :gateway"
    " AND epoch = :epoch"
)
_LOTS_SQL = text(
    "SELECT DISTINCT item, lot FROM lines WHERE lot <> '' AND line_no = 1 AND item = :item LIMIT 2"
)


class Goods:
    """What gateways say next. heads: the last number of each, of those that said something."""

    def __init__(self, chooser: random.Random, heads: dict[str, int] | None = None) -> None:
        self._chooser = chooser
        self._heads = dict(heads or {})

    def made(self, now_ms: int) -> Callable[[Database, Ledger], None]:
        """Make a call's worth of one gateway's movements; return what posts them."""
        warehouse = f"W{self._chooser.randrange(WAREHOUSES):02d}"
        gateway = f"{warehouse}-{self._chooser.randrange(GATEWAYS)}"
        late_ms = 0
        if self._chooser.random() < LATE_SHARE:
            late_ms = self._chooser.randrange(2 * 86_400_000)
        first_seq = self._heads.get(gateway, 0) + 1
        bodies = [
            encode_fact(self._movement(warehouse, seq, now_ms - late_ms))
            for seq in range(first_seq, first_seq + FACTS_PER_CALL)
        ]
        self._heads[gateway] = first_seq + FACTS_PER_CALL - 1
        digests = [body[:1] * 32 for body in bodies]

        def post(database: Database, ledger: Ledger) -> None:
            read = read_facts(bodies, first_seq=first_seq)
            with database.write() as connection:
                state = lock_ledger(connection)
                number = state.record_no + 1
                run = Run(warehouse, gateway, EPOCH, first_seq, number, bodies, digests, read)
                ledger.post(connection, state, [run], now_ms=now_ms)

        return post

    def _movement(self, warehouse: str, seq: int, event_time_ms: int) -> Movement:
        chooser = self._chooser
        busy = chooser.random() < 0.8
        number = chooser.randrange(ITEMS // 5) if busy else chooser.randrange(ITEMS)
        lot = f"L{chooser.randrange(LOTS_PER_ITEM)}" if number % 10 == 0 else ""
        place = f"BIN-{(number * 7 + chooser.randrange(3)) % PLACES:03d}"
        ways = (("supplier", place), ("supplier", place), (place, "customer"))
        source, target = chooser.choice(ways)
        return Movement(
            seq=seq,
            event_time_ms=event_time_ms,
            clock_synced=True,
            boot_id="b",
            monotonic_ns=1,
            warehouse=warehouse,
            station="s",
            business_step="storing",
            from_location=source,
            to_location=target,
            item=f"P{number:05d}",
            quantity=str(chooser.randint(1, 9)),
            unit="C62",
            lot=lot,
        )


def heads_of(connection: Connection) -> dict[str, int]:
    """Return the last number of each gateway that a ledger of these movements has heard of."""
    heads = {}
    for number in range(WAREHOUSES * GATEWAYS):
        warehouse = f"W{number // GATEWAYS:02d}"
        gateway = f"{warehouse}-{number % GATEWAYS}"
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
    places = ", ".join(f'{{ code = "BIN-{number:03d}", kind = "bin" }}' for number in range(PLACES))
    for number in range(WAREHOUSES):
        yield f'[[warehouses]]\ncode = "W{number:02d}"\nname = "W"\nname_zh = "W"\n'
        yield f"locations = [{places}]\n"
    for number in range(ITEMS):
        code = f"P{number:05d}"
        yield f'[[items]]\ncode = "{code}"\nname = "{code}"\nname_zh = "{code}"\nunit = "C62"\n'
