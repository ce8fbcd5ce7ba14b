"""What an address can ask of whoever opens it, and how addresses are written down. Pure.

A segment is written as "*", several as "**", one that names a warehouse as "{w}", one that names an
object as "{it}"; those two may have an ending, such as "{it}.pdf".
"""

from dataclasses import dataclass
from enum import Enum, auto

from central.access.permissions import Permission

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Way(Enum):
    """How an address finds out who asks."""

    PEOPLE = auto()  # A session or a token, with the permission.
    SIGNED_IN = auto()  # Anybody who is signed in: what is one's own.
    ANYBODY = auto()  # Nobody has to sign in: signing in itself, style sheets.
    GATEWAY = auto()  # Gateways, which prove themselves what they are.
    WATCHER = auto()  # Whoever watches the server: from this machine, or with the permission.


class Where(Enum):
    """In which warehouse somebody has to have the permission."""

    ANY = auto()  # In any one: what the address shows belongs to none.
    ALL = auto()  # In all of them: what it shows or changes belongs to all.
    QUERY = auto()  # In that of "?warehouse="; whoever has a single one need not say it.
    OWN = auto()  # As QUERY, for pages that read what is theirs by a narrowed connection.
    PATH = auto()  # In that of the segment "{w}".
    OBJECT = auto()  # In that of the object "{it}", which is looked up.
    BODY = auto()  # In those that the body names.
    SOURCE = auto()  # In that which goods are taken from, of the object or of the body.


@dataclass(frozen=True, slots=True)
class Rule:
    """What an address asks for. read: to look, change: to change; None where that is not there.

    also: further permissions for both. kind: of the object "{it}", for `object_warehouses`.
    """

    pattern: str
    way: Way = Way.PEOPLE
    read: Permission | None = None
    change: Permission | None = None
    also: frozenset[Permission] = frozenset()
    where: Where = Where.ANY
    change_where: Where | None = None
    kind: str = ""

    def asks(self, method: str) -> Permission | None:
        """Return the permission that a method asks for, None for a method that is not there."""
        return self.read if method in READING else self.change

    def place(self, method: str) -> Where:
        """Return where that permission has to hold."""
        return self.where if method in READING or self.change_where is None else self.change_where


@dataclass(frozen=True, slots=True)
class Fit:
    """A rule that an address fits, with the warehouse and the object that the address names."""

    rule: Rule
    warehouse: str = ""
    code: str = ""


def fit_of(rule: Rule, path: str) -> Fit | None:
    """Return what an address fits of a rule, None where it does not."""
    parts, segments = rule.pattern.split("/")[1:], path.split("/")[1:]
    whole = parts[-1] != "**"
    if len(segments) != len(parts) if whole else len(segments) < len(parts):
        return None
    found = {"{w}": "", "{it}": ""}
    for part, segment in zip(parts, segments, strict=False):
        name, brace, ending = part.partition("}")
        if brace:
            found[name + brace] = segment.removesuffix(ending)
            if not segment.endswith(ending) or not segment.removesuffix(ending):
                return None
        elif part not in {"*", "**", segment} or (part != segment and not segment):
            return None
    return Fit(rule, warehouse=found["{w}"], code=found["{it}"])
