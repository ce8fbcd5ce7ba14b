"""Finds what an object of JSON says twice, of which readers would take the last. Pure.

RFC 8259, section 4: names within an object should be unique; else what is meant is unpredictable.
"""

import json
from collections.abc import Mapping
from typing import Any

NAME_CHARACTERS_MAX = 60  # Of a place as it is told.

_Pairs = list[tuple[str, Any]]


class _Twice(Exception):
    """An object names something twice."""


def twice_named(body: bytes) -> str:
    """Return the first place of a body that is said twice, e.g. "lines.0.lot"; "" if none is.

    What is no JSON says nothing twice.
    """
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")  # As json.loads does.
        _ONCE.decode(text)
    except _Twice:
        return _place(json.loads(body, object_pairs_hook=tuple))
    except (ValueError, RecursionError):
        return ""
    return ""


def _once(pairs: _Pairs) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


_ONCE = json.JSONDecoder(object_pairs_hook=_once)  # To make one costs more than to read by it.


def _place(said: object) -> str:
    """Return the first place that is said twice. said: with tuples of pairs for objects."""
    waiting = [("", said)]
    while waiting:
        place, value = waiting.pop()
        names: set[str] = set()
        parts: list[tuple[object, object]] = []
        if isinstance(value, tuple):
            for name, part in value:
                if name in names:
                    return f"{place}.{name}".lstrip(".")[:NAME_CHARACTERS_MAX]
                names.add(name)
                parts.append((name, part))
        elif isinstance(value, list):
            parts = list(enumerate(value))
        waiting += [(f"{place}.{name}".lstrip("."), part) for name, part in reversed(parts)]
    raise AssertionError
