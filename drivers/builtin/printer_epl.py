"""The drivers epl-tcp, epl-device and epl-serial: label printers that speak EPL2. Loop."""

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
from drivers.protocols.printer_epl import render_bitmap
from drivers.protocols.printer_epl_status import EplConversation
from drivers.transports.serial_line import Parity


class EplSettings(LabelPrinterSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of every EPL2 printer.

    dots_per_mm: 8 (203 dpi) or 12 (300 dpi).
    gap_mm: from one label to the next, whole millimetres; 0 for paper without end.
    follow_timeout_s: how long to watch for an error after a job; EPL2 never confirms one.
    """

    dots_per_mm: Literal[8, 12] = 8
    gap_mm: int = 3
    follow_timeout_s: float = 2.0

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for what cannot work."""
        super().__post_init__()
        if self.gap_mm != 0 and not 2 <= self.gap_mm <= 20:
            raise ValueError("expected gap_mm 0 or 2 to 20")  # Q: 16 to 240 dots at 203 dpi.


class EplTcpSettings(EplSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `epl-tcp`, besides those of every such printer.

    host: name or address of the printer.
    port: its raw printing port.
    connect_timeout_s: how long to wait for the connection.
    """

    host: str
    port: TcpPort = 9100
    connect_timeout_s: TimeoutS = 3.0


class EplDeviceSettings(EplSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `epl-device`, besides those of every such printer.

    path: device file, best a name that stays when the printer is plugged in elsewhere.
    """

    path: str


class EplSerialSettings(EplSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `epl-serial`, besides those of every such printer.

    port: a path that stays, such as /dev/serial/by-id/...
    baud_rate, parity: as set in the printer; 8 data bits, 1 stop bit, no flow control.
    send_timeout_s: 120 kB, a label of 100 x 150 mm, take two minutes at 9600 baud.
    """

    port: str
    baud_rate: BaudRate = 9600
    parity: Parity = "none"
    send_timeout_s: TimeoutS = 300.0


def _language(settings: EplSettings) -> Language:
    def render(label: Label, copies_count: int) -> bytes:
        return render_bitmap(
            draw(label, settings, dots_per_mm=DOTS_PER_MM[settings.dots_per_mm]),
            gap_dots=settings.gap_mm * settings.dots_per_mm,
            copies_count=copies_count,
        )

    return Language(render, EplConversation)


def _open_tcp(settings: EplTcpSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), tcp_line(settings))


def _open_device(settings: EplDeviceSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), device_line(settings.path))


def _open_serial(settings: EplSerialSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), serial_line(settings))


TCP = Driver(
    name="epl-tcp",
    device_class="label_printer",
    summary="Label printers that speak EPL2 on a raw TCP port.",
    settings_type=EplTcpSettings,
    open_device=_open_tcp,
    matchers=(RAW_PORT,),
    node_setting="host",
    tcp_port_setting="port",
    tier="silver",
)

DEVICE_FILE = Driver(
    name="epl-device",
    device_class="label_printer",
    summary="Label printers that speak EPL2 on a device file such as /dev/usb/lp0.",
    settings_type=EplDeviceSettings,
    open_device=_open_device,
    matchers=(
        Matcher(kind="usb_printer", score=70, vendor_id=0x0A5F, product_id=0x0009),  # LP 2844.
        Matcher(kind="usb_printer", score=20, vendor_id=0x0A5F),  # Zebra; most speak ZPL as well.
    ),
    node_setting="path",
    tier="silver",
)

SERIAL = Driver(
    name="epl-serial",
    device_class="label_printer",
    summary="Label printers that speak EPL2 on a serial port.",
    settings_type=EplSerialSettings,
    open_device=_open_serial,
    matchers=(SERIAL_PORT,),
    node_setting="port",
    tier="silver",
)
