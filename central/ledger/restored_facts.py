"""Which fact stands again since one of the ledger's own. Edge of the database.

7   supplier -> BIN-1   5 BLOT          a station
8   BIN-1 -> supplier   5 BLOT          a settlement takes 7 back
9   supplier -> BIN-1   5 BLOT          it is opened again: 9 takes 8 back, 7 stands again
"""

from sqlalchemy import Connection

from central.contract.facts import Movement
from central.ledger.entries import OWN_GATEWAY, FactKey
from central.ledger.goods_rules import taken_back_by
from central.ledger.reading import read_fact
from central.storage import bulk, tables


def restored_by(connection: Connection, key: FactKey) -> int | None:
    """Return the record number of the fact that one took back in the end, None if it took none."""
    number: int | None = None
    while key.gateway == OWN_GATEWAY:
        (row,) = bulk.select_by_key(connection, tables.facts, [key], columns_count=4)
        fact = read_fact(bytes(row[5]), seq=key.seq)
        back = taken_back_by(fact) if isinstance(fact, Movement) else None
        if back is None:
            break
        key = back
        (row,) = bulk.select_by_key(connection, tables.facts, [key], columns_count=4)
        number = row[10]
    return number
