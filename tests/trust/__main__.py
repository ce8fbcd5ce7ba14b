"""The campaign behind `make trust`: tampered messages, shuffled ones, power cuts while enrolling.

    python -m tests.trust [--tampered 10000] [--shuffled 100000] [--cuts 50] [--seed 2026]

Ends with one line of figures each and exit status 1 if one is not what it has to be.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from central.storage.database import open_database
from central.storage.schema import migrate
from central.trust import registry
from tests.trust.messages import deliver, tamper
from tests.trust.stand import Pi, trusted_site
from tests.waiting import wait_for

CUT_S_MAX = 4.0  # A service has asked and kept its certificate by then, on a quiet machine.
CUTS_EACH_MAX = 3


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--tampered", type=int, default=10_000)
    words.add_argument("--shuffled", type=int, default=100_000)
    words.add_argument("--cuts", type=int, default=50)
    words.add_argument("--seed", type=int, default=2026)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="dockledger-trust-") as folder:
        good = [
            _tampered(Path(folder), asked),
            _shuffled(Path(folder), asked),
            _cuts(Path(folder), asked),
        ]
    sys.exit(0 if all(good) else 1)


def _say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _ledger(folder, name):
    opened = open_database(f"sqlite:///{folder / name}")
    migrate(opened, generation="g")
    return opened


def _tampered(folder, asked):
    if not asked.tampered:
        return True
    began_s = time.monotonic()
    ledger = _ledger(folder, "tampered.db")
    tally = tamper(ledger, count=asked.tampered, seed=asked.seed)
    ledger.close()
    _say(
        f"tampered or replayed: {sum(tally.tried.values())} offered {dict(tally.tried)},"
        f" {sum(tally.accepted.values())} accepted, {tally.facts_added} facts came of it,"
        f" {time.monotonic() - began_s:.0f} s"
    )
    return not tally.accepted and not tally.facts_added


def _shuffled(folder, asked):
    if not asked.shuffled:
        return True
    began_s = time.monotonic()
    ledger = _ledger(folder, "shuffled.db")
    told = deliver(ledger, count=asked.shuffled, seed=asked.seed)
    ledger.close()
    _say(
        f"shuffled or repeated: {sum(told.outcomes.values())} delivered {dict(told.outcomes)},"
        f" {told.facts_count} facts, {told.alarms} alarms, {time.monotonic() - began_s:.0f} s"
    )
    return not told.alarms and told.facts_count > 0


def _cuts(folder, asked):
    if not asked.cuts:
        return True
    dice = random.Random(asked.seed)
    enrolled = certificates = cuts = 0
    began_s = time.monotonic()
    with trusted_site(folder) as site:
        for number in range(asked.cuts):
            code = f"cut-{number}"
            pi = Pi(site, code)
            site.write_enrol_file(code, site.claim(code))
            for _ in range(1 + dice.randrange(CUTS_EACH_MAX)):
                cuts += _cut_short(pi, dice.uniform(0.2, CUT_S_MAX))
            pi.start()
            try:
                wait_for(pi.identity.exists, timeout_s=60, what=f"{code} is enrolled")
                enrolled += 1
            finally:
                pi.kill()
            with site.database.read() as connection:
                certificates += len(registry.certificates_of(connection, code))
    _say(
        f"power cuts while enrolling: {asked.cuts} gateways, {cuts} cuts, {enrolled} enrolled,"
        f" {certificates} certificates, {time.monotonic() - began_s:.0f} s"
    )
    return enrolled == certificates == asked.cuts


def _cut_short(pi, after_s):
    """Start the gateway's program and kill it after so long, wherever it is."""
    pi.start_anyhow()
    time.sleep(after_s)
    os.kill(pi.program.pid, signal.SIGKILL)
    pi.program.wait()
    pi.program = None
    return 1


if __name__ == "__main__":
    main()
