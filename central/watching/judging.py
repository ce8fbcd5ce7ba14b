"""What to tell of alerts: what is new, what is still there, what is over. Pure.

absent --seen--> there, told at once --not seen--> gone --2 minutes--> told that it is over
                   ^    `--still there a day later: told again    |
                   `------------------seen again: nothing is said-'
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from central.config_keeping import AlertRecipient
from central.stock.alerts import Alert

RESOLVED_AFTER_MS = 120_000
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Known:
    """An alert of before. gone_ms: 0 while it is there. told_ms: when people were told last."""

    alert: Alert
    first_ms: int
    gone_ms: int
    told_ms: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What there is to do. again: told long ago and still there. gone: not there since now.

    back: was gone for a moment. over: gone for long enough; forgotten after it is told.
    """

    new: tuple[Alert, ...]
    again: tuple[Alert, ...]
    back: tuple[Alert, ...]
    gone: tuple[Known, ...]
    over: tuple[Known, ...]

    @property
    def is_quiet(self) -> bool:
        """Return whether nothing is to be written or told."""
        return not (self.new or self.again or self.back or self.gone or self.over)


def judge(
    present: Iterable[Alert], known: Mapping[str, Known], *, now_ms: int, repeat_ms: int
) -> Judged:
    """Return what is to be told. known: by the key of the alert."""
    there = {alert.key: alert for alert in present}
    absent = [one for key, one in known.items() if key not in there]
    return Judged(
        new=tuple(alert for key, alert in there.items() if key not in known),
        again=tuple(
            alert
            for key, alert in there.items()
            if key in known and now_ms - known[key].told_ms >= repeat_ms
        ),
        back=tuple(alert for key, alert in there.items() if key in known and known[key].gone_ms),
        gone=tuple(one for one in absent if not one.gone_ms),
        over=tuple(
            one for one in absent if one.gone_ms and now_ms - one.gone_ms >= RESOLVED_AFTER_MS
        ),
    )


def told_at_once(recipient: AlertRecipient, alerts: Iterable[Alert]) -> list[Alert]:
    """Return the alerts that a recipient wants to hear of at once."""
    return [
        alert
        for alert in alerts
        if is_about(recipient, alert)
        and (recipient.at_once == "all" or (recipient.at_once == "bad" and alert.severity == "bad"))
    ]


def is_about(recipient: AlertRecipient, alert: Alert) -> bool:
    """Return whether an alert is of a warehouse that a recipient hears of, or of none."""
    return not recipient.warehouses or alert.warehouse in {"", *recipient.warehouses}


def digest_slot(now_ms: int, *, hour: int) -> int:
    """Return the beginning of the last digest that was due, in milliseconds; hour: UTC."""
    day_ms = 24 * HOUR_MS
    shifted = now_ms - hour * HOUR_MS
    return shifted - shifted % day_ms + hour * HOUR_MS


def fit_to_mail(alert: Alert, recipients: Sequence[AlertRecipient]) -> bool:
    """Return whether anybody is told of an alert at once."""
    return any(told_at_once(one, [alert]) for one in recipients)
