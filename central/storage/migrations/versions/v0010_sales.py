"""Reservations, sales orders, pick waves and customer returns. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

STOCK = ("item", "location", "lot", "serial", "sscc", "unit")


def upgrade() -> None:
    """Add what is set aside for whom, and what customers order and send back."""
    _create_reservations()
    _create(
        "sales_orders",
        ("code",),
        "code version# warehouse customer state backorders? wanted_on promised_on reference note"
        " carrier tracking stale? reason signed_by signed_ms# created_ms# changed_ms#",
    )
    op.create_index("sales_orders_state", "sales_orders", ["warehouse", "state", "code"])
    op.create_index("sales_orders_customer", "sales_orders", ["customer", "code"])
    _create(
        "sales_order_lines",
        ("order_code", "line"),
        "order_code line# item unit quantity_micro# lot given_up_micro# over_percent_micro#"
        " under_percent_micro# entered_quantity entered_unit",
    )
    _create("pick_waves", ("code",), "code version# warehouse note created_ms#")
    op.create_index("pick_waves_warehouse", "pick_waves", ["warehouse", "code"])
    _create("pick_wave_orders", ("order_code",), "order_code wave")
    op.create_index("pick_wave_orders_wave", "pick_wave_orders", ["wave", "order_code"])
    _create_customer_returns()


def _create_reservations() -> None:
    _create(
        "reservations",
        (
            *("warehouse", "holder_kind", "holder", "line"),
            *STOCK,
        ),
        "warehouse holder_kind holder line# item location lot serial sscc unit pick_line#"
        " quantity_micro# picked? shipped_micro# freed_micro# reason reserved_ms#",
    )
    op.create_index(
        "reservations_stock",
        "reservations",
        ["warehouse", *STOCK],
        sqlite_where=sa.text("quantity_micro > 0"),
        postgresql_where=sa.text("quantity_micro > 0"),
    )
    _create(
        "allocated",
        ("warehouse", *STOCK),
        "warehouse item location lot serial sscc unit allocated_micro#",
    )


def _create_customer_returns() -> None:
    _create(
        "customer_returns",
        ("code",),
        "code version# warehouse customer order_code state reason note end_reason created_ms#"
        " changed_ms#",
    )
    op.create_index("customer_returns_state", "customer_returns", ["warehouse", "state", "code"])
    op.create_index("customer_returns_customer", "customer_returns", ["customer", "code"])
    _create(
        "customer_return_lines",
        ("return_code", "line"),
        "return_code line# item unit quantity_micro# lot reason",
    )
    _create(
        "customer_return_decisions",
        ("return_code", "number"),
        "return_code number# line# decision quantity_micro# location to_location lot serial"
        " from_status reason exchange_order epoch seq# actor at_ms#",
    )


def _create(table: str, key: tuple[str, ...], columns: str) -> None:
    """Make a table of columns that are never null: text, or "#" for numbers, "?" for yes or no."""
    kinds = {"#": sa.BigInteger, "?": sa.Boolean}
    op.create_table(
        table,
        *(
            sa.Column(
                name.rstrip("#?"),
                kinds.get(name[-1], sa.Text)(),
                autoincrement=False,
                nullable=False,
            )
            for name in columns.split()
        ),
        sa.PrimaryKeyConstraint(*key),
        sqlite_with_rowid=False,
    )
