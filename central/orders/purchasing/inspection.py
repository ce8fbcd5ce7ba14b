"""What is decided of goods that have to be inspected, and what that makes of them. Pure.

                     accept
    inspection ----------------> available
        |   \\---reject---> rejected ---scrap---> (scrap)
       hold                   ^  |
        v       reject        |  +--- goes back on a supplier return
       held ------------------+
        |  \\----accept----> available
        +---scrap---> (scrap)

    sample       some of it was looked at and put back; its result is kept
    sample_used  some of it was used up in looking: to scrap
    gone         it is not there any more, whatever became of it; moves nothing
    hold         also of what is held, when a station carried it to another place: it stays held

Each decision but the last moves goods, by facts of the ledger's own or of a station. Only what is
accepted becomes available. An inspection is open while something of it is under inspection or held.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict
from central.ledger.statuses import AVAILABLE, HELD, INSPECTION, REJECTED

DECISIONS_COUNT_MAX = 500
PLACES_COUNT_MAX = 200  # Balances that one decision takes from.
SCRAP = "scrap"

Decision = Literal["accept", "reject", "hold", "sample", "sample_used", "scrap", "gone"]
Source = Literal["inspection", "held", "rejected"]
SampleResult = Literal["", "passed", "failed", "pending"]

# Decision -> what it may be made of -> status that the goods have then; "": none, they leave.
OUTCOMES: dict[Decision, dict[Source, str]] = {
    "accept": {"inspection": AVAILABLE, "held": AVAILABLE},
    "reject": {"inspection": REJECTED, "held": REJECTED},
    "hold": {"inspection": HELD},
    "sample": {"inspection": INSPECTION, "held": HELD},
    "sample_used": {"inspection": "", "held": ""},
    "scrap": {"held": "", "rejected": ""},
    "gone": {"inspection": "", "held": "", "rejected": ""},
}
MOVES_NOTHING: frozenset[Decision] = frozenset({"sample", "gone"})
NEEDS_REASON: frozenset[Decision] = frozenset({"reject", "hold", "scrap", "gone"})


@dataclass(frozen=True, slots=True)
class Inspection:
    """Goods that came to be inspected: what came of one document line in one lot.

    document: "" if they came under none. arrived_micro: how much. Fields as of the table.
    """

    code: str
    warehouse: str
    document: str
    document_line: int
    item: str
    lot: str
    unit: str
    arrived_micro: int
    open: bool
    version: int
    created_ms: int
    changed_ms: int

    def __str__(self) -> str:
        return f"inspection {self.code}"


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision, or its part at one place, as it is kept.

    gateway, epoch, seq: of the movement that carried it out.
    """

    decision_no: int
    decision: Decision
    source: Source
    quantity_micro: int
    location: str
    to_location: str
    serial: str
    sscc: str
    reason: str
    result: SampleResult
    actor: str
    at_ms: int
    epoch: str
    seq: int
    gateway: str = "central"

    @property
    def carries(self) -> bool:
        """Return whether held goods were only carried to another place."""
        return self.decision == "hold" and self.source == HELD


@dataclass(frozen=True, slots=True)
class Amounts:
    """What became of the goods of one inspection. They sum to what arrived, samples apart."""

    inspection_micro: int
    held_micro: int
    rejected_micro: int
    accepted_micro: int
    scrapped_micro: int
    gone_micro: int

    def of(self, source: Source) -> int:
        """Return how much can still be decided on."""
        return {
            "inspection": self.inspection_micro,
            "held": self.held_micro,
            "rejected": self.rejected_micro,
        }[source]

    @property
    def open(self) -> bool:
        """Return whether something is still to be decided."""
        return bool(self.inspection_micro or self.held_micro)


@dataclass(frozen=True, slots=True)
class Standing:
    """Goods of one status at one place. weight_micro: of all of them, 0 for what is not weighed."""

    location: str
    serial: str
    sscc: str
    on_hand_micro: int
    weight_micro: int = 0


