"""What the ledger remembers of backups and drills, for pages, figures and alerts. Edge of SQL."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, select

from central.storage.database import Database
from central.storage.watching_tables import backup_runs

RUNS_KEPT_MAX = 1000
DETAIL_CHARACTERS_MAX = 1000

RunKind = Literal["dump", "base", "drill"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One backup or drill. detail: why it is not good, one sentence a line, "" if it is."""

    kind: RunKind
    name: str
    began_ms: int
    ended_ms: int
    good: bool
    record_no: int = 0
    bytes_count: int = 0
    detail: str = ""


def record_run(database: Database, run: Run) -> None:
    """Remember a run; the oldest are forgotten. Raises LedgerUnavailable."""
    table = backup_runs.c
    with database.write() as connection:
        newest = connection.execute(select(func.max(table.run_no))).scalar_one() or 0
        connection.execute(
            insert(backup_runs).values(
                run_no=newest + 1,
                kind=run.kind,
                name=run.name,
                began_ms=run.began_ms,
                ended_ms=run.ended_ms,
                good=run.good,
                record_no=run.record_no,
                bytes_count=run.bytes_count,
                detail=run.detail[:DETAIL_CHARACTERS_MAX],
            )
        )
        connection.execute(delete(backup_runs).where(table.run_no <= newest + 1 - RUNS_KEPT_MAX))


def last_runs(connection: Connection) -> tuple[Run, ...]:
    """Return of each kind the newest run, and the newest good one if that is another."""
    table = backup_runs.c
    newest = select(func.max(table.run_no)).group_by(table.kind, table.good)
    rows = connection.execute(
        select(backup_runs).where(table.run_no.in_(newest)).order_by(table.run_no)
    )
    return tuple(
        Run(
            kind=row.kind,
            name=row.name,
            began_ms=row.began_ms,
            ended_ms=row.ended_ms,
            good=bool(row.good),
            record_no=row.record_no,
            bytes_count=row.bytes_count,
            detail=row.detail,
        )
        for row in rows
    )
