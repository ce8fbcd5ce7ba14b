"""From an observation to its meaning at this station. Pure.

    data begins with CMD- LOC- DOC- OPR-   command, place, document, person
    AIM identifier says GS1, or a GS       GS1 element string
    AIM identifier of EAN, UPC or ITF-14   GTIN, check digit wanted
    text is an item's code                 that item
    (01)...(10)... as printed, typed       the same element string: parentheses are no data
    digits with a right check digit        GTIN (8, 12, 13, 14) or SSCC (18)
    an element string with (00) (01) (02)  as GS1, though nothing says so; a wrong check digit too
    12 to 14 digits, wrong check digit     unreadable: most likely misread or misprinted
    text is a place's code, without LOC-   that place
    anything else                          an unknown item, never refused

AIM identifiers: ISO/IEC 15424. Element strings: GS1 General Specifications, section 3.
"""

import hashlib
import re
from datetime import UTC, date, datetime
from decimal import Decimal

from central.contract.errors import ContractError
from central.contract.facts import VIRTUAL_PLACES
from central.contract.gs1 import (
    GS,
    Element,
    check_digit,
    mass_unit,
    parse_date,
    parse_elements,
    parse_measure,
    to_gtin14,
)
from central.contract.identifiers import parse_code
from central.contract.quantities import (
    GRAMS_PER_MASS_UNIT,
    PIECE,
    canonical_text,
    convert_mass,
    to_micro,
)
from drivers.readings import BarcodeScanned, DeviceFault, InputChanged, WeightMeasured
from gateway.station.catalogue import Catalogue
from gateway.station.commands import (
    COMMAND_PREFIX,
    DOCUMENT_PREFIX,
    OPERATOR_PREFIX,
    PLACE_PREFIX,
    parse_command,
)
from gateway.station.meanings import (
    DeviceTrouble,
    Meaning,
    ScannedBadge,
    ScannedBin,
    ScannedDocument,
    ScannedItem,
    ScannedSscc,
    Unreadable,
    WeightSeen,
)
from gateway.station.messages import N_, say
from gateway.station.observations import Observation

GS1_IDENTIFIERS = frozenset({"]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1"})
# Net weight in kilograms, pounds, troy ounces, ounces; 330n and 340n are gross.
NET_WEIGHT_IDENTIFIERS = frozenset({"310", "320", "356", "357"})
UNKNOWN_CODE_CHARACTERS_MAX = 64  # Movement.item takes no more.
PRINTED_IDENTIFIER = re.compile(r"\(([0-9]{2,4})\)", re.ASCII)
WRONG_CHECK_DIGIT = N_("Wrong check digit in {code}: scan again; if it stays wrong, relabel.")
CLOCK_YEAR_MIN = 2020  # An earlier year is a clock that was never set.


def interpret(observation: Observation, catalogue: Catalogue) -> Meaning:
    """Return what an observation means; never raises, whatever was scanned."""
    reading = observation.reading
    if isinstance(reading, WeightMeasured):
        return WeightSeen(reading)
    if isinstance(reading, DeviceFault):
        return DeviceTrouble(observation.device, reading)
    if isinstance(reading, InputChanged):  # A button stands for the bar code in its settings.
        reading = BarcodeScanned(symbology="", data=reading.code, raw=reading.raw)
    assert isinstance(reading, BarcodeScanned), "tags and their passages are no step of a workflow"
    return _scanned(reading, catalogue, event_time_ms=observation.event_time_ms)


def unknown_code(text: str) -> str:
    """Return what stands for an unknown item in facts: the scanned text, printable, 64 at most.

    A longer text keeps its begin and gets a digest, so that two of them stay two.
    """
    printable = "".join(character if character.isprintable() else "_" for character in text)
    if len(printable) <= UNKNOWN_CODE_CHARACTERS_MAX:
        return printable
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return printable[: UNKNOWN_CODE_CHARACTERS_MAX - 17] + "~" + digest


