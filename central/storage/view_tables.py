"""The table of views that staff keep; `tables` has it too. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Column, Table, Text

from central.storage.metadata import metadata

# A view of a page's table: what the query of its address was, under a name. page: the name of the
# table. made_by: who kept it last.
saved_views = Table(
    "saved_views",
    metadata,
    Column("page", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("query", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
