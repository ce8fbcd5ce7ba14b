"""The bodies of answers about what settles a discrepancy, as far as it is known. Edge of HTTP."""

from collections.abc import Callable

from pydantic import JsonValue

from central.api.api_model import ApiModel
from central.api.order_values import quantity_text
from central.orders.settling.settlement_advice import Advice
from central.orders.settling.settlement_proposals import Proposal


class ProposalOut(ApiModel):
    """What the evidence suggests. body: for `settle`, all but the reason."""

    why: str
    body: dict[str, JsonValue]


class AdviceOut(ApiModel):
    """What somebody has to do or to say about it. page: of the ledger, "" for none."""

    text: str
    page: str


def proposal_out(proposal: Proposal, said: Callable[[str], str] = str) -> ProposalOut:
    """Return a proposal as what `settle` takes. said: a sentence in the language of the reader."""
    decision = proposal.decision
    body: dict[str, JsonValue] = {"action": decision.action}
    for name in ("location", "item", "document", "document_line", "warehouse", "expiry_date"):
        if value := getattr(decision, name):
            body[name] = value
    if decision.lot is not None:
        body["lot"] = decision.lot
    if decision.sscc is not None:
        body["sscc"] = decision.sscc
    if decision.factor is not None:
        body["factor"] = str(decision.factor)
    if decision.counted_micro is not None:
        body["counted"] = quantity_text(decision.counted_micro)
    if decision.quantity_micro is not None:
        body["quantity"] = quantity_text(decision.quantity_micro)
    if decision.weight_micro is not None:
        body["weight"] = quantity_text(decision.weight_micro)
    return ProposalOut(why=said(proposal.why), body=body)


def advice_out(advice: Advice, said: Callable[[str], str] = str) -> AdviceOut:
    """Return an advice."""
    return AdviceOut(text=said(advice.text), page=advice.page)
