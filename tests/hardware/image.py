"""Builds the guest: a small Debian with our packages, its kernel, its first program. Edge of tools.

    base-SUITE-ARCH-KEY.tar.zst   Debian's packages and the pruned kernel; kept over our changes
    wheels-SUITE-ARCH-VERSIONS/   what was compiled for a guest with another kind of processor
    guest-ARCH-KEY/               kernel, initrd, root.img; and, after freezing, ready.*

Everything is made under another name and renamed when whole, so that what an interrupted run leaves
is never taken for an image. Nothing is mounted, no loop device is used.
"""

import hashlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.hardware.cache import BUILDING, building_alone, remove_unused, sweep_unless_built
from tests.hardware.compiled import compiled_wheels, wheels_folder
from tests.hardware.errors import LabUnusable
from tests.hardware.foreign import programs_of
from tests.hardware.host import MACHINES, Host, archive_hint, refuse_users
from tests.hardware.kernel import (
    copy_modules,
    module_tree,
    prune_modules,
    unpacked_kernel,
    wanted_modules,
)
from tests.hardware.packages import ROOT, install_packages
from tests.hardware.recipe import (
    BOOT_MODULES,
    MADE_HERE,
    MASKED_UNITS,
    NO_DATABASE,
    PACKAGES,
    UNWANTED_FILES,
    UNWANTED_PATHS,
)
from tests.hardware.tools import tool

HERE = Path(__file__).parent
DECIDING = ("image.py", "recipe.py", "packages.py", "freezing.py")  # What a guest is like.
ROOT_BYTES = 2400 * 1024**2  # Sparse.
# The shape of a machine: a frozen guest is resumed in the same one only.
MEMORY_MB = 640
DISK_PORTS = 4
# When the accounts of the guest got their passwords, which they have not: a day as good as any.
ACCOUNTS_S = 1_700_000_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Image:
    """A built guest. frozen: whether it can be resumed instead of booted."""

    folder: Path
    architecture: str

    @property
    def kernel(self) -> Path:
        return self.folder / "kernel"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd"

    @property
    def disk(self) -> Path:
        return self.folder / "root.img"

    @property
    def ready_disk(self) -> Path:
        return self.folder / "ready.qcow2"

    @property
    def ready_state(self) -> Path:
        return self.folder / "ready.state"

    @property
    def frozen(self) -> bool:
        return self.ready_state.exists()


def image_for(host: Host, say: Say, *, rebuild: bool = False) -> Image:
    """Return the image of what is checked out here; builds what is missing. Raises LabUnusable."""
    base, folder = places(host)
    if folder.is_dir() and not rebuild:
        sweep_unless_built(host.cache)
        return Image(folder, host.architecture)
    with building_alone(host.cache, say):
        if rebuild:
            forget_images(host)
            _refuse_used(folder)
        elif folder.is_dir():  # Another run has built it in the meantime.
            return Image(folder, host.architecture)
        refuse_users()
        with _Building(host.cache) as building:
            base_for(host, say)
            say("building the guest: packages, kernel, disk")
            wheels, packages = compiled_wheels(host, building), building / "packages"
            install_packages(packages, machine=MACHINES[host.architecture], wheels=wheels)
            _build_guest(base, building, folder, packages=packages)
        forget_images(host, but={base, folder, wheels_folder(host)})
    return Image(folder, host.architecture)


def _refuse_used(folder: Path) -> None:
    if folder.is_dir():
        raise LabUnusable(
            "another run of the lab works with the guest that is to be rebuilt",
            hint="Wait until it has ended, or name another folder with DOCKLEDGER_LAB=/path.",
        )


def forget_images(host: Host, *, but: Collection[Path] = ()) -> None:
    """Remove what the cache has for one kind of guest, and nobody uses; the other kind's stay."""
    kinds = (f"base-*-{host.architecture}-*", f"wheels-*-{host.architecture}-*")
    for kind in (*kinds, f"guest-{host.architecture}-*"):
        for path in host.cache.glob(kind):
            if path not in but:
                remove_unused(path)


def places(host: Host) -> tuple[Path, Path]:
    """Return where base and guest of what is checked out here are, or would be."""
    base = _base_path(host)
    return base, host.cache / f"guest-{host.architecture}-{_guest_key(base)}"


def base_for(host: Host, say: Say) -> Path:
    """Return Debian as the guest has it, without anything of ours, as a tar file of zstd."""
    base = _base_path(host)
    if not base.exists():
        with building_alone(host.cache, say), _Building(host.cache) as building:
            if not base.exists():  # Another run has built it in the meantime.
                say(f"fetching Debian {host.suite} for {host.architecture} from {host.mirror}")
                with programs_of(host.architecture):
                    _build_base(host, building, base)
    return base


