"""The drivers modbus-scale-rtu and modbus-scale-tcp: scales behind a register map. Loop."""

import time
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from drivers.api import CommandName, CommandResult, DeviceCommand, Driver
from drivers.candidates import Matcher
from drivers.protocols.scale_modbus import (
    RegisterMap,
    RegisterWrite,
    interpret_block,
    interpret_refusal,
)
from drivers.protocols.scale_modbus_maps import MapChoice, register_map
from drivers.readings import Reading
from drivers.transports.modbus import (
    ModbusLine,
    ModbusRefusal,
    Parity,
    open_modbus_serial,
    open_modbus_tcp,
)


class ModbusScaleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of every Modbus scale.

    map: a table with the `name` of an instrument, "laumas-tlb", "dini-argeo-dgt", "pt113" or
        "flintec-ft-112", or with `name` "custom" and the registers themselves.
    device_id: Modbus address of the scale, 1 to 247; behind TCP also up to 255.
    timeout_s: how long to wait for an answer.
    poll_interval_s: from one question to the next.
    """

    map: MapChoice
    device_id: int = 1
    timeout_s: float = 1.0
    poll_interval_s: float = 0.2

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for numbers that cannot work."""
        if not 1 <= self.device_id <= 255:
            raise ValueError("expected 1 <= device_id <= 255")
        if not 0 < self.timeout_s <= 60 or not 0 < self.poll_interval_s <= 60:
            raise ValueError("expected 0 < timeout_s, poll_interval_s <= 60")


class ModbusScaleTcpSettings(
    ModbusScaleSettings, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Settings of `modbus-scale-tcp`, besides those of every Modbus scale.

    host: name or address of the scale or of its Modbus gateway.
    port: its Modbus port. `timeout_s` also limits the connecting.
    """

    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 502


class ModbusScaleRtuSettings(
    ModbusScaleSettings, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Settings of `modbus-scale-rtu`, besides those of every Modbus scale.

    port: serial port, best below /dev/serial/by-id.
    baud_rate, parity, stop_bits: as the scale is set; there are always 8 data bits.
    """

    port: str
    baud_rate: Annotated[int, msgspec.Meta(ge=300, le=4_000_000)] = 9600
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1


COMMANDS: frozenset[CommandName] = frozenset({"zero", "tare", "clear_tare"})


class ModbusScale:
    """A CommandedDevice that asks for the block at a fixed pace."""

    def __init__(self, line: ModbusLine, registers: RegisterMap, *, poll_interval_s: float) -> None:
        self._line = line
        self._map = registers
        self._poll_interval_s = poll_interval_s
        self._next_poll = time.monotonic()

    def read(self, timeout_s: float) -> Sequence[Reading]:
        """Return one reading when the next question is due within `timeout_s`, else none.

        The answer itself may take the driver's own timeout on top. Raises DeviceLost, DeviceSilent.
        """
        wait_s = self._next_poll - time.monotonic()
        if wait_s > timeout_s:
            time.sleep(max(timeout_s, 0.0))
            return []
        time.sleep(max(wait_s, 0.0))
        self._next_poll = time.monotonic() + self._poll_interval_s
        words = self._line.read_words(
            function=self._map.function,
            address=self._map.block_address,
            count=self._map.block_count,
        )
        if isinstance(words, ModbusRefusal):
            return [interpret_refusal(words.exception_code)]
        return [interpret_block(self._map, words)]

    def execute(self, command: DeviceCommand) -> CommandResult:
        """Write what the map says for a command; "done" is the device's answer to the last write.

        Raises DeviceLost or DeviceSilent; then nobody knows.
        """
        writes = self._writes().get(command.name, ())
        if not writes:
            return CommandResult("refused", f"the map has no registers for {command.name}")
        for write in writes:
            refusal = self._line.write_words(address=write.address, words=write.words)
            if refusal is not None:
                return CommandResult("refused", interpret_refusal(refusal.exception_code).detail)
        return CommandResult("done")

    def close(self) -> None:
        """Close the line. Never raises; may be called twice."""
        self._line.close()

    def _writes(self) -> dict[CommandName, tuple[RegisterWrite, ...]]:
        return {
            "zero": self._map.zero,
            "tare": self._map.tare,
            "clear_tare": self._map.clear_tare,
        }


def _open_rtu(settings: ModbusScaleRtuSettings) -> ModbusScale:
    line = open_modbus_serial(
        settings.port,
        baud_rate=settings.baud_rate,
        parity=settings.parity,
        stop_bits=settings.stop_bits,
        device_id=settings.device_id,
        timeout_s=settings.timeout_s,
    )
    return _scale(line, settings)


def _open_tcp(settings: ModbusScaleTcpSettings) -> ModbusScale:
    line = open_modbus_tcp(
        settings.host,
        settings.port,
        device_id=settings.device_id,
        timeout_s=settings.timeout_s,
    )
    return _scale(line, settings)


def _scale(line: ModbusLine, settings: ModbusScaleSettings) -> ModbusScale:
    registers = register_map(settings.map)
    return ModbusScale(line, registers, poll_interval_s=settings.poll_interval_s)


RTU = Driver(
    name="modbus-scale-rtu",
    device_class="scale",
    summary="Scales and weighing indicators with a Modbus register map on a serial line (RTU).",
    settings_type=ModbusScaleRtuSettings,
    open_device=_open_rtu,
    commands=COMMANDS,
    matchers=(Matcher("serial", score=2),),
    node_setting="port",
    tier="silver",
)

TCP = Driver(
    name="modbus-scale-tcp",
    device_class="scale",
    summary="Scales and weighing indicators with a Modbus register map on Modbus TCP.",
    settings_type=ModbusScaleTcpSettings,
    open_device=_open_tcp,
    commands=COMMANDS,
    matchers=(Matcher("network", score=40, tcp_port=502),),
    node_setting="host",
    tcp_port_setting="port",
    tier="silver",
)
