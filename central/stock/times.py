"""Turns the ledger's milliseconds into text for people and programs. Pure."""

from datetime import UTC, datetime, timedelta

from central.contract.errors import ContractError

TIME_HINT = "Write a day, 2026-11-22, or a time with its zone, 2026-11-22T08:00:00Z."
LAST_OF_DAY = timedelta(days=1, milliseconds=-1)
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


def parse_time(text: str) -> int:
    """Return the milliseconds of an ISO 8601 time that names its zone, or of a day's end in UTC.

    "2026-11-22" means until its last millisecond. Raises ContractError.
    """
    try:
        if len(text) == len("2026-11-22"):
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC) + LAST_OF_DAY
        else:
            moment = datetime.fromisoformat(text)
        zone = moment.tzinfo
        time_ms = (moment.replace(tzinfo=zone or UTC) - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError) as error:
        raise ContractError(f"{text[:40]!r} is no time", hint=TIME_HINT) from error
    if zone is None:
        raise ContractError(f"{text[:40]!r} is a time without a zone", hint=TIME_HINT)
    if time_ms < 0:
        raise ContractError(f"{text[:40]!r} is before 1970", hint="Ask for a later time.")
    return time_ms
