"""Sales orders, waves of picks, returns of customers as documents. Edge of the database."""

from collections.abc import Sequence

from central.api.customer_return_models import customer_return_out
from central.api.order_values import quantity_text
from central.api.picking_models import wave_out
from central.api.sales_models import sales_order_out
from central.errors import NotThere
from central.orders.order_goods import supplier_names
from central.orders.reserving.availability import list_availability
from central.orders.sales.customer_return_reading import read_returns
from central.orders.sales.pick_waves import view_wave
from central.orders.sales.sales_store import read_figures, read_orders
from central.web.documents.kinds import ActionOf, Connection, DocumentKind, Read, TableOf
from central.web.documents.parts import Values
from central.web.words import marked

AVAILABILITY_ROWS_MAX = 10  # An item has a few units in one warehouse.


def _orders(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    found = read_figures(connection, read_orders(connection, codes))
    names = supplier_names(connection, {one.order.customer for one in found})
    return [
        sales_order_out(one, customer_name=names[one.order.customer]).model_dump()
        | {"decided": one.order.state}
        for one in found
    ]


def _whole_order(connection: Connection, values: Values, _now_ms: int) -> Read:
    warehouse = values["warehouse"]
    available = []
    for item in sorted({line["item"] for line in values["lines"]}):
        rows = list_availability(
            connection, warehouse=warehouse, item=item, after=None, limit=AVAILABILITY_ROWS_MAX
        )
        available += [
            {
                "item": row.key.item,
                "unit": row.key.unit,
                "on_hand": quantity_text(row.on_hand_micro),
                "allocated": quantity_text(row.allocated_micro),
                "available": quantity_text(row.available_micro),
                "in_transit": quantity_text(row.in_transit_micro),
            }
            for row in rows
        ]
    picks = [pick for pick in values["picks"] if pick["state"] != "freed"]

    whole = {**values, "availability": available, "picks": picks}
    return Read(whole, {"edit": values}, warehouse=warehouse)


def _waves(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    found: list[Values] = []
    for code in codes:
        try:
            out = wave_out(view_wave(connection, code)).model_dump()
        except NotThere:
            continue
        orders = [{"order": one["code"], "state": one["state"]} for one in out["orders"]]
        found.append(out | {"orders": orders, "order_codes": [one["order"] for one in orders]})
    return found


def _returns(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    views = read_returns(connection, codes)
    names = supplier_names(connection, {view.returned.customer for view in views})
    return [
        customer_return_out(view, customer_name=names[view.returned.customer]).model_dump()
        | {"decided": view.returned.state}
        for view in views
    ]


def _whole_return(_connection: Connection, values: Values, _now_ms: int) -> Read:
    decisions = [
        {"line": line["line"], "quantity": line["undecided"], "lot": line["lot"]}
        for line in values["lines"]
        if line["undecided"] != "0"
    ]
    return Read(values, {"decide": {"decisions": decisions}}, warehouse=values["warehouse"])


SALES_ORDER = DocumentKind(
    name="sales_order",
    path="/sales-orders",
    api="/api/v1/sales-orders/{code}",
    title=marked("Sales order"),
    new_title=marked("New sales order"),
    create="/api/v1/sales-orders",
    facts=(
        *("warehouse", "customer", "promised_on", "wanted_on", "coverage", "fulfilment"),
        *("backorders", "reference", "carrier", "tracking", "signed_by", "signed_time", "stale"),
        *("created_time", "reason", "note"),
    ),
    tables=(
        TableOf(
            "lines",
            marked("Lines"),
            (
                *("line", "item", "lot", "quantity", "shipped", "reserved", "picked", "backorder"),
                *("given_up", "fulfilment"),
            ),
            wide=frozenset({"line", "lot", "picked", "given_up", "fulfilment"}),
        ),
        TableOf(
            "picks",
            marked("Set aside"),
            (
                *("line", "pick", "location", "lot", "serial", "sscc", "quantity", "shipped"),
                *("state", "reason"),
            ),
            wide=frozenset({"line", "shipped", "reason"}),
        ),
        TableOf(
            "availability",
            marked("What the warehouse has"),
            ("item", "on_hand", "allocated", "available", "in_transit"),
            wide=frozenset({"allocated"}),
        ),
    ),
    read_many=_orders,
    read_whole=_whole_order,
    actions=(
        ActionOf("edit", method="PUT", without=frozenset({"code"})),
        ActionOf(
            "give_up",
            "/lines/{line}/give-up",
            table="lines",
            possible_in_row=lambda row: row["remaining"] != "0",
        ),
        ActionOf(
            "short_pick",
            "/picks/{pick}/short",
            table="picks",
            possible_in_row=lambda row: bool(row["pick"]) and row["quantity"] != "0",
        ),
    ),
    kinds=("movement", "pick_wave"),
)
PICK_WAVE = DocumentKind(
    name="pick_wave",
    path="/pick-lists",
    api="/api/v1/pick-waves/{code}",
    title=marked("Pick round"),
    new_title=marked("New pick round"),
    create="/api/v1/pick-waves",
    facts=("warehouse", "created_time", "note"),
    tables=(
        TableOf(
            "lines",
            marked("To be taken, in walking order"),
            (
                *("location", "item", "lot", "serial", "sscc", "quantity", "picked", "order"),
                *("pick",),
            ),
            wide=frozenset({"pick"}),
            empty=marked("Nothing is left to be taken."),
        ),
        TableOf("orders", marked("Orders on this round"), ("order", "state")),
    ),
    read_many=_waves,
    actions=(ActionOf("break_up", "/break-up", possible=lambda values: bool(values["orders"])),),
    kinds=("movement", "sales_order"),
)
CUSTOMER_RETURN = DocumentKind(
    name="customer_return",
    path="/customer-returns",
    api="/api/v1/customer-returns/{code}",
    title=marked("Return of a customer"),
    new_title=marked("New return of a customer"),
    create="/api/v1/customer-returns",
    facts=(
        *("warehouse", "customer", "order_code", "reason", "fulfilment", "created_time"),
        *("changed_time", "end_reason", "note"),
    ),
    tables=(
        TableOf(
            "lines",
            marked("Lines"),
            (
                *("line", "item", "lot", "quantity", "received", "remaining", "by_inspection"),
                *("undecided", "fulfilment", "reason"),
            ),
            wide=frozenset({"line", "lot", "by_inspection", "reason", "fulfilment"}),
        ),
        TableOf(
            "decisions",
            marked("Decisions"),
            (
                *("time", "line", "decision", "quantity", "location", "to_location"),
                *("from_status", "reason", "exchange_order", "actor"),
            ),
            wide=frozenset({"location", "to_location", "from_status", "actor"}),
        ),
    ),
    read_many=_returns,
    read_whole=_whole_return,
    actions=(ActionOf("decide", "/decisions"),),
    kinds=("movement",),
)
