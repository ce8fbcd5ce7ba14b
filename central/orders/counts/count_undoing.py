"""What facts take back, or post otherwise, of before; which fill. Edge of the database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, and_, or_, select

from central.contract.errors import ContractError
from central.contract.facts import Fact, Movement, Reversal, decode_fact
from central.ledger.entries import OWN_GATEWAY, FactKey
from central.ledger.goods_rules import SETTLING_FLAG
from central.orders.counts.count_judging import Moment
from central.orders.counts.count_rows import FACTS_PER_SELECT_MAX, moments_at
from central.orders.settling.fillings import KINDS
from central.orders.settling.settlement_steps import SETTLES
from central.storage import bulk, tables
from central.storage.settlement_tables import discrepancies, settlement_facts


def undone_by(
    connection: Connection, warehouse: str, numbers: Sequence[int]
) -> Mapping[int, Moment]:
    """Return, by record number, the moment of the movement that a fact is about.

    That a reversal takes back, or a settlement: what posts it anew as it was meant is about it,
    too; of several that one settlement takes back, about the last. What takes that back again is
    about the movement that it was about.
    """
    targets: dict[int, FactKey] = {}
    own: dict[FactKey, tuple[int, str]] = {}
    for record_no, key, fact in _facts(connection, numbers):
        if isinstance(fact, Reversal):
            named = FactKey(warehouse, key.gateway, fact.reverses_epoch, fact.reverses_seq)
            targets[record_no] = named
        elif isinstance(fact, Movement) and (identity := _discrepancy(fact)):
            own[key] = (record_no, identity)
    settled = _settled(connection, own)
    every = {*targets.values(), *(key for keys in settled.values() for key in keys)}
    record_index = list(tables.facts.columns.keys()).index("record_no")
    found = bulk.select_by_key(connection, tables.facts, sorted(every), columns_count=4)
    records = {FactKey(*row[:4]): row[record_index] for row in found}
    last = {number: records[key] for number, key in targets.items() if key in records}
    for number, keys in settled.items():
        there = [records[key] for key in keys if key in records]
        if there:
            last[number] = max(there)
    if not last:
        return {}
    behind = sorted(set(last.values()))
    moments = {**moments_at(connection, behind), **undone_by(connection, warehouse, behind)}
    return {number: moments[record] for number, record in last.items()}


def filling_facts(
    connection: Connection, warehouse: str, items: Iterable[str]
) -> frozenset[FactKey]:
    """Return what settlements filled balances below zero with, or took that back with."""
    about, own, wanted = discrepancies.c, settlement_facts.c, sorted(set(items))
    found: set[FactKey] = set()
    for start in range(0, len(wanted), FACTS_PER_SELECT_MAX):
        query = (
            select(own.warehouse, own.gateway, own.epoch, own.seq)
            .join_from(discrepancies, settlement_facts, own.discrepancy == about.id)
            .where(
                about.warehouse == warehouse,
                about.state.in_(("open", "settled")),
                about.kind.in_(KINDS),
                about.item.in_(wanted[start : start + FACTS_PER_SELECT_MAX]),
            )
        )
        found.update(FactKey(*row) for row in connection.execute(query))
    return frozenset(found)


def _facts(
    connection: Connection, numbers: Sequence[int]
) -> Iterator[tuple[int, FactKey, Fact | None]]:
    """Yield those of these facts that may be about others."""
    facts = tables.facts.c
    name = (facts.warehouse, facts.gateway, facts.epoch, facts.seq)
    own = and_(facts.kind == "movement", facts.gateway == OWN_GATEWAY)
    for start in range(0, len(numbers), FACTS_PER_SELECT_MAX):
        query = select(*name, facts.record_no, facts.body).where(
            facts.record_no.in_(numbers[start : start + FACTS_PER_SELECT_MAX]),
            or_(facts.kind == "reversal", own),
        )
        for row in connection.execute(query):
            yield row.record_no, FactKey(*row[:4]), _readable(bytes(row.body))


def _settled(
    connection: Connection, own: Mapping[FactKey, tuple[int, str]]
) -> Mapping[int, Sequence[FactKey]]:
    """Return what these facts of settlements take back, by their record numbers.

    Of what was posted anew it is all that its settlement took back. own: record number and
    discrepancy of each.
    """
    table = settlement_facts.c
    posted: dict[tuple[str, int], list[FactKey]] = {}
    backs: dict[tuple[str, int], list[FactKey]] = {}
    back_of: dict[FactKey, FactKey] = {}
    identities = sorted({identity for _, identity in own.values()})
    for start in range(0, len(identities), FACTS_PER_SELECT_MAX):
        some = identities[start : start + FACTS_PER_SELECT_MAX]
        query = select(settlement_facts).where(table.discrepancy.in_(some))
        for row in connection.execute(query):
            settlement = (row.discrepancy, row.number)
            key = FactKey(row.warehouse, row.gateway, row.epoch, row.seq)
            posted.setdefault(settlement, []).append(key)
            if row.back_epoch:
                back = FactKey(row.warehouse, row.back_gateway, row.back_epoch, row.back_seq)
                backs.setdefault(settlement, []).append(back)
                back_of[key] = back
    return {
        own[key][0]: [back_of[key]] if key in back_of else backs[settlement]
        for settlement, keys in posted.items()
        if settlement in backs
        for key in keys
        if key in own
    }


def _discrepancy(fact: Movement) -> str:
    """Return the discrepancy that a fact of the ledger's own settles, "" if it settles none."""
    if SETTLING_FLAG not in fact.flags:
        return ""
    said = (one.raw.decode() for one in fact.evidence)
    return next((text.removeprefix(SETTLES) for text in said if text.startswith(SETTLES)), "")


def _readable(body: bytes) -> Fact | None:
    try:
        return decode_fact(body)
    except ContractError:
        return None  # What cannot be read is about nothing.
