"""The printable sheet of command, place, document and badge bar codes: its cards, as HTML. Pure."""

from collections.abc import Callable
from html import escape

import msgspec

from gateway.screen.code128 import code128_svg
from gateway.station.catalogue import Catalogue
from gateway.station.commands import (
    COMMAND_GROUPS,
    COMMAND_TITLES,
    DOCUMENT_PREFIX,
    OPERATOR_PREFIX,
    PLACE_PREFIX,
    QUANTITY_PREFIX,
    SHEET_QUANTITIES,
)
from gateway.station.messages import N_, plain
from gateway.station.screen_state import PAGE_COMMANDS

BAR_HEIGHT = 40
CARDS_MAX = (
    500  # A warehouse has more bins than a sheet is good for; bins have labels of their own.
)
SHEET_TITLE = N_("Command sheet")
PDF_WORD = N_("Print as PDF")
BACK_WORD = N_("Back to the station")  # A kiosk has no button of its own for it.
SECTION_TITLES = {
    "page": N_("The page"),
    "quantities": N_("Quantity of the next scan"),
    "documents": N_("Documents"),
    "operators": N_("Badges"),
    "places": N_("Places"),
}


class SheetCard(msgspec.Struct, frozen=True):
    """One bar code. title: what it does, for people."""

    code: str
    title: str


class SheetSection(msgspec.Struct, frozen=True):
    """Bar codes that stand together."""

    title: str
    cards: tuple[SheetCard, ...]


class Sheet(msgspec.Struct, frozen=True):
    """The whole sheet in one language; sections without a card are left out."""

    title: str
    language: str
    sections: tuple[SheetSection, ...]


def command_sheet(catalogue: Catalogue, *, language: str, translate: Callable[[str], str]) -> Sheet:
    """Return the sheet; what comes from outside is cut and on one line."""
    groups = [
        (group.title, [(str(one), translate(COMMAND_TITLES[one])) for one in group.commands])
        for group in COMMAND_GROUPS
    ]
    documents = [
        (DOCUMENT_PREFIX + one.code, f"{one.code} - {one.counterpart or one.partner}".strip(" -"))
        for one in catalogue.documents()
    ]
    operators = [(OPERATOR_PREFIX + one.code, one.name) for one in catalogue.operators()]
    places = [(PLACE_PREFIX + place.code, place.code) for place in catalogue.locations()]
    groups += [
        (SECTION_TITLES["quantities"], [(QUANTITY_PREFIX + n, f"x {n}") for n in SHEET_QUANTITIES]),
        (SECTION_TITLES["page"], [(code, translate(t)) for code, t in PAGE_COMMANDS.items()]),
        (SECTION_TITLES["documents"], documents),
        (SECTION_TITLES["operators"], operators),
        (SECTION_TITLES["places"], places),
    ]
    return Sheet(
        title=translate(SHEET_TITLE),
        language=language,
        sections=tuple(
            SheetSection(
                translate(title),
                tuple(SheetCard(code, plain(text)) for code, text in cards[:CARDS_MAX]),
            )
            for title, cards in groups
            if cards
        ),
    )


def sheet_html(sheet: Sheet, *, translate: Callable[[str], str]) -> str:
    """Return the whole page. Every text from outside is escaped; the page has no script."""
    title = escape(sheet.title)
    body = "".join(
        f"<h2>{escape(section.title)}</h2><div class=cards>{_cards(section)}</div>"
        for section in sheet.sections
    )
    pdf, back = escape(translate(PDF_WORD)), escape(translate(BACK_WORD))
    language = "zh-CN" if sheet.language == "zh" else "en"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="/static/sheet.css"></head>'
        f'<body><main><h1>{title}</h1><p class="pdf"><a class="back" href="/">{back}</a>'
        f' <a href="/sheet.pdf?lang={sheet.language}" download>{pdf}</a></p>'
        f"{body}</main></body></html>"
    )


def _cards(section: SheetSection) -> str:
    return "".join(
        f"<figure>{code128_svg(card.code, height=BAR_HEIGHT)}"
        f"<figcaption><b>{escape(card.title)}</b><code>{escape(card.code)}</code></figcaption>"
        "</figure>"
        for card in section.cards
    )
