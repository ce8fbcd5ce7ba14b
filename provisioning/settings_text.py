"""Changes keys of a TOML text and keeps every other line, comments too. Pure.

    [mqtt]                  with {"mqtt": {"port": 8884, "host": "b"}}     [mqtt]
    host = "a"  # ours      ------------------------------------------>    host = "b"
    port = 1883                                                            port = 8884

A section that is not there is added at the end; a section behind a # is a comment and stays one.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence

Value = str | int | bool | Sequence[str]
HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]\s*(#.*)?")
KEY = re.compile(r"[A-Za-z0-9_-]+")


class SettingRefused(ValueError):
    """The text cannot be changed so. hint: what a person can do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def with_settings(text: str, changes: Mapping[str, Mapping[str, Value]]) -> str:
    """Return the text with keys set, by section: `a.b`, or "" for what stands before all of them.

    Raises SettingRefused.
    """
    before = _parsed(text)
    for section, values in changes.items():
        for key, value in values.items():
            text = _with_value(text, section, key, value)
    after = _parsed(text)
    for section, values in changes.items():
        table = _table(before, section)
        table.update({key: _plain(value) for key, value in values.items()})
    if after != before:
        raise SettingRefused(
            "the file is written in a way that cannot be changed by program",
            hint="Write the keys by hand, each on a line of its own below its [section].",
        )
    return text


def parse_setting(text: str) -> tuple[str, str, Value]:
    """Return section, key and value of e.g. `http.port=8000`; section "" of `port=8000`.

    Raises SettingRefused.

    A value that is no number, boolean or list of texts in TOML is taken as text as it stands.
    """
    name, sign, written = text.partition("=")
    section, dot, key = name.strip().rpartition(".")
    names = [*(section.split(".") if dot else ()), key]
    if not sign or not all(map(KEY.fullmatch, names)):
        raise SettingRefused(
            f"{text!r} is no setting", hint="Write section.key=value, such as http.port=8000."
        )
    try:
        value = tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        value = written
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return section, key, tuple(value)
    return section, key, value if isinstance(value, str | int) else written


def _with_value(text: str, section: str, key: str, value: Value) -> str:
    lines = text.splitlines()
    written = f"{key} = {_written(value)}"
    begin = _line_after_header(lines, section)
    if begin is None:
        assert section
        return "\n".join([*lines, "", f"[{section}]", written]) + "\n"
    last = begin
    at = begin
    while at < len(lines) and not HEADER.fullmatch(lines[at]):
        length = _statement_lines(lines, at)
        if length and re.match(rf"\s*{re.escape(key)}\s*=", lines[at]):
            return "\n".join([*lines[:at], written, *lines[at + length :]]) + "\n"
        at += max(length, 1)
        if length:
            last = at
    return "\n".join([*lines[:last], written, *lines[last:]]) + "\n"


def _line_after_header(lines: Sequence[str], section: str) -> int | None:
    if not section:
        return 0
    for number, line in enumerate(lines):
        found = HEADER.fullmatch(line)
        if found and found[1] == section:
            return number + 1
    return None


def _statement_lines(lines: Sequence[str], at: int) -> int:
    """Return how many lines the statement at a line takes, 0 for a comment or an empty line."""
    if not lines[at].strip() or lines[at].lstrip().startswith("#"):
        return 0
    for length in range(1, len(lines) - at + 1):
        try:
            tomllib.loads("\n".join(lines[at : at + length]))
        except tomllib.TOMLDecodeError:
            continue
        return length
    return 1


def _written(value: Value) -> str:
    if isinstance(value, str | bool | int):
        return json.dumps(value, ensure_ascii=False)
    return f"[{', '.join(json.dumps(one, ensure_ascii=False) for one in value)}]"


def _plain(value: Value) -> object:
    return value if isinstance(value, str | int) else list(value)


def _table(parsed: dict[str, object], section: str) -> dict[str, object]:
    for name in section.split(".") if section else ():
        inner = parsed.setdefault(name, {})
        if not isinstance(inner, dict):
            raise SettingRefused(
                f"{section} is a value in this file", hint="Write section.key=value."
            )
        parsed = inner
    return parsed


def _parsed(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingRefused(
            f"the file is no TOML: {error}", hint="Correct the line that is named."
        ) from error
