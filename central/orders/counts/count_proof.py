"""Proves what counts have changed: every adjustment is its variance, from the facts. Edge.

count_results.variance_micro == adjusted_micro == sum of the lines at that place of the facts
that count_adjustments names; and whatever a result says of its variance adds up.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, RowMapping, and_, func, select

from central.ledger.fact_check import STREAMED, Fault
from central.storage import tables
from central.storage.count_tables import THING, count_adjustments, count_results, counts

CHECK = "counts"


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield what is off between counts, their results and the facts that they posted."""
    yield from _results(connection)
    yield from _adjustments(connection)
    yield from _ended(connection)


def _results(connection: Connection) -> Iterator[Fault]:
    lines, facts = tables.lines.c, tables.facts.c
    posted = (
        select(
            count_adjustments.c["count"],
            *(count_adjustments.c[name] for name in THING),
            func.sum(lines.quantity_micro).label("moved_micro"),
        )
        .join(
            tables.facts,
            and_(
                *(
                    facts[name] == count_adjustments.c[name]
                    for name in ("warehouse", "gateway", "epoch", "seq")
                )
            ),
        )
        .join(
            tables.lines,
            and_(
                lines.warehouse == facts.warehouse,
                lines.record_no == facts.record_no,
                *(lines[name] == count_adjustments.c[name] for name in THING),
            ),
        )
        .group_by(count_adjustments.c["count"], *(count_adjustments.c[name] for name in THING))
        .subquery()
    )
    query = select(count_results, func.coalesce(posted.c.moved_micro, 0).label("moved")).outerjoin(
        posted,
        and_(
            posted.c["count"] == count_results.c["count"],
            *(posted.c[name] == count_results.c[name] for name in THING),
        ),
    )
    for row in connection.execute(query, execution_options=STREAMED).mappings():
        yield from _result_faults(row)


def _result_faults(row: RowMapping) -> Iterator[Fault]:
    subject = "/".join(row[name] for name in ("count", "location", "item", "lot", "serial"))
    if int(row["moved"]) != row["adjusted_micro"]:
        detail = f"adjusted {row['adjusted_micro']}, its facts moved {row['moved']}"
        yield Fault(CHECK, subject, detail)
    corrected = (
        row["book_micro"]
        + row["late_micro"]
        - row["after_micro"]
        + row["corrections_micro"]
        + row["taken_back_micro"]
    )
    if row["counted_micro"] - corrected != row["variance_micro"]:
        detail = f"counted {row['counted_micro']}, book {corrected}: not {row['variance_micro']}"
        yield Fault(CHECK, subject, detail)
    if row["outcome"] in {"adjusted", "matched"} and row["variance_micro"] != row["adjusted_micro"]:
        detail = f"variance {row['variance_micro']}, adjusted {row['adjusted_micro']}"
        yield Fault(CHECK, subject, detail)


def _adjustments(connection: Connection) -> Iterator[Fault]:
    """Yield adjustments of which no result of a posted count knows."""
    same = and_(
        count_results.c["count"] == count_adjustments.c["count"],
        *(count_results.c[name] == count_adjustments.c[name] for name in THING),
    )
    known = select(count_results.c["count"]).where(same).exists()
    for row in connection.execute(
        select(count_adjustments).where(~known), execution_options=STREAMED
    ).mappings():
        subject = f"{row['gateway']}/{row['epoch']}/{row['seq']}"
        yield Fault(CHECK, subject, f"adjusted for count {row['count']}, which has no such line")


def _ended(connection: Connection) -> Iterator[Fault]:
    """Yield results of counts that are not posted."""
    query = (
        select(counts.c.code, counts.c.state)
        .where(counts.c.state != "posted")
        .where(
            select(count_results.c.item).where(count_results.c["count"] == counts.c.code).exists()
        )
    )
    for row in connection.execute(query, execution_options=STREAMED):
        yield Fault(CHECK, row.code, f"it has results, but is {row.state}")
