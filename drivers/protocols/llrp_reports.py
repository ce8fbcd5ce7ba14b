"""Tag reports of LLRP to TagReads, fast: one shape is worked out once and used for all alike. Pure.

    TagReportData 240 --+-- EPCData 241 (u16 bits, bytes) or EPC-96 13 (12 bytes)      always
                        +-- AntennaID 1, PeakRSSI 6 (int8 dBm), TagSeenCount 8         if the reader
                        +-- First/LastSeenTimestampUTC 2/4, Uptime 3/5 (u64 us)        was told to
                        `-- Custom 1023: Impinj RFPhaseAngle 56 (1/4096 of a turn), PeakRSSI 57
                            (int16, 1/100 dBm)
Source: EPCglobal LLRP 1.1, sections 14.2.3 and 17.2.7; Impinj Octane LLRP.

Where the fields of a report stand follows from the headers of its parameters alone. A `_Shape`
keeps those bytes as one number with a mask; a report whose masked bytes are equal has its fields at
the same places and is unpacked in one go. Any other is walked parameter by parameter, once.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from drivers.protocols.llrp_frames import LlrpInvalid, parameter_at
from drivers.protocols.llrp_numbers import VENDOR_IMPINJ, ImpinjType, ParameterType
from drivers.readings import DeviceFault, TagRead

SHAPES_MAX = 16
ALIKE_MAX = 4  # Shapes of one length: a reader may add a field now and leave out another then.
SHAPE_BYTES_MAX = 512  # A longer report is walked each time.
EVIDENCE_BYTES_MAX = 256
EPC_BYTES_MAX = 62  # No tag can state more: 31 words, in 5 bits of its protocol control word.
PHASE_STEPS = 4096

_FIELDS = ("epc", "antenna", "rssi", "phase", "count", "first", "last", "stamp")
_ABSENT = (None, 0, None, None, 1, None, None, None)
_TV_FIELDS = {
    1: ("antenna", "H"),
    2: ("first", "Q"),
    3: ("first_uptime", "Q"),
    4: ("last", "Q"),
    5: ("last_uptime", "Q"),
    6: ("rssi", "b"),
    8: ("count", "H"),
    13: ("epc", "12s"),
}
_CUSTOM = struct.Struct(">II")
_CUSTOM_FIELDS = {
    (VENDOR_IMPINJ, ImpinjType.RF_PHASE_ANGLE): ("phase", "H"),
    (VENDOR_IMPINJ, ImpinjType.PEAK_RSSI): ("fine_rssi", "h"),
}


@dataclass(frozen=True, slots=True)
class HeldBefore:
    """What the reader had seen before it greeted us was held. By the reader's own clock, in us.

    utc_us, uptime_us: its clock at the greeting; None if it did not say.
    unstamped: whether a report without any time counts as held.
    """

    utc_us: int | None
    uptime_us: int | None
    unstamped: bool


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where the fields of a report stand. rssi_factor: to hundredths of dBm."""

    size: int
    mask: int
    constant: int
    unpack: Callable[[bytes], tuple[Any, ...]]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    rssi_factor: int
    uptime: bool


