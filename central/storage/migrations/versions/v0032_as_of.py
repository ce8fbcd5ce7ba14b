"""What was set aside and what was open at moments of the past. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Add what is kept of the past from now on, and since when.

    Everything that is set aside changes with a fact or at the desk: later than the last of both
    nothing has. Of what was opened again, the decision before says when it had been settled; where
    none stands before, it had settled itself, and nobody noted when.
    """
    with op.batch_alter_table("reservations") as table:
        table.add_column(
            sa.Column("changed_ms", sa.BigInteger(), nullable=False, server_default="0")
        )
        table.add_column(sa.Column("history", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("settlements") as table:
        table.add_column(
            sa.Column("undone_ms", sa.BigInteger(), nullable=False, server_default="0")
        )
    op.execute(
        "UPDATE settlements SET undone_ms = COALESCE((SELECT before.at_ms FROM settlements before"
        " WHERE before.discrepancy = settlements.discrepancy"
        " AND before.number = settlements.number - 1 AND before.action <> 'reopen'), 0)"
        " WHERE action = 'reopen'"
    )
    op.execute(
        "INSERT INTO ledger_state (key, value)"
        " SELECT 'reservations_since', CAST(MAX(last_ms) AS TEXT) FROM ("
        " SELECT MAX(reserved_ms) AS last_ms FROM reservations"
        " UNION ALL SELECT at_ms FROM object_events"
        " WHERE event_no = (SELECT MAX(event_no) FROM object_events)"
        " UNION ALL SELECT record_ms FROM facts"
        " WHERE record_no = (SELECT MAX(record_no) FROM facts)) AS moments"
        " WHERE EXISTS (SELECT 1 FROM reservations) HAVING MAX(last_ms) IS NOT NULL"
    )
