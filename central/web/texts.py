"""Codes, names and quantities as one language writes them. Pure."""

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from central.stock.rows import MatrixRow


class Catalogue(Protocol):
    """The translations of one language, as `gettext` has them."""

    def gettext(self, message: str) -> str:
        """Return the translation of a text, or the text."""
        ...

    def ngettext(self, singular: str, plural: str, count: int, /) -> str:
        """Return the form for a number of things, translated where it can be."""
        ...


class Texts:
    """One language's words. quantity: writes a quantity for people.

    sentence: says what the ledger has noted in English, e.g. of a discrepancy. Any
    thread.
    """

    def __init__(
        self,
        language: str,
        *,
        catalogue: Catalogue,
        quantity: Callable[[Decimal], str],
        sentence: Callable[[str], str] = str,
    ) -> None:
        self.language = language
        self.say = catalogue.gettext
        self.ngettext = catalogue.ngettext
        self.quantity = quantity
        self.sentence = sentence

    def word(self, words: dict[str, str], code: str) -> str:
        """Return the word for a code, or the code where there is none (a bin, a new flag)."""
        return self.say(words[code]) if code in words else code

    def name(self, *, english: str, chinese: str) -> str:
        """Return a name in this language, in the other one if it has none, "" for none at all."""
        return (chinese or english) if self.language == "zh" else (english or chinese)

    def cells(self, row: MatrixRow) -> list[tuple[str, str]]:
        """Return (column, text) of an item's figures; warehouses without a balance are left out.

        A column is "w:" and the warehouse's code, "total" or "transit".
        """
        return [
            *(
                (f"w:{warehouse}", self.quantity(value))
                for warehouse, value in sorted(row.on_hand.items())
            ),
            ("total", self.quantity(row.total)),
            ("transit", self.quantity(row.in_transit)),
        ]
