"""What a Pi keeps of who it is. Edge of the file system.

    identity/root.pem       whom it believes, from the enrolment file; there before the first word
    identity/claim          a claim that somebody typed or scanned at the station
    identity/shown          the code on the screen, and what the Pi asks on with
    identity/pending.key    the key that is asked for; stays until its certificate is here
    identity/identity.pem   key, certificate and chain in one file, written last

One file for key and certificate, so that no power cut can leave a pair that does not belong
together. Its first line is for us: what central said; TLS libraries skip what is not PEM.
"""

import os
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from gateway.errors import IdentityUnusable

FOLDER = "identity"
ROOT, CLAIM, PENDING, IDENTITY = "root.pem", "claim", "pending.key", "identity.pem"
SHOWN = "shown"
DEVICE_TREE = Path("/proc/device-tree")
HARDWARE_CHARACTERS_MAX = 64
FILE_BYTES_MAX = 64 * 1024
CLAIM_CHARACTERS_MAX = 64
MARK = "dockledger-identity "
HINT_FILE = "Fetch a new enrolment file from central's page of gateways."

Line = Annotated[str, msgspec.Meta(max_length=1024)]


class EnrolFile(msgspec.Struct, frozen=True, kw_only=True):
    """`dockledger-enrol.toml`. claim "": somebody types or scans one. repr does not show it."""

    central_url: Annotated[str, msgspec.Meta(pattern=r"^https://[^\s?#]+$", max_length=1024)]
    root_pem: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]
    claim: Annotated[str, msgspec.Meta(max_length=CLAIM_CHARACTERS_MAX)] = ""

    def __repr__(self) -> str:
        return f"EnrolFile({self.central_url})"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What central said when it issued the certificate.

    receive_location: where goods come in, "" if the configuration says it.
    """

    gateway: Line
    warehouse: Line
    site: Line
    serial: Line
    central_url: Line
    ledger_public_key: Line
    issued_ms: int
    expires_ms: int
    receive_location: Line = ""

    @property
    def expires_at(self) -> str:
        """Return when the certificate ends, ISO 8601 UTC."""
        return datetime.fromtimestamp(self.expires_ms // 1000, UTC).isoformat()

    def renewal_due_ms(self) -> int:
        """Return when two thirds of the certificate's life are over."""
        return self.issued_ms + (self.expires_ms - self.issued_ms) * 2 // 3


class KeptCode(msgspec.Struct, frozen=True, kw_only=True):
    """The code that is shown, kept over a start. repr does not show the secret."""

    central_url: Line
    code: Line
    secret: Line
    fingerprint: Line
    page: Line

    def __repr__(self) -> str:
        return f"KeptCode({self.fingerprint})"


class IdentityFolder:
    """The folder `identity` of a gateway's data. Any thread may read; one writes."""

    def __init__(self, data_directory: Path) -> None:
        self._folder = data_directory / FOLDER

    @property
    def root(self) -> Path:
        """Return the file of whom we believe."""
        return self._folder / ROOT

    @property
    def certificate(self) -> Path:
        """Return the file of key, certificate and chain."""
        return self._folder / IDENTITY

    @property
    def pending_key(self) -> Path:
        """Return the file of the key that waits for its certificate."""
        return self._folder / PENDING

    def read(self) -> Identity | None:
        """Return who we are, None before the enrolment. Raises IdentityUnusable."""
        if not self.certificate.exists():
            return None
        first = _read(self.certificate).partition("\n")[0]
        try:
            if not first.startswith(MARK):
                raise msgspec.DecodeError("its first line is not ours")
            return msgspec.json.decode(first[len(MARK) :], type=Identity)
        except msgspec.DecodeError as error:
            raise IdentityUnusable(
                f"{self.certificate} cannot be understood: {error}",
                hint="Move it away and enrol this gateway anew with a new claim.",
            ) from error

    def key_and_certificate(self) -> str:
        """Return the PEM text. Raises IdentityUnusable."""
        return _read(self.certificate).partition("\n")[2]

    def write(self, identity: Identity, *, pem: str) -> None:
        """Become somebody: from its return on, for good. Raises IdentityUnusable."""
        line = MARK + msgspec.json.encode(identity).decode()
        self._write(IDENTITY, f"{line}\n{pem}")
        for name in (PENDING, CLAIM, SHOWN):
            self._forget(name)

    def keep_root(self, pem: str) -> None:
        """Keep whom we believe, if it is not kept yet or another. Raises IdentityUnusable."""
        if not self.root.exists() or _read(self.root) != pem:
            self._write(ROOT, pem)

    def keep_pending(self, pem: str) -> None:
        """Keep the key that is asked for, before anybody hears of it. Raises IdentityUnusable."""
        self._write(PENDING, pem)

    def read_pending(self) -> str:
        """Return the key that waits for its certificate, "" if there is none."""
        return _read(self.pending_key) if self.pending_key.exists() else ""

    def forget_pending(self) -> None:
        """Make a new key the next time."""
        self._forget(PENDING)

    def keep_claim(self, claim: str) -> None:
        """Keep what somebody typed or scanned. Raises IdentityUnusable."""
        self._write(CLAIM, claim[:CLAIM_CHARACTERS_MAX])

    def read_claim(self) -> str:
        """Return what somebody typed or scanned, "" if nobody did."""
        path = self._folder / CLAIM
        return _read(path).strip() if path.exists() else ""

    def forget_claim(self) -> None:
        """Forget what was typed: central does not take it."""
        self._forget(CLAIM)

    def keep_code(self, kept: KeptCode) -> None:
        """Keep the code that is shown. Raises IdentityUnusable."""
        self._write(SHOWN, msgspec.json.encode(kept).decode())

    def read_code(self) -> KeptCode | None:
        """Return the code that is shown, None if there is none that can be read."""
        path = self._folder / SHOWN
        try:
            return msgspec.json.decode(_read(path), type=KeptCode) if path.exists() else None
        except msgspec.DecodeError:
            return None

    def forget_code(self) -> None:
        """Show another one the next time."""
        self._forget(SHOWN)

    def _write(self, name: str, text: str) -> None:
        path = self._folder / name
        new_path = path.with_name(f"{name}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(new_path, "w", encoding="ascii", opener=_open_private) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new_path.replace(path)
            self._sync_folder()
        except (OSError, UnicodeEncodeError) as error:
            raise IdentityUnusable(
                f"{path} cannot be written: {error}",
                hint=f"Let the gateway's user write {self._folder}, and look at the disk.",
            ) from error

    def _forget(self, name: str) -> None:
        with suppress(OSError):
            (self._folder / name).unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_enrol_file(path: Path) -> EnrolFile | None:
    """Return an enrolment file, None if there is none. Raises IdentityUnusable."""
    if not path.exists():
        return None
    try:
        return msgspec.convert(tomllib.loads(_read(path)), EnrolFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise IdentityUnusable(f"{path} is no enrolment file: {error}", hint=HINT_FILE) from error


def hardware_serial() -> str:
    """Return the serial number of a Raspberry Pi, "" elsewhere."""
    return _device_tree("serial-number")


def hardware_words() -> str:
    """Return model and serial number of a Raspberry Pi for people, "" elsewhere."""
    return f"{_device_tree('model')} {hardware_serial()}".strip()[:HARDWARE_CHARACTERS_MAX]


def _device_tree(name: str) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return (DEVICE_TREE / name).read_bytes()[:64].decode("ascii").strip("\0\n ")
    return ""


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise IdentityUnusable(
            f"{path} cannot be read: {error}", hint="Let the gateway's user read it."
        ) from error


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_TRUNC, 0o600)
