"""Reserve and ship on both databases: orders approved, their goods shipped by a gateway. Root.

An order of one line, and orders of ten lines. Reserve: approving an order that was submitted, one
change at the desk (its rows, stock of its items, reservations, counters, version, event). Ship: its
facts in one signed batch of a gateway, with all that follows. Not counted: drafting, submitting and
releasing. CPU time of this process and, with PostgreSQL, of the backends that serve it; statements
are those handed to the driver: a COPY is one, and so are the rows of an executemany.
Then 32 clients who reserve the same scarce items at once.
"""

import sqlite3
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from central.contract.reference import parse_reference
from central.errors import Conflict
from central.inbox.inbox import Inbox
from central.ledger.collector import collect_rarely
from central.ledger.desk import Desk
from central.ledger.reference_book import load_reference
from central.orders.following import FOLLOWERS
from central.orders.reserving.reservation_proof import faults
from central.orders.sales.sales_book import approve_order, draft_order, release_order, submit_order
from central.orders.sales.sales_lines import LineAsked, OrderAsked
from central.orders.sales.sales_store import read_figures, read_order
from central.storage import bulk, catalogue_tables, sales_tables
from central.storage.database import Database, open_database
from central.storage.schema import migrate
from tests.bench.figures import Ratio
from tests.bench.posting import backends, cpu_s_of
from tests.central.scenery import FixedClock, Gateway, enrol
from tests.central.storage.counting import Statements
from tests.postgresql import new_database, postgresql_server

DATABASE = "bench_reservation"
ITEMS = 50
LOTS = 4
PIECES = 1_000_000
LINES_COUNTS = (1, 10)
MOVEMENTS = 400  # Of each kind of order.
# Not counted: the server settles on plans for its statements meanwhile, as in `desk`, and an inbox
# that has just started asks once where each gateway is.
FIRST_ORDERS = {1: 20, 10: 5}
COUNTED_ORDERS = 3
CLIENTS = 32
SCARCE = 320
STATEMENTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Figure:
    """What one line costs that is reserved and shipped, on an average."""

    reserve_ms: float
    ship_ms: float
    reserve_statements: float
    ship_statements: float


def measure() -> list[Ratio]:
    """Return reserved and shipped lines per CPU-second, and statements, on both databases."""
    collect_rarely()  # As the services do.
    ratios = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        ratios += _measured("sqlite", f"sqlite:///{directory}/ledger.db")
    with postgresql_server() as server, new_database(server, DATABASE) as url:
        ratios += _measured("postgresql", url)
    return ratios


def _measured(name: str, url: str) -> list[Ratio]:
    world = World(url)
    ratios = []
    for lines_count in LINES_COUNTS:
        found = world.figure(lines_count)
        detail = (
            f"reserve {found.reserve_ms:.2f} ms, ship {found.ship_ms:.2f} ms;"
            f" {found.reserve_statements:.1f} and {found.ship_statements:.1f} statements"
        )
        per_s = 1000 / (found.reserve_ms + found.ship_ms)
        title = f"reserve-ship-{name}-{lines_count}"
        ratios.append(Ratio(f"{title}-per-cpu-s", per_s, detail))
        # What an order costs once is shared by its lines.
        bound = STATEMENTS_MAX if lines_count > 1 else None
        statements = found.reserve_statements + found.ship_statements
        ratios.append(Ratio(f"{title}-statements", statements, detail, at_most=bound))
    granted_count, wall_s = world.rush()
    detail = f"{CLIENTS} clients, {granted_count} of {2 * SCARCE} wishes granted"
    ratios.append(Ratio(f"reserve-{name}-rush-per-s", 2 * SCARCE / wall_s, detail))
    world.close()
    return ratios


