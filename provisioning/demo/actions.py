"""What a person or the network does in the demo, as data. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

# What JSON can say; numbers of goods are decimal text.
JsonValue = str | int | bool | list["JsonValue"] | dict[str, "JsonValue"]
SignalKind = Literal["success", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Scan:
    """A person scans `code` at a station and waits for its signal.

    symbology: AIM identifier. signal: what the station must answer. facts_count: how many facts it
    must record. scanner: which of the station's scanners.
    """

    warehouse: str
    code: str
    symbology: str = "]C0"
    signal: SignalKind = "success"
    facts_count: int = 0
    scanner: int = 0


@dataclass(frozen=True, slots=True)
class PutWeight:
    """A person lays so much on the scale in all; done when the station's screen shows it."""

    warehouse: str
    weight_kg: Decimal
    stable: bool = True


@dataclass(frozen=True, slots=True)
class ReadLabel:
    """A person takes the next label from the printer; it must carry exactly these bar codes.

    codes: element strings and texts as a scanner sends them, top to bottom. Counts one print fact.
    """

    warehouse: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """The cable between a gateway and the broker is pulled; done when the station knows."""

    warehouse: str


@dataclass(frozen=True, slots=True)
class Mend:
    """The cable is plugged in again, not before it was out as long as the demo promises."""

    warehouse: str


@dataclass(frozen=True, slots=True)
class Converge:
    """Wait until the ledger has acknowledged every fact of every gateway."""


@dataclass(frozen=True, slots=True)
class Office:
    """Head office asks central's API to change something, as a person at a page does.

    path: below /api/v1. code: that the object of the answer must have, "" for any.
    """

    path: str
    body: dict[str, JsonValue]
    code: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """Wait until a gateway works by what head office decided last."""

    warehouse: str


Action = Scan | PutWeight | ReadLabel | Cut | Mend | Converge | Office | Told


@dataclass(frozen=True, slots=True)
class Step:
    """A sentence for the terminal and what happens meanwhile. title: English, in the catalogue."""

    title: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True, order=True)
class Provoked:
    """A discrepancy that the script causes on purpose."""

    warehouse: str
    kind: str
    subject: str


def command(warehouse: str, code: str, *, signal: SignalKind = "success") -> Scan:
    """Return a scan from the command sheet, such as "CMD-DONE"."""
    return Scan(warehouse, code, signal=signal)


def place(warehouse: str, code: str, *, facts_count: int = 0) -> Scan:
    """Return the scan of a place's label."""
    return Scan(warehouse, f"LOC-{code}", facts_count=facts_count)
