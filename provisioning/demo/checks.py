"""The summary's figures, each with what it should be. Pure."""

from dataclasses import dataclass

from provisioning.demo.actions import Provoked
from provisioning.demo.evidence import Evidence, GatewayEvidence, Stock
from provisioning.demo.words import N_

DIFFERENCES_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the summary. name: English, in the catalogue. subject: what it is about."""

    name: str
    subject: str
    expected: str
    found: str

    @property
    def ok(self) -> bool:
        """True if it is as it should be."""
        return self.expected == self.found


def judge(evidence: Evidence) -> tuple[Figure, ...]:
    """Return all figures of the summary."""
    figures: list[Figure] = []
    for gateway in evidence.gateways:
        figures += _gateway_figures(gateway)
    figures += [
        Figure(
            N_("facts kept while the network was cut"),
            cut.gateway,
            str(cut.caused_count),
            str(cut.kept_count),
        )
        for cut in evidence.cuts
    ]
    total = sum(len(gateway.journaled) for gateway in evidence.gateways)
    figures += [
        Figure(N_("facts in the ledger"), "central", str(total), str(evidence.ledger_facts_count)),
        Figure(N_("messages in quarantine"), "central", "0", str(evidence.quarantined_count)),
        Figure(
            N_("ledger rebuilt from its facts"),
            "central",
            N_("equal"),
            N_("equal") if evidence.ledger_verified else N_("differs"),
        ),
        Figure(
            N_("differences that the script provoked"),
            "central",
            _listed(evidence.provoked),
            _listed(evidence.discrepancies),
        ),
        Figure(
            N_("labels read back"),
            "central",
            str(len(evidence.labels)),
            str(sum(label.expected == label.decoded for label in evidence.labels)),
        ),
        Figure(
            N_("programs that ended by themselves"),
            "",
            N_("none"),
            ", ".join(evidence.children_ended) or N_("none"),
        ),
    ]
    return tuple(figures)


def _gateway_figures(gateway: GatewayEvidence) -> list[Figure]:
    who = gateway.gateway
    return [
        Figure(
            N_("facts caused = facts journaled"),
            who,
            str(gateway.facts_expected_count),
            str(len(gateway.journaled)),
        ),
        Figure(
            N_("facts journaled = facts posted"),
            who,
            str(len(gateway.journaled)),
            _posted(gateway),
        ),
        Figure(
            N_("acknowledged up to the head"),
            who,
            _positions(gateway.heads),
            _positions(gateway.acked),
        ),
        Figure(N_("facts not sent yet"), who, "0", str(gateway.unsent_count)),
        Figure(
            N_("stock equal on both sides"),
            who,
            _stock_text(gateway.local_stock),
            _stock_found(gateway.local_stock, gateway.central_stock),
        ),
        Figure(
            N_("journal verified"),
            who,
            N_("intact"),
            N_("intact") if gateway.verified else N_("damaged"),
        ),
    ]


def _posted(gateway: GatewayEvidence) -> str:
    twice = gateway.posted_rows_count - len(gateway.posted)
    missing = len(gateway.journaled - gateway.posted)
    foreign = len(gateway.posted - gateway.journaled)
    if not (twice or missing or foreign):
        return str(len(gateway.posted))
    return f"{len(gateway.posted)} ({missing} missing, {foreign} not in the journal, {twice} twice)"


def _positions(positions: dict[str, int]) -> str:
    # The start counter is enough to tell the epochs of one gateway apart.
    shown = [f"{epoch[:8]}:{seq}" for epoch, seq in sorted(positions.items())]
    return ", ".join(shown) or N_("nothing")


def _stock_text(stock: Stock) -> str:
    return str(len(stock))


def _stock_found(local: Stock, central: Stock) -> str:
    differences = [
        f"{key.location} {key.item} {key.lot}".rstrip()
        + f": {local.get(key, 0)} here, {central.get(key, 0)} at central"
        for key in sorted(local.keys() | central.keys())
        if local.get(key, 0) != central.get(key, 0)
    ]
    if not differences:
        return _stock_text(central)
    return "; ".join(differences[:DIFFERENCES_SHOWN_MAX])


def _listed(found: frozenset[Provoked]) -> str:
    return ", ".join(f"{one.warehouse} {one.kind} {one.subject}" for one in sorted(found)) or N_(
        "none"
    )
