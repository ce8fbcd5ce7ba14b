"""Runs the hardware lab: builds what is missing, then every part of it. Root.

usage: python -m tests.hardware [--rebuild | --ready] [PART ...]

PART: devices    scanners, scales and printers through the kernel and the drivers
      plugging   hot-plug while the whole gateway works (PLUG_CYCLES=10; from 30 on ten a minute)
      cuts       power cuts of a working gateway, of central on SQLite and on PostgreSQL
                 (CYCLES=9 in all, SEED=1, SUBJECTS="gateway central-sqlite central-postgresql")
      controls   the same with planted faults, which must be found
      leaks      hot-plug with a planted leak, which must be found; only if it is named
      services   packages and shipped units under systemd, backups; only if it is named
      read-only-root  a gateway whose root is only read; only if it is named
      package    the gateway's package, installed by the guest; only if it is named
      first-boot power cuts of gateways in their first boot (CYCLES=9 of them, SEED=1, from the
                 FIRST=1st on: an ended campaign goes on); only if it is named
      same       builds the guest's Debian twice and compares; only if it is named

--ready builds and freezes the guest if need be, and runs no part.
With LAB_ARCHITECTURE=arm64 or amd64 guests have another kind of processor than this machine.
Where there is room for two guests, devices and plugging run beside cuts and controls.
"""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NoReturn

from tests.hardware.as_user import BUILD, REBUILD, built_image
from tests.hardware.back_in_service import BackInService, waited_s_of
from tests.hardware.cache import in_use
from tests.hardware.errors import GuestFailed, LabUnusable
from tests.hardware.first_boot_cards import SETTLED as FIRST_BOOT
from tests.hardware.first_boots import boot_gateways
from tests.hardware.freezing import freeze, resumable
from tests.hardware.guest_work import UnderTest, run_checks
from tests.hardware.guests import Guests, ReadiedGuests, Rehearsal
from tests.hardware.host import find_host, memory_bytes, refuse_foreign
from tests.hardware.image import Image, Say
from tests.hardware.installed_guest import guest_with
from tests.hardware.lanes import BEGUN, begun_s, lanes_of, run_lanes
from tests.hardware.machine import Machine
from tests.hardware.places import installed_tar
from tests.hardware.planted import CONTROLS, PLANTED
from tests.hardware.power_cuts import SUBJECTS, Subject, cut_power
from tests.hardware.same_twice import build_twice
from tests.hardware.scratch import scratch

HERE = Path(__file__).parent
EXIT_FAILED, EXIT_UNUSABLE = 1, 2
READY = "--ready"
CHECKS_S_MAX = 1800
# Prepared by running Debian at its speed.
OF_THIS_MACHINE = {"services", "read-only-root", "first-boot"}
CUTS_DEFAULT = 9
PLUG_CYCLES_DEFAULT = 10
CONTROL_CUTS_MAX = 10  # Of a planted fault, before it is said that the cuts do not bite.
# Of `in_guest/`, in one guest.
DEVICE_CHECKS = (
    "check_scanners.py check_scales.py check_printers.py check_tag_readers.py check_names.py"
)
LEAKS_FOUND = 2  # By the checks of `check_plugging.py` that look for leaks.


