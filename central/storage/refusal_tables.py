"""The table of what was refused to whom: counted, never one row an attempt. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from central.storage.metadata import metadata

# kind, subject: as `central/access/refusals.py` says. address: of the last attempt, "" if nobody
# knows. detail: of the last, whose it was or why. refused_count: since first_ms; it begins anew
# when the last is long ago.
refusals = Table(
    "refusals",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("refused_count", BigInteger, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Index("refusals_last", "last_ms"),
    sqlite_with_rowid=False,
)
