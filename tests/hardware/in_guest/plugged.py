"""Plugs in a keyboard scanner, a scale and a serial scanner, and types what it is told. Root.

Each line that is written into the pipe /run/lab-type is typed on the scanner, with Enter.
"""

import os
from pathlib import Path

from tests.hardware.in_guest.hid_gadgets import HidScale, KeyboardScanner
from tests.hardware.in_guest.line_gadgets import AcmScanner

PIPE = Path("/run/lab-type")


def main():
    """Run until it is killed."""
    with KeyboardScanner("K00001") as keyboard, HidScale("H00001"), AcmScanner("A00001"):
        os.mkfifo(PIPE)
        while True:
            with PIPE.open() as pipe:  # Until its writer closes it.
                for line in pipe:
                    keyboard.type(f"{line.strip()}\n")


if __name__ == "__main__":
    main()
