"""What a count of stock is, and what may be done to it in which state. Pure.

    planned -release-> released -.
                                 | (a count fact comes)
       .----------recount-----.  v
       v                      |
    recount -(a fact comes)-> counting -finish-> counted -post-> posted -amend-> posted
       ^                                         |     ^            ^
       |                                         |     | reject     |
       |                                       refer   | lines      |
       |                                         v     v            |
       '----------recount---------------------- review -accept------'

`cancel` ends it anywhere before `posted`. Finishing judges every line: over tolerance sends it to
`recount` by another person as long as a round is left, over the review limit to `review`, which
somebody who did not count accepts. An ad hoc count begins in `counting`, with its first fact.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from central.contract.fact_kinds import ROUND_MAX
from central.errors import Conflict, Unusable
from central.orders.state_tables import StateTable

LINES_COUNT_MAX = 500  # A document of so many lines fits into one notice to a gateway.
OBSERVATIONS_COUNT_MAX = 20_000
PARTS_COUNT_MAX = 20
ROUNDS_DEFAULT = 2
PERCENT_MICRO = 1_000_000
HUNDRED_PERCENT_MICRO = 100 * PERCENT_MICRO
MICRO = 1_000_000

State = Literal[
    "planned", "released", "counting", "counted", "recount", "review", "posted", "cancelled"
]
Kind = Literal["planned", "cyclic", "ad_hoc"]
Verdict = Literal["matches", "within", "review", "recount"]

STATES: StateTable = {
    "release": {"planned": "released"},
    "finish": {"counting": "counted"},
    "recount": {"counted": "recount", "review": "recount"},
    "refer": {"counted": "review", "recount": "review"},
    "reject": {"counted": "counted", "review": "review"},
    "post": {"counted": "posted"},
    "accept": {"review": "posted"},
    "amend": {"posted": "posted"},
    "cancel": {
        "planned": "cancelled",
        "released": "cancelled",
        "counting": "cancelled",
        "counted": "cancelled",
        "recount": "cancelled",
        "review": "cancelled",
    },
}
# What a fact of the present round makes of a state; in any other state it opens another count.
# One that comes late changes what is judged, and whoever decides sees it by the version.
OBSERVED: Mapping[str, State] = {
    "planned": "counting",
    "released": "counting",
    "counting": "counting",
    "recount": "counting",
    "counted": "counted",
    "review": "review",
}
ENDED: frozenset[str] = frozenset({"posted", "cancelled"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a variance may be; None: that side of it is not bounded.

    percent_micro: 10^-6 percent of the book. quantity_micro: of the item's unit. value_micro: 10^-6
    of the currency, of items whose cost is known.
    """

    percent_micro: int | None = None
    quantity_micro: int | None = None
    value_micro: int | None = None

    def exceeded_by(self, variance_micro: int, *, book_micro: int, cost_micro: int) -> bool:
        """Return whether a variance leaves any of the bounds. cost_micro: of one unit, 0: unknown.

        No variance exceeds nothing; any variance exceeds every percentage of an empty book.
        """
        size = abs(variance_micro)
        if not size:
            return False
        if self.percent_micro is not None and (
            size * HUNDRED_PERCENT_MICRO > self.percent_micro * abs(book_micro)
        ):
            return True
        if self.quantity_micro is not None and size > self.quantity_micro:
            return True
        return self.value_micro is not None and size * cost_micro > self.value_micro * MICRO


@dataclass(frozen=True, slots=True)
class Rules:
    """How a count is judged.

    recount: beyond it a second person counts again, rounds_max rounds in all. review: beyond it
    somebody who did not count accepts.
    """

    recount: Limits = Limits(percent_micro=2 * PERCENT_MICRO)
    review: Limits = Limits(percent_micro=0)
    rounds_max: int = ROUNDS_DEFAULT

    def verdict(
        self, variance_micro: int, *, book_micro: int, cost_micro: int, doubtful: bool
    ) -> Verdict:
        """Return what a line asks for. doubtful: the ledger cannot tell what happened first."""
        against = {"book_micro": book_micro, "cost_micro": cost_micro}
        if self.recount.exceeded_by(variance_micro, **against):
            return "recount"
        if doubtful or self.review.exceeded_by(variance_micro, **against):
            return "review"
        return "within" if variance_micro else "matches"


