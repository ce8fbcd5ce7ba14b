"""What a settlement moves: facts as they stand in the books, and what is posted. Pure."""

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import NamedTuple

from central.contract.facts import Evidence, Movement
from central.contract.quantities import canonical_text, from_micro
from central.ledger.entries import FactKey, HeldLot
from central.ledger.goods_rules import NAMED_FLAG, SETTLING_FLAG, TAKES_BACK
from central.ledger.locations import is_virtual
from central.ledger.measures import WEIGHED_IN
from central.ledger.pairs import FLAG_WEIGHTLESS
from central.ledger.rests_back import FLAG_GIVES_BACK, RestBack, evidence_of
from central.ledger.statuses import HELD, REJECTED
from central.orders.settling.roundings import Rest

ADJUSTMENT = "adjustment"
SETTLES = "settles "  # The evidence of the ledger's own facts goes on with a discrepancy.
STANDS_FOR = "stands for "  # That of what is posted anew, with the fact that it is made of.
STORING, COUNTING = "storing", "counting"


class MovedPart(NamedTuple):
    """What a movement moved of one status. taken_status: what that became."""

    given_status: str
    taken_status: str
    quantity_micro: int
    weight_micro: int = 0


@dataclass(frozen=True, slots=True)
class MovedFact:
    """A movement as it stands in the books: in the unit in which it was posted.

    weight_micro: what it took along, in the unit in which the item is weighed; weight_unit: that.
    parts: of its goods, one for each status that they had. rests: what gives back the weights that
    it wrote off.
    """

    key: FactKey
    movement: Movement
    unit: str
    quantity_micro: int
    weight_micro: int = 0
    weight_unit: str = WEIGHED_IN
    parts: tuple[MovedPart, ...] = ()
    rests: tuple[RestBack, ...] = ()


class Standing(NamedTuple):
    """Movements behind a discrepancy that are not taken back, oldest first.

    is_cut: there may be more, beyond the lines that are looked at.
    """

    facts: list[MovedFact]
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One movement that a settlement posts.

    takes_back: the fact that it takes back, if any, with the weight that it took along. stands_for:
    the one that it posts anew, as it was or as it was meant. weightless: it takes no weight along.
    is_first: of a fact that was posted nowhere yet, so that whatever is wrong with it is found.
    is_named: which item its goods are of is said now, so that what is missing of those is found.
    rest: by how much it is more than exactly, None for just that; of goods of which nothing is
    posted again it is at what takes them back. rests_back: weights that it gives back besides, to
    places where its goods come or go.
    """

    from_location: str
    to_location: str
    item: str
    quantity_micro: int
    unit: str
    business_step: str = STORING
    lot: str = ""
    serial: str = ""
    sscc: str = ""
    expiry_date: str = ""
    net_weight: str = ""
    weight_unit: str = ""
    document: str = ""
    document_line: int = 0
    from_status: str = ""
    to_status: str = ""
    takes_back: FactKey | None = None
    stands_for: FactKey | None = None
    weightless: bool = False
    is_first: bool = False
    is_named: bool = False
    rest: Rest | None = None
    rests_back: tuple[RestBack, ...] = ()


def step_of(fact: MovedFact) -> Step:
    """Return what posts a fact once more, as it was."""
    movement = fact.movement
    return Step(
        from_location=movement.from_location,
        to_location=movement.to_location,
        item=movement.item,
        quantity_micro=fact.quantity_micro,
        unit=fact.unit,
        business_step=movement.business_step,
        lot=movement.lot,
        serial=movement.serial,
        sscc=movement.sscc,
        expiry_date=movement.expiry_date,
        net_weight=movement.net_weight,
        weight_unit=movement.weight_unit,
        document=movement.document,
        document_line=movement.document_line,
        from_status=movement.from_status,
        to_status=movement.to_status,
        stands_for=fact.key,
    )


def as_on_hold(step: Step, warehouse: str, lots_on_hold: Set[HeldLot]) -> Step:
    """Return a step that brings goods back held, as a station's reversal does, of a lot on hold."""
    held = {(house, step.item, step.lot) for house in ("", warehouse)} & lots_on_hold
    comes = is_virtual(step.from_location) and not is_virtual(step.to_location)
    if not held or not comes or step.takes_back is None or step.to_status == REJECTED:
        return step
    return replace(step, to_status=HELD)


def flags_of(step: Step) -> tuple[str, ...]:
    """Return what the ledger's own fact of a step says of itself."""
    if step.is_first:
        return ()
    flags = [FLAG_GIVES_BACK] if step.rests_back else []
    flags.append(SETTLING_FLAG)
    if step.is_named:
        flags.append(NAMED_FLAG)
    if step.weightless:
        flags.append(FLAG_WEIGHTLESS)
    return tuple(flags)


def evidence_for(step: Step, *, discrepancy: str) -> tuple[Evidence, ...]:
    """Return what the ledger's own fact of a step says of what it is for. discrepancy: its id."""
    said = [f"{SETTLES}{discrepancy}"]
    if step.takes_back is not None:
        said.append(TAKES_BACK + name_of(step.takes_back))
    elif step.stands_for is not None:
        said.append(STANDS_FOR + name_of(step.stands_for))
    said += evidence_of(step.rests_back)
    return tuple(Evidence(device="ledger", kind="manual", raw=text.encode()) for text in said)


def meant_by(movement: Movement) -> FactKey | None:
    """Return the fact that one of a settlement stands for, None if it stands for none."""
    for one in movement.evidence if SETTLING_FLAG in movement.flags else ():
        text = one.raw.decode()
        if text.startswith(STANDS_FOR):
            gateway, epoch, seq = text.removeprefix(STANDS_FOR).split("/")
            return FactKey(movement.warehouse, gateway, epoch, int(seq))
    return None


def name_of(fact: FactKey) -> str:
    """Return a fact as it is named: no two warehouses have gateways or epochs of the same name."""
    return "/".join(map(str, fact[1:]))


def with_weight(step: Step, weight_micro: int, *, unit: str) -> Step:
    """Return a step that takes a weight along."""
    return replace(step, net_weight=canonical_text(from_micro(weight_micro)), weight_unit=unit)
