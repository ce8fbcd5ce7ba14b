"""What became of labels that were ordered from afar. Edge of the database.

waiting   the gateway has not taken the order yet
taken     it has, and has not told of an end
sent, printed, failed, unknown   as its fact says, which begins with the code of the order
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from central.contract.facts import Print, decode_fact
from central.contract.identifiers import FactId, parse_epoch
from central.contract.notices import PrintRequested, decode_notice
from central.stock.moments import record_no_at
from central.storage.tables import facts, notice_streams, notices, print_requests

FACTS_SCANNED_MAX = 2000  # Of the gateway's labels, the newest.


@dataclass(frozen=True, slots=True)
class PrintOrder:
    """An order of labels. state: see above. detail: why it failed, "" if it did not.

    fact: that tells of its end, None before.
    """

    job: str
    ordered_ms: int
    state: str
    detail: str
    fact: FactId | None


def list_print_orders(connection: Connection, gateway: str, *, limit: int) -> list[PrintOrder]:
    """Return the newest orders of labels of a gateway, newest first."""
    table = print_requests.c
    query = (
        select(table.job, table.made_ms)
        .where(table.gateway == gateway)
        .order_by(table.made_ms.desc(), table.job)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    if not rows:
        return []
    waiting = _waiting(connection, gateway)
    ended = _ended(connection, gateway, {row.job for row in rows}, since_ms=rows[-1].made_ms)
    return [
        ended.get(row.job)
        or PrintOrder(row.job, row.made_ms, "waiting" if row.job in waiting else "taken", "", None)
        for row in rows
    ]


def _waiting(connection: Connection, gateway: str) -> set[str]:
    """Return the jobs of notices that the gateway has not acknowledged."""
    acked = select(notice_streams.c.acked).where(notice_streams.c.gateway == gateway)
    table = notices.c
    query = select(table.body).where(
        table.gateway == gateway,
        table.kind == "print",
        table.number > func.coalesce(acked.scalar_subquery(), 0),
    )
    found = set()
    for body in connection.execute(query).scalars():
        notice = decode_notice(body)
        if isinstance(notice, PrintRequested):
            found.add(notice.job)
    return found


def _ended(
    connection: Connection, gateway: str, jobs: set[str], *, since_ms: int
) -> dict[str, PrintOrder]:
    table = facts.c
    first_no = record_no_at(connection, since_ms - 1)
    query = (
        select(table.epoch, table.seq, table.body)
        .where(table.gateway == gateway, table.kind == "print", table.record_no > first_no)
        .order_by(table.record_no.desc())
        .limit(FACTS_SCANNED_MAX)
    )
    made = {
        row.job: row.made_ms
        for row in connection.execute(
            select(print_requests.c.job, print_requests.c.made_ms).where(
                print_requests.c.gateway == gateway
            )
        )
    }
    found: dict[str, PrintOrder] = {}
    for row in connection.execute(query):
        fact = decode_fact(row.body)
        if not isinstance(fact, Print):
            continue
        job = fact.content.partition(": ")[0]
        if job in jobs and job not in found:
            identity = FactId(gateway=gateway, epoch=parse_epoch(row.epoch), seq=row.seq)
            found[job] = PrintOrder(job, made[job], fact.outcome, fact.detail, identity)
    return found