def _scanned(scan: BarcodeScanned, catalogue: Catalogue, *, event_time_ms: int) -> Meaning:
    text = scan.data.strip(" ")
    if not text.strip(GS):
        return Unreadable(say(N_("The bar code is empty: scan it again.")))
    if text[:4].upper() == COMMAND_PREFIX:
        return parse_command(text) or Unreadable(
            say(N_("{code} is no command: use the command sheet."), code=text[:40])
        )
    if text[:4] in {PLACE_PREFIX, DOCUMENT_PREFIX, OPERATOR_PREFIX}:
        return _own_code(text, catalogue)
    if scan.symbology in GS1_IDENTIFIERS or GS in text:
        return _gs1(text, catalogue, event_time_ms=event_time_ms)
    trade_number = _trade_number(text, scan.symbology)
    if trade_number:
        return _gtin(trade_number, catalogue)
    item = catalogue.item(text)
    if item is not None:
        return ScannedItem(item=item, code=item.code, quantity=Decimal(1), unit=item.unit)
    if PRINTED_IDENTIFIER.match(text):
        return _gs1(_as_encoded(text), catalogue, event_time_ms=event_time_ms)
    if text.isascii() and text.isdigit() and len(text) in {8, 12, 13, 14, 18}:
        if text[-1] == check_digit(text[:-1]):
            return ScannedSscc(text) if len(text) == 18 else _gtin(text, catalogue)
        if len(text) in {12, 13, 14}:
            return _wrong_check_digit(text)
    if text[:2] in {"00", "01", "02"}:
        meaning = _gs1(text, catalogue, event_time_ms=event_time_ms)
        if not isinstance(meaning, Unreadable) or meaning.message.text == WRONG_CHECK_DIGIT:
            return meaning
    place = catalogue.location(text)
    if place is not None:  # Typed as people call it; the label says LOC- before it.
        return ScannedBin(place.code, place)
    return ScannedItem(item=None, code=unknown_code(text), quantity=Decimal(1), unit=PIECE)


def _as_encoded(printed: str) -> str:
    """Return the element string of what is printed for people: "(01)0950...(10)L1"."""
    parts = PRINTED_IDENTIFIER.split(printed)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return GS.join(identifier + value.strip(" ") for identifier, value in pairs)


def _own_code(text: str, catalogue: Catalogue) -> Meaning:
    prefix, code = text[:4], text[4:]
    try:
        parse_code(code, what="scanned")
    except ContractError:
        return Unreadable(say(N_("{code} cannot be read: print this label again."), code=text[:40]))
    if prefix == DOCUMENT_PREFIX:
        return ScannedDocument(code, catalogue.document(code))
    if prefix == OPERATOR_PREFIX:
        return ScannedBadge(code, catalogue.operator(code))
    if code in VIRTUAL_PLACES:
        return Unreadable(say(N_("{code} is no place: scan the label of a bin."), code=code))
    return ScannedBin(code, catalogue.location(code))


def _trade_number(text: str, symbology: str) -> str:
    # EAN and UPC are ]E0 (13 digits), ]E3 (13 digits and an add-on) and ]E4 (8); ITF is ]I0 to ]I3.
    if not (text.isascii() and text.isdigit()):
        return ""
    if symbology == "]E3":
        return text[:13]
    if symbology[:2] == "]E" and len(text) in {8, 12, 13, 14}:
        return text
    return text if symbology[:2] == "]I" and len(text) == 14 else ""


def _gtin(gtin: str, catalogue: Catalogue) -> Meaning:
    if gtin[-1] != check_digit(gtin[:-1]):
        return _wrong_check_digit(gtin)
    return _item_of_gtin(to_gtin14(gtin), catalogue)


def _wrong_check_digit(code: str) -> Unreadable:
    return Unreadable(
        say(
            WRONG_CHECK_DIGIT,
            code=code[:40],
        )
    )


