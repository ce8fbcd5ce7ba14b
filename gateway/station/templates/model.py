"""What a label template says, as its TOML file is written. Pure.

The names of the fields below are the keys of the file; msgspec refuses all others.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import msgspec

from drivers.bitmap import Bitmap

Language = Literal["en", "zh"]
Use = Literal["place", "pallet", "item"]
# What a text may name in braces, by the use of the template.
FIELDS: dict[Use, tuple[str, ...]] = {
    "place": ("place",),
    "pallet": ("sscc", "item", "gtin", "count", "lot"),
    "item": ("item", "code", "gtin", "lot", "house_code"),
}
ELEMENTS_MAX = 100


class _FileStruct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Refuses unknown keys."""


class LanguageTexts(_FileStruct, frozen=True, kw_only=True):
    """One text in both languages."""

    en: str
    zh: str


Words = str | LanguageTexts
ModuleChoice = Decimal | tuple[Decimal, ...]
GsElements = tuple[tuple[str, str], ...]


class _Element(_FileStruct, frozen=True, kw_only=True, tag_field="kind"):
    """when: the field that must not be empty for this element to be printed, "" for always."""

    x_mm: Decimal
    y_mm: Decimal
    when: str = ""


class TextElement(_Element, frozen=True, kw_only=True, tag="text"):
    """A line of text. width_mm: a longer text gets smaller letters; without it, it is cut."""

    height_mm: Decimal
    text: Words
    width_mm: Decimal | None = None


class Code128Element(_Element, frozen=True, kw_only=True, tag="code128"):
    """A Code 128. module_mm: one width, or several of which the first that fits is taken."""

    height_mm: Decimal
    module_mm: ModuleChoice
    data: str


class Gs1Code128Element(_Element, frozen=True, kw_only=True, tag="gs1_code128"):
    """A GS1-128. elements: pairs of application identifier and value."""

    height_mm: Decimal
    module_mm: ModuleChoice
    elements: GsElements


class Gs1DataMatrixElement(_Element, frozen=True, kw_only=True, tag="gs1_data_matrix"):
    """A GS1 DataMatrix."""

    module_mm: Decimal
    elements: GsElements


class QrElement(_Element, frozen=True, kw_only=True, tag="qr"):
    """A QR code."""

    module_mm: Decimal
    data: Words


class LineElement(_Element, frozen=True, kw_only=True, tag="line"):
    """A filled rectangle."""

    width_mm: Decimal
    height_mm: Decimal


class BoxElement(_Element, frozen=True, kw_only=True, tag="box"):
    """The outline of a rectangle."""

    width_mm: Decimal
    height_mm: Decimal
    line_mm: Decimal


class PictureElement(_Element, frozen=True, kw_only=True, tag="picture"):
    """A PNG beside the template. file: its name, without a folder."""

    width_mm: Decimal
    file: str


TemplateElement = (
    TextElement
    | Code128Element
    | Gs1Code128Element
    | Gs1DataMatrixElement
    | QrElement
    | LineElement
    | BoxElement
    | PictureElement
)
ELEMENT_KINDS: tuple[type[TemplateElement], ...] = (
    TextElement,
    Code128Element,
    Gs1Code128Element,
    Gs1DataMatrixElement,
    QrElement,
    LineElement,
    BoxElement,
    PictureElement,
)


class LabelSection(_FileStruct, frozen=True, kw_only=True):
    """The paper. use: what the label is for, and so which fields it may name."""

    use: Use
    width_mm: Decimal
    height_mm: Decimal


class TemplateFile(_FileStruct, frozen=True, kw_only=True, rename={"elements": "element"}):
    """The whole file."""

    label: LabelSection
    elements: tuple[TemplateElement, ...]


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A checked template. pictures: those that it names, by their file's name."""

    name: str
    label: LabelSection
    elements: tuple[TemplateElement, ...]
    pictures: tuple[tuple[str, Bitmap], ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """A file that is not used. hint: one imperative sentence."""

    file: str
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class TemplateSet:
    """All usable templates by name, ascending, and what is wrong with the others."""

    templates: tuple[Template, ...]
    faults: tuple[TemplateFault, ...] = ()

    def find(self, name: str, *, use: Use | None = None) -> Template | None:
        """Return the template of that name, None if there is none or it is for another use."""
        found = next((one for one in self.templates if one.name == name), None)
        return None if found and use and found.label.use != use else found


NO_TEMPLATES = TemplateSet(())
