"""Gateways and their devices as their pages show them. Edge of HTTP."""

from dataclasses import dataclass

from central.contract.states import DeviceState
from central.stock.alerts_gateways import is_silent
from central.stock.rows import GatewayRow
from central.stock.times import utc_text
from central.web.cells import ICONS, moment_cell, state_cell, text_cell
from central.web.listing import Cell, Tone
from central.web.state_views import DISK_FULL_PERCENT, KNOWN_OLD_S, gateway_state
from central.web.texts import Texts
from central.web.words import DEVICE_PROBLEMS, DEVICE_STATES, marked

LAG_S = 60
DEVICE_CLASSES: dict[str, str] = {
    "scanner": marked("scanner"),
    "scale": marked("scale"),
    "label_printer": marked("label printer"),
    "rfid_reader": marked("RFID reader"),
    "io": marked("lamps and inputs"),
}
PRINT_STATES: dict[str, tuple[str, Tone]] = {
    "waiting": (marked("waits for the gateway"), "busy"),
    "taken": (marked("the gateway has it"), "busy"),
    "sent": (marked("sent to the printer"), "good"),
    "printed": (marked("printed"), "good"),
    "failed": (marked("failed"), "bad"),
    "unknown": (marked("perhaps printed: look"), "warn"),
}
NOTICES: dict[str, str] = {
    "stock": marked("stock"),
    "reference": marked("master data"),
    "template": marked("label templates"),
    "settings": marked("settings"),
    "print": marked("labels to print"),
    "settled": marked("settled discrepancies"),
}


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device. action: what is wrong and what somebody does, "" for one that is ready."""

    name: str
    what: str
    tone: Tone
    icon: str
    word: str
    action: str
    said: str


def gateway_cell(row: GatewayRow, texts: Texts) -> Cell:
    """Return how a gateway is, in one word with its light."""
    tone, _, word = gateway_state(row, texts)
    return state_cell(word, _tone(tone))


def lights(row: GatewayRow, texts: Texts, *, now_ms: int) -> list[tuple[str, Cell]]:
    """Return every light of a gateway: (what, cell)."""
    silent = is_silent(row, now_ms=now_ms)
    lag_s, moving = row.lag_s(now_ms=now_ms), row.lag_movements
    known_s = row.known_age_s(now_ms=now_ms)
    clock = state_cell(texts.say("set"), "good")
    if silent or not row.seen_time_ms:
        clock = state_cell(texts.say("not known"), "quiet")
    elif not row.clock_synced:
        clock = state_cell(
            texts.say("Clock not set"), "warn", note=texts.say("give it a time server")
        )
    disk: Tone = "bad" if row.disk_used_percent >= DISK_FULL_PERCENT else "good"
    line = state_cell(texts.say("on line"), "good")
    if not row.seen_time_ms:
        line = state_cell(texts.say("not seen yet"), "quiet")
    elif silent:
        note = texts.say("check its power and network cable")
        line = state_cell(texts.say("silent"), "bad", note=note)
    behind: Tone = "good" if not moving else "warn" if lag_s > LAG_S else "busy"
    said = texts.say("%(num)s facts, %(seconds)s s") % {"num": moving, "seconds": lag_s}
    knows = text_cell("")
    if known_s is not None:
        old = known_s > KNOWN_OLD_S
        knows = moment_cell(row.known_time_ms, tone="warn" if old else "")
    return [
        (texts.say("Connection"), line),
        (texts.say("Last sign of life"), moment_cell(row.seen_time_ms)),
        (texts.say("Behind by"), state_cell(said if moving else texts.say("nothing"), behind)),
        (
            texts.say("Oldest unsent"),
            moment_cell(now_ms - 1000 * lag_s) if moving and lag_s else text_cell(""),
        ),
        (texts.say("Facts lost with a card"), _count(row.lost_count)),
        (texts.say("Clock"), clock),
        (texts.say("Disk used"), state_cell(f"{row.disk_used_percent} %", disk)),
        (texts.say("Written a day"), text_cell(bytes_text(row.written_bytes_day))),
        (texts.say("Passages not recorded"), _count(row.shed_count)),
        (texts.say("Knows the stock of"), knows),
        (texts.say("Software"), text_cell(row.software)),
        *_given_up(row, texts),
        (texts.say("Warehouse"), text_cell(row.warehouse)),
        (texts.say("Site"), text_cell(row.site)),
    ]


def device_view(device: DeviceState, texts: Texts) -> DeviceView:
    """Return a device with what somebody does about it. said: its driver's own words."""
    tone: Tone = "good"
    if device.state in {"offline", "fault"}:
        tone = "bad"
    elif device.state != "ready":
        tone = "warn"
    action = texts.word(DEVICE_PROBLEMS, device.problem) if device.problem else ""
    return DeviceView(
        name=device.name,
        what=texts.word(DEVICE_CLASSES, device.device_class),
        tone=tone,
        icon=ICONS[tone],
        word=texts.word(DEVICE_STATES, device.state),
        action=action,
        said=device.detail,
    )


def epoch_rows(row: GatewayRow) -> list[tuple[str, int, str | None]]:
    """Return how far its epochs are committed: (epoch, last fact, when)."""
    return [(one.epoch, one.acked_seq, utc_text(one.record_time_ms)) for one in row.positions]


def bytes_text(count: int) -> str:
    """Return a size as people say it."""
    if count >= 1_000_000:
        return f"{count // 100_000 / 10:.1f} MB"
    return f"{count // 1000} kB"


def _given_up(row: GatewayRow, texts: Texts) -> list[tuple[str, Cell]]:
    """Return the release that did not work there and since when; nothing if all did."""
    if not row.failed_release:
        return []
    return [
        (texts.say("Release given up"), state_cell(row.failed_release, "warn")),
        (texts.say("Given up at"), moment_cell(row.failed_time_ms)),
    ]


def _count(number: int) -> Cell:
    return state_cell(str(number), "bad") if number else text_cell("0")


def _tone(text: str) -> Tone:
    tones: tuple[Tone, ...] = ("good", "busy", "warn", "bad")
    return next((tone for tone in tones if tone == text), "quiet")
