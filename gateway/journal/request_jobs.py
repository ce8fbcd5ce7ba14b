"""What central wants printed becomes a print job, or a fact that says why not. Edge of SQLite."""

import sqlite3

from central.contract.notices import PrintRequested
from gateway.clock import Clock
from gateway.journal import central_news, print_jobs
from gateway.journal.append import Head, append_facts
from gateway.station.effects import NewPrintJob


def end_request(
    connection: sqlite3.Connection,
    head: Head,
    request: PrintRequested,
    job: NewPrintJob,
    *,
    refused: str,
    clock: Clock,
    warehouse: str,
) -> Head:
    """Queue `job` for a request, or record that it failed if `refused` says why.

    Inside the caller's transaction; returns the head after it. A request that is over already
    changes nothing.
    """
    if not central_news.end_print_request(connection, request.job):
        return head
    (number,) = print_jobs.insert_jobs(connection, [job], [])
    if not refused:
        return head
    stored = print_jobs.find_job(connection, number)
    assert stored is not None
    draft = print_jobs.print_draft(
        connection, stored, clock=clock, warehouse=warehouse, outcome="failed", detail=refused
    )
    head, _ = append_facts(connection, head, [draft])
    print_jobs.finish_job(connection, number, outcome="failed", detail=refused)
    return head
