"""Runs the hardware lab: builds what is missing, then every part of it. Root.

usage: python -m tests.hardware [--rebuild] [PART ...]

PART: devices    scanners, scales and printers through the kernel and the drivers
      plugging   hot-plug while the whole gateway works (PLUG_CYCLES=10)
      cuts       power cuts of a working gateway, of central on SQLite and on PostgreSQL
                 (CYCLES=9 in all, SEED=1)
      controls   the same with planted faults, which must be found
      services   packages and shipped units under systemd; only if it is named
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tests.hardware.errors import GuestFailed, LabUnusable
from tests.hardware.freezing import freeze
from tests.hardware.guest_work import UnderTest, run_checks
from tests.hardware.host import find_host
from tests.hardware.image import Image, image_for
from tests.hardware.machine import Machine
from tests.hardware.power_cuts import SUBJECTS, cut_power

HERE = Path(__file__).parent
EXIT_FAILED, EXIT_UNUSABLE = 1, 2
CHECKS_S_MAX = 1800
CUTS_DEFAULT = 9
CONTROL_CUTS_MAX = 10  # Of a planted fault, before it is said that the cuts do not bite.


@dataclass(frozen=True, slots=True)
class Control:
    """A planted fault, which cuts must find. change: (file, text, other) in a copy of the wheel.

    words: for the program under load. Without either the disk lies about flushing.
    """

    subject: str
    name: str
    change: tuple[str, str, str] | None = None
    words: str = ""


CONTROLS = (
    Control("gateway", "a disk that lies about flushing"),
    Control(
        "gateway",
        "synchronous=NORMAL",
        ("gateway/journal/files.py", "synchronous = FULL", "synchronous = NORMAL"),
    ),
    Control(
        "central-sqlite",
        "synchronous=NORMAL",
        ("central/storage/database.py", "synchronous = FULL", "synchronous = NORMAL"),
    ),
    Control("central-postgresql", "synchronous_commit=off", words="synchronous_commit=off"),
)


class Lab:
    """The parts of the lab on one built image."""

    def __init__(self, image: Image, say: Callable[[str], None]) -> None:
        self._image = image
        self._say = say

    def devices(self) -> None:
        """Check each kind of device. Raises GuestFailed."""
        self._run_checks("check_sc*.py")
        # In a guest of its own: Linux 6.1 warns of itself when an adapter goes while it is asked.
        self._run_checks("check_gpio.py")

    def plugging(self) -> None:
        """Check hot-plug at the whole gateway. Raises GuestFailed."""
        self._run_checks("check_plugging.py")

    def cuts(self) -> None:
        """Cut the power of both programs. Raises GuestFailed if anything green was lost."""
        cycles, seed = _number("CYCLES", CUTS_DEFAULT), _number("SEED", 1)
        with UnderTest() as under_test:
            for place, (name, subject) in enumerate(SUBJECTS.items()):
                report = cut_power(
                    self._image,
                    under_test,
                    self._say,
                    subject=subject,
                    cycles=(cycles + place) // len(SUBJECTS),
                    seed=seed,
                )
                self._say(f"{name}: {report.text()}")
                if not report.kept:
                    lost = f"lost {report.lost[:20]}, broken {report.broken[:3]}"
                    raise GuestFailed(f"{name}: {lost}; again with SEED={seed}")

    def controls(self) -> None:
        """See planted faults found: each must lose what was green. Raises GuestFailed if not."""
        for control in CONTROLS:
            with UnderTest(fault=control.change) as under_test:
                report = cut_power(
                    self._image,
                    under_test,
                    self._say,
                    subject=SUBJECTS[control.subject],
                    cycles=CONTROL_CUTS_MAX,
                    seed=_number("SEED", 1),
                    disk_lies=not (control.change or control.words),
                    fault=control.words,
                )
            name = f"{control.subject}, {control.name}"
            self._say(f"control, {name}: {report.text()}")
            if report.kept:
                cuts = f"{CONTROL_CUTS_MAX} cuts"
                raise GuestFailed(f"{name}: not found in {cuts}: they prove nothing")

    def services(self) -> None:
        """Check packages and units. Raises GuestFailed."""
        self._play("check_services.py")

    def _play(self, name: str) -> None:
        """Run tests on this side that type into a guest of their own."""
        words = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-s", str(HERE / name)]
        if subprocess.run(words, env=os.environ | {"SERVICES_IN": "guest"}, check=False).returncode:
            raise GuestFailed(f"{name} found something")

    def _run_checks(self, names: str) -> None:
        with UnderTest() as under_test, Machine(self._image) as machine:
            under_test.bring_into(machine)
            run_checks(machine, names, self._say, timeout_s=CHECKS_S_MAX)


def main() -> int:
    """Run the named parts, all by default; exit status 1 if one fails, 2 if none can be run."""
    words = sys.argv[1:]
    rebuild = "--rebuild" in words
    parts = [word for word in words if word != "--rebuild"]
    known = ("devices", "plugging", "cuts", "controls")
    all_parts = (*known, "services")
    if unknown := set(parts) - set(all_parts):
        print(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(all_parts)}")
        return EXIT_UNUSABLE
    begin = time.monotonic()
    signal.signal(signal.SIGTERM, _end)  # As Ctrl-C: whoever holds something gives it back.

    def say(text: str) -> None:
        print(f"[{time.monotonic() - begin:5.0f} s] {text}", flush=True)

    try:
        image = image_for(find_host(), say, rebuild=rebuild)
        freeze(image, say)
        lab, failed = Lab(image, say), []
        for part in parts or known:
            say(f"{part} ...")
            try:
                getattr(lab, part)()
            except GuestFailed as error:
                say(f"{part} FAILED: {error}")
                failed.append(part)
    except (LabUnusable, GuestFailed) as error:
        hint = error.hint if isinstance(error, LabUnusable) else "Run the lab with --rebuild."
        print(f"The lab cannot work: {error}\n{hint}", file=sys.stderr)
        return EXIT_UNUSABLE
    say(f"failed: {', '.join(failed)}" if failed else "everything held")
    return EXIT_FAILED if failed else 0


def _end(_number: int, _frame: object) -> NoReturn:
    sys.exit(EXIT_FAILED)


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


if __name__ == "__main__":
    sys.exit(main())
