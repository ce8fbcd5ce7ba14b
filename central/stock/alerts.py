"""What somebody should see to: each alert has a subject, figures and a severity. Pure.

Alerts are computed from what is there, none is stored: one goes away when its reason does. Pages
say what to do about a kind, and where.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

Severity = Literal["bad", "warn"]
AlertKind = Literal[
    "negative_stock",
    "below_safety",
    "below_minimum",
    "above_maximum",
    "lot_expired",
    "lot_unshippable",
    "lot_expiring",
    "transfer_overdue",
    "purchase_overdue",
    "sales_overdue",
    "gateway_problem",
    "gateway_silent",
    "gateway_lagging",
    "gateway_lost",
    "gateway_disk",
    "update_failed",
    "device_not_ready",
    "clock_unsynced",
    "shard_unserved",
    "discrepancy_fork",
    "discrepancy_overdue",
    "discrepancy_old",
    "quarantined",
    "login_failures",
    "credential_refused",
    "connections_held",
    "broker_refused",
    "enrolment_refused",
    "gateway_cloned",
    "revoked_seen",
    "certificate_expiring",
    "certificate_expired",
    "revocation_list_ends",
    "restarting",
    "machine_disk",
    "backup_failed",
    "backup_old",
    "drill_failed",
    "drill_old",
    "mail_failing",
    "webhook_failing",
]
KINDS: tuple[AlertKind, ...] = get_args(AlertKind)
SEVERITY: dict[AlertKind, Severity] = {
    "negative_stock": "bad",
    "below_safety": "bad",
    "below_minimum": "warn",
    "above_maximum": "warn",
    "lot_expired": "bad",
    "lot_unshippable": "warn",
    "lot_expiring": "warn",
    "transfer_overdue": "warn",
    "purchase_overdue": "warn",
    "sales_overdue": "bad",
    "gateway_problem": "bad",
    "gateway_silent": "bad",
    "gateway_lagging": "warn",
    "gateway_lost": "bad",
    "gateway_disk": "warn",
    "update_failed": "warn",
    "device_not_ready": "warn",
    "clock_unsynced": "warn",
    "shard_unserved": "bad",
    "discrepancy_fork": "bad",
    "discrepancy_overdue": "warn",
    "discrepancy_old": "warn",
    "quarantined": "bad",
    "login_failures": "bad",
    "credential_refused": "bad",
    "connections_held": "bad",
    "broker_refused": "bad",
    "enrolment_refused": "bad",
    "gateway_cloned": "bad",
    "revoked_seen": "bad",
    "certificate_expiring": "warn",
    "certificate_expired": "bad",
    "revocation_list_ends": "bad",
    "restarting": "bad",
    "machine_disk": "bad",
    "backup_failed": "bad",
    "backup_old": "bad",
    "drill_failed": "bad",
    "drill_old": "warn",
    "mail_failing": "bad",
    "webhook_failing": "warn",
}
# Of the system itself; there is no page about one of them alone.
SAFETY_KINDS: tuple[AlertKind, ...] = (
    "revocation_list_ends",
    "login_failures",
    "credential_refused",
    "connections_held",
    "broker_refused",
    "enrolment_refused",
    "machine_disk",
    "backup_failed",
    "backup_old",
    "drill_failed",
    "drill_old",
    "mail_failing",
    "webhook_failing",
)
_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
PER_KIND_MAX = 500  # Further ones of a kind are not listed.


class AlertPlace(NamedTuple):
    """Where an alert stands in the order in which people work on them."""

    is_warning: bool
    kind_number: int
    since_ms: int
    due: str
    warehouse: str
    subject: str
    lot: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to see to. subject: its code (an item, an order, a gateway, a discrepancy).

    item, name, name_zh, location, lot: "" where it is about none. figure_micro and bound_micro: in
    `unit`, what is and what should be; None where no quantity is at stake. since_ms: since when, 0
    if nobody knows. detail: a code that says more (a problem, a kind of discrepancy), or figures.
    """

    kind: AlertKind
    warehouse: str
    subject: str
    item: str = ""
    name: str = ""
    name_zh: str = ""
    location: str = ""
    lot: str = ""
    unit: str = ""
    figure_micro: int | None = None
    bound_micro: int | None = None
    since_ms: int = 0
    due: str = ""
    detail: str = ""

    @property
    def severity(self) -> Severity:
        """Return how bad it is."""
        return SEVERITY[self.kind]

    @property
    def key(self) -> str:
        """Return what stays the same while the alert does."""
        return "/".join((self.kind, self.warehouse, self.subject, self.location, self.lot))


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """How many alerts there are. more: some kind has more than are listed."""

    bad_count: int
    warn_count: int
    more: bool

    @property
    def count(self) -> int:
        """Return all of them."""
        return self.bad_count + self.warn_count


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Return alerts as people work on them: the bad ones first, then by kind, the oldest first."""
    return sorted(alerts, key=place_of)


def place_of(alert: Alert) -> AlertPlace:
    """Return where an alert stands among all others."""
    return AlertPlace(
        alert.severity != "bad",
        _NUMBERS[alert.kind],
        alert.since_ms,
        alert.due,
        alert.warehouse,
        alert.subject,
        alert.lot,
        alert.location,
    )


def counts_of(alerts: Sequence[Alert]) -> AlertCounts:
    """Return how many there are."""
    bad_count = sum(one.severity == "bad" for one in alerts)
    kinds = [one.kind for one in alerts]
    more = any(kinds.count(kind) >= PER_KIND_MAX for kind in set(kinds))
    return AlertCounts(bad_count, len(alerts) - bad_count, more)
