"""Reads the modules of the programs under test, then runs what it is asked, in children. Root.

usage: python3 -m tests.hardware.in_guest.standing_by MODULE ...

MODULEs are read first. Each line that is written into the pipe /run/lab-asked is a folder with a
copy of the wheel to run instead, or `-`, then a module and its words; what it says comes out of the
pipe /run/lab-said, and at the end `ENDED status`. A line `REHEARSED` has the modules read that the
children before it have read: from then on each child has them.
"""

import importlib
import os
import sys
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path

from tests.hardware.in_guest import programs

ASKED, SAID = Path("/run/lab-asked"), Path("/run/lab-said")
MODULES = Path("/run/lab-modules")
KEPT = frozenset({"tests.hardware.in_guest.programs", "tests.hardware.in_guest", "__main__"})
RESEED = 0x5207  # RNDRESEEDCRNG, linux/random.h: a resumed guest has the numbers of the frozen one.


def main(*modules):
    for module in modules:
        importlib.import_module(module)
    os.environ[programs.MODULES] = str(MODULES)
    while True:
        site, *words = ASKED.read_text().split()  # Until its writer closes it.
        if site == "REHEARSED":
            _read_modules()
            del os.environ[programs.MODULES]
            SAID.write_text("ENDED 0\n")
            continue
        pid = os.fork()
        if not pid:
            _run(site, *words)
        os.waitpid(pid, 0)


def _run(site, module, *words):
    """Run one program in this child."""
    with Path("/dev/urandom").open("wb") as pool:
        ioctl(pool, RESEED)
    said = os.open(SAID, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(said, number)
    if site != "-":
        _forget_ours(Path(site))
    programs.hold()
    status = programs.become(module, words)
    programs.note_modules()
    os.write(1, f"ENDED {status}\n".encode())
    os._exit(0)


def _forget_ours(site):
    """Have our modules read again, from another copy of the wheel; libraries stay."""
    ours = {path.name for path in site.iterdir() if path.suffix != ".dist-info"} | {"tests"}
    for name in list(sys.modules):
        if name.partition(".")[0] in ours and name not in KEPT:
            del sys.modules[name]
    sys.path.insert(0, str(site))
    os.environ["PYTHONPATH"] = f"{site}:{os.environ['PYTHONPATH']}"


def _read_modules():
    for name in dict.fromkeys(MODULES.read_text().split()):
        if name != "__main__" and name not in sys.modules:
            with suppress(ImportError):  # One that another makes up.
                importlib.import_module(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
