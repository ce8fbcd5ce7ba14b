"""Purchase orders, notices of shipment, inspections, supplier returns. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

HEAD_END = " version# created_by created_ms# changed_ms#"


def upgrade() -> None:
    """Add the tables of purchasing; there are no orders yet."""
    _orders()
    _notices()
    _arrivals()
    _returns()


def _orders() -> None:
    _create(
        "purchase_orders",
        1,
        "code warehouse supplier state promised_date currency note reason" + HEAD_END,
    )
    _index("purchase_orders", "warehouse", "warehouse state code")
    _index("purchase_orders", "state", "state code")
    _index("purchase_orders", "supplier", "supplier code")
    _create(
        "purchase_lines",
        2,
        "code line# item unit quantity_micro# base_unit expected_micro# over_percent_micro#"
        " under_percent_micro# price_e4#null promised_date closed_reason",
    )
    _index("purchase_lines", "item", "item code")


def _notices() -> None:
    _create(
        "shipping_notices",
        1,
        "code warehouse supplier order_code state own_document? expected_date note reason"
        + HEAD_END,
    )
    _index("shipping_notices", "warehouse", "warehouse state code")
    _index("shipping_notices", "order", "order_code code")
    _index("shipping_notices", "supplier", "supplier code")
    _create("notice_units", 2, "code sscc parent")
    _index("notice_units", "sscc", "sscc code")
    _create(
        "notice_lines",
        2,
        "code line# sscc item lot expiry_date unit quantity_micro# order_line# ended_micro#null",
    )


def _arrivals() -> None:
    _create(
        "document_arrivals",
        7,
        "warehouse document line# item unit lot sscc quantity_micro# first_ms# last_ms# record_no#",
    )
    _index("document_arrivals", "sscc", "sscc warehouse")
    # Until now only receipts were counted, and nobody kept which lots they were.
    op.execute(
        "INSERT INTO document_arrivals SELECT p.warehouse, p.document, p.line, p.item, p.unit,"
        " '', '', p.received_micro, f.event_time_ms, f.event_time_ms, p.record_no"
        " FROM document_progress p JOIN facts f ON f.record_no = p.record_no"
        " WHERE p.received_micro <> 0"
    )
    _create(
        "inspections",
        1,
        "code warehouse document document_line# item lot unit arrived_micro# open? version#"
        " created_ms# changed_ms#",
    )
    goods = "warehouse document document_line item lot unit"
    op.create_index("inspections_goods", "inspections", goods.split(), unique=True)
    _index("inspections", "item", "warehouse item lot")
    _index("inspections", "open", "open code")
    _create(
        "inspection_decisions",
        2,
        "code decision_no# decision source quantity_micro# location to_location serial sscc reason"
        " result actor at_ms# epoch seq#",
    )


def _returns() -> None:
    _create(
        "supplier_returns",
        1,
        "code warehouse supplier order_code state reason note end_reason" + HEAD_END,
    )
    _index("supplier_returns", "warehouse", "warehouse state code")
    _index("supplier_returns", "state", "state code")
    _index("supplier_returns", "supplier", "supplier code")
    _create(
        "supplier_return_lines",
        2,
        "code line# item lot unit quantity_micro# location inspection",
    )
    _create(
        "supplier_claims",
        2,
        "code claim_no# kind state amount_fen#null currency note actor at_ms#",
    )


def _create(table: str, key_count: int, columns: str) -> None:
    """Make a table: of text; "#" marks numbers, "?" yes or no, "null" what may be missing.

    The first `key_count` columns are its key.
    """
    made = []
    for word in columns.split():
        name = word.removesuffix("null").rstrip("#?")
        kind: type[sa.BigInteger | sa.Boolean | sa.Text] = sa.Text
        if "#" in word:
            kind = sa.BigInteger
        elif "?" in word:
            kind = sa.Boolean
        made.append(sa.Column(name, kind(), nullable=word.endswith("null")))
    key = [column.name for column in made[:key_count]]
    op.create_table(table, *made, sa.PrimaryKeyConstraint(*key), sqlite_with_rowid=False)


def _index(table: str, name: str, columns: str) -> None:
    op.create_index(f"{table}_{name}", table, columns.split(), unique=False)