DEFAULT_RULES = Rules()


@dataclass(frozen=True, slots=True)
class CountLine:
    """What is asked for: a place, with item "" for all that is there, with lot "" for any lot.

    part: 0, or 1, 2, 3 ... of a line that several people count a part of each; those add up.
    empty: somebody has stated that nothing is there.
    """

    line: int
    location: str
    item: str = ""
    lot: str = ""
    part: int = 0
    empty: bool = False

    @property
    def scope(self) -> tuple[str, str, str]:
        """Return what of the book it asks for: location, item, lot."""
        return (self.location, self.item, self.lot)

    def covers(self, *, location: str, item: str, lot: str) -> bool:
        """Return whether it asks for these goods at this place."""
        return self.location == location and self.item in {"", item} and self.lot in {"", lot}


@dataclass(frozen=True, slots=True)
class Entered:
    """What somebody has counted. unit: "" for the item's. part: of a line with parts, else 0."""

    location: str
    item: str
    quantity_micro: int
    unit: str = ""
    lot: str = ""
    serial: str = ""
    sscc: str = ""
    expiry_date: str = ""
    part: int = 0


def line_answered(one: Entered, lines: Iterable[CountLine]) -> int:
    """Return the number of the line that asks for what was counted, 0 if none does."""
    return next(
        (
            line.line
            for line in lines
            if line.covers(location=one.location, item=one.item, lot=one.lot)
            and line.part == one.part
        ),
        0,
    )


@dataclass(frozen=True, slots=True)
class CountHead:
    """A count without its lines.

    round: which one is counted, 1 at first. gateway: of an ad hoc count. plan: that chose its
    lines, "" for none. reason: why it was cancelled. Times are 0 while not there yet.
    """

    code: str
    warehouse: str
    kind: Kind
    state: State
    blind: bool
    round: int
    rules: Rules
    plan: str
    gateway: str
    note: str
    reason: str
    created_by: str
    created_ms: int
    released_ms: int
    finished_ms: int
    ended_by: str
    ended_ms: int
    version: int


def after_finish(verdicts: Iterable[Verdict], *, round_no: int, rules: Rules) -> str:
    """Return the action that follows a finished round: "recount", "refer", or "" for none."""
    found = set(verdicts)
    if "recount" in found and round_no < min(rules.rounds_max, ROUND_MAX):
        return "recount"
    # A recount that still differs, too, is for somebody else to look at.
    return "refer" if found & {"recount", "review"} else ""


def check_lines(lines: Iterable[CountLine]) -> tuple[CountLine, ...]:
    """Return the lines of a new count. Raises Unusable if two of them ask for the same goods.

    The parts of one line differ in their number; otherwise nothing is asked for twice, so that
    what is counted under two lines never adds up by accident.
    """
    checked = tuple(lines)
    if not checked or len(checked) > LINES_COUNT_MAX:
        raise Unusable(
            f"a count has 1 to {LINES_COUNT_MAX} lines, not {len(checked)}",
            hint="Name places or items to count, and divide large counts.",
        )
    at: dict[str, list[CountLine]] = {}
    for line in checked:
        if line.lot and not line.item:
            raise Unusable(
                f"line {line.line} names lot {line.lot} of no item",
                hint="Name the item of the lot, too.",
                fields={"line": line.line},
            )
        others = at.setdefault(line.location, [])
        for other in others:
            if _overlap(line, other):
                raise Unusable(
                    f"lines {other.line} and {line.line} ask for the same goods at {line.location}",
                    hint="Ask once, or number the parts that several people count.",
                    fields={"lines": [other.line, line.line]},
                )
        others.append(line)
    return checked


def require_other_person(actor: str, *, counters: frozenset[str], what: str) -> None:
    """Return if somebody has not counted what they accept. Raises Conflict."""
    if actor in counters:
        raise Conflict(
            f"{actor} has counted {what} and cannot accept it",
            hint="Let somebody review it who did not count.",
            fields={"counters": sorted(counters)},
        )


def _overlap(line: CountLine, other: CountLine) -> bool:
    if line.scope == other.scope and line.part and other.part and line.part != other.part:
        return False
    same_item = not line.item or not other.item or line.item == other.item
    same_lot = not line.lot or not other.lot or line.lot == other.lot
    return same_item and same_lot
