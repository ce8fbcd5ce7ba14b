"""The board of transfers: a column for each state, the oldest on their way first. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from central.web.cells import state_cell
from central.web.documents.cells import field_cell
from central.web.documents.forms import word_of
from central.web.documents.parts import Values
from central.web.documents.state_words import TONES
from central.web.listing import Cell, Tone
from central.web.texts import Texts

CARDS_SHOWN_MAX = 6
# What is under way longer is told as late, after as many days again as lost sight of.
LATE_DAYS = 3
COLUMNS = (
    *("draft", "requested", "approved", "released", "shipping", "in_transit", "receiving"),
    *("received", "reopened", "returning"),
)
ALWAYS_SHOWN = frozenset({"requested", "released", "in_transit", "receiving"})


@dataclass(frozen=True, slots=True)
class CardView:
    """One transfer on the board. marks: what is wrong, and for how long it is under way."""

    code: str
    href: str
    way: str
    marks: tuple[Cell, ...]
    since: Cell | None
    tone: Tone


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One state. more_href: the list of all of them, "" if all are here."""

    state: Cell
    count: int
    cards: tuple[CardView, ...]
    more_href: str


def board_view(
    counts: Mapping[str, int], heads: Mapping[str, Sequence[Values]], texts: Texts
) -> tuple[ColumnView, ...]:
    """Return the board. counts: transfers by state; heads: those that are shown."""
    columns = []
    for state in COLUMNS:
        count = counts.get(state, 0)
        if not count and state not in ALWAYS_SHOWN:
            continue
        cards = tuple(_card(one, texts) for one in heads.get(state, ()))
        columns.append(
            ColumnView(
                state=state_cell(word_of(state, texts), TONES.get(state, "")),
                count=count,
                cards=cards,
                more_href=f"/transfers?state={state}" if count > len(cards) else "",
            )
        )
    return tuple(columns)


def _card(values: Values, texts: Texts) -> CardView:
    days = values["under_way_days"]
    marks = []
    tone: Tone = ""
    if days is not None and days >= LATE_DAYS:
        tone = "bad" if days >= 2 * LATE_DAYS else "warn"
        said = texts.ngettext("%(num)s day", "%(num)s days", days) % {"num": days}
        marks.append(state_cell(said, tone))
    if values["discrepancies"]:
        tone = "bad"
        count = values["discrepancies"]
        text = texts.ngettext("%(num)s open discrepancy", "%(num)s open discrepancies", count)
        text %= {"num": count}
        marks.append(state_cell(text, "bad", href=f"/discrepancies?document={values['code']}"))
    return CardView(
        code=values["code"],
        href=f"/transfers/{quote(values['code'], safe='')}",
        way=f"{values['source_warehouse']} → {values['destination_warehouse']}",
        marks=tuple(marks),
        since=field_cell("under_way_since", values, texts) if values["under_way_since"] else None,
        tone=tone,
    )