class World:
    """A ledger with stock of ITEMS items in LOTS lots each, its desk, and one gateway."""

    def __init__(self, url: str) -> None:
        self._database = open_database(url, checkpoints=True)
        migrate(self._database, generation="bench")
        with self._database.write() as connection:
            load_reference(connection, parse_reference(_reference()))
            row = ("SHOP", 1, "customer", "The shop", "", "", "", "", "", "", "", 0, True)
            bulk.insert_rows(connection, catalogue_tables.partners, [row])
        self._gateway = Gateway("bench-1")
        enrol(self._database, self._gateway)
        clock = FixedClock()
        self._desk = Desk(self._database, clock=clock, followers=FOLLOWERS)
        self._inbox = Inbox(self._database, clock=clock, followers=FOLLOWERS)
        self._sent = 0
        for item in range(ITEMS):
            for lot in range(LOTS):
                expiry_date = f"2027-0{lot + 1}-01"
                self._gateway.move(
                    f"P{item:04d}", str(PIECES), lot=f"L{lot}", expiry_date=expiry_date
                )
        self._send()

    def figure(self, lines_count: int) -> Figure:
        """Return what a line of such orders costs."""
        count = MOVEMENTS // lines_count
        self.orders(lines_count, FIRST_ORDERS[lines_count])
        reserve_statements, ship_statements = self.statements(lines_count)
        reserve_s, ship_s = self.orders(lines_count, count)
        moved_count = count * lines_count
        return Figure(
            reserve_s / moved_count * 1000,
            ship_s / moved_count * 1000,
            reserve_statements,
            ship_statements,
        )

    def orders(self, lines_count: int, count: int) -> tuple[float, float]:
        """Approve and ship orders; return the CPU seconds of both: reserve, ship."""
        codes = [self._submitted(lines_count, number) for number in range(count)]
        places = backends(DATABASE) if self._database.dialect == "postgresql" else []
        begin_s = cpu_s_of(places)
        for code in codes:
            self._approve(code)
        reserve_s = cpu_s_of(places) - begin_s
        batches = [self._loaded(code) for code in codes]
        begin_s = cpu_s_of(places)
        for batch in batches:
            self._inbox.accept([batch])
        ship_s = cpu_s_of(places) - begin_s
        self._check(codes)
        return reserve_s, ship_s

    def statements(self, lines_count: int) -> tuple[float, float]:
        """Return the statements of a line: reserve, ship."""
        codes = [self._submitted(lines_count, number) for number in range(COUNTED_ORDERS)]
        counter = Counter(self._database)  # Slows what it counts.
        for code in codes:
            self._approve(code)
        reserve_count = counter.taken()
        batches = [self._loaded(code) for code in codes]
        counter.taken()
        for batch in batches:
            self._inbox.accept([batch])
        ship_count = counter.taken()
        counter.stop()
        self._check(codes)
        counted = COUNTED_ORDERS * lines_count
        return reserve_count / counted, ship_count / counted

    def rush(self) -> tuple[int, float]:
        """Let clients reserve twice of what there is; return how many got it, and seconds."""
        self._gateway.move("SCARCE", str(SCARCE))
        self._send()
        codes = [self._submitted(1, 0, item="SCARCE") for _ in range(2 * SCARCE)]
        with self._database.write() as connection:
            connection.execute(update(sales_tables.sales_orders).values(backorders=False))
        granted, together = [], threading.Barrier(CLIENTS)

        def buy(mine: list[str]) -> None:
            together.wait()
            for code in mine:
                try:
                    self._approve(code)
                except Conflict:
                    continue
                granted.append(code)

        threads = [
            threading.Thread(target=buy, args=(codes[number::CLIENTS],))
            for number in range(CLIENTS)
        ]
        begin_s = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall_s = time.monotonic() - begin_s
        assert len(granted) == SCARCE
        self._check([])
        return len(granted), wall_s

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _submitted(self, lines_count: int, number: int, *, item: str = "") -> str:
        lines = tuple(
            LineAsked(line + 1, item or f"P{(number + line) % ITEMS:04d}", 3_000_000)
            if not item
            else LineAsked(line + 1, item, 1_000_000)
            for line in range(lines_count)
        )
        with self._desk.change(actor="bench") as change:
            code = draft_order(change, OrderAsked("SH1", "SHOP", lines)).code
            submit_order(change, code)
        return code

    def _approve(self, code: str) -> None:
        with self._desk.change(actor="bench") as change:
            approve_order(change, code)

    def _loaded(self, code: str) -> tuple[str, bytes]:
        """Release an order and return the batch that ships what is set aside for it."""
        with self._desk.change(actor="bench") as change:
            release_order(change, code)
        with self._database.read() as connection:
            (figures,) = read_figures(connection, [read_order(connection, code)])
        first = len(self._gateway.bodies) + 1
        for row in figures.reservations:
            self._gateway.move(
                row.stock.item,
                "3",
                source=row.stock.location,
                target="customer",
                lot=row.stock.lot,
                business_step="shipping",
                document=code,
                document_line=row.pick_line,
            )
        self._sent = len(self._gateway.bodies)
        return self._gateway.offer(first)

    def _send(self) -> None:
        self._inbox.accept([self._gateway.offer(self._sent + 1)])
        self._sent = len(self._gateway.bodies)

    def _check(self, codes: list[str]) -> None:
        with self._database.read() as connection:
            assert list(faults(connection)) == []
            orders = [read_order(connection, code) for code in codes]
            assert all(one.stage == "shipped" for one in read_figures(connection, orders))
            if codes:
                assert connection.execute(select(sales_tables.allocated)).first() is None


class Counter:
    """Counts the statements that the writer hands to its driver."""

    def __init__(self, database: Database) -> None:
        self._count = 0
        self._last = ""
        with database.write() as connection:
            self._raw: Any = connection.connection.driver_connection
        if isinstance(self._raw, sqlite3.Connection):
            self._raw.set_trace_callback(self._add)
        else:
            self._statements = Statements(self._raw.pgconn)

    def taken(self) -> int:
        """Return how many there were since the last time."""
        if not isinstance(self._raw, sqlite3.Connection):
            count, self._count = self._count, len(self._statements)
            return self._count - count
        count, self._count = self._count, 0
        return count

    def stop(self) -> None:
        """Count no more."""
        if isinstance(self._raw, sqlite3.Connection):
            self._raw.set_trace_callback(None)
        else:
            self._statements.stop()

    def _add(self, statement: str = "") -> None:
        # SQLite tells of each row of an executemany by itself, one after another.
        row_of = statement.partition(" VALUES ")[0] if statement.startswith("INSERT") else ""
        if statement not in ("BEGIN IMMEDIATE", "COMMIT") and (not row_of or row_of != self._last):
            self._count += 1
        self._last = row_of


def _reference() -> bytes:
    codes = [*(f"P{number:04d}" for number in range(ITEMS)), "SCARCE"]
    items = "".join(
        f'[[items]]\ncode = "{code}"\nname = "P"\nname_zh = "P"\nunit = "C62"\n' for code in codes
    )
    places = '[{ code = "BIN-1", kind = "bin" }]'
    warehouse = f'[[warehouses]]\ncode = "SH1"\nname = "S"\nname_zh = "S"\nlocations = {places}\n'
    return f"revision = 1\n{warehouse}{items}".encode()