class Lab:
    """The parts of the lab on one built image; in a with-block, which forgets what it readied."""

    def __init__(self, image: Image, say: Say) -> None:
        self._image = image
        self._say = say
        self._kept = ExitStack()
        self._under_test: UnderTest | None = None
        self._readied: dict[Rehearsal, ReadiedGuests] = {}

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *_exc: object) -> None:
        self._kept.close()

    def devices(self) -> None:
        """Check each kind of device. Raises GuestFailed."""
        self._run_checks(DEVICE_CHECKS)
        # In a guest of its own: Linux 6.1 warns of itself when an adapter goes while it is asked.
        self._run_checks("check_gpio.py")

    def plugging(self) -> None:
        """Check hot-plug at the whole gateway. Raises GuestFailed."""
        cycles = f"PLUG_CYCLES={_number('PLUG_CYCLES', PLUG_CYCLES_DEFAULT)}"
        with Machine(self._image) as machine:
            self._wheel().bring_into(machine)
            back = BackInService(waited_s_of(machine), self._say)
            try:
                run_checks(
                    machine, "check_plugging.py", back.hear, timeout_s=CHECKS_S_MAX, words=cycles
                )
            finally:
                back.say_figures()
        back.judge()

    def leaks(self) -> None:
        """See a planted leak found by each check of hot-plug that looks. Raises GuestFailed."""
        said: list[str] = []
        found = "AssertionError: {'NETLINK': "
        with Machine(self._image) as machine:
            self._wheel().bring_into(machine)
            with suppress(GuestFailed):
                run_checks(
                    machine,
                    "check_plugging.py",
                    said.append,
                    timeout_s=CHECKS_S_MAX,
                    words=f"PLUG_CYCLES={PLUG_CYCLES_DEFAULT}",
                    planted="leak",
                )
        if "".join(said).count(found) != LEAKS_FOUND:
            raise GuestFailed(f"a leak was not found: {''.join(said)[-1500:]}")
        self._say("a socket that is left open at each replug is found")

    def cuts(self) -> None:
        """Cut the power of both programs. Raises GuestFailed if anything green was lost."""
        cycles, seed = _number("CYCLES", CUTS_DEFAULT), _number("SEED", 1)
        broken: list[str] = []
        names = os.environ.get("SUBJECTS", " ".join(SUBJECTS)).split()
        for place, name in enumerate(names):
            subject = SUBJECTS[name]
            report = cut_power(
                self._guests(subject),
                self._say,
                subject=subject,
                cycles=(cycles + place) // len(names),
                seed=seed,
                keeps_disk=True,
            )
            self._say(f"{name}: {report.text()}")
            if not report.kept:
                broken.append(f"{name}: lost {report.lost[:20]}, broken {report.broken[:3]}")
        if broken:
            raise GuestFailed(f"{'; '.join(broken)}; again with SEED={seed}")

    def controls(self) -> None:
        """See planted faults found: each must lose what was green. Raises GuestFailed if not."""
        missed: list[str] = []
        for control in CONTROLS:
            lies = not (control.planted or control.words)
            report = cut_power(
                self._guests(SUBJECTS[control.subject]),
                self._say,
                subject=SUBJECTS[control.subject],
                cycles=CONTROL_CUTS_MAX,
                seed=_number("SEED", 1),
                disk_lies=lies,
                fault=control.words,
                planted=control.planted,
            )
            name = f"{control.subject}, {control.name}"
            self._say(f"control, {name}: {report.text()}")
            # What lies may leave nothing whole that could be asked for what was green.
            if not (report.lost or (lies and report.broken)):
                missed.append(f"{name}: {report.broken or 'not found'}")
        if missed:
            raise GuestFailed(f"{'; '.join(missed)}: such cuts prove nothing")

    def services(self) -> None:
        """Check packages, units and the timers of backups. Raises GuestFailed."""
        self._play("check_services.py", "check_backups.py")

    def read_only_root(self) -> None:
        """Switch a gateway's root and cut its power, again and again. Raises GuestFailed."""
        self._play("check_read_only_root.py")

    def package(self) -> None:
        """Install the gateway's package in a guest and scan. Raises GuestFailed."""
        self._play("check_package.py")

    def first_boot(self) -> None:
        """Cut gateways in their first boot, each has to end enrolled. Raises GuestFailed."""
        host = find_host()
        installed = installed_tar(host, self._say)
        cycles, seed = _number("CYCLES", CUTS_DEFAULT), _number("SEED", 1)
        with in_use(installed.parent):
            image = guest_with(installed, FIRST_BOOT, host, self._say)
            first = _number("FIRST", 1)
            report = boot_gateways(image, self._say, cycles=cycles, seed=seed, first=first)
        self._say(report.text())
        if report.wrong:
            raise GuestFailed(f"{report.wrong}; again with SEED={seed}")

    def same(self) -> None:
        """Build the guest's Debian twice. Raises GuestFailed if the two differ."""
        build_twice(find_host(), self._say)

    def _play(self, *names: str) -> None:
        """Run tests on this side that type into a guest of their own."""
        words = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-s"]
        words += [str(HERE / name) for name in names]
        if subprocess.run(words, env=os.environ | {"SERVICES_IN": "guest"}, check=False).returncode:
            raise GuestFailed(f"{' or '.join(names)} found something")

    def _run_checks(self, names: str) -> None:
        with Machine(self._image) as machine:
            self._wheel().bring_into(machine)
            run_checks(machine, names, self._say_lines, timeout_s=CHECKS_S_MAX)

    def _say_lines(self, text: str) -> None:
        if text.strip():
            self._say(text.strip("\n"))

    def _wheel(self) -> UnderTest:
        if self._under_test is None:
            self._under_test = self._kept.enter_context(UnderTest(planted=PLANTED))
        return self._under_test

    def _guests(self, subject: Subject) -> Guests:
        """Return guests that are ready for a subject; they are made once."""
        found = self._readied.get(subject.rehearsal)
        if found is None:
            found = ReadiedGuests(
                self._image, self._wheel(), self._say, rehearsal=subject.rehearsal
            )
            self._readied[subject.rehearsal] = self._kept.enter_context(found)
        return found


