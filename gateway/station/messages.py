"""Sentences for people: marked for translation, put together, rendered in a language. Pure.

The English text is the identifier in the message catalogue. A value may come in both languages:
`item_zh` replaces `item` where the sentence is shown in Chinese.
"""

from collections.abc import Callable
from decimal import Decimal

from central.contract.quantities import canonical_text
from central.contract.reference import Item
from gateway.station.effects import Message

# Names and codes come from outside: 4,000 characters of them would hide the sentence.
VALUE_CHARACTERS_MAX = 160

Words = tuple[tuple[str, str], ...]

# Symbols for people; any other unit is shown as its UN/CEFACT code.
UNIT_WORDS: dict[str, tuple[str, str]] = {
    "C62": ("pcs", "件"),
    "KGM": ("kg", "kg"),
    "GRM": ("g", "g"),
    "MGM": ("mg", "mg"),
    "TNE": ("t", "t"),
    "LBR": ("lb", "lb"),
    "ONZ": ("oz", "oz"),
    "APZ": ("oz t", "oz t"),
}

VIRTUAL_PLACE_WORDS: dict[str, tuple[str, str]] = {
    "supplier": ("the supplier", "供应商"),
    "customer": ("the customer", "客户"),
    "in_transit": ("goods in transit", "在途"),
    "adjustment": ("the adjustment", "调整"),
    "scrap": ("scrap", "报废"),
    "production": ("production", "生产"),
}


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "mark only".
    """Return `text` as it is; marks it as an entry of the message catalogue."""
    return text


def say(text: str, *words: Words, **values: str) -> Message:
    """Return the sentence `text`, written as `N_("...")`, with its values."""
    merged = tuple(values.items())
    for group in reversed(words):
        merged = group + merged
    return Message(text, merged)


def render(message: Message, *, language: str, translate: Callable[[str], str]) -> str:
    """Return a sentence in a language. A field without a value shows as its name."""
    values = dict(message.values)
    suffix = f"_{language}"
    values |= {
        name.removesuffix(suffix): value for name, value in message.values if name.endswith(suffix)
    }
    values = {name: value if name == "hint" else plain(value) for name, value in values.items()}
    if "hint" in values:  # The sentence of an error; it is in the catalogue if people often see it.
        values["hint"] = translate(values["hint"])
    return translate(message.text).format_map(_Fields(values))


def plain(text: str) -> str:
    """Return text from outside on one line, cut if too long, without what turns its direction."""
    if len(text) > VALUE_CHARACTERS_MAX:
        text = text[: VALUE_CHARACTERS_MAX - 1] + "…"
    return "".join(letter if letter.isprintable() else " " for letter in text)


def place_words(code: str, *, name: str) -> Words:
    """Return a place as the value `name`: its code, or what a virtual place stands for."""
    english, chinese = VIRTUAL_PLACE_WORDS.get(code, (code, code))
    return ((name, english), (f"{name}_zh", chinese))


def amount_words(quantity: Decimal, unit: str, *, name: str = "amount") -> Words:
    """Return a quantity with its unit as the value `name`, e.g. "12 pcs"."""
    english, chinese = UNIT_WORDS.get(unit, (unit, unit))
    text = canonical_text(quantity)
    return ((name, f"{text} {english}"), (f"{name}_zh", f"{text} {chinese}"))


def item_words(item: Item | None, code: str) -> Words:
    """Return the value `item`: name and code, for an unknown item what was scanned."""
    if item is None:
        return (("item", code),)
    return (("item", f"{item.name} ({item.code})"), ("item_zh", f"{item.name_zh} ({item.code})"))


class _Fields(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
