"""Which of our Python packages a guest gets, locked as in constraints.txt. Edge of pip."""

import compileall
import platform
import py_compile
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from provisioning.packaging.wheelhouse import BUILT_FROM_SOURCE, PLATFORMS
from tests.hardware.errors import LabUnusable

ROOT = Path(__file__).parents[2]
WANTED = ("dockledger[gateway,central]", "pytest", "pytest-timeout")
# 60 MB that print documents for people at central, and ours, which comes as the wheel under test.
LEFT_OUT = frozenset({"dockledger", "typst"})
BLOCK_NAME = re.compile(r"^([A-Za-z0-9._-]+)==")


def locked_requirements(constraints: str, names: Iterable[str]) -> str:
    """Return of a locked file the parts of the named packages, hashes and all."""
    wanted = {canonicalize_name(name) for name in names}
    kept: list[str] = []
    keeping = False
    for line in constraints.splitlines():
        found = BLOCK_NAME.match(line)
        if found:
            keeping = canonicalize_name(found[1]) in wanted
        if keeping and line[:1] not in {"#", ""}:
            kept.append(line)
    return "\n".join(kept) + "\n"


def needed_packages() -> list[str]:
    """Return the names of all packages that WANTED need here, sorted. Raises LabUnusable."""
    found: set[str] = set()
    waiting = [Requirement(one) for one in WANTED]
    while waiting:
        asked = waiting.pop()
        for extra in (*asked.extras, ""):
            key = f"{canonicalize_name(asked.name)}[{extra}]"
            if key in found:
                continue
            found.add(key)
            for text in _requires(asked.name):
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append(needed)
    names = {key.partition("[")[0] for key in found}
    return sorted(names - LEFT_OUT)


def install_packages(target: Path, *, machine: str = "", wheels: Sequence[Path] = ()) -> None:
    """Put them into a folder, from the locked file with its hashes. Raises LabUnusable.

    machine: for which kind of processor, the kernel's word, "" for this machine's. wheels: for
    another than that, of what nobody publishes as a wheel.
    """
    target.mkdir(parents=True)
    names = set(needed_packages())
    words = ["--require-hashes", "--no-deps", "--no-compile", "--target", str(target)]
    if machine not in {"", platform.machine()}:
        names -= set(BUILT_FROM_SOURCE)
        words += ["--only-binary", ":all:"]
        for system in (*PLATFORMS, "linux"):
            words += ["--platform", f"{system}_{machine}"]
    requirements = target.with_suffix(".txt")
    requirements.write_text(locked_requirements((ROOT / "constraints.txt").read_text(), names))
    pip("install", *words, "-r", str(requirements))
    requirements.unlink()
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(target)
    compile_folder(target)


def compile_folder(folder: Path) -> None:
    """Compile all modules in a folder: under emulation that would take most of a program's start.

    The guest has the Python of this minor version, whose bytecode is the same; if it were another,
    it would compile them itself.
    """
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, quiet=2, invalidation_mode=mode)


def build_wheel(target: Path) -> Path:
    """Build the wheel under test into a folder and return it. Raises LabUnusable."""
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(target), str(ROOT))
    (wheel,) = target.glob("dockledger-*.whl")
    return wheel


def pip(*words: str) -> None:
    """Run pip. Raises LabUnusable with what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabUnusable(
            f"pip {words[0]} failed: {done.stderr.strip()[-600:]}",
            hint="See what pip says; without a network the lab needs the cache of an earlier run.",
        )


def _requires(name: str) -> list[str]:
    try:
        return distribution(name).requires or []
    except PackageNotFoundError as error:
        raise LabUnusable(
            f"package {name} is not installed here", hint="Run `make setup` first."
        ) from error
