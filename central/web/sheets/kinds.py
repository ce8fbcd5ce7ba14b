"""Which documents can be printed, and what of them stands on paper. Root."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from central.api.count_answers import sheet_line_out
from central.api.picking_models import pick_line_out
from central.orders.counts.count_rows import find_head
from central.orders.counts.count_sheet import sheet_lines
from central.orders.sales.pick_waves import list_picks
from central.orders.sales.sales_store import read_figures, read_orders
from central.web.documents.count_kinds import COUNT
from central.web.documents.kinds import DocumentKind
from central.web.documents.parts import Values
from central.web.documents.purchasing_kinds import PURCHASE_ORDER
from central.web.documents.sales_kinds import PICK_WAVE, SALES_ORDER
from central.web.documents.transfer_kinds import TRANSFER
from central.web.texts import Texts
from central.web.words import marked


@dataclass(frozen=True, slots=True)
class PrintedColumn:
    """A column. field: of the rows, "" for a box to be filled in by hand. share: as of a sheet.

    label: English text of the catalogue, "" for the field's usual one. place: the code is printed
    as a bar code that stations know, too. note: a field that stands below it, small, with its name.
    """

    field: str
    share: int = 0
    label: str = ""
    place: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class PrintedKind:
    """A document on paper. title: an English text of the catalogue. table: whose rows are printed.

    read_rows: reads them where the document itself has them otherwise; with a connection and the
    document's values. is_printed: whether a row is. scanned: its code is one that stations know.
    """

    kind: DocumentKind
    title: str
    facts: tuple[str, ...]
    table: str
    columns: tuple[PrintedColumn, ...]
    read_rows: Callable[[Any, Values], Sequence[Values]] | None = None
    is_printed: Callable[[Values], bool] = lambda _row: True
    signatures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    scanned: bool = True


def _picks(connection: Any, values: Values) -> list[Values]:  # noqa: ANN401 - a connection.
    figures = read_figures(connection, read_orders(connection, [values["code"]]))
    return [pick_line_out(line).model_dump() for line in list_picks(connection, figures)]


def _is_to_be_taken(row: Values) -> bool:
    return not row["picked"]


def _count_lines(connection: Any, values: Values) -> list[Values]:  # noqa: ANN401 - a connection.
    head = find_head(connection, values["code"])
    assert head is not None, "it was read just before, in the same state"
    return [sheet_line_out(one).model_dump() for one in sheet_lines(connection, head)]


ITEM = PrintedColumn("item", 5)
LINE = PrintedColumn("line")
LOT = PrintedColumn("lot", 2)
SERIAL = PrintedColumn("serial", 2)
PLACE = PrintedColumn("location", 4, place=True)
PICKED_AT = replace(PLACE, note="sscc")  # What stands on a pallet is taken from that one.
TAKEN = PrintedColumn("", 2, marked("Taken"))
QUANTITY = PrintedColumn("quantity", 2)
HANDED_OVER, TAKEN_OVER = marked("Handed over: name, date"), marked("Taken over: name, date")


def print_links(
    kind: DocumentKind, code: str, texts: Texts, *, but: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Return (address, words) of everything that is printed of a document, but of these tables."""
    return [
        (f"/print/{name}/{code}.pdf", texts.say("Print: %s") % texts.say(one.title))
        for name, one in PRINTED.items()
        if one.kind.name == kind.name and one.table not in but
    ]


PRINTED: dict[str, PrintedKind] = {
    "sales-order": PrintedKind(
        SALES_ORDER,
        marked("Sales order"),
        ("warehouse", "customer", "promised_on", "wanted_on", "reference", "carrier", "note"),
        "lines",
        (LINE, ITEM, LOT, QUANTITY, PrintedColumn("remaining", 2)),
    ),
    "delivery-note": PrintedKind(
        SALES_ORDER,
        marked("Delivery note"),
        ("warehouse", "customer", "reference", "carrier", "tracking", "note"),
        "lines",
        (LINE, ITEM, LOT, QUANTITY, PrintedColumn("shipped", 2)),
        signatures=(HANDED_OVER, TAKEN_OVER),
    ),
    "pick-list": PrintedKind(
        SALES_ORDER,
        marked("Pick list"),
        ("warehouse", "customer", "promised_on", "note"),
        "picks",
        (PICKED_AT, ITEM, LOT, SERIAL, QUANTITY, TAKEN),
        read_rows=_picks,
        is_printed=_is_to_be_taken,
        signatures=(marked("Picked: name, date"),),
    ),
    "pick-round": PrintedKind(
        PICK_WAVE,
        marked("Pick round"),
        ("warehouse", "order_codes", "note"),
        "lines",
        (PICKED_AT, ITEM, LOT, SERIAL, QUANTITY, PrintedColumn("order", 2), TAKEN),
        signatures=(marked("Picked: name, date"),),
        is_printed=_is_to_be_taken,
        scanned=False,
    ),
    "purchase-order": PrintedKind(
        PURCHASE_ORDER,
        marked("Purchase order"),
        ("warehouse", "supplier", "promised_date", "currency", "note"),
        "lines",
        (
            *(LINE, ITEM, QUANTITY, PrintedColumn("unit_price", 2)),
            *(PrintedColumn("value", 2), PrintedColumn("promised_date", 2)),
        ),
        signatures=(marked("Ordered: name, date"),),
    ),
    "goods-receipt": PrintedKind(
        PURCHASE_ORDER,
        marked("Goods receipt"),
        ("warehouse", "supplier", "promised_date", "first_receipt_time", "last_receipt_time"),
        "lines",
        (
            *(LINE, ITEM, PrintedColumn("expected", 2), PrintedColumn("received", 2)),
            *(PrintedColumn("remaining", 2), PrintedColumn("", 2, marked("Quantity found"))),
        ),
        signatures=(HANDED_OVER, TAKEN_OVER),
    ),
    "transfer-note": PrintedKind(
        TRANSFER,
        marked("Transfer note"),
        ("source_warehouse", "destination_warehouse", "created_by", "approved_by", "note"),
        "lines",
        (
            *(LINE, ITEM, LOT, PrintedColumn("requested", 2), PrintedColumn("shipped", 2)),
            *(PrintedColumn("received", 2), PrintedColumn("", 2, marked("Checked"))),
        ),
        signatures=(HANDED_OVER, TAKEN_OVER),
    ),
    "transfer-picks": PrintedKind(
        TRANSFER,
        marked("Pick list"),
        ("source_warehouse", "destination_warehouse", "note"),
        "picks",
        (PICKED_AT, ITEM, LOT, SERIAL, QUANTITY, TAKEN),
        is_printed=_is_to_be_taken,
        signatures=(marked("Picked: name, date"),),
    ),
    "count-sheet": PrintedKind(
        COUNT,
        marked("Count sheet"),
        ("warehouse", "kind", "round", "plan", "created_by", "note"),
        "sheet",
        (
            *(PLACE, ITEM, LOT, PrintedColumn("expected", 2)),
            PrintedColumn("", 3, marked("Quantity found")),
        ),
        read_rows=_count_lines,
        signatures=(marked("Counted: name, date"),),
        notes=(marked("Write 0 where nothing is there, and add below what nobody has listed."),),
    ),
}
