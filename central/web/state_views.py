"""Gateways and discrepancies as a page shows them: translated, not yet escaped. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from central.contract.states import DeviceState
from central.stock.rows import DiscrepancyRow, GatewayRow
from central.stock.times import utc_text
from central.web.feed_views import fact_url
from central.web.texts import Texts
from central.web.words import (
    DEVICE_PROBLEMS,
    DEVICE_STATES,
    DISCREPANCIES,
    GATEWAY_PROBLEMS,
    PLACES,
)


@dataclass(frozen=True, slots=True)
class GatewayView:
    """One gateway in the strip. tone, icon and word say the same in three ways."""

    code: str
    warehouse: str
    tone: str
    icon: str
    word: str
    note: str
    seen: str | None
    software: str

    @classmethod
    def of(cls, row: GatewayRow, texts: Texts) -> "GatewayView":
        """Return the view of a gateway."""
        tone, icon, word = _gateway_state(row, texts)
        faults = [_device_note(device, texts) for device in row.devices if device.state != "ready"]
        notes = [f"#{row.acked_seq}"] if row.acked_seq else []
        if unsent := max(row.unsent_count, row.lag_count):
            notes.append(texts.say("%(num)s unsent") % {"num": unsent})
        if row.problem:
            notes.append(texts.word(GATEWAY_PROBLEMS, row.problem))
        notes += faults
        offline = not row.online and row.seen_time_ms
        if offline:
            notes.append(texts.say("last seen"))
        return cls(
            code=row.code,
            warehouse=row.warehouse,
            tone=tone,
            icon=icon,
            word=word,
            note=" · ".join(notes),
            seen=utc_text(row.seen_time_ms) if offline else None,
            software=row.software,
        )


@dataclass(frozen=True, slots=True)
class DiscrepancyView:
    """One discrepancy. expected, actual: "" where no quantity is at stake."""

    kind: str
    warehouse: str
    subject: str
    expected: str
    actual: str
    opened: str | None
    fact_id: str
    fact_label: str
    api_url: str

    @classmethod
    def of(cls, row: DiscrepancyRow, texts: Texts) -> "DiscrepancyView":
        """Return the view of a discrepancy."""
        return cls(
            kind=texts.word(DISCREPANCIES, row.kind),
            warehouse=row.warehouse,
            subject=_subject(row, texts),
            expected=_optional_quantity(row.expected, texts),
            actual=_optional_quantity(row.actual, texts) if row.expected is not None else "",
            opened=utc_text(row.opened_time_ms),
            fact_id=str(row.fact_id or ""),
            fact_label=f"{row.fact_id.gateway} #{row.fact_id.seq}" if row.fact_id else "",
            api_url=fact_url(row.fact_id) if row.fact_id else "",
        )


def _gateway_state(row: GatewayRow, texts: Texts) -> tuple[str, str, str]:
    if not row.seen_time_ms:
        return "quiet", "idle", texts.say("Not seen yet")
    if row.problem:
        return "bad", "bad", texts.say("Problem")
    if not row.online:
        return "bad", "bad", texts.say("Offline")
    if any(device.state != "ready" for device in row.devices):
        return "warn", "warn", texts.say("Device not ready")
    if row.unsent_count or row.lag_count:
        return "busy", "busy", texts.say("Sending")
    return "good", "good", texts.say("Online")


def _device_note(device: DeviceState, texts: Texts) -> str:
    # What the driver says stays in the API: it has one language, and names no action.
    if device.problem:
        return f"{device.name}: {texts.word(DEVICE_PROBLEMS, device.problem)}"
    return f"{device.name}: {texts.word(DEVICE_STATES, device.state)}"


def _optional_quantity(value: Decimal | None, texts: Texts) -> str:
    return "" if value is None else texts.quantity(value)


def _subject(row: DiscrepancyRow, texts: Texts) -> str:
    document = f"{row.document} / {row.document_line}" if row.document_line else row.document
    parts = (row.item, texts.word(PLACES, row.location), row.lot, document)
    return " · ".join(filter(None, parts)) or row.detail or row.subject
