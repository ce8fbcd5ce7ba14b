"""Ledgers of many movements: what pages, traces and the past cost, and posting. Root.

One ledger grows to each size of MOVEMENTS in turn ("800000 4000000 10000000", an hour and a half on
a small machine), over two years at the largest, posted by the ledger itself and followed by what
keeps copies of balances and sums of items, as beside every ledger. At each size: the stock page,
the trace of a lot, stock and tables as of a year ago (of the middle of a shorter ledger), and the
posting rate beside an empty ledger's, call by call in turn, so that what else the machine does
meets both. A figure is CPU time of this program and of all that the server does for it, with what
the operating system has in its memory; the time by the clock stands beside it, with the machine's
load. Each is printed as soon as it is known.

DATABASE: "sqlite" or "postgresql" for one of them alone. KEPT: a folder in which the ledgers stay,
to be asked again or to grow. POSTED: how many movements of a ledger of SQLite are posted at most;
beyond that the same rows are written again by SQL. TAKEN: a ledger of SQLite of which PostgreSQL
takes all rows instead of posting as many once more.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import psycopg
from sqlalchemy import select

from central.contract.reference import parse_reference
from central.ledger.checkpoints import Checkpoints
from central.ledger.collector import collect_rarely
from central.ledger.ledger import Ledger
from central.ledger.reference_book import load_reference
from central.ledger.state import read_state
from central.orders.following import FOLLOWERS
from central.stock.as_of import list_stock_as_of
from central.stock.grid import grid_as_of
from central.stock.moments import TimeKind, moment_at
from central.stock.rows import MatrixQuery, StockFilter
from central.stock.strays import StrayItems
from central.stock.trace import trace
from central.stock.views import list_stock, matrix_page
from central.storage.checkpoint_tables import checkpoints
from central.storage.database import Database, open_database
from central.storage.schema import migrate
from central.storage.tables import facts
from tests.bench.big_copy import take_rows
from tests.bench.big_goods import FACTS_PER_CALL, Gateways, lots_of, reference
from tests.bench.big_posting import rates
from tests.bench.big_repeat import Repeated
from tests.bench.figures import Ratio
from tests.bench.posting import backends, cpu_s_of
from tests.central.scenery import NOW_MS, FixedClock
from tests.postgresql import SETTINGS, PostgresqlServer

SIZES = sorted(map(int, os.environ.get("MOVEMENTS", "800000 4000000 10000000").split()))
WANTED = os.environ.get("DATABASE", "sqlite postgresql").split()
KEPT = os.environ.get("KEPT", "")
POSTED = int(os.environ.get("POSTED", "0"))
TAKEN = os.environ.get("TAKEN", "")
DAY_MS = 86_400_000
MS_PER_CALL = 2 * 365 * DAY_MS * FACTS_PER_CALL // 10_000_000
CALLS_PER_FOLLOWING = 5
CALLS_PER_WORD = 100
# As a server that has a ledger of millions would be set, of a machine of 8 GB.
SERVER_SETTINGS = (*SETTINGS, "shared_buffers=1GB", "max_wal_size=8GB")
QUERIES = 20
QUERIES_S_MAX = 40.0  # A query that takes seconds is asked less often.
DATABASE = "bench_big"


def measure() -> list[Ratio]:
    """Return what each database takes for pages and the past, and how its posting rate holds."""
    collect_rarely()
    ratios: list[Ratio] = []
    for name in WANTED:
        with _folder() as folder, ExitStack() as stack:
            make = _sqlite(folder) if name == "sqlite" else _postgresql(folder, stack)
            big = _opened(make("big"))
            stack.callback(big.close)
            for size in SIZES:
                clock = _grown(name, big, min(size, POSTED or size))
                if POSTED and name == "sqlite":
                    clock = _repeated(big, folder / "big.db", size)
                ratios += _figures(f"big-{name}-{size}", big, _opened(make("empty")), clock)
    return ratios


@contextmanager
def _folder() -> Iterator[Path]:
    if KEPT:
        Path(KEPT).mkdir(parents=True, exist_ok=True)
        yield Path(KEPT)
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        yield Path(folder)


def _sqlite(folder: Path) -> Callable[[str], str]:
    def make(name: str) -> str:
        path = folder / f"{name}.db"
        if name != "big":
            for left in folder.glob(f"{name}.db*"):
                left.unlink()
        return f"sqlite:///{path}"

    return make


def _postgresql(folder: Path, stack: ExitStack) -> Callable[[str], str]:
    home = folder / "postgresql"
    is_new = not home.exists()
    home.mkdir(exist_ok=True)
    folder.chmod(0o755)  # The server runs as a user of its own.
    server = PostgresqlServer(home, settings=SERVER_SETTINGS, is_new=is_new)
    server.start()
    stack.callback(server.stop)

    def make(name: str) -> str:
        database = f"{DATABASE}_{name}"
        with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
            if name != "big":
                connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            if name != "big" or is_new:
                connection.execute(f'CREATE DATABASE "{database}"')
        return f"{server.url.replace('postgresql://', 'postgresql+psycopg://')}/{database}"

    return make


def _opened(url: str) -> Database:
    database = open_database(url, checkpoints=True)
    migrate(database, generation="bench")
    with database.read() as connection:
        is_new = read_state(connection).reference_revision == 0
    if is_new and TAKEN and url.endswith(f"{DATABASE}_big"):
        take_rows(Path(TAKEN), database)
    elif is_new:
        with database.write() as connection:
            load_reference(connection, parse_reference(reference()))
    return database


def _grown(name: str, big: Database, size: int) -> FixedClock:
    """Post until there are so many; return the clock as it stands then."""
    with big.read() as connection:
        count = read_state(connection).record_no
        gateways = Gateways(random.Random(count), connection)
        last = select(facts.c.record_ms).where(facts.c.record_no == count)
        clock = FixedClock(connection.execute(last).scalar_one() if count else NOW_MS)
    ledger = Ledger(FOLLOWERS)
    following = Checkpoints(big, clock=clock)
    for call in range((size - count) // FACTS_PER_CALL):
        clock.time_ms += MS_PER_CALL
        gateways.made(clock.time_ms).post(big, ledger)
        if call % CALLS_PER_FOLLOWING == 0:
            _follow(following)
        if call % CALLS_PER_WORD == 0:
            done_count = count + (call + 1) * FACTS_PER_CALL
            print(f"    {name}: {done_count:,} movements", file=sys.stderr, flush=True)
    _follow(following)
    _settle(big)
    with big.read() as connection:
        copies = connection.execute(select(checkpoints.c.record_no).order_by("record_no")).all()
    print(f"    {name}: copies at {[row[0] for row in copies]}", file=sys.stderr, flush=True)
    return clock


def _repeated(big: Database, path: Path, size: int) -> FixedClock:
    """Write what was posted again until there are so many; return the clock as it stands then."""
    with big.read() as connection:
        posted_count = read_state(connection).record_no
    if posted_count < size:
        rows = Repeated(path)
        for times in range(1, -(-size // posted_count)):
            rows.write(times)
            _follow(Checkpoints(big, clock=FixedClock(NOW_MS)))
        rows.close()
    return _grown("sqlite", big, 0)


def _settle(database: Database) -> None:
    """Give the planner of PostgreSQL the statistics that its own upkeep would give it by then."""
    if database.dialect == "postgresql":
        with database.write() as connection:
            connection.exec_driver_sql("ANALYZE")


def _follow(following: Checkpoints) -> None:
    while not following.tick():
        pass


def _figures(name: str, big: Database, empty: Database, clock: FixedClock) -> list[Ratio]:
    ratios = []
    for what, work, bound in _asked(big, clock.time_ms):
        ratios.append(_told(Ratio(f"{name}-{what}-cpu-ms", *_timed(work), at_most=bound)))
    full, bare = rates(big, empty, now_ms=clock.time_ms, name=DATABASE, settle=_settle)
    ratio = full.per_cpu_s / bare.per_cpu_s
    detail = f"{full}; {bare}; {_load()}"
    ratios.append(_told(Ratio(f"{name}-posting-vs-empty", ratio, detail, at_least=0.8)))
    empty.close()
    return ratios


def _told(ratio: Ratio) -> Ratio:
    """Print a figure, since the next one may take an hour; return it."""
    print(f"    {ratio.name}: {ratio.value:.3f}; {ratio.detail}", file=sys.stderr, flush=True)
    return ratio


def _asked(
    database: Database, now_ms: int
) -> Iterator[tuple[str, Callable[[], object], float | None]]:
    """Yield what is asked of a ledger: name, work, and how many milliseconds it may take."""
    with database.read() as connection:
        lots = cycle(lots_of(connection))
    year_ago_ms = max(now_ms - 365 * DAY_MS, (NOW_MS + now_ms) // 2)
    warehouse = StockFilter(warehouse="W03")
    strays = StrayItems()  # A server looks through all balances once a revision, not once a page.

    def as_of(kind: TimeKind) -> Callable[[], object]:
        def ask() -> object:
            with database.read() as connection:
                moment = moment_at(connection, year_ago_ms, kind=kind, warehouse="W03")
                return list_stock_as_of(connection, warehouse, moment, after=None, limit=101)

        return ask

    def past_page(kind: TimeKind, wanted: MatrixQuery) -> Callable[[], object]:
        def ask() -> object:
            with database.read() as connection:
                moment = moment_at(connection, year_ago_ms, kind=kind, warehouse="")
                return grid_as_of(connection, replace(wanted, page_index=7), strays, moment)

        return ask

    def page() -> object:
        with database.read() as connection:
            return matrix_page(connection, MatrixQuery(page_index=7), strays)

    def places() -> object:
        with database.read() as connection:
            return list_stock(connection, warehouse, after=None, limit=101)

    def traced() -> object:
        item, lot = next(lots)
        with database.read() as connection:
            return trace(connection, item=item, lot=lot)

    yield "stock-page", page, 50
    yield "stock-of-places", places, 50
    yield "trace-of-a-lot", traced, 100
    by_total = MatrixQuery(sort="total", descending=True)
    by_warehouse = MatrixQuery(sort="w:W03", descending=True)
    for kind in ("event", "record"):
        yield f"as-of-a-year-ago-{kind}", as_of(kind), 1000
        yield f"page-a-year-ago-{kind}", past_page(kind, MatrixQuery()), 1000
        yield f"page-a-year-ago-by-total-{kind}", past_page(kind, by_total), 1000
    yield "page-a-year-ago-by-a-warehouse", past_page("event", by_warehouse), 1000
    yield "page-a-year-ago-of-a-warehouse", past_page("event", MatrixQuery(warehouse="W03")), 1000
    yield "page-a-year-ago-in-stock-alone", past_page("event", MatrixQuery(stocked=True)), None


def _timed(work: Callable[[], object]) -> tuple[float, str]:
    """Return the CPU time of a query in milliseconds, and the time by the clock in words."""
    work()
    taken: list[float] = []
    begin_cpu_s = _all_cpu_s()
    while len(taken) < QUERIES and sum(taken) < QUERIES_S_MAX:
        begin = time.perf_counter()
        found = work()
        taken.append(time.perf_counter() - begin)
        assert found
    cpu_ms = (_all_cpu_s() - begin_cpu_s) / len(taken) * 1e3
    best, median = min(taken) * 1e3, statistics.median(taken) * 1e3
    return cpu_ms, f"by the clock {best:.1f} ms at best, median {median:.1f} ms; {_load()}"


def _all_cpu_s() -> float:
    """Return the CPU time of this process, its backends and what the server has seen end."""
    serving = backends(f"{DATABASE}_big")  # None where the ledger is a file.
    ended_ticks = 0
    if serving:  # Parallel workers count with their parent, once they have ended (proc(5), cutime).
        parent = serving[0].with_name("stat").read_text().rsplit(")", 1)[1].split()[1]
        fields = Path(f"/proc/{parent}/stat").read_text().rsplit(")", 1)[1].split()
        ended_ticks = int(fields[13]) + int(fields[14])
    return cpu_s_of(serving) + ended_ticks / os.sysconf("SC_CLK_TCK")


def _load() -> str:
    return f"load {os.getloadavg()[0]:.0f}"
