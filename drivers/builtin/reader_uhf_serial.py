"""Drivers uhf-r200-* and uhf-swnet-*: serial UHF readers, made to search and kept at it. Loop."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

import msgspec

from drivers.api import Driver, StreamProtocol
from drivers.builtin.stream import ByteLine
from drivers.candidates import Matcher
from drivers.errors import DeviceSilent
from drivers.protocols import rfid_uhf_r200, rfid_uhf_swnet
from drivers.protocols.rfid_uhf_r200 import UhfR200Protocol
from drivers.protocols.rfid_uhf_swnet import UhfSwnetProtocol
from drivers.readings import Reading
from drivers.transports.serial_line import open_serial
from drivers.transports.tcp_client import open_tcp

HALF_FRAME_S = 0.5
PROBE_S = 1.0
SILENT_HINT = "Switch the reader on, and set baud_rate to the speed of the reader."
COULD_BE = 5  # Score of a serial port, of which nothing says what is behind it.

Baud = Annotated[int, msgspec.Meta(ge=9600, le=921_600)]
TcpPort = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(ge=0.05, le=60)]
PowerDbm = Annotated[int, msgspec.Meta(ge=0, le=33)]
AskCount = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class R200Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an R200 module searches.

    power_dbm: transmitting power to set, 0 to 33; left out, the module keeps its own.
    quiet_s: after so long without a word the module is asked who it is, and told to search again.
    asks_unanswered_max: so many times without an answer, and the module is silent.
    """

    power_dbm: PowerDbm | None = None
    quiet_s: Seconds = 1.0
    asks_unanswered_max: AskCount = 3


class SwnetSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a 53 57 reader is asked.

    poll_interval_s: from one search for tags to the next.
    polls_unanswered_max: so many without an answer, and the reader is silent.
    """

    poll_interval_s: Seconds = 0.1
    polls_unanswered_max: AskCount = 20


class R200SerialSettings(R200Search, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of uhf-r200-serial, besides how it searches.

    port: the port; a path that stays, such as /dev/serial/by-id/usb-...
    baud_rate: as set in the module; 115200 as delivered.
    """

    port: str
    baud_rate: Baud = 115_200


