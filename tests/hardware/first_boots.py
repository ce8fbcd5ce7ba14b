"""Cuts the power of gateways in their first boot, and counts who they are in the end. Loop.

Each gateway has a disk of its own that loses its power (`first_boot_cards`). It is cut at a random
moment of its first boot, some of them again, then boots until it is enrolled at a central on this
machine, and is cut once more. How long a first boot is tells one that nobody cuts. Moments and
limits are in work of the emulator, or in time without the wait for a core: a busy machine changes
nothing of them.
"""

import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.gateway.identity.https_central import https_central
from tests.hardware.back_in_service import own_s_of
from tests.hardware.enrolled import Stage, look_at, stage_of
from tests.hardware.errors import GuestFailed, LabUnusable
from tests.hardware.first_boot_cards import CardedGateway
from tests.hardware.image import Image, Say
from tests.hardware.machine import Machine
from tests.hardware.scratch import keep

ANSWER_CPU_S = 0.6  # Three times what it takes to keep the certificate after its question.
NEAR = 0.5  # Of the cuts fall there.
LATE = 1.5  # Of a first boot's work: who has not asked central by then is cut there.
LOOK_S = 0.02
ASK_CPU_S, ASK_S = 2.0, 5.0  # Between two questions to the guest, each of which is work for it.
ENROLLED_S_MAX = 900.0  # Of the guest's own time: some twenty times what it takes.
AGAIN = 0.25  # Of the cut ones are cut a second time.
WRONG_MAX = 3  # So many, and the others are spared.


@dataclass(slots=True)
class BootReport:
    """What a campaign found. at: how many cuts in the first boot came at which stage.

    unheard_count: cuts after which central had given a certificate that the gateway did not have.
    wrong: by gateway, what is not as it has to be.
    """

    cuts_count: int = 0
    enrolled_count: int = 0
    unheard_count: int = 0
    at: Counter[Stage] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return it in a line."""
        stages = ", ".join(f"{count} {stage}" for stage, count in self.at.items())
        return (
            f"{self.cuts_count} cuts in the first boot ({stages}), {self.unheard_count} between"
            f" central's answer and its certificate; {self.enrolled_count} gateways enrolled with"
            f" one certificate each, {len(self.wrong)} wrong"
        )


def boot_gateways(image: Image, say: Say, *, cycles: int, seed: int, first: int = 1) -> BootReport:
    """Cut so many gateways in their first boot, the first of them by its number.

    One that is wrong, or never enrols, is told and its disk kept; the others go on. Raises
    GuestFailed if even one that nobody cuts does not enrol, LabUnusable if none would be cut.
    """
    if first > cycles:
        raise LabUnusable(
            f"the first of the gateways is number {first}, the last one number {cycles}",
            hint="Give CYCLES that are not below FIRST.",
        )
    report = BootReport()
    folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
    try:
        with https_central(folder) as central:
            with CardedGateway("lab-000", folder, central) as gateway:
                boot_s, wrong = _enrol(gateway, image, random.Random(seed))
            if wrong:
                raise GuestFailed(f"a first boot that nobody cuts: {wrong}")
            say(f"a first boot that nobody cuts takes {boot_s:.1f} s of work")
            for number in range(first, cycles + 1):
                begin_s, chooser = time.monotonic(), random.Random(f"{seed}/{number}")
                with CardedGateway(f"lab-{number:03}", folder, central) as gateway:
                    told = _cut_until_enrolled(gateway, image, chooser, report, boot_s=boot_s)
                say(f"{number} of {cycles}: cut {told}; {time.monotonic() - begin_s:.1f} s")
                if len(report.wrong) == WRONG_MAX:
                    break
    finally:
        shutil.rmtree(folder)
    return report


def _cut_until_enrolled(
    gateway: CardedGateway,
    image: Image,
    chooser: random.Random,
    report: BootReport,
    *,
    boot_s: float,
) -> str:
    stages: list[Stage] = []
    try:
        while not stages or chooser.random() < AGAIN:
            with Machine(image) as machine:
                asks = "enrolled" not in stages
                _boot_and_cut(machine, gateway, chooser, boot_s=boot_s, asks=asks)
            gateway.disk.cut(chooser)
            stages.append(stage_of(gateway.file))
            report.cuts_count += 1
            report.at[stages[-1]] += 1
            report.unheard_count += bool(gateway.serials()) and stages[-1] != "enrolled"
        _, wrong = _enrol(gateway, image, chooser)
    except GuestFailed as error:
        wrong = str(error)
    told = ", ".join(stages)
    if not wrong:
        report.enrolled_count += 1
        return told
    report.wrong[gateway.code] = wrong
    return f"{told}; WRONG: {wrong}; its disk: {keep(gateway.file)}"


def _enrol(gateway: CardedGateway, image: Image, chooser: random.Random) -> tuple[float, str]:
    """Boot until it is enrolled, cut once more; return the work of it, and what is wrong then.

    Raises GuestFailed if it does not enrol.
    """
    with Machine(image) as machine:
        begin_s, own_s = machine.cpu_s(), own_s_of(machine)
        gateway.boot(machine)
        while not gateway.is_enrolled(machine):
            if own_s() >= ENROLLED_S_MAX:
                said = machine.run("journalctl --no-pager -o cat -n 60", checked=False)
                raise GuestFailed(f"{gateway.code} does not enrol:\n{said[-4000:]}")
            asked_cpu_s, asked_s = machine.cpu_s(), own_s()
            while machine.cpu_s() - asked_cpu_s < ASK_CPU_S and own_s() - asked_s < ASK_S:
                time.sleep(LOOK_S)
        boot_s = machine.cpu_s() - begin_s
        machine.cut()
    gateway.disk.cut(chooser)
    return boot_s, look_at(gateway.file, gateway.code, gateway.serials())


def _boot_and_cut(
    machine: Machine,
    gateway: CardedGateway,
    chooser: random.Random,
    *,
    boot_s: float,
    asks: bool,
) -> None:
    """Cut after a part of the work that a first boot is, which a busy machine does not change.

    Or, so that the worst moment is met often, just after central has been asked. asks: whether it
    will be: who is enrolled does so no more.
    """
    near, work_s = chooser.random() < NEAR and asks, chooser.uniform(0.0, boot_s)
    after_s = chooser.uniform(0.0, ANSWER_CPU_S)
    if near:
        work_s = boot_s * LATE
    begin_s, asked_s, own_s = machine.cpu_s(), None, own_s_of(machine)
    asked_count = len(gateway.central.requests)
    boots = threading.Thread(target=_boot_to_the_cut, args=(gateway, machine), daemon=True)
    boots.start()
    while own_s() < ENROLLED_S_MAX:
        now_s = machine.cpu_s()
        if asked_s is None and len(gateway.central.requests) > asked_count:
            asked_s = now_s
        if near and asked_s is not None and now_s - asked_s >= after_s:
            break
        if now_s - begin_s >= work_s:
            break
        time.sleep(LOOK_S)
    machine.cut()
    boots.join()


def _boot_to_the_cut(gateway: CardedGateway, machine: Machine) -> None:
    with suppress(GuestFailed, OSError):  # The cut came before it was booted.
        gateway.boot(machine)
