"""Says which facts a journal holds after a cut, and whether it is whole. Root.

usage: python3 -m tests.hardware.in_guest.facts_after_cut FOLDER

Prints `VERIFIED` or what is wrong, then `SERIALS` and the numbers of all facts.
"""

import sys
from contextlib import closing
from pathlib import Path

from gateway.journal.reading import open_reader
from gateway.journal.verify import tail_facts, verify_journal

JOURNAL = "journal.db"
COUNT_MAX = 100_000


def main():
    with closing(open_reader(Path(sys.argv[1]) / JOURNAL)) as reader:
        findings = verify_journal(reader).findings
        print(f"BROKEN {findings}" if findings else "VERIFIED")
        print("SERIALS", *(int(fact.serial[1:]) for _, fact in tail_facts(reader, COUNT_MAX)))


if __name__ == "__main__":
    main()
