"""The printable sheet of command, place, document and badge bar codes, as HTML. Pure."""

from collections.abc import Callable, Iterable
from html import escape

from gateway.screen.code128 import code128_svg
from gateway.station.catalogue import Catalogue
from gateway.station.commands import (
    COMMAND_TITLES,
    DOCUMENT_PREFIX,
    OPERATOR_PREFIX,
    PLACE_PREFIX,
    QUANTITY_PREFIX,
    SHEET_QUANTITIES,
    Command,
)
from gateway.station.messages import N_

BAR_HEIGHT = 40
CARDS_MAX = (
    500  # A warehouse has more bins than a sheet is good for; bins have labels of their own.
)

SECTION_TITLES = {
    "commands": N_("Commands"),
    "quantities": N_("Quantity of the next scan"),
    "documents": N_("Documents"),
    "operators": N_("Badges"),
    "places": N_("Places"),
}


def sheet_html(catalogue: Catalogue, *, language: str, translate: Callable[[str], str]) -> str:
    """Return the whole page. Every text from outside is escaped; the page has no script."""
    commands = [
        (str(command), translate(title))
        for command, title in COMMAND_TITLES.items()
        if command is not Command.QUANTITY
    ]
    quantities = [(QUANTITY_PREFIX + count, f"x {count}") for count in SHEET_QUANTITIES]
    documents = [
        (DOCUMENT_PREFIX + document.code, f"{document.code} - {document.partner}")
        for document in catalogue.documents()[:CARDS_MAX]
    ]
    operators = [
        (OPERATOR_PREFIX + operator.code, operator.name)
        for operator in catalogue.operators()[:CARDS_MAX]
    ]
    places = [
        (PLACE_PREFIX + place.code, place.code) for place in catalogue.locations()[:CARDS_MAX]
    ]
    sections = (
        ("commands", commands),
        ("quantities", quantities),
        ("documents", documents),
        ("operators", operators),
        ("places", places),
    )
    title = escape(translate(N_("Command sheet")))
    body = "".join(
        f"<h2>{escape(translate(SECTION_TITLES[name]))}</h2><div class=cards>{_cards(cards)}</div>"
        for name, cards in sections
        if cards
    )
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        f'<title>{title}</title><link rel="stylesheet" href="/static/sheet.css"></head>'
        f"<body><h1>{title}</h1>{body}</body></html>"
    )


def _cards(cards: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f"<figure>{code128_svg(code, height=BAR_HEIGHT)}"
        f"<figcaption><b>{escape(title)}</b><code>{escape(code)}</code></figcaption></figure>"
        for code, title in cards
    )
