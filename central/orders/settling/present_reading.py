"""What there is of goods that are taken back, and who else moved them. Edge of the database."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from central.ledger.decided_goods import Became, came_undecided
from central.ledger.entries import GOODS_KEY_SIZE, BalanceKey, FactKey, GoodsKey
from central.ledger.locations import is_virtual
from central.ledger.pairs import is_received
from central.ledger.reversals import stored_movements
from central.ledger.statuses import AVAILABLE, INSPECTION
from central.orders.purchasing.decided_arrivals import became_of
from central.orders.settling.present_goods import PresentGoods
from central.orders.settling.settlement_steps import MovedFact
from central.storage import bulk, tables


def present_goods(connection: Connection, facts: Sequence[MovedFact]) -> PresentGoods:
    """Return what there is now of the goods of facts, as far as it is asked for.

    What is at a place, of each status, just as these facts together have left it, nobody else has
    touched. Nobody asks for goods that always were available: those are taken first. Goods that
    were inspected since are just those that it was decided of.
    """
    moved: Counter[BalanceKey] = Counter()
    for fact in facts:
        for part in fact.parts:
            moved[_key(fact, fact.movement.from_location, part.given_status)] -= part.quantity_micro
            moved[_key(fact, fact.movement.to_location, part.taken_status)] += part.quantity_micro
    inside = {key: micro for key, micro in moved.items() if not is_virtual(key.location)}
    several = {key[2:GOODS_KEY_SIZE] for key in inside if key.status != AVAILABLE}
    own = {key: micro for key, micro in inside.items() if key[2:GOODS_KEY_SIZE] in several}
    on_hand = {key: now[0] for key, now in _read(connection, own).items()}
    every = on_hand.keys() | own.keys()
    others = {_goods(key) for key in every if on_hand.get(key, 0) != own.get(key, 0)}
    return PresentGoods(
        on_hand,
        untouched={key for key in every if _goods(key) not in others},
        became=_became(connection, facts),
    )


def goods_since(connection: Connection, facts: Sequence[MovedFact], *, since: int) -> PresentGoods:
    """Return what there is now of the goods of facts where they went.

    since: the last fact; what nothing has changed since then is as they left it.
    """
    targets = [_key(fact, fact.movement.to_location, AVAILABLE) for fact in facts]
    found = _read(connection, [key for key in targets if not is_virtual(key.location)])
    return PresentGoods(
        {key: on_hand for key, (on_hand, _) in found.items()},
        untouched={key for key, (_, last_record_no) in found.items() if last_record_no <= since},
    )


def _became(
    connection: Connection, facts: Sequence[MovedFact]
) -> Mapping[FactKey, Sequence[Became]]:
    """Return what became of goods that came to be inspected, by the decisions of others."""
    came = [
        fact.key
        for fact in facts
        if any(part.taken_status == INSPECTION for part in fact.parts)
        and is_received(fact.movement.from_location, fact.movement.to_location)
    ]
    found = {
        key: one
        for key, one in stored_movements(connection, sorted(came))
        if came_undecided(one.lines)
    }
    return became_of(connection, found, {fact.key for fact in facts}) if found else {}


def _read(
    connection: Connection, keys: Collection[BalanceKey]
) -> dict[BalanceKey, tuple[int, int]]:
    """Return millionths and the last record number of all statuses of the goods of balances."""
    goods = sorted({_goods(key) for key in keys})
    size = GOODS_KEY_SIZE + 1
    found = bulk.select_by_key(connection, tables.balances, goods, columns_count=GOODS_KEY_SIZE)
    return {BalanceKey(*row[:size]): (row[size], row[size + 1]) for row in found}


def _goods(key: BalanceKey) -> GoodsKey:
    return key[:GOODS_KEY_SIZE]


def _key(fact: MovedFact, location: str, status: str) -> BalanceKey:
    movement = fact.movement
    thing = (movement.item, movement.lot, movement.serial, movement.sscc, fact.unit)
    return BalanceKey(fact.key.warehouse, location, *thing, status)
