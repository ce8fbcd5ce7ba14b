"""Movements and their evidence as a page shows them: translated, not yet escaped. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from central.api.answers import escaped, movement_out
from central.api.parameters import PREFIX
from central.contract.errors import ContractError
from central.contract.facts import Fact, Passage
from central.contract.identifiers import FactId
from central.contract.quantities import parse_decimal
from central.stock.rows import MovementRow
from central.web.stock_words import place_word
from central.web.texts import Texts
from central.web.words import EVIDENCE, FLAGS, STEPS, TIME_SOURCES, UNITS


@dataclass(frozen=True, slots=True)
class FeedView:
    """One movement in the feed."""

    no: int
    time: str | None
    step: str
    item: str
    name: str
    quantity: str
    unit: str
    origin: str
    target: str
    warehouse: str
    gateway: str
    flags: tuple[str, ...]
    fact_path: str

    @classmethod
    def of(cls, row: MovementRow, texts: Texts) -> "FeedView":
        """Return the view of a movement or a reversal."""
        out = movement_out(row)
        step = "reversal" if out.kind == "reversal" else out.business_step
        flags = [texts.word(FLAGS, flag) for flag in out.flags if flag != "clock_unsynced"]
        if row.time_source != "gateway":
            flags.append(texts.word(TIME_SOURCES, row.time_source))
        if not row.posted and not isinstance(row.fact, Passage):
            flags.append(texts.say("not booked, see discrepancies"))
        return cls(
            no=row.record_no,
            time=out.event_time,
            step=texts.word(STEPS, step),
            item=out.item,
            name=texts.name(english=out.item_name, chinese=out.item_name_zh),
            quantity=_stated_quantity(out.quantity, texts),
            unit=texts.word(UNITS, out.unit),
            origin=place_word(out.from_location, texts),
            target=place_word(out.to_location, texts),
            warehouse=out.warehouse,
            gateway=out.gateway,
            flags=tuple(flags),
            fact_path=_fact_path(row.fact_id),
        )


@dataclass(frozen=True, slots=True)
class ReadingView:
    """One raw reading behind a fact."""

    kind: str
    device: str
    raw: str


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """Where a movement comes from. fields: (label, value), only those that were stated.

    said_time: what the gateway's clock said, None where event_time is that. body, digest: the fact
    as it was signed and the gateway's chain after it, in hexadecimal digits.
    """

    fact_id: str
    api_url: str
    fields: tuple[tuple[str, str], ...]
    event_time: str | None
    said_time: str | None
    record_time: str | None
    readings: tuple[ReadingView, ...]
    body: str
    digest: str

    @classmethod
    def of(cls, row: MovementRow, texts: Texts) -> "EvidenceView":
        """Return the view of any fact."""
        out = movement_out(row)
        fields = (
            (texts.say("Lot"), out.lot),
            (texts.say("Serial number"), out.serial),
            ("SSCC", out.sscc),
            (texts.say("Expiry date"), out.expiry_date),
            (texts.say("Document"), _document_text(out.document, out.document_line)),
            (texts.say("Weighing"), out.weighing or ""),
            (texts.say("Takes back"), out.reverses or ""),
            (texts.say("Reason"), out.reason),
            *_passage_fields(row.fact, texts),
            (texts.say("Station"), out.station),
            (texts.say("Operator"), out.operator),
        )
        return cls(
            fact_id=str(row.fact_id),
            api_url=fact_url(row.fact_id),
            fields=tuple((label, value) for label, value in fields if value),
            event_time=out.event_time,
            said_time=out.stated_time if row.time_source == "corrected" else None,
            record_time=out.record_time,
            readings=tuple(
                ReadingView(
                    kind=texts.word(EVIDENCE, evidence.kind),
                    device=evidence.device,
                    raw=escaped(evidence.raw),
                )
                for evidence in row.fact.evidence
            ),
            body=row.raw.hex(" ", 4),
            digest=row.digest.hex(" ", 4),
        )


def fact_url(fact_id: FactId) -> str:
    """Return the address of a fact in the interface for programs."""
    return f"{PREFIX}/movements/{_fact_path(fact_id)}"


def _passage_fields(fact: Fact, texts: Texts) -> tuple[tuple[str, str], ...]:
    if not isinstance(fact, Passage):
        return ()
    strength = "" if fact.rssi_cdbm is None else f"{Decimal(fact.rssi_cdbm) / 100} dBm"
    return (
        ("EPC", fact.epc),
        ("GRAI", fact.grai),
        (texts.say("Read point"), fact.read_point),
        (texts.say("Reads"), str(fact.reads_count)),
        (texts.say("Strongest signal"), strength),
    )


def _stated_quantity(text: str, texts: Texts) -> str:
    if not text:
        return ""
    try:
        return texts.quantity(parse_decimal(text))
    except ContractError:
        return text


def _document_text(document: str, line: int) -> str:
    return f"{document} / {line}" if line else document


def _fact_path(fact_id: FactId) -> str:
    return "/".join(quote(part, safe="") for part in str(fact_id).split("/"))
