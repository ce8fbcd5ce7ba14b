"""Impinj IoT device interface: lines of the event stream to tag reads. Pure.

    {"timestamp": "2024-08-06T12:00:00.123456789Z", "eventType": "tagInventory",
     "tagInventoryEvent": {"epc": "MHQle_cZTkAAABqF", "epcHex": "3074257BF7194E4000001A85",
                           "antennaPort": 1, "peakRssiCdbm": -5234, "phaseAngle": 33.75,
                           "lastSeenTime": "2024-08-06T12:00:00.12Z"}}

One JSON object a line (GET /api/v1/data/stream); which fields are there is set in the reader's
preset (`eventConfig`). `epc` is base64, with "-" and "_" or with "+" and "/"; `phaseAngle` is in
degrees. Other events and empty lines say that the reader lives, nothing else.
Sources: the field names in public programs for the R700 that agree with each other, among them the
package impinj-iot 0.2.0 (stream, URL-safe base64) and the emulator suporterfid/iot-api-emu. The
maker's own reference was not at hand: firstSeenTime and a count of reads are therefore not read.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from drivers.protocols.framing import Frame, LineFramer
from drivers.readings import DeviceFault, Reading, TagRead

LINE_BYTES_MAX = 16_384  # An event has some 400 bytes; with user memory in it, some thousand.
EPC_BYTES_MAX = 62
PHASE_STEPS = 4096
TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class _TagEvent(msgspec.Struct, frozen=True):
    epcHex: str = ""  # noqa: N815 - the names are the reader's.
    epc: str = ""
    antennaPort: int = 0  # noqa: N815
    peakRssiCdbm: int | None = None  # noqa: N815
    phaseAngle: float | None = None  # noqa: N815
    lastSeenTime: str = ""  # noqa: N815


class _Event(msgspec.Struct, frozen=True):
    timestamp: str = ""
    tagInventoryEvent: _TagEvent | None = None  # noqa: N815


_decoder = msgspec.json.Decoder(_Event)


class ImpinjStreamProtocol:
    """Feed bytes in, take readings out; never raises on anything a reader can send."""

    def __init__(self) -> None:
        self._framer = LineFramer(line_end="lf", frame_bytes_max=LINE_BYTES_MAX)

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        readings = [_read(frame) for frame in self._framer.receive_data(data)]
        return [reading for reading in readings if reading is not None]

    def idle(self) -> Sequence[Reading]:
        """Tell that the stream paused in the middle of an event; the half event is a fault."""
        begun = self._framer.idle()
        return [DeviceFault("unreadable", "half an event", begun)] if begun else []


def _read(frame: Frame) -> Reading | None:
    line = frame.data.strip()
    if frame.oversized:
        detail = f"an event of more than {LINE_BYTES_MAX} bytes was dropped"
        return DeviceFault("unreadable", detail, line[:256])
    if not line:
        return None  # Sent to keep the connection alive.
    try:
        event = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return DeviceFault("unreadable", f"not an event: {error}", line)
    tag = event.tagInventoryEvent
    if tag is None:
        return None
    epc = _epc(tag)
    if not epc:
        return DeviceFault("unreadable", "a tag event without a readable EPC", line)
    return TagRead(
        epc=epc,
        antenna=max(tag.antennaPort, 0),
        rssi_cdbm=tag.peakRssiCdbm,
        phase=_phase(tag.phaseAngle),
        last_seen_us=_microseconds(tag.lastSeenTime or event.timestamp),
        raw=line,
    )


def _epc(tag: _TagEvent) -> str:
    try:
        if tag.epcHex:
            content = binascii.unhexlify(tag.epcHex)
        else:
            text = tag.epc.replace("-", "+").replace("_", "/").rstrip("=")
            content = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return content.hex().upper() if len(content) <= EPC_BYTES_MAX else ""


def _phase(degrees: float | None) -> int | None:
    if degrees is None or not -360.0 <= degrees <= 360.0:
        return None
    return round(degrees / 360.0 * PHASE_STEPS) % PHASE_STEPS


def _microseconds(text: str) -> int | None:
    """Return microseconds since 1970 UTC, exactly; None for what is no time."""
    found = TIME.fullmatch(text)
    if found is None:
        return None
    seconds, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(seconds + zone.upper().replace("Z", "+00:00"))
        whole = (moment - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
    return whole + int((fraction or "").ljust(6, "0")[:6])
