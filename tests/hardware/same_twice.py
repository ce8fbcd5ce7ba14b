"""Builds the guest's Debian twice and compares: the same packages make the same file. Edge."""

import hashlib
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.hardware.errors import GuestFailed
from tests.hardware.host import Host
from tests.hardware.image import Say, base_for

NAMED_MAX = 20


def build_twice(host: Host, say: Say) -> None:
    """Raise GuestFailed with what differs, if two builds do."""
    with tempfile.TemporaryDirectory(prefix="dockledger-lab-") as folder:
        first, second = (
            base_for(replace(host, cache=_made(Path(folder, name))), say)
            for name in ("first", "second")
        )
        digests = [_digest(path) for path in (first, second)]
        say(f"sha256 {digests[0]}, {first.stat().st_size} bytes")
        if digests[0] != digests[1]:
            raise GuestFailed(f"two builds differ in {differing(first, second)}")


def differing(first: Path, second: Path) -> list[str]:
    """Return the names in two tar files of zstd whose entries or contents differ, some of them."""
    (one, of_one), (other, of_other) = _entries(first), _entries(second)
    listed = {line.split()[5] for line in set(one) ^ set(other)}
    return sorted(listed | _changed(first, second, sorted(of_one & of_other)))[:NAMED_MAX]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entries(path: Path) -> tuple[list[str], set[str]]:
    said = subprocess.run(
        ["tar", "--zstd", "--full-time", "-tvf", str(path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return said, {line.split()[5] for line in said if line.startswith("-")}


def _changed(first: Path, second: Path, names: list[str]) -> set[str]:
    found = [_digests(path) for path in (first, second)]
    return {name for name in names if found[0].get(name) != found[1].get(name)}


def _digests(path: Path) -> dict[str, str]:
    command = 'printf "%s " "$TAR_FILENAME"; sha256sum | cut -c1-64'
    said = subprocess.run(
        ["tar", "--zstd", "-xf", str(path), "--to-command", command],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {name: digest for name, _, digest in (one.rpartition(" ") for one in said.splitlines())}
