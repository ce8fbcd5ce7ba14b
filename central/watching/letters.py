"""Letters about alerts: what it is, since when, what to do, where. Pure.

Codes in them come from scanners and files: each is one printable line, and nothing of it is read
as a header, a link or a mark-up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from central.stock.alerts import Alert
from central.web.alert_words import ALERTS, SEVERITIES, alert_name, alert_reason, alert_url
from central.web.letter_words import (
    ADVICE,
    ALL_ALERTS,
    HEADINGS,
    MORE,
    OPENINGS,
    SINCE,
    LetterKind,
)
from central.web.texts import Texts

LISTED_MAX = 40  # Further ones are counted.
SUBJECT_CHARACTERS_MAX = 120
LINE_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent to one recipient."""

    subject: str
    body: str


def write_letter(
    kind: LetterKind, alerts: Sequence[Alert], *, texts: Texts, site: str, url: str
) -> Letter:
    """Return a letter about at least one alert. url: how pages are reached, "" for no links."""
    say = texts.say
    first = alerts[0]
    title = say(ALERTS[first.kind][0])
    others = f" +{len(alerts) - 1}" if len(alerts) > 1 else ""
    subject = f"[Dockledger {site}] {say(HEADINGS[kind])}: {title} {first.subject}{others}"
    parts = [say(OPENINGS[kind])]
    parts += [_paragraph(one, texts=texts, url=url, over=kind == "over") for one in listed(alerts)]
    if len(alerts) > LISTED_MAX:
        count = len(alerts) - LISTED_MAX
        parts.append(say(MORE) % {"n": count})
    if url:
        parts.append(f"{say(ALL_ALERTS)}: {url}/alerts")
    return Letter(one_line(subject)[:SUBJECT_CHARACTERS_MAX], "\n\n".join(parts) + "\n")


def listed(alerts: Sequence[Alert]) -> Sequence[Alert]:
    """Return the alerts that a letter names."""
    return alerts[:LISTED_MAX]


def one_line(text: str) -> str:
    """Return a text as one printable line."""
    return "".join(one if one.isprintable() else " " for one in text)[:LINE_CHARACTERS_MAX]


def described(alert: Alert, texts: Texts) -> tuple[str, str]:
    """Return what an alert is about, with its subject and detail, and what to do."""
    title, action = (texts.say(text) for text in ALERTS[alert.kind])
    reason = alert_reason(alert, texts) or alert.lot
    name = alert_name(alert, texts)
    about = (alert.warehouse, alert.subject, name, alert.location, reason, alert.detail)
    return f"{title}: " + " · ".join(dict.fromkeys(filter(None, about))), action


def _paragraph(alert: Alert, *, texts: Texts, url: str, over: bool) -> str:
    what, action = described(alert, texts)
    lines = [f"* {what}" if over else f"* [{texts.say(SEVERITIES[alert.severity])}] {what}"]
    if alert.since_ms:
        since = datetime.fromtimestamp(alert.since_ms / 1000, UTC)
        lines.append(f"  {texts.say(SINCE)}: {since:%Y-%m-%d %H:%M} UTC")
    if not over:
        lines.append(f"  {texts.say(ADVICE)}: {action}")
        if url:
            lines.append(f"  {url}{alert_url(alert)}")
    return "\n".join(one_line(line) for line in lines)
