"""Says which scans a journal holds after a cut, and whether it is whole. Root.

usage: python3 -m tests.hardware.in_guest.journal_after_cut FOLDER

Prints `VERIFIED` or what `dockledger-gateway journal verify` says, then `SERIALS` and the numbers
of all scans in the journal, read by the gateway's own program.
"""

import json
import subprocess
import sys
from pathlib import Path

COUNT_MAX = 10000


def main():
    config = str(Path(sys.argv[1]) / "gateway.toml")
    begin = [sys.executable, "-m", "gateway", "journal"]
    verified = subprocess.run(
        [*begin, "verify", "--config", config], capture_output=True, text=True, check=False
    )
    print("VERIFIED" if verified.returncode == 0 else f"BROKEN {verified.stderr}")
    told = subprocess.run(
        [*begin, "tail", "--json", "--count", str(COUNT_MAX), "--config", config],
        capture_output=True,
        text=True,
        check=True,
    )
    facts = [json.loads(line) for line in told.stdout.splitlines()]
    numbers = sorted(int(fact["serial"][1:]) for fact in facts if fact.get("serial"))
    print("SERIALS", *numbers)


if __name__ == "__main__":
    main()
