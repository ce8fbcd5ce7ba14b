"""Gateways and discrepancies as a page shows them: translated, not yet escaped. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from central.contract.states import DeviceState
from central.stock.rows import DiscrepancyRow, GatewayRow, Workers
from central.stock.times import utc_text
from central.web.feed_views import fact_url
from central.web.stock_words import place_word
from central.web.texts import Texts
from central.web.words import (
    DEVICE_PROBLEMS,
    DEVICE_STATES,
    DISCREPANCIES,
    GATEWAY_PROBLEMS,
)

DISK_FULL_PERCENT = 90
LAG_SHOWN_S = 10
KNOWN_OLD_S = 120


@dataclass(frozen=True, slots=True)
class GatewayView:
    """One gateway in the strip, or an alarm about central itself. Times are ISO 8601.

    tone, icon and word say the same in three ways. moments: (what, when), after the note.
    """

    code: str
    warehouse: str
    tone: str
    icon: str
    word: str
    note: str
    moments: tuple[tuple[str, str | None], ...]
    software: str

    @classmethod
    def of(cls, row: GatewayRow, texts: Texts, *, now_ms: int) -> "GatewayView":
        """Return the view of a gateway."""
        tone, icon, word = gateway_state(row, texts)
        return cls(
            code=row.code,
            warehouse=row.warehouse,
            tone=tone,
            icon=icon,
            word=word,
            note=" · ".join(gateway_notes(row, texts)),
            moments=tuple(_gateway_moments(row, texts, now_ms=now_ms)),
            software=row.software,
        )


def unserved_views(workers: Workers, texts: Texts) -> list[GatewayView]:
    """Return an alarm if nobody takes the facts of some shards, nothing otherwise."""
    if not workers.unserved:
        return []
    note = texts.say("nobody takes the facts of shards %(shards)s: start a worker for them")
    return [
        GatewayView(
            code=texts.say("Central"),
            warehouse="",
            tone="bad",
            icon="bad",
            word=texts.say("Problem"),
            note=note % {"shards": ranges_text(workers.unserved)},
            moments=(),
            software="",
        )
    ]


def ranges_text(numbers: Sequence[int]) -> str:
    """Return sorted numbers as e.g. "0-7, 9"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)


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


def gateway_state(row: GatewayRow, texts: Texts) -> tuple[str, str, str]:
    """Return how a gateway is: tone, icon and word."""
    if not row.seen_time_ms:
        return "quiet", "idle", texts.say("Not seen yet")
    if row.problem or row.forks_count:
        return "bad", "bad", texts.say("Problem")
    if not row.online:
        return "bad", "bad", texts.say("Offline")
    if row.lost_count:
        return "warn", "warn", texts.say("Facts lost")
    if row.disk_used_percent >= DISK_FULL_PERCENT:
        return "warn", "warn", texts.say("Disk nearly full")
    if any(device.state != "ready" for device in row.devices):
        return "warn", "warn", texts.say("Device not ready")
    if row.failed_release:
        return "warn", "warn", texts.say("Update given up")
    if not row.clock_synced:
        return "warn", "warn", texts.say("Clock not set")
    if row.lag_movements:
        return "busy", "busy", texts.say("Sending")
    return "good", "good", texts.say("Online")


def gateway_notes(row: GatewayRow, texts: Texts) -> Iterator[str]:
    """Yield what is to be said of a gateway, with what somebody does about it."""
    if row.seen_time_ms and not row.online:
        yield texts.say("check its power and network cable")
    if row.acked_seq:
        yield f"#{row.acked_seq}"
    if row.lag_movements:
        yield texts.say("%(num)s unsent") % {"num": row.lag_movements}
    if row.problem:
        yield texts.word(GATEWAY_PROBLEMS, row.problem)
    if row.forks_count:
        yield texts.say("a second card or machine speaks in its name: find it and stop it")
    if row.lost_count:
        text = texts.say("%(num)s facts lost with a card: count where it worked")
        yield text % {"num": row.lost_count}
    if row.disk_used_percent >= DISK_FULL_PERCENT:
        yield texts.say("disk %(num)s%% full: make space") % {"num": row.disk_used_percent}
    if row.shed_count:
        yield texts.say("%(num)s tag passages not recorded") % {"num": row.shed_count}
    if row.failed_release:
        yield failed_release_note(row, texts)
    if row.online and not row.clock_synced:
        yield texts.say("give it a time server; times are corrected here")
    yield from (_device_note(device, texts) for device in row.devices if device.state != "ready")


def failed_release_note(row: GatewayRow, texts: Texts) -> str:
    """Return which release did not work there or was refused, and why, in words."""
    said = texts.say("release %(version)s did not work there: %(reason)s")
    reason = " · ".join(texts.sentence(line) for line in row.failed_reason.splitlines())
    if row.failed_reason.startswith("refused: "):
        return reason
    reason = reason or texts.say("nobody knows why")
    return said % {"version": row.failed_release, "reason": reason}


def _gateway_moments(
    row: GatewayRow, texts: Texts, *, now_ms: int
) -> Iterator[tuple[str, str | None]]:
    """Return times, not ages: the page is not drawn again while nothing changes."""
    lag_s = row.lag_s(now_ms=now_ms)
    if lag_s >= LAG_SHOWN_S:
        yield texts.say("the oldest from"), utc_text(now_ms - 1000 * lag_s)
    known_age_s = row.known_age_s(now_ms=now_ms)
    if known_age_s is not None and known_age_s >= KNOWN_OLD_S:
        yield texts.say("knows the stock of"), utc_text(row.known_time_ms or 0)
    if not row.online and row.seen_time_ms:
        yield texts.say("last seen"), utc_text(row.seen_time_ms)


def _device_note(device: DeviceState, texts: Texts) -> str:
    # What the driver says stays in the API: it has one language, and names no action.
    if device.problem:
        return f"{device.name}: {texts.word(DEVICE_PROBLEMS, device.problem)}"
    return f"{device.name}: {texts.word(DEVICE_STATES, device.state)}"


def _optional_quantity(value: Decimal | None, texts: Texts) -> str:
    return "" if value is None else texts.quantity(value)


def _subject(row: DiscrepancyRow, texts: Texts) -> str:
    if row.kind == "stock_differs":
        return row.subject.replace("/", " · ", 1)
    document = f"{row.document} / {row.document_line}" if row.document_line else row.document
    parts = (row.item, place_word(row.location, texts), row.lot, document)
    return " · ".join(filter(None, parts)) or texts.sentence(row.detail) or row.subject
