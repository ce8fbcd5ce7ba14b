"""Closed periods: what belongs to which, what came late, what is still open. Pure.

A period is closed once and never opens again. What is dated in it and comes later is posted, since
it happened and stock must be true; it is listed as late, and reports count it in the next period:

                    May                      |            June
    dated       ----x----------x-------------|-----x------------
    recorded        x                        |     x   May closed       x (late: counts in June)

A fact is dated when it happened, by a clock that was set; else, or if that clock was ahead, when
it was recorded. So the date of a fact never changes, and none lies after its record.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from central.errors import Conflict, Unusable

MOVING_KINDS = ("movement", "reversal")  # Facts that can change stock.
POINTS_MAX = 500  # Of one check; further ones are counted.


@dataclass(frozen=True, slots=True)
class Period:
    """A closed period: from the end of the one before to just before through_ms.

    closed_record_no: the last fact that was recorded when it was closed.
    """

    number: int
    code: str
    through_ms: int
    closed_ms: int
    closed_record_no: int
    actor: str
    reason: str
    open_points: tuple["OpenPoint", ...] = ()


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """Something that may still change the figures of a period.

    check: "gateway", "discrepancy", "transfer", "count" or "balance". subject: which, of a balance
    its place. detail: for people.
    """

    check: str
    warehouse: str
    subject: str
    detail: str


def dated_ms(*, event_time_ms: int, clock_synced: bool, record_ms: int) -> int:
    """Return when a fact counts as having happened."""
    return min(event_time_ms, record_ms) if clock_synced else record_ms


def counting_period(
    periods: Sequence[Period], *, dated_at_ms: int, record_no: int
) -> Period | None:
    """Return the closed period that counts a fact, None if it counts in the open one.

    periods: oldest first.
    """
    for period in periods:
        if dated_at_ms < period.through_ms and record_no <= period.closed_record_no:
            return period
    return None


def late_for(periods: Sequence[Period], *, dated_at_ms: int, record_no: int) -> Period | None:
    """Return the period that a fact came too late for, None if it came in time.

    periods: oldest first.
    """
    for period in periods:
        if dated_at_ms < period.through_ms:
            return period if record_no > period.closed_record_no else None
    return None


def check_next(last: Period | None, *, code: str, through_ms: int, now_ms: int) -> None:
    """Return if a period may end there. Raises Conflict or Unusable."""
    if through_ms > now_ms:
        raise Unusable(
            "a period is closed after its end", hint="Wait for the end, or give an earlier one."
        )
    if through_ms <= 0:
        raise Unusable("a period ends after 1970-01-01", hint="Correct the end of the period.")
    if last is not None and through_ms <= last.through_ms:
        raise Conflict(
            f"period {last.code} is closed already and ends later than {code} would",
            hint="Give an end after that of the last closed period.",
            fields={"period": last.code},
        )


def refuse_open(points: Sequence[OpenPoint], *, anyway: bool, reason: str) -> None:
    """Return if a period may be closed with what is open. Raises Conflict, with the list of it."""
    if not points or (anyway and reason.strip()):
        return
    counts: dict[str, int] = {}
    for point in points:
        counts[point.check] = counts.get(point.check, 0) + 1
    what = ", ".join(f"{check} ({count})" for check, count in sorted(counts.items()))
    raise Conflict(
        f"still open: {what}",
        hint="See to them, or close it anyway and say why.",
        fields={"open": [_point_fields(point) for point in points]},
    )


def _point_fields(point: OpenPoint) -> dict[str, str]:
    return {
        "check": point.check,
        "warehouse": point.warehouse,
        "subject": point.subject,
        "detail": point.detail,
    }
