"""What a printed page says: texts, tables, bar codes, all as data, never as markup. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from central.errors import Unusable

ROWS_MAX = 3000
LABELS_MAX = 500
TEXT_CHARACTERS_MAX = 300
UNBROKEN = re.compile(r"[!-~]{20}(?=[!-~])")  # Longer words may be broken here.
Alignment = Literal["left", "right"]
Symbology = Literal["code128", "gs1"]


@dataclass(frozen=True, slots=True)
class BarCode:
    """A bar code. symbology: "gs1" for an element string in brackets, e.g. "(00)3401..."."""

    data: str
    symbology: Symbology = "code128"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet. share: of the width, 0 for what it needs. box: to be filled in."""

    label: str
    share: int = 1
    align: Alignment = "left"
    box: bool = False


@dataclass(frozen=True, slots=True)
class SheetCell:
    """A cell of a sheet. note: small, below the text. bar_code: below that."""

    text: str
    note: str = ""
    bar_code: BarCode | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document on paper. All texts are in the reader's language.

    facts: (label, value). notes: below the table. signatures: lines to sign on. foot: left in the
    foot of each page. page_words: before, between and behind both numbers of a page.
    """

    title: str
    code: str
    language: str
    bar_code: BarCode | None
    facts: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[SheetCell]]
    empty: str
    foot: str
    page_words: tuple[str, str, str]
    notes: Sequence[str] = ()
    signatures: Sequence[str] = ()

    def __post_init__(self) -> None:
        if len(self.rows) > ROWS_MAX:
            raise Unusable(
                f"{len(self.rows)} rows do not go on paper, at most {ROWS_MAX} do",
                hint="Export the table to Excel instead.",
            )


@dataclass(frozen=True, slots=True)
class Label:
    """A label. text: large. lines: below it, small. said: the bar code for eyes."""

    text: str
    bar_code: BarCode
    said: str
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LabelPages:
    """Labels, one a page of their size."""

    title: str
    language: str
    labels: Sequence[Label]
    width_mm: int = 100
    height_mm: int = 50

    def __post_init__(self) -> None:
        if not 0 < len(self.labels) <= LABELS_MAX:
            raise Unusable(
                f"{len(self.labels)} labels at once cannot be printed",
                hint=f"Choose 1 to {LABELS_MAX} places or pallets.",
            )


def printable(text: str) -> str:
    """Return a text as it may stand on paper: visible, not endless, with places to break it.

    What turns the direction of writing or cannot be seen is left out.
    """
    kept = "".join(one if one.isprintable() else " " for one in text)
    if len(kept) > TEXT_CHARACTERS_MAX:
        kept = kept[: TEXT_CHARACTERS_MAX - 1] + "…"
    return UNBROKEN.sub("\\g<0>\u200b", kept)
