"""Builds the page of a document from its kind and from what was read. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

from central.web.cells import moment_cell, state_cell
from central.web.documents.cells import QUANTITIES, field_cell, is_number
from central.web.documents.field_words import FIELDS
from central.web.documents.forms import Asked, fields_of, label_of, word_of
from central.web.documents.kinds import ActionOf, DocumentKind, Read, TableOf
from central.web.documents.parts import (
    DocumentView,
    EventView,
    Field,
    Form,
    Heading,
    LineView,
    Rows,
    TableView,
    Values,
)
from central.web.documents.state_words import ACTIONS, ENDING, EVENTS, PRIMARY, TONES
from central.web.listing import Cell
from central.web.people.audit_words import changed_lines
from central.web.texts import Texts

ROWS_SHOWN_MAX = 500
SAID_SHOWN = ("reason", "line", "lines_count", "decisions", "round", "order", "fields", "empty")
Bodies = Callable[[str, str], type[BaseModel] | None]  # By method and address of the API.


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the page of any document needs. warehouses: (code, name) of all."""

    texts: Texts
    bodies: Bodies
    warehouses: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was done to a document, as its history has it."""

    at_ms: int
    actor: str
    action: str
    fields: Mapping[str, object]


def document_view(
    kind: DocumentKind, read: Read, done: Sequence[Done], around: Surroundings
) -> DocumentView:
    """Return the page of a document."""
    values, texts = read.values, around.texts
    state = str(values.get("state") or "")
    actions = kind.actions_now(values)
    return DocumentView(
        kind=kind.name,
        code=str(values["code"]),
        title=texts.say(kind.title),
        state=state_cell(word_of(state, texts), TONES.get(state, "")) if state else None,
        facts=tuple(_facts(kind, values, texts)),
        tables=tuple(_tables(kind, read, actions, around)),
        forms=tuple(_form(kind, one, read, around) for one in actions if not one.table),
        events=tuple(_event(one, texts) for one in done),
        warnings=tuple(values.get("warnings") or ()),
        links=tuple((href, texts.say(text)) for href, text in kind.links(values)),
    )


def new_form(kind: DocumentKind, values: Values, around: Surroundings) -> Form:
    """Return the form that makes a new document. values: what it holds at first."""
    texts = around.texts
    body = around.bodies(kind.create_method, kind.create)
    assert body is not None
    asked = Asked(values, around.warehouses, warehouse=str(values.get("within") or ""))
    fields, rows = fields_of(body, asked, texts)
    address = _address(kind.create, values)
    typed = (Field("code", label_of("code", texts), required=True),) if "{code}" in address else ()
    return Form(
        name="new",
        label=texts.say(kind.new_title),
        done=texts.say("Save"),
        method=kind.create_method,
        address=address,
        # What names it comes first.
        fields=tuple(sorted(fields, key=lambda one: not (one.required and one.name == "code"))),
        rows=rows,
        tone="go",
        then=_address(kind.path, values) + "/{code}",
        typed=typed,
    )


def loose_form(name: str, label: str, address: str, around: Surroundings) -> Form:
    """Return a form that is about no document. label: an English text of the catalogue."""
    body = around.bodies("POST", address)
    assert body is not None
    fields, rows = fields_of(body, Asked({}, around.warehouses), around.texts)
    text = around.texts.say(label)
    return Form(name, text, text, "POST", address, fields=fields, rows=rows)


def _facts(kind: DocumentKind, values: Values, texts: Texts) -> list[tuple[str, Cell]]:
    return [
        (label_of(name, texts), field_cell(name, values, texts))
        for name in kind.facts
        if values.get(name) not in (None, "", [], ())
    ]


def _tables(
    kind: DocumentKind, read: Read, actions: Sequence[ActionOf], around: Surroundings
) -> list[TableView]:
    found = []
    for table in kind.tables:
        rows = list(read.values.get(table.name) or ())
        if not rows and not table.empty:
            continue
        lines: list[tuple[Values, tuple[Form, ...]]] = []
        for row in rows[:ROWS_SHOWN_MAX]:
            own = [one for one in actions if one.table == table.name and one.possible_in_row(row)]
            forms = tuple(_form(kind, one, read, around, row=row) for one in own)
            lines.append((row, forms))
        found.append(_table(table, lines, read.values, len(rows), around.texts))
    return found


def _table(
    table: TableOf,
    rows: Sequence[tuple[Values, tuple[Form, ...]]],
    values: Values,
    rows_count: int,
    texts: Texts,
) -> TableView:
    # Whose order a row names is known from the document that it stands in.
    context = {name: values[name] for name in ("supplier", "customer") if name in values}
    # What no row has is no column; figures always are.
    columns = [
        name
        for index, name in enumerate(table.columns)
        if not index or name in QUANTITIES or any(row.get(name) for row, _ in rows)
    ]
    return TableView(
        name=table.name,
        title=texts.say(table.title),
        headings=tuple(
            Heading(
                label_of(name, texts, within=table.within), is_number(name), name not in table.wide
            )
            for name in columns
        ),
        lines=tuple(
            LineView(tuple(field_cell(name, {**context, **row}, texts) for name in columns), forms)
            for row, forms in rows
        ),
        empty=texts.say(table.empty) if table.empty else "",
        left_out=rows_count - len(rows),
    )


def _form(
    kind: DocumentKind,
    action: ActionOf,
    read: Read,
    around: Surroundings,
    *,
    row: Values | None = None,
) -> Form:
    texts, values = around.texts, read.values
    path = action.path or ("" if action.method != "POST" else f"/{action.name.replace('_', '-')}")
    body = around.bodies(action.method, kind.api + path)
    filled = read.filled.get(action.name, values if action.method in {"PUT", "PATCH"} else {})
    asked = Asked(
        filled,
        around.warehouses,
        warehouse=read.warehouse,
        without=action.without,
        only=action.only(values),
        whole=action.whole or action.method in {"PUT", "PATCH"},
    )
    fields, rows = fields_of(body, asked, texts) if body is not None else ((), ())
    word = action.word or ACTIONS[action.name]
    ending = action.name in ENDING
    return Form(
        name=action.name if row is None else f"{action.name}-{_key_of(row)}",
        label=texts.say(word),
        method=action.method,
        address=_address(kind.api + path, {**values, **(row or {}), "code": values["code"]}),
        version=values.get("version"),
        fields=fields,
        rows=tuple(_rows(one, action) for one in rows),
        done=texts.say("Save") if action.name == "edit" else texts.say(word),
        tone="danger" if ending else "go" if action.name in PRIMARY else "",
        then=action.then,
        read=_address(kind.api, values),
        sure=texts.say("Are you sure?") if ending and body is None else "",
        warehouse=str(values[action.taken_at]) if action.taken_at else "",
    )


def _rows(rows: Rows, action: ActionOf) -> Rows:
    filled = tuple(
        tuple(
            replace(one, fixed=one.name in action.fixed, there=action.there.get(one.name, ""))
            for one in fields
        )
        for fields in (rows.blank, *rows.rows)
    )
    return replace(
        rows,
        blank=filled[0],
        rows=filled[1:],
        chosen=action.chosen,
        skipped_by=action.skipped_by,
        grows=action.grows,
    )


def _key_of(row: Values) -> str:
    return "-".join(str(row[name]) for name in ("line", "pick", "number") if name in row)


def _address(template: str, values: Mapping[str, Any]) -> str:
    """Return an address with what is known of it filled in."""
    parts = []
    for part in template.split("/"):
        if part.startswith("{") and part[1:-1] in values:
            part = quote(str(values[part[1:-1]]), safe="")
        parts.append(part)
    return "/".join(parts)


def _event(one: Done, texts: Texts) -> EventView:
    said = []
    for name in SAID_SHOWN:
        value = one.fields.get(name)
        if value in (None, "", [], 0):
            continue
        told = value if isinstance(value, list) else [value]
        label = label_of(name, texts) if name in FIELDS else ""
        said.append((label, ", ".join(word_of(str(part), texts) for part in told)))
    changes = one.fields.get("changes")
    if isinstance(changes, Mapping):
        said += [("", line) for line in changed_lines(changes, texts)]
    return EventView(
        moment=moment_cell(one.at_ms),
        actor=one.actor,
        done=texts.word(EVENTS, one.action),
        said=tuple(said),
    )
