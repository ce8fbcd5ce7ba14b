"""The authorities' files: made once, 0600, never replaced. Edge of the file system.

root.pem  gateways.pem  servers.pem      certificates, for everybody
gateways.key  servers.key                what the running ledger signs with
offline/root.key                         nothing here needs it: carry it away
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from central.errors import TrustUnusable
from central.trust.authority import Authority, load_authority, make_issuing, make_root

FILE_BYTES_MAX = 64 * 1024
ROOT_KEY = Path("offline") / "root.key"
HINT_INIT = "Make the authorities with `dockledger-provision ca init`, or correct [trust]."
Issuer = Literal["gateways", "servers"]


@dataclass(frozen=True, slots=True)
class Authorities:
    """What the ledger issues with. root_pem: the certificate that everybody is given."""

    root_pem: str
    gateways: Authority
    servers: Authority


def make_authorities(directory: Path, *, name: str, now_ms: int) -> Authorities:
    """Make root and issuing authorities in a directory that has none. Raises TrustUnusable.

    name: of the installation, part of every authority's name. A start that was cut off before the
    last file, root.pem, is begun anew.
    """
    if (directory / "root.pem").exists():
        raise TrustUnusable(
            f"{directory} has authorities already",
            hint="Use them, or name another directory under [trust].",
        )
    root = make_root(name, now_ms=now_ms)
    issuing: dict[Issuer, Authority] = {
        "gateways": make_issuing(root, f"{name} gateways", now_ms=now_ms),
        "servers": make_issuing(root, f"{name} servers", now_ms=now_ms),
    }
    try:
        (directory / "offline").mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(directory / ROOT_KEY, root.key_pem, private=True)
        for issuer, authority in issuing.items():
            write_file(directory / f"{issuer}.key", authority.key_pem, private=True)
            write_file(directory / f"{issuer}.pem", authority.pem)
        write_file(directory / "root.pem", root.pem)
    except OSError as error:
        raise _unusable(directory, error) from error
    return Authorities(root.pem, issuing["gateways"], issuing["servers"])


def load_authorities(directory: Path) -> Authorities:
    """Return what is in a directory. Raises TrustUnusable."""
    return Authorities(
        read_text(directory / "root.pem"),
        _load(directory, "gateways"),
        _load(directory, "servers"),
    )


def has_root_key(directory: Path) -> bool:
    """Return whether the root's private key still lies beside the others."""
    return (directory / ROOT_KEY).exists()


def read_text(path: Path) -> str:
    """Return the text of a small file. Raises TrustUnusable."""
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from error


def write_file(path: Path, text: str, *, private: bool = False) -> None:
    """Replace a file whole and durably: a reader sees the old one or the new one. Raises OSError.

    private: for our user alone; else its group may read, too.
    """
    new_path = path.with_name(f".{path.name}.new-{os.getpid()}")
    new_path.unlink(missing_ok=True)
    mode = 0o600 if private else 0o640
    try:
        descriptor = os.open(new_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)  # The service's umask would take the group's away.
            os.fsync(file.fileno())
        new_path.replace(path)
    finally:
        new_path.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _load(directory: Path, issuer: Issuer) -> Authority:
    certificate = read_text(directory / f"{issuer}.pem")
    try:
        return load_authority(certificate, read_text(directory / f"{issuer}.key"))
    except ValueError as error:
        raise _unusable(directory / f"{issuer}.key", error) from error


def _unusable(path: Path, error: Exception) -> TrustUnusable:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return TrustUnusable(f"{path} cannot be used: {reason}", hint=HINT_INIT)
