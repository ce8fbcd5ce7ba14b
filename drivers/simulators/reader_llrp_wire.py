"""Bytes of LLRP as a reader writes and reads them, apart from the driver's own code. Pure.

Source: EPCglobal LLRP 1.1, section 17. Nothing here is used by the driver, and the other way round:
the two only agree if both follow the standard.
"""

from dataclasses import dataclass

IMPINJ = (25882).to_bytes(4, "big")
# Bytes of fields in front of the parameters inside a parameter.
FIELDS_BYTES = {
    177: 6,
    178: 0,
    179: 1,
    181: 7,
    182: 5,
    184: 5,
    220: 5,
    225: 4,
    226: 1,
    237: 3,
    238: 2,
}


class RequestInvalid(Exception):
    """A request that breaks the standard. status: LLRPStatus code to answer with."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a ROSpec starts or stops. kind: number of the standard; port, high: of an input."""

    kind: int
    port: int = 0
    high: bool = False
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Rospec:
    """What a client asked a reader to do. content: bits of the TagReportContentSelector.

    antennas: (0,) for all. phase, fine_rssi: extensions of Impinj. raw: as it came.
    """

    spec_id: int
    antennas: tuple[int, ...]
    start: Trigger
    stop: Trigger
    report_trigger: int
    every_tags: int
    content: int
    phase: bool
    fine_rssi: bool
    raw: bytes

    def stated(self, state: int) -> bytes:
        """Return the parameter with its present state: 0 disabled, 1 inactive, 2 active."""
        return self.raw[:9] + bytes([state]) + self.raw[10:]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A tag that an antenna saw, before anybody chose what to report of it."""

    epc: bytes
    antenna: int
    rssi_cdbm: int
    phase: int
    count: int
    first_us: int
    last_us: int


def big(value: int, size: int) -> bytes:
    """Return a number in network byte order; negative ones as two's complement."""
    return value.to_bytes(size, "big", signed=value < 0)


def message(kind: int, message_id: int, *parts: bytes, version: int = 1) -> bytes:
    """Return a whole message."""
    body = b"".join(parts)
    return big(version << 10 | kind, 2) + big(len(body) + 10, 4) + big(message_id, 4) + body


def tlv(kind: int, *parts: bytes) -> bytes:
    """Return a parameter with a length."""
    value = b"".join(parts)
    return big(kind, 2) + big(len(value) + 4, 2) + value


def status(code: int = 0, text: str = "") -> bytes:
    """Return an LLRPStatus."""
    said = text.encode()
    return tlv(287, big(code, 2), big(len(said), 2), said)


def notification(clock_us: int, *events: bytes, utc: bool, version: int = 1) -> bytes:
    """Return a READER_EVENT_NOTIFICATION."""
    clock = tlv(128 if utc else 129, big(clock_us, 8))
    return message(63, 0, tlv(246, clock, *events), version=version)


def tag_report(seen: Sighting, rospec: Rospec, *, utc: bool) -> bytes:
    """Return the TagReportData of a sighting with what its ROSpec wants to know."""
    parts = [
        b"\x8d" + seen.epc if len(seen.epc) == 12 else tlv(241, big(len(seen.epc) * 8, 2), seen.epc)
    ]
    wanted = (
        (0x8000, b"\x89" + big(rospec.spec_id, 4)),
        (0x4000, b"\x8e" + big(1, 2)),
        (0x1000, b"\x81" + big(seen.antenna, 2)),
        (0x0800, b"\x87" + big(1, 2)),
        (0x0400, b"\x86" + big(round(seen.rssi_cdbm / 100), 1)),
        (0x0200, (b"\x82" if utc else b"\x83") + big(seen.first_us, 8)),
        (0x0100, (b"\x84" if utc else b"\x85") + big(seen.last_us, 8)),
        (0x0080, b"\x88" + big(seen.count, 2)),
    )
    parts += [value for bit, value in wanted if rospec.content & bit]
    if rospec.fine_rssi:
        parts.append(tlv(1023, IMPINJ, big(57, 4), big(seen.rssi_cdbm, 2)))
    if rospec.phase:
        parts.append(tlv(1023, IMPINJ, big(56, 4), big(seen.phase, 2)))
    return tlv(240, *parts)


