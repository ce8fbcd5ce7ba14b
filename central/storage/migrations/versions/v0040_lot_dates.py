"""What the dates of lots were; lots whose first word was taken back. Edge of Alembic."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

# Lots whose date a movement states that was taken back.
WITHDRAWN = """
SELECT k.warehouse, k.item, k.lot, k.expiry_date, k.first_record_no, f.record_ms
FROM reversals r
JOIN facts f ON f.warehouse = r.warehouse AND f.gateway = r.gateway AND f.epoch = r.epoch
     AND f.seq = r.seq
JOIN lots k ON k.warehouse = f.warehouse AND k.first_record_no = f.record_no
WHERE f.kind = 'movement'
"""
# What the other movements of one say, the first one first: not what was taken back, nor what takes
# something back.
STATED = """
SELECT first.expiry_date, first.record_no FROM {first}
JOIN facts f ON f.record_no = first.record_no
WHERE (first.record_no >> 18) IN ({blocks}) AND first.item = :item AND first.lot = :lot
  AND first.lot <> '' AND first.line_no = 1 AND first.warehouse = :warehouse
  AND first.expiry_date <> '' AND f.kind = 'movement'
  AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.warehouse = f.warehouse
      AND r.gateway = f.gateway AND r.epoch = f.epoch AND r.seq = f.seq)
  AND NOT EXISTS (SELECT 1 FROM settlement_facts s WHERE s.warehouse = f.warehouse
      AND s.gateway = f.gateway AND s.epoch = f.epoch AND s.seq = f.seq AND s.back_epoch <> '')
ORDER BY first.record_no LIMIT 1
"""
LINES = {"sqlite": "lines AS first INDEXED BY lines_lot", "postgresql": "lines AS first"}
INSERT = """
INSERT INTO lot_dates VALUES (:warehouse, :item, :lot, :number, :expiry_date, :record_no, :at_ms,
    :cause, '', '', '')
"""
DELETE = "DELETE FROM lots WHERE warehouse = :warehouse AND item = :item AND lot = :lot"
UPDATE = """
UPDATE lots SET expiry_date = :date, first_record_no = :number
WHERE warehouse = :warehouse AND item = :item AND lot = :lot
"""


def upgrade() -> None:
    """Add the table; have lots expire as their first movement says that is not taken back."""
    texts = ("warehouse", "item", "lot")
    op.create_table(
        "lot_dates",
        *(sa.Column(name, sa.Text(), primary_key=True, nullable=False) for name in texts),
        sa.Column("number", sa.BigInteger(), primary_key=True, nullable=False),
        sa.Column("expiry_date", sa.Text(), nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("cause", "actor", "reason", "discrepancy")
        ),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    withdrawn = connection.execute(sa.text(WITHDRAWN)).mappings().all()
    if not withdrawn:
        return
    newest = sa.text("SELECT record_no, record_ms FROM facts ORDER BY record_no DESC LIMIT 1")
    now = connection.execute(newest).one()
    blocks = ", ".join(map(str, range((now.record_no >> 18) + 1)))
    query = sa.text(STATED.format(first=LINES[connection.dialect.name], blocks=blocks))
    for lot in withdrawn:
        key = {name: lot[name] for name in texts}
        stated = connection.execute(query, key).first()
        date = stated.expiry_date if stated else ""
        # When it was taken back is not looked for: it is known so from this version on.
        was = (lot["expiry_date"], lot["first_record_no"], lot["record_ms"], "stated")
        becomes = (date, now.record_no, now.record_ms, "taken_back")
        names = ("expiry_date", "record_no", "at_ms", "cause")
        for number, row in enumerate((was, becomes), 1):
            values = {**key, "number": number, **dict(zip(names, row, strict=True))}
            connection.execute(sa.text(INSERT), values)
        if stated is None:
            connection.execute(sa.text(DELETE), key)
            continue
        changed = {**key, "date": date, "number": stated.record_no}
        connection.execute(sa.text(UPDATE), changed)
