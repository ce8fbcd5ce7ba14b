"""Documents by the day that was promised and by how far they are: filters and what they mean. Pure.

?due=late&from=2026-06-01 -> Due: a span of days, states under way, how far they may be
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from central.web.listing import Filter
from central.web.words import marked

# How far a document is, is made from its facts and not stored: of those whose head fits, so many
# are looked at.
DUE_LOOKED_AT_MAX = 2_000
SOON_DAYS = 7
_NOT_DONE = frozenset({"none", "partial"})
_CHOICES: tuple[tuple[str, str], ...] = (
    ("late", marked("Late")),
    ("today", marked("Due today or late")),
    ("soon", marked("Due within a week")),
    ("part", marked("Partly done")),
)


@dataclass(frozen=True, slots=True)
class Due:
    """What is wanted. first, last: days of the promise, YYYY-MM-DD, "" for no bound.

    choice: of the filter, "" for none. fulfilments: one of which a document has, empty for any.
    """

    choice: str = ""
    first: str = ""
    last: str = ""
    fulfilments: frozenset[str] = frozenset()


def due_filters(promised: str) -> tuple[Filter, ...]:
    """Return the filters of a table whose documents promise a day, () for others."""
    if not promised:
        return ()
    return (
        Filter("due", marked("Due"), "choice", _CHOICES),
        Filter("from", marked("Promised from"), "date"),
        Filter("until", marked("until"), "date"),
    )


def due_of(values: Mapping[str, str], *, promised: str, now_ms: int) -> Due:
    """Return what an address asks for; a day that is none is left out."""
    if not promised:
        return Due()
    first, last = _day(values.get("from", "")), _day(values.get("until", ""))
    choice = values.get("due", "")
    today = datetime.fromtimestamp(now_ms // 1000, UTC).date()
    ends = {"late": today - timedelta(1), "today": today, "soon": today + timedelta(SOON_DAYS)}
    if choice in ends:
        end = ends[choice].isoformat()
        return Due(choice, first, min(last or end, end), _NOT_DONE)
    return Due(choice, first, last, frozenset({"partial"}) if choice == "part" else frozenset())


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""
