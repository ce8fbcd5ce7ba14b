"""What pages and scans see of devices that are found, claimed and released. Pure."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol

import msgspec

from drivers.readings import BarcodeScanned
from gateway.station.effects import Message, Signal
from gateway.station.observations import Observation

BINDING_PREFIX = "BND-"
BINDING_CODE = re.compile(rf"{BINDING_PREFIX}[0-9A-Z]{{4}}")
TEXT_MAX = 512
SCANNER_KEY = "this-scanner"  # Whoever scans its code claims itself.


Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One device that belongs to this station.

    identity: see gateway/devices/identity.py. settings: all but its node, which is found anew.
    claimed_at: UTC, ISO 8601. by: "page", "scan", "command".
    """

    name: Text
    driver: Text
    identity: Text
    settings: dict[str, Any] = {}
    claimed_at: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class DriverChoice:
    """A driver that may serve a device. required: settings that a person has to write."""

    name: str
    device_class: str
    summary: str
    score: int
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that nobody has claimed.

    key: names it in a claim: its identity; "" if it is refused, see `problem`.
    title: what it calls itself. where: its node now, of a network device with its port.
    name: what it would be called at the first station; names: at each, with the station's code.
    code: binding code to scan, "" if it cannot be claimed so. listening: scanning with it is heard.
    note: what to know before or what to do instead; None if all is well.
    """

    key: str
    kind: str
    title: str
    where: str
    name: str
    code: str
    listening: bool
    choices: tuple[DriverChoice, ...]
    note: Message | None = None
    names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimedDevice:
    """A device that was claimed, plugged in or not. node: where it is now, "" if it is not."""

    name: str
    driver: str
    device_class: str
    identity: str
    state: Literal["present", "absent", "ambiguous", "unusable"]
    node: str
    note: Message | None = None


@dataclass(frozen=True, slots=True)
class DeviceList:
    """All of them at one moment. scanner_code: to be scanned with a new scanner, "" if none is.

    notice: what became of the last claim or release, or what to do.
    """

    found: tuple[FoundDevice, ...] = ()
    claimed: tuple[ClaimedDevice, ...] = ()
    scanner_code: str = ""
    notice: Message | None = None


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """A wish to put a found device into service. driver "": the first offered; name "": made up.

    by: who wants it: "page", "scan", "command".
    force: claim it although it does not answer when it is tried.
    """

    key: str
    driver: str = ""
    name: str = ""
    by: str = "page"
    force: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


class Claims(Protocol):
    """Who keeps the list. Any thread may call anything; no call raises what a person did wrong."""

    def device_list(self) -> DeviceList:
        """Return the list as it is; never waits for a device."""
        ...

    def claim(self, request: ClaimRequest) -> Signal:
        """Try a device and put it into service; waits some seconds. success: durably claimed."""
        ...

    def release(self, name: str) -> Signal:
        """Take a claimed device out of service; it is offered again."""
        ...

    def scanned(self, code: str, *, station: str = "") -> Signal:
        """Take a binding code that a working scanner scanned; returns at once.

        station: where it was scanned, which the device will serve; "" for the first.
        """
        ...


def binding_code(observation: Observation) -> str:
    """Return the binding code that was scanned, "" if it was anything else.

    A lot or an article that begins with the same letters is for the station.
    """
    reading = observation.reading
    if not isinstance(reading, BarcodeScanned):
        return ""
    text = reading.data.strip(" ").upper()
    return text if BINDING_CODE.fullmatch(text) else ""
