"""What the page shows, in one language, ready to be sent as JSON. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from gateway.health import DeviceHealth, DeviceStateName, InstallationTrouble, LinkHealth
from gateway.screen.page_knowledge import NOT_TOLD, PageKnowledge, ShownKnowledge, page_knowledge
from gateway.station.effects import Message, Signal
from gateway.station.messages import N_, UNIT_WORDS, render
from gateway.station.repairs import repairs
from gateway.station.screen_state import ScreenState, ShownWeight
from gateway.station.trouble import device_message, link_message

SIGNAL_WORDS = {"success": N_("OK"), "warning": N_("Attention"), "error": N_("Error")}
DEVICE_WORDS: dict[DeviceStateName, str] = {
    "discovered": N_("found"),
    "unclaimed": N_("not claimed"),
    "configured": N_("closed"),
    "opening": N_("connecting"),
    "ready": N_("ready"),
    "degraded": N_("impaired"),
    "offline": N_("offline"),
    "fault": N_("fault"),
}
LOCKED_WORD = N_("locked")
CLASS_WORDS = {
    "scanner": N_("scanner"),
    "rfid_reader": N_("RFID reader"),
    "io": N_("lights and buttons"),
    "scale": N_("scale"),
    "label_printer": N_("printer"),
}
# Fixed words of the page, by the name that its script knows them by.
PAGE_WORDS = {
    "title": N_("Station"),
    "unsent": N_("unsent"),
    "all_sent": N_("all sent"),
    "central": N_("Central"),
    "connected": N_("connected"),
    "not_connected": N_("not connected"),
    "last_scans": N_("Last scans"),
    "passages": N_("Tags that passed"),
    "devices": N_("Devices"),
    "claim_devices": N_("Find, claim"),
    "no_devices": N_("No device is configured"),
    "weight": N_("Weight"),
    "stable": N_("stable"),
    "moving": N_("moving"),
    "no_weight": N_("no weight"),
    "zero": N_("Zero the scale"),
    "zero_refused": N_("The scale was not zeroed: clear it, wait until it stands, try again."),
    "before": N_("Before:"),
    "waiting": N_("Ready to scan"),
    "lost": N_("No connection to the gateway. Scans are still taken; the page tries again."),
    "sheet": N_("Codes"),
    "sound": N_("Sound on"),
    "confirm": N_("Confirm"),
    "done": N_("Done"),
    "undo": N_("Undo"),
    "cancel": N_("Cancel"),
}
# Hints of errors that an operator sees; written where they are raised, translated here.
HINTS = (
    N_("Make space on the gateway's disk or replace its card; scan again afterwards."),
    N_("Close the program that has the journal open, such as sqlite3; scan again afterwards."),
    N_("Replace the gateway's card or mount its file system writable; scan again afterwards."),
    N_("Stop scanning here, keep the journal's files and call support."),
    N_(
        "Let the gateway send to central, or raise quota_bytes of [journal]; scan again afterwards."
    ),
)


@dataclass(frozen=True, slots=True)
class PageSources:
    """Everything that the page is made of, at one moment."""

    state: ScreenState
    devices: tuple[DeviceHealth, ...]
    link: LinkHealth
    journal_problem: str
    unsent_count: int
    troubles: tuple[InstallationTrouble, ...] = ()
    knowledge: ShownKnowledge = NOT_TOLD


class ShownSignal(msgspec.Struct, frozen=True):
    kind: str
    word: str
    text: str


class ShownScan(msgspec.Struct, frozen=True):
    number: int
    time_ms: int
    code: str
    signal: ShownSignal


class PagePassage(msgspec.Struct, frozen=True):
    time_ms: int
    text: str


class PageWeight(msgspec.Struct, frozen=True):
    device: str
    value: str
    unit: str
    stable: bool
    problem: str


class PageDevice(msgspec.Struct, frozen=True):
    """hint: what to do, "" if nothing is. since_ms: 0 if not known. commands: of its driver."""

    name: str
    class_word: str
    state: str
    word: str
    hint: str
    locked: bool
    since_ms: int
    commands: tuple[str, ...]


class ShownRepair(msgspec.Struct, frozen=True):
    """What a person can mend. severity: "error", "warning" or "info"."""

    id: str
    severity: str
    subject: str
    text: str
    since_ms: int


class PageState(msgspec.Struct, frozen=True):
    """The full state of the page; every event carries all of it."""

    prompt: str
    done: str
    signal: ShownSignal | None
    operator: str
    scans: tuple[ShownScan, ...]
    weight: PageWeight | None
    passages: tuple[PagePassage, ...]
    devices: tuple[PageDevice, ...]
    repairs: tuple[ShownRepair, ...]
    connected: bool
    unsent_count: int
    knowledge: PageKnowledge
    problem: str
    work_goes_on: bool


def page_state(
    sources: PageSources, *, language: str, translate: Callable[[str], str]
) -> PageState:
    """Return the page in a language. Texts without a translation stay English."""
    text = partial(render, language=language, translate=translate)
    state = sources.state
    return PageState(
        prompt=text(state.prompt),
        done=text(state.done) if state.done else "",
        signal=_signal(state.signal, text, translate) if state.signal else None,
        operator=state.operator,
        scans=tuple(
            ShownScan(
                number=scan.number,
                time_ms=scan.outcome.event_time_ms,
                code=scan.outcome.code,
                signal=_signal(scan.outcome.signal, text, translate),
            )
            for scan in state.scans
        ),
        weight=_weight(state.weight, text, language=language) if state.weight else None,
        passages=tuple(
            PagePassage(passage.event_time_ms, text(passage.message)) for passage in state.passages
        ),
        devices=tuple(_device(device, text, translate) for device in sources.devices),
        repairs=tuple(
            ShownRepair(
                id=repair.id,
                severity=repair.severity,
                subject=repair.subject,
                text=text(repair.message),
                since_ms=repair.since_ms,
            )
            for repair in repairs(sources.devices, sources.troubles)
        ),
        connected=sources.link.connected,
        unsent_count=sources.unsent_count,
        knowledge=page_knowledge(sources.knowledge, text=text, translate=translate),
        problem=_problem(sources, text, translate),
        work_goes_on=not sources.journal_problem and not sources.link.problem,
    )


def page_words(translate: Callable[[str], str]) -> dict[str, str]:
    """Return the fixed words of the page."""
    return {name: translate(text) for name, text in PAGE_WORDS.items()}


def _signal(
    signal: Signal, text: Callable[[Message], str], translate: Callable[[str], str]
) -> ShownSignal:
    word = translate(SIGNAL_WORDS[signal.kind])
    return ShownSignal(kind=signal.kind, word=word, text=text(signal.message))


def _device(
    device: DeviceHealth, text: Callable[[Message], str], translate: Callable[[str], str]
) -> PageDevice:
    return PageDevice(
        name=device.name,
        class_word=translate(CLASS_WORDS.get(device.device_class, device.device_class)),
        state=device.state,
        word=translate(LOCKED_WORD if device.locked else DEVICE_WORDS[device.state]),
        hint=_optional(device_message(device.name, device.problem), text),
        locked=device.locked,
        since_ms=device.since_ms,
        commands=device.commands,
    )


def _weight(weight: ShownWeight, text: Callable[[Message], str], *, language: str) -> PageWeight:
    english, chinese = UNIT_WORDS.get(weight.unit, (weight.unit, weight.unit))
    return PageWeight(
        device=weight.device,
        value=weight.value,
        unit=chinese if language == "zh" else english,
        stable=weight.stable,
        problem=text(weight.problem) if weight.problem else "",
    )


def _problem(
    sources: PageSources, text: Callable[[Message], str], translate: Callable[[str], str]
) -> str:
    if sources.journal_problem:
        return translate(sources.journal_problem)
    return _optional(link_message(sources.link.problem, sources.link.connection), text)


def _optional(message: Message | None, text: Callable[[Message], str]) -> str:
    return text(message) if message else ""
