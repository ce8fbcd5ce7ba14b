"""Tells gateways that discrepancies of their own facts are settled. Edge of the database.

The notice is written in the transaction that settles, so that neither is without the other. It
goes into the numbering of `notice_streams` under the lock of the gateway's row, as all notices do.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, func, select, update

from central.contract.notices import Settled, encode_notice
from central.storage import bulk, tables

# That wait for one gateway, as many as it keeps; what is settled while so many wait is not told.
SETTLED_WAITING_MAX = 50
SUBJECT_LENGTH_MAX = 256
CODE_LENGTH_MAX = 64
KIND = "settled"  # Of its rows in `notices`.

# "itself": later facts explained it.
Decided = Literal["adjust", "reverse", "accept", "reassign", "reserve", "correct", "itself"]


def tell_settled(
    connection: Connection, rows: Sequence[Row[Any]], *, decided: Decided, now_ms: int
) -> None:
    """Write a notice for each discrepancy that a fact of an enrolled gateway opened.

    rows: of `discrepancies`. A gateway without a numbering is told nothing. Called twice for one
    discrepancy in one moment, the later decision counts.
    """
    by_gateway: dict[str, list[Settled]] = {}
    for row in rows:
        if row.epoch and row.seq:
            by_gateway.setdefault(row.gateway, []).append(_notice(row, decided, now_ms=now_ms))
    for gateway, news in sorted(by_gateway.items()):  # Locked in this order everywhere.
        _add(connection, gateway, news, now_ms=now_ms)


def _notice(row: Row[Any], decided: Decided, *, now_ms: int) -> Settled:
    return Settled(
        discrepancy=row.id,
        kind=row.kind,
        subject=row.subject[:SUBJECT_LENGTH_MAX],
        item=row.item[:CODE_LENGTH_MAX],
        location=row.location[:CODE_LENGTH_MAX],
        document=row.document[:CODE_LENGTH_MAX],
        decided=decided,
        at_ms=now_ms,
        epoch=row.epoch,
        seq=row.seq,
    )


def _add(connection: Connection, gateway: str, news: Sequence[Settled], *, now_ms: int) -> None:
    streams, notices = tables.notice_streams, tables.notices
    row = connection.execute(
        select(streams.c.next_number, streams.c.acked)
        .where(streams.c.gateway == gateway)
        .with_for_update()
    ).first()
    if row is None:
        return
    fresh = [one for one in news if not _replaced(connection, gateway, one)]
    waiting = connection.execute(
        select(func.count())
        .select_from(notices)
        .where(notices.c.gateway == gateway, notices.c.kind == KIND, notices.c.number > row.acked)
    ).scalar_one()
    told = fresh[: max(0, SETTLED_WAITING_MAX - waiting)]
    if not told:
        return
    bulk.insert_rows(
        connection,
        notices,
        [
            (gateway, number, KIND, encode_notice(one), now_ms)
            for number, one in enumerate(told, row.next_number)
        ],
    )
    connection.execute(
        update(streams)
        .where(streams.c.gateway == gateway)
        .values(next_number=row.next_number + len(told))
    )


def _replaced(connection: Connection, gateway: str, news: Settled) -> bool:
    """Put a decision in place of the notice that what it posted settled it; nobody has that yet."""
    if news.decided == "itself":
        return False
    table = tables.notices
    earlier = encode_notice(msgspec.structs.replace(news, decided="itself"))
    done = connection.execute(
        update(table)
        .where(table.c.gateway == gateway, table.c.kind == KIND, table.c.body == earlier)
        .values(body=encode_notice(news))
    )
    return done.rowcount == 1
