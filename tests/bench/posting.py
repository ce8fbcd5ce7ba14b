"""Catch-up of one gateway: `Inbox.accept` beside bare COPY of the very same rows. Root.

Ours: signed batches of 1000 facts, 8 a call (a gateway's whole credit): signature, unpacking,
chain, decoding, rules, lines, balances, position, one commit. Bare: the rows of the same movements,
made beforehand, written to the same schema with the same settings in as many transactions. Call by
call in turn; CPU time of this process and, with PostgreSQL, of the backends that serve it. At the
end both databases hold the same rows. 200 items, 4 places.
"""

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import select

from central.contract.reference import parse_reference
from central.inbox.inbox import Inbox
from central.ledger.collector import collect_rarely
from central.ledger.reference_book import load_reference
from central.storage import tables
from central.storage.database import Database, open_database
from central.storage.schema import migrate
from tests.bench.bare import CallRows, RowMaker, postgresql_writer, sqlite_writer
from tests.bench.figures import Ratio
from tests.central.scenery import FixedClock, Gateway, enrol
from tests.postgresql import new_database, postgresql_server

BATCH = 1000
BATCHES_PER_CALL = 8
CALLS = 14
WARM_UP_CALLS = 2
ITEMS = 200
PLACES = ("BIN-1", "BIN-2", "BIN-3", "BIN-4")
FACTS_PER_CALL = BATCH * BATCHES_PER_CALL
OUR_DATABASE, BARE_DATABASE = "bench_ours", "bench_bare"
SAME_ROWS = (tables.facts, tables.lines, tables.balances)

Offers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Work:
    """The same movements as batches for the inbox, and as rows."""

    gateway: Gateway
    calls: list[Offers]
    rows: list[CallRows]


def measure() -> list[Ratio]:
    """Return movements per CPU-second on both databases, and each as a part of bare writing."""
    work = _work()
    collect_rarely()  # As the services do.
    ratios = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        ours = _ledger(f"sqlite:///{directory}/ours.db", work.gateway)
        bare = _ledger(f"sqlite:///{directory}/bare.db", work.gateway)
        bare_path = f"{directory}/bare.db"
        ratios += _compared("sqlite", work, ours, bare, sqlite_writer(bare_path))
    with (
        postgresql_server() as server,
        new_database(server, OUR_DATABASE) as ours_url,
        new_database(server, BARE_DATABASE) as bare_url,
    ):
        ours, bare = _ledger(ours_url, work.gateway), _ledger(bare_url, work.gateway)
        with psycopg.connect(bare_url.replace("+psycopg", "")) as connection:
            write = postgresql_writer(connection)
            ratios += _compared("postgresql", work, ours, bare, write)
    return ratios


def _compared(
    name: str,
    work: Work,
    ours: Database,
    bare: Database,
    write: Callable[[CallRows], None],
) -> list[Ratio]:
    inbox = Inbox(ours, clock=FixedClock())
    ours_s = bare_s = 0.0
    our_backends: list[Path] = []
    bare_backends: list[Path] = []
    for number, (offers, rows) in enumerate(zip(work.calls, work.rows, strict=True)):
        if number == WARM_UP_CALLS:
            ours_s = bare_s = 0.0
            our_backends, bare_backends = backends(OUR_DATABASE), backends(BARE_DATABASE)
        begin_s = cpu_s_of(our_backends)
        outcomes = inbox.accept(offers)
        ours_s += cpu_s_of(our_backends) - begin_s
        assert sum(outcome.accepted_count for outcome in outcomes) == FACTS_PER_CALL
        begin_s = cpu_s_of(bare_backends)
        write(rows)
        bare_s += cpu_s_of(bare_backends) - begin_s
    assert _rows_of(ours) == _rows_of(bare)
    for database in (ours, bare):
        database.close()
    count = FACTS_PER_CALL * (CALLS - WARM_UP_CALLS)
    detail = f"{ours_s / count * 1e6:.1f} us a movement, bare {bare_s / count * 1e6:.1f} us"
    least = {"sqlite": 50_000, "postgresql": 30_000}[name]
    return [
        Ratio(f"ledger-{name}-movements-per-cpu-s", count / ours_s, detail, at_least=least),
        Ratio(f"ledger-{name}-vs-bare", bare_s / ours_s, detail, at_least=0.75),
    ]


def _ledger(url: str, gateway: Gateway) -> Database:
    database = open_database(url, checkpoints=True)
    migrate(database, generation="bench")
    with database.write() as connection:
        load_reference(connection, parse_reference(_reference()))
    enrol(database, gateway)
    return database


def _work() -> Work:
    chooser = random.Random(1)
    gateway = Gateway("bench-1")
    maker = RowMaker(gateway)
    calls: list[Offers] = []
    rows: list[CallRows] = []
    for number in range(CALLS):
        first = number * FACTS_PER_CALL + 1
        moves = [_move(chooser) for _ in range(FACTS_PER_CALL)]
        for source, target, item, pieces in moves:
            gateway.move(item, str(pieces), source=source, target=target)
        starts = range(first, first + FACTS_PER_CALL, BATCH)
        calls.append([gateway.offer(start, start + BATCH - 1) for start in starts])
        rows.append(maker.rows(moves, first=first))
    return Work(gateway, calls, rows)


def _move(chooser: random.Random) -> tuple[str, str, str, int]:
    item = f"P{chooser.randrange(ITEMS):04d}"
    return "supplier", chooser.choice(PLACES), item, chooser.randint(1, 9)


def _reference() -> bytes:
    items = "".join(
        f'[[items]]\ncode = "P{number:04d}"\nname = "P"\nname_zh = "P"\nunit = "C62"\n'
        for number in range(ITEMS)
    )
    places = ", ".join(f'{{ code = "{place}", kind = "bin" }}' for place in PLACES)
    warehouse = f'[[warehouses]]\ncode = "SH1"\nname = "S"\nname_zh = "S"\nlocations = [{places}]\n'
    return f"revision = 1\n{warehouse}{items}".encode()


def _rows_of(database: Database) -> list[list[tuple[object, ...]]]:
    with database.read() as connection:
        return [
            sorted(tuple(row) for row in connection.execute(select(table))) for table in SAME_ROWS
        ]


def backends(database: str) -> list[Path]:
    """Return where the system tells of the processes that serve clients of a database."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f" {database} 127.0.0.1(".encode() in (folder / "cmdline").read_bytes():
                found.append(folder / "schedstat")
        except OSError:
            continue  # It has ended.
    return found


def cpu_s_of(backends: list[Path]) -> float:
    """Return the CPU time of this process and of these, to the microsecond.

    The kernel's own count of nanoseconds on a CPU (`schedstat`); `stat` has hundredths of a second.
    """
    ns = sum(int(backend.read_text().split()[0]) for backend in backends)
    return time.process_time() + ns / 1e9
