"""Purchase orders, notices of shipment, inspections, returns to suppliers. Edge of the database."""

from collections.abc import Sequence
from typing import Any

from central.api.asn_models import shipping_notice_out
from central.api.inspection_routes import inspection_out
from central.api.purchase_models import purchase_order_out
from central.api.supplier_return_models import supplier_return_out
from central.orders.order_goods import supplier_names, supplier_notes
from central.orders.purchasing import asn, purchase_orders, supplier_returns
from central.orders.purchasing.asn_reading import load_notices, view_notices
from central.orders.purchasing.inspection_reading import load_inspections, view_inspections
from central.orders.purchasing.purchase_reading import load_orders, view_orders
from central.orders.purchasing.supplier_return_reading import load_returns, view_returns
from central.web.documents.kinds import ActionOf, Connection, DocumentKind, Read, TableOf, state_in
from central.web.documents.parts import Values
from central.web.words import marked

UNEXPECTED = TableOf(
    "unexpected", marked("Came, and no line expects it"), ("item", "line", "received", "unit")
)


def _only(changeable: frozenset[str], later: frozenset[str]) -> Any:  # noqa: ANN401 - a callable.
    """Return what says which fields an edit may touch: all at first, some later."""
    return lambda values: frozenset() if values["decided"] in changeable else later


def _orders(connection: Connection, codes: Sequence[str], now_ms: int) -> list[Values]:
    views = view_orders(connection, load_orders(connection, codes))
    notes = supplier_notes(connection, {view.order.supplier for view in views}, now_ms=now_ms)
    return [
        purchase_order_out(view, notes[view.order.supplier], now_ms=now_ms).model_dump()
        | {"decided": view.order.state}
        for view in views
    ]


