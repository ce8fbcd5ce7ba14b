"""The lock file: which version of each package, with which digests. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# pip-compile's format: `name==version ; marker \` and then one `--hash=sha256:...` a line.
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# The installer itself is no dependency: it stands here, as what builds every environment.
PIP_VERSION = "26.3"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"


@dataclass(frozen=True, slots=True)
class Locked:
    """constraints: lines for pip's -c, without digests. digests: allowed ones, by plain name."""

    constraints: tuple[str, ...]
    digests: Mapping[str, frozenset[str]]
    versions: Mapping[str, str]


def parse_lock(text: str) -> Locked:
    """Return what a lock file says; pip is added to it."""
    constraints = [f"pip=={PIP_VERSION}"]
    digests: dict[str, set[str]] = {"pip": {PIP_SHA256}}
    versions = {"pip": PIP_VERSION}
    name = ""
    for line in text.splitlines():
        found = REQUIREMENT.match(line)
        if found:
            name = plain_name(found["name"])
            versions[name] = found["version"]
            constraints.append(line.rstrip("\\ "))
        for digest in HASH.findall(line):
            digests.setdefault(name, set()).add(digest)
    return Locked(
        tuple(constraints), {key: frozenset(value) for key, value in digests.items()}, versions
    )


def plain_name(name: str) -> str:
    """Return a package's name as all ways to write it are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of_wheel(file_name: str) -> str:
    """Return the plain name of the package that a wheel's file name begins with (PEP 427)."""
    return plain_name(file_name.split("-", 1)[0])
