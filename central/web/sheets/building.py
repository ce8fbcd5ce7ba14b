"""Builds sheets of paper from documents, and labels of places and pallets. Edge of the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from central.contract.gs1 import check_digit
from central.errors import NotThere, Unusable
from central.orders.catalogue.catalogue_lists import PlaceFilter, list_places
from central.orders.counts.count_sheet import ItemName, item_names
from central.printing.sheets import (
    LABELS_MAX,
    BarCode,
    Column,
    Label,
    LabelPages,
    Sheet,
    SheetCell,
)
from central.web.asking import Asking
from central.web.documents.cells import field_cell, is_number
from central.web.documents.forms import label_of
from central.web.documents.parts import Values
from central.web.sheets.kinds import PrintedColumn, PrintedKind
from central.web.texts import Texts

# As stations know their own codes: `LOC-` a place, `DOC-` a document.
PLACE_PREFIX = "LOC-"
DOCUMENT_PREFIX = "DOC-"
PLACES_READ_MAX = 20_000
ALWAYS = frozenset({"line", "item", "quantity", "location"})  # Columns that stay when empty.


def sheet_of(asking: Asking, printed: PrintedKind, code: str) -> Sheet:
    """Return a document on paper. Raises NotThere."""
    kind, texts = printed.kind, asking.texts
    with asking.read() as connection:
        found = kind.read_many(connection, [code], asking.now_ms)
        if not found:
            raise NotThere(
                f"there is no document {code} of this kind",
                hint="Open the document in its list and print it from there.",
            )
        values = found[0]
        if printed.read_rows is not None:
            rows = printed.read_rows(connection, values)
        else:
            rows = kind.read_whole(connection, values, asking.now_ms).values[printed.table]
        rows = [row for row in rows if printed.is_printed(row)]
        names = item_names(connection, [str(row.get("item") or "") for row in rows])
    columns = [column for column in printed.columns if _is_shown(column, rows)]
    return Sheet(
        title=texts.say(printed.title),
        code=code,
        language=asking.drawing.language,
        bar_code=BarCode((DOCUMENT_PREFIX if printed.scanned else "") + code),
        facts=[
            (label_of(name, texts), _fact(name, values, texts))
            for name in printed.facts
            if values.get(name) not in (None, "", [], ())
        ],
        columns=[_column(column, texts) for column in columns],
        rows=[[_cell(column, row, names, texts) for column in columns] for row in rows],
        empty=texts.say("Nothing is on this list."),
        foot=f"Dockledger · {asking.reading.site}",
        page_words=_page_words(texts.say("Page {page} of {pages}")),
        notes=[texts.say(note) for note in printed.notes],
        signatures=[texts.say(signature) for signature in printed.signatures],
    )


def place_labels(asking: Asking, warehouse: str, codes: Sequence[str]) -> LabelPages:
    """Return labels of places; of all bins of a warehouse if none is named. Raises NotThere."""
    texts = asking.texts
    if len(codes) > LABELS_MAX:
        raise Unusable(
            f"{len(codes)} labels at once cannot be printed",
            hint=f"Choose 1 to {LABELS_MAX} places or pallets.",
        )
    with asking.read() as connection:
        wanted = PlaceFilter(warehouse=warehouse)
        places = list_places(connection, wanted, after=("", ""), limit=PLACES_READ_MAX)
    known = {one.card.code for one in places if codes or one.card.kind == "bin"}
    missing = sorted(set(codes) - known)
    if missing or not known:
        raise NotThere(
            f"warehouse {warehouse} has no place {missing[0] if missing else 'of kind bin'}",
            hint="Check both codes in the list of places.",
        )
    return LabelPages(
        title=texts.say("Labels of places"),
        language=asking.drawing.language,
        labels=[
            Label(code, BarCode(PLACE_PREFIX + code), PLACE_PREFIX + code, [warehouse])
            for code in (list(dict.fromkeys(codes)) or sorted(known)[:LABELS_MAX])
        ],
    )


def pallet_label(asking: Asking, sscc: str) -> LabelPages:
    """Return the label of a pallet. Raises Unusable for a number that is no SSCC."""
    texts = asking.texts
    plain = len(sscc) == 18 and sscc.isascii() and sscc.isdigit()
    if not plain or check_digit(sscc[:-1]) != sscc[-1]:
        raise Unusable(
            f"{sscc[:40]!r} is no SSCC",
            hint="Give the 18 digits of the pallet, the last one being the check digit.",
        )
    element = f"(00){sscc}"
    return LabelPages(
        title=texts.say("Label of a pallet"),
        language=asking.drawing.language,
        labels=[Label(sscc, BarCode(element, "gs1"), f"(00) {sscc}", ["SSCC"])],
        height_mm=60,
    )


def _is_shown(column: PrintedColumn, rows: Sequence[Values]) -> bool:
    needed = not column.field or column.field in ALWAYS
    return needed or any(row.get(column.field) not in (None, "") for row in rows)


def _column(column: PrintedColumn, texts: Texts) -> Column:
    label = texts.say(column.label) if column.label else label_of(column.field, texts)
    return Column(
        label,
        share=column.share,
        align="right" if column.field and is_number(column.field) else "left",
        box=not column.field,
    )


def _cell(
    column: PrintedColumn, row: Values, names: Mapping[str, ItemName], texts: Texts
) -> SheetCell:
    if not column.field:
        return SheetCell("")
    shown = field_cell(column.field, row, texts)
    note = shown.note
    if column.field == "item" and str(row.get("item")) in names:
        name = names[str(row["item"])]
        note = texts.name(english=name.name, chinese=name.name_zh)
    if column.note and row.get(column.note):
        note = f"{label_of(column.note, texts)} {row[column.note]}"
    code = str(row.get(column.field) or "")
    bar_code = BarCode(PLACE_PREFIX + code) if column.place and code.isascii() and code else None
    return SheetCell(shown.text, note, bar_code)


def _page_words(text: str) -> tuple[str, str, str]:
    before, _, rest = text.partition("{page}")
    between, _, behind = rest.partition("{pages}")
    return before, between, behind


def _fact(name: str, values: Any, texts: Texts) -> str:  # noqa: ANN401 - an answer's values.
    shown = field_cell(name, values, texts)
    return f"{shown.text} {shown.note}".strip()
