"""Tables as of a moment: the fields that ask for one, and what they say above the rows. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from central.stock.times import EPOCH, utc_text
from central.web.listing import Filter
from central.web.texts import Texts
from central.web.words import marked

AS_OF = Filter("as_of", marked("As of (UTC)"), "moment")
KNOWN = Filter("known", marked("As the ledger knew it then"), "check")
_TIME_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d")


def time_ms_of(text: str) -> int | None:
    """Return the moment that a field or an address says, in UTC; None for no moment."""
    text = text.removesuffix("Z")
    for form in _TIME_FORMATS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
            return (moment - EPOCH) // timedelta(milliseconds=1)
        except (ValueError, OverflowError):
            continue
    return None


def time_field(time_ms: int) -> str:
    """Return a moment as a field says it, to the millisecond; "" beyond the year 9999."""
    return (utc_text(time_ms) or "").removesuffix("Z")


def as_of(values: Mapping[str, str]) -> tuple[int, Literal["event", "record"]] | None:
    """Return the moment that the fields of a table ask for, and by which time; None for now."""
    time_ms = time_ms_of(values.get("as_of", ""))
    if time_ms is None:
        return None
    return time_ms, "record" if values.get("known") == "1" else "event"


def asked_of_api(values: Mapping[str, str]) -> dict[str, str]:
    """Return the fields as the interface for programs takes them."""
    rest = {name: text for name, text in values.items() if name not in {AS_OF.name, KNOWN.name}}
    moment = as_of(values)
    time_text = utc_text(moment[0]) if moment is not None else None
    if moment is None or time_text is None:
        return rest
    return rest | {"as_of": time_text, "as_of_time": moment[1]}


def said_of(values: Mapping[str, str], texts: Texts) -> str:
    """Return what stands above rows of the past, "" for those of now."""
    moment = as_of(values)
    if moment is None:
        return ""
    text = marked("As it was at %(time)s UTC, by all that is known now. It is not live.")
    if moment[1] == "record":
        text = marked("As the ledger knew it at %(time)s UTC. It is not live.")
    return texts.say(text) % {"time": values["as_of"].replace("T", " ").removesuffix("Z")}
