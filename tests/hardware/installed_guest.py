"""A guest with both packages, its services running, frozen: it is there in a second. Loop.

Installing packages under emulation takes minutes. They are installed at the speed of this machine,
and what that has written is unpacked over the lab's own guest. Its services are started once.
"""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.hardware.freezing import freeze
from tests.hardware.host import Host
from tests.hardware.image import DISK_PORTS, Image, Say, image_for, tool
from tests.hardware.machine import Machine

UNPACK_S_MAX, START_S_MAX = 600, 1200
# Of the guest that it lies over; they say where they are from there.
LENT = ("kernel", "initrd", "root.img")
# Fifteen times slower, and on a busy machine, process 1 is late for the Pi's hardware watchdog.
OF_A_GUEST = (
    ("/etc/systemd/system.conf.d/lab.conf", "[Manager]\nRuntimeWatchdogSec=off\n"),
    ("/etc/hosts", "127.0.0.1 localhost lab\n"),
)
# Whatever a package asks for at a boot. Units are read anew, or the new ones are not known.
BOOTED = (
    "systemctl daemon-reload; udevadm control --reload; systemctl restart systemd-modules-load;"
    " systemctl start multi-user.target; systemctl is-system-running --wait || true"
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What is set up once the packages are there, before their services start.

    name: of what it is for. files: path and text. command: as root, after them. warm: as root, when
    the services have started: what is to lie in the memory that is frozen.
    """

    name: str
    files: tuple[tuple[str, str], ...] = ()
    command: str = "true"
    warm: str = "true"


def guest_with(installed: Path, settled: Settled, host: Host, say: Say) -> Image:
    """Return a frozen guest with what is installed, made once. Raises LabUnusable, GuestFailed."""
    lab = image_for(host, say)
    digest = hashlib.sha256(f"{lab.folder.name}{settled}{BOOTED}{OF_A_GUEST}".encode())
    folder = installed.parent / f"{settled.name}-{digest.hexdigest()[:12]}"
    image = Image(folder, lab.architecture)
    if image.frozen:
        return image
    freeze(lab, say)
    for old in installed.parent.glob(f"{settled.name}-*"):
        shutil.rmtree(old)
    image.folder.mkdir()
    for name in LENT:
        way = Path("..", "..", "..", lab.folder.name, name)
        (image.folder / name).symlink_to(way)
    say(f"starting both packages in a guest, to freeze it: {settled.name}")
    with Machine(lab) as machine:
        _unpack(machine, installed)
        for path, text in (*settled.files, *OF_A_GUEST):
            machine.put(path, text.encode())
        machine.run(f"{settled.command} && {BOOTED}", timeout_s=START_S_MAX)
        machine.run(f"{settled.warm}; sync; dmesg -c >/dev/null; sleep 1", timeout_s=START_S_MAX)
        machine.freeze(image=image)
    _compress(image)
    return image


def _unpack(machine: Machine, installed: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="dockledger-lab-") as folder:
        plain = Path(folder, "installed.tar")
        tool("zstd", "-q", "-d", str(installed), "-o", str(plain), what="unpacking packages")
        machine.plug_disk("installed", path=plain, port=DISK_PORTS - 1)
        disk = "/dev/disk/by-id/virtio-installed"
        machine.run(f"tar -C / -xpf {disk}", timeout_s=UNPACK_S_MAX)
        machine.unplug("disk-installed")
        machine.monitor.ask("blockdev-del", **{"node-name": "installed"})


def _compress(image: Image) -> None:
    """Make its disk small: it is read a little and never written."""
    part = image.folder / "ready.qcow2.part"
    words = ("-c", "-f", "qcow2", "-O", "qcow2", "-o", "compression_type=zstd")
    beside = ("-B", image.disk.name, "-F", "raw")
    source = str(image.ready_disk)
    tool("qemu-img", "convert", *words, *beside, source, str(part), what="keeping a guest's disk")
    part.replace(image.ready_disk)
