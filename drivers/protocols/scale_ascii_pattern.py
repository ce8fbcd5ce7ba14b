"""Judges a pattern for the lines of a scale: can it match without a weight, can it take long. Pure.

A regular expression may try every way to share a line among its repetitions. With k repetitions
without an end and a line of n bytes these are at most C(n + k, k) ways, times the number of choices
of all others. Patterns above STEPS_MAX are refused, and so is what the sum does not cover: a
repeated group that holds a repetition or a choice, references, assertions and flags. A possessive
repetition (*+ ++ ?+) never tries again and counts nothing.
"""

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import comb

STEPS_MAX = 250_000  # Some milliseconds for the worst line that a device can send.
PATTERN_CHARS_MAX = 500
DEPTH_MAX = 8
GROUPS = frozenset({"weight", "sign", "unit", "stable", "mode", "error"})

_QUANTIFIER = re.compile(r"([*+?]|\{(\d*)(,?)(\d*)\})([+?]?)")
_GROUP = re.compile(r"\((\?:|\?P<(\w{1,20})>|(?!\?))")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|[^0-9AbBZxuUN])")


class PatternInvalid(Exception):
    """The pattern cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a part of a pattern costs.

    endless: repetitions without an end. ways: of all other choices. bytes_min: shortest match.
    always: groups that take part in each match, with their shortest match.
    """

    endless: int = 0
    ways: int = 1
    bytes_min: int = 0
    is_fixed: bool = True
    always: Mapping[str, int] = field(default_factory=dict)


def check_pattern(pattern: str, *, line_bytes_max: int) -> None:
    """Return if `pattern` is safe and never matches without a weight.

    Raises PatternInvalid.
    """
    if len(pattern) > PATTERN_CHARS_MAX or not pattern.isascii():
        raise PatternInvalid(f"a pattern has at most {PATTERN_CHARS_MAX} ASCII characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # "[[" and "--" will change meaning.
            groups = re.compile(pattern.encode("ascii")).groupindex
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        raise PatternInvalid(f"not a regular expression: {error}") from error
    if unknown := set(groups) - GROUPS:
        raise PatternInvalid(f"unknown group {min(unknown)}; known: {', '.join(sorted(GROUPS))}")
    cost, end = _alternatives(pattern, 0, line_bytes_max, depth=0)
    if end != len(pattern):
        raise PatternInvalid(f"a ')' too much at {end}")
    if cost.always.get("weight", 0) < 1:
        raise PatternInvalid(
            "it could match without a weight: (?P<weight>...) must always take part"
        )
    if comb(line_bytes_max + cost.endless, cost.endless) * cost.ways > STEPS_MAX:
        raise PatternInvalid("it could take too long: use possessive repetitions such as *+ or {7}")


def _alternatives(pattern: str, at: int, line_bytes_max: int, *, depth: int) -> tuple[_Cost, int]:
    if depth > DEPTH_MAX:
        raise PatternInvalid(f"groups are nested deeper than {DEPTH_MAX}")
    cost, at = _sequence(pattern, at, line_bytes_max, depth=depth)
    while at < len(pattern) and pattern[at] == "|":
        other, at = _sequence(pattern, at + 1, line_bytes_max, depth=depth)
        cost = _Cost(
            endless=max(cost.endless, other.endless),
            ways=cost.ways + other.ways,
            bytes_min=min(cost.bytes_min, other.bytes_min),
            is_fixed=False,
        )
    return cost, at


def _sequence(pattern: str, at: int, line_bytes_max: int, *, depth: int) -> tuple[_Cost, int]:
    total = _Cost()
    while at < len(pattern) and pattern[at] not in "|)":
        is_group = pattern[at] == "("
        if is_group:
            atom, at = _group(pattern, at, line_bytes_max, depth=depth)
        else:
            atom, at = _one_byte(pattern, at)
        quantifier = _QUANTIFIER.match(pattern, at)
        if quantifier is not None:
            atom = _repeated(atom, quantifier, line_bytes_max)
            at = quantifier.end()
        total = _followed(total, atom)
    return total, at


def _followed(first: _Cost, then: _Cost) -> _Cost:
    return _Cost(
        endless=first.endless + then.endless,
        ways=first.ways * then.ways,
        bytes_min=first.bytes_min + then.bytes_min,
        is_fixed=first.is_fixed and then.is_fixed,
        always={**first.always, **then.always},
    )


def _group(pattern: str, at: int, line_bytes_max: int, *, depth: int) -> tuple[_Cost, int]:
    opening = _GROUP.match(pattern, at)
    if opening is None:
        raise PatternInvalid(f"only (?:...) and (?P<name>...) are known, not what is at {at}")
    inner, at = _alternatives(pattern, opening.end(), line_bytes_max, depth=depth + 1)
    if opening[2]:
        inner = replace(inner, always={**inner.always, opening[2]: inner.bytes_min})
    return inner, at + 1  # re.compile has seen that the ")" is there.


def _one_byte(pattern: str, at: int) -> tuple[_Cost, int]:
    if pattern[at] in "^$":
        return _Cost(), at + 1
    for wanted, first in ((_CLASS, "["), (_ESCAPE, "\\")):
        if pattern[at] == first:
            match = wanted.match(pattern, at)
            if match is None:
                raise PatternInvalid(f"not known here: {pattern[at : at + 2]!r} at {at}")
            return _Cost(bytes_min=1), match.end()
    return _Cost(bytes_min=1), at + 1


def _repeated(atom: _Cost, quantifier: re.Match[str], line_bytes_max: int) -> _Cost:
    least, most = _limits(quantifier)
    if not atom.is_fixed and (most is None or most > 1):
        raise PatternInvalid("a repeated group may hold no repetition and no choice")
    is_possessive = quantifier[5] == "+"
    repeated = replace(
        atom,
        bytes_min=atom.bytes_min * least,
        is_fixed=atom.is_fixed and least == most,
        always=atom.always if least else {},
    )
    if is_possessive:
        return repeated
    if most is None:
        return replace(repeated, endless=atom.endless + 1)
    return replace(repeated, ways=atom.ways * (max(min(most, line_bytes_max) - least, 0) + 1))


def _limits(quantifier: re.Match[str]) -> tuple[int, int | None]:
    simple: Callable[[str], tuple[int, int | None] | None] = {
        "*": (0, None),
        "+": (1, None),
        "?": (0, 1),
    }.get
    known = simple(quantifier[1])
    if known is not None:
        return known
    least = int(quantifier[2] or 0)
    if not quantifier[3]:
        return least, least
    return least, int(quantifier[4]) if quantifier[4] else None
