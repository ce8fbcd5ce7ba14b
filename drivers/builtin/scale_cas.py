"""Drivers cas-serial and cas-tcp: CAS indicators. Edge of the scale."""

from typing import Annotated

import msgspec

from drivers.api import CommandName
from drivers.builtin.scale_ports import SerialScale, TcpScale, scale_driver
from drivers.protocols.scale_cas import DEVICE_ID_MAX, CasProtocol, LineForm, UnitOfScale

DeviceNumber = Annotated[int, msgspec.Meta(ge=0, le=DEVICE_ID_MAX)]


class SerialCas(SerialScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of cas-serial.

    port, baud_rate, data_bits, parity, stop_bits: as set in the scale.
    poll_interval_s, polls_unanswered_max, command_timeout_s: as in SerialScale.
    form: "22", "18" or "10": how many bytes a line of the indicator has.
    unit: of a 10 byte line, which names none: "kg", "g", "t" or "lb".
    stable_only: true if an indicator with 10 byte lines sends stable weights alone; otherwise its
        weights all count as unstable.
    device_id: the number set in the indicator; 0 takes every one, and sends it nothing.
    poll: true asks for each weight (needs device_id); false for one that sends by itself.
    """

    form: LineForm = "22"
    unit: UnitOfScale = "kg"
    stable_only: bool = False
    device_id: DeviceNumber = 0
    poll: bool = False

    def __post_init__(self) -> None:
        """Refuse questions to nobody. Raises ValueError."""
        _check(self)


class TcpCas(TcpScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of cas-tcp.

    host, port, connect_timeout_s, poll_interval_s, polls_unanswered_max,
    command_timeout_s: as in TcpScale.
    form: "22", "18" or "10": how many bytes a line of the indicator has.
    unit: of a 10 byte line, which names none: "kg", "g", "t" or "lb".
    stable_only: true if an indicator with 10 byte lines sends stable weights alone; otherwise its
        weights all count as unstable.
    device_id: the number set in the indicator; 0 takes every one, and sends it nothing.
    poll: true asks for each weight (needs device_id); false for one that sends by itself.
    """

    form: LineForm = "22"
    unit: UnitOfScale = "kg"
    stable_only: bool = False
    device_id: DeviceNumber = 0
    poll: bool = False

    def __post_init__(self) -> None:
        """Refuse questions to nobody. Raises ValueError."""
        _check(self)


def _check(settings: SerialCas | TcpCas) -> None:
    if settings.poll and not settings.device_id:
        raise ValueError("device_id: each question begins with it, so poll = true needs it")


def _protocol(settings: SerialCas | TcpCas) -> CasProtocol:
    return CasProtocol(
        form=settings.form,
        unit=settings.unit,
        stable_only=settings.stable_only,
        device_id=settings.device_id,
        speaks_by_itself=not settings.poll,
    )


def _poll(settings: SerialCas | TcpCas, protocol: CasProtocol) -> bytes:
    return protocol.poll() if settings.poll else b""


COMMANDS: frozenset[CommandName] = frozenset({"zero", "tare"})

SERIAL = scale_driver(
    name="cas-serial",
    summary="CAS indicators (22, 18 and 10 byte lines) on a serial port.",
    settings_type=SerialCas,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="CAS",
    commands=COMMANDS,
    tier="silver",
)
TCP = scale_driver(
    name="cas-tcp",
    summary="CAS indicators (22, 18 and 10 byte lines) over a TCP connection.",
    settings_type=TcpCas,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="CAS",
    commands=COMMANDS,
    tier="silver",
)
