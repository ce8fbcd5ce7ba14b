"""Compiles, for another kind of processor, what nobody publishes as a wheel. Edge of compilers.

The locked source is built by Debian's own compiler and Python of that kind, in a root that is
thrown away; the builder (setuptools) is this machine's, since Debian's is older than it wants.
"""

import shutil
from importlib.metadata import distribution
from pathlib import Path

from provisioning.packaging.wheelhouse import BUILT_FROM_SOURCE as NAMES
from tests.hardware.foreign import programs_of
from tests.hardware.host import Host, archive_hint
from tests.hardware.packages import ROOT, locked_requirements, pip
from tests.hardware.tools import tool

COMPILER = "gcc,libc6-dev,linux-libc-dev,python3-dev,python3"
BUILD = (
    "import os, sys; os.chdir(sys.argv[1]); sys.path.insert(0, '/build/tools');"
    " from setuptools import build_meta; build_meta.build_wheel('/build/wheels')"
)


def compiled_wheels(host: Host, building: Path) -> list[Path]:
    """Return wheels for the guest of what pip finds none of; from the cache if they are there.

    building: a folder to work in. None are needed for guests of this machine's kind: pip builds
    them. Raises LabUnusable.
    """
    if not host.is_foreign:
        return []
    folder = wheels_folder(host)
    if not folder.is_dir():
        with programs_of(host.architecture):
            made = _compiled(host, building)
        folder.parent.mkdir(exist_ok=True)
        made.replace(folder)
    return sorted(folder.glob("*.whl"))


def wheels_folder(host: Host) -> Path:
    """Return where the wheels of the locked versions are, or would be."""
    lock = locked_requirements((ROOT / "constraints.txt").read_text(), NAMES)
    versions = [line.split()[0].replace("==", "-") for line in lock.splitlines() if "==" in line]
    return host.cache / f"wheels-{host.suite}-{host.architecture}-{'-'.join(versions)}"


def _compiled(host: Host, building: Path) -> Path:
    root = building / "compiler"
    tool(
        "mmdebstrap",
        "--quiet",
        "--variant=extract",
        f"--architectures={host.architecture}",
        f"--include={COMPILER}",
        "--aptopt=APT::Install-Recommends false",
        host.suite,
        str(root),
        f"deb {host.mirror} {host.suite} main",
        what="fetching a compiler",
        hint=archive_hint(host),
    )
    wheels = root / "build/wheels"
    for folder in (wheels, root / "build/tools", root / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    _copy_builder(root / "build/tools")
    for name in NAMES:
        source = root / "build" / name
        shutil.unpack_archive(_locked_source(name, building), source, filter="data")
        (inside,) = source.iterdir()
        words = ("chroot", str(root), "python3", "-c", BUILD, f"/build/{name}/{inside.name}")
        tool(*words, what=f"compiling {name} for {host.architecture}")
    return wheels


def _copy_builder(target: Path) -> None:
    for file in distribution("setuptools").files or []:
        if file.suffix != ".pyc" and ".." not in file.parts:
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(str(file.locate())), target / file)


def _locked_source(name: str, building: Path) -> Path:
    wanted = building / f"{name}.txt"
    wanted.write_text(locked_requirements((ROOT / "constraints.txt").read_text(), (name,)))
    folder = building / f"source-{name}"
    pip(
        "download",
        *("--no-deps", "--no-build-isolation", "--no-binary", name, "--require-hashes"),
        *("-r", str(wanted), "-d", str(folder)),
    )
    (source,) = folder.glob("*.tar.gz")
    return source
