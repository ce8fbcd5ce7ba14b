"""The labels of a station: what stands where, in millimetres. Pure.

    bin label, 100 x 50            pallet label, 100 x 150
    +---------------------+        +---------------------+
    | A-01-03       (big) |        | SSCC                |
    | ||||||||||||||||||| |        | item, lot, count    |
    | LOC-A-01-03         |        | ||||||| (02)(37)    |
    +---------------------+        | ||||||| (10)        |
                                   | ||||||| (00)        |
                                   +---------------------+

The pallet label follows the GS1 logistic label: SSCC lowest, X-dimension 0.5 mm (0.25 mm for a
lot), human readable text beside each bar code. Text is ASCII: printers' fonts have no more.
"""

from dataclasses import dataclass
from decimal import Decimal

from drivers.labels import Code128, Element, Gs1Code128, Label, Line, Text
from gateway.station.commands import PLACE_PREFIX

BIN_WIDTH_MM, BIN_HEIGHT_MM = Decimal(100), Decimal(50)
PALLET_WIDTH_MM, PALLET_HEIGHT_MM = Decimal(100), Decimal(150)
MARGIN_MM = Decimal(5)
# Dots of a 203 dpi printer are 0.125 mm; thinner bars than two dots are not read at a distance.
MODULES_MM = (Decimal("0.5"), Decimal("0.375"), Decimal("0.25"))
TEXT_CHARACTERS_MAX = 40
COUNT_MAX = 99_999_999  # (37) holds 8 digits.


@dataclass(frozen=True, slots=True)
class PalletContent:
    """What is on a pallet. gtin: 14 digits. count: trade items of that GTIN."""

    name: str
    gtin: str
    count: int
    lot: str = ""


def bin_label(code: str) -> Label | None:
    """Return the label of a place, None if its code is too long for a bar code of this width."""
    data = PLACE_PREFIX + code
    module = _module_for(len(data))
    if module is None:
        return None
    letter = min(Decimal(14), (BIN_WIDTH_MM - 2 * MARGIN_MM) / max(1, len(code)) * Decimal("1.5"))
    height = letter.quantize(Decimal("0.1"))
    return Label(
        width_mm=BIN_WIDTH_MM,
        height_mm=BIN_HEIGHT_MM,
        elements=(
            Text(MARGIN_MM, Decimal(3), height, code),
            Code128(MARGIN_MM, Decimal(20), Decimal(20), module, data),
            Text(MARGIN_MM, Decimal(43), Decimal(4), data),
        ),
    )


def pallet_label(sscc: str, content: PalletContent | None) -> Label:
    """Return the label of a pallet with its SSCC (18 digits) and, if known, its content."""
    elements: list[Element] = [
        Text(MARGIN_MM, Decimal(4), Decimal(5), "SSCC"),
        Text(MARGIN_MM, Decimal(10), Decimal(8), sscc),
        Line(MARGIN_MM, Decimal(21), PALLET_WIDTH_MM - 2 * MARGIN_MM, Decimal("0.5")),
    ]
    if content is not None:
        elements += _content_elements(content)
    elements += [
        Gs1Code128(MARGIN_MM, Decimal(108), Decimal(32), MODULES_MM[0], (("00", sscc),)),
        Text(MARGIN_MM, Decimal(142), Decimal(4), f"(00){sscc}"),
    ]
    return Label(width_mm=PALLET_WIDTH_MM, height_mm=PALLET_HEIGHT_MM, elements=tuple(elements))


def ascii_text(text: str) -> str:
    """Return `text` with "?" for what a printer's font does not have, cut to a label's width."""
    shown = "".join(character if " " <= character <= "~" else "?" for character in text)
    return shown[:TEXT_CHARACTERS_MAX]


def _content_elements(content: PalletContent) -> list[Element]:
    count = str(content.count)
    elements: list[Element] = [
        Text(MARGIN_MM, Decimal(24), Decimal(5), ascii_text(content.name)),
        Text(MARGIN_MM, Decimal(31), Decimal(4), f"CONTENT {content.gtin}  COUNT {count}"),
    ]
    pairs = (("02", content.gtin), ("37", count))
    elements += [
        Gs1Code128(MARGIN_MM, Decimal(46), Decimal(20), MODULES_MM[1], pairs),
        Text(MARGIN_MM, Decimal(67), Decimal(4), f"(02){content.gtin}(37){count}"),
    ]
    if content.lot:
        elements += [
            Text(MARGIN_MM, Decimal(37), Decimal(4), f"BATCH/LOT {content.lot}"),
            Gs1Code128(MARGIN_MM, Decimal(76), Decimal(20), MODULES_MM[2], (("10", content.lot),)),
            Text(MARGIN_MM, Decimal(97), Decimal(4), f"(10){content.lot}"),
        ]
    return elements


def _module_for(characters_count: int) -> Decimal | None:
    # Start, data, check (11 modules each), stop (13), two quiet zones of 10.
    modules_count = (characters_count + 2) * 11 + 13 + 20
    for module in MODULES_MM:
        if modules_count * module <= BIN_WIDTH_MM - MARGIN_MM:
            return module
    return None
