"""The ledger's figures in the text format of Prometheus. Edge of HTTP.

Source of the format: prometheus.io/docs/instrumenting/exposition_formats, text format 0.0.4.
"""

from collections import Counter
from collections.abc import Iterable
from importlib.metadata import version

from fastapi import APIRouter, Request, Response

from central.access.refusals import RefusalKind, Refusals
from central.api.context import Entering, Entrance, Reading
from central.api.metric_text import metric
from central.api.routes import measure_health
from central.stock.alerts import KINDS, SEVERITY, Alert
from central.stock.rows import GatewayRow, Workers
from central.stock.states import count_discrepancies, list_gateways
from central.stock.watching_figures import WatchingFigures, read_watching_figures
from central.stock.workers import list_workers
from central.storage.schema import head_revision

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
GATEWAYS_MAX = 1000

router = APIRouter(tags=["monitoring"])


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request, reading: Reading, entrance: Entering) -> Response:
    """Return the figures; 200 also without a database, so that the scrape itself says so."""
    health = measure_health(reading)
    build = (("version", version("dockledger")), ("revision", head_revision()))
    text = metric("dockledger_build_info", "gauge", [(build, 1)])
    text += metric("dockledger_database_up", "gauge", [((), int(health.database_reachable))])
    if health.intake_connected is not None:
        text += metric("dockledger_intake_up", "gauge", [((), int(health.intake_connected))])
    text += metric(
        "dockledger_refused_total",
        "counter",
        [((("kind", kind),), count) for kind, count in _refused(request).items()],
    )
    if entrance is not None:
        text += _intake_metrics(entrance)
    if health.counts is None:
        return Response(text, media_type=CONTENT_TYPE)
    text += metric("dockledger_facts_recorded_total", "counter", [((), health.counts.facts)])
    text += metric("dockledger_quarantined_payloads", "gauge", [((), health.counts.quarantined)])
    with reading.database.read() as connection:
        rows = list_gateways(connection, limit=GATEWAYS_MAX)
        workers = list_workers(connection, now_ms=reading.clock.now_ms())
        by_kind = count_discrepancies(connection)
        figures = read_watching_figures(connection, now_ms=reading.clock.now_ms())
    text += metric(
        "dockledger_discrepancies_open",
        "gauge",
        [((("kind", kind),), count) for kind, count in sorted(by_kind.items())],
    )
    text += _gateway_metrics(rows, now_ms=reading.clock.now_ms())
    text += _worker_metrics(workers)
    text += _watching_metrics(figures, reading.alerts.read(reading.database, reading.clock).alerts)
    return Response(text, media_type=CONTENT_TYPE)


def _refused(request: Request) -> dict[RefusalKind, int]:
    refusals = request.app.state.refusals
    assert isinstance(refusals, Refusals)
    return refusals.totals()


def _intake_metrics(entrance: Entrance) -> str:
    text = "".join(
        metric(f"dockledger_intake_{name}", "counter", [((), count)])
        for name, count in sorted(entrance.counters().items())
    )
    return text + metric("dockledger_intake_credit_facts", "gauge", [((), entrance.credit())])


def _gateway_metrics(rows: list[GatewayRow], *, now_ms: int) -> str:
    figures = (
        ("dockledger_gateway_online", [int(row.online) for row in rows]),
        ("dockledger_gateway_lag_movements", [row.lag_movements for row in rows]),
        ("dockledger_gateway_unsent_facts", [row.unsent_count for row in rows]),
        ("dockledger_gateway_lag_seconds", [row.lag_s(now_ms=now_ms) for row in rows]),
        ("dockledger_gateway_state_age_seconds", [row.told_age_s(now_ms=now_ms) for row in rows]),
        (
            "dockledger_gateway_knowledge_age_seconds",
            [row.known_age_s(now_ms=now_ms) or 0 for row in rows],
        ),
        ("dockledger_gateway_lost_facts", [row.lost_count for row in rows]),
        ("dockledger_gateway_forks_open", [row.forks_count for row in rows]),
        ("dockledger_gateway_clock_synced", [int(row.clock_synced) for row in rows]),
        ("dockledger_gateway_disk_used_percent", [row.disk_used_percent for row in rows]),
        ("dockledger_gateway_written_bytes_day", [row.written_bytes_day for row in rows]),
        ("dockledger_gateway_shed_passages", [row.shed_count for row in rows]),
    )
    labels = [(("gateway", row.code), ("warehouse", row.warehouse)) for row in rows]
    return "".join(
        metric(name, "gauge", zip(labels, values, strict=True)) for name, values in figures
    )


def _worker_metrics(workers: Workers) -> str:
    online = [((("worker", row.name),), int(row.alive)) for row in workers.rows]
    return metric("dockledger_worker_online", "gauge", online) + metric(
        "dockledger_shards_unserved", "gauge", [((), len(workers.unserved))]
    )


def _watching_metrics(figures: WatchingFigures, alerts: Iterable[Alert]) -> str:
    runs = [(((("kind", run.kind),)), run) for run in figures.runs]
    good = [(labels, run) for labels, run in runs if run.good_ms]
    text = metric(
        "dockledger_backup_last_good_timestamp_seconds",
        "gauge",
        [(labels, run.good_ms // 1000) for labels, run in good],
    )
    text += metric(
        "dockledger_backup_last_good_bytes",
        "gauge",
        [(labels, run.bytes_count) for labels, run in good if run.bytes_count],
    )
    text += metric(
        "dockledger_backup_last_good_record",
        "gauge",
        [(labels, run.record_no) for labels, run in good],
    )
    text += metric(
        "dockledger_backup_last_run_good",
        "gauge",
        [(labels, int(run.last_is_good)) for labels, run in runs],
    )
    text += metric("dockledger_letters_waiting", "gauge", [((), figures.letters_count)])
    oldest = [((), figures.letters_oldest_ms // 1000)] if figures.letters_count else []
    text += metric("dockledger_letters_oldest_timestamp_seconds", "gauge", oldest)
    deliveries = [((), figures.deliveries_count)]
    text += metric("dockledger_webhook_deliveries_waiting", "gauge", deliveries)
    text += metric(
        "dockledger_certificate_expiry_timestamp_seconds",
        "gauge",
        [((("gateway", code),), expires_ms // 1000) for code, expires_ms in figures.expiries],
    )
    failures = [((), figures.sign_in_failures_count)]
    text += metric("dockledger_sign_in_failures", "gauge", failures)
    disk = [] if figures.disk_percent is None else [((), figures.disk_percent)]
    text += metric("dockledger_machine_disk_used_percent", "gauge", disk)
    kinds = Counter(alert.kind for alert in alerts)
    return text + metric(
        "dockledger_alerts",
        "gauge",
        [((("kind", kind), ("severity", SEVERITY[kind])), kinds[kind]) for kind in KINDS],
    )
