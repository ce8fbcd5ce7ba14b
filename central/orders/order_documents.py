"""The documents that orders let stations work on, and their codes. Edge of the database."""

from collections.abc import Sequence

from sqlalchemy import Connection, Table, select

from central.contract.identifiers import parse_code
from central.contract.reference import ExpectedDocument
from central.errors import Conflict
from central.ledger.desk import Change
from central.ledger.reference_desk import put_document, withdraw_document
from central.storage import bulk, purchasing_tables, sales_tables, tables

# What has a code of its own, which stands first in its row.
_CALLED: Sequence[tuple[str, Table]] = (
    ("a purchase order", purchasing_tables.purchase_orders),
    ("a notice of shipment", purchasing_tables.shipping_notices),
    ("a supplier return", purchasing_tables.supplier_returns),
    ("a sales order", sales_tables.sales_orders),
    ("a customer return", sales_tables.customer_returns),
)


def new_code(change: Change, prefix: str, *, warehouse: str, wished: str) -> str:
    """Return the code of a new order: the one that was wished, or the next below a prefix.

    Stations know documents by their codes alone, so nothing else may have it. Raises Conflict,
    ContractError for a code that cannot be one.
    """
    if not wished:
        while True:
            code = change.next_code(prefix)
            document = bulk.Look(tables.documents, [(warehouse, code)], 2)
            bulk.look_ahead(change.connection, [*code_looks(code), document])
            if not _holder(change.connection, warehouse=warehouse, code=code):
                return code
    parse_code(wished, what="document")
    holder = _holder(change.connection, warehouse=warehouse, code=wished)
    if holder:
        raise Conflict(
            f"{holder} is called {wished} already",
            hint="Give it another code, or leave the code out.",
            fields={"code": wished},
        )
    return wished


def code_looks(code: str) -> list[bulk.Look]:
    """Return what `new_code` will look up of a code beside documents, to be read ahead."""
    return [bulk.Look(table, [(code,)], 1) for _, table in _CALLED]


def require_free_document(connection: Connection, *, warehouse: str, code: str) -> None:
    """Return if stations know no document of this code yet. Raises Conflict."""
    if _is_document(connection, warehouse=warehouse, code=code):
        raise Conflict(
            f"stations of {warehouse} work on another document that is called {code}",
            hint="Take that document away first, or order under another code.",
            fields={"code": code},
        )


def replace_document(
    change: Change, document: ExpectedDocument | None, *, warehouse: str, code: str
) -> None:
    """Let stations work on a document, or on none of this code; told only if that is new."""
    if document is not None:
        put_document(change, document)
        return
    table = tables.documents.c
    there = change.connection.execute(
        select(table.document).where(table.warehouse == warehouse, table.document == code)
    ).first()
    if there is not None:
        withdraw_document(change, warehouse=warehouse, code=code)


def _holder(connection: Connection, *, warehouse: str, code: str) -> str:
    """Return what is called by a code already, "" if nothing."""
    for what, table in _CALLED:
        if any(True for _ in bulk.select_by_key(connection, table, [(code,)], columns_count=1)):
            return what
    return "a document" if _is_document(connection, warehouse=warehouse, code=code) else ""


def _is_document(connection: Connection, *, warehouse: str, code: str) -> bool:
    keys = [(warehouse, code)]
    found = bulk.select_by_key(connection, tables.documents, keys, columns_count=2)
    return any(True for _ in found)
