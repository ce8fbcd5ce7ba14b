"""What is wrong with a card of an item, a place or a partner, and what changed in one. Pure."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import msgspec

from central.contract.errors import ContractError
from central.contract.gs1 import check_key, to_gtin14
from central.contract.identifiers import parse_code
from central.errors import Unusable

NAME_CHARACTERS_MAX = 256
WORD_CHARACTERS_MAX = 64
DAYS_MAX = 36_500
GTIN_LENGTHS = (8, 12, 13, 14)
GLN_LENGTH = 13
# Characters that nobody sees: controls, format characters, unassigned and private ones, separators.
UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a card. field: which, e.g. "packs.CT.gtin"."""

    field: str
    message: str
    hint: str


def refuse_faults(what: str, faults: Iterable[Fault]) -> None:
    """Raise Unusable that names the first fault, and all of them to programs; else return."""
    found = list(faults)
    if found:
        first = found[0]
        raise Unusable(
            f"{what}: {first.field}: {first.message}",
            hint=first.hint,
            fields={"faults": msgspec.to_builtins(found)},
        )


def code_faults(field: str, code: str, *, what: str) -> Iterator[Fault]:
    """Yield what is wrong with a code."""
    yield from _contract_faults(field, lambda: parse_code(code, what=what))


def text_faults(field: str, text: str, *, characters_max: int, required: bool) -> Iterator[Fault]:
    """Yield what is wrong with a text for people."""
    if required and not text.strip():
        yield Fault(field, "nothing is there", "Fill it in.")
    elif text != text.strip():
        yield Fault(field, "begins or ends with a space", "Take the space away.")
    if len(text) > characters_max:
        yield Fault(
            field,
            f"{len(text)} characters are more than {characters_max}",
            f"Shorten it to {characters_max} characters.",
        )
    unseen = unseen_character(text)
    if unseen is not None:
        yield Fault(
            field,
            f"character {unseen + 1} (U+{ord(text[unseen]):04X}) cannot be seen",
            "Type it anew; it was probably copied with hidden characters or line breaks.",
        )


def unseen_character(text: str) -> int | None:
    """Return the index of the first character that nobody sees, None if there is none."""
    if text.isprintable():
        return None
    for index, character in enumerate(text):
        if unicodedata.category(character) in UNSEEN_CATEGORIES:
            return index
    return None


def range_faults(field: str, value: int, *, least: int, most: int) -> Iterator[Fault]:
    """Yield a fault if a number is out of range."""
    if not least <= value <= most:
        yield Fault(field, f"{value} is not between {least} and {most}", "Correct the number.")


def choice_faults(field: str, value: str, choices: Iterable[str]) -> Iterator[Fault]:
    """Yield a fault if a value is none of the choices."""
    known = tuple(choices)
    if value not in known:
        listed = ", ".join(choice or "nothing" for choice in known)
        yield Fault(field, f"{value[:40]!r} is not a choice", f"Use one of: {listed}.")


def gtin_faults(field: str, gtin: str) -> Iterator[Fault]:
    """Yield what is wrong with a GTIN of 8, 12, 13 or 14 digits."""
    if len(gtin) not in GTIN_LENGTHS:
        yield Fault(
            field,
            f"GTIN {gtin[:40]!r} is not 8, 12, 13 or 14 digits",
            "Scan it; a spreadsheet may have cut zeros in front: format the column as text.",
        )
        return
    for fault in _contract_faults(field, lambda: check_key(gtin, what="GTIN")):
        yield Fault(field, fault.message, "Compare it with the label; one digit is mistyped.")


def gln_faults(field: str, gln: str) -> Iterator[Fault]:
    """Yield what is wrong with a GLN, "" being none."""
    if gln and len(gln) != GLN_LENGTH:
        yield Fault(field, f"GLN {gln[:40]!r} is not 13 digits", "Correct it or leave it out.")
    elif gln:
        yield from _contract_faults(field, lambda: check_key(gln, what="GLN"))


def gtin_forms(gtin: str) -> tuple[str, ...]:
    """Return every way in which one GTIN is written: with fewer or more zeros in front."""
    full = to_gtin14(gtin)
    return tuple(
        full[14 - length :] for length in GTIN_LENGTHS if not full[: 14 - length].strip("0")
    )


def changed_fields(before: Any, after: Any) -> dict[str, object]:  # noqa: ANN401 - any two cards
    """Return {field: [before, after]} of two dataclasses, JSON-ready; inner ones by dotted name."""
    found: dict[str, object] = {}
    for field in fields(after):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new:
            continue
        if hasattr(new, "__dataclass_fields__"):
            inner = changed_fields(old, new)
            found |= {f"{field.name}.{name}": pair for name, pair in inner.items()}
        else:
            found[field.name] = [msgspec.to_builtins(old), msgspec.to_builtins(new)]
    return found


def _contract_faults(field: str, check: Callable[[], object]) -> Iterator[Fault]:
    try:
        check()
    except ContractError as error:
        yield Fault(field, str(error), error.hint)
