"""Which facts behind a discrepancy a decision moves, how many at once. Edge of the database.

A settlement is one change, and nobody else posts meanwhile: of very many facts it moves the oldest,
and what waits is the next one's. Of a quantity it is the newest: what came last is too much.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection

from central.contract.facts import Movement
from central.contract.quantities import PIECE
from central.errors import Conflict, Unusable
from central.orders.settling.asked_later import lacking
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.settlement_steps import MovedFact
from central.orders.settling.settlements import (
    KINDS_OF_EXCESS,
    KINDS_SETTLED_IN_PART,
    Decision,
    document_kind,
)
from central.orders.settling.unit_factors import factor_that_leaves, unit_factor
from central.storage import bulk, tables

# Each part of a fact's goods is taken back in at most two movements, and posted again in one: with
# that a settlement stays below its most movements.
PARTS_AT_ONCE_MAX = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """What a decision moves. facts: oldest first. left_count: of those that it is not about.

    beyond_count: of those that it is about too, and that are more than is moved at once. unit: of
    the item that they were meant for, "" for their own. factors: of each unit that they are in, how
    many of that one of it is, None for just that; empty if that is not asked.
    """

    facts: list[MovedFact]
    left_count: int
    beyond_count: int
    unit: str
    factors: dict[str, Fraction | None]

    def by_factor(self, decision: Decision) -> Iterator[tuple[list[MovedFact], Fraction | None]]:
        """Yield the facts of each unit with its factor; all with what was decided if not asked."""
        if not self.factors:
            yield self.facts, decision.factor
        for unit, factor in self.factors.items():
            some = [fact for fact in self.facts if fact.unit == unit]
            if some:
                yield some, factor

    def waiting_count(self, row: Found, decision: Decision, *, excess_micro: int) -> int:
        """Return how many wait for another settlement, where this one does not settle it.

        decision: with its quantity. excess_micro: of what an order has too much of.
        """
        quantity = decision.quantity_micro
        if quantity is None:
            return self.beyond_count
        moved = sum(fact.quantity_micro for fact in self.facts)
        is_short = row.kind in KINDS_OF_EXCESS and moved <= quantity < excess_micro
        return self.beyond_count if is_short else 0

    def rest_count(self, row: Found, quantity_micro: int | None) -> int:
        """Return of how many facts something is left that a decision is about as well.

        quantity_micro: that it moves, the newest first; None for all that is moved at once.
        """
        if quantity_micro is None:
            return self.beyond_count
        if row.kind not in KINDS_SETTLED_IN_PART:
            return 0
        moved = sum(fact.quantity_micro for fact in self.facts)
        return self.beyond_count + (quantity_micro < moved)


def choose(
    connection: Connection, row: Found, decision: Decision, standing: Sequence[MovedFact]
) -> Choice:
    """Return what a decision moves of what stands behind a discrepancy.

    The facts that it names, else as many as are moved at once of those that it is about. Raises
    Unusable for what it names and is not there, Conflict if nothing is left to move.
    """
    every = list(standing)
    if row.kind == "unit_differs":
        every = [fact for fact in every if fact.unit == row.unit]
    elif row.kind == "unknown_item" and decision.item == row.subject and not decision.facts:
        # It was known later: what lacks nothing stays.
        every = lacking(connection, decision.item, every).facts or every
    found = every
    if row.kind == "unknown_document" and decision.item:
        found = [fact for fact in every if fact.movement.item == decision.item]
    if decision.document and not decision.facts:
        # Goods came and went under it; the other document is about the one or the other.
        works_in = decision.warehouse if is_counted_there(row, decision) else row.warehouse
        kind = _kind_of(connection, works_in, decision.document)
        found = [fact for fact in found if kind_done(fact.movement) == kind]
    if decision.facts:
        wanted = set(decision.facts)
        found = [fact for fact in found if "/".join(map(str, fact.key[1:])) in wanted]
        require(len(found) == len(wanted), "not all of these facts are behind it and still stand")
    if not found:
        raise Conflict(
            "what is behind it is taken back already, or moved nothing",
            hint="Accept it; nothing is left to move.",
        )
    left_count = len(every) - len(found)
    unit, factors = "", dict[str, Fraction | None]()
    if _is_of_item(row, decision):
        item = decision.item or row.item
        unit = _unit_of(connection, item)
        found, factors, unposted_count = _by_unit(connection, found, decision, item, unit)
        left_count += unposted_count
    is_newest = row.kind in KINDS_OF_EXCESS or decision.quantity_micro is not None
    some = found if decision.facts else at_once(found, newest=is_newest)
    return Choice(some, left_count, len(found) - len(some), unit, factors)


def at_once(facts: Sequence[MovedFact], *, newest: bool = False) -> list[MovedFact]:
    """Return as many facts as one settlement moves, at least one: the oldest, or the newest."""
    some: list[MovedFact] = []
    parts_count = 0
    for fact in reversed(facts) if newest else facts:
        parts_count += max(1, len(fact.parts))
        if some and parts_count > PARTS_AT_ONCE_MAX:
            break
        some.append(fact)
    return some[::-1] if newest else some


def is_counted_there(row: Found, decision: Decision) -> bool:
    """Return whether goods are to count for an order of another warehouse than they moved in."""
    elsewhere = decision.warehouse not in ("", row.warehouse)
    is_meant = decision.action == "reassign" and bool(decision.document)
    return row.kind == "unknown_document" and is_meant and elsewhere


def kind_done(movement: Movement) -> str:
    """Return the kind of document that a movement does, "" if it crosses no border."""
    return document_kind(from_location=movement.from_location, to_location=movement.to_location)


def require(met: object, otherwise: str) -> None:
    """Raise Unusable if something that a decision needs is not met."""
    if not met:
        raise Unusable(otherwise, hint="Correct what the settlement names, and send it again.")


def _is_of_item(row: Found, decision: Decision) -> bool:
    """Return whether a decision says which item facts were meant for, or what their unit is."""
    if decision.action == "reverse" or decision.document or row.kind == "weight_missing":
        return False
    return bool(decision.item) or row.kind == "unit_differs"


def _by_unit(
    connection: Connection,
    facts: list[MovedFact],
    decision: Decision,
    item: str,
    unit: str,
) -> tuple[list[MovedFact], dict[str, Fraction | None], int]:
    """Return the facts that convert, the factor of each unit, and how many others are wrong.

    Of facts in several units a factor is that of a scan, thus about pieces; what is posted as it
    should be stays.
    """
    if len({fact.unit for fact in facts}) == 1 or decision.quantity_micro is not None:
        factor = _factor(connection, facts, decision, item, unit)
        return facts, {facts[0].unit: factor}, 0
    wrong = [fact for fact in facts if (fact.movement.item, fact.unit) != (item, unit)]
    factors: dict[str, Fraction | None] = {}
    for one in sorted({fact.unit for fact in wrong}):
        some = [fact for fact in wrong if fact.unit == one]
        if decision.factor is not None:
            factor = decision.factor if one == PIECE else None
        else:
            factor = factor_that_leaves(connection, some, item=item)
        if factor is not None:
            factors[one] = factor
    require(factors, f"the facts behind it are in several units, and none converts to {unit}")
    found = [fact for fact in wrong if fact.unit in factors]
    return found, factors, len(wrong) - len(found)


def _factor(
    connection: Connection,
    facts: list[MovedFact],
    decision: Decision,
    item: str,
    unit: str,
) -> Fraction | None:
    """Return how many of the item's unit one unit of the facts is, None if they are the same."""
    units = {fact.unit for fact in facts}
    require(len(units) == 1, "the facts behind it are in several units")
    if decision.factor is not None:
        return decision.factor
    if units == {unit}:
        return None
    factor = unit_factor(connection, item=item, unit=units.pop())
    require(factor is not None, f"its unit does not convert to {unit}, that of {item}")
    return factor


def _unit_of(connection: Connection, item: str) -> str:
    row = next(bulk.select_by_key(connection, tables.items, [(item,)], columns_count=1), None)
    if row is None:
        raise Unusable(f"no item is called {item!r}", hint="Add the item first.")
    return str(row[3])


def _kind_of(connection: Connection, warehouse: str, document: str) -> str:
    """Return the kind of a document. Raises Unusable if there is none."""
    key = (warehouse, document)
    for found in bulk.select_by_key(connection, tables.documents, [key], columns_count=2):
        return str(found[2])
    raise Unusable(
        f"{warehouse} works on no document {document!r}",
        hint="Name one that stations are told of.",
        fields={"document": document},
    )
