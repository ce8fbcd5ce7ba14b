"""Tables of discrepancies, settlements and closed periods. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from central.storage.metadata import metadata

# What does not add up. One open row per (warehouse, kind, subject); gateway, epoch, seq name the
# first fact behind it, facts_count how many there are; state: "open" or "settled". settlement: why.
# owner: who sees to it, "" for nobody yet. due_ms: until when, 0 for no day. version: raised by
# every change, of people and of further facts.
discrepancies = Table(
    "discrepancies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("warehouse", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("item", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("document_line", BigInteger, nullable=False),
    Column("expected_micro", BigInteger, nullable=True),
    Column("actual_micro", BigInteger, nullable=True),
    Column("detail", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("facts_count", BigInteger, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("record_no", BigInteger, nullable=False),
    Column("settled_ms", BigInteger, nullable=False, server_default="0"),
    Column("settlement", Text, nullable=False, server_default=""),
    Column("owner", Text, nullable=False, server_default=""),
    Column("due_ms", BigInteger, nullable=False, server_default="0"),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Index("discrepancies_open", "warehouse", "state", "kind", "subject"),
    Index("discrepancies_record_no", "record_no"),
    # For what an item or an order settles wherever it came up.
    Index("discrepancies_subject", "kind", "subject"),
)

# What people decided about a discrepancy, 1, 2 ... action: "adjust", "reverse", "accept",
# "reassign", or "reopen". undone_ms: when what a reopening undoes had been settled, 0 for other
# actions and where nobody noted it. Rows are only added.
settlements = Table(
    "settlements",
    metadata,
    Column("discrepancy", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("undone_ms", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

# The ledger's own facts that a settlement or a reopening posted. back_...: the fact that it takes
# back, "" and 0 for none.
settlement_facts = Table(
    "settlement_facts",
    metadata,
    Column("discrepancy", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("warehouse", Text, primary_key=True),
    Column("gateway", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("back_gateway", Text, nullable=False),
    Column("back_epoch", Text, nullable=False),
    Column("back_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# By how much one of these facts moved more than exactly that, by the factor that somebody gave, in
# millionths of the unit: "-1/3". What is settled later at the same places makes up for it. A fact
# that takes such a one back has the opposite. Rows are only added.
settlement_rests = Table(
    "settlement_rests",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("item", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("from_location", Text, nullable=False),
    Column("to_location", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("sscc", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("document_line", BigInteger, nullable=False),
    Column("rest", Text, nullable=False),
    Index("settlement_rests_item", "warehouse", "item", "unit"),
    sqlite_with_rowid=False,
)

# Closed periods, 1, 2 ... of the whole company, oldest first; each begins where the one before ends
# and ends before through_ms. closed_record_no: the last fact that was recorded when it was closed:
# what is dated before through_ms and recorded later came late. open_json: what was open then.
periods = Table(
    "periods",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("period", Text, nullable=False),
    Column("through_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger, nullable=False),
    Column("closed_record_no", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("open_json", Text, nullable=False),
    Index("periods_period", "period", unique=True),
    sqlite_with_rowid=False,
)

# What stood where at the end of a period, as the books had it when it was closed; no zeros.
# weight_micro: its catch weight, in the item's unit of weight.
period_balances = Table(
    "period_balances",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    Column("sscc", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("on_hand_micro", BigInteger, nullable=False),
    Column("weight_micro", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

# Facts that came after the period of their date was closed. number: that period; later ones
# that were closed before record_no lack it, too. dated_ms: when it happened, at the latest when it
# was recorded.
late_facts = Table(
    "late_facts",
    metadata,
    Column("warehouse", Text, primary_key=True),
    Column("record_no", BigInteger, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("dated_ms", BigInteger, nullable=False),
    Index("late_facts_period", "number", "record_no"),
    sqlite_with_rowid=False,
)
