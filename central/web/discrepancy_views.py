"""One discrepancy as its page shows it: evidence, proposals, what was done. Edge of HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast
from urllib.parse import quote

from central.contract.quantities import canonical_text, from_micro
from central.ledger.entries import DiscrepancyKind
from central.orders.settling.discrepancy_views import DiscrepancyDetail
from central.orders.settling.kind_rules import cause_of
from central.orders.settling.settlement_proposals import Proposal
from central.orders.settling.settlements import Decision
from central.stock.history import ObjectEvent
from central.stock.rows import DiscrepancyRow, MovementRow
from central.stock.times import utc_text
from central.web.feed_views import EvidenceView, FeedView, fact_url
from central.web.listing import Cell
from central.web.settlement_words import ACTIONS, CAUSES, DONE, MEANINGS, sentence
from central.web.stock_words import place_word, under_way_url
from central.web.texts import Texts
from central.web.words import DISCREPANCIES, PLACES, UNITS

BYTES_SHOWN_MAX = 2048
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class FactEvidence:
    """A fact behind it: as a movement, and what it was made from down to its bytes."""

    feed: FeedView
    evidence: EvidenceView


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A settlement that is proposed. why: one sentence. fields: (path in the API's body, text)."""

    action: str
    label: str
    why: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AdviceView:
    """What somebody has to do or to say. page: where, "" for no page."""

    text: str
    page: str


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was done about it. facts: (identity, address) of what it posted."""

    what: str
    who: str
    time: str | None
    text: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DetailView:
    """Everything about a discrepancy. actions: (action, label, what it does), those that settle it.

    why_settled: "" while it is open. first: the proposal that stands as one button.
    """

    id: str
    version: int
    state: str
    kind: str
    meaning: str
    facts: tuple[tuple[str, Cell], ...]
    proposals: tuple[ProposalView, ...]
    advice: tuple[AdviceView, ...]
    actions: tuple[tuple[str, str, str], ...]
    target: str
    evidence: tuple[FactEvidence, ...]
    facts_count: int
    unread: str
    why_settled: str
    done: tuple[Done, ...]
    owner: str
    due: str

    @property
    def first(self) -> ProposalView | None:
        """Return the best proposal, None where only people know."""
        return self.proposals[0] if self.proposals else None


def detail_view(
    detail: DiscrepancyDetail, events: Sequence[ObjectEvent], texts: Texts, *, now_ms: int
) -> DetailView:
    """Return the view of a discrepancy; events: what was done, newest first."""
    row = detail.row
    settled = row.state == "settled"
    return DetailView(
        id=row.id,
        version=row.version,
        state=row.state,
        kind=texts.word(DISCREPANCIES, row.kind),
        meaning=texts.word(MEANINGS, row.kind),
        facts=tuple(_facts(row, texts, now_ms=now_ms)),
        proposals=tuple(proposal_view(one, texts) for one in detail.proposals),
        advice=tuple(AdviceView(sentence(one.text, texts), one.page) for one in detail.advice),
        actions=tuple(
            (action, texts.say(ACTIONS[action][0]), texts.say(ACTIONS[action][1]))
            for action in detail.rule.actions
        ),
        target=detail.rule.target,
        evidence=tuple(_evidence(one, texts) for one in detail.facts),
        facts_count=row.facts_count,
        unread="" if detail.unread is None else hex_text(detail.unread),
        why_settled=_why(detail, texts) if settled else "",
        done=_done(detail, events, texts),
        owner=row.owner,
        due=(utc_text(row.due_time_ms) or "")[:10] if row.due_time_ms else "",
    )


def proposal_view(proposal: Proposal, texts: Texts) -> ProposalView:
    """Return the view of a proposal; its fields are the body of the API's `settle`."""
    decision = proposal.decision
    return ProposalView(
        action=decision.action,
        label=texts.say(ACTIONS[decision.action][0]),
        why=sentence(proposal.why, texts),
        fields=tuple(_body(decision)),
    )


def responsible(row: DiscrepancyRow, texts: Texts) -> str:
    """Return who answers for it: its owner; until there is one, whoever may settle it there."""
    return row.owner or texts.say("Supervisor of %(warehouse)s") % {"warehouse": row.warehouse}


def decided(settlement: str) -> str:
    """Return which action of somebody settled it, "" for one that settled itself."""
    action = settlement.partition(" by ")[0]
    return action if action in ACTIONS else ""


def hex_text(data: bytes) -> str:
    """Return bytes as people compare them: in hexadecimal, sixteen a line, with their signs."""
    lines = []
    for start in range(0, min(len(data), BYTES_SHOWN_MAX), 16):
        chunk = data[start : start + 16]
        signs = "".join(chr(one) if 32 <= one < 127 else "." for one in chunk)
        lines.append(f"{start:04x}  {chunk.hex(' '):<47}  {signs}")
    if len(data) > BYTES_SHOWN_MAX:
        lines.append(f"… {len(data)}")
    return "\n".join(lines)


