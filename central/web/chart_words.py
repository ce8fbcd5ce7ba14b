"""Numbers and days of charts as a language writes them. Edge of Babel's locale data."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

from babel.dates import format_skeleton
from babel.numbers import format_compact_decimal, format_percent

from central.web.languages import catalogue, quantity_text


class ChartWords:
    """One language's way; get it from `chart_words`. Any thread."""

    def __init__(self, language: str) -> None:
        self._language = language
        self.say = catalogue(language).gettext
        self.quantity = quantity_text

    def short(self, value: Decimal) -> str:
        """Return a number for an axis, e.g. "12K" or "1.2万"."""
        if abs(value) < 10_000:
            return quantity_text(value)
        return format_compact_decimal(value, locale=self._language, fraction_digits=1)

    def percent(self, share: Decimal) -> str:
        """Return a share of 1, in whole hundredths."""
        return format_percent(share, format="#,##0%", locale=self._language)

    def day(self, time_ms: int) -> str:
        """Return the day of a time in UTC, e.g. "Nov 22" or "11月22日"."""
        moment = datetime.fromtimestamp(time_ms // 1000, UTC)
        return format_skeleton("MMMd", moment, locale=self._language)


@cache
def chart_words(language: str) -> ChartWords:
    """Return how a language of LANGUAGES writes."""
    return ChartWords(language)
