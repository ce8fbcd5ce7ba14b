"""Capture files: what went over a line, and what it means. Pure.

    # dockledger capture 1
    # driver: toledo-8217-serial        the driver whose settings these are
    # source: manual, document, or device and date
    # setting: unit = "kg"              one TOML line each, optional
    # idle: 0.1                         the driver's `idle_s`, optional; 0.5 if not said
    > 57                                gateway to device, hexadecimal
    < 02 30 31 2e 32 35 30 0d           device to gateway
    . 0.600                             so many seconds without a byte; from `idle` on, the protocol
                                        is told that the line is idle
    = weight 1.250 KGM gross stable     what the protocol makes of all since the last "="

Blank lines and other lines that begin with "#" are for people.
"""

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

FIRST_LINE = "# dockledger capture 1"
LINES_MAX = 1_000_000
IDLE_S = Decimal("0.5")
HEADING = re.compile(r"# (driver|source|setting|idle): (.*)")


class CaptureInvalid(Exception):
    """A capture file cannot be read; the text names the line."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a capture.

    kind: "received" (from the device), "sent" (by the gateway), "pause", "expected".
    data: bytes of received and sent. pause_s: seconds of a pause. text: an expected reading.
    """

    kind: Literal["received", "sent", "pause", "expected"]
    data: bytes = b""
    pause_s: Decimal = Decimal(0)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Capture:
    """A whole file.

    settings: of the protocol, as far as they are not the driver's defaults.
    idle_s: the protocol is told that the line is idle at pauses as long as this.
    """

    driver: str
    source: str
    settings: dict[str, Any]
    steps: tuple[Step, ...]
    idle_s: Decimal = IDLE_S


def parse_capture(text: str) -> Capture:
    """Return the capture in `text`. Raises CaptureInvalid that names the line."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != FIRST_LINE:
        raise CaptureInvalid(f"line 1: expected {FIRST_LINE!r}")
    if len(lines) > LINES_MAX:
        raise CaptureInvalid(f"more than {LINES_MAX} lines")
    headings: dict[str, list[str]] = {"driver": [], "source": [], "setting": [], "idle": []}
    steps = []
    for number, line in enumerate(lines[1:], start=2):
        heading = HEADING.fullmatch(line.strip())
        if heading:
            headings[heading[1]].append(heading[2].strip())
        elif line.strip() and not line.startswith("#"):
            steps.append(_step(number, line))
    if len(headings["driver"]) != 1 or not headings["source"]:
        raise CaptureInvalid("one '# driver: NAME' and a '# source: ...' are needed")
    try:
        settings = tomllib.loads("\n".join(headings["setting"]))
    except tomllib.TOMLDecodeError as error:
        raise CaptureInvalid(f"a setting is not TOML: {error}") from error
    source = " ".join(headings["source"])
    idle_s = _idle_s(headings["idle"])
    return Capture(headings["driver"][0], source, settings, tuple(steps), idle_s)


def format_step(step: Step) -> str:
    """Return the line of one step."""
    match step.kind:
        case "received":
            return f"< {step.data.hex(' ')}"
        case "sent":
            return f"> {step.data.hex(' ')}"
        case "pause":
            return f". {step.pause_s}"
        case "expected":
            return f"= {step.text}"


def _idle_s(texts: list[str]) -> Decimal:
    try:
        idle_s = Decimal(texts[0]) if texts else IDLE_S
    except InvalidOperation:
        idle_s = Decimal(0)
    if len(texts) > 1 or not (idle_s.is_finite() and idle_s > 0):
        raise CaptureInvalid("'# idle: SECONDS' once, with a number above 0")
    return idle_s


def _step(number: int, line: str) -> Step:
    mark, _, rest = line.strip().partition(" ")
    try:
        match mark:
            case "<":
                return Step("received", data=bytes.fromhex(rest))
            case ">":
                return Step("sent", data=bytes.fromhex(rest))
            case ".":
                pause_s = Decimal(rest)
                if pause_s.is_finite() and pause_s >= 0:
                    return Step("pause", pause_s=pause_s)
            case "=":
                return Step("expected", text=rest)
    except (ValueError, InvalidOperation) as error:
        raise CaptureInvalid(f"line {number}: {error}") from error
    raise CaptureInvalid(f"line {number}: expected '<', '>', '.' or '=' with its content")
