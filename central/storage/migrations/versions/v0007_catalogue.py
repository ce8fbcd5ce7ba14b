"""Items, packs, partners and places beyond what gateways need. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add policies and units of items, details of places, partners; nobody has any yet."""
    _create(
        "item_policies",
        ("item",),
        "item version# inspected? weight_unit expiry_tracked? serial_tracked? shelf_life_days#"
        " min_days_left_to_ship# min_micro# max_micro# safety_micro#"
        " over_tolerance_percent_micro# under_tolerance_percent_micro# rotation abc category"
        " storage_class cost_micro#",
    )
    _create("item_units", ("item", "unit"), "item unit numerator# denominator# gtin")
    _create(
        "item_places",
        ("warehouse", "item", "location"),
        "warehouse item location min_micro# max_micro#",
    )
    op.create_index("item_places_item", "item_places", ["item"])
    # What an item's bar codes are and which documents name it is asked whenever it is changed.
    op.create_index("item_barcodes_item", "item_barcodes", ["item"])
    op.create_index("document_lines_item", "document_lines", ["item"])
    _create(
        "location_details",
        ("warehouse", "location"),
        "warehouse location version# area? name parent walk_order# pick_face? capacity_micro# zone"
        " storage_class blocked?",
    )
    op.create_index("location_details_parent", "location_details", ["warehouse", "parent"])
    _create("warehouse_details", ("warehouse",), "warehouse version# gln address")
    _create(
        "partners",
        ("partner",),
        "partner version# kind name name_zh contact phone email address region gln"
        " lead_time_days# active?",
    )
    _create(
        "partner_certificates", ("partner", "kind", "number"), "partner kind number valid_until"
    )
    op.create_index("partner_certificates_end", "partner_certificates", ["valid_until"])


def _create(table: str, key: tuple[str, ...], columns: str) -> None:
    """Make a table of columns that are never null: text, or "#" for numbers, "?" for yes or no."""
    kinds = {"#": sa.BigInteger, "?": sa.Boolean}
    op.create_table(
        table,
        *(
            sa.Column(name.rstrip("#?"), kinds.get(name[-1], sa.Text)(), nullable=False)
            for name in columns.split()
        ),
        sa.PrimaryKeyConstraint(*key),
        sqlite_with_rowid=False,
    )