def _item_of_gtin(gtin14: str, catalogue: Catalogue) -> ScannedItem:
    pack = catalogue.pack(gtin14)
    if pack is None:
        return ScannedItem(item=None, code=gtin14, gtin=gtin14, quantity=Decimal(1), unit=PIECE)
    return ScannedItem(
        item=pack.item,
        code=pack.item.code,
        gtin=gtin14,
        quantity=pack.quantity,
        unit=pack.item.unit,
    )


def _gs1(text: str, catalogue: Catalogue, *, event_time_ms: int) -> Meaning:
    try:
        elements = parse_elements(text)
        values = {element.ai: element.value for element in elements}
        gtin = values.get("01") or values.get("02") or ""
        sscc = values.get("00", "")
        if not gtin:
            return ScannedSscc(sscc) if sscc else _without_item(text)
        expiry = (
            parse_date(values["17"], today=_today(event_time_ms)).isoformat()
            if "17" in values
            else ""
        )
        return _with_amount(
            _item_of_gtin(gtin, catalogue),
            elements,
            lot=values.get("10", ""),
            serial=values.get("21", ""),
            expiry_date=expiry,
            sscc=sscc,
        )
    except ContractError as error:
        if "check digit" in str(error):
            return _wrong_check_digit(re.sub(r"[^ -~]", " ", text))
        return Unreadable(
            say(N_("This GS1 bar code cannot be read: scan again; if it stays, relabel."))
        )


def _without_item(text: str) -> Unreadable:
    return Unreadable(
        say(
            N_("This bar code names no item: scan the one with the item number (01). {code}"),
            code=re.sub(r"[^ -~]", " ", text)[:40],
        )
    )


def _with_amount(
    scanned: ScannedItem,
    elements: tuple[Element, ...],
    *,
    lot: str,
    serial: str,
    expiry_date: str,
    sscc: str,
) -> ScannedItem:
    # (37) counts trade items, each a pack; (30) counts the item's own unit; a net weight is the
    # quantity of an item that is kept by mass, and the catch weight of any other.
    quantity, unit, trade_count, net_weight, weight_unit = scanned.quantity, scanned.unit, 1, "", ""
    for element in elements:
        if element.ai == "37" and int(element.value) > 0:
            trade_count = int(element.value)
            quantity = scanned.quantity * trade_count
        elif element.ai == "30" and int(element.value) > 0:
            quantity = Decimal(int(element.value))
    weight = _net_weight(elements, item_unit=scanned.unit)
    if weight is not None and scanned.unit in GRAMS_PER_MASS_UNIT:
        quantity, unit = weight
    elif weight is not None:
        net_weight, weight_unit = canonical_text(weight[0]), weight[1]
    return ScannedItem(
        item=scanned.item,
        code=scanned.code,
        gtin=scanned.gtin,
        quantity=quantity,
        unit=unit,
        trade_count=trade_count,
        lot=lot,
        serial=serial,
        expiry_date=expiry_date,
        sscc=sscc,
        net_weight=net_weight,
        weight_unit=weight_unit,
    )


def _net_weight(elements: tuple[Element, ...], *, item_unit: str) -> tuple[Decimal, str] | None:
    # A label may say it twice, in kilograms and in pounds: the one that is exact in the item's
    # unit counts, else the first in the order of the identifiers, as it is printed.
    weights = [
        (parse_measure(element), unit)
        for element in sorted(elements, key=lambda element: element.ai)
        if element.ai[:3] in NET_WEIGHT_IDENTIFIERS and (unit := mass_unit(element))
    ]
    weights = [weight for weight in weights if weight[0] > 0]
    for value, unit in sorted(weights, key=lambda weight: weight[1] != item_unit):
        try:
            converted = convert_mass(value, from_unit=unit, to_unit=item_unit)
            to_micro(converted)
        except ContractError:
            continue  # Kept by the piece, or not exact.
        return converted, item_unit
    return weights[0] if weights else None


def _today(event_time_ms: int) -> date | None:
    try:
        moment = datetime.fromtimestamp(event_time_ms / 1000, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.date() if moment.year >= CLOCK_YEAR_MIN else None
