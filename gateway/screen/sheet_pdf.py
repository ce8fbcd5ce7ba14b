"""The command sheet as a PDF for paper, in a process of its own. Edge of reportlab.

    sheet as JSON on standard input -> PDF on standard output

The gateway starts it for each sheet: what draws and the font, 40 MB, never live in the gateway.
Bars are vectors of a width that a scanner reads at arm's length; texts are of a font that is
embedded, so that any computer prints the Chinese.
"""

import io
import sys

import msgspec
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from drivers.code_128 import (
    CODE_128_QUIET_ZONE_MODULES,
    bar_widths,
    code_128_symbols,
    width_modules,
)
from drivers.drawing.fonts import FONTS
from gateway.screen.sheet import Sheet, SheetCard, SheetSection

MARGIN = 12 * mm
GAP = 6 * mm
CARD_HEIGHT = 27 * mm
BAR_HEIGHT = 13 * mm
MODULE_MAX = 0.33 * mm
MODULE_TWO_COLUMNS_MIN = 0.25 * mm
FONT = "sheet"
FONT_IN_VIEWER = "STSong-Light"  # Of the reader of the PDF; where no font is installed here.
TITLE_SIZE, SECTION_SIZE, TEXT_SIZE, CODE_SIZE = 16, 13, 11, 8


def main() -> None:
    """Draw the sheet that comes in."""
    sheet = msgspec.json.decode(sys.stdin.buffer.read(), type=Sheet)
    sys.stdout.buffer.write(sheet_pdf(sheet))


def sheet_pdf(sheet: Sheet) -> bytes:
    """Return the PDF: A4, two codes a row, a long code alone in its row."""
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=A4, invariant=True, lang=sheet.language)
    canvas.setTitle(sheet.title)
    page = _Page(canvas, _use_font())
    page.headline(sheet.title)
    for section in sheet.sections:
        page.section(section)
    page.end()
    canvas.save()
    return written.getvalue()


class _Page:
    """Where the next card goes; new pages begin by themselves."""

    def __init__(self, canvas: Canvas, font: str) -> None:
        self._canvas = canvas
        self._font = font
        self._width, height = A4
        self._top = height - MARGIN
        self._y = self._top
        self._column = 0
        self._number = 1

    def headline(self, title: str) -> None:
        """Write the title of the sheet."""
        self._text(MARGIN, self._y - TITLE_SIZE, title, TITLE_SIZE)
        self._y -= TITLE_SIZE + GAP

    def section(self, section: SheetSection) -> None:
        """Draw a section; its title never stands alone at the foot of a page."""
        self._end_row()
        self._room(SECTION_SIZE + GAP / 2 + CARD_HEIGHT)
        self._text(MARGIN, self._y - SECTION_SIZE, section.title, SECTION_SIZE)
        self._y -= SECTION_SIZE + GAP / 2
        self._canvas.line(MARGIN, self._y, self._width - MARGIN, self._y)
        self._y -= GAP / 2
        for card in section.cards:
            self._card(card)

    def end(self) -> None:
        """Finish the last page."""
        self._text(MARGIN, MARGIN / 2, str(self._number), CODE_SIZE)
        self._canvas.showPage()

    def _card(self, card: SheetCard) -> None:
        whole = self._width - 2 * MARGIN
        half = (whole - GAP) / 2
        modules = width_modules(code_128_symbols(card.code)) + 2 * CODE_128_QUIET_ZONE_MODULES
        is_long = half / modules < MODULE_TWO_COLUMNS_MIN
        if is_long:
            self._end_row()
        if self._column == 0:
            self._room(CARD_HEIGHT)
        width = whole if is_long else half
        x = MARGIN + self._column * (half + GAP)
        module = min(MODULE_MAX, width / modules)
        self._text(x, self._y - TEXT_SIZE, self._fitting(card.title, width), TEXT_SIZE)
        self._bars(card.code, x=x, top=self._y - TEXT_SIZE - 2 * mm, module=module)
        foot = self._y - TEXT_SIZE - 2 * mm - BAR_HEIGHT - CODE_SIZE - 1 * mm
        self._text(x + CODE_128_QUIET_ZONE_MODULES * module, foot, card.code, CODE_SIZE)
        self._column += 1
        if is_long or self._column == 2:
            self._end_row()

    def _bars(self, code: str, *, x: float, top: float, module: float) -> None:
        position = x + CODE_128_QUIET_ZONE_MODULES * module
        for place, count in enumerate(bar_widths(code_128_symbols(code))):
            if place % 2 == 0:
                self._canvas.rect(
                    position, top - BAR_HEIGHT, count * module, BAR_HEIGHT, stroke=0, fill=1
                )
            position += count * module

    def _text(self, x: float, y: float, text: str, size: float) -> None:
        self._canvas.setFont(self._font, size)
        self._canvas.drawString(x, y, text)

    def _fitting(self, text: str, width: float) -> str:
        while text and pdfmetrics.stringWidth(text, self._font, TEXT_SIZE) > width:
            text = text[:-2].rstrip("…") + "…" if len(text) > 2 else ""
        return text

    def _end_row(self) -> None:
        if self._column:
            self._column = 0
            self._y -= CARD_HEIGHT

    def _room(self, height: float) -> None:
        if self._y - height < MARGIN:
            self.end()
            self._number += 1
            self._y = self._top


def _use_font() -> str:
    for _, path in FONTS:
        try:
            pdfmetrics.registerFont(TTFont(FONT, str(path)))
        except (TTFError, OSError):  # Not there, or outlines that cannot be embedded.
            continue
        return FONT
    pdfmetrics.registerFont(UnicodeCIDFont(FONT_IN_VIEWER))
    return FONT_IN_VIEWER


if __name__ == "__main__":
    main()
