"""What the page of a document consists of: facts, tables, forms, history. Pure.

DocumentKind (a description) + what was read -> DocumentView -> one template for all of them
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from central.web.listing import Cell

Values = Mapping[str, Any]  # An answer of the interface for programs, as JSON has it.
FieldKind = Literal["text", "note", "decimal", "integer", "date", "switch", "choice", "hidden"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form. name: path in the JSON that is sent, within its row if it is in one.

    value: as text; "1" for a switch that is on. empty: what an empty field sends: nothing at all,
    an empty text, or null. look_up: list whose codes are proposed, "" for none; look_up_by: the
    field whose value narrows the list, look_up_in: the value itself where no field has it.
    fixed: people see it and cannot change it.
    there: what an answer calls it, where that is another name. hint: said below it.
    """

    name: str
    label: str
    kind: FieldKind = "text"
    value: str = ""
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    empty: Literal["out", "text", "null"] = "out"
    look_up: str = ""
    look_up_by: str = ""
    look_up_in: str = ""
    length_max: int = 200
    fixed: bool = False
    there: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a form. name: path of the list. blank: the fields of a row that is added.

    numbered: each row has a number of its own, `line`, which people do not see. chosen: only rows
    that are ticked are sent. skipped_by: rows in which this field is empty are not sent. grows:
    rows can be added and taken out.
    """

    name: str
    label: str
    blank: tuple[Field, ...]
    rows: tuple[tuple[Field, ...], ...]
    numbered: bool = False
    chosen: bool = False
    skipped_by: str = ""
    grows: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """What can be done, and what has to be said for it. done: on the button that does it.

    address: of the interface for programs. version: the one that the page shows, None for none.
    then: address to go to when it is done, "" stays; "{code}" is filled in from the answer.
    read: where the object can be read again. sure: a question before it is done, "" for none.
    typed: fields that are a part of the address, where it says "{name}". warehouse: where whoever
    does it has to be allowed to, "" where the address tells.
    """

    name: str
    label: str
    done: str
    method: str
    address: str
    version: int | None = None
    fields: tuple[Field, ...] = ()
    rows: tuple[Rows, ...] = ()
    tone: Literal["", "go", "danger"] = ""
    then: str = ""
    read: str = ""
    sure: str = ""
    typed: tuple[Field, ...] = ()
    warehouse: str = ""


@dataclass(frozen=True, slots=True)
class LineView:
    """A row of a table of a document, and what can be done to it alone."""

    cells: tuple[Cell, ...]
    forms: tuple[Form, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column. phone: shown at 390 pixels, too."""

    label: str
    number: bool = False
    phone: bool = True


@dataclass(frozen=True, slots=True)
class TableView:
    """A table of a document. name: of its part of the page. left_out: rows that are not shown."""

    name: str
    title: str
    headings: tuple[Heading, ...]
    lines: tuple[LineView, ...]
    empty: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class EventView:
    """One thing that was done. said: (what, as said), e.g. the reason."""

    moment: Cell
    actor: str
    done: str
    said: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document for people. warnings: what somebody should know before anything else.

    links: (address, text) of pages that belong to it. version: "" for what has none.
    """

    kind: str
    code: str
    title: str
    state: Cell | None
    facts: tuple[tuple[str, Cell], ...]
    tables: tuple[TableView, ...]
    forms: tuple[Form, ...]
    events: tuple[EventView, ...]
    warnings: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
