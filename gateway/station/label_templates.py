"""The labels of a station, made of its templates. Pure.

    place    bin.toml, or the template named in the configuration      {place}
    pallet   pallet.toml, likewise                     {sscc} {item} {gtin} {count} {lot}
    item     item.toml                                 {item} {code} {gtin} {lot} {house_code}

The shipped templates are in `gateway/labels`; how they are written: `templates/README.md`.
"""

from dataclasses import dataclass

from drivers.labels import Label
from gateway.station.meanings import ScannedItem
from gateway.station.templates.fill import FieldValues, fill_template
from gateway.station.templates.model import Language, Template

ITEM_TEMPLATE = "item"
COUNT_MAX = 99_999_999  # (37) holds 8 digits.


@dataclass(frozen=True, slots=True)
class PalletContent:
    """What is on a pallet. gtin: 14 digits. count: trade items of that GTIN.

    name_zh: the name on a Chinese label, "" for the same one.
    """

    name: str
    gtin: str
    count: int
    lot: str = ""
    name_zh: str = ""


def bin_label(template: Template, code: str, *, language: Language) -> Label | None:
    """Return the label of a place, None if its code is too long for every bar width."""
    return fill_template(template, (("place", code),), language=language)


def pallet_label(
    template: Template, sscc: str, content: PalletContent | None, *, language: Language
) -> Label | None:
    """Return the label of a pallet with its SSCC (18 digits) and, if known, its content.

    None if a bar code is too long for every bar width of the template.
    """
    values: FieldValues = (("sscc", sscc),)
    if content is not None:
        name = content.name_zh if language == "zh" and content.name_zh else content.name
        values += (
            ("item", name),
            ("gtin", content.gtin),
            ("count", str(content.count)),
            ("lot", content.lot),
        )
    return fill_template(template, values, language=language)


def item_label(
    template: Template, scanned: ScannedItem, *, gtin: str, language: Language
) -> Label | None:
    """Return the label of an item that is known here, with its lot if a GTIN can carry it.

    gtin: 14 digits, "" if it has none. None if a bar code is too long for the template.
    """
    item = scanned.item
    assert item is not None, "what nobody knows has no label of its own"
    name = item.name_zh if language == "zh" and item.name_zh else item.name
    values: FieldValues = (("item", name), ("code", item.code))
    if gtin:
        values += (("gtin", gtin), ("lot", scanned.lot))
    else:
        values += (("house_code", item.code),)
    return fill_template(template, values, language=language)
