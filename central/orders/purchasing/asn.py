"""What a supplier's notice of shipment announces, and what of it has come. Pure.

    announced -expect-> expected -close-> closed
        |                  |
        +-----cancel-------+--> cancelled      (only while nothing came)

A notice names handling units by their SSCC, one on or in another, and what is in each. While it is
expected, stations work on it by its own code, or on its order and know nothing of it. A unit has
come when the ledger has its goods: under its own SSCC, or with the unit that carries it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from central.contract.gs1 import check_key
from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import DocumentLine, ExpectedDocument
from central.errors import Conflict, Unusable
from central.orders.document_progress import DocumentProgress, ExpectedQuantity
from central.orders.state_tables import StateTable

UNITS_COUNT_MAX = 500
LINES_COUNT_MAX = 500
NESTING_MAX = 8
SSCC_DIGITS = 18

State = Literal["announced", "expected", "closed", "cancelled"]
Presence = Literal["missing", "differs", "received"]
Contents = Mapping[tuple[str, str], int]  # Item and lot -> quantity in the item's unit.

STATES: StateTable = {
    "expect": {"announced": "expected"},
    "close": {"expected": "closed"},
    "cancel": {"announced": "cancelled", "expected": "cancelled"},
}
# What may be changed: everything, or only its date and note.
CHANGEABLE: frozenset[str] = frozenset({"announced"})
AMENDABLE: frozenset[str] = frozenset({"expected"})


@dataclass(frozen=True, slots=True)
class HandlingUnit:
    """A pallet, a case. parent: SSCC of the unit that carries it, "" for none."""

    sscc: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """What is announced in one unit; sscc "": loose. quantity_micro: in the item's own unit.

    order_line: of the order, 0 for none. ended_micro: what had come when the notice ended, None
    before that.
    """

    line: int
    sscc: str
    item: str
    lot: str
    expiry_date: str
    unit: str
    quantity_micro: int
    order_line: int
    ended_micro: int | None = None

    @property
    def expected(self) -> ExpectedQuantity:
        """Return what the line expects, as progress is measured."""
        return ExpectedQuantity(self.line, self.item, self.unit, self.quantity_micro)


@dataclass(frozen=True, slots=True)
class ShippingNotice:
    """A notice of shipment to one warehouse.

    order_code: the order that it fulfils, "" for none. own_document: stations work on it by its own
    code. expected_date: YYYY-MM-DD or "". reason: of its end.
    """

    code: str
    warehouse: str
    supplier: str
    order_code: str
    state: State
    own_document: bool
    expected_date: str
    note: str
    reason: str
    version: int
    created_by: str
    created_ms: int
    changed_ms: int
    units: tuple[HandlingUnit, ...]
    lines: tuple[NoticeLine, ...]

    def __str__(self) -> str:
        return f"notice of shipment {self.code}"


@dataclass(frozen=True, slots=True)
class UnitPresence:
    """Whether a unit has come. differs: something else, or not all, was in it."""

    unit: HandlingUnit
    presence: Presence


def check_units(units: Sequence[HandlingUnit], *, in_lines: Sequence[str]) -> None:
    """Return if these units can be. in_lines: the SSCCs that lines name.

    Raises Unusable; ContractError for an SSCC with a wrong check digit.
    """
    parents: dict[str, str] = {}
    for unit in units:
        if len(unit.sscc) != SSCC_DIGITS:
            raise _unusable_unit(unit.sscc, "has not 18 digits", "Write the SSCC with 18 digits.")
        check_key(unit.sscc, what="SSCC")
        if unit.sscc in parents:
            raise _unusable_unit(unit.sscc, "is there twice", "Name each unit once.")
        parents[unit.sscc] = unit.parent
    for sscc in (*filter(None, parents.values()), *filter(None, in_lines)):
        if sscc not in parents:
            raise _unusable_unit(sscc, "is not among the units", "Add the unit to the notice.")
    for sscc, parent in parents.items():
        above, steps = parent, 1
        while above:
            if above == sscc or steps > NESTING_MAX:
                hint = f"Nest units at most {NESTING_MAX} deep, and none in itself."
                raise _unusable_unit(sscc, "is nested in itself or too deep", hint)
            above, steps = parents[above], steps + 1


def receipt_document(
    notice: ShippingNotice, *, partner: str, tolerances: Mapping[tuple[str, int], int]
) -> ExpectedDocument | None:
    """Return what stations work on for a notice, None for none.

    partner: the supplier's name. tolerances: by notice and line, in 10^-6 percent; else none.
    """
    if notice.state != "expected" or not notice.own_document:
        return None
    lines = tuple(
        DocumentLine(
            line=line.line,
            item=line.item,
            quantity=canonical_text(from_micro(line.quantity_micro)),
            tolerance_percent=canonical_text(
                from_micro(tolerances.get((notice.code, line.line), 0))
            ),
            lot=line.lot,
            sscc=line.sscc,
        )
        for line in notice.lines
    )
    return ExpectedDocument(
        code=notice.code, warehouse=notice.warehouse, partner=partner, lines=lines
    )


def unit_presences(
    notice: ShippingNotice, arrived: Mapping[str, Contents]
) -> tuple[UnitPresence, ...]:
    """Return which units of a notice have come. arrived: what came under each SSCC."""
    children: dict[str, list[str]] = {}
    for unit in notice.units:
        children.setdefault(unit.parent, []).append(unit.sscc)
    own: dict[str, dict[tuple[str, str], int]] = {}
    for line in notice.lines:
        contents = own.setdefault(line.sscc, {})
        key = (line.item, line.lot)
        contents[key] = contents.get(key, 0) + line.quantity_micro
    found: dict[str, Presence] = {}
    for sscc in children.get("", []):
        _judge(sscc, children, own, arrived, found)
    return tuple(UnitPresence(unit, found[unit.sscc]) for unit in notice.units)


def check_cancel(notice: ShippingNotice, progress: DocumentProgress) -> None:
    """Return if nothing of a notice came yet. Raises Conflict."""
    if not progress.untouched:
        raise Conflict(
            f"{notice} cannot be cancelled: something of it came already",
            hint="Close it instead, and say why the rest will not come.",
            fields={"fulfilment": progress.fulfilment},
        )


def check_close(
    notice: ShippingNotice,
    progress: DocumentProgress,
    presences: Sequence[UnitPresence],
    *,
    reason: str,
) -> None:
    """Return if a notice may be closed: complete, or with a reason. Raises Conflict."""
    missing = [one.unit.sscc for one in presences if one.presence != "received"]
    open_lines = [line.line for line in progress.lines if line.remaining_micro]
    if (missing or open_lines) and not reason:
        raise Conflict(
            f"{notice} did not come in full",
            hint="Give a reason to close it as it is.",
            fields={"units": missing, "lines": open_lines},
        )


def _judge(
    sscc: str,
    children: Mapping[str, Sequence[str]],
    own: Mapping[str, Contents],
    arrived: Mapping[str, Contents],
    found: dict[str, Presence],
) -> None:
    """Judge a unit and all that it carries. The nesting is checked to be shallow."""
    for child in children.get(sscc, ()):
        _judge(child, children, own, arrived, found)
    below = [found[child] for child in children.get(sscc, ())]
    came = {key: micro for key, micro in arrived.get(sscc, {}).items() if micro}
    if came and came == _deep(sscc, children, own, without=found):
        _receive(sscc, children, found)
    elif came:
        found[sscc] = "received" if came == own.get(sscc, {}) else "differs"
    elif own.get(sscc) or not below or set(below) == {"missing"}:
        found[sscc] = "missing"
    else:
        found[sscc] = "received" if set(below) == {"received"} else "differs"


def _deep(
    sscc: str,
    children: Mapping[str, Sequence[str]],
    own: Mapping[str, Contents],
    *,
    without: Mapping[str, Presence],
) -> dict[tuple[str, str], int]:
    """Return what is in a unit and in those that it carries and that did not come by themselves."""
    contents = dict(own.get(sscc, {}))
    for child in children.get(sscc, ()):
        if without[child] != "missing":
            continue
        for key, micro in _deep(child, children, own, without=without).items():
            contents[key] = contents.get(key, 0) + micro
    return contents


def _receive(sscc: str, children: Mapping[str, Sequence[str]], found: dict[str, Presence]) -> None:
    found[sscc] = "received"
    for child in children.get(sscc, ()):
        if found[child] == "missing":
            _receive(child, children, found)


def _unusable_unit(sscc: str, what: str, hint: str) -> Unusable:
    return Unusable(f"unit {sscc[:40]} {what}", hint=hint, fields={"sscc": sscc[:40]})
