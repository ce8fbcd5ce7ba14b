"""The kinds of documents and their tables, all of them. Root."""

from typing import get_args

from central.orders.counts.counts import State as CountState
from central.orders.purchasing.asn import State as NoticeState
from central.orders.purchasing.purchase_orders import State as OrderState
from central.orders.purchasing.supplier_returns import State as SupplierReturnState
from central.orders.sales.customer_returns import State as CustomerReturnState
from central.orders.sales.sales_orders import State as SalesState
from central.orders.transfers.transfers import ShownState
from central.web.asking import Table
from central.web.documents.catalogue_kinds import ITEM, PARTNER, WAREHOUSE
from central.web.documents.count_kinds import COUNT, COUNT_PLAN
from central.web.documents.kinds import DocumentKind
from central.web.documents.purchasing_kinds import (
    INSPECTION,
    PURCHASE_ORDER,
    SHIPPING_NOTICE,
    SUPPLIER_RETURN,
)
from central.web.documents.sales_kinds import CUSTOMER_RETURN, PICK_WAVE, SALES_ORDER
from central.web.documents.tables import DocumentTable, listing_of_kind
from central.web.documents.transfer_kinds import TRANSFER
from central.web.words import marked

# Kinds whose pages are at PATH/CODE; places have pages of their own.
KINDS: tuple[DocumentKind, ...] = (
    *(TRANSFER, PURCHASE_ORDER, SHIPPING_NOTICE, INSPECTION, SUPPLIER_RETURN, SALES_ORDER),
    *(PICK_WAVE, CUSTOMER_RETURN, COUNT, COUNT_PLAN, ITEM, PARTNER, WAREHOUSE),
)
_USUAL_SORT = frozenset({"state", "warehouse", "created_time"})
DOCUMENT_TABLES: tuple[DocumentTable, ...] = (
    DocumentTable(
        TRANSFER,
        marked("Transfers"),
        (
            *("state", "source_warehouse", "destination_warehouse", "under_way_since"),
            *("discrepancies", "created_time", "note"),
        ),
        frozenset(
            {"state", "source_warehouse", "destination_warehouse", "created_time"}
            | {"under_way_since"}
        ),
        get_args(ShownState),
        ends=("source_warehouse", "destination_warehouse"),
        groups=("state", "source_warehouse", "destination_warehouse"),
        wide=frozenset({"under_way_since", "created_time", "note"}),
    ),
    DocumentTable(
        PURCHASE_ORDER,
        marked("Purchase orders"),
        (
            *("state", "supplier", "warehouse", "promised_date", "fulfilment", "value"),
            *("currency", "created_time", "note"),
        ),
        _USUAL_SORT | {"supplier", "promised_date"},
        get_args(OrderState),
        "supplier",
        groups=("state", "supplier", "warehouse"),
        wide=frozenset({"warehouse", "fulfilment", "value", "currency", "created_time", "note"}),
        promised="promised_date",
        under_way=("sent", "confirmed"),
    ),
    DocumentTable(
        SHIPPING_NOTICE,
        marked("Notices of shipment"),
        (
            *("state", "supplier", "warehouse", "order", "expected_date", "fulfilment"),
            *("created_time", "note"),
        ),
        _USUAL_SORT | {"supplier", "expected_date", "order"},
        get_args(NoticeState),
        "supplier",
        groups=("state", "supplier", "warehouse"),
        wide=frozenset({"warehouse", "order", "fulfilment", "created_time", "note"}),
        promised="expected_date",
        under_way=("announced", "expected"),
    ),
    DocumentTable(
        INSPECTION,
        marked("Inspections"),
        (
            *("state", "item", "lot", "arrived", "in_inspection", "held", "accepted"),
            *("rejected", "document", "warehouse", "created_time"),
        ),
        frozenset({"item", "lot", "warehouse", "created_time", "document"}),
        ("open", "decided"),
        groups=("warehouse", "item", "state"),
        wide=frozenset(
            {
                "lot",
                "arrived",
                "held",
                "accepted",
                "rejected",
                "document",
                "warehouse",
                "created_time",
            }
        ),
        empty=marked("Nothing came that has to be inspected."),
    ),
    DocumentTable(
        SUPPLIER_RETURN,
        marked("Returns to suppliers"),
        (
            *("state", "supplier", "warehouse", "reason", "order", "fulfilment"),
            *("created_time", "note"),
        ),
        _USUAL_SORT | {"supplier", "reason"},
        get_args(SupplierReturnState),
        "supplier",
        groups=("state", "supplier", "warehouse"),
        wide=frozenset({"warehouse", "order", "fulfilment", "created_time", "note"}),
    ),
    DocumentTable(
        SALES_ORDER,
        marked("Sales orders"),
        (
            *("state", "customer", "warehouse", "promised_on", "coverage", "fulfilment"),
            *("reference", "created_time"),
        ),
        _USUAL_SORT | {"customer", "promised_on"},
        get_args(SalesState),
        "customer",
        groups=("state", "customer", "warehouse"),
        wide=frozenset({"warehouse", "coverage", "fulfilment", "reference", "created_time"}),
        promised="promised_on",
        under_way=("approved", "released", "signed"),
    ),
    DocumentTable(
        PICK_WAVE,
        marked("Pick rounds"),
        ("state", "warehouse", "order_codes", "created_time", "note"),
        frozenset({"warehouse", "created_time"}),
        wide=frozenset({"order_codes", "note"}),
        with_item=False,
        empty=marked("No rounds yet: a round takes the goods of several orders on one way."),
    ),
    DocumentTable(
        CUSTOMER_RETURN,
        marked("Returns of customers"),
        (
            *("state", "customer", "warehouse", "reason", "order_code", "fulfilment"),
            *("created_time", "note"),
        ),
        _USUAL_SORT | {"customer", "reason"},
        get_args(CustomerReturnState),
        "customer",
        groups=("state", "customer", "warehouse"),
        wide=frozenset({"warehouse", "fulfilment", "order_code", "created_time", "note"}),
    ),
    DocumentTable(
        COUNT,
        marked("Counts"),
        (
            *("state", "warehouse", "kind", "round", "plan", "blind", "created_by"),
            *("created_time", "note"),
        ),
        _USUAL_SORT | {"kind", "plan"},
        get_args(CountState),
        groups=("state", "warehouse", "kind"),
        wide=frozenset({"round", "plan", "blind", "created_by", "created_time", "note"}),
        with_item=False,
    ),
    DocumentTable(
        COUNT_PLAN,
        marked("Plans of counts"),
        ("warehouse", "a_days", "b_days", "c_days", "lines_max", "blind"),
        frozenset({"warehouse"}),
        wide=frozenset({"lines_max", "blind"}),
        with_item=False,
    ),
)
DOCUMENT_LISTINGS: tuple[Table, ...] = tuple(listing_of_kind(one) for one in DOCUMENT_TABLES)
