"""Gathers from journals, ledger and printers what the summary is judged by. Loop."""

from provisioning.demo.evidence import Evidence, GatewayEvidence
from provisioning.demo.installation import Installation, Stand
from provisioning.demo.journals import read_journal
from provisioning.demo.morning import PROVOKED
from provisioning.demo.performer import Performer

UNKNOWN_UNSENT = -1  # The gateway did not answer.


def collect(installation: Installation, performer: Performer) -> Evidence:
    """Return what is there on both sides; traffic must have stopped.

    Raises httpx.HTTPError or sqlite3.Error if a side cannot be read at all.
    """
    ledger = installation.ledger
    health = ledger.health()
    counts = health.counts if health else None
    return Evidence(
        gateways=tuple(
            _gateway_evidence(installation, performer, stand)
            for stand in installation.stands.values()
        ),
        ledger_facts_count=counts.facts if counts else 0,
        quarantined_count=counts.quarantined if counts else UNKNOWN_UNSENT,
        ledger_verified=installation.ledger_is_intact(),
        labels=tuple(performer.labels),
        cuts=tuple(performer.cuts_kept),
        provoked=frozenset(PROVOKED),
        discrepancies=frozenset(ledger.discrepancies()),
        children_ended=installation.ended_children(),
    )


def _gateway_evidence(
    installation: Installation, performer: Performer, stand: Stand
) -> GatewayEvidence:
    state = stand.station.state()
    journal = read_journal(stand.journal)
    posted = installation.ledger.facts(stand.gateway)
    return GatewayEvidence(
        gateway=stand.gateway,
        warehouse=stand.warehouse,
        facts_expected_count=performer.facts_caused[stand.warehouse],
        journaled=journal.facts,
        posted=frozenset(posted),
        posted_rows_count=len(posted),
        heads=journal.heads,
        acked=installation.ledger.acknowledged(stand.gateway),
        unsent_count=state.unsent_count if state else UNKNOWN_UNSENT,
        local_stock=journal.stock,
        central_stock=installation.ledger.stock(stand.warehouse),
        verified=installation.journal_is_intact(stand),
    )
