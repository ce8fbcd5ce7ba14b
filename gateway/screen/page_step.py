"""The step on the page: buttons that make sense now, lines, the aim of a weighing. Pure."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import msgspec

from central.contract.facts import VIRTUAL_PLACES
from central.contract.quantities import canonical_text
from gateway.station.commands import COMMAND_TITLES, Command
from gateway.station.effects import Message
from gateway.station.messages import N_, UNIT_WORDS, plain
from gateway.station.screen_state import ShownWeight
from gateway.station.step import NOTES_SHOWN_MAX, ShownStep, StepLine, WeighingAim

PER_MILLE_MAX = 1250  # A bar that is a quarter over full is as long as it gets.

# The first of them among a step's buttons is what usually comes next.
GO_ON = frozenset({Command.CONFIRM, Command.DONE, Command.ACCEPT, Command.TARE})
EVERYTHING = N_("Everything there")
# A transfer is received and shipped as any document; who looks for the word finds the task by it.
ALSO = {Command.RECEIVE: N_("Transfer in"), Command.SHIP: N_("Transfer out")}


class PageButton(msgspec.Struct, frozen=True):
    """code: of the bar code that does the same. go: it is what usually comes next.

    also: what else a person would look for under it in the menu.
    """

    code: str
    word: str
    go: bool
    also: str = ""


class PageLine(msgspec.Struct, frozen=True):
    """Goods; all text. which: lot, pallet and place. share: done, per mille of expected, or -1.

    excess: how much more than expected is done, "" if it is not more.
    """

    name: str
    which: str
    place: str
    done: str
    expected: str
    remaining: str
    unit: str
    share: int
    next: bool
    excess: str = ""


class PageAim(msgspec.Struct, frozen=True):
    """A weighing against a line, per mille of the bar's length; -1: there is no such mark.

    text: what is expected and between which bounds. verdict: "", "under", "within" or "over".
    """

    tare: str
    text: str
    at: int
    at_least: int
    at_most: int
    verdict: str


class PageStep(msgspec.Struct, frozen=True):
    """What is asked now, in one language."""

    workflow: str
    title: str
    document: str
    place: str
    buttons: tuple[PageButton, ...]
    lines: tuple[PageLine, ...]
    lines_count: int
    lines_left: int
    in_hand: int
    times: str
    keypad: bool
    aim: PageAim | None
    notes: tuple[str, ...]
    in_menu: bool


def page_step(
    step: ShownStep,
    weight: ShownWeight | None,
    *,
    language: str,
    text: Callable[[Message], str],
    translate: Callable[[str], str],
) -> PageStep:
    """Return a step in a language."""
    go = next((command for command in step.buttons if command in GO_ON), None)
    return PageStep(
        workflow=str(step.workflow or ""),
        title=translate(COMMAND_TITLES[step.workflow]) if step.workflow else "",
        document=plain(step.document),
        place="" if step.place in VIRTUAL_PLACES else plain(step.place),
        buttons=tuple(
            PageButton(
                str(one),
                translate(COMMAND_TITLES[one]),
                go=one is go,
                also=translate(ALSO[one]) if one in ALSO else "",
            )
            for one in step.buttons
        ),
        lines=tuple(_line(line, language=language, translate=translate) for line in step.lines),
        lines_count=step.lines_count,
        lines_left=step.lines_left,
        in_hand=step.in_hand,
        times=step.times,
        keypad=step.keypad,
        aim=_aim(step.weighing, weight) if step.weighing else None,
        notes=tuple(text(note) for note in step.notes[:NOTES_SHOWN_MAX]),
        in_menu=step.workflow is None,
    )


def _line(line: StepLine, *, language: str, translate: Callable[[str], str]) -> PageLine:
    chinese = language == "zh"
    name = line.name_zh if chinese and line.name_zh else line.name
    shown = f"{name} ({line.code})" if name and name != line.code else line.code
    which = (part for part in (line.lot, line.sscc) if part and part != line.code)
    return PageLine(
        name=plain(shown) or translate(EVERYTHING),
        which=plain(" ".join(which)),
        place=plain(line.place),
        done=line.done,
        expected=line.expected,
        remaining=line.remaining,
        unit=line.unit_zh if chinese else line.unit,
        share=_per_mille(_decimal(line.done), _decimal(line.expected)),
        next=line.next,
        excess=_excess(_decimal(line.done), _decimal(line.expected)),
    )


def _aim(aim: WeighingAim, weight: ShownWeight | None) -> PageAim:
    expected, done = _decimal(aim.expected), _decimal(aim.done) or Decimal(0)
    at_least, at_most = _decimal(aim.at_least), _decimal(aim.at_most)
    net = Decimal(0) if aim.recorded else _net(aim, weight)
    total = None if net is None else done + net
    verdict = ""
    if total is not None and at_least is not None and at_most is not None:
        verdict = "under" if total < at_least else "over" if total > at_most else "within"
    if aim.recorded and verdict == "under":  # More loads may follow; DONE tells what is missing.
        verdict = ""
    unit = UNIT_WORDS.get(aim.unit, (aim.unit, ""))[0]
    bounds = f"{aim.at_least} – {aim.at_most} {unit}" if aim.at_least and aim.at_most else ""
    tare_unit = UNIT_WORDS.get(aim.tare_unit, (aim.tare_unit, ""))[0]
    return PageAim(
        tare=f"{aim.tare} {tare_unit}" if aim.tare else "",
        text=bounds,
        at=_per_mille(total, expected),
        at_least=_per_mille(at_least, expected),
        at_most=_per_mille(at_most, expected),
        verdict=verdict,
    )


def _net(aim: WeighingAim, weight: ShownWeight | None) -> Decimal | None:
    """Return what stands on the scale without its container; None if units or weight do not fit.

    The bar only guides the eye: what is recorded is computed by the workflow, in exact units.
    """
    value = _decimal(weight.value) if weight is not None else None
    if weight is None or value is None or weight.unit != aim.unit:
        return None
    if not aim.tare:
        return value
    return value - (_decimal(aim.tare) or Decimal(0)) if aim.tare_unit == aim.unit else None


def _excess(done: Decimal | None, expected: Decimal | None) -> str:
    if done is None or expected is None or done <= expected:
        return ""
    return canonical_text(done - expected)


def _per_mille(part: Decimal | None, whole: Decimal | None) -> int:
    if part is None or whole is None or whole <= 0:
        return -1
    return min(PER_MILLE_MAX, max(0, int(part * 1000 / whole)))


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None
