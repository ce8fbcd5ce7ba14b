"""Reads what refusals are in Chinese, once. Edge of the file system."""

from functools import cache
from pathlib import Path

from babel.messages.mofile import read_mo

from central.api.problem_words import ProblemWords

DOMAIN = "problems"
LOCALE_FOLDER = Path(__file__).parent / "locale"
MO_FILE = LOCALE_FOLDER / "zh" / "LC_MESSAGES" / f"{DOMAIN}.mo"
CHINESE = "zh-Hans"


def problem_words(language: str) -> ProblemWords | None:
    """Return the words of a language, None for English: that is what they are written in."""
    return chinese_words() if language == "zh" else None


@cache
def chinese_words() -> ProblemWords:
    """Return the Chinese words."""
    with MO_FILE.open("rb") as file:
        catalog = read_mo(file)
    return ProblemWords({str(one.id): str(one.string) for one in catalog if one.id and one.string})
