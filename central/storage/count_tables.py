"""Tables of counts of stock, what was observed, and what followed from it. Edge of SQLAlchemy."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from central.storage.metadata import metadata

LIMITS = tuple(
    f"{what}_{measure}_micro"
    for what in ("recount", "review")
    for measure in ("percent", "quantity", "value")
)
THING = ("location", "item", "lot", "serial", "sscc", "unit")


def _texts(*names: str, key: bool = False) -> tuple[Column[str], ...]:
    return tuple(Column(name, Text, primary_key=key, nullable=False) for name in names)


def _numbers(*names: str) -> tuple[Column[int], ...]:
    return tuple(Column(name, BigInteger, nullable=False) for name in names)


def _limits() -> tuple[Column[int], ...]:
    return tuple(Column(name, BigInteger, nullable=True) for name in LIMITS)


# One count. kind: "planned", "cyclic" or "ad_hoc". state: see central/orders/counts. round: which
# one is counted. rounds_max and the limits: how it is judged; NULL for a bound that is not there.
# plan: that chose its lines. gateway: of an ad hoc count. reason: why it was cancelled. ended_ms:
# when it was posted or cancelled, by ended_by.
counts = Table(
    "counts",
    metadata,
    *_texts("code", key=True),
    *_texts("warehouse", "kind", "state"),
    Column("blind", Boolean, nullable=False),
    *_numbers("round", "rounds_max"),
    *_limits(),
    *_texts("plan", "gateway", "note", "reason", "created_by"),
    *_numbers("created_ms", "released_ms", "finished_ms"),
    *_texts("ended_by"),
    *_numbers("ended_ms", "version"),
    Index("counts_warehouse", "warehouse", "state", "code"),
    sqlite_with_rowid=False,
)

# What each round of a count asks for. item "": all that is there; lot "": any lot. part: 0, or the
# number of one of several parts of the same goods, which add up. empty: somebody said that nothing
# is there.
count_lines = Table(
    "count_lines",
    metadata,
    *_texts("count", key=True),
    Column("round", BigInteger, primary_key=True),
    Column("line", BigInteger, primary_key=True),
    *_texts("location", "item", "lot"),
    *_numbers("part"),
    Column("empty", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

# Count facts of gateways, and those that were typed in at the desk: all of them, also the ones that
# a later one replaces. book_micro: what the ledger had when it posted the fact, of any status;
# quantity_micro, book_micro are in `unit`, in which the ledger keeps the item.
count_observations = Table(
    "count_observations",
    metadata,
    *_texts("warehouse", "gateway", "epoch", key=True),
    Column("seq", BigInteger, primary_key=True),
    *_texts("count"),
    *_numbers("round", "line", "part", "record_no", "event_time_ms"),
    *_texts(*THING, "expiry_date"),
    *_numbers("quantity_micro", "book_micro"),
    *_texts("operator", "station"),
    Index("count_observations_count", "count", "record_no"),
    sqlite_with_rowid=False,
)

# Variances that somebody does not want posted, and why.
count_rejections = Table(
    "count_rejections",
    metadata,
    *_texts("count", *THING, key=True),
    *_texts("actor", "reason"),
    *_numbers("at_ms"),
    sqlite_with_rowid=False,
)

# What a posted count found, line by line, as it was judged when it was posted or last amended.
# gateway, epoch, seq: the fact at whose moment it is compared. event_time_ms: of it, or when the
# line was posted if its clock was not set. counters: who counted, a JSON list. found: False for
# what was looked for and not there. book_micro: at that moment as the ledger then knew it; the
# others correct it. outcome: "matched", "adjusted", "rejected" or "superseded". adjusted_micro:
# what this count has changed stock by. abc, cost_micro: of the item at that time.
count_results = Table(
    "count_results",
    metadata,
    *_texts("count", *THING, key=True),
    *_texts("warehouse"),
    *_numbers("round"),
    *_texts("gateway", "epoch"),
    *_numbers("seq", "record_no", "event_time_ms"),
    *_texts("counters"),
    Column("found", Boolean, nullable=False),
    *_numbers(
        "counted_micro",
        "book_micro",
        "late_micro",
        "late_count",
        "after_micro",
        "after_count",
        "corrections_micro",
        "corrections_count",
        "taken_back_micro",
        "taken_back_count",
        "near_count",
        "variance_micro",
        "adjusted_micro",
    ),
    *_texts("outcome", "abc"),
    *_numbers("cost_micro"),
    Index("count_results_place", "warehouse", "location", "item"),
    Index("count_results_time", "warehouse", "event_time_ms"),
    sqlite_with_rowid=False,
)

# Which movements of the ledger's own a count has posted, and by how much each changed its place.
count_adjustments = Table(
    "count_adjustments",
    metadata,
    *_texts("warehouse", "gateway", "epoch", key=True),
    Column("seq", BigInteger, primary_key=True),
    *_texts("count", *THING),
    *_numbers("quantity_micro"),
    Index("count_adjustments_count", "count"),
    sqlite_with_rowid=False,
)

# When an item was last counted at a place, by a count that was posted.
count_last = Table(
    "count_last",
    metadata,
    *_texts("warehouse", "location", "item", key=True),
    *_numbers("counted_ms"),
    sqlite_with_rowid=False,
)

# How the stock of a warehouse is counted little by little: every so many days by class of the item
# (0: not at all; an item without a class is of class C), at most lines_max places and items a time.
count_plans = Table(
    "count_plans",
    metadata,
    *_texts("code", key=True),
    *_texts("warehouse"),
    *_numbers("a_days", "b_days", "c_days", "lines_max"),
    Column("blind", Boolean, nullable=False),
    *_numbers("rounds_max"),
    *_limits(),
    *_numbers("version"),
    sqlite_with_rowid=False,
)
