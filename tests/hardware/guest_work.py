"""Brings the wheel under test and the tests of the guest into it, and runs them there. Loop."""

import shutil
import tempfile
import zipfile
from pathlib import Path

from tests.hardware.errors import GuestFailed, LabUnusable
from tests.hardware.image import DISK_PORTS, Say, tool
from tests.hardware.machine import Machine
from tests.hardware.packages import build_wheel, compile_folder

HERE = Path(__file__).parent
IN_GUEST = "/opt/dockledger"
DISK, DISK_BYTES = "under-test", 256 * 1024**2  # Sparse.
# The wheel's own packages first: what is tested is what is installed.
ENVIRONMENT = f"PYTHONPATH={IN_GUEST}/site:{IN_GUEST}:/opt/lab/packages PYTHONDONTWRITEBYTECODE=1"
# Of the tests, used in the guest.
SCENERY = ("central/scenery.py", "gateway/journal/samples.py", "postgresql.py", "ports.py")
PYTEST = "python3 -m pytest -q -p no:cacheprovider -p no:xdist -W error --timeout 240"


class UnderTest:
    """The wheel and the guest's tests as a folder that guests get; made once, then copied in.

    fault: (file, text, other text) to plant into the copy, for a control run that must fail.
    """

    def __init__(self, *, fault: tuple[str, str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
        try:
            wheel, content = build_wheel(self.folder), self.folder / "content"
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(content / "site")
            wheel.unlink()
            if fault is not None:
                self._plant(*fault)
            target = content / "tests/hardware"
            target.mkdir(parents=True)
            for name in SCENERY:
                (content / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(HERE.parent / name, content / "tests" / name)
            for folder in [content / "tests", *(content / "tests").rglob("*/")]:
                (folder / "__init__.py").touch()
            shutil.copytree(
                HERE / "in_guest", target / "in_guest", ignore=shutil.ignore_patterns("__pycache__")
            )
            compile_folder(content)
            self._disk = self.folder / "disk.img"
            with self._disk.open("wb") as file:
                file.truncate(DISK_BYTES)
            words = ("-q", "-t", "ext4", "-O", "^has_journal", "-d", str(content), str(self._disk))
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
        machine.plug_disk(DISK, path=self._disk, port=DISK_PORTS - 2)
        device = f"/dev/disk/by-id/virtio-{DISK}"
        machine.run(f"mkdir -p {IN_GUEST} && mount -o ro {device} {IN_GUEST}")

    def close(self) -> None:
        """Forget it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _plant(self, name: str, text: str, other: str) -> None:
        path = self.folder / "content/site" / name
        code = path.read_text()
        if text not in code:
            raise LabUnusable(
                f"{name} has no {text!r} to change", hint="Correct the planted fault."
            )
        path.write_text(code.replace(text, other))


def run_checks(machine: Machine, names: str, say: Say, *, timeout_s: float, only: str = "") -> None:
    """Run tests inside a guest; what they print comes out as they print it. Raises GuestFailed.

    names: patterns of their files. only: of the tests' names, as pytest's -k; "" for all.
    """
    chosen = f"-o python_files='{names}' -k '{only}' tests/hardware"
    command = f"cd {IN_GUEST} && {ENVIRONMENT} {PYTEST} {chosen}"
    running = machine.begin(command, timeout_s=timeout_s, heard=lambda text: say(text.rstrip("\n")))
    status = machine.end_of(running, timeout_s=timeout_s)
    if status:
        raise GuestFailed(f"tests inside the guest ended with status {status}")
