"""What goods lack that the card of their code asks for, made after they came. Edge of SQL.

GADGET   3 came in, nobody knew it    available, of no lot
         its card is made: lots
GADGET   3 once more                  lot_missing: as proposed
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from central.errors import Conflict
from central.ledger.entries import BalanceKey
from central.ledger.goods_rules import comes_in, is_told
from central.ledger.pairs import is_weighed_there, takes_share
from central.ledger.statuses import AVAILABLE
from central.orders.settling.came_uninspected import come_uninspected, had_to
from central.orders.settling.settlement_steps import MovedFact
from central.orders.settling.stated_statuses import of_several_statuses
from central.storage import bulk, tables
from central.storage.catalogue_tables import item_policies


class _Card(NamedTuple):
    """What the card of an item asks for."""

    unit: str
    lot: bool = False
    serial: bool = False
    weight: bool = False
    expiry_date: bool = False
    inspected: bool = False


class Lacking(NamedTuple):
    """Facts that have to be posted once more. inspected: their goods wait for inspection then."""

    facts: list[MovedFact]
    inspected: bool


def lacking(connection: Connection, item: str, facts: Sequence[MovedFact]) -> Lacking:
    """Return which of these facts lack what their item asks for by now; none of other units.

    Uninspected goods go with all that became of them. Beside what some inspection knows of they are
    found where they came to and still are as available; of others nobody can tell.
    """
    card = _card(connection, item)
    if card is None or any(fact.unit != card.unit for fact in facts):
        return Lacking([], inspected=False)
    if card.inspected and come_uninspected(facts):
        return Lacking(list(facts), inspected=True)
    if card.inspected and of_several_statuses(facts):
        still = _still_available(connection, [fact for fact in facts if had_to(fact)])
        return Lacking(still, inspected=bool(still))
    dated = _dated(connection, facts) if card.expiry_date else set[str]()
    return Lacking([fact for fact in facts if _lacks(fact, card, dated)], inspected=False)


def refuse_lacking(connection: Connection, item: str, facts: Sequence[MovedFact]) -> None:
    """Raise Conflict if goods would lack for good what their item asks for, told to nobody."""
    found = lacking(connection, item, facts)
    count = len(found.facts)
    if count and found.inspected:
        raise Conflict(
            f"{item} is inspected by now, and {count} of its movements were not",
            hint="Settle it as proposed: they are posted once more, and wait for inspection.",
            fields={"facts_count": count},
        )
    if count:
        raise Conflict(
            f"{item} asks for more by now, and {count} of its movements lack that",
            hint="Settle it as proposed: they are posted once more, and what they lack is told.",
            fields={"facts_count": count},
        )


def is_inspected(connection: Connection, item: str) -> bool:
    """Return whether goods that are posted under an item's code come to wait for inspection."""
    found = bulk.select_by_key(connection, item_policies, [(item,)], columns_count=1)
    return any(row[2] for row in found)


def _card(connection: Connection, item: str) -> _Card | None:
    for row in bulk.select_by_key(connection, tables.items, [(item,)], columns_count=1):
        found = bulk.select_by_key(connection, item_policies, [(item,)], columns_count=1)
        for _, _, inspected, weight_unit, dated, serial, *_ in found:
            asks = map(bool, (row[5] or dated, serial, weight_unit, dated, inspected))
            return _Card(row[3], *asks)
        return _Card(row[3], bool(row[5]))
    return None


def _lacks(fact: MovedFact, card: _Card, dated: set[str]) -> bool:
    movement = fact.movement
    way = (movement.from_location, movement.to_location)
    if card.weight and is_weighed_there(*way) and takes_share(movement):
        return True
    if not is_told(*way):
        return False
    if (card.lot and not movement.lot) or (card.serial and not movement.serial):
        return True
    return card.expiry_date and movement.lot not in dated and comes_in(*way)


def _dated(connection: Connection, facts: Sequence[MovedFact]) -> set[str]:
    """Return the lots of facts whose expiry date their warehouse knows."""
    keys = sorted({(one.key.warehouse, one.movement.item, one.movement.lot) for one in facts})
    return {row[2] for row in bulk.select_by_key(connection, tables.lots, keys, columns_count=3)}


def _still_available(connection: Connection, facts: Sequence[MovedFact]) -> list[MovedFact]:
    """Return those whose goods came as available, and of which as much is where they came to."""
    came: dict[BalanceKey, list[MovedFact]] = {}
    for fact in facts:
        movement = fact.movement
        if all(part.taken_status == AVAILABLE for part in fact.parts):
            goods = (movement.item, movement.lot, movement.serial, movement.sscc, fact.unit)
            key = BalanceKey(fact.key.warehouse, movement.to_location, *goods, AVAILABLE)
            came.setdefault(key, []).append(fact)
    size = len(BalanceKey._fields)
    rows = bulk.select_by_key(connection, tables.balances, sorted(came), columns_count=size)
    left = Counter({BalanceKey(*row[:size]): row[size] for row in rows})
    return [
        fact
        for key, some in came.items()
        if sum(one.quantity_micro for one in some) <= left[key]
        for fact in some
    ]
