"""A ledger of many movements, items and warehouses: what its pages and its past cost. Root.

MOVEMENTS movements (environment variable, default 10,000,000; an hour's work on a small machine) of
50,000 items, every tenth with a lot, at 200 places in each of 12 warehouses, two years long, posted
by the ledger itself into each database in turn. Then: the stock page's query, the trace of a lot,
the stock of a warehouse and the stock page a year ago, and the posting rate beside an empty
ledger's, call by call in turn, so that what else the machine does meets both. Queries are timed 20
times with what the operating system has in its memory; bounds are absolute, as people wait for
them. Each figure is printed as soon as it is known. DATABASE (environment variable): "sqlite" or
"postgresql" for one of them alone.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from central.contract.facts import Movement, encode_fact
from central.contract.reference import parse_reference
from central.ledger.checkpoints import Checkpoints
from central.ledger.collector import collect_rarely
from central.ledger.ledger import Ledger
from central.ledger.reading import read_facts
from central.ledger.reference_book import load_reference
from central.ledger.runs import Run
from central.ledger.state import lock_ledger
from central.stock.as_of import list_stock_as_of
from central.stock.grid import grid_as_of
from central.stock.moments import TimeKind, moment_at
from central.stock.rows import MatrixQuery, StockFilter
from central.stock.strays import StrayItems
from central.stock.trace import trace
from central.stock.views import list_stock, matrix_page
from central.storage.database import Database, open_database
from central.storage.schema import migrate
from tests.bench.figures import Ratio
from tests.bench.posting import backends, cpu_s_of
from tests.central.scenery import NOW_MS, FixedClock
from tests.postgresql import new_database, postgresql_server

MOVEMENTS = int(os.environ.get("MOVEMENTS", "10000000"))
WANTED = os.environ.get("DATABASE", "sqlite postgresql").split()
ITEMS, PLACES, WAREHOUSES = 50_000, 200, 12
FACTS_PER_CALL = 8_000
SPAN_MS = 2 * 365 * 86_400_000
LATE_SHARE = 0.05  # So many calls are of a gateway that was offline for up to two days.
RATE_CALLS = 12
QUERIES = 20
DATABASE = "bench_big"
EPOCH = "00000001-0000000000000001"


def measure() -> list[Ratio]:
    """Return what each database takes for pages and the past, and how its posting rate holds."""
    collect_rarely()
    ratios = []
    if "sqlite" in WANTED:
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
            big, empty = f"sqlite:///{directory}/big.db", f"sqlite:///{directory}/empty.db"
            ratios += _measured("sqlite", big, empty)
    if "postgresql" in WANTED:
        with (
            postgresql_server() as server,
            new_database(server, DATABASE) as big,
            new_database(server, f"{DATABASE}_empty") as empty,
        ):
            ratios += _measured("postgresql", big, empty)
    return ratios


def _measured(name: str, big_url: str, empty_url: str) -> list[Ratio]:
    clock = FixedClock(NOW_MS)
    big, empty = _opened(big_url), _opened(empty_url)
    goods = Goods(random.Random(1))
    ledger, checkpoints = Ledger(), Checkpoints(big, clock=clock)
    calls_count = MOVEMENTS // FACTS_PER_CALL
    for number in range(calls_count):
        clock.time_ms = NOW_MS + SPAN_MS * number // calls_count
        goods.post(big, ledger, clock.time_ms)
        if number % 100 == 99:
            while not checkpoints.tick():
                pass
            done = (number + 1) * FACTS_PER_CALL
            print(f"    {name}: {done:,} movements", file=sys.stderr, flush=True)
    if name == "postgresql":
        with big.write() as connection:
            connection.exec_driver_sql("ANALYZE")
    ratios = [_told(found) for found in _queries(name, big, clock.time_ms, goods)]
    full, bare = _rates(
        Side(big, goods, DATABASE),
        Side(empty, Goods(random.Random(1)), f"{DATABASE}_empty"),
        clock.time_ms,
    )
    detail = f"{full:,.0f} against {bare:,.0f} movements per CPU-second"
    name = f"big-{name}-posting-vs-empty"
    ratios.append(_told(Ratio(name, full / bare, detail, at_least=0.8)))
    for database in (big, empty):
        database.close()
    return ratios


@dataclass(frozen=True, slots=True)
class Side:
    """One of two ledgers that are compared. backend: the name of its database on a server."""

    database: Database
    goods: "Goods"
    backend: str


class Goods:
    """Movements of a hundred gateways: receipts, putaways, picks and shipments of what is there."""

    def __init__(self, chooser: random.Random) -> None:
        self._chooser = chooser
        self._heads: dict[str, int] = {}
        self.lots: list[tuple[str, str]] = []

    def post(self, database: Database, ledger: Ledger, now_ms: int) -> None:
        """Post a call's worth of one gateway's movements."""
        self.made(now_ms)(database, ledger)

    def made(self, now_ms: int) -> Callable[[Database, Ledger], None]:
        """Make a call's worth of one gateway's movements; return what posts them."""
        warehouse = f"W{self._chooser.randrange(WAREHOUSES):02d}"
        gateway = f"{warehouse}-{self._chooser.randrange(8)}"
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
        # Eight of ten movements are of two of ten items.
        busy = chooser.random() < 0.8
        number = chooser.randrange(ITEMS // 5) if busy else chooser.randrange(ITEMS)
        item, lot = f"P{number:05d}", ""
        if number % 10 == 0:
            lot = f"L{chooser.randrange(20)}"
            if len(self.lots) < 1000:
                self.lots.append((item, lot))
        # A place of its own for most of what an item has in a warehouse, as in real ones.
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
            item=item,
            quantity=str(chooser.randint(1, 9)),
            unit="C62",
            lot=lot,
        )


def _told(ratio: Ratio) -> Ratio:
    """Print a figure, since the next one may take an hour; return it."""
    print(f"    {ratio.name}: {ratio.value:.3f}; {ratio.detail}", file=sys.stderr, flush=True)
    return ratio


def _queries(name: str, database: Database, now_ms: int, goods: Goods) -> Iterator[Ratio]:
    year_ago_ms = now_ms - 365 * 86_400_000
    warehouse = StockFilter(warehouse="W03")
    lots = iter(goods.lots)
    strays = StrayItems()  # A server looks through all balances once a revision, not once a page.

    def as_of(kind: TimeKind) -> Callable[[], object]:
        def ask() -> object:
            with database.read() as connection:
                moment = moment_at(connection, year_ago_ms, kind=kind, warehouse="W03")
                return list_stock_as_of(connection, warehouse, moment, after=None, limit=101)

        return ask

    def page() -> object:
        with database.read() as connection:
            return matrix_page(connection, MatrixQuery(page_index=7), strays)

    def past_page(kind: TimeKind, sort: str) -> Callable[[], object]:
        def ask() -> object:
            with database.read() as connection:
                moment = moment_at(connection, year_ago_ms, kind=kind, warehouse="")
                wanted = MatrixQuery(page_index=7, sort=sort, descending=bool(sort))
                return grid_as_of(connection, wanted, strays, moment)

        return ask

    def places() -> object:
        with database.read() as connection:
            return list_stock(connection, warehouse, after=None, limit=101)

    def traced() -> object:
        item, lot = next(lots)
        with database.read() as connection:
            return trace(connection, item=item, lot=lot)

    asked: tuple[tuple[str, Callable[[], object], float], ...] = (
        ("stock-page", page, 50),
        ("stock-of-places", places, 50),
        ("trace-of-a-lot", traced, 100),
        ("as-of-a-year-ago-event", as_of("event"), 1000),
        ("as-of-a-year-ago-record", as_of("record"), 1000),
        ("page-a-year-ago-event", past_page("event", ""), 1000),
        ("page-a-year-ago-record", past_page("record", ""), 1000),
        ("page-a-year-ago-by-total", past_page("event", "total"), 1000),
    )
    for what, work, bound in asked:
        yield Ratio(f"big-{name}-{what}-ms", *_timed(work), at_most=bound)


def _timed(work: Callable[[], object]) -> tuple[float, str]:
    """Return the median in milliseconds, and the slowest in words."""
    work()
    taken = []
    for _ in range(QUERIES):
        begin = time.perf_counter()
        found = work()
        taken.append((time.perf_counter() - begin) * 1e3)
        assert found
    return statistics.median(taken), f"slowest of {QUERIES}: {max(taken):.0f} ms"


def _rates(full: "Side", bare: "Side", now_ms: int) -> tuple[float, float]:
    """Return movements per CPU-second of posting into both, the making of the facts left out."""
    taken = []
    ledgers = Ledger(), Ledger()
    for _ in range(1 + RATE_CALLS):  # The first of each warms up.
        pair = []
        for side, ledger in zip((full, bare), ledgers, strict=True):
            post = side.goods.made(now_ms)
            begin = cpu_s_of(backends(side.backend))
            post(side.database, ledger)
            pair.append(cpu_s_of(backends(side.backend)) - begin)
        taken.append(pair)
    full_s, bare_s = (sum(times) for times in zip(*taken[1:], strict=True))
    count = RATE_CALLS * FACTS_PER_CALL
    return count / full_s, count / bare_s


def _opened(url: str) -> Database:
    database = open_database(url, checkpoints=True)
    migrate(database, generation="bench")
    with database.write() as connection:
        load_reference(connection, parse_reference("".join(_reference()).encode()))
    return database


def _reference() -> Iterator[str]:
    yield "revision = 1\n"
    places = ", ".join(f'{{ code = "BIN-{number:03d}", kind = "bin" }}' for number in range(PLACES))
    for number in range(WAREHOUSES):
        yield f'[[warehouses]]\ncode = "W{number:02d}"\nname = "W"\nname_zh = "W"\n'
        yield f"locations = [{places}]\n"
    for number in range(ITEMS):
        code = f"P{number:05d}"
        yield f'[[items]]\ncode = "{code}"\nname = "{code}"\nname_zh = "{code}"\nunit = "C62"\n'
