"""The checks that every protocol passes: captures, any cut, any bytes, bounded memory. Pure.

A check returns in silence or raises `NotConforming`, which says what was fed and what came out.
They need no test runner; call them from any.

    capture   check_capture         the expected readings, whole, byte by byte, cut anywhere
    any bytes check_any_bytes       only readings come out, nothing is raised
    memory    check_bounded_memory  megabytes without an end of frame leave nothing behind
"""

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import get_args

import msgspec

from drivers.api import Driver, StreamProtocol
from drivers.errors import SettingsInvalid
from drivers.kit.captures import IDLE_S, Capture, Step
from drivers.kit.descriptions import describe
from drivers.readings import Reading

NewProtocol = Callable[[], StreamProtocol]

READING_TYPES: tuple[type, ...] = get_args(Reading)
CUTS_MAX = 2000  # A longer capture is cut at so many places, evenly spread.
NOISE_BYTES = 2 * 1024 * 1024
NOISE_CHUNK_BYTES = 4096
LEFT_BEHIND_BYTES_MAX = 512 * 1024
# Settings that name a line; a protocol alone has none.
LINE_SETTINGS: dict[str, object] = {
    "port": "/dev/none",
    "path": "/dev/none",
    "host": "127.0.0.1",
    "name": "none",
}


class NotConforming(AssertionError):
    """A protocol broke a rule of the driver kit; the text shows how to see it again."""


def protocol_of(driver: Driver, capture: Capture) -> NewProtocol:
    """Return what makes new protocols of `driver` with the settings of `capture`.

    A line that the settings do not name is made up. Raises NotConforming.
    """
    new_protocol = driver.new_protocol
    if new_protocol is None:
        raise NotConforming(f"driver {driver.name} declares no new_protocol")
    settings = _settings(driver, capture)
    return lambda: new_protocol(settings)


