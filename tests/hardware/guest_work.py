"""Brings the wheel under test and the tests of the guest into it, and runs them there. Loop."""

import shutil
import tempfile
import zipfile
from pathlib import Path

from tests.hardware.errors import GuestFailed, LabUnusable
from tests.hardware.image import Say
from tests.hardware.machine import Machine
from tests.hardware.packages import build_wheel

HERE = Path(__file__).parent
IN_GUEST = "/opt/dockledger"
# The wheel's own packages first: what is tested is what is installed.
ENVIRONMENT = f"PYTHONPATH={IN_GUEST}/site:{IN_GUEST}:/opt/lab/packages PYTHONDONTWRITEBYTECODE=1"
PYTEST = "python3 -m pytest -q -p no:cacheprovider -p no:xdist -W error --timeout 240"


class UnderTest:
    """The wheel and the guest's tests as a folder that guests get; made once, then copied in.

    fault: (file, text, other text) to plant into the copy, for a control run that must fail.
    """

    def __init__(self, *, fault: tuple[str, str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
        try:
            wheel = build_wheel(self.folder)
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(self.folder / "site")
            wheel.unlink()
            if fault is not None:
                self._plant(*fault)
            target = self.folder / "tests/hardware"
            target.mkdir(parents=True)
            (self.folder / "tests/central").mkdir()
            for package in ("tests", "tests/hardware", "tests/central"):
                (self.folder / package / "__init__.py").touch()
            shutil.copy(HERE.parent / "central/scenery.py", self.folder / "tests/central")
            shutil.copytree(
                HERE / "in_guest", target / "in_guest", ignore=shutil.ignore_patterns("__pycache__")
            )
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "UnderTest":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def bring_into(self, machine: Machine) -> None:
        """Copy it into a guest."""
        machine.send_folder(self.folder, IN_GUEST)

    def close(self) -> None:
        """Forget it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _plant(self, name: str, text: str, other: str) -> None:
        path = self.folder / "site" / name
        code = path.read_text()
        if text not in code:
            raise LabUnusable(
                f"{name} has no {text!r} to change", hint="Correct the planted fault."
            )
        path.write_text(code.replace(text, other))


def run_checks(machine: Machine, names: str, say: Say, *, timeout_s: float) -> None:
    """Run tests inside a guest; what they print comes out as they print it. Raises GuestFailed."""
    command = f"cd {IN_GUEST} && {ENVIRONMENT} {PYTEST} -o python_files='{names}' tests/hardware"
    running = machine.begin(command, timeout_s=timeout_s, heard=lambda text: say(text.rstrip("\n")))
    status = machine.end_of(running, timeout_s=timeout_s)
    if status:
        raise GuestFailed(f"tests inside the guest ended with status {status}")
