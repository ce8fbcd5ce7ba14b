"""Loads the catalogue of the reader's language. Edge of the catalogue files."""

import gettext
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel.numbers import format_decimal

from central.api.languages import (
    ACCEPT_CHARACTERS_MAX,
    LANGUAGE_COOKIE,
    LANGUAGE_DEFAULT,
    LANGUAGES,
    choose_language,
)

__all__ = [
    "ACCEPT_CHARACTERS_MAX",
    "DOMAIN",
    "LANGUAGES",
    "LANGUAGE_COOKIE",
    "LANGUAGE_DEFAULT",
    "LOCALE_FOLDER",
    "catalogue",
    "choose_language",
    "quantity_text",
]

LOCALE_FOLDER = Path(__file__).parent / "locale"
DOMAIN = "central"


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; English texts are the keys and need none."""
    if language == LANGUAGE_DEFAULT:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, localedir=LOCALE_FOLDER, languages=[language])


def quantity_text(value: Decimal) -> str:
    """Return a quantity for people: thousands grouped, up to six decimals; alike in en and zh."""
    return format_decimal(value, format="#,##0.######", locale="en")
