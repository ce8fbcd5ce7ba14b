"""The messages that a client sends to an LLRP reader. Pure.

    ROSpec 177 -- ROBoundarySpec 178 -- ROSpecStartTrigger 179, ROSpecStopTrigger 182
              |-- AISpec 183 (antennas) -- AISpecStopTrigger 184
              |            `-- InventoryParameterSpec 186 -- AntennaConfiguration 222
              |                  RFTransmitter 224, C1G2InventoryCommand 330 (335, 336)
              `-- ROReportSpec 237 -- TagReportContentSelector 238
Source: EPCglobal LLRP 1.1, sections 11.2, 13.2, 14.2.1, 16.2.1 and 17.
"""

import struct
import zlib
from dataclasses import dataclass

from drivers.protocols.llrp_frames import HEADER, HEADER_BYTES
from drivers.protocols.llrp_numbers import (
    EPC_C1G2,
    VENDOR_IMPINJ,
    ImpinjType,
    ParameterType,
)

# Antenna, peak RSSI, first and last seen, count; see TagReportContentSelector.
REPORT_CONTENT = 0x1000 | 0x0400 | 0x0200 | 0x0100 | 0x0080
# GPI, report buffer fill, reader exception, antenna; see EventNotificationState.
EVENTS_WANTED = (1, 3, 4, 8)
EXPECTED_TAGS = 32
EVERYTHING = b"\x00"  # Body of GET_READER_CAPABILITIES that asks for all of them.
# Body of GET_READER_CONFIG: antenna, 1 (identification), input, output.
IDENTIFICATION = struct.pack(">HBHH", 0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class InputTrigger:
    """A level of an input that starts or stops reading. timeout_ms: at the latest, 0 never."""

    port: int
    high: bool
    timeout_ms: int = 0


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a reader is to do for us.

    antennas: their numbers; empty: all. power_index: into the reader's own table, None keeps its
    setting; so does mode_index None. session: of C1G2, 0 to 3. start: None begins at once.
    stop_ms: reads so long after each start, 0 for no such limit. report_every_tags: 0 reports only
    when reading ends. hold: keeps events and reports while nobody is connected.
    input_ports: inputs to switch on.
    """

    antennas: tuple[int, ...] = ()
    power_index: int | None = None
    mode_index: int | None = None
    session: int = 1
    start: InputTrigger | None = None
    stop: InputTrigger | None = None
    stop_ms: int = 0
    report_every_tags: int = 1
    keepalive_ms: int = 5000
    hold: bool = True
    impinj: bool = False
    input_ports: tuple[int, ...] = ()


def message(kind: int, message_id: int, body: bytes = b"", *, version: int = 1) -> bytes:
    """Return a whole message."""
    return HEADER.pack(version << 10 | kind, HEADER_BYTES + len(body), message_id) + body


def rospec_id(inventory: Inventory) -> int:
    """Return the id of the ROSpec of this inventory: a checksum of all that it asks for.

    A reader that still has a ROSpec of this id does what we want, however it stores it.
    """
    return zlib.crc32(_rospec(inventory, 0)) & 0x7FFFFFFF or 1


def add_rospec(inventory: Inventory) -> bytes:
    """Return the body of ADD_ROSPEC."""
    return _rospec(inventory, rospec_id(inventory))


def number(value: int) -> bytes:
    """Return the body of a message that names a ROSpec; 0 names all."""
    return struct.pack(">I", value)


def impinj_extensions() -> bytes:
    """Return the body of the custom message that switches Impinj's extensions on."""
    return struct.pack(">IBI", VENDOR_IMPINJ, ImpinjType.ENABLE_EXTENSIONS, 0)


def config(inventory: Inventory) -> bytes:
    """Return the body of SET_READER_CONFIG: events, keepalives, inputs, holding; no reset."""
    states = b"".join(
        _tlv(ParameterType.EVENT_NOTIFICATION_STATE, struct.pack(">HB", event, 0x80))
        for event in EVENTS_WANTED
    )
    ports = set(inventory.input_ports)
    ports |= {one.port for one in (inventory.start, inventory.stop) if one is not None}
    return (
        b"\x00"  # Bit 7 would restore the factory settings.
        + _tlv(ParameterType.READER_EVENT_NOTIFICATION_SPEC, states)
        + _tlv(ParameterType.KEEPALIVE_SPEC, struct.pack(">BI", 1, inventory.keepalive_ms))
        + b"".join(
            _tlv(ParameterType.GPI_PORT_CURRENT_STATE, struct.pack(">HBB", port, 0x80, 2))
            for port in sorted(ports)
        )
        + (_tlv(ParameterType.EVENTS_AND_REPORTS, b"\x80") if inventory.hold else b"")
    )


def _rospec(inventory: Inventory, spec_id: int) -> bytes:
    priority, disabled = 0, 0
    return _tlv(
        ParameterType.ROSPEC,
        struct.pack(">IBB", spec_id, priority, disabled)
        + _tlv(ParameterType.RO_BOUNDARY_SPEC, _start(inventory) + _stop(inventory))
        + _antennas(inventory)
        + _report_spec(inventory),
    )


def _start(inventory: Inventory) -> bytes:
    if inventory.start is None:
        return _tlv(ParameterType.ROSPEC_START_TRIGGER, b"\x01")  # Immediate.
    return _tlv(ParameterType.ROSPEC_START_TRIGGER, b"\x03" + _input(inventory.start))


def _stop(inventory: Inventory) -> bytes:
    if inventory.stop is not None:
        value = struct.pack(">BI", 2, 0) + _input(inventory.stop)
    else:
        value = struct.pack(">BI", 1 if inventory.stop_ms else 0, inventory.stop_ms)
    return _tlv(ParameterType.ROSPEC_STOP_TRIGGER, value)


def _input(trigger: InputTrigger) -> bytes:
    level = 0x80 if trigger.high else 0
    return _tlv(
        ParameterType.GPI_TRIGGER_VALUE,
        struct.pack(">HBI", trigger.port, level, trigger.timeout_ms),
    )


def _antennas(inventory: Inventory) -> bytes:
    antennas = inventory.antennas or (0,)
    command = b"\x00"  # Not state aware.
    if inventory.mode_index is not None:
        tari = 0  # The one that belongs to the mode.
        command += _tlv(
            ParameterType.C1G2_RF_CONTROL, struct.pack(">HH", inventory.mode_index, tari)
        )
    command += _tlv(
        ParameterType.C1G2_SINGULATION_CONTROL,
        struct.pack(">BHI", inventory.session << 6, EXPECTED_TAGS, 0),
    )
    every_antenna = struct.pack(">H", 0)
    transmitter = b""
    if inventory.power_index is not None:
        hop_table, channel = 1, 1
        transmitter = _tlv(
            ParameterType.RF_TRANSMITTER,
            struct.pack(">HHH", hop_table, channel, inventory.power_index),
        )
    configuration = _tlv(
        ParameterType.ANTENNA_CONFIGURATION,
        every_antenna + transmitter + _tlv(ParameterType.C1G2_INVENTORY_COMMAND, command),
    )
    return _tlv(
        ParameterType.AISPEC,
        struct.pack(f">H{len(antennas)}H", len(antennas), *antennas)
        + _tlv(ParameterType.AISPEC_STOP_TRIGGER, struct.pack(">BI", 0, 0))
        + _tlv(
            ParameterType.INVENTORY_PARAMETER_SPEC,
            struct.pack(">HB", 1, EPC_C1G2) + configuration,
        ),
    )


def _report_spec(inventory: Inventory) -> bytes:
    # Trigger 2: upon N tags or at the end of the ROSpec; N = 0 is its end alone.
    memory = _tlv(ParameterType.C1G2_EPC_MEMORY_SELECTOR, b"\x00")
    content = _tlv(
        ParameterType.TAG_REPORT_CONTENT_SELECTOR, struct.pack(">H", REPORT_CONTENT) + memory
    )
    value = struct.pack(">BH", 2, inventory.report_every_tags) + content
    if inventory.impinj:
        switches = b"".join(
            _custom(kind, b"\x00\x01")
            for kind in (ImpinjType.ENABLE_RF_PHASE_ANGLE, ImpinjType.ENABLE_PEAK_RSSI)
        )
        value += _custom(ImpinjType.TAG_REPORT_CONTENT_SELECTOR, switches)
    return _tlv(ParameterType.RO_REPORT_SPEC, value)


def _custom(kind: ImpinjType, value: bytes) -> bytes:
    return _tlv(ParameterType.CUSTOM, struct.pack(">II", VENDOR_IMPINJ, kind) + value)


def _tlv(kind: ParameterType, value: bytes) -> bytes:
    return struct.pack(">HH", kind, 4 + len(value)) + value
