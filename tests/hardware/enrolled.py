"""How far a gateway's disk got in its first boot, and whether it is whole. Edge of e2fsprogs.

The disk is read on this machine and never mounted: a copy is mended as a boot would mend it
(e2fsck plays its journal), and unpacked (debugfs).
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.errors import GatewayError
from gateway.identity.files import IdentityFolder
from gateway.journal.reading import open_reader
from gateway.journal.verify import verify_journal
from provisioning.first_boot.card import FOLDER

# Each before the next: what was there last when the power went.
Stage = Literal["blank", "settings", "claim", "done", "journal", "key", "enrolled"]
FOUND: tuple[tuple[Stage, str], ...] = (
    ("enrolled", "lib/identity/identity.pem"),
    ("key", "lib/identity/pending.key"),
    ("journal", "lib/journal.db"),
    ("done", "done/done"),
    ("claim", "etc/dockledger-enrol.toml"),
    ("settings", "etc/gateway.toml"),
)
MENDED_STATUS_MAX = 1  # e2fsck(8): 1 is "errors corrected".
TOOL_S_MAX = 120


def stage_of(disk: Path) -> Stage:
    """Return how far a first boot got on a disk."""
    with _unpacked(disk) as (folder, _):
        return next((stage for stage, path in FOUND if (folder / path).exists()), "blank")


def look_at(disk: Path, gateway: str, serials: Sequence[str]) -> str:
    """Return what is wrong with a gateway that has enrolled, "" if nothing.

    serials: of the certificates that are good at central.
    """
    with _unpacked(disk) as (folder, broken):
        if broken:
            return f"the file system: {broken}"
        if (folder / "card" / FOLDER / "dockledger-enrol.toml").exists():
            return "the claim is still on the card"
        card, settings = folder / "card" / FOLDER / "gateway.toml", folder / "etc/gateway.toml"
        if settings.read_bytes() != card.read_bytes():
            return "its settings are not those of the card"
        try:
            return _wrong_identity(folder, gateway, serials) or _wrong_journal(folder, gateway)
        except (GatewayError, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"


def _wrong_identity(folder: Path, gateway: str, serials: Sequence[str]) -> str:
    kept = IdentityFolder(folder / "lib")
    identity = kept.read()
    if identity is None or identity.gateway != gateway:
        return f"it is {identity.gateway if identity else 'nobody'}"
    if list(serials) != [identity.serial]:
        return f"its certificate is {identity.serial}, central's are {list(serials)}"
    pem = kept.key_and_certificate().encode()
    key = load_pem_private_key(pem, password=None).public_key()
    certificate = x509.load_pem_x509_certificate(pem)
    return "" if certificate.public_key() == key else "its certificate is for another key"


def _wrong_journal(folder: Path, gateway: str) -> str:
    with closing(open_reader(folder / "lib/journal.db")) as reader:
        verified = verify_journal(reader)
    if verified.gateway != gateway:
        return f"its journal is of {verified.gateway}"
    return "; ".join(verified.findings)


@contextmanager
def _unpacked(disk: Path) -> Iterator[tuple[Path, str]]:
    """Yield a folder with what is on a disk, and what e2fsck could not mend by itself."""
    folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
    try:
        copy, content = folder / "copy.img", folder / "content"
        content.mkdir()
        _tool("cp", "--sparse=always", str(disk), str(copy))
        status, said = _tool("e2fsck", "-f", "-p", str(copy))
        broken = said if status > MENDED_STATUS_MAX else ""
        _tool("debugfs", "-R", f"rdump / {content}", str(copy))
        yield content, broken
    finally:
        shutil.rmtree(folder)


def _tool(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TOOL_S_MAX,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    return done.returncode, done.stdout.strip()[-600:]
