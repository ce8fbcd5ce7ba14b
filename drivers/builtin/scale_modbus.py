"""The drivers modbus-scale-rtu and modbus-scale-tcp: scales behind a register map. Loop."""

import time
from collections.abc import Sequence
from typing import Literal

import msgspec

from drivers.api import Driver
from drivers.protocols.scale_modbus import (
    LaumasTlb,
    RegisterMap,
    interpret_block,
    interpret_refusal,
    laumas_tlb,
)
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

    map: a table with `name` "laumas-tlb", or with `name` "custom" and the registers themselves.
    device_id: Modbus address of the scale, 1 to 247; behind TCP also up to 255.
    timeout_s: how long to wait for an answer.
    poll_interval_s: from one question to the next.
    """

    map: LaumasTlb | RegisterMap
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
    port: int = 502


class ModbusScaleRtuSettings(
    ModbusScaleSettings, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Settings of `modbus-scale-rtu`, besides those of every Modbus scale.

    port: serial port, best below /dev/serial/by-id.
    baud_rate, parity, stop_bits: as the scale is set; there are always 8 data bits.
    """

    port: str
    baud_rate: int = 9600
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1


class ModbusScale:
    """A ReadingDevice that asks for the block at a fixed pace."""

    def __init__(
        self, line: ModbusLine, register_map: RegisterMap, *, poll_interval_s: float
    ) -> None:
        self._line = line
        self._map = register_map
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

    def close(self) -> None:
        """Close the line. Never raises; may be called twice."""
        self._line.close()


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
    register_map = laumas_tlb(settings.map) if isinstance(settings.map, LaumasTlb) else settings.map
    return ModbusScale(line, register_map, poll_interval_s=settings.poll_interval_s)


RTU = Driver(
    name="modbus-scale-rtu",
    device_class="scale",
    summary="Scales and weighing indicators with a Modbus register map on a serial line (RTU).",
    settings_type=ModbusScaleRtuSettings,
    open_device=_open_rtu,
)

TCP = Driver(
    name="modbus-scale-tcp",
    device_class="scale",
    summary="Scales and weighing indicators with a Modbus register map on Modbus TCP.",
    settings_type=ModbusScaleTcpSettings,
    open_device=_open_tcp,
)
