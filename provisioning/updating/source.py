"""Reads releases from a folder or an HTTPS mirror. Edge of the network."""

import http.client
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

from provisioning.updating.errors import NoRoom, ReleaseRefused, SourceUnreachable
from provisioning.updating.files import CHUNK_BYTES, free_bytes, sha256_of
from provisioning.updating.manifest import HINT, ReleaseFile

TIMEOUT_S = 30.0
# What stays free for the journal, whatever comes.
RESERVE_BYTES = 128 * 1024 * 1024
# A wheel, its unpacked files and their bytecode.
ROOM_PER_BYTE = 6
MIRROR_HINT = "Check `source` in update.toml and the mirror; it is asked again by itself."


class Source(Protocol):
    """Where files of a release come from."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes. Raises SourceUnreachable."""
        ...


class FolderSource:
    """A folder: a stick, a share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def chunks(self, name: str) -> Iterator[bytes]:
        try:
            with (self._folder / name).open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise SourceUnreachable(
                f"{self._folder / name}: {error.strerror}", hint=MIRROR_HINT
            ) from error


class WebSource:
    """A mirror. No redirects are followed; its certificate is checked."""

    def __init__(self, url: str, *, ca_file: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._path = parts.path.rstrip("/")
        self._ca_file = ca_file

    def chunks(self, name: str) -> Iterator[bytes]:
        try:
            context = ssl.create_default_context(cafile=self._ca_file or None)
            with closing(
                http.client.HTTPSConnection(
                    self._host, self._port, timeout=TIMEOUT_S, context=context
                )
            ) as connection:
                connection.request("GET", f"{self._path}/{quote(name)}")
                answer = connection.getresponse()
                if answer.status != http.client.OK:
                    raise SourceUnreachable(
                        f"the mirror answers {answer.status} for {name}", hint=MIRROR_HINT
                    )
                while chunk := answer.read(CHUNK_BYTES):
                    yield chunk
        except (OSError, http.client.HTTPException) as error:
            raise SourceUnreachable(f"the mirror: {error}", hint=MIRROR_HINT) from error


def open_source(source: str, *, ca_file: str) -> Source:
    """Return the source of that address or folder."""
    if source.startswith("https://"):
        return WebSource(source, ca_file=ca_file)
    return FolderSource(Path(source))


def read_small(source: Source, name: str, *, bytes_max: int) -> bytes:
    """Return a small file. Raises SourceUnreachable, and ReleaseRefused if it is not small."""
    data = b""
    for chunk in source.chunks(name):
        data += chunk
        if len(data) > bytes_max:
            raise ReleaseRefused(f"{name} has more than {bytes_max} bytes", hint=HINT)
    return data


def fetch_files(source: Source, files: tuple[ReleaseFile, ...], folder: Path) -> None:
    """Bring files into a folder, each of the promised length and digest.

    What is there already is not fetched again. Raises NoRoom, SourceUnreachable, ReleaseRefused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = tuple(one for one in files if not _is_there(folder / one.name, one))
    check_room(folder, sum(one.size_bytes for one in files))
    for one in missing:
        try:
            _fetch(source, one, folder / one.name)
        except OSError as error:
            raise NoRoom(
                f"{one.name} cannot be written: {error.strerror}",
                hint="Free some space on the disk that holds the update agent's folder.",
            ) from error


def check_room(folder: Path, release_bytes: int) -> None:
    """Return if a second environment fits beside the first. Raises NoRoom."""
    needed, free = release_bytes * ROOM_PER_BYTE + RESERVE_BYTES, free_bytes(folder)
    if free < needed:
        raise NoRoom(
            f"{free >> 20} MiB are free on the disk of {folder}, {needed >> 20} MiB are needed",
            hint="Free some space there; nothing was changed.",
        )


def check_file(path: Path, promised: ReleaseFile) -> None:
    """Return if a file is what the manifest promises. Raises ReleaseRefused."""
    size = path.stat().st_size if path.is_file() else -1
    if size != promised.size_bytes:
        raise ReleaseRefused(
            f"{promised.name} has {size} bytes instead of {promised.size_bytes}", hint=HINT
        )
    if sha256_of(path) != promised.sha256:
        raise ReleaseRefused(f"{promised.name} is not what was signed: it was changed", hint=HINT)


def _is_there(path: Path, promised: ReleaseFile) -> bool:
    try:
        check_file(path, promised)
    except ReleaseRefused:
        return False
    return True


def _fetch(source: Source, promised: ReleaseFile, path: Path) -> None:
    part = path.with_name(path.name + ".part")
    size = 0
    with part.open("wb") as file:
        for chunk in source.chunks(promised.name):
            size += len(chunk)
            if size > promised.size_bytes:
                raise ReleaseRefused(
                    f"{promised.name} has more than the {promised.size_bytes} bytes that were"
                    " signed",
                    hint=HINT,
                )
            file.write(chunk)
    check_part = ReleaseFile(promised.name, promised.size_bytes, promised.sha256)
    check_file(part, check_part)
    part.replace(path)
