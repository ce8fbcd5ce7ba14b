"""Builds the environment of a release beside the one that runs. Edge of Python's packaging.

    /opt/dockledger-gateway/
    |-- releases/0.1.0/     a virtual environment, with .complete once it may be used
    |-- releases/0.2.0/
    `-- current -> releases/0.1.0

pip is one of the wheels of a release and runs out of its wheel: the machine needs no pip of its
own, and nothing is looked up on a network.
"""

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from provisioning.updating.errors import BuildInterrupted, EnvironmentBroken, NoRoom
from provisioning.updating.files import (
    remove_tree,
    replace_file,
    replace_link,
    sync_disk,
    sync_folder,
)
from provisioning.updating.manifest import Manifest, ReleaseFile
from provisioning.updating.source import check_file, check_room

COMPLETE_FILE = ".complete"
CURRENT_LINK = "current"
RELEASES_FOLDER = "releases"
PIP_LIMIT_S = 1800.0  # A card of the slow sort.
START_LIMIT_S = 120.0
OUTPUT_CHARACTERS_MAX = 600
# By these systemd and the kernel end what is no fault of a release: a reboot, too little memory.
ENDED_FROM_OUTSIDE = {-signal.SIGTERM, -signal.SIGKILL, -signal.SIGINT, -signal.SIGHUP}
HINT = "Report this with the version; the release that runs is not touched."


def own_python() -> str:
    """Return the Python for which wheels are wanted here, such as "3.11"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def own_machine() -> str:
    """Return the kind of machine, such as "x86_64" or "aarch64"."""
    return platform.machine()


def current_version(root: Path) -> str:
    """Return the version that is current, "" if none is."""
    try:
        return (root / CURRENT_LINK).readlink().name
    except OSError:
        return ""


def is_complete(root: Path, version: str) -> bool:
    """Return whether the environment of a version was built to its end, for the Python here.

    Debian's next edition has another Python, for which it is built again.
    """
    try:
        said = (root / RELEASES_FOLDER / version / COMPLETE_FILE).read_text(encoding="utf-8")
    except OSError:
        return False
    return said == _complete(version)


def switch(root: Path, version: str) -> None:
    """Make a version current; durable on return. What runs goes on until it is started again."""
    replace_link(root / CURRENT_LINK, f"{RELEASES_FOLDER}/{version}")


def build(root: Path, manifest: Manifest, files: tuple[ReleaseFile, ...], wheels: Path) -> None:
    """Build the environment of a release; complete and durable on return.

    files: of this machine, in the folder `wheels`. Raises ReleaseRefused if one of them is not what
    was promised, NoRoom, EnvironmentBroken, BuildInterrupted.
    """
    folder = root / RELEASES_FOLDER / manifest.version
    if is_complete(root, manifest.version):
        return
    remove_tree(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    check_room(folder.parent, sum(one.size_bytes for one in files))
    for one in files:
        check_file(wheels / one.name, one)
    try:
        _run([sys.executable, "-I", "-m", "venv", "--without-pip", str(folder)], PIP_LIMIT_S)
        _install(folder, files, wheels)
        _run([str(folder / "bin" / manifest.product), "--help"], START_LIMIT_S)
        sync_disk(folder)  # All of its thousands of files, before it is called complete.
        replace_file(folder / COMPLETE_FILE, _complete(manifest.version).encode())
        sync_folder(folder.parent)
    except OSError as error:
        remove_tree(folder)
        raise NoRoom(
            f"the environment cannot be written: {error.strerror}",
            hint="Free some space on the disk; nothing was changed.",
        ) from error
    except EnvironmentBroken:
        remove_tree(folder)
        raise


def remove_others(root: Path, kept: Collection[str]) -> None:
    """Remove environments that nobody goes back to, whole or half built."""
    releases = root / RELEASES_FOLDER
    if not releases.is_dir():
        return
    for folder in releases.iterdir():
        if folder.name not in kept:
            remove_tree(folder)


def _complete(version: str) -> str:
    return f"{version} for Python {own_python()}\n"


def _install(folder: Path, files: tuple[ReleaseFile, ...], wheels: Path) -> None:
    pip = next((one.name for one in files if one.name.startswith("pip-")), None)
    if pip is None:
        raise EnvironmentBroken("the release holds no pip to install it with", hint=HINT)
    requirements = folder / "requirements.txt"
    lines = [
        f"{(wheels / one.name).absolute()} --hash=sha256:{one.sha256}\n"
        for one in files
        if one.name != pip
    ]
    requirements.write_text("".join(lines), encoding="utf-8")
    # The environment's own Python runs pip out of the wheel; -I: nothing of ours is in its way.
    words = [str(folder / "bin/python"), "-I", str(wheels / pip / "pip"), "install"]
    words += ["--no-index", "--no-deps", "--no-cache-dir", "--require-hashes", "--no-input"]
    words += ["--disable-pip-version-check", "--quiet", "-r", str(requirements)]
    _run(words, PIP_LIMIT_S)


def _run(words: list[str], limit_s: float) -> None:
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb", "COLUMNS": "100"}
    for name in ("HOME", "TMPDIR"):
        if name in os.environ:
            environment[name] = os.environ[name]
    try:
        done = subprocess.run(  # noqa: S603 - words of ours, no shell
            words, capture_output=True, timeout=limit_s, check=False, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentBroken(f"{words[0]} takes more than {limit_s} s", hint=HINT) from error
    if done.returncode in ENDED_FROM_OUTSIDE:
        raise BuildInterrupted(
            f"{words[0]} was ended by signal {-done.returncode}",
            hint="Wait: it is begun again by itself.",
        )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[-OUTPUT_CHARACTERS_MAX:]
        raise EnvironmentBroken(f"{words[0]} ended with {done.returncode}: {said}", hint=HINT)
