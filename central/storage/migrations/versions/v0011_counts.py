"""Counts of stock, their observations, results and plans. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

LIMITS = (
    " recount_percent_micro#- recount_quantity_micro#- recount_value_micro#-"
    " review_percent_micro#- review_quantity_micro#- review_value_micro#-"
)
THING = " location item lot serial sscc unit"
FACT = "warehouse gateway epoch seq#"


def upgrade() -> None:
    """Add them; nothing has been counted yet."""
    _create(
        "counts",
        1,
        "code warehouse kind state blind? round# rounds_max#"
        + LIMITS
        + " plan gateway note reason created_by created_ms# released_ms# finished_ms# ended_by"
        " ended_ms# version#",
    )
    op.create_index("counts_warehouse", "counts", ["warehouse", "state", "code"])
    _create("count_lines", 3, "count round# line# location item lot part# empty?")
    _create(
        "count_observations",
        4,
        FACT
        + " count round# line# part# record_no# event_time_ms#"
        + THING
        + " expiry_date quantity_micro# book_micro# operator station",
    )
    op.create_index("count_observations_count", "count_observations", ["count", "record_no"])
    _create("count_rejections", 7, "count" + THING + " actor reason at_ms#")
    _create(
        "count_results",
        7,
        "count"
        + THING
        + " warehouse round# gateway epoch seq# record_no# event_time_ms# counters found?"
        " counted_micro# book_micro# late_micro# late_count# after_micro# after_count#"
        " corrections_micro# corrections_count# taken_back_micro# taken_back_count# near_count#"
        " variance_micro# adjusted_micro# outcome abc cost_micro#",
    )
    op.create_index("count_results_place", "count_results", ["warehouse", "location", "item"])
    op.create_index("count_results_time", "count_results", ["warehouse", "event_time_ms"])
    _create("count_adjustments", 4, FACT + " count" + THING + " quantity_micro#")
    op.create_index("count_adjustments_count", "count_adjustments", ["count"])
    _create("count_last", 3, "warehouse location item counted_ms#")
    _create(
        "count_plans",
        1,
        "code warehouse a_days# b_days# c_days# lines_max# blind? rounds_max#"
        + LIMITS
        + " version#",
    )


def _create(table: str, key_columns_count: int, columns: str) -> None:
    """Make a table whose first columns are its key.

    Columns are text, "#" numbers, "?" yes or no; "-" after it: may be null.
    """
    names = columns.split()
    kinds = {"#": sa.BigInteger, "?": sa.Boolean}
    op.create_table(
        table,
        *(
            sa.Column(
                name.rstrip("#?-"),
                kinds.get(name.rstrip("-")[-1], sa.Text)(),
                nullable=name.endswith("-"),
                autoincrement=False,
            )
            for name in names
        ),
        sa.PrimaryKeyConstraint(*(name.rstrip("#?-") for name in names[:key_columns_count])),
        sqlite_with_rowid=False,
    )
