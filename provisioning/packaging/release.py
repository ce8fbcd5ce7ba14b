"""Makes a signed release of a wheelhouse, and widens its roll-out. Edge of the disk."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioning.packaging.errors import PackagingError
from provisioning.packaging.wheelhouse import Wheelhouse
from provisioning.updating.errors import ReleaseRefused
from provisioning.updating.manifest import (
    FORMAT,
    MANIFEST_FILE,
    SIGNATURE_FILE,
    Ring,
    parse_manifest,
)
from provisioning.updating.signatures import load_private_key, sign

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Terms:
    """For whom a release is. Times are seconds since 1970 UTC.

    central_min: the oldest central beside which a gateway may take it, "" for any.
    """

    released_s: int
    expires_s: int
    rings: tuple[Ring, ...]
    downgrade: bool = False
    central_min: str = ""


def write_manifest(house: Wheelhouse, *, product: str, terms: Terms) -> None:
    """Write the manifest of a wheelhouse beside its wheels; not signed yet."""
    paths = sorted({house.folder / name for _, names in house.wheels for name in names})
    manifest = {
        "format": FORMAT,
        "product": product,
        "version": house.version,
        "released_s": terms.released_s,
        "expires_s": terms.expires_s,
        "downgrade": terms.downgrade,
        **({"central_min": terms.central_min} if terms.central_min else {}),
        "rings": [{"name": ring.name, "percent": ring.percent} for ring in terms.rings],
        "files": [
            {
                "name": path.name,
                "size": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in paths
        ],
        "environments": [
            {"python": target.python, "machine": target.machine, "wheels": list(names)}
            for target, names in house.wheels
        ],
    }
    data = json.dumps(manifest, indent=1).encode() + b"\n"
    parse_manifest(data)  # What a gateway would refuse is not written.
    (house.folder / MANIFEST_FILE).write_bytes(data)


def sign_release(folder: Path, key_file: Path, *, password: bytes | None = None) -> str:
    """Sign the manifest of a folder; return the version. Raises SettingsInvalid for the key."""
    data = _read(folder / MANIFEST_FILE)
    manifest = parse_manifest(data)
    key = load_private_key(key_file, password=password)
    (folder / SIGNATURE_FILE).write_bytes(sign(data, key))
    return manifest.version


def change_rings(folder: Path, rings: Sequence[Ring]) -> None:
    """Set how far each ring is; the release must be signed again after that."""
    path = folder / MANIFEST_FILE
    table = json.loads(_read(path))
    by_name = {one["name"]: one["percent"] for one in table["rings"]}
    by_name |= {ring.name: ring.percent for ring in rings}
    table["rings"] = [{"name": name, "percent": percent} for name, percent in by_name.items()]
    data = json.dumps(table, indent=1).encode() + b"\n"
    parse_manifest(data)
    path.write_bytes(data)
    (folder / SIGNATURE_FILE).unlink(missing_ok=True)


def parse_ring(text: str) -> Ring:
    """Return the ring in "rest=10". Raises PackagingError."""
    name, _, percent = text.partition("=")
    if not name or not percent.isdecimal() or int(percent) > 100:
        raise PackagingError(
            f"{text!r} is no ring with a percentage", hint="Write for example --ring rest=10."
        )
    return Ring(name, int(percent))


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        parse_manifest(data)
        return data
    except OSError as error:
        raise PackagingError(
            f"{path} cannot be read: {error.strerror}", hint="Name the folder of a release."
        ) from error
    except ReleaseRefused as error:
        raise PackagingError(str(error), hint=error.hint) from error
