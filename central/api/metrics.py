"""The ledger's figures in the text format of Prometheus. Edge of HTTP.

Source of the format: prometheus.io/docs/instrumenting/exposition_formats, text format 0.0.4.
"""

from collections.abc import Iterable

from fastapi import APIRouter, Response

from central.api.context import Entering, Entrance, Reading
from central.api.routes import measure_health
from central.stock.rows import GatewayRow, Workers
from central.stock.states import count_discrepancies, list_gateways
from central.stock.workers import list_workers

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
GATEWAYS_MAX = 1000

router = APIRouter(tags=["monitoring"])


@router.get("/metrics", include_in_schema=False)
def metrics(reading: Reading, entrance: Entering) -> Response:
    """Return the figures; 200 also without a database, so that the scrape itself says so."""
    health = measure_health(reading)
    text = _metric("dockledger_database_up", "gauge", [((), int(health.database_reachable))])
    if health.intake_connected is not None:
        text += _metric("dockledger_intake_up", "gauge", [((), int(health.intake_connected))])
    if entrance is not None:
        text += _intake_metrics(entrance)
    if health.counts is None:
        return Response(text, media_type=CONTENT_TYPE)
    text += _metric("dockledger_facts_recorded_total", "counter", [((), health.counts.facts)])
    text += _metric("dockledger_quarantined_payloads", "gauge", [((), health.counts.quarantined)])
    with reading.database.read() as connection:
        rows = list_gateways(connection, limit=GATEWAYS_MAX)
        workers = list_workers(connection, now_ms=reading.clock.now_ms())
        by_kind = count_discrepancies(connection)
    text += _metric(
        "dockledger_discrepancies_open",
        "gauge",
        [((("kind", kind),), count) for kind, count in sorted(by_kind.items())],
    )
    text += _gateway_metrics(rows, now_ms=reading.clock.now_ms())
    text += _worker_metrics(workers)
    return Response(text, media_type=CONTENT_TYPE)


def _intake_metrics(entrance: Entrance) -> str:
    text = "".join(
        _metric(f"dockledger_intake_{name}", "counter", [((), count)])
        for name, count in sorted(entrance.counters().items())
    )
    return text + _metric("dockledger_intake_credit_facts", "gauge", [((), entrance.credit())])


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
        _metric(name, "gauge", zip(labels, values, strict=True)) for name, values in figures
    )


def _worker_metrics(workers: Workers) -> str:
    online = [((("worker", row.name),), int(row.alive)) for row in workers.rows]
    return _metric("dockledger_worker_online", "gauge", online) + _metric(
        "dockledger_shards_unserved", "gauge", [((), len(workers.unserved))]
    )


def _metric(
    name: str, kind: str, samples: Iterable[tuple[tuple[tuple[str, str], ...], int]]
) -> str:
    lines = [f"# TYPE {name} {kind}"]
    for labels, value in samples:
        text = ",".join(f'{label}="{_escaped(content)}"' for label, content in labels)
        lines.append(f"{name}{{{text}}} {value}" if text else f"{name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
