"""A template's text to a checked `Template`, or what to write instead. Pure.

Every mistake names file, line, element, key and what to write:

    pallet.toml line 31, element 4 (text), text: there is no field {iten}: did you mean {item}?
"""

import difflib
import re
import string
import tomllib
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from gateway.config_lines import find_line
from gateway.errors import TemplateInvalid
from gateway.station.templates.model import (
    ELEMENT_KINDS,
    ELEMENTS_MAX,
    FIELDS,
    Code128Element,
    Gs1Code128Element,
    Gs1DataMatrixElement,
    LabelSection,
    LanguageTexts,
    PictureElement,
    QrElement,
    TemplateElement,
    TemplateFile,
    TextElement,
)

LENGTH_MM_MAX = Decimal(990)
LABEL_SIDE_MM_MIN = Decimal(5)  # The same as in `label_layout`.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
PICTURE_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.png")
ERROR_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
FIELD_NAME = re.compile(r"field `([^`]*)`")
ELEMENT_PATH = re.compile(r"^element\[(\d+)\]")
KINDS = tuple(str(kind.__struct_config__.tag) for kind in ELEMENT_KINDS)
# What to write, by key.
EXAMPLES = {
    "label": "[label]",
    "element": "[[element]]",
    "use": 'use = "pallet" (or "place", "item")',
    "width_mm": "width_mm = 100",
    "height_mm": "height_mm = 5",
    "x_mm": "x_mm = 5",
    "y_mm": "y_mm = 4",
    "line_mm": "line_mm = 0.5",
    "module_mm": "module_mm = 0.25",
    "kind": 'kind = "text"',
    "text": 'text = "SSCC {sscc}" or text = { en = "LOT {lot}", zh = "批号 {lot}" }',
    "data": 'data = "LOC-{place}"',
    "elements": 'elements = [["02", "{gtin}"], ["37", "{count}"]]',
    "file": 'file = "logo.png"',
    "when": 'when = "lot"',
}


def parse_template(text: str, *, file_name: str) -> TemplateFile:
    """Return the checked content of a template file. Raises TemplateInvalid."""
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    # ValueError: also a whole number of more digits than Python reads.
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise TemplateInvalid(
            f"{file_name}: not TOML: {error}",
            hint='Write key = value, texts in "quotes", [label] once, [[element]] for each.',
        ) from error
    source = _Source(file_name, text)
    try:
        template = msgspec.convert(data, TemplateFile)
    except msgspec.ValidationError as error:
        raise _type_error(source, data, str(error)) from error
    _check_lengths(source, template)
    if not 1 <= len(template.elements) <= ELEMENTS_MAX:
        raise source.error("element", f"a label has 1 to {ELEMENTS_MAX} elements")
    for index, element in enumerate(template.elements):
        _check_element(source, template.label, index, element)
    return template


class _Source:
    """The file, for messages about it."""

    def __init__(self, file_name: str, text: str) -> None:
        self._file_name = file_name
        self._text = text

    def error(self, key: str, reason: str, *, kind: str = "", hint: str = "") -> TemplateInvalid:
        """Return the error for a key such as "element[2].text"; people count from 1."""
        found = ELEMENT_PATH.match(key)
        where = key or "the file"
        if found:
            described = f"element {int(found[1]) + 1}" + (f" ({kind})" if kind else "")
            rest = key[found.end() :].lstrip(".")
            where = f"{described}, {rest}" if rest else described
        name = re.sub(r"\[\d+\]", "", key).rpartition(".")[2]
        name = key.split(".")[1].partition("[")[0] if key.count(".") else name
        example = EXAMPLES.get(name)
        return TemplateInvalid(
            f"{self._file_name} line {find_line(self._text, key)}, {where}: {reason}",
            hint=hint or (f"Write for example {example}." if example else "Correct the template."),
        )


def _type_error(source: _Source, data: dict[str, object], message: str) -> TemplateInvalid:
    match = ERROR_PATH.match(message)
    assert match is not None
    key, what = match["path"] or "", match["what"].replace("`", "")
    kind = _kind_of(data, key)
    field = FIELD_NAME.search(match["what"])
    if field is None:
        if key.endswith(".kind"):
            known = f"Write one of these: {', '.join(KINDS)}."
            return source.error(key, f"there is no such kind of element: {kind}", hint=known)
        return source.error(key, f"{what[:1].lower()}{what[1:]}", kind=kind)
    whole_key = f"{key}.{field[1]}".lstrip(".")
    if "missing" in what:
        return source.error(whole_key, "is missing", kind=kind)
    return source.error(
        whole_key, "there is no such key", kind=kind, hint=_known_keys(key, field[1], kind)
    )


