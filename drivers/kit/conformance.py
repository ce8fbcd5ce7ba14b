"""The checks that every protocol passes: captures, any cut, any bytes, bounded memory. Pure.

A check returns in silence or raises `NotConforming`, which says what was fed and what came out.
What a protocol raises comes through as it is, with the place in its traceback.
They need no test runner; call them from any.

    capture   check_capture         the expected readings, whole, byte by byte, cut anywhere
    any bytes check_any_bytes       only readings come out, nothing is raised
    damage    check_damage          each message cut off, or with a byte wrong, lost or doubled:
                                    nothing is raised, and after a pause the next is read as ever
    memory    check_bounded_memory  64 kB leave nothing behind: of noise, of messages
                                    begun and not ended, of whole ones
"""

import gc
import re
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from typing import get_args

import msgspec

from drivers.api import DeviceClass, Driver, StreamProtocol, Tier
from drivers.errors import SettingsInvalid
from drivers.kit.captures import Capture, Step
from drivers.kit.descriptions import describe, is_sound, is_value
from drivers.kit.noise import DAMAGED_MAX, damaged_copies, noises
from drivers.readings import DeviceFault, Reading

NewProtocol = Callable[[], StreamProtocol]

READING_TYPES: tuple[type, ...] = get_args(Reading)
CUTS_MAX = 2000  # A longer capture is cut at so many places, evenly spread.
NOISE_BYTES = 64 * 1024
LEFT_BEHIND_BYTES_MAX = 32 * 1024
BYTES_PER_FAULT_MIN = 2  # A fault for each byte of noise would drown all else.
RECOVERED_AFTER = 3  # Messages: one to find the step again, one that says too little alone.
DRIVER_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
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
        _feed(protocol, chunk)
        _tell_idle(protocol, chunk)


