"""The page of alerts: what somebody should see to, with what to do and where. Edge of HTTP."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from central.contract.quantities import from_micro
from central.stock.alerts import KINDS, Alert
from central.stock.times import utc_text
from central.stock.views import list_warehouses
from central.web.alert_words import (
    ALERTS,
    REASONS,
    SEVERITIES,
    alert_name,
    alert_reason,
    alert_url,
)
from central.web.asking import Asked, Asking, Table
from central.web.cells import (
    date_cell,
    link_cell,
    moment_cell,
    quantity_cell,
    text_cell,
)
from central.web.listing import Cell, Column, Filter, Found, Row, Wanted
from central.web.shell import listing_of, page, seen_counts
from central.web.words import (
    DEVICE_PROBLEMS,
    DEVICE_STATES,
    DISCREPANCIES,
    GATEWAY_PROBLEMS,
    marked,
)

KINDS_OF_CHANGES = (
    "movement",
    "gateway",
    "discrepancy",
    "transfer",
    "purchase_order",
    "sales_order",
    "item",
)
router = APIRouter(include_in_schema=False)


def read_alerts(asking: Asking, wanted: Wanted) -> Found:
    """Return alerts, those to act on first."""
    read = asking.reading.alerts.read(asking.reading.database, asking.reading.clock, fresh=True)
    with asking.read() as connection:
        warehouses = list_warehouses(connection)
    search = wanted.values["q"].casefold()
    found = [one for one in read.alerts if _is_wanted(one, wanted) and _matches(one, search)]
    if wanted.group == "warehouse":
        found.sort(key=lambda one: one.warehouse)
    if wanted.group == "kind":
        found.sort(key=lambda one: (one.severity != "bad", KINDS.index(one.kind)))
    if wanted.sort == "since":
        found.sort(key=lambda one: one.since_ms, reverse=wanted.descending)
    chosen = found[wanted.offset : wanted.offset + wanted.limit]
    names = {
        one.code: asking.texts.name(english=one.name, chinese=one.name_zh) for one in warehouses
    }
    return Found(
        rows=tuple(_row(asking, one, wanted.group) for one in chosen),
        total=len(found),
        choices={
            "warehouse": tuple((code, f"{code} {name}".strip()) for code, name in names.items())
        },
    )


DISK_KINDS = frozenset({"gateway_disk", "machine_disk"})
CODED_KINDS = frozenset(
    {"enrolment_refused", "gateway_cloned", "revoked_seen", "backup_failed", "drill_failed"}
    | {"credential_refused", "connections_held", "broker_refused"}
)
ALERT_TABLE = Table(
    name="alerts",
    title=marked("Alerts"),
    path="/alerts",
    columns=(
        Column("kind", marked("What")),
        Column("subject", marked("Which")),
        Column("warehouse", marked("Warehouse"), phone=False),
        Column("figure", marked("There is"), "number", phone=False),
        Column("bound", marked("Should be"), "number", phone=False),
        Column("since", marked("Since"), "moment", sortable=True, phone=False),
    ),
    filters=(
        Filter("q", marked("Search code or name")),
        Filter(
            "severity", marked("How urgent"), "choice", choices=tuple(sorted(SEVERITIES.items()))
        ),
        Filter(
            "kind",
            marked("What"),
            "choice",
            choices=tuple((kind, ALERTS[kind][0]) for kind in KINDS),
        ),
        Filter("warehouse", marked("Warehouse"), "choice"),
    ),
    groups=("kind", "warehouse"),
    kinds=KINDS_OF_CHANGES,
    empty=marked("Nothing needs anybody now."),
    read=read_alerts,
)


@router.get("/alerts")
def alerts_page(asking: Asked) -> HTMLResponse:
    """Draw all alerts."""
    listing = listing_of(asking, ALERT_TABLE)
    read = asking.reading.alerts.read(asking.reading.database, asking.reading.clock)
    counts = seen_counts(asking, read)
    content = {"listing": listing, "counts": counts, "read_time": utc_text(read.read_ms)}
    return page(
        asking,
        "oversight/alerts.html",
        title=asking.texts.say("Alerts"),
        kinds=KINDS_OF_CHANGES,
        content=content,
    )


def _is_wanted(alert: Alert, wanted: Wanted) -> bool:
    values = wanted.values
    return (
        values["severity"] in {"", alert.severity}
        and values["kind"] in {"", alert.kind}
        and values["warehouse"] in {"", alert.warehouse}
    )


def _matches(alert: Alert, search: str) -> bool:
    texts = (alert.subject, alert.name, alert.name_zh, alert.lot, alert.location, alert.detail)
    return not search or any(search in text.casefold() for text in texts)


def _row(asking: Asking, alert: Alert, group: str) -> Row:
    texts = asking.texts
    title, action = (texts.say(text) for text in ALERTS[alert.kind])
    detail = _detail(asking, alert)
    note = f"{detail}. {action}" if detail and alert.kind in REASONS else detail or action
    icon = "bad" if alert.severity == "bad" else "warn"
    href = alert_url(alert)
    name = alert_name(alert, texts)
    heading = {"kind": title, "warehouse": alert.warehouse}.get(group, "")
    return Row(
        key=alert.key,
        href=href,
        group=heading,
        cells=(
            Cell(text=title, tone=alert.severity, icon=icon, note=note),
            link_cell(
                _subject(asking, alert), href, note=" · ".join(filter(None, _notes(alert, name)))
            ),
            text_cell(alert.warehouse),
            _figure(asking, alert),
            _quantity(asking, alert.bound_micro, alert.unit),
            moment_cell(alert.since_ms) if not alert.due else date_cell(alert.due),
        ),
    )


def _subject(asking: Asking, alert: Alert) -> str:
    if alert.kind.startswith("discrepancy"):
        return asking.texts.word(DISCREPANCIES, alert.detail)
    return alert.subject or asking.texts.say("in nobody's name")


def _notes(alert: Alert, name: str) -> tuple[str, ...]:
    if alert.kind == "quarantined":
        return ()
    if alert.kind in CODED_KINDS:  # Its lot is a code of ours, which says nothing to people.
        return (name,)
    return (name or alert.item if alert.item != alert.subject else name, alert.location, alert.lot)


def _figure(asking: Asking, alert: Alert) -> Cell:
    if alert.figure_micro is None and alert.detail.isdecimal():
        return text_cell(alert.detail + (" %" if alert.kind in DISK_KINDS else ""))
    return _quantity(asking, alert.figure_micro, alert.unit)


def _quantity(asking: Asking, micro: int | None, unit: str) -> Cell:
    if micro is None:
        return text_cell("")
    return quantity_cell(from_micro(micro), unit, asking.texts)


def _detail(asking: Asking, alert: Alert) -> str:
    """Return what is wrong, in words, where a code says more than the kind."""
    texts = asking.texts
    if alert.kind == "gateway_problem":
        return texts.word(GATEWAY_PROBLEMS, alert.detail)
    if alert.kind == "device_not_ready":
        words = DEVICE_PROBLEMS if alert.detail in DEVICE_PROBLEMS else DEVICE_STATES
        return texts.word(words, alert.detail)
    return alert_reason(alert, texts)