def regulatory() -> bytes:
    """Return RegulatoryCapabilities: three powers, two hopping channels, one RF mode."""
    powers = [
        tlv(145, big(index, 2), big(centi_dbm, 2))
        for index, centi_dbm in enumerate((1000, 2000, 3000), start=1)
    ]
    hops = tlv(147, b"\x01\x00", big(2, 2), big(920_625, 4), big(924_375, 4))
    numbers = (250_000, 1500, 12_500, 25_000, 0)  # Data rate, PIE, tari from, to, step.
    mode = tlv(329, big(2, 4), b"\x00\x02\x01\x02", *(big(number, 4) for number in numbers))
    china, unspecified = 156, 0
    band = tlv(144, *powers, tlv(146, b"\x80", hops), tlv(328, mode))
    return tlv(143, big(china, 2), big(unspecified, 2), band)


def walk(data: bytes) -> list[tuple[int, bytes]]:
    """Return type and value of each parameter of a request. Raises RequestInvalid."""
    found, offset = [], 0
    while offset < len(data):
        kind = int.from_bytes(data[offset : offset + 2], "big")
        length = int.from_bytes(data[offset + 2 : offset + 4], "big")
        if kind > 1023 or length < 4 or offset + length > len(data):
            raise RequestInvalid(100, f"no parameter at byte {offset}")
        found.append((kind, data[offset + 4 : offset + length]))
        offset += length
    return found


def inside(data: bytes, kind: int) -> list[tuple[int, bytes]]:
    """Return the parameters inside the value of a parameter of type `kind`."""
    return walk(data[FIELDS_BYTES[kind] :])


def read_rospec(data: bytes) -> Rospec:
    """Return the ROSpec that is the body of ADD_ROSPEC. Raises RequestInvalid."""
    (outer, value), *more = walk(data) or [(0, b"")]
    if outer != 177 or more:
        raise RequestInvalid(103, "one ROSpec is needed")
    parts = dict(inside(value, 177))
    if not {178, 183, 237} <= set(parts):
        raise RequestInvalid(203, "boundary, AISpec or report spec is missing")
    boundary = dict(inside(parts[178], 178))
    report = parts[237]
    antennas_count = int.from_bytes(parts[183][:2], "big")
    selector = dict(inside(report, 237))
    extensions = {
        int.from_bytes(inner[4:8], "big")
        for kind, one in inside(report, 237)
        if kind == 1023
        for _, inner in walk(one[8:])
    }
    inventory = dict(walk(parts[183][2 + 2 * antennas_count :]))
    if {184, 186} - set(inventory):
        raise RequestInvalid(203, "an AISpec needs a stop trigger and an inventory parameter")
    # A tag observation trigger ends the AISpec, and report trigger 1 reports then.
    ends_after = (
        dict(inside(inventory[184], 184)).get(185, bytes(4)) if report[0] == 1 else bytes(4)
    )
    return Rospec(
        spec_id=int.from_bytes(value[:4], "big"),
        antennas=tuple(
            int.from_bytes(parts[183][2 + 2 * index : 4 + 2 * index], "big")
            for index in range(antennas_count)
        ),
        start=_trigger(boundary[179], 179),
        stop=_trigger(boundary[182], 182),
        report_trigger=report[0],
        every_tags=int.from_bytes(report[1:3], "big") or int.from_bytes(ends_after[2:4], "big"),
        content=int.from_bytes(selector[238][:2], "big") if 238 in selector else 0,
        phase=52 in extensions,
        fine_rssi=53 in extensions,
        raw=data,
    )


def _trigger(value: bytes, kind: int) -> Trigger:
    number = value[0]
    inputs = dict(inside(value, kind))
    if 181 in inputs:
        one = inputs[181]
        timeout_s = int.from_bytes(one[3:7], "big") / 1000
        return Trigger(number, int.from_bytes(one[:2], "big"), bool(one[2] & 0x80), timeout_s)
    duration_ms = int.from_bytes(value[1:5], "big") if kind == 182 else 0
    return Trigger(number, duration_s=duration_ms / 1000)
