"""Turns the ledger's milliseconds into text for people and programs. Pure."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME_MS_MAX = 253_402_300_799_999  # The last millisecond of the year 9999, where ISO 8601 ends.


def utc_text(time_ms: int) -> str | None:
    """Return e.g. "2026-11-22T04:05:06.789Z", None for a time beyond the year 9999.

    A gateway's clock can state anything; time is a label, so an impossible one is no error.
    """
    if not 0 <= time_ms <= TIME_MS_MAX:
        return None
    moment = EPOCH + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
