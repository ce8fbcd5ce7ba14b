"""The print jobs of the journal: queued, claimed, over. Edge of SQLite.

    queued --claim--> claimed --finish--> over (printed | sent | failed | unknown)

A claim is on disk before a byte goes to the printer. So a job that an earlier start had claimed may
or may not be on paper: it is abandoned, ends as "unknown", and only a person may repeat it.
"""

import sqlite3
from collections.abc import Sequence

from central.contract.facts import Fact, Print, PrintOutcome
from gateway.clock import Clock
from gateway.journal.label_codec import decode_label, encode_label
from gateway.journal.records import PrintJob
from gateway.station.effects import UNNUMBERED, NewPrintJob

COLUMNS = "number, printer, template, content, label, copies_count, state, outcome, detail"
INSERT_JOB = """
    INSERT INTO print_jobs
    (printer, template, content, label, copies_count, station, operator, is_copy)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
# The columns are a constant of this file, not input.
SELECT_QUEUED = f"""
    SELECT {COLUMNS} FROM print_jobs
    WHERE state = 'queued' AND printer = ? ORDER BY number LIMIT 1
"""  # noqa: S608
SELECT_ABANDONED = f"""
    SELECT {COLUMNS} FROM print_jobs
    WHERE state = 'claimed' AND claimed_by < ? ORDER BY number
"""  # noqa: S608
SELECT_NEWEST = f"SELECT {COLUMNS} FROM print_jobs ORDER BY number DESC LIMIT ?"  # noqa: S608
SELECT_JOB = f"SELECT {COLUMNS} FROM print_jobs WHERE number = ?"  # noqa: S608
SELECT_ORIGIN = "SELECT station, operator, is_copy FROM print_jobs WHERE number = ?"
SELECT_LAST_LABEL = """
    SELECT printer, template, content, label, copies_count, station, operator, is_copy
    FROM print_jobs WHERE station = ? ORDER BY number DESC LIMIT 1
"""
COPY_FLAG = "copy"  # Of a Print fact: the same label was printed before.
CLAIM_JOB = "UPDATE print_jobs SET state = 'claimed', claimed_by = ? WHERE number = ?"
FINISH_JOB = "UPDATE print_jobs SET state = 'over', outcome = ?, detail = ? WHERE number = ?"
TEXT_CHARACTERS_MAX = 256  # As in the contract's Print.

JobRow = tuple[int, str, str, str, bytes, int, str, PrintOutcome | None, str]


def insert_jobs(
    connection: sqlite3.Connection, jobs: Sequence[NewPrintJob], facts: Sequence[Fact]
) -> tuple[int, ...]:
    """Queue jobs; return their numbers. A job without a station takes that of the last fact."""
    numbers = []
    for job in jobs:
        station = job.station or (facts[-1].station if facts else "")
        operator = job.operator or (facts[-1].operator if facts else "")
        cursor = connection.execute(
            INSERT_JOB,
            (
                job.printer,
                job.template,
                job.content,
                encode_label(job.label),
                job.copies_count,
                station,
                operator,
                job.is_copy,
            ),
        )
        assert cursor.lastrowid is not None
        numbers.append(cursor.lastrowid)
    return tuple(numbers)


def next_queued(connection: sqlite3.Connection, printer: str) -> PrintJob | None:
    """Return the oldest queued job of a printer, None if there is none."""
    row = connection.execute(SELECT_QUEUED, (printer,)).fetchone()
    return None if row is None else _print_job(row)


def claim_job(connection: sqlite3.Connection, number: int, *, start_count: int) -> None:
    """Mark a job as claimed by this start."""
    connection.execute(CLAIM_JOB, (start_count, number))


def find_job(connection: sqlite3.Connection, number: int) -> PrintJob | None:
    """Return a job, None if there is no such number."""
    row = connection.execute(SELECT_JOB, (number,)).fetchone()
    return None if row is None else _print_job(row)


def finish_job(
    connection: sqlite3.Connection, number: int, *, outcome: PrintOutcome, detail: str
) -> None:
    """Mark a job as over."""
    connection.execute(FINISH_JOB, (outcome, detail[:TEXT_CHARACTERS_MAX], number))


def print_draft(
    connection: sqlite3.Connection,
    job: PrintJob,
    *,
    clock: Clock,
    warehouse: str,
    outcome: PrintOutcome,
    detail: str,
) -> Print:
    """Return the draft of the fact that a job ended now."""
    station, operator, is_copy = connection.execute(SELECT_ORIGIN, (job.number,)).fetchone()
    return Print(
        seq=UNNUMBERED,
        event_time_ms=clock.now_ms(),
        clock_synced=clock.synced(),
        boot_id=clock.boot_id,
        monotonic_ns=clock.monotonic_ns(),
        warehouse=warehouse,
        station=station,
        operator=operator,
        flags=(COPY_FLAG,) if is_copy else (),
        job=job.number,
        printer=job.printer,
        template=job.template,
        content=job.content[:TEXT_CHARACTERS_MAX],
        copies_count=job.copies_count,
        outcome=outcome,
        detail=detail[:TEXT_CHARACTERS_MAX],
    )


def abandoned_jobs(connection: sqlite3.Connection, *, start_count: int) -> list[PrintJob]:
    """Return the jobs that an earlier start claimed and did not finish, oldest first."""
    return [_print_job(row) for row in connection.execute(SELECT_ABANDONED, (start_count,))]


def newest_jobs(connection: sqlite3.Connection, limit: int) -> list[PrintJob]:
    """Return the newest jobs, newest first."""
    return [_print_job(row) for row in connection.execute(SELECT_NEWEST, (limit,))]


def last_label(connection: sqlite3.Connection, station: str) -> NewPrintJob | None:
    """Return what was last sent to a printer for a station, None if it is not kept any more."""
    row = connection.execute(SELECT_LAST_LABEL, (station,)).fetchone()
    if row is None:
        return None
    printer, template, content, label, copies_count, of_station, operator, is_copy = row
    return NewPrintJob(
        printer=printer,
        template=template,
        content=content,
        label=decode_label(label),
        copies_count=copies_count,
        station=of_station,
        operator=operator,
        is_copy=bool(is_copy),
    )


def _print_job(row: JobRow) -> PrintJob:
    number, printer, template, content, label, copies_count, state, outcome, detail = row
    return PrintJob(
        number=number,
        printer=printer,
        template=template,
        content=content,
        label=decode_label(label),
        copies_count=copies_count,
        state=outcome or state,
        outcome=outcome,
        detail=detail,
    )
