"""Makes forms from the bodies that the interface for programs takes. Pure.

A form has the fields of its body, under their names, so that no page can ask for anything else.
Labels and words of choices stand in `field_words` and `state_words`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_type_hints

from pydantic import BaseModel

from central.web.documents.field_words import FIELDS, HINTS
from central.web.documents.parts import Field, FieldKind, Rows, Values
from central.web.documents.state_words import CHOICES, STATES
from central.web.texts import Texts

Json = Any  # A value of JSON.
Schema = Mapping[str, Any]
DECIMAL = r"^-?\d+(\.\d+)?$"
DATE = r"\d{4}-\d{2}-\d{2}"
NOTE_CHARACTERS_MIN = 257  # A text that may be longer than a reason is written in several lines.
LOOK_UPS: Mapping[str, str] = {
    "item": "items",
    "supplier": "suppliers",
    "customer": "customers",
    "from_location": "places",
    "to_location": "places",
    "location": "places",
    "parent": "places",
    "unit": "units",
    "weight_unit": "units",
    "order": "purchase-orders",
    "order_code": "sales-orders",
    "orders": "sales-orders",
    "inspection": "inspections",
    "empty": "places",
}
LOOK_UP_BY: Mapping[str, str] = {
    "unit": "item",
    "from_location": "source_warehouse",
    "to_location": "destination_warehouse",
    "location": "warehouse",
    "parent": "warehouse",
    "empty": "warehouse",
}
BEGUN = frozenset({"lines", "decisions", "entries"})  # Lists that begin with a row to be filled in.
WAREHOUSES = frozenset({"warehouse", "source_warehouse", "destination_warehouse"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form is about. values: what its fields hold at first.

    warehouses: (code, name) of all, as its choice. warehouse: that of the document, "" where the
    form asks for it. without: fields that it does not have. only: the fields that it has, all if
    empty. whole: an emptied field is sent as empty, because the body takes the place of all.
    """

    values: Values
    warehouses: Sequence[tuple[str, str]] = ()
    warehouse: str = ""
    without: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    whole: bool = False


def body_of(endpoint: Callable[..., object]) -> type[BaseModel] | None:
    """Return the body that a route takes, None for none."""
    body = get_type_hints(endpoint).get("body")
    assert body is None or issubclass(body, BaseModel)
    return body


def fields_of(
    body: type[BaseModel], asked: Asked, texts: Texts
) -> tuple[tuple[Field, ...], tuple[Rows, ...]]:
    """Return the fields of a body and its lists of rows, in the order of the body."""
    schema = body.model_json_schema()
    walk = _Walk(schema.get("$defs", {}), asked, texts)
    fields: list[Field] = []
    rows: list[Rows] = []
    walk.object(schema, "", asked.values, fields, rows)
    return tuple(fields), tuple(rows)


def label_of(name: str, texts: Texts, *, within: str = "") -> str:
    """Return what a field is called. within: the body or answer that it is in."""
    code = f"{within}.{name}"
    return texts.word(FIELDS, code if code in FIELDS else name)


def word_of(code: str, texts: Texts) -> str:
    """Return what a state or a choice is called, the code itself where nobody has said."""
    return texts.word(STATES if code in STATES else CHOICES, code)


