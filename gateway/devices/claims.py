"""The claims of this gateway, kept durably. Edge of the file devices.json in its data directory.

{"version": 1, "claims": [{"name": "dock-2-scale", "driver": "mt-sics-serial",
  "identity": "serial:usb:0403:6001:A50285BI:00", "settings": {}, "claimed_at": "2026-...Z",
  "by": "page"}]}
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec

from gateway.config_sections import DEVICES_MAX
from gateway.errors import ClaimRefused, ClaimsDamaged, ClaimsUnwritable
from gateway.station.claiming import Claim

CLAIMS_FILE = "devices.json"
CLAIMS_BYTES_MAX = 1024 * 1024
CLAIMS_VERSION = 1
FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    claims: Annotated[tuple[Claim, ...], msgspec.Meta(max_length=DEVICES_MAX)] = ()


class ClaimStore:
    """The file. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / CLAIMS_FILE
        self._claims: tuple[Claim, ...] = ()

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Return all claims, oldest first."""
        return self._claims

    def load(self) -> None:
        """Read the file; none is no claims.

        Raises ClaimsDamaged when it cannot be understood: it is kept aside under another name,
        there are no claims then, and the next one begins a new file.
        """
        try:
            with self._path.open("rb") as file:
                data = file.read(CLAIMS_BYTES_MAX + 1)
            if len(data) > CLAIMS_BYTES_MAX:
                raise msgspec.DecodeError(f"larger than {CLAIMS_BYTES_MAX} bytes")
            read = msgspec.json.decode(data, type=_File)
            if read.version != CLAIMS_VERSION:
                raise msgspec.ValidationError(f"version {read.version}")
            _check_unique(read.claims)
        except FileNotFoundError:
            self._claims = ()
        except (OSError, ValueError, RecursionError, ClaimRefused) as error:
            self._claims = ()
            raise self._damaged(error) from error
        else:
            self._claims = read.claims

    def add(self, claim: Claim) -> None:
        """Make a claim; durable on return.

        Raises ClaimRefused if name or identity are claimed, ClaimsUnwritable if the disk refuses.
        """
        claims = (*self._claims, claim)
        _check_unique(claims)
        if len(claims) > DEVICES_MAX:
            raise ClaimRefused(
                f"there are {DEVICES_MAX} claims", hint="Release a device that is not used."
            )
        self._write(claims)

    def remove(self, name: str) -> None:
        """Release a claim; durable on return. Raises ClaimRefused if there is none of that name."""
        claims = tuple(one for one in self._claims if one.name != name)
        if len(claims) == len(self._claims):
            raise ClaimRefused(
                f"no device is claimed as {name!r}",
                hint="Release one of the claimed devices; others stand in the configuration.",
            )
        self._write(claims)

    def _write(self, claims: tuple[Claim, ...]) -> None:
        data = msgspec.json.format(msgspec.json.encode(_File(CLAIMS_VERSION, claims)), indent=2)
        # Beside it and then renamed: whenever the power goes, one of the two is whole.
        beside = self._path.with_name(self._path.name + ".new")
        try:
            with os.fdopen(os.open(beside, FLAGS, 0o600), "wb") as file:  # It may hold passwords.
                if os.geteuid() == 0:  # Claimed by root without the gateway: it must read this.
                    owner = self._path.parent.stat()
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                file.write(data + b"\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise ClaimsUnwritable(
                f"{self._path} cannot be written: {error}",
                hint="Make space on the gateway's disk or replace its card, then claim again.",
            ) from error
        self._claims = claims

    def _damaged(self, error: Exception) -> ClaimsDamaged:
        aside = self._path.with_name(self._path.name + ".damaged")
        number = 1
        while aside.exists() and number < 100:
            number += 1
            aside = self._path.with_name(f"{self._path.name}.damaged-{number}")
        with suppress(OSError):
            self._path.replace(aside)
        return ClaimsDamaged(
            f"{self._path} cannot be read: {error}; it is kept as {aside.name}",
            hint=f"Claim the devices again, or mend {aside.name} and rename it back.",
        )


def _check_unique(claims: tuple[Claim, ...]) -> None:
    names: set[str] = set()
    identities: set[str] = set()
    for claim in claims:
        if claim.name in names:
            raise ClaimRefused(
                f"a second device would be called {claim.name!r}",
                hint="Give each device a name of its own.",
            )
        if claim.identity in identities:
            raise ClaimRefused(
                f"{claim.identity} is claimed already", hint="Release that device first."
            )
        names.add(claim.name)
        identities.add(claim.identity)
