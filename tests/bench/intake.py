"""Intake with the ledger's posting on SQLite, against Tryton posting the same receipts. Root.

Ours: `Inbox.accept` of signed batches of 100 movements (verify signature and chain, post two lines
each, balances, position, one commit). Tryton: 100 moves created and done in one transaction. Both
on SQLite, 50 items, one thread; moves per second of the process's own CPU time. `posting` measures
the ledger's own rates.
"""

import random
import tempfile
import time
from pathlib import Path

from central.contract.reference import parse_reference
from central.inbox.inbox import Inbox
from central.ledger.reference_book import load_reference
from central.storage.database import Database, open_database
from central.storage.schema import migrate
from tests.bench import posting, tryton
from tests.bench.figures import Ratio
from tests.central.scenery import FixedClock, Gateway, enrol

BATCH = 100
OUR_MOVES = 20_000
THEIR_MOVES = 1_000
WARM_UP_BATCHES = 5
COUNTED_BATCHES = 5
ITEMS = 50


def measure() -> list[Ratio]:
    """Return ledger-vs-tryton-batch100, the SQL statements a movement, and those of `posting`."""
    cpu_s, statements = _ours()
    theirs = tryton.post_moves(count=THEIR_MOVES, batch=BATCH)
    ours_per_s = OUR_MOVES / cpu_s
    theirs_per_s = theirs["count"] / theirs["cpu_s"]
    detail = f"{ours_per_s:.0f} against {theirs_per_s:.0f} movements per CPU-second"
    per_movement = statements / (COUNTED_BATCHES * BATCH)
    return [
        Ratio("ledger-vs-tryton-batch100", ours_per_s / theirs_per_s, detail, at_least=50),
        Ratio(
            "sql-statements-per-movement",
            per_movement,
            "each row of a many-row statement counted as one",
            at_most=8,
        ),
        *posting.measure(),
    ]


def _ours() -> tuple[float, int]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        database = open_database(f"sqlite:///{directory}/ledger.db", checkpoints=True)
        migrate(database, generation="bench")
        with database.write() as connection:
            load_reference(connection, parse_reference(_reference()))
        gateway = Gateway("bench-1")
        enrol(database, gateway)
        inbox = Inbox(database, clock=FixedClock())
        offers = _offers(gateway, OUR_MOVES // BATCH + WARM_UP_BATCHES + COUNTED_BATCHES)
        for offer in offers[:WARM_UP_BATCHES]:
            inbox.accept([offer])
        begin = time.process_time()
        for offer in offers[WARM_UP_BATCHES:-COUNTED_BATCHES]:
            (outcome,) = inbox.accept([offer])
            assert outcome.accepted_count == BATCH
        cpu_s = time.process_time() - begin
        statements = _counted(database)
        for offer in offers[-COUNTED_BATCHES:]:
            inbox.accept([offer])
        database.close()
    return cpu_s, len(statements)


def _counted(database: Database) -> list[str]:
    """Return a list that gets each statement that the writer runs from now on."""
    statements: list[str] = []
    with database.write() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(statements.append)
    statements.clear()
    return statements


def _reference() -> bytes:
    items = "".join(
        f'[[items]]\ncode = "P{number:04d}"\nname = "P"\nname_zh = "P"\nunit = "C62"\n'
        for number in range(ITEMS)
    )
    places = '[{ code = "BIN-1", kind = "bin" }]'
    warehouse = f'[[warehouses]]\ncode = "SH1"\nname = "S"\nname_zh = "S"\nlocations = {places}\n'
    return f"revision = 1\n{warehouse}{items}".encode()


def _offers(gateway: Gateway, count: int) -> list[tuple[str, bytes]]:
    chooser = random.Random(1)
    for _ in range(count * BATCH):
        item = f"P{chooser.randrange(ITEMS):04d}"
        gateway.move(item, str(chooser.randint(1, 9)))
    return [gateway.offer(n * BATCH + 1, (n + 1) * BATCH) for n in range(count)]
