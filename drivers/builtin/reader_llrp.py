"""Driver llrp-tcp: fixed RFID readers that speak LLRP over TCP. Loop."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from drivers.api import Driver
from drivers.builtin.stream import ByteLine
from drivers.candidates import Matcher
from drivers.errors import DriverError
from drivers.protocols.llrp_answers import Capabilities
from drivers.protocols.llrp_events import Input
from drivers.protocols.llrp_frames import LlrpInvalid
from drivers.protocols.llrp_identity import IdentityQuestion
from drivers.protocols.llrp_numbers import PORT
from drivers.protocols.llrp_requests import InputTrigger, Inventory
from drivers.protocols.llrp_session import LlrpSession
from drivers.protocols.llrp_stream import LlrpStream
from drivers.readings import Reading, TagRead
from drivers.transports.tcp_client import open_tcp

READINGS_MAX = 500  # Of one call of `read`.
KEPT_READINGS_MAX = 5000  # While the connection is set up; what is held beyond waits in the line.
CLOSE_S = 0.3
PROBE_S = 2.0

Level = Literal["high", "low"]
InputPort = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class LlrpInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input of the reader: its number, what it is called, and the level at which it is active.

    code: the text of a bar code that it stands for, such as "CMD-CONFIRM".
    """

    port: InputPort
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    active: Level = "high"
    code: Annotated[str, msgspec.Meta(max_length=80)] = ""


class LlrpTrigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input and the level that starts or stops reading. timeout_s: stops at the latest."""

    port: InputPort
    level: Level = "high"
    timeout_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0


class LlrpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of llrp-tcp.

    host, port: name or address of the reader, and its LLRP port.
    connect_timeout_s, answer_timeout_s: limits for connecting and for each answer.
    negotiate_version: asks for LLRP 1.1; without it 1.0.1 is spoken, which every reader knows.
    antennas: their numbers; an empty list uses all.
    power_index: transmit power as index into the reader's own table; not set: as the reader is set.
    mode_index: RF mode of the reader; not set: as the reader is set.
    session: C1G2 session 0 to 3.
    start, stop: inputs that start and stop reading; without `start` it begins at once.
    stop_after_s: with `start`: reads so long each time; 0 has no such limit.
    report_every_tags: a report for so many tag reads; 0: one report when reading ends.
    keepalive_s: the reader is heard so often; it is lost after two and a half times as long.
    hold_reports: the reader keeps reports while it is not connected, if it can.
    impinj_extensions: phase and fine signal strength, of Impinj readers.
    inputs: what the reader's inputs are called and when they are active.
    """

    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = PORT
    connect_timeout_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 3.0
    answer_timeout_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 5.0
    negotiate_version: bool = False
    antennas: Annotated[tuple[InputPort, ...], msgspec.Meta(max_length=64)] = ()
    power_index: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    mode_index: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    session: Annotated[int, msgspec.Meta(ge=0, le=3)] = 1
    start: LlrpTrigger | None = None
    stop: LlrpTrigger | None = None
    stop_after_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    report_every_tags: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 1
    keepalive_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 5.0
    hold_reports: bool = True
    impinj_extensions: bool = False
    inputs: Annotated[tuple[LlrpInput, ...], msgspec.Meta(max_length=32)] = ()

    def __post_init__(self) -> None:
        if self.start is None and (self.stop is not None or self.stop_after_s):
            raise ValueError("`stop` and `stop_after_s` need `start`, or reading ends for good")
        if self.stop is not None and self.stop_after_s:
            raise ValueError("give `stop` with its `timeout_s`, or `stop_after_s`, not both")
        if self.report_every_tags == 0 and self.stop is None and not self.stop_after_s:
            raise ValueError("`report_every_tags` 0 reports when reading ends: give `stop`")
        for what, values in (
            ("name", [one.name for one in self.inputs]),
            ("port", self.input_ports()),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"two inputs have the same {what}")

    def input_ports(self) -> list[int]:
        """Return the numbers of the inputs."""
        return [one.port for one in self.inputs]


