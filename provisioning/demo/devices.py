"""The virtual devices of one warehouse, behind real ports. Edge of the simulators."""

import threading
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from drivers.protocols.scale_modbus_maps import LaumasTlb, register_map
from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort
from drivers.simulators.printer_zpl import VirtualZplPrinter
from drivers.simulators.scale_modbus import VirtualModbusScale
from drivers.simulators.scale_mt_sics import VirtualMtSicsScale
from drivers.simulators.scanner import VirtualScanner
from provisioning.demo.configs import device_toml

MODBUS_DECIMALS_COUNT = 1
MT_SICS_DECIMALS_COUNT = 2


class Scale(Protocol):
    """What a person can do to any virtual scale."""

    def put(self, weight: Decimal, /, *, stable: bool = True) -> None:
        """Lay so many kilograms on it in all."""
        ...


class WarehouseDevices:
    """Five devices and their entries in the gateway's configuration. Use as a context manager.

    directory: takes the paths of pseudo terminals. The first scale and the first printer are those
    that the station works with.
    """

    def __init__(self, directory: Path, *, scale_is_modbus: bool) -> None:
        self._open = ExitStack()
        self._directory = directory
        self._labels_read_count = 0
        self._lock = threading.Lock()
        self.entries: list[str] = []
        directory.mkdir(parents=True, exist_ok=True)
        with self._open as opened:  # Whatever fails on the way, what is open is closed again.
            self.scanners = (self._serial_scanner(), self._tcp_scanner())
            self.scale = self._modbus_scale() if scale_is_modbus else self._mt_sics_serial()
            self.printer = self._open.enter_context(VirtualZplPrinter.on_tcp())
            self._enter("dock-printer", "zpl-tcp", *_at(self.printer.port))
            if scale_is_modbus:
                self._mt_sics_tcp()
            else:
                self._device_file_printer()
            self._open = opened.pop_all()

    def take_label(self) -> str | None:
        """Return the next printed label that nobody has taken yet, None if there is none."""
        with self._lock:
            printed = self.printer.labels
            if len(printed) <= self._labels_read_count:
                return None
            self._labels_read_count += 1
            return printed[self._labels_read_count - 1]

    def close(self) -> None:
        """Switch everything off. May be called twice."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _enter(self, name: str, driver: str, *settings: tuple[str, str | int]) -> None:
        self.entries.append(device_toml(name, driver, settings))

    def _serial_line(self, name: str) -> VirtualSerialLine:
        return self._open.enter_context(VirtualSerialLine(self._directory / name))

    def _serial_scanner(self) -> VirtualScanner:
        line = self._serial_line("scanner")
        self._enter("dock-scanner", "scanner-serial", ("port", str(line.path)))
        return VirtualScanner(line)

    def _tcp_scanner(self) -> VirtualScanner:
        line = self._open.enter_context(VirtualTcpPort())
        self._enter("hall-scanner", "scanner-tcp", *_at(line.port))
        return VirtualScanner(line)

    def _mt_sics_serial(self) -> Scale:
        line = self._serial_line("scale")
        self._enter("dock-scale", "mt-sics-serial", ("port", str(line.path)), ("unit", "kg"))
        return self._open.enter_context(
            VirtualMtSicsScale(line, decimals_count=MT_SICS_DECIMALS_COUNT)
        )

    def _modbus_scale(self) -> Scale:
        known = LaumasTlb(decimals_count=MODBUS_DECIMALS_COUNT, unit="KGM")
        scale = self._open.enter_context(VirtualModbusScale(register_map(known)))
        self._enter(
            "dock-scale",
            "modbus-scale-tcp",
            *_at(scale.port),
            ("map.name", "laumas-tlb"),
            ("map.decimals_count", known.decimals_count),
            ("map.unit", known.unit),
        )
        return scale

    def _mt_sics_tcp(self) -> None:
        line = self._open.enter_context(VirtualTcpPort())
        self._open.enter_context(VirtualMtSicsScale(line, decimals_count=MT_SICS_DECIMALS_COUNT))
        self._enter("bench-scale", "mt-sics-tcp", *_at(line.port), ("unit", "kg"))

    def _device_file_printer(self) -> None:
        path = self._directory / "office-printer"
        self._open.enter_context(VirtualZplPrinter.on_device_file(path))
        self._enter("office-printer", "zpl-device", ("path", str(path)))


def _at(port: int) -> tuple[tuple[str, str], tuple[str, int]]:
    return ("host", "127.0.0.1"), ("port", port)
