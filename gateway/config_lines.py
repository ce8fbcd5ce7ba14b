"""Finds the line of a key in a TOML text, for error messages. Pure.

Not a TOML parser: the text has been parsed already. A key that is written in a way that is not seen
here is answered with the line of what holds it.
"""

import re

TABLE_LINE = re.compile(r"^\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
KEY_LINE = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=""")


def find_line(text: str, key: str) -> int:
    """Return the line, from 1, where `key` (e.g. "device[1].settings.port") stands in a TOML text.

    If the key itself is not there, the line of what should hold it; 1 if there is nothing of it.
    """
    lines = _lines_by_key(text)
    parts = re.split(r"(?=\[)|\.", key)
    for count in range(len(parts), 0, -1):
        line = lines.get(tuple(parts[:count]))
        if line is not None:
            return line
    return 1


def _lines_by_key(text: str) -> dict[tuple[str, ...], int]:
    lines: dict[tuple[str, ...], int] = {}
    counts: dict[str, int] = {}
    table: tuple[str, ...] = ()
    quotes = ""  # The quotes of a text over several lines that we are inside of.
    for number, line in enumerate(text.splitlines(), start=1):
        if quotes:
            quotes = "" if quotes in line else quotes
            continue
        header = TABLE_LINE.match(line)
        key = KEY_LINE.match(line)
        if header:
            names = _key_parts(header[2])
            if header[1] == "[[":
                counts[names[0]] = counts.get(names[0], -1) + 1
            index = (f"[{counts[names[0]]}]",) if names[0] in counts else ()
            table = (names[0], *index, *names[1:])
            lines.setdefault(table[:1], number)
            lines.setdefault(table, number)
        elif key:
            lines.setdefault((*table, *_key_parts(key[1])), number)
            for mark in ('"""', "'''"):
                if line.count(mark) == 1:
                    quotes = mark
    return lines


def _key_parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in text.split("."))
