"""Tables that people filter, sort, page and export: what they consist of. Pure.

    Listing (columns, filters, read) + Wanted (what the address says) -> Found (rows) -> a table

A screen declares a `Listing`; drawing, filter form, sorting, pages, saved views, the keyboard and
the Excel file are the same for all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar
from urllib.parse import urlencode

from central.web.words import marked

ROWS_PER_PAGE = 50
ROWS_EXPORTED_MAX = 100_000
PAGES_MAX = 1_000_000
TEXT_CHARACTERS_MAX = 64

Tone = Literal["", "good", "busy", "warn", "bad", "quiet"]
ColumnKind = Literal["text", "number", "moment", "date", "state"]
FilterKind = Literal["search", "choice", "date", "moment", "check", "fixed"]

AskingT = TypeVar("AskingT")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. key: names it in addresses. label: an English text of the catalogue.

    number: figures, to the right, and numbers in the Excel file. sortable: `read` can sort by it.
    phone: shown at 390 pixels too; the first column always is.
    """

    key: str
    label: str
    kind: ColumnKind = "text"
    sortable: bool = False
    phone: bool = True


@dataclass(frozen=True, slots=True)
class Filter:
    """One field above a table. name: in the address. label: an English text of the catalogue.

    choices: (value, English text of the catalogue); a listing whose choices come from the database
    gives them in `Found.choices` instead, as they are shown. A "fixed" one is no field: the page
    that the table stands on sets it (the item of a table of its lots).
    """

    name: str
    label: str
    kind: FilterKind = "search"
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, in the reader's language. value: for Excel, `text` where it is "".

    tone: colours it; a tone other than "" and "quiet" stands beside an icon and the word, never
    alone. href: an address of this site. note: small, behind the text.
    """

    text: str
    value: str = ""
    href: str = ""
    tone: Tone = ""
    icon: str = ""
    note: str = ""
    moment: str = ""  # ISO 8601: drawn as a time of the reader's zone.


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a cell for each column. key: what stays the same when the row changes.

    href: what Enter and a click on the row open, "" for nothing. group: heading that it stands
    under, where rows are grouped. fragment: an address that is drawn below the row when opened.
    """

    key: str
    cells: tuple[Cell, ...]
    href: str = ""
    group: str = ""
    fragment: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of rows. total: of all pages, None where counting would cost too much.

    more: there is a further page (for a total of None). choices: of filters by name, (value, text)
    as shown. cursor: where the next page begins, for listings that page by cursor. note: of the
    rows, above them; empty: why there are none, "" for what the listing says; as they are shown.
    """

    rows: tuple[Row, ...]
    total: int | None
    more: bool = False
    choices: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    cursor: str = ""
    note: str = ""
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address of a table says, already checked against its listing.

    values: of the filters, "" where unset. sort: a sortable column. group: one of the groups, "".
    limit: so many rows at most, from `offset`. cursor: of a listing that pages by cursor.
    """

    values: Mapping[str, str]
    sort: str = ""
    descending: bool = False
    group: str = ""
    page_index: int = 0
    limit: int = ROWS_PER_PAGE
    cursor: str = ""

    @property
    def offset(self) -> int:
        """Return how many rows come before."""
        return self.page_index * self.limit


@dataclass(frozen=True)  # With slots, a generic frozen class cannot be made (Python 3.11).
class Listing(Generic[AskingT]):
    """A table. name: in addresses and of its Excel file. title, empty: texts of the catalogue.

    path: address of the page that it stands on. read: gives a page of rows; it gets whoever asks
    (`screens.asking.Asking`) and what is wanted. kinds: of objects whose change changes the table
    ("movement" for stock). groups: columns by which it may be grouped; `read` gives `Row.group` and
    sorts by it first. by_cursor: pages follow each other, they are not numbered.
    """

    name: str
    title: str
    path: str
    columns: tuple[Column, ...]
    read: Callable[[AskingT, Wanted], Found]
    filters: tuple[Filter, ...] = ()
    kinds: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    sort: str = ""
    descending: bool = False
    empty: str = marked("Nothing here.")
    by_cursor: bool = False

    def wanted(self, parameters: Mapping[str, str], *, limit: int = ROWS_PER_PAGE) -> Wanted:
        """Return what an address asks for; what cannot be meant is left out, not refused."""
        values = {one.name: _value(one, parameters.get(one.name, "")) for one in self.filters}
        asked_sort = parameters.get("sort", "")
        sortable = {column.key for column in self.columns if column.sortable}
        known = asked_sort.removeprefix("-") in sortable
        group = parameters.get("group", "")
        number = parameters.get("page", "")
        plain = number.isascii() and number.isdecimal() and len(number) <= 7
        return Wanted(
            values=values,
            sort=asked_sort.removeprefix("-") if known else self.sort,
            descending=asked_sort.startswith("-") if known else self.descending,
            group=group if group in self.groups else "",
            page_index=min(max(int(number), 1), PAGES_MAX) - 1 if plain else 0,
            limit=limit,
            cursor=shown(parameters.get("cursor", "")),
        )

    def query(self, wanted: Wanted, **changed: str) -> str:
        """Return the query of an address, "" or "?...", with some values changed ("" removes)."""
        sign = "-" if wanted.descending else ""
        usual = (self.sort, self.descending) == (wanted.sort, wanted.descending)
        values = dict(wanted.values) | {
            "sort": "" if usual else sign + wanted.sort,
            "group": wanted.group,
            "page": str(wanted.page_index + 1) if wanted.page_index else "",
            "cursor": wanted.cursor,
        }
        text = urlencode({name: value for name, value in (values | changed).items() if value})
        return f"?{text}" if text else ""


def shown(text: str) -> str:
    """Return what a person may have typed: printable, and not too long."""
    return "".join(character for character in text if character.isprintable())[:TEXT_CHARACTERS_MAX]


def _value(one: Filter, text: str) -> str:
    text = shown(text).strip()
    if one.kind == "check":
        return "1" if text == "1" else ""
    if one.kind == "choice" and one.choices and text not in {value for value, _ in one.choices}:
        return ""
    return text
