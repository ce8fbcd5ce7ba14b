"""What a kind of document is: its facts, tables and actions, as one description. Pure.

Which actions are possible now comes with the document, from its state table; a kind only says what
is special about some: another address, what their form holds at first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from central.web.documents.parts import Values

Connection = Any  # Of the database: handed on to whoever reads, never used here.
# Ask the database, with a connection and the time in milliseconds. The first returns documents in
# the order of their codes, without those that are not there; the second everything of one.
ReadMany = Callable[[Connection, Sequence[str], int], Sequence[Values]]
ReadWhole = Callable[[Connection, Values, int], "Read"]


def named_possible(name: str) -> Callable[[Values], bool]:
    """Return what says whether the state table allows an action now."""
    return lambda values: name in values.get("actions", ())


@dataclass(frozen=True, slots=True)
class Read:
    """A document as it was read. values: as the interface for programs answers.

    filled: by action, what its form holds at first. warehouse: where the places of its forms are,
    by the field of the form that names a place ("" for all).
    """

    values: Values
    filled: Mapping[str, Values] = field(default_factory=dict)
    warehouse: str = ""


@dataclass(frozen=True, slots=True)
class ActionOf:
    """An action that is not simply POST to its own name, or asks for something.

    path: below the document, "{line}" and its kin are filled in from the row. table: the action is
    about one row of this table, "" about the document. possible: of the document's values, and for
    a row of the row's. without: fields that are not asked for. chosen: rows are ticked.
    skipped_by, grows: of its rows. fixed: fields of rows that are not typed. there: what the answer
    calls a field of rows, where it has another name. word: an English text of the catalogue for
    its button, "" for the usual one. taken_at: the field with the warehouse where whoever does it
    has to be allowed to, "" where the address tells.
    """

    name: str
    path: str = ""
    method: str = "POST"
    table: str = ""
    possible: Callable[[Values], bool] | None = None
    possible_in_row: Callable[[Values], bool] = lambda _row: True
    without: frozenset[str] = frozenset()
    only: Callable[[Values], frozenset[str]] = lambda _values: frozenset()
    whole: bool = False
    chosen: bool = False
    skipped_by: str = ""
    grows: bool = True
    fixed: frozenset[str] = frozenset()
    there: Mapping[str, str] = field(default_factory=dict)
    word: str = ""
    then: str = ""
    taken_at: str = ""

    def is_possible(self, values: Values) -> bool:
        """Return whether the document allows it now."""
        return (self.possible or named_possible(self.name))(values)


@dataclass(frozen=True, slots=True)
class TableOf:
    """A list in the document. columns: fields of its rows. wide: those left out on a phone.

    title, empty: English texts of the catalogue; a table without rows and `empty` is left out.
    within: the answer that its rows are of, where a field is called otherwise there. seen_at: the
    field with the warehouse where whoever sees its rows may read orders, "" for any.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    wide: frozenset[str] = frozenset()
    empty: str = ""
    within: str = ""
    seen_at: str = ""


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of document.

    name: of its events and of its heads in `document_lists`. path: of its pages. api: its address
    in the interface for programs, with "{code}". title, new_title: English texts of the catalogue.
    parts: keys of the code, as the addresses name them. create: address that makes a new one.
    begin: what a new one holds, from what the address of its form names.
    """

    name: str
    path: str
    api: str
    title: str
    new_title: str
    facts: tuple[str, ...]
    tables: tuple[TableOf, ...]
    read_many: ReadMany
    read_whole: ReadWhole = lambda _connection, values, _now_ms: Read(
        values, warehouse=str(values.get("warehouse") or "")
    )
    actions: tuple[ActionOf, ...] = ()
    create: str = ""
    begin: Callable[[Connection, Values, int], Values] | None = None
    create_method: str = "POST"
    links: Callable[[Values], tuple[tuple[str, str], ...]] = lambda _values: ()
    kinds: tuple[str, ...] = ()  # Of objects whose change changes the page, beside its own.

    def actions_now(self, values: Values) -> list[ActionOf]:
        """Return what is possible with the document now, special ones first where declared."""
        special = {one.name: one for one in self.actions}
        named = list(values.get("actions", ()))
        found = [special.get(name, ActionOf(name)) for name in named]
        found += [one for one in self.actions if one.name not in named and one.is_possible(values)]
        return [one for one in found if one.is_possible(values)]


def state_in(states: frozenset[str]) -> Callable[[Values], bool]:
    """Return what says whether people have decided on one of some states (of a state table)."""
    return lambda values: values["decided"] in states
