"""Where a station is in its work, and what surrounds one step of it. Pure."""

from dataclasses import dataclass, field
from decimal import Decimal

from drivers.readings import DeviceFault, WeightMeasured
from gateway.station.book import Book
from gateway.station.catalogue import Catalogue
from gateway.station.effects import Effect, Message
from gateway.station.meanings import ScannedItem
from gateway.station.observations import Observation
from gateway.station.templates.model import NO_TEMPLATES, Language, TemplateSet

LOADS_MAX = 100  # Goods in hand during one putaway; more than a pallet holds.


@dataclass(frozen=True, slots=True)
class Menu:
    """Nothing is going on: a command says what comes."""


@dataclass(frozen=True, slots=True)
class Receive:
    """Goods come in. document: "" is blind receipt. sscc: of their pallet, "" if loose."""

    document: str = ""
    sscc: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """Goods in hand, not yet put anywhere.

    quantity, and the catch weight of `scanned`: with the quantity command counted in.
    """

    scanned: ScannedItem
    quantity: Decimal
    sscc: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Putaway:
    """Goods go from `source` ("" is the receive location) to a bin.

    sscc: of a pallet whose content the book does not know; items scanned next lie on it.
    """

    source: str = ""
    loads: tuple[Load, ...] = ()
    sscc: str = ""


@dataclass(frozen=True, slots=True)
class Tare:
    """The empty container, weighed."""

    value: Decimal
    unit: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Weigh:
    """Bulk goods come in by weight."""

    document: str = ""
    scanned: ScannedItem | None = None
    tare: Tare | None = None


@dataclass(frozen=True, slots=True)
class PrintBin:
    """Bin labels are printed, one for each place scanned."""


@dataclass(frozen=True, slots=True)
class PrintPallet:
    """Pallet labels are printed, each with a new SSCC."""


State = Menu | Receive | Putaway | Weigh | PrintBin | PrintPallet


@dataclass(frozen=True, slots=True)
class Session:
    """Everything a station remembers between two observations; it starts as `Session()`.

    multiplier: how many times the next scan counts.
    recorded_gross, recorded_unit: the load that was recorded last and may still stand on the scale;
        None and "" once the scale has shown less than half of it, or the load was tared.
    """

    state: State = field(default_factory=Menu)
    operator: str = ""
    multiplier: Decimal = Decimal(1)
    recorded_gross: Decimal | None = None
    recorded_unit: str = ""


@dataclass(frozen=True, slots=True)
class StationSetup:
    """The station's part of the configuration.

    scales, printers: device names in the order of the configuration; the first one is used.
    sscc_company_prefix: GS1 company prefix, "" if this site may give no SSCC.
    templates: of labels; place_template and pallet_template name those that are printed.
    language: of the labels.
    """

    station: str
    warehouse: str
    receive_location: str
    scales: tuple[str, ...] = ()
    printers: tuple[str, ...] = ()
    sscc_company_prefix: str = ""
    sscc_extension_digit: str = "0"
    templates: TemplateSet = NO_TEMPLATES
    place_template: str = "bin"
    pallet_template: str = "pallet"
    language: Language = "en"


@dataclass(frozen=True, slots=True)
class ScaleView:
    """What a scale said last, and when (nanoseconds since boot)."""

    device: str
    reading: WeightMeasured | DeviceFault
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What one step may look at.

    observation: what this step is about: its stamp and its raw bytes become those of the facts.
    scale: the station's scale; None if it has said nothing yet.
    sscc_reference: the serial reference of the next SSCC, reserved durably; None if not needed now.
        A step that uses it says so with a label that carries it, and it is never offered again.
    """

    catalogue: Catalogue
    book: Book
    setup: StationSetup
    observation: Observation
    scale: ScaleView | None = None
    sscc_reference: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one workflow made of one meaning. done: what has been done, None if nothing."""

    session: Session
    effects: tuple[Effect, ...] = ()
    done: Message | None = None
