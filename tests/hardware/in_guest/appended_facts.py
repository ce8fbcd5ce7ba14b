"""Appends facts without end to a gateway's journal alone; prints each number that is durable. Root.

usage: python3 -m tests.hardware.in_guest.appended_facts FOLDER FIRST

The gateway without devices, station and page: what a test run has time for.
"""

import sys
from pathlib import Path

from tests.gateway.journal.samples import movement, open_journal
from tests.hardware.in_guest.facts_after_cut import JOURNAL

FACTS_AT_ONCE = 3


def main():
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    journal = open_journal(folder / JOURNAL, nonce=number)
    while True:
        numbers = range(number, number + FACTS_AT_ONCE)
        journal.append([movement(serial=f"N{one:07d}", quantity="1") for one in numbers])
        print("".join(f"GREEN {one}\n" for one in numbers), end="", flush=True)
        number += FACTS_AT_ONCE


if __name__ == "__main__":
    main()
