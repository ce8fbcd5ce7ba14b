"""Figures as Prometheus reads them, and what each of them is. Pure.

Source of the format: prometheus.io/docs/instrumenting/exposition_formats, text format 0.0.4; of the
names and units: prometheus.io/docs/practices/naming.
"""

from collections.abc import Iterable
from typing import Literal

Labels = tuple[tuple[str, str], ...]
HELPS = {
    "dockledger_build_info": "1; the labels say which program this is.",
    "dockledger_database_up": "Whether the database answers.",
    "dockledger_intake_up": "Whether the intake is connected to the broker.",
    "dockledger_intake_credit_facts": "How many facts a gateway may have under way.",
    "dockledger_facts_recorded_total": "Facts in the ledger.",
    "dockledger_quarantined_payloads": "Payloads that could not be taken and wait for a person.",
    "dockledger_discrepancies_open": "Open discrepancies by kind.",
    "dockledger_gateway_online": "Whether a gateway says that it is connected.",
    "dockledger_gateway_lag_movements": "Movements that a gateway has and the ledger not yet.",
    "dockledger_gateway_unsent_facts": "Facts that a gateway has not sent yet.",
    "dockledger_gateway_lag_seconds": "Age of the oldest fact that the ledger has not yet.",
    "dockledger_gateway_state_age_seconds": "Since when a gateway has said nothing of itself.",
    "dockledger_gateway_knowledge_age_seconds": "How old a gateway's knowledge of stock is.",
    "dockledger_gateway_lost_facts": "Facts that a gateway had and that are known to be lost.",
    "dockledger_gateway_forks_open": "Open alarms that somebody else speaks in its name.",
    "dockledger_gateway_clock_synced": "Whether the clock of a gateway is set.",
    "dockledger_gateway_disk_used_percent": "How full the disk of a gateway is.",
    "dockledger_gateway_written_bytes_day": "What a gateway wrote to its disk in a day.",
    "dockledger_gateway_shed_passages": "RFID passages that a gateway could not keep.",
    "dockledger_worker_online": "Whether a worker takes facts.",
    "dockledger_shards_unserved": "Shards of gateways that no worker serves.",
    "dockledger_alerts": "What somebody should see to, by kind and severity.",
    "dockledger_backup_last_good_timestamp_seconds": "When the last good backup was begun.",
    "dockledger_backup_last_good_bytes": "How large the last good backup is.",
    "dockledger_backup_last_good_record": "The last fact that is in the last good backup.",
    "dockledger_backup_last_run_good": "Whether the last backup or drill was good.",
    "dockledger_letters_waiting": "Letters that wait to be sent.",
    "dockledger_letters_oldest_timestamp_seconds": "When the oldest letter that waits was written.",
    "dockledger_webhook_deliveries_waiting": "Messages that subscribers have not taken.",
    "dockledger_certificate_expiry_timestamp_seconds": "When a gateway's certificate expires.",
    "dockledger_refused_total": "What was refused since this process began, by why.",
    "dockledger_sign_in_failures": "Names and addresses that fail to sign in just now.",
    "dockledger_machine_disk_used_percent": "How full the disk of the ledger is.",
}
COUNTED = "Count since the start of the process."


def metric(
    name: str, kind: Literal["counter", "gauge"], samples: Iterable[tuple[Labels, int]]
) -> str:
    """Return a metric with its samples as lines; what is not in HELPS counts since the start."""
    lines = [f"# HELP {name} {HELPS.get(name, COUNTED)}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        text = ",".join(f'{label}="{_escaped(content)}"' for label, content in labels)
        lines.append(f"{name}{{{text}}} {value}" if text else f"{name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