@dataclass(frozen=True, slots=True)
class Taking:
    """How much a decision takes of the goods at one place, and what that weighs.

    A part of the goods has its share of their weight, rounded down; the last part takes the rest.
    """

    location: str
    serial: str
    sscc: str
    quantity_micro: int
    weight_micro: int = 0


def amounts_of(arrived_micro: int, decisions: Iterable[DecisionRow]) -> Amounts:
    """Return what became of the goods of an inspection."""
    sums = {INSPECTION: arrived_micro, HELD: 0, REJECTED: 0, AVAILABLE: 0, SCRAP: 0, "gone": 0}
    for row in decisions:
        if row.decision == "sample" or row.carries:
            continue
        status = OUTCOMES[row.decision][row.source]
        sums[row.source] -= row.quantity_micro
        sums[status or ("gone" if row.decision == "gone" else SCRAP)] += row.quantity_micro
    return Amounts(
        inspection_micro=sums[INSPECTION],
        held_micro=sums[HELD],
        rejected_micro=sums[REJECTED],
        accepted_micro=sums[AVAILABLE],
        scrapped_micro=sums[SCRAP],
        gone_micro=sums["gone"],
    )


def held_there_micro(
    decisions: Iterable[DecisionRow], *, location: str, serial: str, sscc: str
) -> int:
    """Return how much an inspection holds of one balance.

    What was held there or carried there, less what left.
    """
    left_micro = 0
    for row in decisions:
        if (row.serial, row.sscc) != (serial, sscc):
            continue
        if row.decision == "hold" and row.to_location == location:
            left_micro += row.quantity_micro
        elif row.source == HELD and row.decision != "sample" and row.location == location:
            left_micro -= row.quantity_micro
    return left_micro


def outcome_of(decision: Decision, source: Source, *, what: str) -> str:
    """Return the status that goods have after a decision, "" if they leave. Raises Conflict."""
    outcomes = OUTCOMES[decision]
    if source not in outcomes:
        raise Conflict(
            f"{what}: goods that are {source} cannot be decided on with {decision}",
            hint=f"Possible for {decision}: {', '.join(outcomes)}.",
            fields={"possible": list(outcomes)},
        )
    return outcomes[source]


def check_quantity(amounts: Amounts, source: Source, quantity_micro: int, *, what: str) -> None:
    """Return if so much can still be decided on. Raises Conflict."""
    left_micro = amounts.of(source)
    if quantity_micro > left_micro:
        raise Conflict(
            f"{what}: {_text(quantity_micro)} is more than the {_text(left_micro)} of it that is"
            f" {source}",
            hint="Decide on no more than there is; load the inspection again.",
            fields={source: _text(left_micro)},
        )


def check_there(standing: Sequence[Standing], quantity_micro: int, *, what: str) -> None:
    """Return if so much stands there. Raises Conflict with how much does."""
    there_micro = sum(max(one.on_hand_micro, 0) for one in standing)
    if there_micro < quantity_micro:
        raise Conflict(
            f"{what}: only {_text(there_micro)} of {_text(quantity_micro)} is there",
            hint="Look where the goods are now; what is not there any more is decided as gone.",
            fields={"on_hand": _text(there_micro)},
        )


def take(standing: Sequence[Standing], quantity_micro: int, *, what: str) -> list[Taking]:
    """Return from which places a quantity is taken, in the order of place, unit, serial number.

    Raises Conflict if not so much is there.
    """
    check_there(standing, quantity_micro, what=what)
    taken, missing = [], quantity_micro
    for one in sorted(standing, key=lambda place: (place.location, place.sscc, place.serial)):
        part = min(one.on_hand_micro, missing)
        if part <= 0:
            continue
        weight = one.weight_micro * part // one.on_hand_micro
        taken.append(Taking(one.location, one.serial, one.sscc, part, weight))
        missing -= part
        if not missing:
            break
    if len(taken) > PLACES_COUNT_MAX:
        raise Conflict(
            f"{what}: the goods stand at {len(taken)} places or have as many numbers",
            hint=f"Decide on them place by place, at most {PLACES_COUNT_MAX} at once.",
        )
    return taken


def _text(micro: int) -> str:
    return canonical_text(from_micro(micro))
