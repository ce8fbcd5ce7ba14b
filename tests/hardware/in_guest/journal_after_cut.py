"""Says which scans a journal holds after a cut, and whether it is whole. Root.

usage: python3 -m tests.hardware.in_guest.journal_after_cut FOLDER

Prints `VERIFIED` or what `dockledger-gateway journal verify` says; `SERIALS` and the numbers of all
scans that are in the journal, read by the gateway's own program, or in the print queue; and for
each state of the queue `JOBS state` and the numbers of its labels.
"""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from gateway.commands import app
from tests.hardware.in_guest.commands import run_command
from tests.hardware.in_guest.green_scans import number_of_bin

COUNT_MAX = 10000


def main():
    folder = Path(sys.argv[1])
    config = str(folder / "gateway.toml")
    status, _, log = run_command(app, "journal", "verify", "--config", config)
    print(f"BROKEN {log}" if status else "VERIFIED")
    words = ("journal", "tail", "--json", "--count", str(COUNT_MAX), "--config", config)
    status, told, log = run_command(app, *words)
    assert status == 0, log
    facts = [json.loads(line) for line in told.splitlines()]
    numbers = {int(fact["serial"][1:]) for fact in facts if fact.get("serial")}
    for state, labels in sorted(_jobs(folder).items()):
        print("JOBS", state, *sorted(labels))
        numbers |= labels
    print("SERIALS", *sorted(numbers))


def _jobs(folder):
    found = {}
    (path,) = (folder / "data").rglob("journal.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
        rows = journal.execute("SELECT coalesce(outcome, state), content FROM print_jobs")
        for state, content in rows.fetchall():
            found.setdefault(state, set()).add(number_of_bin(content))
    return found


if __name__ == "__main__":
    main()
