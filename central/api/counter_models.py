"""The body of a sale over the counter. Edge of HTTP."""

from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from central.api.order_values import Asking, DecimalText, DocumentCode, Note, positive_micro
from central.api.parameters import Text, WarehouseCode
from central.api.sales_models import LINE_ASKED, SalesLineIn, ShortText
from central.orders.sales.counter_sale import Stated
from central.orders.sales.sales_lines import LineAsked, OrderAsked
from central.orders.sales.sales_orders import LINES_COUNT_MAX

SERIALS_COUNT_MAX = 500
SALE_ASKED: JsonValue = {
    "warehouse": "SH1",
    "customer": "SHOP",
    "reference": "till 1, 0042",
    "lines": [LINE_ASKED],
}


class SaleLineIn(SalesLineIn):
    """A line that is handed over.

    serials: one for each piece, of an item that has serial numbers; one for all of the line if the
    item is kept in a measure. net_weight: of all of the line, in the unit in which the item is
    weighed; left out for others.
    """

    serials: Annotated[tuple[Text, ...], Field(max_length=SERIALS_COUNT_MAX)] = ()
    net_weight: DecimalText | None = None


class SaleIn(Asking):
    """A sale over the counter. code: left out, the ledger gives the next one.

    reference: e.g. the number of the receipt.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [SALE_ASKED]})

    warehouse: WarehouseCode
    customer: Text
    lines: Annotated[list[SaleLineIn], Field(min_length=1, max_length=LINES_COUNT_MAX)]
    code: DocumentCode | None = None
    reference: ShortText = ""
    note: Note = ""


def sale_asked(body: SaleIn) -> OrderAsked:
    """Return what is asked for. Raises ContractError, Unusable."""
    return OrderAsked(
        warehouse=body.warehouse,
        customer=body.customer,
        lines=tuple(
            LineAsked(line.line, line.item, positive_micro(line.quantity), line.unit, line.lot)
            for line in body.lines
        ),
        code=body.code or "",
        backorders=False,
        reference=body.reference,
        note=body.note,
    )


def goods_stated(body: SaleIn) -> dict[int, Stated]:
    """Return what is said of goods beside the order, by line. Raises ContractError, Unusable."""
    return {
        line.line: Stated(
            line.serials,
            positive_micro(line.net_weight, what="net weight") if line.net_weight else 0,
        )
        for line in body.lines
        if line.serials or line.net_weight
    }
