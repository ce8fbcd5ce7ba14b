"""The drivers brother-ql-tcp and brother-ql-device: Brother QL label printers. Loop."""

from typing import Literal

from drivers.api import Driver
from drivers.builtin.label_printer import (
    RAW_PORT,
    LabelPrinterSettings,
    Language,
    PicturePrinter,
    TcpPort,
    TimeoutS,
    device_line,
    draw,
    open_printer,
    tcp_line,
)
from drivers.candidates import Matcher
from drivers.labels import Label
from drivers.protocols.printer_brother_ql import DOTS_PER_MM, MEDIA, render_bitmap
from drivers.protocols.printer_brother_ql_status import BrotherConversation

MediaName = Literal[
    "12", "29", "38", "50", "54", "62",
    "17x54", "17x87", "23x23", "29x42", "29x90", "38x90", "39x48", "52x29", "62x29", "62x100",
]  # fmt: skip


class BrotherQlSettings(
    LabelPrinterSettings, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Settings of every Brother QL printer.

    media: the roll that is loaded: width of a tape, or width x length of die-cut labels, in mm.
    """

    media: MediaName = "62"


class BrotherQlTcpSettings(
    BrotherQlSettings, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Settings of `brother-ql-tcp`, besides those of every such printer.

    host: name or address of the printer.
    port: its raw printing port.
    connect_timeout_s: how long to wait for the connection.
    answers: False, for on a network the printer was not described to answer.
    """

    host: str
    port: TcpPort = 9100
    connect_timeout_s: TimeoutS = 3.0
    answers: bool = False


class BrotherQlDeviceSettings(
    BrotherQlSettings, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Settings of `brother-ql-device`, besides those of every such printer.

    path: device file, best a name that stays when the printer is plugged in elsewhere.
    """

    path: str


def _language(settings: BrotherQlSettings) -> Language:
    media = MEDIA[settings.media]

    def render(label: Label, copies_count: int) -> bytes:
        bitmap = draw(label, settings, dots_per_mm=DOTS_PER_MM)
        return render_bitmap(bitmap, media=media, copies_count=copies_count)

    return Language(render, lambda: BrotherConversation(media))


def _open_tcp(settings: BrotherQlTcpSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), tcp_line(settings))


def _open_device(settings: BrotherQlDeviceSettings) -> PicturePrinter:
    return open_printer(settings, _language(settings), device_line(settings.path))


TCP = Driver(
    name="brother-ql-tcp",
    device_class="label_printer",
    summary="Brother QL label printers on a raw TCP port.",
    settings_type=BrotherQlTcpSettings,
    open_device=_open_tcp,
    matchers=(RAW_PORT,),
    node_setting="host",
    tcp_port_setting="port",
    tier="silver",
)

DEVICE_FILE = Driver(
    name="brother-ql-device",
    device_class="label_printer",
    summary="Brother QL label printers on a device file such as /dev/usb/lp0.",
    settings_type=BrotherQlDeviceSettings,
    open_device=_open_device,
    matchers=(Matcher(kind="usb_printer", score=80, vendor_id=0x04F9, product_glob="*ql-*"),),
    node_setting="path",
    tier="silver",
)
