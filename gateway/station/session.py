"""Where a station is in its work, and what surrounds one step of it. Pure."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

from central.contract.facts import PackingAction, VirtualPlace
from drivers.readings import DeviceFault, WeightMeasured
from gateway.station.book import Book, StockKey
from gateway.station.catalogue import Catalogue
from gateway.station.commands import Command
from gateway.station.effects import Effect, Message, NewPrintJob
from gateway.station.meanings import ScannedItem
from gateway.station.observations import Observation
from gateway.station.templates.model import NO_TEMPLATES, Language, TemplateSet

LOADS_MAX = 100  # Goods in hand during one putaway; more than a pallet holds.
COUNTED_MAX = 1000  # Different goods counted at one place; more than a place holds.


@dataclass(frozen=True, slots=True)
class Menu:
    """Nothing is going on: a command says what comes."""


@dataclass(frozen=True, slots=True)
class Receive:
    """Goods come in. document: "" is blind receipt. sscc: of their pallet, "" if loose.

    source: from where, as the document said when it was opened: it may be withdrawn meanwhile.
    """

    document: str = ""
    sscc: str = ""
    source: VirtualPlace = "supplier"


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
    """Bulk goods come in by weight. source: as in Receive."""

    document: str = ""
    scanned: ScannedItem | None = None
    tare: Tare | None = None
    source: VirtualPlace = "supplier"


@dataclass(frozen=True, slots=True)
class PrintBin:
    """Bin labels are printed, one for each place scanned."""


@dataclass(frozen=True, slots=True)
class PrintPallet:
    """Pallet labels are printed, each with a new SSCC."""


@dataclass(frozen=True, slots=True)
class Ship:
    """Goods go out. document: "" is blind: to a customer, under no document.

    source: the place that was scanned, "" if none was. sscc: of a pallet whose content nobody
    knows; items scanned next lie on it. guidance: what is next by the document, None if unknown.
    destination: as the document said when it was opened: it may be withdrawn meanwhile.
    """

    document: str = ""
    source: str = ""
    sscc: str = ""
    destination: VirtualPlace = "customer"
    guidance: Message | None = None


@dataclass(frozen=True, slots=True)
class Counting:
    """Stock is counted, place by place, by people who are not told what the book has.

    document: "" is a count that nobody asked for. place: "" until one was scanned. sscc: items
    scanned next are on that pallet. tallies: counted and not yet recorded, the last scan at the
    end. counted: what was recorded at this place since it was scanned, each once.
    round: of the document when it was opened. guidance: where to go next, None if no document
    says so.
    """

    document: str = ""
    round: int = 1
    place: str = ""
    sscc: str = ""
    tallies: tuple[Load, ...] = ()
    counted: tuple[StockKey, ...] = ()
    guidance: Message | None = None


@dataclass(frozen=True, slots=True)
class PackUnits:
    """Logistic units are put into another one, or taken out of it. parent: "" until scanned."""

    action: PackingAction
    parent: str = ""
    children: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """Goods go from the place that was scanned, `source`, to another. Fields as in Putaway."""

    source: str = ""
    loads: tuple[Load, ...] = ()
    sscc: str = ""


@dataclass(frozen=True, slots=True)
class Pick:
    """Goods of a document are taken from their places and put ready, or sent at once.

    source, destination, guidance: as in Ship. asks_reason: SHORT was scanned, the reason comes.
    short: lines of which there is not enough, as somebody said, in the order of saying so.
    undo: what an UNDO is about: the last movement, or the SHORT that was said after it.
    """

    document: str = ""
    source: str = ""
    destination: VirtualPlace = "customer"
    asks_reason: bool = False
    short: tuple[int, ...] = ()
    undo: Literal["movement", "held", "counted", "put off"] = "movement"
    guidance: Message | None = None


InspectedStatus = Literal["inspection", "held"]


@dataclass(frozen=True, slots=True)
class Inspect:
    """It is decided what becomes of goods at a place.

    source: the status that they have. loads: what was scanned and is not decided. verdict: REJECT
    or HOLD until its reason was scanned. target: where the goods go then, "" to stay.
    """

    place: str = ""
    source: InspectedStatus = "inspection"
    loads: tuple[Load, ...] = ()
    verdict: Command | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """Customers' goods come back under no document. reason: a command, None until one is scanned.

    sscc: items scanned next are on that pallet.
    """

    reason: Command | None = None
    sscc: str = ""


@dataclass(frozen=True, slots=True)
class Relabel:
    """New labels are printed for what is there, one for each code scanned."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Codes are looked up; nothing moves. notes: what is known of the last one."""

    notes: tuple[Message, ...] = ()


State = (
    Menu
    | Receive
    | Putaway
    | Weigh
    | PrintBin
    | PrintPallet
    | Ship
    | Counting
    | PackUnits
    | Move
    | Pick
    | Inspect
    | Return
    | Relabel
    | LookUp
)
PickTo = Literal["staging", "ship"]


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

    ship_location: where goods wait to go out, "" for the receive location.
    returns_location: where goods come back to, "" for the receive location.
    pick_to: whether picked goods wait at the ship location or are sent at once.
    scales, printers: device names in the order of the configuration; the first one is used.
    sscc_company_prefix: GS1 company prefix, "" if this site may give no SSCC.
    templates: of labels; place_template and pallet_template name those that are printed.
    language: of the labels.
    """

    station: str
    warehouse: str
    receive_location: str
    ship_location: str = ""
    returns_location: str = ""
    pick_to: PickTo = "staging"
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


class Knowing(Protocol):
    """What is known where a step is taken or shown: reference data, stock, and how it works here.

    `Surroundings` and `Known` are such.
    """

    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def book(self) -> Book: ...
    @property
    def setup(self) -> StationSetup: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when no step is taken: for the screen, and after a start."""

    catalogue: Catalogue
    book: Book
    setup: StationSetup


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What one step may look at.

    observation: what this step is about: its stamp and its raw bytes become those of the facts.
    scale: the station's scale; None if it has said nothing yet.
    sscc_reference: the serial reference of the next SSCC, reserved durably; None if not needed now.
        A step that uses it says so with a label that carries it, and it is never offered again.
    last_label: what was last sent to this station's printer; None if nothing was, or not needed.
    known_ms: wall time of what central said last of the stock, 0 if it never did.
    """

    catalogue: Catalogue
    book: Book
    setup: StationSetup
    observation: Observation
    scale: ScaleView | None = None
    sscc_reference: int | None = None
    last_label: NewPrintJob | None = None
    known_ms: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one workflow made of one meaning. done: what has been done, None if nothing."""

    session: Session
    effects: tuple[Effect, ...] = ()
    done: Message | None = None
