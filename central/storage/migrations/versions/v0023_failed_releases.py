"""Which release a gateway gave up, why and when. Edge of Alembic."""

import sqlalchemy
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Let gateways say which release did not work there, none so far."""
    for name in ("failed_release", "failed_reason"):
        column = sqlalchemy.Column(name, sqlalchemy.Text, nullable=False, server_default="")
        op.add_column("gateways", column)
    moment = sqlalchemy.Column(
        "failed_ms", sqlalchemy.BigInteger, nullable=False, server_default="0"
    )
    op.add_column("gateways", moment)
