"""Every package that a part of the product needs at work, as it is locked and installed. Edge."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from provisioning.packaging.locked import Locked, parse_lock, plain_name

# What a licence calls itself in metadata without an expression -> SPDX (spdx.org/licenses).
SPDX_OF_CLASSIFIER = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "The Unlicense (Unlicense)": "Unlicense",
}
SPDX_OF_TEXT = {
    "MIT": "MIT",
    "MIT License": "MIT",
    "BSD": "BSD-3-Clause",
    "BSD-3-Clause": "BSD-3-Clause",
    "BSD-2-Clause": "BSD-2-Clause",
    "Apache-2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "MPL-2.0": "MPL-2.0",
    "PSF-2.0": "PSF-2.0",
}
LICENCE_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Part:
    """One package. licence: an SPDX expression, "" if its metadata names none.

    hashes: SHA-256 of each file that may be installed. needs: names of the packages it needs.
    """

    name: str
    version: str
    licence: str
    hashes: tuple[str, ...]
    needs: tuple[str, ...]


class Unlocked(Exception):
    """A package is needed that is not locked or not installed as it is locked."""


def read_parts(root: Path, extras: Iterable[str]) -> list[Part]:
    """Return every package that these extras of the project need at work, by name.

    Raises Unlocked.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = parse_lock((root / "constraints.txt").read_text(encoding="utf-8"))
    wanted = [*project["dependencies"]]
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    found: dict[str, Part] = {}
    waiting = [Requirement(text) for text in wanted]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while waiting:
        requirement = waiting.pop()
        name = plain_name(requirement.name)
        key = (name, tuple(sorted(requirement.extras)))
        if key in seen or not _applies(requirement, ()):
            continue
        seen.add(key)
        needed = list(_needs(_installed(name), requirement.extras))
        waiting += needed
        there = found.get(name)
        needs = {plain_name(one.name) for one in needed} | set(there.needs if there else ())
        found[name] = _part(name, locked, needs)
    return [found[name] for name in sorted(found)]


def licence_of(metadata: Mapping[str, str | None], classifiers: Iterable[str]) -> str:
    """Return the licence that a package's metadata names, as SPDX where it is known; "" for none.

    classifiers: lines as "License :: OSI Approved :: MIT License".
    """
    if expression := metadata.get("License-Expression"):
        return expression.strip()
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")]
    known = [SPDX_OF_CLASSIFIER.get(one, one) for one in named if one != "OSI Approved"]
    if known:
        return " AND ".join(dict.fromkeys(known))
    text = (metadata.get("License") or "").strip().splitlines()
    first = text[0].strip() if text else ""
    return SPDX_OF_TEXT.get(first, first[:LICENCE_CHARACTERS_MAX])


def _part(name: str, locked: Locked, needs: set[str]) -> Part:
    installed = _installed(name)
    version, hashes = locked.versions.get(name, ""), locked.digests.get(name)
    if version != installed.version or not hashes:
        raise Unlocked(f"{name} is installed as {installed.version}, locked as {version or None}")
    metadata: PackageMetadata = installed.metadata
    fields = {key: metadata[key] for key in ("License-Expression", "License") if key in metadata}
    licence = licence_of(fields, metadata.get_all("Classifier") or ())
    return Part(name, version, licence, tuple(sorted(hashes)), tuple(sorted(needs)))


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise Unlocked(f"{name} is not installed; run `make setup`") from error


def _needs(installed: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    for text in installed.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if _applies(requirement, extras):
            requirement.marker = None  # It has been asked with the extras that count.
            yield requirement


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))