class ReportReader:
    """Reads the bodies of RO_ACCESS_REPORT messages of one reader."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, tuple[_Shape, ...]] = {}  # By type and length of the report.

    def read(
        self, body: bytes, offset: int, *, count_max: int, held_before: HeldBefore | None = None
    ) -> tuple[list[TagRead | DeviceFault], int]:
        """Return up to `count_max` readings from `offset` on, and where to go on; never raises.

        A report that cannot be read is one "unreadable"; if even its length is wrong, the rest of
        the body goes with it.
        """
        readings: list[TagRead | DeviceFault] = []
        while offset < len(body) and len(readings) < count_max:
            end = offset
            try:
                shape, raw = self._known(body, offset)
                if shape is None:
                    kind, _, end = parameter_at(body, offset)
                    if kind != ParameterType.TAG_REPORT_DATA:
                        offset = end  # RFSurveyReportData, Custom: nothing of ours.
                        continue
                    raw = body[offset:end]
                    shape = self._learn(raw)
                readings.append(_read(shape, raw, held_before))
                offset += shape.size
            except LlrpInvalid as error:
                end = end if end > offset else len(body)
                evidence = body[offset : min(end, offset + EVIDENCE_BYTES_MAX)]
                readings.append(DeviceFault("unreadable", f"tag report: {error}", evidence))
                offset = end
        return readings, offset

    def _known(self, body: bytes, offset: int) -> tuple[_Shape | None, bytes]:
        """Return the shape of the report at `offset` and its bytes; None if it is a new one."""
        for shape in self._shapes.get(body[offset : offset + 4], ()):
            raw = body[offset : offset + shape.size]
            if len(raw) == shape.size and int.from_bytes(raw) & shape.mask == shape.constant:
                return shape, raw
        return None, b""

    def _learn(self, raw: bytes) -> _Shape:
        shape = _shape_of(raw)
        if shape.size <= SHAPE_BYTES_MAX:
            if len(self._shapes) >= SHAPES_MAX:
                self._shapes.clear()
            alike = self._shapes.get(raw[:4], ())
            self._shapes[raw[:4]] = (shape, *alike)[:ALIKE_MAX]
        return shape


def _read(shape: _Shape, raw: bytes, held_before: HeldBefore | None) -> TagRead:
    epc, antenna, rssi, phase, count, first, last, stamp = shape.pick(shape.unpack(raw) + _ABSENT)
    return TagRead(
        epc=epc.hex().upper(),
        antenna=antenna,
        rssi_cdbm=None if rssi is None else rssi * shape.rssi_factor,
        phase=None if phase is None or phase >= PHASE_STEPS else phase,
        reads_count=count,
        first_seen_us=first,
        last_seen_us=last,
        held=held_before is not None and _is_held(held_before, stamp, uptime=shape.uptime),
        raw=raw,
    )


def _is_held(held_before: HeldBefore, stamp: int | None, *, uptime: bool) -> bool:
    limit = held_before.uptime_us if uptime else held_before.utc_us
    if stamp is None or limit is None:
        return held_before.unstamped
    return stamp < limit


def _shape_of(raw: bytes) -> _Shape:
    """Return the shape of one whole TagReportData. Raises LlrpInvalid."""
    places: dict[str, tuple[int, str]] = {}  # Name -> offset, format.
    mask = bytearray(len(raw))
    mask[:4] = b"\xff" * 4
    offset = 4
    while offset < len(raw):
        kind, begin, end = parameter_at(raw, offset)
        found, field_begin = _field_of(raw, kind, begin, end)
        mask[offset:field_begin] = b"\xff" * (field_begin - offset)
        if found is not None:
            if found[0] in places:
                raise LlrpInvalid(f"{found[0]} is stated twice")
            places[found[0]] = (field_begin, found[1])
        offset = end
    if "epc" not in places:
        raise LlrpInvalid("a report without an EPC")
    ordered = sorted((begin, code, name) for name, (begin, code) in places.items())
    codes, at = ">", 0
    for begin, code, _ in ordered:
        codes += f"{begin - at}x{code}"
        at = begin + struct.calcsize(f">{code}")
    names = [name for _, _, name in ordered]
    uptime = not {"first", "last"} & set(names)
    whole = int.from_bytes(raw, "big") & int.from_bytes(mask, "big")
    return _Shape(
        size=len(raw),
        mask=int.from_bytes(mask, "big"),
        constant=whole,
        unpack=struct.Struct(f"{codes}{len(raw) - at}x").unpack,
        pick=itemgetter(*(_source(field, names) for field in _FIELDS)),
        rssi_factor=1 if "fine_rssi" in names else 100,
        uptime=uptime,
    )


def _field_of(raw: bytes, kind: int, begin: int, end: int) -> tuple[tuple[str, str] | None, int]:
    """Return name and format of the field that a parameter holds, and where it begins.

    All before that place decides how the report is read and belongs to its shape.
    """
    if kind < 128:
        return _TV_FIELDS.get(kind), begin
    if kind == ParameterType.EPC_DATA:
        bits = int.from_bytes(raw[begin : begin + 2], "big")
        size = (bits + 7) // 8
        if not 0 < size <= min(end - begin - 2, EPC_BYTES_MAX):
            raise LlrpInvalid(f"an EPC of {bits} bits in {end - begin} bytes")
        return ("epc", f"{size}s"), begin + 2
    if kind == ParameterType.CUSTOM:
        if end - begin < _CUSTOM.size:
            raise LlrpInvalid("a custom parameter without vendor")
        found = _CUSTOM_FIELDS.get(_CUSTOM.unpack_from(raw, begin))
        begin += _CUSTOM.size
        if found is not None and end - begin < 2:
            raise LlrpInvalid(f"{found[0]} is cut off")
        return found, begin
    return None, begin


def _source(field: str, names: list[str]) -> int:
    """Return the index at which a field stands in the unpacked values with _ABSENT behind them."""
    choices: dict[str, tuple[str, ...]] = {
        "rssi": ("fine_rssi", "rssi"),
        "stamp": ("last", "first", "last_uptime", "first_uptime"),
    }
    for name in choices.get(field, (field,)):
        if name in names:
            return names.index(name)
    return len(names) + _FIELDS.index(field)
