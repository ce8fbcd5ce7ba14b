"""What the page shows, in one language, ready to be sent as JSON. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from central.contract.notices import Settled
from gateway.health import DeviceHealth, DeviceStateName, InstallationTrouble, LinkHealth
from gateway.screen.page_knowledge import NOT_TOLD, PageKnowledge, ShownKnowledge, page_knowledge
from gateway.screen.page_settled import PageSettled, page_settled
from gateway.screen.page_step import PageStep, page_step
from gateway.screen.page_unsent import Unsent, unsent_text
from gateway.station.effects import Message, Signal
from gateway.station.messages import N_, UNIT_WORDS, plain, render
from gateway.station.repairs import repairs
from gateway.station.screen_state import NumberedOutcome, ScreenState, ShownWeight
from gateway.station.trouble import device_message, link_message

SIGNAL_WORDS = {
    "success": N_("OK"),
    "info": N_("Understood"),
    "warning": N_("Attention"),
    "error": N_("Error"),
}
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
    unsent: Unsent
    troubles: tuple[InstallationTrouble, ...] = ()
    knowledge: ShownKnowledge = NOT_TOLD
    station: str = ""
    operator_name: str = ""
    clock_synced: bool = True
    catalogue_revision: int = 0
    settled: tuple[Settled, ...] = ()


class ShownSignal(msgspec.Struct, frozen=True):
    """kind: "success" means recorded; "info": understood, nothing recorded yet."""

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
    is_scale: bool


class ShownRepair(msgspec.Struct, frozen=True):
    """What a person can mend. severity: "error", "warning" or "info"."""

    id: str
    severity: str
    subject: str
    text: str
    since_ms: int


class PageState(msgspec.Struct, frozen=True):
    """The full state of the page; every event carries all of it.

    alarms: what was lost and nobody has acknowledged, oldest first. step: None before the first.
    """

    station: str
    language: str
    prompt: str
    done: str
    signal: ShownSignal | None
    operator: str
    operator_name: str
    scans: tuple[ShownScan, ...]
    alarms: tuple[ShownScan, ...]
    step: PageStep | None
    weight: PageWeight | None
    passages: tuple[PagePassage, ...]
    settled: tuple[PageSettled, ...]
    devices: tuple[PageDevice, ...]
    repairs: tuple[ShownRepair, ...]
    connected: bool
    unsent_count: int
    unsent_text: str
    knowledge: PageKnowledge
    problem: str
    work_goes_on: bool
    clock_synced: bool
    catalogue_revision: int


def page_state(
    sources: PageSources, *, language: str, translate: Callable[[str], str]
) -> PageState:
    """Return the page in a language. Texts without a translation stay English."""
    text = partial(render, language=language, translate=translate)
    state = sources.state
    scan = partial(_scan, text=text, translate=translate)
    return PageState(
        station=sources.station,
        language=language,
        prompt=text(state.prompt),
        done=text(state.done) if state.done else "",
        signal=(
            _signal(state.signal, text, translate, recorded=state.recorded)
            if state.signal
            else None
        ),
        operator=state.operator,
        operator_name=plain(sources.operator_name or state.operator),
        scans=tuple(scan(one) for one in state.scans),
        alarms=tuple(scan(one) for one in state.alarms),
        step=(
            page_step(state.step, state.weight, language=language, text=text, translate=translate)
            if state.step
            else None
        ),
        weight=_weight(state.weight, text, language=language) if state.weight else None,
        passages=tuple(
            PagePassage(passage.event_time_ms, text(passage.message)) for passage in state.passages
        ),
        settled=page_settled(sources.settled, text=text, translate=translate),
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
        unsent_count=sources.unsent.count,
        unsent_text=unsent_text(sources.unsent, text),
        knowledge=page_knowledge(sources.knowledge, text=text, translate=translate),
        problem=_problem(sources, text, translate),
        work_goes_on=not sources.journal_problem and not sources.link.problem,
        clock_synced=sources.clock_synced,
        catalogue_revision=sources.catalogue_revision,
    )


def _scan(
    scan: NumberedOutcome, *, text: Callable[[Message], str], translate: Callable[[str], str]
) -> ShownScan:
    outcome = scan.outcome
    return ShownScan(
        number=scan.number,
        time_ms=outcome.event_time_ms,
        code=outcome.code,
        signal=_signal(outcome.signal, text, translate, recorded=outcome.recorded),
    )


def _signal(
    signal: Signal,
    text: Callable[[Message], str],
    translate: Callable[[str], str],
    *,
    recorded: bool,
) -> ShownSignal:
    kind = "info" if signal.kind == "success" and not recorded else signal.kind
    return ShownSignal(kind=kind, word=translate(SIGNAL_WORDS[kind]), text=text(signal.message))


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
        is_scale=device.device_class == "scale",
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
