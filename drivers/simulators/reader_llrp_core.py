"""What a virtual LLRP reader knows and does, apart from its socket and its clock. Pure.

ROSpec: disabled --ENABLE--> inactive --start trigger, START--> active --stop--> inactive
reports: kept until the ROSpec's N is reached; while nobody is connected, or until the client
         says ENABLE_EVENTS_AND_REPORTS or GET_REPORT, they stay (13.2.6.4 of the standard)
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from drivers.simulators.reader_llrp_wire import (
    IMPINJ,
    RequestInvalid,
    Rospec,
    Sighting,
    big,
    message,
    notification,
    read_rospec,
    regulatory,
    status,
    tag_report,
    tlv,
    walk,
)

DISABLED, INACTIVE, ACTIVE = 0, 1, 2
TAGS_IN_REPORT_MAX = 100
KEPT_EVENTS_MAX = 100
SEEN_MESSAGES_MAX = 1000


@dataclass(frozen=True, slots=True)
class ReaderModel:
    """What kind of reader it is. utc: it knows the time of day, not only its uptime."""

    antennas_count: int = 4
    inputs_count: int = 4
    holds_reports: bool = True
    kept_reports_max: int = 10_000
    utc: bool = True
    speaks_1_1: bool = True
    maker: int = 25882
    model: int = 2001002
    firmware: str = "7.6.1.240"
    mac: str = "001625fffe102030"


class ReaderCore:
    """The reader's memory and behaviour; what it wants to say collects in `outbox`.

    messages_seen: types of what clients sent. farewell: the client asked to be let go.
    """

    def __init__(self, model: ReaderModel) -> None:
        self.model = model
        self.outbox = bytearray()
        self.messages_seen: deque[int] = deque(maxlen=SEEN_MESSAGES_MAX)
        self.connected = False
        self.farewell = False
        self.rospec_status = 0  # Answer to ADD_ROSPEC, if it is not success.
        self.forget()

    def forget(self) -> None:
        """Start anew, as after a power cut."""
        self.rospecs: dict[int, tuple[Rospec, int]] = {}
        self._active_since_s: dict[int, float] = {}
        self._inputs: dict[int, bool] = {}
        self._events_wanted: set[int] = set()
        self._kept: deque[tuple[Sighting, Rospec]] = deque()
        self._kept_events: deque[bytes] = deque(maxlen=KEPT_EVENTS_MAX)
        self._overflowed = False
        self._keepalive_s = 0.0
        self._next_keepalive_s = 0.0
        self._hold = False
        self._holding = False
        self._extensions = False
        self._version = 1

    def greet(self, clock_us: int) -> None:
        """Take a client and say so."""
        self.connected, self.farewell = True, False
        self._holding, self._version, self._extensions = self._hold, 1, False
        self._next_keepalive_s = 0.0
        self.outbox += notification(clock_us, tlv(256, big(0, 2)), utc=self.model.utc)

    def refusal(self, connection_status: int, clock_us: int) -> bytes:
        """Return the greeting that turns a client away."""
        event = tlv(256, big(connection_status, 2))
        return notification(clock_us, event, utc=self.model.utc)

    def see(self, one: Sighting) -> bool:
        """Let a tag answer; False if no active ROSpec reads on its antenna."""
        taken = False
        for rospec, state in list(self.rospecs.values()):
            if state == ACTIVE and {0, one.antenna} & {*rospec.antennas}:
                taken = True
                self._keep(one, rospec)
        if self.connected and not self._holding and self._kept:
            every = self._kept[0][1].every_tags
            if every and len(self._kept) >= every:
                self._report()
        return taken

    def set_input(self, port: int, *, high: bool, clock_us: int, now_s: float) -> None:
        """Change the level of an input; starts and stops what waits for it."""
        if self._inputs.get(port) == high:
            return
        self._inputs[port] = high
        self.event(tlv(248, big(port, 2), b"\x80" if high else b"\x00"), kind=1, clock_us=clock_us)
        for spec_id, (rospec, state) in list(self.rospecs.items()):
            start, stop = rospec.start, rospec.stop
            if state == INACTIVE and (start.kind, start.port, start.high) == (3, port, high):
                self._begin(spec_id, now_s)
            elif state == ACTIVE and (stop.kind, stop.port, stop.high) == (2, port, high):
                self._end(spec_id)

    def event(self, event: bytes, *, kind: int, clock_us: int) -> None:
        """Notify of an event of that kind, if the client wants to know; keep it while held."""
        if kind not in self._events_wanted:
            return
        notice = notification(clock_us, event, utc=self.model.utc, version=self._version)
        if not self.connected or self._holding:
            self._kept_events.append(notice)
        else:
            self.outbox += notice

    def tick(self, now_s: float) -> None:
        """Do what time brings: keepalives, the end of a limited reading."""
        if self.connected and self._keepalive_s and now_s >= self._next_keepalive_s:
            self._next_keepalive_s = now_s + self._keepalive_s
            self.outbox += message(62, 9, version=self._version)
        for spec_id, (rospec, state) in list(self.rospecs.items()):
            limit_s = rospec.stop.duration_s
            if state == ACTIVE and limit_s and now_s >= self._active_since_s[spec_id] + limit_s:
                self._end(spec_id)

    def take(self, data: bytes, *, now_s: float) -> None:
        """Take one whole message of the client and answer it."""
        kind = int.from_bytes(data[:2], "big") & 0x3FF
        version = int.from_bytes(data[:2], "big") >> 10
        message_id = int.from_bytes(data[6:10], "big")
        self.messages_seen.append(kind)
        answer_of = _ANSWERS.get(kind)
        if version > 1 and not self.model.speaks_1_1:
            self._error(message_id, 110, "version")
        elif answer_of is None:
            self._error(message_id, 109, f"message {kind}")
        else:
            try:
                parts = answer_of(self, data[10:], now_s)
            except RequestInvalid as error:
                parts = [status(error.status, str(error))]
            except (LookupError, UnicodeDecodeError) as error:
                parts = [status(100, f"cannot be read: {error}")]
            if parts is not None:
                number = {14: 4, 1023: 1023}.get(kind, kind + 10)
                self.outbox += message(number, message_id, *parts, version=version)
        if kind in {60, 64} and (kind == 60 or self._hold or self._kept):
            self._hand_out(release=kind == 64)

    def _keep(self, one: Sighting, rospec: Rospec) -> None:
        if not self.connected and not self._hold:
            return
        if len(self._kept) >= self.model.kept_reports_max:
            if not self._overflowed:
                self.event(tlv(251), kind=3, clock_us=one.last_us)
            self._overflowed = True
            return
        self._kept.append((one, rospec))

    def _hand_out(self, *, release: bool) -> None:
        if release:
            self._holding = False
            while self._kept_events:
                self.outbox += self._kept_events.popleft()
        self._report()

    def _report(self) -> None:
        self._overflowed = False
        while self._kept:
            batch = [self._kept.popleft() for _ in range(min(TAGS_IN_REPORT_MAX, len(self._kept)))]
            parts = [tag_report(one, rospec, utc=self.model.utc) for one, rospec in batch]
            self.outbox += message(61, 7, *parts, version=self._version)

    def _begin(self, spec_id: int, now_s: float) -> None:
        self.rospecs[spec_id] = (self.rospecs[spec_id][0], ACTIVE)
        self._active_since_s[spec_id] = now_s

    def _end(self, spec_id: int) -> None:
        self.rospecs[spec_id] = (self.rospecs[spec_id][0], INACTIVE)
        if self.connected and not self._holding:
            self._report()

    def _error(self, message_id: int, code: int, text: str) -> None:
        self.outbox += message(100, message_id, status(code, text))

    def _capabilities(self, _: bytes, __: float) -> list[bytes]:
        model = self.model
        firmware = model.firmware.encode()
        flags = big(0xC000 if model.utc else 0x8000, 2)
        general = tlv(
            137,
            big(model.antennas_count, 2),
            flags,
            big(model.maker, 4),
            big(model.model, 4),
            big(len(firmware), 2),
            firmware,
            tlv(139, big(1, 2), big(10, 2)),
            tlv(141, big(model.inputs_count, 2), big(4, 2)),
            *(
                tlv(140, big(antenna, 2), big(1, 2), b"\x01")
                for antenna in range(1, model.antennas_count + 1)
            ),
        )
        abilities = big(0x48 if model.holds_reports else 0x40, 1)
        limits = b"".join(big(number, 4) for number in (1, 32, 1, 8, 8))
        llrp = tlv(142, abilities, big(1, 1), big(0, 2), limits)
        return [status(), general, llrp, regulatory()]

    def _identify(self, _: bytes, __: float) -> list[bytes]:
        mac = bytes.fromhex(self.model.mac)
        return [status(), tlv(218, big(0, 1), big(len(mac), 2), mac)]

    def _configure(self, body: bytes, now_s: float) -> list[bytes]:
        if body[0] & 0x80:
            self.forget()
        for kind, value in walk(body[1:]):
            if kind == 220:
                period_ms = int.from_bytes(value[1:5], "big")
                self._keepalive_s = period_ms / 1000 if value[0] else 0.0
                self._next_keepalive_s = now_s + self._keepalive_s
            elif kind == 225 and int.from_bytes(value[:2], "big") > self.model.inputs_count:
                raise RequestInvalid(301, "no such input")
            elif kind == 226:
                if not self.model.holds_reports:
                    raise RequestInvalid(111, "EventsAndReports")
                self._hold = bool(value[0] & 0x80)
            elif kind == 244:
                for _, one in walk(value):
                    event = int.from_bytes(one[:2], "big")
                    (self._events_wanted.add if one[2] & 0x80 else self._events_wanted.discard)(
                        event
                    )
        return [status()]

    def _add(self, body: bytes, _: float) -> list[bytes]:
        rospec = read_rospec(body)
        if self.rospec_status:
            raise RequestInvalid(self.rospec_status, "not today")
        inputs = [one.port for one in (rospec.start, rospec.stop) if one.port]
        if self.rospecs:
            raise RequestInvalid(105, "one ROSpec at a time")
        if not rospec.spec_id or max(rospec.antennas, default=0) > self.model.antennas_count:
            raise RequestInvalid(301, "ROSpec id or antenna")
        if max(inputs, default=0) > self.model.inputs_count:
            raise RequestInvalid(301, "no such input")
        if (rospec.phase or rospec.fine_rssi) and not self._extensions:
            raise RequestInvalid(209, "extensions are off")
        self.rospecs[rospec.spec_id] = (rospec, DISABLED)
        return [status()]

    def _delete(self, body: bytes, _: float) -> list[bytes]:
        for spec_id in self._named(body):
            del self.rospecs[spec_id]
        self._kept.clear()  # Readings of a deleted ROSpec are nobody's.
        return [status()]

    def _start(self, body: bytes, now_s: float) -> list[bytes]:
        for spec_id in self._named(body):
            self._begin(spec_id, now_s)
        return [status()]

    def _stop(self, body: bytes, _: float) -> list[bytes]:
        for spec_id in self._named(body):
            self._end(spec_id)
        return [status()]

    def _enable(self, body: bytes, now_s: float) -> list[bytes]:
        for spec_id in self._named(body):
            rospec, state = self.rospecs[spec_id]
            self.rospecs[spec_id] = (rospec, max(state, INACTIVE))
            if rospec.start.kind == 1 and state == DISABLED:
                self._begin(spec_id, now_s)
        return [status()]

    def _disable(self, body: bytes, _: float) -> list[bytes]:
        for spec_id in self._named(body):
            self._end(spec_id)
            self.rospecs[spec_id] = (self.rospecs[spec_id][0], DISABLED)
        return [status()]

    def _list(self, _: bytes, __: float) -> list[bytes]:
        return [status(), *(rospec.stated(state) for rospec, state in self.rospecs.values())]

    def _supported(self, _: bytes, __: float) -> list[bytes]:
        return [bytes([self._version, 2]), status()]

    def _set_version(self, body: bytes, _: float) -> list[bytes]:
        self._version = body[0]
        return [status()]

    def _custom(self, body: bytes, _: float) -> list[bytes]:
        if body[:5] != IMPINJ + b"\x15":
            raise RequestInvalid(109, "custom message")
        self._extensions = True
        return [IMPINJ, b"\x16", status()]

    def _close(self, _: bytes, __: float) -> list[bytes]:
        self.farewell = True
        return [status()]

    def _delete_accesses(self, _: bytes, __: float) -> list[bytes]:
        return [status()]  # It has none.

    def _silence(self, _: bytes, __: float) -> None:
        return None

    def _named(self, body: bytes) -> list[int]:
        spec_id = int.from_bytes(body[:4], "big")
        if spec_id and spec_id not in self.rospecs:
            raise RequestInvalid(300, f"no ROSpec {spec_id}")
        return [spec_id] if spec_id else list(self.rospecs)


_ANSWERS: dict[int, Callable[[ReaderCore, bytes, float], list[bytes] | None]] = {
    1: ReaderCore._capabilities,
    2: ReaderCore._identify,
    3: ReaderCore._configure,
    14: ReaderCore._close,
    20: ReaderCore._add,
    21: ReaderCore._delete,
    22: ReaderCore._start,
    23: ReaderCore._stop,
    24: ReaderCore._enable,
    25: ReaderCore._disable,
    26: ReaderCore._list,
    46: ReaderCore._supported,
    47: ReaderCore._set_version,
    41: ReaderCore._delete_accesses,
    60: ReaderCore._silence,
    64: ReaderCore._silence,
    72: ReaderCore._silence,
    1023: ReaderCore._custom,
}
