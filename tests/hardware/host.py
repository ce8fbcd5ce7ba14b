"""What the lab needs of the machine that it runs on. Edge of the operating system."""

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.hardware.errors import LabUnusable

# A guest has the interpreter of its Debian; compiled packages of ours fit that one alone.
SUITES = {(3, 11): "bookworm", (3, 13): "trixie"}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
COMMANDS = ("mmdebstrap", "qemu-img", "mke2fs", "cpio", "depmod", "tar", "zstd")
EMULATORS = {"amd64": "qemu-system-x86_64", "arm64": "qemu-system-aarch64"}
DISK_BYTES_MIN = 2 * 1024**3  # While it builds; what stays is under 1 GB.
MEMORY_BYTES_MIN = 1536 * 1024**2
INSTALL_HINT = "Install what is missing with: bash .ci/packages lab"
SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))


@dataclass(frozen=True, slots=True)
class Host:
    """A machine on which the lab can run.

    architecture: of the guest, Debian's word. suite: Debian's release whose Python is ours.
    cache: where images are kept. mirror: address of the Debian archive.
    """

    architecture: str
    suite: str
    cache: Path
    mirror: str

    @property
    def emulator(self) -> str:
        """Name of the emulator's program."""
        return EMULATORS[self.architecture]


def find_host() -> Host:
    """Return this machine, looked at. Raises LabUnusable that says what is missing."""
    machine = platform.machine()
    architecture = ARCHITECTURES.get(machine)
    if architecture is None:
        raise LabUnusable(
            f"a machine of kind {machine} has no guest of its kind",
            hint="Run the lab on amd64 or arm64.",
        )
    suite = SUITES.get(sys.version_info[:2])
    if suite is None:
        raise LabUnusable(
            f"no Debian guest has Python {platform.python_version()}",
            hint="Make the virtual environment with Python 3.11 or 3.13.",
        )
    cache = Path(os.environ.get("DOCKLEDGER_LAB") or _user_cache() / "dockledger-lab")
    host = Host(architecture, suite, cache, _mirror())
    missing = [one for one in (*COMMANDS, host.emulator) if not _is_there(one)]
    if missing:
        raise LabUnusable(f"not installed: {', '.join(missing)}", hint=INSTALL_HINT)
    check_room(cache)
    return host


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _is_there(command: str) -> bool:
    # Debian keeps administrators' commands where the path of others does not lead.
    return shutil.which(command, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def check_room(cache: Path, *, memory: Path = Path("/proc/meminfo")) -> None:
    """Raise LabUnusable unless a guest has room in a cache and in the memory that a file tells."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(cache).free
    except OSError as error:
        raise LabUnusable(
            f"{cache} cannot be used: {error.strerror}",
            hint="Name a folder that you may write with DOCKLEDGER_LAB=/path.",
        ) from error
    if free < DISK_BYTES_MIN:
        raise LabUnusable(
            f"{cache} has {free // 1024**2} MB free, building needs {DISK_BYTES_MIN // 1024**2}",
            hint="Make room, or name another folder with DOCKLEDGER_LAB=/path.",
        )
    available = _memory_bytes(memory)
    if available < MEMORY_BYTES_MIN:
        raise LabUnusable(
            f"{available // 1024**2} MB of memory are free, a guest needs"
            f" {MEMORY_BYTES_MIN // 1024**2}",
            hint="End other programs, or run the lab on a machine with more memory.",
        )


def refuse_users() -> None:
    """Raise LabUnusable unless files can be given to those whom Debian's packages say."""
    if os.geteuid() != 0:
        raise LabUnusable(
            "only root can build the guest, whose files belong to many users",
            hint="Run `sudo DOCKLEDGER_LAB=/path make lab` once; guests need no rights after that.",
        )


def _memory_bytes(file: Path) -> int:
    for line in file.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return MEMORY_BYTES_MIN


def _mirror() -> str:
    """Return the archive from which this machine takes its packages, Debian's own otherwise."""
    files = [
        path
        for place in SOURCES
        for path in (sorted(place.glob("*")) if place.is_dir() else [place])
    ]
    for path in files:
        if not path.is_file():
            continue
        for line in path.read_text(errors="replace").splitlines():
            words = [word for word in line.split() if not word.startswith("#")]
            if words[:1] in (["deb"], ["URIs:"]):
                found = [word for word in words[1:] if "://" in word]
                if found:
                    return found[0]
    return "http://deb.debian.org/debian"
