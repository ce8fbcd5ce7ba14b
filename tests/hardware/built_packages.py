"""Packages and releases of what is checked out, made by the documented commands. Edge of pip.

packages-KEY/dist/       dockledger-central_*.deb, dockledger-gateway_*.deb, for this Python alone
packages-KEY/good/       release 0.x.y+1, signed
packages-KEY/bad/        release 0.x.y+2, signed; its gateway ends as soon as it is started
packages-KEY/update.key  the key that signed them, and update.key.pub
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.hardware.cache import BUILDING, building_alone, remove_unused
from tests.hardware.errors import LabUnusable
from tests.hardware.image import Say
from tests.hardware.packages import ROOT

FOLDERS = ("central", "drivers", "gateway", "provisioning", "systemd")
FILES = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")
TARGET = f"{sys.version_info.major}.{sys.version_info.minor}:{platform.machine()}"
BUILD_S_MAX = 1200
FAULT = ("gateway/service.py", "    configure_logs(", "    sys.exit(7)\n    configure_logs(")


@dataclass(frozen=True, slots=True)
class Packages:
    """What there is. version: of the packages; good, bad: of the releases."""

    folder: Path
    version: str
    good: str
    bad: str


def built_packages(cache: Path, say: Say, *, made: Path | None = None) -> Packages:
    """Return packages and releases of the checkout, from the cache if nothing has changed.

    made: a folder of them to be taken instead. Raises LabUnusable.
    """
    version = str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
    head, _, last = version.rpartition(".")
    good, bad = f"{head}.{int(last) + 1}", f"{head}.{int(last) + 2}"
    folder = made or cache / f"packages-{source_key()}"
    if not folder.is_dir():
        with building_alone(cache, say):
            if not folder.is_dir():  # Another run has built them in the meantime.
                _build(folder, say, good=good, bad=bad)
    return Packages(folder, version, good, bad)


def _build(folder: Path, say: Say, *, good: str, bad: str) -> None:
    say("building packages and releases")
    building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=folder.parent))
    try:
        fresh = building / "made"
        build_debs(fresh / "dist")
        _provision(ROOT, "release", "new-key", str(fresh / "update.key"))
        _release(building, fresh, name="good", version=good, fault=None)
        _release(building, fresh, name="bad", version=bad, fault=FAULT)
        for old in folder.parent.glob("packages-*"):
            remove_unused(old)
        fresh.replace(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def build_debs(target: Path) -> None:
    """Build both packages of the checkout into a folder. Raises LabUnusable."""
    for kind in ("central", "gateway"):
        _provision(ROOT, "deb", kind, "--to", str(target), "--target", TARGET)
        shutil.rmtree(target / f"{kind}.wheels")


def source_key() -> str:
    """Return what changes with everything that is packed."""
    digest = hashlib.sha256(TARGET.encode())
    for name in (*FOLDERS, *FILES):
        for path in sorted([ROOT / name] if name in FILES else (ROOT / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _release(
    building: Path, made: Path, *, name: str, version: str, fault: tuple[str, str, str] | None
) -> None:
    source = building / name
    for folder in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, source / folder, ignore=ignored)
    for file in FILES:
        shutil.copy(ROOT / file, source / file)
    project = source / "pyproject.toml"
    lines = project.read_text().splitlines(keepends=True)
    lines = [f'version = "{version}"\n' if one.startswith("version =") else one for one in lines]
    project.write_text("".join(lines))
    if fault is not None:
        path, text, other = source / fault[0], fault[1], fault[2]
        assert text in path.read_text(), fault
        path.write_text(path.read_text().replace(text, other, 1))
    key = str(made / "update.key")
    words = ["release", "build", str(made / name), "--key", key, "--ring", "rest=100"]
    _provision(source, *words, "--target", TARGET)
    shutil.rmtree(source)


def _provision(source: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "provisioning", *words],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=BUILD_S_MAX,
        check=False,
        env=os.environ | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode:
        raise LabUnusable(
            f"dockledger-provision {' '.join(words[:2])}: {done.stderr.strip()[-800:]}",
            hint="See what it says; packages need pip's index once, then its cache.",
        )
