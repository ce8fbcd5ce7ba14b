"""The gateway's health in the Prometheus text format. Pure."""

from collections.abc import Mapping

from gateway.screen.page_state import PageSources

PREFIX = "dockledger_gateway_"


def metrics_text(sources: PageSources, counters: Mapping[str, int]) -> str:
    """Return gauges and counters; their names are in this folder's README."""
    lines = [
        f"# TYPE {PREFIX}unsent_facts gauge",
        f"{PREFIX}unsent_facts {sources.unsent_count}",
        f"# TYPE {PREFIX}central_connected gauge",
        f"{PREFIX}central_connected {int(sources.link.connected)}",
        f"# TYPE {PREFIX}journal_writable gauge",
        f"{PREFIX}journal_writable {int(not sources.journal_problem)}",
        f"# TYPE {PREFIX}device_ready gauge",
    ]
    lines += [
        f'{PREFIX}device_ready{{device="{_label(device.name)}",'
        f'device_class="{_label(device.device_class)}"}} {int(device.state == "ready")}'
        for device in sources.devices
    ]
    for name in sorted(counters):
        lines += [f"# TYPE {PREFIX}{name} counter", f"{PREFIX}{name} {counters[name]}"]
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
