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


@pytest.mark.parametrize("is_given", [True, False], ids=["named by a person", "made here"])
def test_what_is_empty_or_was_cut_while_it_was_made_is_formatted(disk, is_given):
    first = formatted(disk, is_given=is_given)
    second = formatted(disk, is_given=is_given)
    assert len(first) == len(second) == 36
    assert first != second


@pytest.mark.parametrize("is_given", [True, False], ids=["named by a person", "made here"])
def test_what_is_somebodys_is_refused_and_stays(disk, is_given):
    ext4(disk, "photos")
    before = disk.read_bytes()
    with pytest.raises(RootRefused, match="is not empty"):
        formatted(disk, is_given=is_given)
    assert disk.read_bytes() == before


def test_the_data_of_another_gateway_are_refused_where_a_person_names_them(disk):
    ext4(disk, LABEL, marked=True)
    with pytest.raises(RootRefused, match="holds the data of a gateway"):
        formatted(disk, is_given=True)


def test_a_card_that_was_written_anew_is_begun_anew(disk):
    ext4(disk, LABEL, marked=True)
    assert formatted(disk, is_given=False)
