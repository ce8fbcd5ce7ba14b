"""Cells of tables: codes, quantities, times and states in the reader's language. Pure."""

from decimal import Decimal

from central.stock.times import utc_text
from central.web.listing import Cell, Tone
from central.web.texts import Texts
from central.web.words import UNITS

ICONS: dict[Tone, str] = {
    "": "",
    "good": "good",
    "busy": "busy",
    "warn": "warn",
    "bad": "bad",
    "quiet": "idle",
}


def text_cell(text: str, *, note: str = "") -> Cell:
    """Return plain text; an en dash stands for none."""
    return Cell(text=text or "–", value=text, note=note, tone="" if text else "quiet")


def link_cell(text: str, href: str, *, note: str = "") -> Cell:
    """Return text that leads to an address of this site."""
    return Cell(text=text, href=href, note=note)


def quantity_cell(value: Decimal, unit: str, texts: Texts, *, tone: Tone = "") -> Cell:
    """Return a quantity with its unit; negative ones are told as bad."""
    note = texts.word(UNITS, unit) if unit else ""
    given: Tone = "bad" if value < 0 and not tone else tone
    return Cell(text=texts.quantity(value), value=str(value), note=note, tone=given)


def number_cell(value: int | Decimal | None, texts: Texts, *, tone: Tone = "") -> Cell:
    """Return a figure without a unit, a dash for None."""
    if value is None:
        return text_cell("")
    return Cell(text=texts.quantity(Decimal(value)), value=str(value), tone=tone)


def moment_cell(time_ms: int | None, *, tone: Tone = "") -> Cell:
    """Return a moment; the page shows it in the reader's time zone."""
    if not time_ms:
        return text_cell("")
    text = utc_text(time_ms) or ""
    return Cell(text=f"{text[:10]} {text[11:16]} UTC", value=text, moment=text, tone=tone)


def date_cell(text: str, *, tone: Tone = "", note: str = "") -> Cell:
    """Return a date given as YYYY-MM-DD, a dash for ""."""
    return Cell(text=text or "–", value=text, tone=tone or ("" if text else "quiet"), note=note)


def state_cell(word: str, tone: Tone, *, href: str = "", note: str = "") -> Cell:
    """Return a state: its word, its colour and its icon say the same."""
    return Cell(text=word, tone=tone, icon=ICONS[tone], href=href, note=note)


def percent_cell(numerator: int, denominator: int, texts: Texts, *, tone: Tone = "") -> Cell:
    """Return a share in per cent with one decimal, a dash where there is nothing to share."""
    if not denominator:
        return text_cell("")
    value = (Decimal(100 * numerator) / denominator).quantize(Decimal("0.1"))
    return Cell(text=f"{texts.quantity(value)} %", value=str(value), tone=tone)
