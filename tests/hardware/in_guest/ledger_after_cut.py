"""Says which facts a ledger holds after a cut, and whether it is whole. Root.

usage: python3 -m tests.hardware.in_guest.ledger_after_cut FOLDER DATABASE

Prints `VERIFIED` or what `dockledger-central verify-ledger` says, then `SERIALS` and the numbers of
all facts whose lines are in the ledger.
"""

import re
import sys
from pathlib import Path

from sqlalchemy import create_engine, text

from central.__main__ import app
from tests.hardware.in_guest.commands import run_command
from tests.hardware.in_guest.ledgers import ledger_url

URL = re.compile(r'^url = ".*"$', re.MULTILINE)
SERIALS = text("SELECT DISTINCT serial FROM lines WHERE serial <> ''")


def main():
    folder, database = Path(sys.argv[1]), sys.argv[2]
    config = folder / "central.toml"
    with ledger_url(folder, database) as url:
        # A server listens at another port each time.
        config.write_text(URL.sub(f'url = "{url}"', config.read_text()))
        status, _, log = run_command(app, "verify-ledger", "--config", str(config))
        print(f"BROKEN {log}" if status else "VERIFIED")
        engine = create_engine(url)
        with engine.connect() as connection:
            found = connection.execute(SERIALS).scalars().all()
        engine.dispose()
    print("SERIALS", *sorted(int(serial[1:]) for serial in found))


if __name__ == "__main__":
    main()
