"""Cuts the power of a working gateway or central, again and again, and counts promises. Loop.

Each cycle resumes a guest on the same data disk, checks what the cut before has left, starts the
program under load, and cuts: at a random moment, or in a write soon after it, where the disk holds
what is not flushed. The guest dies; of that the disk keeps nothing, all or a random choice of
sectors.
"""

import random
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from tests.hardware.cut_disk import Cut, CutDisk
from tests.hardware.errors import GuestFailed
from tests.hardware.guests import FOLDER_REHEARSED, PROGRAMS, Guests, Rehearsal
from tests.hardware.image import Say
from tests.hardware.machine import Machine
from tests.hardware.promises import broken_claims, read_look, read_paper
from tests.hardware.scratch import keep
from tests.hardware.tools import tool

LOAD_S = (0.2, 4.0)  # From the first green scan to the cut, or to the wait for a write.
# In which write after that; 0 does not wait for one. A program that syncs each scan has something
# unflushed for a hundredth of the time: cuts at random moments alone would nearly all miss it.
WRITES = (0, 1, 1, 2, 3, 5, 8)
WRITE_S_MAX = 5.0
FIRST_GREEN_S_MAX = 900
LOOK_S_MAX = 300
SAID_MAX = 1500  # Characters, of what a look says that is not whole.
FOLDER = "/data"
DEVICE = "/dev/disk/by-id/virtio-data"
GREEN = re.compile(r"GREEN (\d+)\n")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is cut. load: the program that works. look: the one that says what is left.

    words: which both get. rehearsed: instead of them, before the guest is frozen. program: module
    of what is cut. disk_bytes: of the disk that loses its power; sparse.
    """

    load: str
    look: str
    words: str = ""
    rehearsed: str = ""
    program: str = ""
    disk_bytes: int = 96 * 1024 * 1024

    @property
    def rehearsal(self) -> Rehearsal:
        """What is to be done for a guest that has read what load and look will need."""
        return Rehearsal(
            (self.program, f"{PROGRAMS}.{self.load}", f"{PROGRAMS}.{self.look}"),
            (
                f"{self.load} {FOLDER_REHEARSED} 1 {self.rehearsed}",
                f"{self.look} {FOLDER_REHEARSED} {self.rehearsed}",
            ),
        )


# What a test run cuts: it is over in a few seconds.
JOURNAL_ALONE = Subject("appended_facts", "facts_after_cut")
SUBJECTS = {
    "gateway": Subject("green_scans", "journal_after_cut", program="gateway.service"),
    "central-sqlite": Subject(
        "acked_batches",
        "ledger_after_cut",
        "sqlite",
        rehearsed="sqlite",
        program="central.__main__",
    ),
    "central-postgresql": Subject(
        "acked_batches",
        "ledger_after_cut",
        "postgresql",
        rehearsed="sqlite",  # The same modules, without making a cluster first.
        program="central.__main__",
        disk_bytes=384 * 1024 * 1024,
    ),
}
TORN = "was corrupt, replay was aborted"  # What e2fsck 1.47 says of it.


@dataclass(slots=True)
class CutReport:
    """What a campaign found. lost: numbers of scans or facts that were green and are gone.

    broken: what a journal or a file system said of itself that was not whole, or a print queue of
    its labels. paper: numbers of the labels that came out. jobs: how many ended in which way.
    torn_count: how often the file system's own last commit was torn, and left out.
    """

    cuts: list[Cut] = field(default_factory=list)
    greens_count: int = 0
    paper: list[int] = field(default_factory=list)
    jobs: dict[str, int] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    torn_count: int = 0

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not self.lost and not self.broken

    def text(self) -> str:
        """Return it in a line."""
        pending = [cut.pending_count for cut in self.cuts if cut.pending_count]
        survived = sum(cut.survived_count for cut in self.cuts)
        jobs = ", ".join(f"{count} {state}" for state, count in sorted(self.jobs.items()))
        labels = f"; {len(self.paper)} labels on paper ({jobs})" if self.paper else ""
        return (
            f"{len(self.cuts)} cuts, {self.greens_count} green, {len(self.lost)} lost,"
            f" {len(self.broken)} broken; {sum(pending)} sectors not flushed at {len(pending)} of"
            f" the cuts, {survived} survived, {self.torn_count} torn commits of ext4{labels}"
        )


def cut_power(
    guests: Guests,
    say: Say,
    *,
    subject: Subject,
    cycles: int,
    seed: int,
    disk_lies: bool = False,
    fault: str = "",
    planted: str = "",
    keeps_disk: bool = False,
) -> CutReport:
    """Cut the power of a subject so often, until a promise is broken. Raises GuestFailed.

    disk_lies: about flushing, from the first green scan on. fault: words for the program under load
    that make it break its promises. planted: name of faults in the wheel that it is of.
    keeps_disk: for whoever looks into a broken promise.
    """
    chooser, report = random.Random(seed), CutReport()
    green: list[int] = []
    with _data_disk(subject, report, say if keeps_disk else None) as disk:
        for cycle in range(cycles + 1):
            begin = time.monotonic()
            with guests.machine() as machine:
                guests.enter(machine)
                machine.plug_disk("data", socket=disk.socket)
                if not _mounted(machine, report):
                    break
                if cycle and not _checked(machine, guests, subject, green, report):
                    break
                if cycle == cycles:
                    break
                words = f"{FOLDER} {max(green, default=0) + 1} {subject.words} {fault}"
                command = guests.command(f"{subject.load} {words}", planted=planted)
                fresh = _loaded_and_cut(machine, command, disk, chooser, lies=disk_lies)
                report.paper += read_paper(machine.console())
            green += fresh
            report.greens_count = len(green)
            report.cuts.append(disk.cut(chooser))
            last = report.cuts[-1]
            say(
                f"cut {cycle + 1} of {cycles}: {len(fresh)} green, {last.pending_count} sectors"
                f" not flushed, {last.survived_count} survived, {time.monotonic() - begin:.1f} s"
            )
    return report


@contextmanager
def _data_disk(subject: Subject, report: CutReport, say: Say | None) -> Iterator[CutDisk]:
    """Yield an empty disk with a file system; say where it stays if a promise was broken."""
    folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
    data = folder / "data.img"
    with data.open("wb") as file:
        file.truncate(subject.disk_bytes)
    tool("mke2fs", "-q", "-t", "ext4", str(data), what="making the data disk")
    disk, silent = CutDisk(data, folder / "disk"), False
    try:
        yield disk
    except GuestFailed:
        silent = True
        raise
    finally:
        disk.close()
        if say is not None and (silent or not report.kept):
            say(f"the disk as it was left: {keep(data)}")
        shutil.rmtree(folder)


def _mounted(machine: Machine, report: CutReport) -> bool:
    """Check and mount the disk as a boot does; say in the report what the check had to mend.

    Linux before 6.10 refuses a journal of ext4 whose last commit was torn (jbd2 then told it from
    corruption by nothing): systemd-fsck, which runs at each boot, ends it before that transaction.
    """
    said = machine.run(
        f"mkdir -p {FOLDER}; /sbin/e2fsck -p {DEVICE} 2>&1; [ $? -lt 4 ]"
        f" && mount {DEVICE} {FOLDER} 2>&1 || echo FAILED",
        checked=False,
    )
    if "FAILED" in said:
        report.broken.append(f"the file system: {said.strip()}")
        return False
    report.torn_count += TORN in said
    return True


def _checked(
    machine: Machine, guests: Guests, subject: Subject, green: list[int], report: CutReport
) -> bool:
    command = guests.command(f"{subject.look} {FOLDER} {subject.words}")
    said = machine.run(command, timeout_s=LOOK_S_MAX, checked=False)
    left = read_look(said)
    if left is None:
        report.broken.append(said.partition("SERIALS")[0].strip()[-SAID_MAX:])
        return False
    report.lost += sorted(set(green) - left.serials)
    report.broken += broken_claims(left, report.paper)
    report.jobs = {state: len(numbers) for state, numbers in left.jobs.items()}
    # One that was under way may be there without having been green: it counts from now on.
    green[:] = sorted(left.serials | set(green))
    return report.kept


def _loaded_and_cut(
    machine: Machine, command: str, disk: CutDisk, chooser: random.Random, *, lies: bool
) -> list[int]:
    heard: list[str] = []
    begun = Event()

    def hear(text: str) -> None:
        heard.append(text)
        if GREEN.search("".join(heard[-2:])):
            begun.set()

    running = machine.begin(command, timeout_s=1200, heard=hear)
    deadline = time.monotonic() + FIRST_GREEN_S_MAX
    while not begun.wait(1.0):
        if not running.ended.empty() or time.monotonic() > deadline:
            raise GuestFailed(f"nothing became green:\n{running.text()[-2500:]}")
    if lies:
        disk.lie()
    load_s, writes_count = chooser.uniform(*LOAD_S), chooser.choice(WRITES)
    time.sleep(load_s)
    if writes_count:
        disk.stop_after(writes_count)
        disk.stopped.wait(WRITE_S_MAX)
    machine.cut()
    return [int(number) for number in GREEN.findall(running.text())]