def _notices(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    views = view_notices(connection, load_notices(connection, codes))
    names = supplier_names(connection, {view.notice.supplier for view in views})
    return [
        shipping_notice_out(view, supplier_name=names[view.notice.supplier]).model_dump()
        | {"decided": view.notice.state}
        for view in views
    ]


def _begun_notice(connection: Connection, values: Values, now_ms: int) -> Values:
    """Return a notice of what its order still lacks, if the address names an order."""
    orders = _orders(connection, [values["order"]], now_ms) if values.get("order") else []
    if not orders:
        return values
    lines = [
        {"line": number, "item": line["item"], "quantity": line["remaining"]}
        | {"unit": line["base_unit"], "order_line": line["line"]}
        for number, line in enumerate(orders[0]["lines"], 1)
        if line["remaining"] != "0" and not line["closed_reason"]
    ]
    return {**values, "lines": lines}


def _order_links(values: Values) -> tuple[tuple[str, str], ...]:
    notices = tuple(
        (f"/shipping-notices/{code}", marked("Notice of shipment")) for code in values["notices"]
    )
    if values["decided"] not in purchase_orders.RELEASED:
        return notices
    return (
        *notices,
        (f"/shipping-notices/new?order={values['code']}", marked("New notice of shipment")),
    )


def _whole_notice(_connection: Connection, values: Values, _now_ms: int) -> Read:
    lines = [line | {"quantity": line["expected"]} for line in values["lines"]]
    filled = {"edit": {**values, "lines": lines}}
    return Read(values, filled, warehouse=values["warehouse"])


def _inspections(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    views = view_inspections(connection, load_inspections(connection, codes))
    return [
        inspection_out(view).model_dump() | {"state": "open" if view.amounts.open else "decided"}
        for view in views
    ]


def _whole_inspection(_connection: Connection, values: Values, _now_ms: int) -> Read:
    source = "inspection" if values["in_inspection"] != "0" else "held"
    left = values["in_inspection"] if source == "inspection" else values["held"]
    if left == "0":
        source, left = "rejected", values["rejected"]
    decision = {"quantity": left, "source": source}
    return Read(values, {"decide": {"decisions": [decision]}}, warehouse=values["warehouse"])


def _returns(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    views = view_returns(connection, load_returns(connection, codes))
    names = supplier_names(connection, {view.returned.supplier for view in views})
    found: list[Values] = []
    for view in views:
        out = supplier_return_out(view, supplier_name=names[view.returned.supplier]).model_dump()
        claims = [claim | {"claim": claim["number"]} for claim in out["claims"]]
        found.append(out | {"decided": view.returned.state, "claims": claims})
    return found


PURCHASE_ORDER = DocumentKind(
    name="purchase_order",
    path="/purchase-orders",
    api="/api/v1/purchase-orders/{code}",
    title=marked("Purchase order"),
    new_title=marked("New purchase order"),
    create="/api/v1/purchase-orders",
    facts=(
        *("warehouse", "supplier", "promised_date", "on_time", "fulfilment", "value", "currency"),
        *("notices", "first_receipt_time", "last_receipt_time", "created_by", "created_time"),
        *("reason", "note"),
    ),
    tables=(
        TableOf(
            "lines",
            marked("Lines"),
            (
                *("line", "item", "quantity", "expected", "received", "remaining", "fulfilment"),
                *("unit_price", "value", "promised_date", "closed_reason"),
            ),
            wide=frozenset({"line", "quantity", "unit_price", "value", "promised_date"}),
            empty=marked("No lines yet: edit the order to add some."),
        ),
        UNEXPECTED,
    ),
    read_many=_orders,
    actions=(
        ActionOf(
            "edit",
            method="PATCH",
            possible=state_in(purchase_orders.CHANGEABLE | purchase_orders.AMENDABLE),
            only=_only(purchase_orders.CHANGEABLE, frozenset({"promised_date", "note"})),
        ),
        ActionOf(
            "close_line",
            "/lines/{line}/close",
            table="lines",
            possible_in_row=lambda row: not row["closed_reason"] and row["remaining"] != "0",
        ),
    ),
    links=_order_links,
    kinds=("movement", "shipping_notice"),
)
SHIPPING_NOTICE = DocumentKind(
    name="shipping_notice",
    path="/shipping-notices",
    api="/api/v1/shipping-notices/{code}",
    title=marked("Notice of shipment"),
    new_title=marked("New notice of shipment"),
    create="/api/v1/shipping-notices",
    begin=_begun_notice,
    facts=(
        *("warehouse", "supplier", "order", "expected_date", "fulfilment", "own_document"),
        *("first_receipt_time", "last_receipt_time", "unexpected_units", "created_by"),
        *("created_time", "reason", "note"),
    ),
    tables=(
        TableOf(
            "lines",
            marked("Lines"),
            (
                *("line", "item", "lot", "expiry_date", "sscc", "expected", "received"),
                *("remaining", "fulfilment", "order_line"),
            ),
            wide=frozenset({"line", "expiry_date", "sscc", "order_line"}),
            empty=marked("No lines."),
        ),
        TableOf("units", marked("Handling units"), ("sscc", "parent", "presence")),
        UNEXPECTED,
    ),
    read_many=_notices,
    read_whole=_whole_notice,
    actions=(
        ActionOf(
            "edit",
            method="PATCH",
            possible=state_in(asn.CHANGEABLE | asn.AMENDABLE),
            there={"quantity": "expected"},
            only=_only(asn.CHANGEABLE, frozenset({"expected_date", "note"})),
        ),
    ),
    kinds=("movement",),
)
INSPECTION = DocumentKind(
    name="inspection",
    path="/inspections",
    api="/api/v1/inspections/{code}",
    title=marked("Inspection"),
    new_title="",
    facts=(
        *("warehouse", "item", "lot", "document", "document_line", "arrived", "in_inspection"),
        *("held", "accepted", "rejected", "scrapped", "gone", "created_time", "changed_time"),
    ),
    tables=(
        TableOf(
            "decisions",
            marked("Decisions"),
            (
                *("time", "decision", "source", "quantity", "location", "to_location", "reason"),
                *("result", "serial", "sscc", "actor", "fact"),
            ),
            wide=frozenset(
                {"source", "location", "to_location", "result", "serial", "sscc", "actor", "fact"}
            ),
            within="DecisionOut",
            empty=marked("Nothing is decided yet."),
        ),
    ),
    read_many=_inspections,
    read_whole=_whole_inspection,
    actions=(
        ActionOf(
            "decide",
            "/decisions",
            possible=lambda values: bool(values["open"]) or values["rejected"] != "0",
        ),
    ),
    kinds=("movement",),
)
SUPPLIER_RETURN = DocumentKind(
    name="supplier_return",
    path="/supplier-returns",
    api="/api/v1/supplier-returns/{code}",
    title=marked("Return to a supplier"),
    new_title=marked("New return to a supplier"),
    create="/api/v1/supplier-returns",
    facts=(
        *("warehouse", "supplier", "order", "reason", "fulfilment", "first_shipment_time"),
        *("last_shipment_time", "created_by", "created_time", "end_reason", "note"),
    ),
    tables=(
        TableOf(
            "lines",
            marked("Lines"),
            (
                *("line", "item", "lot", "quantity", "shipped", "remaining", "fulfilment"),
                *("location", "inspection"),
            ),
            wide=frozenset({"line", "location", "inspection"}),
        ),
        TableOf(
            "claims",
            marked("Claims"),
            ("number", "kind", "state", "amount", "currency", "note", "actor", "time"),
            wide=frozenset({"actor", "time"}),
        ),
        UNEXPECTED,
    ),
    read_many=_returns,
    actions=(
        ActionOf(
            "edit",
            method="PATCH",
            possible=state_in(supplier_returns.CLAIMABLE),
            only=_only(supplier_returns.CHANGEABLE, frozenset({"note"})),
        ),
        ActionOf("claim", "/claims", possible=state_in(supplier_returns.CLAIMABLE)),
        ActionOf(
            "decide_claim",
            "/claims/{claim}/decide",
            table="claims",
            possible=lambda values: bool(values["claims"]),
            possible_in_row=lambda row: row["state"] == "open",
        ),
    ),
    kinds=("movement",),
)