def _body(decision: Decision) -> list[tuple[str, str]]:
    fields = [("action", str(decision.action))]
    for name in ("location", "item", "document", "warehouse", "expiry_date"):
        if value := getattr(decision, name):
            fields.append((name, value))
    if decision.document_line:
        fields.append(("document_line", str(decision.document_line)))
    if decision.lot is not None:
        fields.append(("lot", decision.lot))
    if decision.sscc is not None:
        fields.append(("sscc", decision.sscc))
    if decision.factor is not None:
        fields.append(("factor", str(decision.factor)))
    for name, micro in (
        ("counted", decision.counted_micro),
        ("quantity", decision.quantity_micro),
        ("weight", decision.weight_micro),
    ):
        if micro is not None:
            fields.append((name, canonical_text(from_micro(micro))))
    return fields


def _facts(row: DiscrepancyRow, texts: Texts, *, now_ms: int) -> list[tuple[str, Cell]]:
    cause = CAUSES[cause_of(cast(DiscrepancyKind, row.kind))]
    age_ms = (row.settled_time_ms or now_ms) - row.opened_time_ms
    pairs = [
        (texts.say("Cause"), Cell(texts.say(cause))),
        (texts.say("Warehouse"), Cell(row.warehouse)),
        (texts.say("Item"), _link(row.item, "/items/")),
        (texts.say("Place"), _place(row, texts)),
        (texts.say("Lot"), Cell(row.lot)),
        (texts.say("Document"), Cell(_document(row))),
        (texts.say("Should be"), Cell(_amount(row.expected, row.unit, texts))),
        (texts.say("Is"), Cell(_amount(row.actual, row.unit, texts))),
        (texts.say("Since"), _moment(row.opened_time_ms)),
        (texts.say("Age"), Cell(age_text(age_ms, texts))),
        (texts.say("Who sees to it"), Cell(responsible(row, texts))),
        (texts.say("Until"), _moment(row.due_time_ms)),
        (texts.say("Facts behind it"), Cell(str(row.facts_count))),
        (texts.say("Detail"), Cell(texts.sentence(row.detail))),
    ]
    return [(label, cell) for label, cell in pairs if cell.text]


def age_text(age_ms: int, texts: Texts) -> str:
    """Return how long something lasts, in whole days, else hours."""
    if age_ms >= DAY_MS:
        days = age_ms // DAY_MS
        return texts.ngettext("%(num)s day", "%(num)s days", days) % {"num": days}
    hours = max(0, age_ms) // HOUR_MS
    return texts.ngettext("%(num)s hour", "%(num)s hours", hours) % {"num": hours}


def _place(row: DiscrepancyRow, texts: Texts) -> Cell:
    if href := under_way_url(row.location):
        return Cell(place_word(row.location, texts), href=href)
    if not row.location or row.location in PLACES:
        return Cell(place_word(row.location, texts))
    path = f"/warehouses/{quote(row.warehouse, safe='')}/places/"
    return _link(row.location, path)


def _link(code: str, path: str) -> Cell:
    return Cell(code, href=path + quote(code, safe="") if code else "")


def _moment(time_ms: int) -> Cell:
    text = utc_text(time_ms) if time_ms else ""
    return Cell(f"{text[:10]} {text[11:16]} UTC", moment=text) if text else Cell("")


def _document(row: DiscrepancyRow) -> str:
    return f"{row.document} / {row.document_line}" if row.document_line else row.document


def _amount(value: Decimal | None, unit: str, texts: Texts) -> str:
    if value is None:
        return ""
    return f"{texts.quantity(value)} {texts.word(UNITS, unit) if unit else ''}".strip()


def _evidence(row: MovementRow, texts: Texts) -> FactEvidence:
    return FactEvidence(
        feed=FeedView.of(row, texts),
        evidence=EvidenceView.of(row, texts),
    )


def _why(detail: DiscrepancyDetail, texts: Texts) -> str:
    """Return why it is settled: what somebody decided and why, or how it settled itself."""
    said = decided(detail.row.settlement)
    if not said:
        return sentence(detail.row.settlement, texts)
    word = texts.say(DONE[said])
    last = next((one for one in reversed(detail.settlements) if one.action == said), None)
    if last is None:
        return word
    return texts.say("%(what)s by %(who)s: %(why)s") % {
        "what": word,
        "who": last.actor,
        "why": last.reason,
    }


def _done(
    detail: DiscrepancyDetail, events: Sequence[ObjectEvent], texts: Texts
) -> tuple[Done, ...]:
    """Return decisions with what they posted, and comments, newest first."""
    found = [
        Done(
            what=texts.word(DONE, one.action),
            who=one.actor,
            time=utc_text(one.at_ms),
            text=one.reason,
            facts=tuple((str(fact), fact_url(fact)) for fact in one.facts),
        )
        for one in detail.settlements
    ]
    found += [
        Done(
            what=texts.word(DONE, one.action),
            who=one.actor,
            time=utc_text(one.at_ms),
            text=str(one.fields.get("text") or one.fields.get("owner") or ""),
        )
        for one in events
        if one.action in {"commented", "assigned"}
    ]
    return tuple(sorted(found, key=lambda one: one.time or "", reverse=True))
