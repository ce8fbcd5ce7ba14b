"""A template and the values of its fields to a label. Pure."""

import re
import unicodedata
from decimal import Decimal

from drivers.labels import (
    Box,
    Code128,
    Element,
    Gs1Code128,
    Gs1DataMatrix,
    Label,
    Line,
    Picture,
    Qr,
    Text,
)
from gateway.station.templates.model import (
    BoxElement,
    Code128Element,
    Gs1Code128Element,
    Gs1DataMatrixElement,
    GsElements,
    Language,
    LineElement,
    ModuleChoice,
    PictureElement,
    QrElement,
    Template,
    TemplateElement,
    TextElement,
    Words,
)

FieldValues = tuple[tuple[str, str], ...]
# A letter is about two thirds as wide as it is high, a Chinese character as wide.
LETTER_WIDTH, WIDE_LETTER_WIDTH = Decimal(2) / 3, Decimal(1)
TEXT_CHARACTERS_MAX = 200


def fill_template(template: Template, values: FieldValues, *, language: Language) -> Label | None:
    """Return the label; None if a bar code is too long for every width that the template offers.

    values: name and value of each field; one that is missing is empty. Whether the label fits its
    paper is the printer's driver's to say.
    """
    fields = dict.fromkeys((name for name, _ in values), "") | dict(values)
    filling = _Filling(template, fields, language)
    elements: list[Element] = []
    for element in template.elements:
        if element.when and not fields.get(element.when):
            continue
        made = filling.make(element)
        if made is None:
            return None
        elements.append(made)
    return Label(template.label.width_mm, template.label.height_mm, tuple(elements))


class _Filling:
    """Makes the elements of one label."""

    def __init__(self, template: Template, fields: dict[str, str], language: Language) -> None:
        self._template = template
        self._fields = _Empty(fields)
        self._language = language

    def make(self, element: TemplateElement) -> Element | None:
        """Return the element, None for a bar code that does not fit."""
        x_mm, y_mm = element.x_mm, element.y_mm
        match element:
            case TextElement():
                text = one_line(self._text(element.text))
                return Text(x_mm, y_mm, _letter_height(element, text), text)
            case Code128Element():
                data = self._filled(element.data)
                module = self._module(element.module_mm, x_mm, len(data))
                if module is None:
                    return None
                return Code128(x_mm, y_mm, element.height_mm, module, data)
            case Gs1Code128Element():
                pairs = self._pairs(element.elements)
                module = self._module(element.module_mm, x_mm, _gs1_symbols(pairs))
                if module is None:
                    return None
                return Gs1Code128(x_mm, y_mm, element.height_mm, module, pairs)
            case Gs1DataMatrixElement():
                return Gs1DataMatrix(x_mm, y_mm, element.module_mm, self._pairs(element.elements))
            case QrElement():
                return Qr(x_mm, y_mm, element.module_mm, self._text(element.data))
            case LineElement():
                return Line(x_mm, y_mm, element.width_mm, element.height_mm)
            case BoxElement():
                return Box(x_mm, y_mm, element.width_mm, element.height_mm, element.line_mm)
            case PictureElement():
                bitmap = dict(self._template.pictures)[element.file]
                return Picture(x_mm, y_mm, element.width_mm, bitmap)

    def _text(self, words: Words) -> str:
        return self._filled(words if isinstance(words, str) else getattr(words, self._language))

    def _filled(self, text: str) -> str:
        return text.format_map(self._fields)

    def _pairs(self, elements: GsElements) -> GsElements:
        return tuple((identifier, self._filled(value)) for identifier, value in elements)

    def _module(self, choice: ModuleChoice, x_mm: Decimal, symbols_count: int) -> Decimal | None:
        if isinstance(choice, Decimal):
            return choice
        # Start, data, check (11 modules each), stop (13), two quiet zones of 10.
        modules_count = (symbols_count + 2) * 11 + 13 + 20
        free_mm = self._template.label.width_mm - x_mm
        return next((module for module in choice if modules_count * module <= free_mm), None)


class _Empty(dict[str, str]):
    """A field without a value is empty: the parser has let through only known fields."""

    def __missing__(self, key: str) -> str:
        del key
        return ""


def one_line(text: str) -> str:
    """Return `text` as a label can hold it: "?" for what is no character, at most 200."""
    shown = (
        sign if sign.isprintable() or unicodedata.category(sign) == "Zs" else "?" for sign in text
    )
    return "".join(shown)[:TEXT_CHARACTERS_MAX]


def text_width_mm(text: str, height_mm: Decimal) -> Decimal:
    """Return about how wide a text is in letters of a height."""
    letters = sum(
        WIDE_LETTER_WIDTH if unicodedata.east_asian_width(sign) in "WF" else LETTER_WIDTH
        for sign in text
    )
    return letters * height_mm


def _letter_height(element: TextElement, text: str) -> Decimal:
    if element.width_mm is None or not text:
        return element.height_mm
    height = min(element.height_mm, element.width_mm / text_width_mm(text, Decimal(1)))
    return max(height.quantize(Decimal("0.1")), Decimal("0.5"))


def _gs1_symbols(pairs: GsElements) -> int:
    """Return how many symbols a GS1-128 has at most: leading pairs of digits are one each."""
    text = "".join(identifier + value for identifier, value in pairs)
    found = re.match(r"[0-9]*", text)
    assert found is not None
    paired = len(found[0]) // 2
    rest = len(text) - 2 * paired
    return len(pairs) + paired + (rest + 1 if rest else 0)
