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
from tests.hardware.promises import broken_claims, read_look, read_paper

LOAD_S = (0.2, 6.0)  # From the first green scan to the cut.
FIRST_GREEN_S_MAX = 900
FOLDER = "/data"
DEVICE = "/dev/disk/by-id/virtio-data"
GREEN = re.compile(r"GREEN (\d+)\n")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is cut. load: the program that works. look: the one that says what is left.

    words: which both get. disk_bytes: of the disk that loses its power; sparse.
    """

    load: str
    look: str
    words: str = ""
    disk_bytes: int = 96 * 1024 * 1024


# What a test run cuts: it is over in a few seconds.
JOURNAL_ALONE = Subject("appended_facts", "facts_after_cut")
SUBJECTS = {
    "gateway": Subject("green_scans", "journal_after_cut"),
    "central-sqlite": Subject("acked_batches", "ledger_after_cut", "sqlite"),
    "central-postgresql": Subject(
        "acked_batches", "ledger_after_cut", "postgresql", disk_bytes=384 * 1024 * 1024
    ),
}


@dataclass(slots=True)
class CutReport:
    """What a campaign found. lost: numbers of scans or facts that were green and are gone.

    broken: what a journal or a file system said of itself that was not whole, or a print queue of
    its labels. paper: numbers of the labels that came out. jobs: how many ended in which way.
    """

    cuts: list[Cut] = field(default_factory=list)
    greens_count: int = 0
    paper: list[int] = field(default_factory=list)
    jobs: dict[str, int] = field(default_factory=dict)
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
        jobs = ", ".join(f"{count} {state}" for state, count in sorted(self.jobs.items()))
        labels = f"; {len(self.paper)} labels on paper ({jobs})" if self.paper else ""
        return (
            f"{len(self.cuts)} cuts, {self.greens_count} green, {len(self.lost)} lost,"
            f" {len(self.broken)} broken; {pending} sectors not flushed, {survived} survived"
            f"{labels}"
        )


def cut_power(
    image: Image,
    under_test: UnderTest,
    say: Say,
    *,
    subject: Subject,
    cycles: int,
    seed: int,
    disk_lies: bool = False,
    fault: str = "",
) -> CutReport:
    """Cut the power of a subject so often, until a promise is broken. Raises GuestFailed.

    fault: words for the program under load that make it break its promises.
    """
    chooser, report = random.Random(seed), CutReport()
    folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
    data = folder / "data.img"
    with data.open("wb") as file:
        file.truncate(subject.disk_bytes)
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
                if cycle and not _checked(machine, subject, green, report):
                    break
                if cycle == cycles:
                    break
                words = f"{max(green, default=0) + 1} {subject.words} {fault}"
                fresh = _loaded_and_cut(machine, subject.load, chooser, words=words)
                report.paper += read_paper(machine.console())
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


def _checked(machine: Machine, subject: Subject, green: list[int], report: CutReport) -> bool:
    command = f"python3 -m tests.hardware.in_guest.{subject.look} {FOLDER} {subject.words}"
    said = machine.run(f"cd {IN_GUEST}; {ENVIRONMENT} {command}", timeout_s=300, checked=False)
    left = read_look(said)
    if left is None:
        report.broken.append(said.strip()[-600:])
        return False
    report.lost += sorted(set(green) - left.serials)
    report.broken += broken_claims(left, report.paper)
    report.jobs = {state: len(numbers) for state, numbers in left.jobs.items()}
    # One that was under way may be there without having been green: it counts from now on.
    green[:] = sorted(left.serials | set(green))
    return report.kept


def _loaded_and_cut(
    machine: Machine, program: str, chooser: random.Random, *, words: str
) -> list[int]:
    heard: list[str] = []
    begun = Event()

    def hear(text: str) -> None:
        heard.append(text)
        if GREEN.search("".join(heard[-2:])):
            begun.set()

    command = f"{ENVIRONMENT} python3 -m tests.hardware.in_guest.{program} {FOLDER} {words}"
    running = machine.begin(f"cd {IN_GUEST}; {command}", timeout_s=1200, heard=hear)
    deadline = time.monotonic() + FIRST_GREEN_S_MAX
    while not begun.wait(1.0):
        if not running.ended.empty() or time.monotonic() > deadline:
            raise GuestFailed(f"nothing became green:\n{running.text()[-2500:]}")
    time.sleep(chooser.uniform(*LOAD_S))
    machine.cut()
    return [int(number) for number in GREEN.findall(running.text())]