class _Building:
    """A folder for what is not whole yet; gone afterwards, whatever happens."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def __enter__(self) -> Path:
        self._path = Path(tempfile.mkdtemp(prefix=BUILDING, dir=self._cache))
        return self._path

    def __exit__(self, *_exc: object) -> None:
        _remove(self._path)


def _base_path(host: Host) -> Path:
    return host.cache / f"base-{host.suite}-{host.architecture}-{_base_key(host)}.tar.zst"


def _base_key(host: Host) -> str:
    left_out = (*UNWANTED_PATHS, *UNWANTED_FILES, *MADE_HERE)
    modules = (HERE / "modules.list").read_text()
    return _digest([" ".join(PACKAGES), modules, *left_out, host.snapshot])


def _guest_key(base: Path) -> str:
    recipe = [path.read_text() for path in sorted((HERE / "guest").iterdir())]
    ours = [(HERE / name).read_text() for name in DECIDING]
    return _digest([base.name, (ROOT / "constraints.txt").read_text(), *recipe, *ours])


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _build_base(host: Host, building: Path, base: Path) -> None:
    root, part, begin_s = building / "base", building / "base.tar.zst", int(time.time())
    # The kernel is unpacked, never installed: its scripts would make an initial disk for minutes.
    kernel = (
        'set -e; export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"; mkdir "$1/kernel"; cd "$1/kernel";'
        f" package=$(apt-cache depends linux-image-{host.architecture}"
        ' | sed -n "s/^ *Depends: //p" | head -1);'
        ' apt-get -o APT::Sandbox::User=root download "$package"; dpkg-deb -x ./*.deb x;'
        ' cp -a x/lib/modules "$1/usr/lib/"; cp x/boot/vmlinuz-* "$1/boot/vmlinuz";'
        ' cd /; rm -rf "$1/kernel"'
    )
    tool(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--architectures={host.architecture}",
        f"--include={','.join(PACKAGES)}",
        "--aptopt=APT::Install-Recommends false",
        "--aptopt=Acquire::Languages none",
        "--aptopt=Acquire::Check-Valid-Until " + ("false" if host.snapshot else "true"),
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude=/usr/share/{one}/*" for one in UNWANTED_PATHS),
        *(f"--dpkgopt=path-exclude={one}" for one in UNWANTED_FILES),
        f"--essential-hook={NO_DATABASE}",
        f"--customize-hook={kernel}",
        host.suite,
        str(root),
        f"deb {host.mirror} {host.suite} main",
        what="fetching Debian's packages",
        hint=archive_hint(host),
        environment={"SOURCE_DATE_EPOCH": str(ACCOUNTS_S)},
    )
    prune_modules(root, wanted_modules(HERE / "modules.list"))
    for pattern in MADE_HERE:
        for path in root.glob(pattern):
            _remove(path)
    (root / "var/lib/apt/lists").mkdir(parents=True, exist_ok=True)
    # The same packages make the same file: what has no time of its own has that of the newest.
    newest_s = max(time_s for path in root.rglob("*") if (time_s := _time_s(path)) < begin_s)
    same = ("--sort=name", "--numeric-owner", f"--mtime=@{newest_s}", "--clamp-mtime")
    tool("tar", "-C", str(root), *same, "--zstd", "-cf", str(part), ".", what="packing Debian")
    part.replace(base)
    _remove(root)


def _time_s(path: Path) -> int:
    return int(path.lstat().st_mtime)


def _build_guest(base: Path, building: Path, folder: Path, *, packages: Path | None = None) -> None:
    root, made = building / "root", building / "guest"
    root.mkdir()
    made.mkdir()
    tool("tar", "-C", str(root), "--zstd", "-xf", str(base), what="unpacking Debian")
    if packages is not None:
        (root / "opt/lab").mkdir(parents=True)
        packages.rename(root / "opt/lab/packages")
    _configure(root)
    (made / "kernel").write_bytes(unpacked_kernel((root / "boot/vmlinuz").read_bytes()))
    _remove(root / "boot")
    (root / "boot").mkdir()
    _build_initrd(root, building / "initrd", made / "initrd")
    disk = made / "root.img"
    with disk.open("wb") as file:
        file.truncate(ROOT_BYTES)
    options = "lazy_itable_init=1,lazy_journal_init=1"
    words = ("-q", "-t", "ext4", "-L", "lab", "-m", "0", "-E", options, "-d", str(root), str(disk))
    tool("mke2fs", *words, what="making the guest's disk")
    made.replace(folder)


def _configure(root: Path) -> None:
    _write(root / "etc/hostname", "lab\n")
    _write(root / "etc/fstab", "")
    _write(root / "etc/machine-id", f"{'0123456789abcdef' * 2}\n")
    _write(root / "etc/profile.d/lab.sh", "export PYTHONPATH=/opt/lab/packages\n")
    units = root / "etc/systemd/system"
    _copy(HERE / "guest/agent.py", root / "usr/local/lib/lab/agent.py")
    _copy(HERE / "guest/lab-agent.service", units / "lab-agent.service")
    wants = units / "multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "lab-agent.service").symlink_to("../lab-agent.service")
    (units / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    for unit in MASKED_UNITS:
        path = units / unit
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")
    # What was left out of Debian's packages is not left out of ours.
    for path in (root / "etc/dpkg/dpkg.cfg.d").glob("*mmdebstrap*"):
        path.unlink()
    _write(root / "etc/modules-load.d/lab.conf", "")


def _build_initrd(root: Path, folder: Path, target: Path) -> None:
    for name in ("bin", "dev", "proc", "newroot", "lib/modules"):
        (folder / name).mkdir(parents=True)
    shutil.copy(root / "usr/bin/busybox", folder / "bin/busybox")
    _copy(HERE / "guest/init", folder / "init", mode=0o755)
    order = copy_modules(root, folder / "lib/modules", BOOT_MODULES)
    _write(folder / "modules.order", "\n".join(order) + "\n")
    names = "\n".join(str(path.relative_to(folder)) for path in sorted(folder.rglob("*")))
    packed = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"],
        cwd=folder,
        input=names.encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    target.write_bytes(packed.stdout)
    assert module_tree(root)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)


def _copy(source: Path, target: Path, *, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    target.chmod(mode)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