class LlrpReader:
    """A reader that reads; a ReadingDevice. One thread uses it. Made by `open_reader`."""

    def __init__(self, line: ByteLine, session: LlrpSession) -> None:
        self._line = line
        self._session = session
        self._kept: list[Reading] = []
        self._closed = False

    @property
    def capabilities(self) -> Capabilities:
        """Return what the reader is."""
        return self._session.capabilities

    def set_up(self) -> None:
        """Return when the reader does what we want; what it held comes with the next `read`.

        Raises DeviceLost, DeviceSilent or SettingsInvalid; if the reader has already handed out
        tags, they come first and `read` raises it after them.
        """
        try:
            while not self._session.running and len(self._kept) < KEPT_READINGS_MAX:
                self._kept += self._step(self._session.wake_s)
        except DriverError:
            if not any(isinstance(one, TagRead) for one in self._kept):
                raise

    def read(self, timeout_s: float) -> Sequence[Reading]:
        """Return up to READINGS_MAX readings, oldest first; empty after `timeout_s`.

        Raises DeviceLost, DeviceSilent or SettingsInvalid.
        """
        if self._kept:
            readings = self._kept[:READINGS_MAX]
            del self._kept[:READINGS_MAX]
            return readings
        deadline_s = time.monotonic() + timeout_s
        while True:
            readings = self._step(deadline_s)
            if readings or time.monotonic() >= deadline_s:
                return readings

    def close(self) -> None:
        """End the connection, so that the reader is free at once. Never raises."""
        if self._closed:
            return
        self._closed = True
        self._session.close()
        deadline_s = time.monotonic() + CLOSE_S
        with contextlib.suppress(DriverError):
            farewell = self._session.data_to_send()
            self._line.write(farewell)
            # What is unread when a socket is closed resets it, and the farewell may be lost.
            while farewell and time.monotonic() < deadline_s:
                self._line.read(max(deadline_s - time.monotonic(), 0.0))
        self._line.close()

    def _step(self, deadline_s: float) -> list[Reading]:
        readings = self._advance()
        if readings:
            return readings
        wait_s = min(deadline_s, self._session.wake_s) - time.monotonic()
        data = self._line.read(max(wait_s, 0.0))
        self._session.receive_data(data, time.monotonic())
        return self._advance()

    def _advance(self) -> list[Reading]:
        readings = self._session.advance(count_max=READINGS_MAX)
        data = self._session.data_to_send()
        if data:
            try:
                self._line.write(data)
            except DriverError:
                if not readings:  # Those are told first; the line stays lost until then.
                    raise
        return readings


def open_reader(settings: LlrpSettings) -> LlrpReader:
    """Return the reader at work. Raises DeviceLost, DeviceSilent or SettingsInvalid."""
    line = open_tcp(settings.host, settings.port, connect_timeout_s=settings.connect_timeout_s)
    session = LlrpSession(
        _inventory(settings),
        inputs=_inputs(settings),
        peer=f"{settings.host}:{settings.port}",
        now_s=time.monotonic(),
        answer_s=settings.answer_timeout_s,
        negotiate=settings.negotiate_version,
    )
    reader = LlrpReader(line, session)
    try:
        reader.set_up()
    except BaseException:
        reader.close()
        raise
    return reader


def probe(settings: LlrpSettings) -> str:
    """Return maker, model, firmware and identity of a reader; "" if it is none.

    Changes nothing in the reader. Takes two seconds at most.
    """
    deadline_s = time.monotonic() + PROBE_S
    question = IdentityQuestion()
    with contextlib.suppress(DriverError, LlrpInvalid):
        line = open_tcp(settings.host, settings.port, connect_timeout_s=PROBE_S / 2)
        try:
            while not question.done and time.monotonic() < deadline_s:
                data = line.read(max(deadline_s - time.monotonic(), 0.0))
                line.write(question.receive_data(data))
        finally:
            line.close()
    return question.words


def _new_protocol(settings: LlrpSettings) -> LlrpStream:
    return LlrpStream(_inputs(settings))


def _inputs(settings: LlrpSettings) -> Mapping[int, Input]:
    return {
        one.port: Input(one.name, active_high=one.active == "high", code=one.code)
        for one in settings.inputs
    }


def _inventory(settings: LlrpSettings) -> Inventory:
    return Inventory(
        antennas=settings.antennas,
        power_index=settings.power_index,
        mode_index=settings.mode_index,
        session=settings.session,
        start=_trigger(settings.start),
        stop=_trigger(settings.stop),
        stop_ms=int(settings.stop_after_s * 1000),
        report_every_tags=settings.report_every_tags,
        keepalive_ms=int(settings.keepalive_s * 1000),
        hold=settings.hold_reports,
        impinj=settings.impinj_extensions,
        input_ports=tuple(settings.input_ports()),
    )


def _trigger(trigger: LlrpTrigger | None) -> InputTrigger | None:
    if trigger is None:
        return None
    return InputTrigger(trigger.port, trigger.level == "high", int(trigger.timeout_s * 1000))


TCP = Driver(
    name="llrp-tcp",
    device_class="rfid_reader",
    summary="Fixed RFID readers that speak LLRP 1.0.1 or 1.1 (Impinj, Zebra and others) over TCP.",
    settings_type=LlrpSettings,
    open_device=open_reader,
    matchers=(Matcher("network", score=90, tcp_port=PORT),),
    node_setting="host",
    tcp_port_setting="port",
    probe=probe,
    new_protocol=_new_protocol,
    tier="gold",
)