class R200TcpSettings(R200Search, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of uhf-r200-tcp, besides how it searches.

    host: name or address of the device server that the module is connected to.
    port: its TCP port.
    connect_timeout_s: limit for one attempt to connect.
    """

    host: str
    port: TcpPort
    connect_timeout_s: Seconds = 3.0


class SwnetSerialSettings(SwnetSearch, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of uhf-swnet-serial, besides how it is asked.

    port: the port; a path that stays, such as /dev/serial/by-id/usb-...
    baud_rate: as set in the reader.
    """

    port: str
    baud_rate: Baud = 115_200


class SwnetTcpSettings(SwnetSearch, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of uhf-swnet-tcp, besides how it is asked.

    host: name or address of the reader.
    port: its TCP port.
    connect_timeout_s: limit for one attempt to connect.
    """

    host: str
    port: TcpPort
    connect_timeout_s: Seconds = 3.0


class UhfProtocol(StreamProtocol, Protocol):
    """A protocol that counts the frames it understood, tags in them or not."""

    heard_count: int
    name: str


@dataclass(frozen=True, slots=True)
class Asking:
    """How a reader is made to search, and to prove that it lives.

    start: sent once. question: sent again and again. only_when_quiet: not while the reader speaks.
    """

    question: bytes
    interval_s: float
    unanswered_max: int
    only_when_quiet: bool
    start: bytes = b""


class UhfReader:
    """A ReadingDevice on an open line; one thread uses it. Any whole frame is a sign of life."""

    def __init__(self, line: ByteLine, protocol: UhfProtocol, asking: Asking) -> None:
        """Begin to search. Raises DeviceLost."""
        self._line = line
        self._protocol = protocol
        self._asking = asking
        self._unanswered_count = 0
        self._idle_told = True
        self._heard_s = self._quiet_since_s = time.monotonic()
        self._asked_s = self._heard_s if asking.start else self._heard_s - asking.interval_s
        if asking.start:
            line.write(asking.start)

    def read(self, timeout_s: float) -> Sequence[Reading]:
        """Return the tags as soon as some were read; empty after `timeout_s`.

        Raises DeviceLost, or DeviceSilent when it leaves too many questions unanswered.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            readings = self._step(deadline_s)
            if readings or time.monotonic() >= deadline_s:
                return readings

    def close(self) -> None:
        """Give the line back. Never raises; may be called twice."""
        self._line.close()

    def _step(self, deadline_s: float) -> Sequence[Reading]:
        ask_s = self._ask()
        wake_s = min(deadline_s, ask_s)
        if not self._idle_told:
            wake_s = min(wake_s, self._quiet_since_s + HALF_FRAME_S)
        data = self._line.read(max(wake_s - time.monotonic(), 0.0))
        now_s = time.monotonic()
        if data:
            self._quiet_since_s, self._idle_told = now_s, False
            heard_before = self._protocol.heard_count
            readings = self._protocol.receive_data(data)
            if self._protocol.heard_count != heard_before:
                self._heard_s, self._unanswered_count = now_s, 0
            return readings
        if not self._idle_told and now_s >= self._quiet_since_s + HALF_FRAME_S:
            self._idle_told = True
            return self._protocol.idle()
        return ()

    def _ask(self) -> float:
        """Ask if it is time; return when it is time again. Raises DeviceLost, DeviceSilent."""
        asking = self._asking
        last_s = max(self._asked_s, self._heard_s) if asking.only_when_quiet else self._asked_s
        if time.monotonic() < last_s + asking.interval_s:
            return last_s + asking.interval_s
        if self._unanswered_count >= asking.unanswered_max:
            raise DeviceSilent(
                f"no answer to {self._unanswered_count} questions in a row", hint=SILENT_HINT
            )
        self._line.write(asking.question)
        self._unanswered_count += 1
        self._asked_s = time.monotonic()
        return self._asked_s + asking.interval_s


def _open_r200(settings: R200SerialSettings | R200TcpSettings) -> UhfReader:
    power = settings.power_dbm
    # Stopped first: a module that still searches from before may not take the power.
    start = rfid_uhf_r200.command(rfid_uhf_r200.STOP)
    if power is not None:
        start += rfid_uhf_r200.set_power(power * 100)
    asking = Asking(
        start=start + rfid_uhf_r200.start_rounds(),
        question=rfid_uhf_r200.ask_who() + rfid_uhf_r200.start_rounds(),
        interval_s=settings.quiet_s,
        unanswered_max=settings.asks_unanswered_max,
        only_when_quiet=True,
    )
    return UhfReader(_open_line(settings), UhfR200Protocol(), asking)


def _open_swnet(settings: SwnetSerialSettings | SwnetTcpSettings) -> UhfReader:
    asking = Asking(
        question=rfid_uhf_swnet.question(rfid_uhf_swnet.SEARCH),
        interval_s=settings.poll_interval_s,
        unanswered_max=settings.polls_unanswered_max,
        only_when_quiet=False,
    )
    return UhfReader(_open_line(settings), UhfSwnetProtocol(), asking)


def _probe_r200(settings: R200SerialSettings | R200TcpSettings) -> str:
    # A module that still searches would bury its name under tags.
    stop = rfid_uhf_r200.command(rfid_uhf_r200.STOP)
    return _probe(settings, UhfR200Protocol(), stop + rfid_uhf_r200.ask_who())


def _probe_swnet(settings: SwnetSerialSettings | SwnetTcpSettings) -> str:
    return _probe(settings, UhfSwnetProtocol(), rfid_uhf_swnet.question(rfid_uhf_swnet.WHO))


def _probe(
    settings: R200SerialSettings | R200TcpSettings | SwnetSerialSettings | SwnetTcpSettings,
    protocol: UhfProtocol,
    question: bytes,
) -> str:
    line = _open_line(settings)
    try:
        line.write(question)
        deadline_s = time.monotonic() + PROBE_S
        while not protocol.name and time.monotonic() < deadline_s:
            protocol.receive_data(line.read(max(deadline_s - time.monotonic(), 0.0)))
        return protocol.name
    finally:
        line.close()


def _open_line(
    settings: R200SerialSettings | R200TcpSettings | SwnetSerialSettings | SwnetTcpSettings,
) -> ByteLine:
    if isinstance(settings, R200TcpSettings | SwnetTcpSettings):
        return open_tcp(settings.host, settings.port, connect_timeout_s=settings.connect_timeout_s)
    return open_serial(
        settings.port, baud_rate=settings.baud_rate, data_bits=8, parity="none", stop_bits=1
    )


R200_SERIAL = Driver(
    name="uhf-r200-serial",
    device_class="rfid_reader",
    summary="UHF RFID modules R200, YRM100, M100 and JRD-4035 on a serial port.",
    settings_type=R200SerialSettings,
    open_device=_open_r200,
    matchers=(Matcher(kind="serial", score=COULD_BE),),
    node_setting="port",
    probe=_probe_r200,
    new_protocol=lambda _: UhfR200Protocol(),
    tier="silver",
)
R200_TCP = Driver(
    name="uhf-r200-tcp",
    device_class="rfid_reader",
    summary="UHF RFID modules R200, YRM100, M100 and JRD-4035 behind a serial device server.",
    settings_type=R200TcpSettings,
    open_device=_open_r200,
    node_setting="host",
    tcp_port_setting="port",
    probe=_probe_r200,
    new_protocol=lambda _: UhfR200Protocol(),
    tier="silver",
)
SWNET_SERIAL = Driver(
    name="uhf-swnet-serial",
    device_class="rfid_reader",
    summary="UHF RFID readers whose frames begin with 53 57 and 43 54, on a serial port.",
    settings_type=SwnetSerialSettings,
    open_device=_open_swnet,
    matchers=(Matcher(kind="serial", score=COULD_BE),),
    node_setting="port",
    probe=_probe_swnet,
    new_protocol=lambda _: UhfSwnetProtocol(),
    tier="silver",
)
SWNET_TCP = Driver(
    name="uhf-swnet-tcp",
    device_class="rfid_reader",
    summary="UHF RFID readers whose frames begin with 53 57 and 43 54, over a TCP connection.",
    settings_type=SwnetTcpSettings,
    open_device=_open_swnet,
    node_setting="host",
    tcp_port_setting="port",
    probe=_probe_swnet,
    new_protocol=lambda _: UhfSwnetProtocol(),
    tier="silver",
)
