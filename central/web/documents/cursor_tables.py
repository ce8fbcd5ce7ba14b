"""Tables that follow pages of the interface for programs, one after the other. Edge of HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import ValidationError

from central.api.parameters import LIMIT_MAX
from central.api.problem_translations import problem_words
from central.api.problems import ProblemRaised
from central.contract.errors import ContractError
from central.web.asking import Asking, Table
from central.web.cells import link_cell
from central.web.documents.cells import field_cell, is_number
from central.web.documents.field_words import FIELDS
from central.web.documents.parts import Values
from central.web.documents.tables import warehouse_choices
from central.web.listing import Column, ColumnKind, Filter, Found, Listing, Row, Wanted
from central.web.past import said_of
from central.web.words import marked

# One page: what is asked for (filters that are set), how many, from where -> rows, where to go on.
AskPage = Callable[
    [Asking, Mapping[str, str], int, str | None], tuple[Sequence[Values], str | None]
]


@dataclass(frozen=True, slots=True)
class CursorTable:
    """How such a table is made. key: the fields that tell rows apart. wide: not on a phone.

    href: address of a row, with "{field}", "" for none; the first column carries it.
    """

    name: str
    title: str
    path: str
    columns: tuple[str, ...]
    filters: tuple[Filter, ...]
    ask: AskPage
    key: tuple[str, ...] = ("code",)
    href: str = ""
    kinds: tuple[str, ...] = ()
    wide: frozenset[str] = frozenset()
    empty: str = marked("None yet.")


def cursor_listing(told: CursorTable) -> Table:
    """Return the table."""
    return Listing(
        name=told.name,
        title=told.title,
        path=told.path,
        columns=tuple(_column(name, told) for name in told.columns),
        read=_reader(told),
        filters=told.filters,
        kinds=told.kinds,
        by_cursor=True,
        empty=told.empty,
    )


def _column(name: str, told: CursorTable) -> Column:
    kind: ColumnKind = "number" if is_number(name) else "text"
    if name.endswith("_time"):
        kind = "moment"
    return Column(name, FIELDS[name], kind, phone=name not in told.wide)


def _reader(told: CursorTable) -> Callable[[Asking, Wanted], Found]:
    def read(asking: Asking, wanted: Wanted) -> Found:
        asked = {name: text for name, text in wanted.values.items() if text}
        rows: list[Values] = []
        cursor: str | None = wanted.cursor or None
        refused = ""
        try:
            while True:
                limit = min(wanted.limit - len(rows), LIMIT_MAX)
                page, cursor = told.ask(asking, asked, limit, cursor)
                rows += page
                if cursor is None or len(rows) >= wanted.limit:
                    break
        except (ContractError, ValidationError):
            # Somebody typed what no code can be: nothing is called that.
            rows, cursor = [], None
        except ProblemRaised as error:
            rows, cursor, refused = [], None, _told(error, asking)
        with asking.read() as connection:
            choices = {"warehouse": warehouse_choices(connection, asking.texts)}
        return Found(
            tuple(_row(told, one, asking) for one in rows),
            None,
            more=cursor is not None,
            choices=choices,
            cursor=cursor or "",
            note="" if refused else said_of(wanted.values, asking.texts),
            empty=refused,
        )

    return read


def _told(error: ProblemRaised, asking: Asking) -> str:
    """Return why nothing is listed, in the reader's language."""
    words = problem_words(asking.drawing.language)
    said = (error.problem.detail, error.problem.hint)
    return " ".join(words.said(one) if words is not None else one for one in said)


def _row(told: CursorTable, values: Values, asking: Asking) -> Row:
    href = told.href
    for name in told.key:
        href = href.replace(f"{{{name}}}", quote(str(values[name]), safe=""))
    href = str(values.get("href") or href)
    cells = [field_cell(name, values, asking.texts) for name in told.columns]
    if href:
        cells[0] = link_cell(cells[0].text, href, note=cells[0].note)
    key = "|".join(str(values[name]) for name in told.key)
    return Row(key=key, cells=tuple(cells), href=href)
