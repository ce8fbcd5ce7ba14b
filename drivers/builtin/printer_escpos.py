"""The drivers escpos-tcp, escpos-device and escpos-serial: receipt printers. Loop."""

from decimal import Decimal
from typing import Literal

from drivers.api import Driver
from drivers.builtin.label_printer import (
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
from drivers.protocols.printer_escpos import render_bitmap
from drivers.protocols.printer_escpos_status import EscPosConversation
from drivers.transports.serial_line import Parity

DOTS_PER_MM_OF_DPI = {180: Decimal(180) / Decimal("25.4"), 203: Decimal(8)}


class EscPosSettings(LabelPrinterSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of every ESC/POS printer.

    dpi: dots per inch of the print head, 180 or 203.
    width_dots: width of the print head: 576 (80 mm paper, 203 dpi), 512 (180 dpi), 384 (58 mm).
    feed_lines: lines to feed after a label, so that it stands clear of the tear-off edge.
    cuts: cut after each label.
    """

    dpi: Literal[180, 203] = 203
    width_dots: int = 576
    feed_lines: int = 2
    cuts: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for what cannot work."""
        super().__post_init__()
        if not 64 <= self.width_dots <= 2048 or not 0 <= self.feed_lines <= 255:
            raise ValueError("expected 64 <= width_dots <= 2048, 0 <= feed_lines <= 255")


class EscPosTcpSettings(EscPosSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `escpos-tcp`, besides those of every such printer.

    host: name or address of the printer.
    port: its raw printing port.
    connect_timeout_s: how long to wait for the connection.
    """

    host: str
    port: TcpPort = 9100
    connect_timeout_s: TimeoutS = 3.0


class EscPosDeviceSettings(EscPosSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `escpos-device`, besides those of every such printer.

    path: device file, best a name that stays when the printer is plugged in elsewhere.
    """

    path: str


class EscPosSerialSettings(EscPosSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `escpos-serial`, besides those of every such printer.

    port: a path that stays, such as /dev/serial/by-id/...
    baud_rate, parity: as set in the printer; 8 data bits, 1 stop bit, no flow control.
    send_timeout_s: 120 kB, a label of 100 x 150 mm, take two minutes at 9600 baud.
    """

    port: str
    baud_rate: BaudRate = 9600
    parity: Parity = "none"
    send_timeout_s: TimeoutS = 300.0


def _language(settings: EscPosSettings) -> Language:
    def render(label: Label, copies_count: int) -> bytes:
        return render_bitmap(
            draw(label, settings, dots_per_mm=DOTS_PER_MM_OF_DPI[settings.dpi]),
            width_dots=settings.width_dots,
            feed_lines=settings.feed_lines,
            cuts=settings.cuts,
            is_confirmed=settings.answers,
            copies_count=copies_count,
        )

    return Language(render, EscPosConversation)


def _open_tcp(settings: EscPosTcpSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), tcp_line(settings))


def _open_device(settings: EscPosDeviceSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), device_line(settings.path))


def _open_serial(settings: EscPosSerialSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), serial_line(settings))


TCP = Driver(
    name="escpos-tcp",
    device_class="label_printer",
    summary="Receipt printers that speak ESC/POS on a raw TCP port.",
    settings_type=EscPosTcpSettings,
    open_device=_open_tcp,
    matchers=(RAW_PORT,),
    node_setting="host",
    tcp_port_setting="port",
    tier="gold",
)

DEVICE_FILE = Driver(
    name="escpos-device",
    device_class="label_printer",
    summary="Receipt printers that speak ESC/POS on a device file such as /dev/usb/lp0.",
    settings_type=EscPosDeviceSettings,
    open_device=_open_device,
    matchers=(
        Matcher(kind="usb_printer", score=70, vendor_id=0x04B8, product_id=0x0202),  # Epson TM.
        Matcher(kind="usb_printer", score=70, vendor_id=0x04B8, product_glob="tm-*"),
        Matcher(kind="usb_printer", score=3),
    ),
    node_setting="path",
    tier="gold",
)

SERIAL = Driver(
    name="escpos-serial",
    device_class="label_printer",
    summary="Receipt printers that speak ESC/POS on a serial port.",
    settings_type=EscPosSerialSettings,
    open_device=_open_serial,
    matchers=(SERIAL_PORT,),
    node_setting="port",
    tier="gold",
)
