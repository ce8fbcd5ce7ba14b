"""Writes files onto a boot partition: a mounted one, or that inside an image. Edge of the disk.

An image is written by mtools, without root: its FAT partition is found in its partition table.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from provisioning.first_boot.errors import CardRefused

SECTOR_BYTES = 512
SIGNATURE = b"\x55\xaa"
# Types of the master boot record: FAT32 (LBA and not), FAT16 (LBA and not).
FAT_TYPES = frozenset({0x0B, 0x0C, 0x06, 0x0E})
LIMIT_S = 900.0
MTOOLS_HINT = "Install mtools, or mount the boot partition and name its folder instead."


def write_card(
    target: Path,
    files: Mapping[str, bytes],
    debs: Mapping[str, Path],
    *,
    gone: Sequence[str] = (),
) -> None:
    """Write all files onto a folder or into an image, user-data as the last of them.

    debs: paths on the card, and where the packages are. gone: files that are removed at the end, if
    they are there. Raises CardRefused.
    """
    if target.is_dir():
        _write_folder(target, files, debs, gone)
    elif target.is_file():
        _write_image(target, files, debs, gone)
    else:
        raise _no_target(target)


def read_from_card(target: Path, name: str) -> bytes:
    """Return a file of the boot partition, of a folder or of an image. Raises CardRefused."""
    if target.is_dir():
        try:
            return (target / name).read_bytes()
        except OSError as error:
            raise CardRefused(
                f"{target} has no {name}", hint="Name the boot partition of a Raspberry Pi OS."
            ) from error
    if not target.is_file():
        raise _no_target(target)
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "file"
        _mtool("mcopy", "-n", "-i", f"{target}@@{fat_offset(target)}", f"::{name}", str(copied))
        return copied.read_bytes()


def is_on_card(target: Path, name: str) -> bool:
    """Return whether a file is there; False of a target that is neither folder nor image."""
    if not target.is_file():
        return (target / name).is_file()
    return _is_there(f"{target}@@{fat_offset(target)}", Path(name))


def fat_offset(image: Path) -> int:
    """Return where the first FAT partition of an image begins, in bytes. Raises CardRefused."""
    with image.open("rb") as file:
        record = file.read(SECTOR_BYTES)
    if len(record) == SECTOR_BYTES and record[510:512] == SIGNATURE:
        for begin in range(446, 510, 16):  # Four entries; type at 4, first sector at 8.
            first = int.from_bytes(record[begin + 8 : begin + 12], "little")
            if record[begin + 4] in FAT_TYPES and first:
                return first * SECTOR_BYTES
    raise CardRefused(
        f"{image} has no FAT partition",
        hint="Unpack the image first (xz -d); it must be one of Raspberry Pi OS.",
    )


def _no_target(target: Path) -> CardRefused:
    return CardRefused(
        f"{target} is neither a folder nor an image",
        hint="Name the folder at which the boot partition is mounted, or an unpacked .img.",
    )


def _write_folder(
    target: Path, files: Mapping[str, bytes], debs: Mapping[str, Path], gone: Sequence[str]
) -> None:
    try:
        for name, source in debs.items():
            _write_file(target / name, source.read_bytes())
        for name, data in files.items():
            _write_file(target / name, data)
        for name in gone:
            (target / name).unlink(missing_ok=True)
    except OSError as error:
        raise CardRefused(
            f"{target} cannot be written: {error.strerror}",
            hint="Look whether the card is full or write-protected.",
        ) from error


def _write_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _write_image(
    image: Path, files: Mapping[str, bytes], debs: Mapping[str, Path], gone: Sequence[str]
) -> None:
    drive = f"{image}@@{fat_offset(image)}"
    folders = {Path(name).parent for name in (*files, *debs)}
    wanted = sorted({one for folder in folders for one in (folder, *folder.parents)})
    for folder in wanted:
        if str(folder) != "." and not _is_there(drive, folder):
            _mtool("mmd", "-i", drive, f"::{folder}")
    for name, source in debs.items():
        _mtool("mcopy", "-o", "-i", drive, str(source), f"::{name}")
    with tempfile.TemporaryDirectory() as staged:
        one = Path(staged) / "file"
        for name, data in files.items():
            one.write_bytes(data)
            _mtool("mcopy", "-o", "-i", drive, str(one), f"::{name}")
    for name in gone:
        if _is_there(drive, Path(name)):
            _mtool("mdel", "-i", drive, f"::{name}")


def _is_there(drive: str, path: Path) -> bool:
    words = ["mdir", "-b", "-i", drive, f"::{path}"]
    return _run(words).returncode == 0


def _mtool(*words: str) -> None:
    done = _run(words)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise CardRefused(
            f"{words[0]}: {said}", hint="Look whether the boot partition has room for the packages."
        )


def _run(words: list[str] | tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "MTOOLS_SKIP_CHECK": "1"}
    try:
        return subprocess.run(  # noqa: S603 - words, no shell
            words, capture_output=True, timeout=LIMIT_S, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CardRefused(f"{words[0]}: {error}", hint=MTOOLS_HINT) from error
