"""The drivers tspl-tcp, tspl-device and tspl-serial: label printers that speak TSPL. Loop."""

from decimal import Decimal
from typing import Literal

from drivers.api import Driver
from drivers.builtin.label_printer import (
    DOTS_PER_MM,
    RAW_PORT,
    SERIAL_PORT,
    BaudRate,
    LabelPrinterSettings,
    Language,
    PicturePrinter,
    TcpPort,
    TimeoutS,
    device_line,
    draw,
    open_printer,
    serial_line,
    tcp_line,
)
from drivers.candidates import Matcher
from drivers.labels import Label
from drivers.protocols.printer_tspl import Direction, render_bitmap
from drivers.protocols.printer_tspl_status import TsplConversation
from drivers.transports.serial_line import Parity


class TsplSettings(LabelPrinterSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of every TSPL printer.

    dots_per_mm: 8 (203 dpi), 12 (300 dpi) or 24 (600 dpi).
    gap_mm: from one label to the next; 0 for paper without end.
    direction: 0 or 1; the other one if labels come out upside down.
    long_status: ask for the status of eight bytes, which TSC's own printers know.
    """

    dots_per_mm: Literal[8, 12, 24] = 8
    gap_mm: Decimal = Decimal(2)
    direction: Direction = 0
    long_status: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for what cannot work."""
        super().__post_init__()
        if not self.gap_mm.is_finite() or not 0 <= self.gap_mm <= 50:
            raise ValueError("expected 0 <= gap_mm <= 50")


class TsplTcpSettings(TsplSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `tspl-tcp`, besides those of every such printer.

    host: name or address of the printer.
    port: its raw printing port.
    connect_timeout_s: how long to wait for the connection.
    """

    host: str
    port: TcpPort = 9100
    connect_timeout_s: TimeoutS = 3.0


class TsplDeviceSettings(TsplSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `tspl-device`, besides those of every such printer.

    path: device file, best a name that stays when the printer is plugged in elsewhere.
    """

    path: str


class TsplSerialSettings(TsplSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `tspl-serial`, besides those of every such printer.

    port: a path that stays, such as /dev/serial/by-id/...
    baud_rate, parity: as set in the printer; 8 data bits, 1 stop bit, no flow control.
    send_timeout_s: 120 kB, a label of 100 x 150 mm, take two minutes at 9600 baud.
    """

    port: str
    baud_rate: BaudRate = 9600
    parity: Parity = "none"
    send_timeout_s: TimeoutS = 300.0


def _language(settings: TsplSettings) -> Language:
    def render(label: Label, copies_count: int) -> bytes:
        return render_bitmap(
            draw(label, settings, dots_per_mm=DOTS_PER_MM[settings.dots_per_mm]),
            width_mm=label.width_mm,
            height_mm=label.height_mm,
            gap_mm=settings.gap_mm,
            direction=settings.direction,
            copies_count=copies_count,
        )

    return Language(render, lambda: TsplConversation(long_status=settings.long_status))


def _open_tcp(settings: TsplTcpSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), tcp_line(settings))


def _open_device(settings: TsplDeviceSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), device_line(settings.path))


def _open_serial(settings: TsplSerialSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), serial_line(settings))


TCP = Driver(
    name="tspl-tcp",
    device_class="label_printer",
    summary="Label printers that speak TSPL on a raw TCP port.",
    settings_type=TsplTcpSettings,
    open_device=_open_tcp,
    matchers=(RAW_PORT,),
    node_setting="host",
    tcp_port_setting="port",
    tier="silver",
)

DEVICE_FILE = Driver(
    name="tspl-device",
    device_class="label_printer",
    summary="Label printers that speak TSPL on a device file such as /dev/usb/lp0.",
    settings_type=TsplDeviceSettings,
    open_device=_open_device,
    matchers=(
        Matcher(kind="usb_printer", score=70, vendor_id=0x1203),  # TSC, in usb.ids.
        Matcher(kind="usb_printer", score=3),
    ),
    node_setting="path",
    tier="silver",
)

SERIAL = Driver(
    name="tspl-serial",
    device_class="label_printer",
    summary="Label printers that speak TSPL on a serial port.",
    settings_type=TsplSerialSettings,
    open_device=_open_serial,
    matchers=(SERIAL_PORT,),
    node_setting="port",
    tier="silver",
)
