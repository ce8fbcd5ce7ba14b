"""Brings the wheel under test and the tests of the guest into it, and runs them there. Loop."""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.hardware.emulator import PLUGGED, PLUGGED_PORT
from tests.hardware.errors import GuestFailed, LabUnusable
from tests.hardware.image import Say
from tests.hardware.machine import Machine
from tests.hardware.packages import ROOT, build_wheel, compile_folder
from tests.hardware.tools import tool

HERE = Path(__file__).parent
IN_GUEST = "/opt/dockledger"
WHEEL = "DOCKLEDGER_LAB_WHEEL"  # Where the wheel is, if somebody has built it already.
PLANTED = "planted"  # Folder of the copies with planted faults.
DISK_BYTES = 256 * 1024**2  # Sparse.
# The wheel's own packages first: what is tested is what is installed.
ENVIRONMENT = f"PYTHONPATH={IN_GUEST}/site:{IN_GUEST}:/opt/lab/packages PYTHONDONTWRITEBYTECODE=1"
# Of the tests, used in the guest.
SCENERY = (
    "central/scenery.py",
    "drivers/picture_printers.py",
    "drivers/test_scale_drivers.py",
    "drivers/waiting.py",
    "gateway/journal/samples.py",
    "postgresql.py",
    "ports.py",
)
RULES = "systemd/70-dockledger.rules"
PYTEST = "python3 -m pytest -q -p no:cacheprovider -p no:xdist -W error --timeout 600"


# File, text in it, another text instead.
Fault = tuple[str, str, str]


class UnderTest:
    """The wheel and the guest's tests as a folder that guests get; made once, then copied in.

    planted: by name, what is changed in a copy of the wheel beside it, for a control run that must
    fail.
    """

    def __init__(self, *, planted: Mapping[str, Sequence[Fault]] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
        content = self.folder / "content"
        try:
            with zipfile.ZipFile(os.environ.get(WHEEL) or build_wheel(self.folder)) as packed:
                packed.extractall(content / "site")
            self._copy_tests(content / "tests")
            (content / "rules").mkdir()
            shutil.copy(ROOT / RULES, content / "rules")
            compile_folder(content)
            for name, faults in (planted or {}).items():
                self._plant(content / PLANTED / name, faults)
            self.disk = self.folder / "disk.img"
            with self.disk.open("wb") as file:
                file.truncate(DISK_BYTES)
            words = ("-q", "-t", "ext4", "-O", "^has_journal", "-d", str(content), str(self.disk))
            tool("mke2fs", *words, what="making a disk of the wheel")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "UnderTest":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def bring_into(self, machine: Machine) -> None:
        """Give it to a guest, as a disk that is only read: copying it in takes seconds."""
        machine.plug_disk(PLUGGED, path=self.disk, port=PLUGGED_PORT)
        device = f"/dev/disk/by-id/virtio-{PLUGGED}"
        machine.run(f"mkdir -p {IN_GUEST} && mount -o ro {device} {IN_GUEST}")

    def close(self) -> None:
        """Forget it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _copy_tests(self, target: Path) -> None:
        for name in SCENERY:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(HERE.parent / name, target / name)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(HERE / "in_guest", target / "hardware/in_guest", ignore=ignored)
        for folder in [target, *target.rglob("*/")]:
            (folder / "__init__.py").touch()

    def _plant(self, site: Path, faults: Sequence[Fault]) -> None:
        shutil.copytree(self.folder / "content/site", site, copy_function=os.link)
        for name, text, other in faults:
            path = site / name
            code = path.read_text()
            if text not in code:
                raise LabUnusable(
                    f"{name} has no {text!r} to change", hint="Correct the planted fault."
                )
            path.unlink()  # The wheel's own file has another name for it.
            path.write_text(code.replace(text, other))
            for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
                compiled.unlink()
            compile_folder(path.parent)


def run_checks(
    machine: Machine,
    names: str,
    heard: Say,
    *,
    timeout_s: float,
    only: str = "",
    words: str = "",
    planted: str = "",
) -> None:
    """Run tests inside a guest; what they print is heard as they print it. Raises GuestFailed.

    names: patterns of their files. only: of the tests' names, as pytest's -k; "" for all. words:
    variables of their environment. planted: name of faults; their copy of the wheel is tested.
    """
    chosen = f"-s -o python_files='{names}' -k '{only}' tests/hardware"
    site = f"{PLANTED}/{planted}" if planted else "site"
    environment = ENVIRONMENT.replace(f"{IN_GUEST}/site", f"{IN_GUEST}/{site}")
    command = f"cd {IN_GUEST} && {words} {environment} {PYTEST} {chosen}"
    running = machine.begin(command, timeout_s=timeout_s, heard=heard)
    status = machine.end_of(running, timeout_s=timeout_s)
    if status:
        raise GuestFailed(f"tests inside the guest ended with status {status}")
