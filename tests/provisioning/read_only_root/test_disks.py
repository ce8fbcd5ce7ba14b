"""A file system is made only where nothing is lost. Edge of mkfs, blkid and debugfs."""

import shutil
import subprocess

import pytest

from provisioning.read_only_root.disks import LABEL, MARK, formatted
from provisioning.read_only_root.errors import RootRefused

PROGRAMS = ("mkfs.ext4", "blkid", "debugfs")
SOMEWHERE = "/usr/sbin:/usr/bin:/sbin:/bin"
pytestmark = pytest.mark.skipif(
    not all(shutil.which(one, path=SOMEWHERE) for one in PROGRAMS),
    reason="e2fsprogs or util-linux is not installed",
)


@pytest.fixture
def disk(tmp_path):
    """A file that stands for a partition."""
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(16 * 1024**2)
    return path


def ext4(disk, label, *, marked=False):
    """Put a file system there, with the mark of data that are somebody's or without."""
    mkfs, debugfs = (shutil.which(one, path=SOMEWHERE) for one in ("mkfs.ext4", "debugfs"))
    subprocess.run([mkfs, "-q", "-F", "-L", label, disk], check=True)
    if marked:
        words = [debugfs, "-w", "-R", f"write /etc/hostname {MARK}", disk]
        subprocess.run(words, check=True, capture_output=True)


def test_what_is_empty_or_was_cut_while_it_was_made_is_formatted(disk):
    first = formatted(disk)
    second = formatted(disk)
    assert len(first) == len(second) == 36
    assert first != second


def test_what_is_somebodys_is_refused_and_stays(disk):
    ext4(disk, "photos")
    before = disk.read_bytes()
    with pytest.raises(RootRefused, match="is not empty"):
        formatted(disk)
    assert disk.read_bytes() == before


def blkid(disk):
    """Return the identity of the file system."""
    words = [shutil.which("blkid", path=SOMEWHERE), "-p", "-s", "UUID", "-o", "value", disk]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_the_data_of_a_gateway_are_never_formatted_whatever_the_table_says(disk):
    ext4(disk, LABEL, marked=True)
    before = blkid(disk)
    with pytest.raises(RootRefused, match="holds the data of a gateway") as refused:
        formatted(disk)
    assert blkid(disk) == before
    assert "/etc/fstab" in refused.value.hint and "wipefs" in refused.value.hint


def test_a_file_system_of_ours_in_which_nobody_can_look_is_not_formatted(disk):
    ext4(disk, LABEL)
    with disk.open("r+b") as file:
        file.seek(4096)  # The group descriptors and all behind, not the superblock.
        file.write(b"\xff" * 1024**2)
    before = blkid(disk)
    with pytest.raises(RootRefused):
        formatted(disk)
    assert blkid(disk) == before
