"""Weights beside the quantities that closed periods keep. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"

KEY = "location, item, lot, serial, sscc, unit, status"
LINE_KEY = ", ".join("l." + name for name in KEY.split(", "))
DATED = (
    "CASE WHEN f.clock_synced AND f.event_time_ms < f.record_ms THEN f.event_time_ms"
    " ELSE f.record_ms END"
)
# Whole units and millionths apart, so that no order of the rows leaves 64 bits on the way.
WEIGHT = "CAST(SUM(l.weight_micro / 1000000) * 1000000 + SUM(l.weight_micro % 1000000) AS BIGINT)"
# What each closing had: dated before the end, recorded by then.
WEIGH_CLOSED = f"""
    INSERT INTO period_balances (warehouse, number, {KEY}, on_hand_micro, weight_micro)
    SELECT l.warehouse, p.number, {LINE_KEY}, 0, {WEIGHT}
    FROM lines l
    JOIN facts f ON f.warehouse = l.warehouse AND f.record_no = l.record_no
    JOIN periods p ON f.record_no <= p.closed_record_no AND {DATED} < p.through_ms
    WHERE l.weight_micro <> 0
    GROUP BY l.warehouse, p.number, {LINE_KEY}
    HAVING {WEIGHT} <> 0
    ON CONFLICT (warehouse, number, {KEY}) DO UPDATE SET weight_micro = excluded.weight_micro
"""  # noqa: S608 - made of our own constants


def upgrade() -> None:
    """Add the weights, and work out from the lines those of periods that are closed already."""
    with op.batch_alter_table("period_balances") as table:
        table.add_column(
            sa.Column("weight_micro", sa.BigInteger(), nullable=False, server_default="0")
        )
    connection = op.get_bind()
    if connection.scalar(sa.text("SELECT MAX(number) FROM periods")) is not None:
        connection.execute(sa.text(WEIGH_CLOSED))
