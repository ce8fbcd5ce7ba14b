"""Guests for one cut after the other, each with the wheel in it: fresh ones or readied ones. Loop.

A fresh guest reads the modules of what it runs each time: ten seconds and more under emulation. A
readied one was frozen once more, after a rehearsal: they are in its memory, and `standing_by.py`
runs what it is asked. The programs are the same, from their `main`.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.hardware.errors import GuestFailed
from tests.hardware.guest_work import ENVIRONMENT, IN_GUEST, PLANTED, UnderTest
from tests.hardware.image import Image, Say
from tests.hardware.machine import Machine

PROGRAMS = "tests.hardware.in_guest"
ASKED, SAID, LOG = "/run/lab-asked", "/run/lab-said", "/run/lab-standing-by.log"
FOLDER_REHEARSED = "/tmp/rehearsal"  # In the guest.
REHEARSAL_S_MAX = 1200


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What makes a guest ready. modules: read first. programs: run then, with their words."""

    modules: tuple[str, ...]
    programs: tuple[str, ...]


class Guests(Protocol):
    """Where guests of one kind come from."""

    def machine(self) -> Machine:
        """Return one that is to be started."""
        ...

    def enter(self, machine: Machine) -> None:
        """Bring the wheel into one that has started."""
        ...

    def command(self, words: str, *, planted: str = "") -> str:
        """Return what a shell in it runs for a program of `in_guest/` with its words.

        planted: name of the faults in the copy of the wheel that it is to run.
        """
        ...


@dataclass(frozen=True, slots=True)
class FreshGuests:
    """Guests that get the wheel when they have started."""

    image: Image
    under_test: UnderTest

    def machine(self) -> Machine:
        """Return one that is to be started."""
        return Machine(self.image)

    def enter(self, machine: Machine) -> None:
        """Bring the wheel into one that has started."""
        self.under_test.bring_into(machine)

    def command(self, words: str, *, planted: str = "") -> str:
        """Return what a shell in it runs for a program of `in_guest/` with its words."""
        assert not planted  # Who plants faults cuts often: he has readied guests.
        return f"cd {IN_GUEST}; {ENVIRONMENT} python3 -m {PROGRAMS}.{words}"


class ReadiedGuests:
    """Guests of an image of their own in a folder that is gone after the with-block."""

    def __init__(
        self, image: Image, under_test: UnderTest, say: Say, *, rehearsal: Rehearsal
    ) -> None:
        """Boot, rehearse and freeze. Raises GuestFailed."""
        say(f"readying a guest: {', '.join(words.split()[0] for words in rehearsal.programs)}")
        self._disk = under_test.disk
        self._folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
        self._image = Image(self._folder, image.architecture)
        try:
            for path in (image.kernel, image.initrd, image.disk):
                (self._folder / path.name).symlink_to(path)
            with Machine(image) as machine:
                under_test.bring_into(machine)
                self._rehearse(machine, rehearsal)
                machine.freeze(image=self._image)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "ReadiedGuests":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def machine(self) -> Machine:
        """Return one that is to be started."""
        return Machine(self._image, plugged=self._disk)

    def enter(self, machine: Machine) -> None:
        """Do nothing: the wheel is in it."""

    def command(self, words: str, *, planted: str = "") -> str:
        """Return what a shell in it runs for a program of `in_guest/` with its words."""
        site = f"{IN_GUEST}/{PLANTED}/{planted}" if planted else "-"
        return f"echo {site} {PROGRAMS}.{words} > {ASKED}; cat {SAID}"

    def close(self) -> None:
        """Forget the image."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _rehearse(self, machine: Machine, rehearsal: Rehearsal) -> None:
        words = " ".join(rehearsal.modules)
        stand_by = f"{ENVIRONMENT} setsid python3 -m {PROGRAMS}.standing_by {words}"
        machine.run(f"mkdir {FOLDER_REHEARSED}; mkfifo {ASKED} {SAID}")
        machine.run(f"cd {IN_GUEST}; {stand_by} </dev/null >{LOG} 2>&1 &")
        for words in rehearsal.programs:
            said = machine.run(self.command(words), timeout_s=REHEARSAL_S_MAX, checked=False)
            if "ENDED 0" not in said:
                log = machine.run(f"cat {LOG}; tail -n 30 {FOLDER_REHEARSED}/*.log", checked=False)
                raise GuestFailed(f"the rehearsal of {words}: {said[-1500:]}\n{log[-1500:]}")
        machine.run(f"echo REHEARSED > {ASKED}; cat {SAID}", timeout_s=REHEARSAL_S_MAX)
        machine.run(f"rm -r {FOLDER_REHEARSED}; sync; dmesg -c > /dev/null")