def main() -> int:
    """Run the named parts, all by default; exit status 1 if one fails, 2 if none can be run."""
    words = sys.argv[1:]
    rebuild = REBUILD in words
    parts = [word for word in words if word not in {BUILD, REBUILD, READY}]
    known = ("devices", "plugging", "cuts", "controls")
    more = ("leaks", "services", "read-only-root", "package", "first-boot", "same")
    all_parts = (*known, *more)
    if unknown := set(parts) - set(all_parts):
        print(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(all_parts)}")
        return EXIT_UNUSABLE
    begin = begun_s()
    for ends in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(ends) != signal.SIG_IGN:  # As under nohup.
            signal.signal(ends, _end)  # Whoever holds something gives it back.

    def say(text: str) -> None:
        print(f"[{time.monotonic() - begin:5.0f} s] {text}", flush=True)

    try:
        with scratch():
            image = _prepare(parts, say, rebuild=rebuild)
            if BUILD in words:
                return 0
            with in_use(image.folder):
                if READY in words:
                    resumable(image, say)
                    return 0
                return _run(parts or known, image, say, since_s=begin)
    except (LabUnusable, GuestFailed) as error:
        hint = error.hint if isinstance(error, LabUnusable) else "Run the lab with --rebuild."
        print(f"The lab cannot work: {error}\n{hint}", file=sys.stderr)
        return EXIT_UNUSABLE


def _prepare(parts: Sequence[str], say: Say, *, rebuild: bool) -> Image:
    """Return the guest's image, built if need be. Raises LabUnusable."""
    host = find_host()
    if OF_THIS_MACHINE & set(parts):
        refuse_foreign(host, "packages of these parts")
    return built_image(host, say, rebuild=rebuild)


def _run(parts: Sequence[str], image: Image, say: Say, *, since_s: float) -> int:
    """Run parts, side by side where there is room; return the status. Raises GuestFailed."""
    if BEGUN in os.environ:  # A lane: whoever began it has looked.
        freeze(image, say)
    else:
        resumable(image, say)
    cores_count = os.cpu_count() or 1
    lanes = lanes_of(parts, cores_count=cores_count, memory_bytes=memory_bytes())
    if len(lanes) == 1:
        return _run_parts(lanes[0], image, say)
    status = run_lanes(lanes, since_s=since_s)
    say("something failed" if status else "all of it held")
    return status


def _run_parts(parts: Sequence[str], image: Image, say: Say) -> int:
    """Run parts one after the other, each whatever became of those before; return the status."""
    failed = []
    at = ""

    def say_of_part(text: str) -> None:
        say(f"{at}: {text}")

    with Lab(image, say_of_part) as lab:
        for at in parts:
            say(f"{at} ...")
            begin_s, before_s = time.monotonic(), _processors_s()
            try:
                getattr(lab, at.replace("-", "_"))()
            except (GuestFailed, OSError) as error:  # OSError: the disk of this machine is full.
                say(f"{at} FAILED: {error}")
                failed.append(at)
            took_s, worked_s = time.monotonic() - begin_s, _processors_s() - before_s
            say(f"{at} took {took_s:.0f} s, and {worked_s:.0f} s of processors")
    say(f"failed: {', '.join(failed)}" if failed else f"held: {', '.join(parts)}")
    return EXIT_FAILED if failed else 0


def _processors_s() -> float:
    """Return the seconds of processors that this and all guests so far took: of no busy machine."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _end(number: int, _frame: object) -> NoReturn:
    for again in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(again, signal.SIG_IGN)  # What gives things back is not ended in the middle.
    print(f"ended by {signal.Signals(number).name}", file=sys.stderr, flush=True)
    sys.exit(EXIT_FAILED)


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


if __name__ == "__main__":
    sys.exit(main())
