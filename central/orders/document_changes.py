"""What an edit of a document has changed: each field before and after, line by line. Pure.

    {"note": ["", "urgent"], "lines.2.quantity": ["5", "50"], "lines.2.price": ["96.5", "9.5"]}

It goes into the event of the edit, as decimal text, so that an audit can be read without the code.
A line that came or went has nothing on the other side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

import msgspec

from central.contract.quantities import canonical_text, from_micro

# What every step moves on, and what its event says by itself.
UNTOLD = frozenset({"version", "changed_ms", "state", "reason", "lines", "line"})
PRICE_DIGITS = 4


def changed_document(
    before: Any,  # noqa: ANN401 - any document, a dataclass or struct that may have lines.
    after: Any,  # noqa: ANN401 - the same kind.
) -> dict[str, list[object]]:
    """Return {field: [before, after]} of what differs, lines as "lines.NUMBER.FIELD"; JSON-ready.

    Quantities and prices are decimal text under the names that the API has for them.
    """
    found = _different(before, after)
    return found | changed_lines(getattr(before, "lines", ()), getattr(after, "lines", ()))


def changed_lines(before: Iterable[Any], after: Iterable[Any]) -> dict[str, list[object]]:
    """Return what differs between two states of a document's lines, as `changed_document`."""
    old, new = ({one.line: one for one in lines} for lines in (before, after))
    return {
        f"lines.{line}.{name}": pair
        for line in sorted(old.keys() | new.keys())
        for name, pair in _different(old.get(line), new.get(line)).items()
    }


def _different(before: Any, after: Any) -> dict[str, list[object]]:  # noqa: ANN401 - as above.
    kind = before if after is None else after
    found: dict[str, list[object]] = {}
    for field in _fields_of(kind):
        if field in UNTOLD:
            continue
        pair = [getattr(one, field, None) for one in (before, after)]
        # Of a line that came or went, only what it really says.
        if pair[0] == pair[1] or (None in (before, after) and not any(pair)):
            continue
        name = field.removesuffix("_micro").removesuffix("_e4")
        if any(is_dataclass(value) for value in pair):
            inner = _different(*pair)
            found |= {f"{name}.{inside}": inner_pair for inside, inner_pair in inner.items()}
        else:
            found[name] = [_told(field, value) for value in pair]
    return found


def _fields_of(document: Any) -> Sequence[str]:  # noqa: ANN401 - as above.
    if isinstance(document, msgspec.Struct):
        return document.__struct_fields__
    return [field.name for field in fields(document)]


def _told(name: str, value: object) -> object:
    if isinstance(value, int) and name.endswith("_micro"):
        return canonical_text(from_micro(value))
    if isinstance(value, int) and name.endswith("_e4"):
        return canonical_text(Decimal(value).scaleb(-PRICE_DIGITS))
    return msgspec.to_builtins(value)
