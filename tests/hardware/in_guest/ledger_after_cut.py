"""Says which facts a ledger holds after a cut, and whether it is whole. Root.

usage: python3 -m tests.hardware.in_guest.ledger_after_cut FOLDER

Prints `VERIFIED` or what `dockledger-central verify-ledger` says, then `SERIALS` and the numbers of
all facts whose lines are in the ledger.
"""

import sqlite3
import subprocess
import sys
from pathlib import Path


def main():
    folder = Path(sys.argv[1])
    words = [
        sys.executable,
        "-m",
        "central",
        "verify-ledger",
        "--config",
        str(folder / "central.toml"),
    ]
    verified = subprocess.run(words, capture_output=True, text=True, check=False)
    print("VERIFIED" if verified.returncode == 0 else f"BROKEN {verified.stderr}")
    ledger = sqlite3.connect(folder / "ledger.db")
    found = ledger.execute("SELECT DISTINCT serial FROM lines WHERE serial <> ''").fetchall()
    ledger.close()
    print("SERIALS", *sorted(int(serial[1:]) for (serial,) in found))


if __name__ == "__main__":
    main()
