"""The message catalogues of the station page. Edge of the file system (read once)."""

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LOCALE_FOLDER = Path(__file__).parent / "locale"
DOMAIN = "gateway"


@cache
def translator(language: Language) -> Callable[[str], str]:
    """Return the function from an English text to the language's, itself if untranslated."""
    if language == "en":
        return str
    found = gettext.translation(DOMAIN, LOCALE_FOLDER, languages=[language])
    return lambda text: found.gettext(text) if text else ""


def language_of(text: str, *, default: Language) -> Language:
    """Return the language that a browser asked for, `default` for any other text."""
    for language in LANGUAGES:
        if text == language:
            return language
    return default
