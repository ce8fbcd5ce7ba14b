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
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # Debian's word and the kernel's.
ASKED = "LAB_ARCHITECTURE"
SNAPSHOT = "LAB_SNAPSHOT"  # E.g. http://snapshot.debian.org/archive/debian/20261101T000000Z
COMMANDS = ("mmdebstrap", "qemu-img", "mke2fs", "cpio", "depmod", "tar", "zstd")
DISK_BYTES_MIN = 2 * 1024**3  # While it builds; what stays is under 1 GB.
MEMORY_BYTES_MIN = 1536 * 1024**2
INSTALL_HINT = "Install what is missing with: bash .ci/packages lab"
FOREIGN_HINT = "Install what is missing with: LAB_ARCHITECTURE={} bash .ci/packages lab"
SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))


@dataclass(frozen=True, slots=True)
class Host:
    """A machine on which the lab can run.

    architecture: of the guest, Debian's word. suite: Debian's release whose Python is ours.
    cache: where images are kept. mirror: address of the Debian archive. snapshot: the same, if one
    day's archive was asked for; "" for whatever there is today.
    """

    architecture: str
    suite: str
    cache: Path
    mirror: str
    snapshot: str = ""

    @property
    def emulator(self) -> str:
        """Name of the emulator's program."""
        return f"qemu-system-{MACHINES[self.architecture]}"

    @property
    def is_foreign(self) -> bool:
        """Whether guests have another kind of processor than this machine."""
        return MACHINES[self.architecture] != platform.machine()


def find_host() -> Host:
    """Return this machine, looked at. Raises LabUnusable that says what is missing."""
    architecture = _architecture(os.environ.get(ASKED, ""))
    suite = SUITES.get(sys.version_info[:2])
    if suite is None:
        raise LabUnusable(
            f"no Debian guest has Python {platform.python_version()}",
            hint="Make the virtual environment with Python 3.11 or 3.13.",
        )
    cache = Path(os.environ.get("DOCKLEDGER_LAB") or _user_cache() / "dockledger-lab")
    snapshot = os.environ.get(SNAPSHOT, "")
    host = Host(architecture, suite, cache, snapshot or _mirror(), snapshot)
    needed = [*COMMANDS, host.emulator]
    if host.is_foreign:
        needed += ["arch-test", f"qemu-{MACHINES[architecture]}-static"]
    missing = [one for one in needed if not _is_there(one)]
    if missing:
        hint = FOREIGN_HINT.format(architecture) if host.is_foreign else INSTALL_HINT
        raise LabUnusable(f"not installed: {', '.join(missing)}", hint=hint)
    check_room(cache)
    return host


def _architecture(asked: str) -> str:
    """Return Debian's word for the guest's kind of processor: this machine's, or the asked one."""
    if asked in MACHINES:
        return asked
    if asked:
        raise LabUnusable(
            f"there are no guests of kind {asked}",
            hint=f"Say {ASKED}={' or '.join(MACHINES)}, or nothing for this machine's own kind.",
        )
    own = [name for name, machine in MACHINES.items() if machine == platform.machine()]
    if not own:
        raise LabUnusable(
            f"a machine of kind {platform.machine()} has no guest of its kind",
            hint=f"Run the lab on amd64 or arm64, or ask for one of them with {ASKED}=arm64.",
        )
    return own[0]


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
    available = memory_bytes(memory)
    if available < MEMORY_BYTES_MIN:
        raise LabUnusable(
            f"{available // 1024**2} MB of memory are free, a guest needs"
            f" {MEMORY_BYTES_MIN // 1024**2}",
            hint="End other programs, or run the lab on a machine with more memory.",
        )


def archive_hint(host: Host) -> str:
    """Return what to do where Debian's packages do not come."""
    return (
        f"See that {host.mirror} can be reached and has {host.suite} for {host.architecture}:"
        " it is the archive of this machine's apt. Then run the lab again."
    )


def refuse_foreign(host: Host, what: str) -> None:
    """Raise LabUnusable if guests have another kind of processor: `what` runs on this machine's."""
    if host.is_foreign:
        raise LabUnusable(
            f"{what} are installed at the speed of this machine, which is no {host.architecture}",
            hint=f"Leave {ASKED} out, or run it on a machine of that kind.",
        )


def refuse_users() -> None:
    """Raise LabUnusable unless files can be given to those whom Debian's packages say."""
    if os.geteuid() != 0:
        raise LabUnusable(
            "only root can build the guest, whose files belong to many users",
            hint="Run `sudo DOCKLEDGER_LAB=/path make lab` once; guests need no rights after that.",
        )


def memory_bytes(file: Path = Path("/proc/meminfo")) -> int:
    """Return how much memory can be had, by what a file tells."""
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