def check_capture(new_protocol: NewProtocol, capture: Capture) -> int:
    """Check that every cut of a capture gives the readings it expects; return how many those are.

    Raises NotConforming with the first cut that does not.
    """
    blocks = _blocks(capture)
    expected = [text for _, texts in blocks for text in texts]
    if not any(step.kind == "received" for step in capture.steps):
        raise NotConforming("the capture holds nothing that was received")
    _check_chunks(new_protocol, blocks, lambda data: [data], "whole")
    _check_chunks(new_protocol, blocks, _bytes_alone, "byte by byte")
    length = max((len(run) for runs, _ in blocks for run in runs), default=0)
    for place in range(1, length, max(1, length // CUTS_MAX)):
        _check_chunks(new_protocol, blocks, partial(_cut_in_two, place), f"cut at {place}")
    return len(expected)


def check_any_bytes(new_protocol: NewProtocol, chunks: Sequence[bytes]) -> None:
    """Check that a protocol makes only readings of `chunks`, raises nothing, and still works after.

    Feed it what a generator of tests comes up with. Raises NotConforming.
    """
    protocol = new_protocol()
    for chunk in chunks:
        for told in (protocol.receive_data(chunk), protocol.idle()):
            for reading in told:
                if not isinstance(reading, READING_TYPES):
                    raise NotConforming(f"{reading!r} is no reading; fed {chunk!r}")


def check_bounded_memory(new_protocol: NewProtocol) -> None:
    """Check that megabytes of noise leave nothing behind. Raises NotConforming."""
    for noise in _noises():
        protocol = new_protocol()
        protocol.receive_data(noise)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(NOISE_BYTES // len(noise)):
                protocol.receive_data(noise)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        if after - before > LEFT_BEHIND_BYTES_MAX:
            raise NotConforming(
                f"{NOISE_BYTES} bytes of {noise[:8]!r}... left {after - before} bytes behind"
            )


def check_declaration(driver: Driver) -> None:
    """Check what a driver says of itself, as far as it can be checked without a device.

    Raises NotConforming.
    """
    settings_type = driver.settings_type
    config = settings_type.__struct_config__
    fields = settings_type.__struct_fields__
    undocumented = [name for name in fields if name not in _documentation(settings_type)]
    wrong = {
        "settings_type is not frozen": not config.frozen,
        "settings_type takes unknown keys": not config.forbid_unknown_fields,
        f"settings without a word in their docstring: {undocumented}": bool(undocumented),
        "summary is no sentence": not driver.summary.endswith("."),
        "node_setting is no setting": driver.node_setting not in {"", *fields},
        "tcp_port_setting is no setting": driver.tcp_port_setting not in {"", *fields},
        "it has matchers, but no node_setting": bool(driver.matchers) and not driver.node_setting,
        "a matcher has a score out of 1 to 100": any(
            not 1 <= matcher.score <= 100 for matcher in driver.matchers
        ),
    }
    found = [text for text, is_wrong in wrong.items() if is_wrong]
    if found:
        raise NotConforming(f"driver {driver.name}: {'; '.join(found)}")
    try:
        driver.parse_settings({"no_such_setting": 1})
    except SettingsInvalid as error:
        if not error.hint:
            raise NotConforming(f"driver {driver.name}: wrong settings get no hint") from error
    else:
        raise NotConforming(f"driver {driver.name} takes unknown settings")


def _documentation(settings_type: type[msgspec.Struct]) -> str:
    return "\n".join(base.__doc__ or "" for base in settings_type.__mro__ if base is not object)


def _settings(driver: Driver, capture: Capture) -> msgspec.Struct:
    fields = driver.settings_type.__struct_fields__
    line: dict[str, object] = {
        name: value
        for name, value in LINE_SETTINGS.items()
        if name in fields and name not in capture.settings
    }
    if "host" in line:
        line["port"] = capture.settings.get("port", 1)
    if "path" in line:
        line.pop("name", None)
    try:
        return driver.parse_settings(line | capture.settings)
    except SettingsInvalid as error:
        raise NotConforming(f"the capture's settings: {error}") from error


Runs = tuple[bytes, ...]  # What was received, cut at the pauses; idle is told between two.
Block = tuple[Runs, tuple[str, ...]]


def _blocks(capture: Capture) -> list[Block]:
    """Return what was received up to each group of expectations, with the group."""
    blocks: list[Block] = []
    runs: list[bytes] = [b""]
    texts: list[str] = []
    for step in (*capture.steps, Step("received")):
        if step.kind == "expected":
            texts.append(step.text)
            continue
        if texts:
            blocks.append((tuple(runs), tuple(texts)))
            runs, texts = [b""], []
        if step.kind == "received":
            runs[-1] += step.data
        elif step.kind == "pause" and step.pause_s >= IDLE_S:
            runs.append(b"")
    if any(runs):
        blocks.append((tuple(runs), ()))
    return blocks


def _check_chunks(
    new_protocol: NewProtocol,
    blocks: Sequence[Block],
    cut: Callable[[bytes], Sequence[bytes]],
    how: str,
) -> None:
    protocol = new_protocol()
    for runs, expected in blocks:
        found: list[str] = []
        for number, run in enumerate(runs):
            if number:
                found += [describe(reading) for reading in protocol.idle()]
            for chunk in cut(run):
                if chunk:
                    found += [describe(reading) for reading in protocol.receive_data(chunk)]
        if found != list(expected):
            raise NotConforming(
                f"cut as {how}: {b''.join(runs)!r} gave {found}, expected {list(expected)}"
            )


def _bytes_alone(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


def _cut_in_two(place: int, data: bytes) -> list[bytes]:
    return [data[:place], data[place:]]


def _noises() -> Iterator[bytes]:
    """Yield chunks that hold no end of a frame for one or the other protocol."""
    for byte in (b"\x00", b"\x02", b"0", b"A", b" ", b"\xbb", b"\xff"):
        yield byte * NOISE_CHUNK_BYTES
    yield bytes(range(256)) * (NOISE_CHUNK_BYTES // 256)
