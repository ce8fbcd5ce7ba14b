"""The drivers pdf-sheet-folder and pdf-sheet-tcp: label sheets for office printers. Loop."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from drivers.api import Driver
from drivers.builtin.label_printer import (
    RAW_PORT,
    LabelPrinterSettings,
    Language,
    PicturePrinter,
    TcpPort,
    TimeoutS,
    tcp_line,
)
from drivers.errors import DeviceLost, LabelInvalid
from drivers.labels import Label
from drivers.protocols.pdf_sheet import Sheet, check_sheet
from drivers.protocols.printer_mute import MuteConversation
from drivers.readings import PrinterStatus, PrintResult
from drivers.transports.folder import FileFolder

PAGES_MM = {"a4": (Decimal(210), Decimal(297)), "letter": (Decimal("215.9"), Decimal("279.4"))}


class SheetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of every label sheet. The defaults are 24 labels of 70 x 37 mm on A4.

    page: the paper, "a4" or "letter".
    columns, rows: labels on a sheet.
    margin_x_mm, margin_y_mm: from the paper's edge to the first label, the same at the other edge.
    gap_x_mm, gap_y_mm: between two labels.
    first_position: the first label that is still on the sheet, from 1, to the right and then down.
        For the first job alone; set it back to 1 when that sheet is used up.
    continues: the next job goes on after the last one, on the same sheet; else on a fresh one.
    font_file: font for the texts, "" one that the machine has.
    """

    page: Literal["a4", "letter"] = "a4"
    columns: int = 3
    rows: int = 8
    margin_x_mm: Decimal = Decimal(0)
    margin_y_mm: Decimal = Decimal("0.5")
    gap_x_mm: Decimal = Decimal(0)
    gap_y_mm: Decimal = Decimal(0)
    first_position: int = 1
    continues: bool = False
    font_file: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports, for a sheet that cannot be."""
        try:
            check_sheet(self.sheet)
        except (LabelInvalid, ArithmeticError) as error:
            raise ValueError(f"expected labels that have room on the page: {error}") from error
        if not 1 <= self.first_position <= self.sheet.cells_count:
            raise ValueError(f"expected 1 <= first_position <= {self.sheet.cells_count}")

    @property
    def sheet(self) -> Sheet:
        """The paper as it is drawn on."""
        width_mm, height_mm = PAGES_MM[self.page]
        return Sheet(
            columns=self.columns,
            rows=self.rows,
            margin_x_mm=self.margin_x_mm,
            margin_y_mm=self.margin_y_mm,
            gap_x_mm=self.gap_x_mm,
            gap_y_mm=self.gap_y_mm,
            page_width_mm=width_mm,
            page_height_mm=height_mm,
        )


class SheetFolderSettings(SheetSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `pdf-sheet-folder`, besides those of every label sheet.

    path: an existing folder; each job becomes a file labels-000001.pdf and so on.
    """

    path: str


class SheetTcpSettings(SheetSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of `pdf-sheet-tcp`, besides those of every label sheet.

    host: name or address of an office printer that prints PDF by itself.
    port: its raw printing port.
    connect_timeout_s: how long to wait for the connection.
    send_timeout_s: how long the printer may take to accept a whole job.
    """

    host: str
    port: TcpPort = 9100
    connect_timeout_s: TimeoutS = 3.0
    send_timeout_s: TimeoutS = 60.0


class SheetPrinter:
    """A LabelPrinter that lays the copies of each job on sheets; nothing confirms that they print.

    deliver: gives away a whole PDF. check: raises DeviceLost if that could not be done now.
    """

    def __init__(
        self,
        settings: SheetSettings,
        *,
        deliver: Callable[[bytes], PrintResult],
        check: Callable[[], object],
    ) -> None:
        self._settings = settings
        self._deliver = deliver
        self._check = check
        self._position = settings.first_position

    def status(self) -> PrinterStatus:
        """Return "ready" if a PDF could be given away. Raises DeviceLost."""
        self._check()
        return PrinterStatus(("ready",))

    def print_label(self, label: Label, copies_count: int) -> PrintResult:
        """Draw, give away. Raises LabelInvalid before that."""
        # Pillow is loaded by those alone who print pictures.
        from drivers.drawing.pdf_sheet import draw_sheet  # noqa: PLC0415

        pdf = draw_sheet(
            [label] * copies_count,
            sheet=self._settings.sheet,
            first_position=self._position,
            font_file=self._settings.font_file,
        )
        result = self._deliver(pdf)
        if result.outcome != "failed":
            used_count = (self._position - 1 + copies_count) % self._settings.sheet.cells_count
            self._position = used_count + 1 if self._settings.continues else 1
        return result

    def close(self) -> None:
        """Nothing is held open between jobs."""


def _open_folder(settings: SheetFolderSettings) -> SheetPrinter:
    folder = FileFolder(Path(settings.path), stem="labels", suffix=".pdf")

    def deliver(pdf: bytes) -> PrintResult:
        try:
            path = folder.add(pdf)
        except DeviceLost as error:
            return PrintResult("failed", f"no file was written: {error}", "error")
        return PrintResult("sent", f"written to {path}; whoever watches the folder prints it")

    folder.check()
    return SheetPrinter(settings, deliver=deliver, check=folder.check)


def _open_tcp(settings: SheetTcpSettings) -> SheetPrinter:
    printer = PicturePrinter(
        LabelPrinterSettings(answers=False, send_timeout_s=settings.send_timeout_s),
        Language(lambda _label, _copies_count: b"", MuteConversation),
        tcp_line(settings),
    )
    printer.status()  # A printer that is not there is reported now, not with the first label.
    return SheetPrinter(
        settings, deliver=lambda pdf: printer.send_job(pdf, 1), check=printer.status
    )


FOLDER = Driver(
    name="pdf-sheet-folder",
    device_class="label_printer",
    summary="Label sheets as PDF files in a folder.",
    settings_type=SheetFolderSettings,
    open_device=_open_folder,
    node_setting="",
    tier="silver",
)

TCP = Driver(
    name="pdf-sheet-tcp",
    device_class="label_printer",
    summary="Label sheets for office printers that print PDF from a raw TCP port.",
    settings_type=SheetTcpSettings,
    open_device=_open_tcp,
    matchers=(RAW_PORT,),
    node_setting="host",
    tcp_port_setting="port",
    tier="silver",
)
