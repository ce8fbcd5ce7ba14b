"""Cuts the power of a working gateway or central, again and again, and counts promises. Loop.

Each cycle resumes a guest on the same data disk, checks what the cut before has left, starts the
program under load, and cuts at a random moment: the guest dies, and of what it had not flushed the
disk keeps nothing, everything or a random choice of sectors.
"""

import random
import re
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from tests.hardware.cut_disk import Cut, CutDisk
from tests.hardware.errors import GuestFailed
from tests.hardware.guest_work import ENVIRONMENT, IN_GUEST, UnderTest
from tests.hardware.image import Image, Say, tool
from tests.hardware.machine import Machine

DATA_BYTES = 96 * 1024 * 1024
LOAD_S = (0.2, 6.0)  # From the first green scan to the cut.
FIRST_GREEN_S_MAX = 300
FOLDER = "/data"
DEVICE = "/dev/disk/by-id/virtio-data"
# By what is cut: the program that works under load, and the one that looks what is left.
SUBJECTS = {
    "gateway": ("green_scans", "journal_after_cut"),
    "central": ("acked_batches", "ledger_after_cut"),
}
GREEN = re.compile(r"GREEN (\d+)\n")


@dataclass(slots=True)
class CutReport:
    """What a campaign found. lost: numbers of scans or facts that were green and are gone.

    broken: what a journal or a file system said of itself that was not whole.
    """

    cuts: list[Cut] = field(default_factory=list)
    greens_count: int = 0
    lost: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not self.lost and not self.broken

    def text(self) -> str:
        """Return it in a line."""
        pending = sum(cut.pending_count for cut in self.cuts)
        survived = sum(cut.survived_count for cut in self.cuts)
        return (
            f"{len(self.cuts)} cuts, {self.greens_count} green, {len(self.lost)} lost,"
            f" {len(self.broken)} broken; {pending} sectors not flushed, {survived} survived"
        )


def cut_power(
    image: Image,
    under_test: UnderTest,
    say: Say,
    *,
    subject: str,
    cycles: int,
    seed: int,
    disk_lies: bool = False,
) -> CutReport:
    """Cut the power of one of SUBJECTS so often, until a promise is broken. Raises GuestFailed."""
    chooser, report = random.Random(seed), CutReport()
    folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
    data = folder / "data.img"
    with data.open("wb") as file:
        file.truncate(DATA_BYTES)
    tool("mke2fs", "-q", "-t", "ext4", str(data), what="making the data disk")
    disk = CutDisk(data, folder / "disk", lies=disk_lies)
    green: list[int] = []
    try:
        for cycle in range(cycles + 1):
            begin = time.monotonic()
            with Machine(image) as machine:
                under_test.bring_into(machine)
                machine.plug_disk("data", socket=disk.socket)
                if not _mounted(machine, report):
                    break
                if cycle and not _checked(machine, SUBJECTS[subject][1], green, report):
                    break
                if cycle == cycles:
                    break
                first = max(green, default=0) + 1
                fresh = _loaded_and_cut(machine, SUBJECTS[subject][0], chooser, first=first)
            green += fresh
            report.greens_count = len(green)
            report.cuts.append(disk.cut(chooser))
            last = report.cuts[-1]
            say(
                f"cut {cycle + 1} of {cycles}: {len(fresh)} green, {last.pending_count} sectors"
                f" not flushed, {last.survived_count} survived, {time.monotonic() - begin:.1f} s"
            )
    finally:
        disk.close()
        shutil.rmtree(folder)
    return report


def _mounted(machine: Machine, report: CutReport) -> bool:
    said = machine.run(
        f"mkdir -p {FOLDER}; mount {DEVICE} {FOLDER} 2>&1 || echo FAILED", checked=False
    )
    if "FAILED" in said:
        report.broken.append(f"the file system: {said.strip()}")
        return False
    return True


def _checked(machine: Machine, program: str, green: list[int], report: CutReport) -> bool:
    command = f"{ENVIRONMENT} python3 -m tests.hardware.in_guest.{program} {FOLDER}"
    said = machine.run(f"cd {IN_GUEST}; {command}", timeout_s=300, checked=False)
    serials = re.search(r"^SERIALS(.*)$", said, re.MULTILINE)
    if serials is None or "VERIFIED" not in said:
        report.broken.append(said.strip()[-600:])
        return False
    kept = {int(word) for word in serials[1].split()}
    report.lost += sorted(set(green) - kept)
    # One that was under way may be there without having been green: it counts from now on.
    green[:] = sorted(kept | set(green))
    return not report.lost


def _loaded_and_cut(
    machine: Machine, program: str, chooser: random.Random, *, first: int
) -> list[int]:
    heard: list[str] = []
    begun = Event()

    def hear(text: str) -> None:
        heard.append(text)
        if GREEN.search("".join(heard[-2:])):
            begun.set()

    command = f"{ENVIRONMENT} python3 -m tests.hardware.in_guest.{program} {FOLDER} {first}"
    running = machine.begin(f"cd {IN_GUEST}; {command}", timeout_s=600, heard=hear)
    deadline = time.monotonic() + FIRST_GREEN_S_MAX
    while not begun.wait(1.0):
        if not running.ended.empty() or time.monotonic() > deadline:
            raise GuestFailed(f"nothing became green:\n{running.text()[-2500:]}")
    time.sleep(chooser.uniform(*LOAD_S))
    machine.cut()
    return [int(number) for number in GREEN.findall(running.text())]
