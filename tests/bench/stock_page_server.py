"""A ledger of 20,000 items in 12 warehouses behind the stock page, in a process of its own. Root.

usage: python -m tests.bench.stock_page_server DATABASE_FILE PORT MOVEMENTS_PER_S SECONDS

Prints "ready"; after a line of input it records movements at a steady rate and prints a JSON object
of record number: wall time in ms at which it was committed, and the memory of the process in MB.
The ledger is filled by a child of this process: what that takes is no memory of a server's.
"""

import json
import multiprocessing
import sys
import threading
import time
from pathlib import Path

import uvicorn

from central.clock import SystemClock
from central.inbox.inbox import Inbox
from central.storage import bulk, tables
from central.storage.database import open_database
from central.storage.schema import migrate
from central.web.app import create_app, notify_of_app
from tests.central.scenery import Gateway, enrol
from tests.waiting import until

ITEMS, WAREHOUSES = 20_000, 12
MICRO = 1_000_000


def main() -> int:
    """Serve, and record movements when told to."""
    url = f"sqlite:///{sys.argv[1]}"
    port, per_s, seconds = int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    filling = multiprocessing.get_context("spawn").Process(target=_furnish, args=(url,))
    filling.start()
    filling.join()
    assert filling.exitcode == 0
    database = open_database(url, checkpoints=True)
    gateway = Gateway("w00-dock-1", warehouse="W00")
    enrol(database, gateway)
    app = create_app(database=database, clock=SystemClock(), site="bench")
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, "served")
    print("ready", flush=True)
    sys.stdin.readline()
    inbox, notify, committed = Inbox(database, clock=SystemClock()), notify_of_app(app), {}
    begin_s = time.monotonic()
    for number in range(int(per_s * seconds)):
        time.sleep(max(0.0, begin_s + number / per_s - time.monotonic()))
        now_ms = SystemClock().now_ms()
        seq = gateway.move(f"ITEM-{number % 50:05d}", "1", target="BIN-0", event_time_ms=now_ms)
        inbox.accept([gateway.offer(seq, seq)])
        committed[number + 1] = time.time_ns() / 1e6
        notify()
    print(json.dumps({"committed": committed, "memory_mb": _memory_mb()}), flush=True)
    sys.stdin.readline()
    server.should_exit = True
    thread.join()
    database.close()
    return 0


def _furnish(url: str) -> None:
    database = open_database(url, checkpoints=True)
    migrate(database, generation="generation-1")
    codes = [f"W{number:02d}" for number in range(WAREHOUSES)]
    names = [f"ITEM-{number:05d}" for number in range(ITEMS)]
    with database.write() as connection:
        bulk.insert_rows(
            connection, tables.warehouses, [(code, f"House {code}", "", "file") for code in codes]
        )
        bulk.insert_rows(
            connection,
            tables.items,
            [(name, f"Article {name}", "", "C62", "piece", False, "file") for name in names],
        )
        for code in codes:
            rows = [
                (code, f"BIN-{at % 300}", name, "", "", "", "C62", "available", 9 * MICRO, 0, 0)
                for at, name in enumerate(names)
            ]
            bulk.insert_rows(connection, tables.balances, rows)
    database.close()


def _memory_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
