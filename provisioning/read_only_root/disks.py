"""The data's file system: its partition, made if it is not there, formatted. Edge of the disk.

Every step may be cut off and is done again: until the file system bears MARK, nothing in it is
anybody's, and it is formatted anew. What bears it is never formatted, whatever /etc/fstab says.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from provisioning.read_only_root.errors import RootRefused
from provisioning.read_only_root.partitions import BY_HAND, SECTOR_BYTES, with_data
from provisioning.read_only_root.programs import run, said

LABEL = "dockledger-data"
MARK = ".dockledger-data"  # In the file system, before its content is somebody's.
FORMAT_S_MAX = 900.0
BLOCKS = Path("/sys/class/block")


@dataclass(frozen=True, slots=True)
class Place:
    """A partition on its disk. number: in the partition table."""

    partition: Path
    disk: Path
    number: int


def place_of(partition: str) -> Place:
    """Return where a partition lies. Raises RootRefused if it is none."""
    block = BLOCKS / Path(partition).resolve().name
    try:
        number = int((block / "partition").read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise RootRefused(f"{partition} is no partition of a disk", hint=BY_HAND) from error
    disk = block.resolve().parent.name
    return Place(Path("/dev", block.name), Path("/dev", disk), number)


def root_partition() -> str:
    """Return the device that the root is on. Raises RootRefused if it is on none."""
    source = said("findmnt", "--noheadings", "--output", "SOURCE", "--target", "/").strip()
    if not source.startswith("/dev/"):
        raise RootRefused(f"the root is on {source}, which is no disk", hint=BY_HAND)
    return source


def made_beside(root: Place) -> Path:
    """Return the partition for the data behind the root's; both are as large as they can be.

    Made if it is not there; the root's file system has grown on return. Raises RootRefused.
    """
    disk = os.open(root.disk, os.O_RDWR | os.O_CLOEXEC)
    try:
        sectors = os.lseek(disk, 0, os.SEEK_END) // SECTOR_BYTES
        record = os.pread(disk, SECTOR_BYTES, 0)
        made, number = with_data(record, root_number=root.number, disk_sectors=sectors)
        if made != record:
            os.pwrite(disk, made, 0)
            os.fsync(disk)
    finally:
        os.close(disk)
    # The kernel may still know the table of before: this time, or a cut one's.
    for one in (root.number, number):
        run("partx", "--update", "--nr", str(one), str(root.disk))
    run("udevadm", "settle")
    run("resize2fs", str(root.partition), limit_s=FORMAT_S_MAX)
    for block in (BLOCKS / root.disk.name).resolve().glob("*/partition"):
        if int(block.read_text(encoding="ascii")) == number:
            return Path("/dev", block.parent.name)
    raise RootRefused(f"the kernel does not show partition {number}", hint="Start it again.")


def formatted(device: Path) -> str:
    """Format the data's device and return the identity of its file system.

    Taken is one that is empty, or was formatted for this before and bears no mark. Raises
    RootRefused.
    """
    label = _found(device, "LABEL")
    if label != LABEL and (label or _found(device, "TYPE") or _found(device, "PTTYPE")):
        raise RootRefused(
            f"{device} is not empty",
            hint=f"Take another one; if nothing on it is needed: wipefs --all {device}",
        )
    if label == LABEL and _is_somebodys(device):
        raise RootRefused(
            f"{device} holds the data of a gateway",
            hint="Use them: put the lines of dockledger-root into /etc/fstab again. "
            f"Or save them; if they are not needed: wipefs --all {device}",
        )
    run("mkfs.ext4", "-q", "-F", "-m", "1", "-L", LABEL, str(device), limit_s=FORMAT_S_MAX)
    return _found(device, "UUID")


def _found(device: Path, tag: str) -> str:
    """Return what blkid reads from the device itself, "" if there is nothing such."""
    words = ("blkid", "--probe", "--match-tag", tag, "--output", "value", str(device))
    return said(*words, allowed=(0, 2)).strip()


def _is_somebodys(device: Path) -> bool:
    """Return whether there is a mark; True as well if nobody can tell."""
    # What is in its journal alone is seen by no debugfs: a mark of just before a power cut.
    said("e2fsck", "-p", "-E", "journal_only", str(device), allowed=(0, 1))
    return _has(device, MARK) or not _has(device, "/")


def _has(device: Path, path: str) -> bool:
    return "Inode:" in said("debugfs", "-R", f"stat {path}", str(device), allowed=(0, 1))