class _Walk:
    """Walks through the schema of one body."""

    def __init__(self, parts: Schema, asked: Asked, texts: Texts) -> None:
        self._parts = parts
        self._asked = asked
        self._texts = texts

    def object(
        self,
        schema: Schema,
        prefix: str,
        values: Values,
        fields: list[Field],
        rows: list[Rows],
    ) -> None:
        """Append the fields of an object and its lists; objects in it are taken as its fields."""
        needed = set(schema.get("required", ()))
        for name, said in schema["properties"].items():
            asked = self._asked
            if name in asked.without or (asked.only and not prefix and name not in asked.only):
                continue
            value, form = values.get(name), self._resolved(said)
            if form.get("type") == "object":
                inner: list[Field] = []
                self.object(
                    form, f"{prefix}{name}.", value or form.get("default") or {}, inner, rows
                )
                above = label_of(name, self._texts) if name in FIELDS else ""
                fields += [replace(one, label=_below(above, one.label)) for one in inner]
            elif form.get("type") == "array":
                rows.append(self._rows(prefix + name, form, value, within=schema["title"]))
            else:
                fields.append(
                    self._field(
                        prefix + name,
                        form,
                        value,
                        within=schema["title"],
                        required=name in needed,
                    )
                )

    def _rows(self, name: str, form: Schema, value: Json, *, within: str) -> Rows:
        inner = self._resolved(form["items"])
        present = list(value or ())
        label = label_of(name.rsplit(".", 1)[-1], self._texts, within=within)
        if inner.get("type") != "object":
            one = self._field("", inner, None, within="", required=True, called=name)
            texts = tuple((replace(one, value=str(text)),) for text in present)
            return Rows(name, label, (one,), texts)
        numbered = "line" in inner["properties"] and "line" in inner.get("required", ())
        hidden = frozenset({"line"}) if numbered and "decision" not in inner["properties"] else None
        blank = self._row(inner, {}, hidden)
        rows = tuple(self._row(inner, one, hidden) for one in present)
        if not rows and (form.get("minItems") or name in BEGUN):
            rows = (blank,)
        return Rows(name, label, blank, rows, numbered=hidden is not None)

    def _row(
        self, schema: Schema, values: Values, hidden: frozenset[str] | None
    ) -> tuple[Field, ...]:
        fields: list[Field] = []
        self.object(schema, "", values, fields, [])
        return tuple(
            replace(one, kind="hidden") if hidden and one.name in hidden else one for one in fields
        )

    def _field(
        self,
        name: str,
        form: Schema,
        value: Json,
        *,
        within: str,
        required: bool,
        called: str = "",
    ) -> Field:
        last = (called or name).rsplit(".", 1)[-1]
        default = form.get("default")
        nullable = bool(form.get("nullable"))
        present = default if value is None else value
        kind, choices = self._kind(form), self._choices(last, form)
        needed = required or bool(form.get("minLength") and not nullable and default is None)
        if last in WAREHOUSES and kind == "text":
            kind, choices = "choice", tuple(self._asked.warehouses)
        elif choices:
            kind = "choice"
        return Field(
            name=name,
            label=label_of(last, self._texts, within=within),
            kind=kind,
            value=_text(present),
            required=needed,
            choices=choices,
            empty=self._empty(kind, nullable=nullable),
            look_up=LOOK_UPS.get(last, "") if kind == "text" else "",
            look_up_by="" if self._asked.warehouse else LOOK_UP_BY.get(last, ""),
            look_up_in=self._asked.warehouse,
            length_max=form.get("maxLength", 200),
            hint=self._texts.word(HINTS, last) if last in HINTS and not needed else "",
        )

    def _empty(self, kind: FieldKind, *, nullable: bool) -> Json:
        if nullable:
            return "out"
        return "text" if self._asked.whole and kind in {"text", "note", "date", "choice"} else "out"

    def _choices(self, name: str, form: Schema) -> tuple[tuple[str, str], ...]:
        codes = form.get("enum", ())
        return tuple(
            (code, word_of(code, self._texts) if code else "–") for code in codes if code or name
        )

    def _kind(self, form: Schema) -> FieldKind:
        if form.get("type") == "boolean":
            return "switch"
        if form.get("type") == "integer":
            return "integer"
        pattern = form.get("pattern", "")
        if pattern == DECIMAL:
            return "decimal"
        if DATE in pattern:
            return "date"
        return "note" if form.get("maxLength", 0) >= NOTE_CHARACTERS_MIN else "text"

    def _resolved(self, said: Schema) -> Schema:
        """Return the schema that is meant: references followed, "or null" taken as a property."""
        if "$ref" in said:
            part = self._parts[said["$ref"].rsplit("/", 1)[-1]]
            return {**part, **{key: one for key, one in said.items() if key != "$ref"}}
        if "anyOf" in said:
            (meant,) = (one for one in said["anyOf"] if one.get("type") != "null")
            return {**self._resolved(meant), "nullable": True, "default": said.get("default")}
        return said


def _below(above: str, label: str) -> str:
    return f"{above}: {label}" if above else label


def _text(value: Json) -> str:
    if value is None or value is False:
        return ""
    return "1" if value is True else str(value)
