"""The ledger's figures in the text format of Prometheus. Edge of HTTP.

Source of the format: prometheus.io/docs/instrumenting/exposition_formats, text format 0.0.4.
"""

from collections.abc import Iterable

from fastapi import APIRouter, Response

from central.api.context import Reading
from central.api.routes import measure_health
from central.stock.rows import GatewayRow
from central.stock.states import count_discrepancies, list_gateways

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
GATEWAYS_MAX = 1000

router = APIRouter(tags=["monitoring"])


@router.get("/metrics", include_in_schema=False)
def metrics(reading: Reading) -> Response:
    """Return the figures; 200 also without a database, so that the scrape itself says so."""
    health = measure_health(reading)
    text = _metric("dockledger_database_up", "gauge", [((), int(health.database_reachable))])
    if health.intake_connected is not None:
        text += _metric("dockledger_intake_up", "gauge", [((), int(health.intake_connected))])
    if health.counts is None:
        return Response(text, media_type=CONTENT_TYPE)
    text += _metric("dockledger_facts_recorded_total", "counter", [((), health.counts.facts)])
    text += _metric("dockledger_quarantined_payloads", "gauge", [((), health.counts.quarantined)])
    with reading.database.read() as connection:
        rows = list_gateways(connection, limit=GATEWAYS_MAX)
        by_kind = count_discrepancies(connection)
    text += _metric(
        "dockledger_discrepancies_open",
        "gauge",
        [((("kind", kind),), count) for kind, count in sorted(by_kind.items())],
    )
    text += _gateway_metrics(rows, now_ms=reading.clock.now_ms())
    return Response(text, media_type=CONTENT_TYPE)


def _gateway_metrics(rows: list[GatewayRow], *, now_ms: int) -> str:
    figures = (
        ("dockledger_gateway_online", [int(row.online) for row in rows]),
        ("dockledger_gateway_lag_facts", [row.lag_count for row in rows]),
        ("dockledger_gateway_unsent_facts", [row.unsent_count for row in rows]),
        ("dockledger_gateway_lag_seconds", [row.lag_s(now_ms=now_ms) for row in rows]),
    )
    labels = [(("gateway", row.code), ("warehouse", row.warehouse)) for row in rows]
    return "".join(
        _metric(name, "gauge", zip(labels, values, strict=True)) for name, values in figures
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
