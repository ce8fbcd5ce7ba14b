"""A desk at which every text that somebody may type is hostile: one for each field of each body."""

from copy import deepcopy

from tests.central.web.desk_scene import Desk

# A formula for a spreadsheet, the end of an SQL statement, mark-up, commands of a printer. What
# stands in front of it tells fields apart.
MARK = "evil"
HOSTILE = "=1+{number}<" + MARK + ">'\";DROP TABLE x;--^XA^FD"
# Somebody types these, and anything is a text: the others name something, or are of a form.
FREE = frozenset(
    {
        "address", "carrier", "category", "contact", "counted_by", "hardware", "label",
        "name", "name_zh", "note", "number", "phone", "reason", "reference", "region",
        "requested_by", "signed_by", "storage_class", "text", "tracking", "zone",
    }
)  # fmt: skip
OF_A_FORM = frozenset(
    {
        "barcodes", "claim", "code", "csr", "customer", "decisions", "destination_warehouse",
        "document", "due_time", "email", "counted_time", "empty", "entries", "facts", "fingerprint",
        "from_location", "gateway", "gln", "gtin", "happened_time", "inspection", "item", "job",
        "kind", "kinds", "location", "lot", "order", "order_code", "orders", "owner", "parent",
        "period", "printer", "query", "receive_location", "serial", "source_warehouse", "sscc",
        "supplier", "template", "through", "to_location", "unit", "url", "warehouse", "weight_unit",
    }
)  # fmt: skip


def strings_of(document, schema):
    """The names of fields of a body that take any text, with how long it may be."""
    if "$ref" in schema:
        return strings_of(document, _named(document, schema))
    found = {}
    for name, field in schema.get("properties", {}).items():
        for kind in _kinds(document, field):
            if kind.get("type") == "string" and not {"enum", "const", "pattern", "format"} & set(
                kind
            ):
                found[name] = kind.get("maxLength", 64)
    return found


def nested(document, schema):
    """(name of the field, schema) of objects in a body, also those in lists."""
    for name, field in schema.get("properties", {}).items():
        for kind in _kinds(document, field):
            inner = kind.get("items", kind)
            for one in _kinds(document, inner):
                if one.get("properties"):
                    yield name, one


class HostileDesk(Desk):
    """Sends its examples with a hostile text in every free field. typed: (field, text) of each."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.typed = []

    def _example(self, schema):
        example = deepcopy(super()._example(schema))
        whole = _named(self.document, schema)
        self._spoil(whole, example, schema["$ref"].rpartition("/")[2])
        return example

    def _spoil(self, schema, body, where):
        for name, characters_max in strings_of(self.document, schema).items():
            if name in FREE:
                text = HOSTILE.format(number=len(self.typed))[:characters_max]
                self.typed.append((f"{where}.{name}", text))
                body[name] = text
        for name, inner in nested(self.document, schema):
            held = body.get(name)
            for one in held if isinstance(held, list) else [held] if held else []:
                if isinstance(one, dict):
                    self._spoil(inner, one, f"{where}.{name}")


def _kinds(document, field):
    for one in field.get("anyOf", [field]):
        yield _named(document, one) if "$ref" in one else one


def _named(document, schema):
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
