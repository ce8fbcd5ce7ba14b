"""Runs the hardware lab: builds what is missing, then every part of it. Root.

usage: python -m tests.hardware [--rebuild] [PART ...]

PART: devices    scanners, scales and printers through the kernel and the drivers
      plugging   hot-plug while the whole gateway works (PLUG_CYCLES=10)
      cuts       power cuts of a working gateway, and of central on SQLite (CYCLES=5, SEED=1)
      controls   the same with planted faults, which must be found
"""

import os
import sys
import time
from collections.abc import Callable

from tests.hardware.errors import GuestFailed, LabUnusable
from tests.hardware.freezing import freeze
from tests.hardware.guest_work import UnderTest, run_checks
from tests.hardware.host import find_host
from tests.hardware.image import Image, image_for
from tests.hardware.machine import Machine
from tests.hardware.power_cuts import SUBJECTS, cut_power

EXIT_FAILED, EXIT_UNUSABLE = 1, 2
CHECKS_S_MAX = 1800
CUTS_DEFAULT = 5
CONTROL_CUTS_MAX = 10  # Of a planted fault, before it is said that the cuts do not bite.
# What is cut, what is wrong, and the change to a copy of the wheel; None: the disk lies.
CONTROLS: tuple[tuple[str, str, tuple[str, str, str] | None], ...] = (
    ("gateway", "a disk that lies about flushing", None),
    (
        "gateway",
        "synchronous=NORMAL",
        ("gateway/journal/files.py", "synchronous = FULL", "synchronous = NORMAL"),
    ),
    (
        "central",
        "synchronous=NORMAL",
        ("central/storage/database.py", "synchronous = FULL", "synchronous = NORMAL"),
    ),
)


class Lab:
    """The parts of the lab on one built image."""

    def __init__(self, image: Image, say: Callable[[str], None]) -> None:
        self._image = image
        self._say = say

    def devices(self) -> None:
        """Check each kind of device. Raises GuestFailed."""
        self._run_checks("check_sc*.py")

    def plugging(self) -> None:
        """Check hot-plug at the whole gateway. Raises GuestFailed."""
        self._run_checks("check_plugging.py")

    def cuts(self) -> None:
        """Cut the power of both programs. Raises GuestFailed if anything green was lost."""
        cycles, seed = _number("CYCLES", CUTS_DEFAULT), _number("SEED", 1)
        with UnderTest() as under_test:
            for subject in SUBJECTS:
                report = cut_power(
                    self._image,
                    under_test,
                    self._say,
                    subject=subject,
                    cycles=cycles,
                    seed=seed,
                )
                self._say(f"{subject}: {report.text()}")
                if not report.kept:
                    lost = f"lost {report.lost[:20]}, broken {report.broken[:3]}"
                    raise GuestFailed(f"{subject}: {lost}; again with SEED={seed}")

    def controls(self) -> None:
        """See planted faults found: each must lose what was green. Raises GuestFailed if not."""
        for subject, name, fault in CONTROLS:
            with UnderTest(fault=fault) as under_test:
                report = cut_power(
                    self._image,
                    under_test,
                    self._say,
                    subject=subject,
                    cycles=CONTROL_CUTS_MAX,
                    seed=_number("SEED", 1),
                    disk_lies=fault is None,
                )
            self._say(f"control, {subject}, {name}: {report.text()}")
            if report.kept:
                cuts = f"{CONTROL_CUTS_MAX} cuts"
                raise GuestFailed(f"{subject}, {name}: not found in {cuts}: they prove nothing")

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
    if unknown := set(parts) - set(known):
        print(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return EXIT_UNUSABLE
    begin = time.monotonic()

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


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


if __name__ == "__main__":
    sys.exit(main())