def _kind_of(data: dict[str, object], key: str) -> str:
    found = ELEMENT_PATH.match(key)
    elements = data.get("element")
    if found is None or not isinstance(elements, list) or int(found[1]) >= len(elements):
        return ""
    element = elements[int(found[1])]
    return str(element.get("kind", ""))[:40] if isinstance(element, dict) else ""


def _known_keys(key: str, name: str, kind: str) -> str:
    known: tuple[str, ...] = ("label", "element")
    if key == "label":
        known = LabelSection.__struct_fields__
    elif key.count(".") and not ELEMENT_PATH.fullmatch(key):
        known = LanguageTexts.__struct_fields__
    elif kind in KINDS:
        known = ("kind", *ELEMENT_KINDS[KINDS.index(kind)].__struct_fields__)
    return _suggestion(name, known, whole="Remove it; known here: {}.")


def _suggestion(name: str, known: tuple[str, ...], *, whole: str, form: str = "{}") -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean {form.format(close[0])}?"
    return whole.format(", ".join(form.format(one) for one in known))


def _check_lengths(source: _Source, template: TemplateFile) -> None:
    parts: list[tuple[str, LabelSection | TemplateElement]] = [("label", template.label)]
    parts += [(f"element[{index}]", element) for index, element in enumerate(template.elements)]
    for key, part in parts:
        kind, length_min = "", LABEL_SIDE_MM_MIN
        if not isinstance(part, LabelSection):
            kind, length_min = _kind(part), Decimal(0)
        for name, length in _lengths(part):
            if not length.is_finite() or not length_min <= length <= LENGTH_MM_MAX:
                reason = f"expected millimetres from {length_min} to {LENGTH_MM_MAX}"
                raise source.error(f"{key}.{name}", reason, kind=kind)


def _lengths(part: LabelSection | TemplateElement) -> Iterator[tuple[str, Decimal]]:
    for name in part.__struct_fields__:
        value = getattr(part, name)
        values = value if name == "module_mm" and isinstance(value, tuple) else (value,)
        yield from ((name, one) for one in values if isinstance(one, Decimal))


def _kind(element: TemplateElement) -> str:
    return KINDS[ELEMENT_KINDS.index(type(element))]


def _check_element(
    source: _Source, label: LabelSection, index: int, element: TemplateElement
) -> None:
    kind = _kind(element)
    key = f"element[{index}]"
    known = FIELDS[label.use]
    if element.when and element.when not in known:
        hint = _suggestion(element.when, known, whole="Known fields: {}.")
        raise source.error(f"{key}.when", f"there is no field {element.when}", kind=kind, hint=hint)
    for name, text in _texts(element):
        _check_text(source, text, key=f"{key}.{name}", kind=kind, known=known)
    if isinstance(element, PictureElement) and not PICTURE_FILE.fullmatch(element.file):
        raise source.error(
            f"{key}.file", "expected the name of a PNG beside the template", kind=kind
        )
    if isinstance(element, Code128Element | Gs1Code128Element) and element.module_mm == ():
        raise source.error(f"{key}.module_mm", "expected at least one width", kind=kind)


def _texts(element: TemplateElement) -> Iterator[tuple[str, str]]:
    words: tuple[tuple[str, str | LanguageTexts], ...] = ()
    if isinstance(element, TextElement):
        words = (("text", element.text),)
    elif isinstance(element, Code128Element | QrElement):
        words = (("data", element.data),)
    elif isinstance(element, Gs1Code128Element | Gs1DataMatrixElement):
        words = tuple(("elements", value) for _, value in element.elements)
    for name, text in words:
        yield from (
            (name, one) for one in ([text] if isinstance(text, str) else [text.en, text.zh])
        )


def _check_text(source: _Source, text: str, *, key: str, kind: str, known: tuple[str, ...]) -> None:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        hint = "Write fields as {item}, and a brace that is meant as text twice: {{ or }}."
        raise source.error(key, str(error).lower(), kind=kind, hint=hint) from error
    for _, field, form, conversion in parts:
        if field is None:
            continue
        if field not in known or form or conversion:
            hint = _suggestion(field, known, whole="Known fields: {}.", form="{{{}}}")
            shown = f"{{{field}}}" if not (form or conversion) else f"{{{field}...}}"
            raise source.error(key, f"there is no field {shown}", kind=kind, hint=hint)
