"""What an observation means to a station: the inputs of its workflows. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from central.contract.reference import ExpectedDocument, Item, Location, Operator
from drivers.readings import DeviceFault, WeightMeasured
from gateway.station.commands import ScannedCommand
from gateway.station.effects import Message


@dataclass(frozen=True, slots=True)
class ScannedItem:
    """Goods. One scan means `quantity` of `unit`.

    item: None if this station knows no such item; `code` is then what was scanned.
    gtin: 14 digits, "" if the code was no GTIN. trade_count: how many trade items of that GTIN.
    sscc: of the pallet, if the same bar code named it. expiry_date: "YYYY-MM-DD" or "".
    net_weight: canonical text in `weight_unit` for a catch-weight item, "" otherwise.
    """

    item: Item | None
    code: str
    quantity: Decimal
    unit: str
    gtin: str = ""
    trade_count: int = 1
    lot: str = ""
    serial: str = ""
    expiry_date: str = ""
    sscc: str = ""
    net_weight: str = ""
    weight_unit: str = ""


@dataclass(frozen=True, slots=True)
class ScannedBin:
    """A place. location: None if this warehouse knows no such place."""

    code: str
    location: Location | None


@dataclass(frozen=True, slots=True)
class ScannedSscc:
    """A pallet or other logistic unit by its SSCC, 18 digits."""

    sscc: str


@dataclass(frozen=True, slots=True)
class ScannedBadge:
    """A person. operator: None if nobody has this badge here."""

    code: str
    operator: Operator | None


@dataclass(frozen=True, slots=True)
class ScannedDocument:
    """An expected document. document: None if this warehouse expects no such one."""

    code: str
    document: ExpectedDocument | None


@dataclass(frozen=True, slots=True)
class WeightSeen:
    """A live weight. It becomes a fact only when a person confirms it."""

    weight: WeightMeasured


@dataclass(frozen=True, slots=True)
class DeviceTrouble:
    """A device said that something is wrong."""

    device: str
    fault: DeviceFault


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A code that cannot be what it should be. message: why, and what to do."""

    message: Message


Meaning = (
    ScannedItem
    | ScannedBin
    | ScannedSscc
    | ScannedBadge
    | ScannedDocument
    | ScannedCommand
    | WeightSeen
    | DeviceTrouble
    | Unreadable
)
