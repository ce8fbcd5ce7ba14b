"""Until when goods may be shipped, by their expiry date. Pure."""

from datetime import date, timedelta
from functools import lru_cache

DAYS_LEFT_MAX = 36_500
EXPIRIES_KEPT_MAX = 100  # Answers, of one day for the most part.


@lru_cache(EXPIRIES_KEPT_MAX)
def earliest_expiry(today: date, *, min_days_left: int) -> str:
    """Return the earliest expiry date that may be shipped today, "YYYY-MM-DD".

    The day of expiry itself still counts as good.
    """
    return (today + timedelta(days=min(max(min_days_left, 0), DAYS_LEFT_MAX))).isoformat()
