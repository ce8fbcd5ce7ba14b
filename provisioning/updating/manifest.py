"""What a release consists of and for whom it is, as its signed manifest says. Pure.

    {"format": 1, "product": "dockledger-gateway", "version": "0.2.0",
     "released_s": 1795000000, "expires_s": 1802776000, "downgrade": false, "central_min": "0.2.0",
     "rings": [{"name": "first", "percent": 100}, {"name": "rest", "percent": 10}],
     "files": [{"name": "dockledger-0.2.0-py3-none-any.whl", "size": 123, "sha256": "..."}],
     "environments": [{"python": "3.11", "machine": "x86_64", "wheels": ["dockledger-..."]}]}

The signature (Ed25519, RFC 8032) is over the bytes of this file, in a second file beside it. Every
wheel is named with its length and SHA-256, so that the one signature covers all of them.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from provisioning.updating.errors import ReleaseRefused

FORMAT = 1
GATEWAY = "dockledger-gateway"
PRODUCTS = frozenset({GATEWAY, "dockledger-central"})
MANIFEST_FILE = "manifest.json"
SIGNATURE_FILE = "manifest.json.sig"
MANIFEST_BYTES_MAX = 256 * 1024
FILES_MAX = 512
FILE_BYTES_MAX = 256 * 1024 * 1024
RELEASE_BYTES_MAX = 1024 * 1024 * 1024
RINGS_MAX = 32
ENVIRONMENTS_MAX = 32
VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}")
# One name in one folder: it never leads elsewhere, and never looks like an option.
WHEEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,199}\.whl")
SHA256 = re.compile(r"[0-9a-f]{64}")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HINT = "Make the release again with `dockledger-provision release`; nothing was changed here."


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One wheel. sha256: 64 hexadecimal digits."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Ring:
    """A group of gateways, and how many of a hundred of it may take the release by now."""

    name: str
    percent: int


@dataclass(frozen=True, slots=True)
class Environment:
    """Which wheels a machine with this Python needs. python: "3.11"; machine: as uname -m."""

    python: str
    machine: str
    wheels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A release. downgrade: it may replace a newer one. Times are seconds since 1970 UTC.

    product: also the name of its program. central_min: the oldest central that understands it, ""
    if it does not say, as older manifests do not.
    """

    product: str
    version: str
    released_s: int
    expires_s: int
    downgrade: bool
    rings: tuple[Ring, ...]
    files: tuple[ReleaseFile, ...]
    environments: tuple[Environment, ...]
    central_min: str = ""

    def files_for(self, *, python: str, machine: str) -> tuple[ReleaseFile, ...]:
        """Return what such a machine needs. Raises ReleaseRefused if there is nothing for it."""
        by_name = {one.name: one for one in self.files}
        for one in self.environments:
            if (one.python, one.machine) == (python, machine):
                return tuple(by_name[name] for name in one.wheels)
        raise ReleaseRefused(
            f"release {self.version} has nothing for Python {python} on {machine}",
            hint="Add the wheels of this kind of machine to the release.",
        )


def parse_manifest(data: bytes) -> Manifest:
    """Return the manifest in the bytes. Raises ReleaseRefused, whatever the bytes are."""
    if len(data) > MANIFEST_BYTES_MAX:
        raise ReleaseRefused(f"the manifest has more than {MANIFEST_BYTES_MAX} bytes", hint=HINT)
    try:
        return _parsed(json.loads(data.decode("utf-8")))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ReleaseRefused(f"the manifest cannot be read: {error}", hint=HINT) from error


def version_key(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by; "1.2" and "1.2.0" are the same."""
    numbers = [int(part) for part in version.split(".")]
    return tuple(numbers + [0] * (4 - len(numbers)))


def is_chosen(manifest: Manifest, *, ring: str, name: str) -> bool:
    """Return whether a gateway is among those that may take a release by now.

    The same gateways come first as the percentage of a ring grows; each release has others first.
    """
    percent = next((one.percent for one in manifest.rings if one.name == ring), 0)
    digest = hashlib.sha256(f"{manifest.version}\n{name}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100 < percent


def _parsed(data: object) -> Manifest:
    top = _table(data)
    product = _text(top["product"], WORD)
    if top["format"] != FORMAT or product not in PRODUCTS:
        raise ValueError("it is not the manifest of a release")
    files = tuple(_file(one) for one in _items(top["files"], FILES_MAX))
    if len({one.name for one in files}) != len(files):
        raise ValueError("a file is named twice")
    if sum(one.size_bytes for one in files) > RELEASE_BYTES_MAX:
        raise ValueError(f"the files have more than {RELEASE_BYTES_MAX} bytes")
    downgrade = top["downgrade"]
    if not isinstance(downgrade, bool):
        raise TypeError("`downgrade` is neither true nor false")
    manifest = Manifest(
        product=product,
        version=_text(top["version"], VERSION),
        released_s=_number(top["released_s"], 2**40),
        expires_s=_number(top["expires_s"], 2**40),
        downgrade=downgrade,
        rings=tuple(_ring(one) for one in _items(top["rings"], RINGS_MAX)),
        files=files,
        environments=tuple(
            _environment(one) for one in _items(top["environments"], ENVIRONMENTS_MAX)
        ),
        central_min=_text(top["central_min"], VERSION) if "central_min" in top else "",
    )
    known = {one.name for one in files}
    if not {name for one in manifest.environments for name in one.wheels} <= known:
        raise ValueError("an environment names a wheel that is not among the files")
    return manifest


def _file(data: object) -> ReleaseFile:
    one = _table(data)
    return ReleaseFile(
        name=_text(one["name"], WHEEL),
        size_bytes=_number(one["size"], FILE_BYTES_MAX),
        sha256=_text(one["sha256"], SHA256),
    )


def _ring(data: object) -> Ring:
    one = _table(data)
    return Ring(_text(one["name"], WORD), _number(one["percent"], 100))


def _environment(data: object) -> Environment:
    one = _table(data)
    wheels = tuple(_text(name, WHEEL) for name in _items(one["wheels"], FILES_MAX))
    return Environment(_text(one["python"], VERSION), _text(one["machine"], WORD), wheels)


def _table(data: object) -> dict[str, object]:
    if not isinstance(data, dict):
        raise TypeError("a table is missing")
    return data


def _items(data: object, count_max: int) -> list[object]:
    if not isinstance(data, list) or len(data) > count_max:
        raise TypeError(f"a list of at most {count_max} is missing")
    return data


def _text(data: object, pattern: re.Pattern[str]) -> str:
    if not isinstance(data, str) or not pattern.fullmatch(data):
        raise TypeError(f"{str(data)[:80]!r} stands where it cannot")
    return data


def _number(data: object, most: int) -> int:
    if not isinstance(data, int) or isinstance(data, bool) or not 0 <= data <= most:
        raise TypeError(f"{str(data)[:80]!r} is no number from 0 to {most}")
    return data
