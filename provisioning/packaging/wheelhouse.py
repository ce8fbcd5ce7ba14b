"""Collects the wheels that a product needs on a kind of machine, all locked. Edge of pip.

Enters: the source tree, the lock file, perhaps wheels that were built elsewhere. Leaves: a folder
of wheels and which of them which machine needs.
"""

import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioning.packaging.errors import ToolFailed, WheelMissing
from provisioning.packaging.locked import Locked, name_of_wheel, parse_lock
from provisioning.packaging.programs import run

# glibc 2.36 (Debian 12) and older; the newest first.
GLIBC_MINORS = (36, 35, 34, 31, 28, 27, 26, 24, 17, 12, 5)
PLATFORMS = (
    *(f"manylinux_2_{minor}" for minor in GLIBC_MINORS),
    "manylinux2014",
    "manylinux2010",
    "manylinux1",
)
# Nobody publishes wheels of these; they are built from their locked source where that is possible.
BUILT_FROM_SOURCE = ("evdev",)
OURS = "dockledger"


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of machine. python: "3.11"; machine: as uname -m says it, e.g. "aarch64"."""

    python: str
    machine: str

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Return the target in "3.13:aarch64"."""
        python, _, machine = text.partition(":")
        return cls(python, machine or platform.machine())


@dataclass(frozen=True, slots=True)
class Wheelhouse:
    """wheels: sorted file names of each target, all in `folder`. version: of our own wheel."""

    folder: Path
    version: str
    wheels: tuple[tuple[Target, tuple[str, ...]], ...]


def buildable(pythons: Sequence[str], extra: str) -> list[str]:
    """Return those of some Pythons for which everything can be had on this machine.

    What has no wheel anywhere needs the Python itself; the one that runs this is always there.
    """
    if extra != "gateway":
        return list(pythons)
    return [one for one in pythons if _python_of(Target.parse(one)) is not None]


def collect_wheels(
    source: Path,
    folder: Path,
    *,
    extra: str,
    targets: Sequence[Target],
    built: Sequence[Path] = (),
) -> Wheelhouse:
    """Fill a folder with the wheels of `dockledger[extra]` for every target.

    built: folders with wheels of `BUILT_FROM_SOURCE` for machines of another kind. Raises
    WheelMissing and ToolFailed.
    """
    locked = parse_lock((source / "constraints.txt").read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    ours = _own_wheel(source, folder)
    wheels = []
    for target in targets:
        part = folder / f"{target.python}-{target.machine}"
        part.mkdir(exist_ok=True)
        extra_wheels = [*built, *_built_here(target, part, locked, extra)]
        _download(ours, part, extra=extra, target=target, locked=locked, built=extra_wheels)
        names = []
        for path in sorted(part.glob("*.whl")):
            if name_of_wheel(path.name) != OURS:
                _check(path, locked)
            names.append(path.name)
            path.replace(folder / path.name)
        shutil.rmtree(part)
        wheels.append((target, tuple(names)))
    return Wheelhouse(folder, ours.name.split("-")[1], tuple(wheels))


def _own_wheel(source: Path, folder: Path) -> Path:
    hint = "Run this in a checkout, with the Python of its .venv (`make setup`)."
    # A copy: setuptools leaves a folder `build` with what once was in the tree.
    with_sources = folder / "source"
    shutil.rmtree(with_sources, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in ("gateway", "drivers", "central", "provisioning"):
        shutil.copytree(source / name, with_sources / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(source / name, with_sources / name)
    words = [*_pip(), "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    run([*words, str(with_sources)], hint=hint, environment=_environment())
    shutil.rmtree(with_sources)
    return next(folder.glob(f"{OURS}-*.whl"))


def _built_here(target: Target, part: Path, locked: Locked, extra: str) -> list[Path]:
    """Return a folder with what is built from source, if this machine is of the target's kind."""
    if extra != "gateway" or target.machine != platform.machine():
        return []
    python = _python_of(target)
    if python is None:
        return []
    into = part / "built"
    into.mkdir(exist_ok=True)
    for name in BUILT_FROM_SOURCE:
        wanted = part / f"{name}.txt"
        hashes = " ".join(f"--hash=sha256:{one}" for one in sorted(locked.digests[name]))
        wanted.write_text(f"{name}=={locked.versions[name]} {hashes}\n", encoding="utf-8")
        words = [python, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
        words += ["--no-deps", "--no-binary", name, "--require-hashes", "-w", str(into)]
        hint = f"Install python3-dev, python3-pip and gcc, or give a wheel of {name} by --wheels."
        run([*words, "-r", str(wanted)], hint=hint, environment=_environment())
        wanted.unlink()
    return [into]


def _python_of(target: Target) -> str | None:
    if target.python == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = shutil.which(f"python{target.python}")
    # pyenv has a shim for every Python that it knows, and starts the chosen ones alone.
    asked = "import sysconfig; print(sysconfig.get_python_version())"
    try:
        said = run([found, "-c", asked], hint="") if found else ""
    except ToolFailed:
        return None
    return found if said.strip() == target.python else None


def _download(
    ours: Path,
    part: Path,
    *,
    extra: str,
    target: Target,
    locked: Locked,
    built: Sequence[Path],
) -> None:
    constraints = part / "constraints.txt"
    constraints.write_text("\n".join(locked.constraints) + "\n", encoding="utf-8")
    digits = target.python.replace(".", "")
    words = [*_pip(), "download", "--quiet", "-c", str(constraints), "-d", str(part)]
    words += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", target.python]
    for abi in (f"cp{digits}", "abi3", "none"):
        words += ["--abi", abi]
    for system in (*PLATFORMS, "linux"):
        words += ["--platform", f"{system}_{target.machine}"]
    for folder in built:
        words += ["--find-links", str(folder)]
    hint = f"Give the folder of wheels built on a {target.machine} by --wheels."
    run([*words, f"{ours}[{extra}]", "pip"], hint=hint, environment=_environment())
    constraints.unlink()


def _check(path: Path, locked: Locked) -> None:
    name = name_of_wheel(path.name)
    if name in BUILT_FROM_SOURCE:
        return  # Its source was checked; what a compiler makes of it has no digest in the lock.
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest not in locked.digests.get(name, ()):
        raise WheelMissing(
            f"{path.name} is not the file that constraints.txt names",
            hint="Look at where pip downloads from; run `make lock` if a package was added.",
        )


def _pip() -> list[str]:
    return [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def _environment() -> dict[str, str]:
    # The sizes and digests of our own wheel depend on nothing but the sources.
    return os.environ | {"SOURCE_DATE_EPOCH": "1795000000", "PYTHONWARNINGS": "ignore"}
