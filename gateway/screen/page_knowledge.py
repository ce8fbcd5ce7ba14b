"""How old the stock on the page is, in words. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from gateway.health import KnowledgeHealth, KnowledgeProblem
from gateway.station.effects import Message
from gateway.station.messages import N_, say

MINUTE_MS = 60_000
HOURS_FROM_MINUTES = 120
DAYS_FROM_MINUTES = 48 * 60

# {time} is put in by the page, in the watch of whoever looks.
AS_OF = N_("Stock as of {time}, {age} old")
AS_OF_ALONE = N_("Stock as of {time}; how old that is, is not known: the clock is not set")
OWN_ONLY = N_("Stock: only this station's own movements are counted")
AGE_MINUTES, AGE_HOURS, AGE_DAYS = N_("{count} min"), N_("{count} h"), N_("{count} days")
KNOWLEDGE_TEXTS: dict[KnowledgeProblem, str] = {
    "": "",
    "no_url": "",  # As somebody configured it; the log says what to write.
    "refused": N_("Central refuses this gateway its stock: enrol it there."),
    "unreachable": N_("Central's stock cannot be loaded: check [central] url and the network."),
    "busy": N_("Central is busy: its stock is loaded in a moment."),
    "not_trusted": N_("Another central answers there: check [central] url, or call support."),
    "damaged": N_("Central's stock came damaged: it is loaded again. If this stays, call support."),
    "disk": N_("Central's stock cannot be kept: make space on the gateway's disk."),
}


@dataclass(frozen=True, slots=True)
class ShownKnowledge:
    """What of the knowledge changes the page. as_of_ms: 0 if it is of now, or there is none.

    age_minutes: None where the clock is not set: nobody knows how long the machine was off.
    """

    is_known: bool = False
    is_live: bool = False
    as_of_ms: int = 0
    age_minutes: int | None = 0
    problem: KnowledgeProblem = ""


NOT_TOLD = ShownKnowledge()


class PageKnowledge(msgspec.Struct, frozen=True):
    """text: with "{time}" for `as_of_ms`; "" if the stock is central's, of this moment.

    problem: what to do, "" if nothing is.
    """

    text: str
    as_of_ms: int
    problem: str


def shown_knowledge(
    knowledge: KnowledgeHealth, *, now_ms: int, clock_synced: bool = True
) -> ShownKnowledge:
    """Return what changes the page: at most once a minute."""
    is_known = bool(knowledge.stream)
    if not is_known or knowledge.is_live:
        return ShownKnowledge(is_known, is_live=is_known, problem=knowledge.problem)
    age_minutes = max(0, now_ms - knowledge.as_of_ms) // MINUTE_MS
    return ShownKnowledge(
        is_known,
        as_of_ms=knowledge.as_of_ms,
        age_minutes=age_minutes if clock_synced else None,
        problem=knowledge.problem,
    )


def page_knowledge(
    shown: ShownKnowledge, *, text: Callable[[Message], str], translate: Callable[[str], str]
) -> PageKnowledge:
    """Return it in a language."""
    problem = KNOWLEDGE_TEXTS[shown.problem]
    line = ""
    if not shown.is_known:
        line = translate(OWN_ONLY)
    elif not shown.is_live and shown.age_minutes is None:
        line = text(say(AS_OF_ALONE, time="{time}"))
    elif not shown.is_live and shown.age_minutes is not None:
        line = text(say(AS_OF, time="{time}", age=text(age_message(shown.age_minutes))))
    return PageKnowledge(line, shown.as_of_ms, translate(problem) if problem else "")


def age_message(minutes: int) -> Message:
    """Return an age in the unit that a person would use."""
    if minutes >= DAYS_FROM_MINUTES:
        return say(AGE_DAYS, count=str(minutes // (24 * 60)))
    if minutes >= HOURS_FROM_MINUTES:
        return say(AGE_HOURS, count=str(minutes // 60))
    return say(AGE_MINUTES, count=str(minutes))