def check_damage(new_protocol: NewProtocol, capture: Capture) -> None:
    """Check that a damaged message harms no other, for devices on a serial line or over TCP.

    Each message of the capture is damaged in turn, those before it are whole. Nothing is raised;
    after a pause no value comes but those of the message, which comes whole then; the third time
    at the latest all of them have come; and silence says nothing. Raises NotConforming.
    """
    blocks = _blocks(capture)
    for number in range(0, len(blocks), max(1, len(blocks) // DAMAGED_MAX)):
        runs, expected = blocks[number]
        for damaged in damaged_copies(b"".join(runs)):
            protocol = new_protocol()
            for before, _ in blocks[:number]:
                _feed_runs(protocol, before)
            for index, byte in enumerate(damaged):
                _feed(protocol, bytes([byte]), behind=damaged[:index])
            _tell_idle(protocol, damaged)
            _check_recovered(protocol, runs, {text for text in expected if is_value(text)}, damaged)


def check_bounded_memory(new_protocol: NewProtocol, capture: Capture | None = None) -> None:
    """Check that whatever comes, as much as it may be, leaves nothing behind.

    capture: noise comes also behind half of its first message, and its messages again and again.
    Raises NotConforming.
    """
    blocks = _blocks(capture) if capture else []
    message = b"".join(blocks[0][0]) if blocks else b""
    for begun in dict.fromkeys([b"", message[: len(message) // 2]]):
        for noise in noises():
            protocol = new_protocol()
            _feed(protocol, begun)
            _feed(protocol, noise)
            _check_left_behind(partial(_feed, protocol, noise), len(noise), begun + noise)
    if blocks:
        protocol = new_protocol()
        run = partial(_feed_blocks, protocol, blocks)
        run()
        bytes_count = max(1, sum(len(run) for runs, _ in blocks for run in runs))
        _check_left_behind(run, bytes_count, message)


def check_declaration(driver: Driver) -> None:
    """Check what a driver says of itself, as far as it can be checked without a device.

    Raises NotConforming.
    """
    settings_type = driver.settings_type
    config = settings_type.__struct_config__
    fields = settings_type.__struct_fields__
    undocumented = [name for name in fields if name not in _documentation(settings_type)]
    wrong = {
        "name is not of lower case words and hyphens": not DRIVER_NAME.fullmatch(driver.name),
        "device_class is none": driver.device_class not in get_args(DeviceClass),
        "tier is none": driver.tier not in get_args(Tier),
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
        elif step.kind == "pause" and step.pause_s >= capture.idle_s:
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
        found = [describe(reading) for reading in _feed_runs(protocol, runs, cut)]
        if found != list(expected):
            raise NotConforming(
                f"cut as {how}: {b''.join(runs)!r} gave {found}, expected {list(expected)}"
            )


def _check_left_behind(
    feed: Callable[[], Sequence[Reading]], bytes_count: int, shown: bytes
) -> None:
    faults_count = 0
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(max(1, NOISE_BYTES // bytes_count)):
            faults_count += sum(isinstance(reading, DeviceFault) for reading in feed())
        gc.collect()  # Cycles that nobody refers to are not left behind.
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if after - before > LEFT_BEHIND_BYTES_MAX:
        raise NotConforming(
            f"{NOISE_BYTES} bytes of {_shown(shown)} left {after - before} bytes behind"
        )
    if faults_count > NOISE_BYTES // BYTES_PER_FAULT_MIN:
        raise NotConforming(f"{NOISE_BYTES} bytes of {_shown(shown)} gave {faults_count} faults")


def _feed_blocks(protocol: StreamProtocol, blocks: Sequence[Block]) -> list[Reading]:
    return [
        reading for runs, _ in blocks for reading in [*_feed_runs(protocol, runs), *protocol.idle()]
    ]


def _check_recovered(
    protocol: StreamProtocol, runs: Runs, wanted: set[str], damaged: bytes
) -> None:
    found: set[str] = set()
    for _ in range(RECOVERED_AFTER):
        if not found or found != wanted:
            found |= {text for text in map(describe, _feed_runs(protocol, runs)) if is_value(text)}
    if found != wanted:
        raise NotConforming(
            f"after {_shown(damaged)} and a pause, {_shown(b''.join(runs))}, {RECOVERED_AFTER} "
            f"times, gave {sorted(found)}, expected {sorted(wanted)}"
        )
    _tell_idle(protocol, damaged)
    told = _tell_idle(protocol, damaged)
    if any(is_value(describe(reading)) for reading in told):
        raise NotConforming(f"told twice that the line is idle, it gave {told}")


def _feed_runs(
    protocol: StreamProtocol,
    runs: Runs,
    cut: Callable[[bytes], Sequence[bytes]] = lambda data: [data],
) -> list[Reading]:
    readings: list[Reading] = []
    for number, run in enumerate(runs):
        if number:
            readings += _tell_idle(protocol, runs[number - 1])
        for chunk in cut(run):
            if chunk:
                readings += _feed(protocol, chunk)
    return readings


def _feed(protocol: StreamProtocol, data: bytes, *, behind: bytes = b"") -> Sequence[Reading]:
    try:
        return _checked(protocol.receive_data(data))
    except NotConforming as error:
        raise NotConforming(f"{error}; fed {_shown(behind + data)}") from error


def _tell_idle(protocol: StreamProtocol, fed: bytes) -> Sequence[Reading]:
    try:
        return _checked(protocol.idle())
    except NotConforming as error:
        raise NotConforming(f"{error}; told idle after {_shown(fed)}") from error


def _shown(data: bytes) -> str:
    return repr(data) if len(data) <= 60 else f"{len(data)} bytes {data[:60]!r}..."


def _checked(readings: Sequence[Reading]) -> Sequence[Reading]:
    """Return what a protocol gave, if all of it is readings that say what readings may say."""
    if readings is None:
        raise NotConforming("gave None, expected a sequence of readings")
    for reading in readings:
        if not isinstance(reading, READING_TYPES) or not is_sound(reading):
            raise NotConforming(f"{reading!r} is no reading, or not as drivers/readings.py has it")
    return readings


def _bytes_alone(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


def _cut_in_two(place: int, data: bytes) -> list[bytes]:
    return [data[:place], data[place:]]
