"""Stock of a warehouse as of a record number, as one gateway shows it. Edge of the database.

Present balances less what was posted since: exact whatever has moved meanwhile, at the cost of what
moved, and nothing is kept for it.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from central.contract.errors import ContractError
from central.contract.facts import Fact, Movement, Reversal, decode_fact
from central.contract.identifiers import Epoch
from central.contract.stock_digests import StockKey
from central.contract.wire_types import EpochSeq
from central.ledger.entries import FactKey
from central.ledger.gateway_stock import Levels, add_stated
from central.ledger.locations import is_virtual
from central.storage import bulk, tables
from central.storage.places import physical

# What one comparison reads at most; whoever stands further behind is compared when it has caught
# up a little.
LINES_MAX = 200_000
OWN_FACTS_MAX = 50_000
ROWS_AT_ONCE = 500


class TooFarBehind(Exception):
    """More has happened since a revision than is read for one comparison."""


def shown_stock(
    connection: Connection,
    *,
    warehouse: str,
    gateway: str,
    revision: int,
    heads: Sequence[EpochSeq],
) -> Levels:
    """Return the stock that `gateway` shows if it stands on `revision` and its facts up to `heads`.

    In millionths by key, zeros included; the ledger has all of `heads`. Raises TooFarBehind.
    """
    levels = _stock_at(connection, warehouse=warehouse, revision=revision)
    facts = [
        fact
        for head in heads
        for fact in _facts_beyond(
            connection, warehouse=warehouse, gateway=gateway, head=head, revision=revision
        )
    ]
    targets = _movements_at(connection, facts, warehouse=warehouse, gateway=gateway)
    add_stated(levels, facts, lambda fact: targets.get((fact.reverses_epoch, fact.reverses_seq)))
    return levels


def epoch_text(head: EpochSeq) -> str:
    """Return the epoch as tables have it."""
    return str(Epoch(start_count=head.start_count, nonce=head.nonce))


def _stock_at(connection: Connection, *, warehouse: str, revision: int) -> Levels:
    balances, lines = tables.balances.c, tables.lines.c
    query = select(
        balances.location,
        balances.item,
        balances.lot,
        balances.serial,
        balances.sscc,
        balances.unit,
        balances.on_hand_micro,
    ).where(
        balances.warehouse == warehouse,
        balances.on_hand_micro != 0,
        physical(balances.location),
    )
    levels: Levels = {}
    for row in connection.execute(query):  # A gateway knows no statuses: it shows their sum.
        key: StockKey = tuple(row[:6])
        levels[key] = levels.get(key, 0) + row[6]
    since = (
        select(
            lines.location,
            lines.item,
            lines.lot,
            lines.serial,
            lines.sscc,
            lines.unit,
            lines.quantity_micro,
        )
        .where(lines.warehouse == warehouse, lines.record_no > revision)
        .limit(LINES_MAX + 1)
    )
    count = 0
    for row in connection.execute(since):
        count += 1
        if not is_virtual(row.location):
            key = tuple(row[:6])
            levels[key] = levels.get(key, 0) - row.quantity_micro
    if count > LINES_MAX:
        raise TooFarBehind(f"more than {LINES_MAX} lines since revision {revision}")
    return levels


def _facts_beyond(
    connection: Connection, *, warehouse: str, gateway: str, head: EpochSeq, revision: int
) -> Iterator[Fact]:
    """Yield the facts of an epoch up to `head` that the ledger recorded after `revision`.

    Numbers of an epoch are recorded in their order: going back from the head finds them all.
    """
    facts = tables.facts.c
    query = (
        select(facts.body, facts.record_no)
        .where(
            facts.warehouse == warehouse,
            facts.gateway == gateway,
            facts.epoch == epoch_text(head),
            facts.seq <= head.seq,
        )
        .order_by(facts.seq.desc())
    )
    result = connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE})
    try:
        for count, (body, record_no) in enumerate(result, 1):
            if record_no <= revision:
                return
            if count > OWN_FACTS_MAX:
                raise TooFarBehind(f"more than {OWN_FACTS_MAX} own facts since {revision}")
            try:
                yield decode_fact(body)
            except ContractError:
                continue  # Bytes that are no fact are not in the gateway's stock either.
    finally:
        result.close()


def _movements_at(
    connection: Connection, facts: Sequence[Fact], *, warehouse: str, gateway: str
) -> dict[tuple[str, int], Movement]:
    """Return the movements that reversals among the facts take back, by epoch and number."""
    keys = sorted(
        {
            FactKey(warehouse, gateway, fact.reverses_epoch, fact.reverses_seq)
            for fact in facts
            if isinstance(fact, Reversal)
        }
    )
    body_index = list(tables.facts.columns.keys()).index("body")
    found: dict[tuple[str, int], Movement] = {}
    for row in bulk.select_by_key(connection, tables.facts, keys, columns_count=4):
        try:
            target = decode_fact(row[body_index])
        except ContractError:
            continue
        if isinstance(target, Movement):
            found[(row[2], row[3])] = target
    return found
