"""What central says besides stock: reference data, settings, prints, settlements. Edge of SQLite.

All functions run inside the caller's transaction.
"""

import sqlite3
from collections.abc import Iterable, Sequence

from central.contract.notices import (
    DocumentShare,
    Notice,
    PrintRequested,
    ReferenceChanged,
    Setting,
    Settled,
    TemplateChanged,
    decode_notice,
    encode_notice,
)
from central.contract.reference import Reference
from gateway.journal.records import Known, Standing
from gateway.journal.reference_patch import patch_reference
from gateway.journal.reference_store import load_reference, put_reference
from gateway.station.book import picked_under

SETTLEMENTS_KEPT_MAX = 50
PRINT_REQUESTS_KEPT_MAX = 10_000  # Codes that are over; central gives no code twice in any case.

SELECT_KNOWN = """
    SELECT stream, number, generation, revision, reference_revision, known_ms FROM ledger_knowledge
"""
SET_KNOWN = """
    INSERT OR REPLACE INTO ledger_knowledge
    (id, stream, number, generation, revision, reference_revision, known_ms)
    VALUES (1, ?, ?, ?, ?, ?, ?)
"""
STAGE_REFERENCE = "INSERT INTO staged_reference (data) VALUES (?)"
SELECT_STAGED = "SELECT data FROM staged_reference ORDER BY number"
EMPTY_STAGED = "DELETE FROM staged_reference"
SET_TEMPLATE = "INSERT OR REPLACE INTO central_templates (name, text) VALUES (?, ?)"
DELETE_TEMPLATE = "DELETE FROM central_templates WHERE name = ?"
EMPTY_TEMPLATES = "DELETE FROM central_templates"
SELECT_TEMPLATES = "SELECT name, text FROM central_templates ORDER BY name"
EMPTY_SETTINGS = "DELETE FROM central_settings"
SET_SETTING = "INSERT OR REPLACE INTO central_settings (name, value) VALUES (?, ?)"
SELECT_SETTINGS = "SELECT name, value FROM central_settings ORDER BY name"
INSERT_REQUEST = "INSERT OR IGNORE INTO print_requests (code, data) VALUES (?, ?)"
SELECT_REQUESTS = "SELECT data FROM print_requests WHERE is_over = 0 ORDER BY number LIMIT ?"
END_REQUEST = "UPDATE print_requests SET is_over = 1 WHERE code = ? AND is_over = 0"
FORGET_REQUESTS = """
    DELETE FROM print_requests WHERE is_over = 1
    AND number <= (SELECT max(number) FROM print_requests) - ?
"""
KEEP_SETTLED = "INSERT OR REPLACE INTO settlements (discrepancy, data) VALUES (?, ?)"
FORGET_SETTLED = """
    DELETE FROM settlements
    WHERE number NOT IN (SELECT number FROM settlements ORDER BY number DESC LIMIT ?)
"""
SELECT_SETTLED = "SELECT data FROM settlements ORDER BY number DESC LIMIT ?"

SET_SHARE = """
    INSERT OR REPLACE INTO others_progress (document, document_line, received_micro)
    VALUES (?, ?, ?)
"""
EMPTY_SHARES = "DELETE FROM others_progress"


class SnapshotNeeded(Exception):
    """Changes cannot be put into what is kept: only a whole snapshot can be gone on with."""


def load_known(connection: sqlite3.Connection) -> Known | None:
    """Return what central last said, None before the first snapshot."""
    row = connection.execute(SELECT_KNOWN).fetchone()
    if row is None:
        return None
    stream, number, generation, revision, reference_revision, known_ms = row
    return Known(Standing(stream, number), generation, revision, reference_revision, known_ms)


def store_known(connection: sqlite3.Connection, known: Known) -> None:
    """Note what central last said."""
    standing = known.standing
    connection.execute(
        SET_KNOWN,
        (
            standing.stream,
            standing.number,
            known.generation,
            known.revision,
            known.reference_revision,
            known.known_ms,
        ),
    )


def change_reference(
    connection: sqlite3.Connection,
    changes: Sequence[ReferenceChanged],
    *,
    warehouse: str,
    known_revision: int,
) -> int | None:
    """Put changes into the kept reference data once the last of their revision is here.

    known_revision: of central's data that is kept. Returns the new one, None while parts are
    missing. Data of a file with a higher revision than central's stays as it is; once central's
    overtakes it, its changes fit nothing that is here: raises SnapshotNeeded.
    """
    final_at = max((at for at, change in enumerate(changes) if change.final), default=-1)
    whole, begun = changes[: final_at + 1], changes[final_at + 1 :]
    revision = None
    if whole:
        staged = [decode_notice(data) for (data,) in connection.execute(SELECT_STAGED).fetchall()]
        parts = [one for one in staged if isinstance(one, ReferenceChanged)] + list(whole)
        connection.execute(EMPTY_STAGED)
        kept = load_reference(connection)
        revision = parts[-1].revision
        if (kept.revision if kept else 0) == known_revision:
            put_reference(connection, patch_reference(kept, parts, warehouse=warehouse))
        elif kept is None or kept.revision <= revision:
            raise SnapshotNeeded
    connection.executemany(STAGE_REFERENCE, [(encode_notice(change),) for change in begun])
    return revision


def replace_reference(
    connection: sqlite3.Connection, reference: Reference | None, *, known_revision: int
) -> int:
    """Keep a snapshot's reference data; return the revision of central's that is kept.

    None keeps what is there; so does data of a file with a higher revision than central's.
    """
    connection.execute(EMPTY_STAGED)
    if reference is None:
        return 0
    kept = load_reference(connection)
    if kept is None or _follows(kept, known_revision, revision=reference.revision):
        put_reference(connection, reference)
    return reference.revision


def keep_shares(connection: sqlite3.Connection, shares: Iterable[DocumentShare]) -> None:
    """Keep what others did of document lines; each replaces what was known of its line."""
    for one in shares:
        for name, micro in (
            (one.document, one.done_micro),
            (picked_under(one.document), one.picked_micro),
        ):
            connection.execute(SET_SHARE, (name, one.line, micro))


def replace_shares(connection: sqlite3.Connection, shares: Iterable[DocumentShare]) -> None:
    """Keep these shares of others and no other."""
    connection.execute(EMPTY_SHARES)
    keep_shares(connection, shares)


def change_template(connection: sqlite3.Connection, change: TemplateChanged) -> None:
    """Keep a label template; "" takes it away."""
    if change.text:
        connection.execute(SET_TEMPLATE, (change.name, change.text))
    else:
        connection.execute(DELETE_TEMPLATE, (change.name,))


def replace_templates(connection: sqlite3.Connection, templates: Iterable[TemplateChanged]) -> None:
    """Keep these label templates of central and no other."""
    connection.execute(EMPTY_TEMPLATES)
    for one in templates:
        change_template(connection, one)


def load_templates(connection: sqlite3.Connection) -> tuple[TemplateChanged, ...]:
    """Return central's label templates, sorted by name."""
    return tuple(
        TemplateChanged(name=name, text=text) for name, text in connection.execute(SELECT_TEMPLATES)
    )


def replace_settings(connection: sqlite3.Connection, settings: Iterable[Setting]) -> None:
    """Keep these remote settings and no other."""
    connection.execute(EMPTY_SETTINGS)
    connection.executemany(SET_SETTING, [(one.name, one.value) for one in settings])


def load_settings(connection: sqlite3.Connection) -> tuple[Setting, ...]:
    """Return the remote settings, sorted by name, as central sent them."""
    return tuple(Setting(name, value) for name, value in connection.execute(SELECT_SETTINGS))


def keep_print_request(connection: sqlite3.Connection, request: PrintRequested) -> None:
    """Keep what is to be printed; a code that is known changes nothing."""
    connection.execute(INSERT_REQUEST, (request.job, encode_notice(request)))


def open_print_requests(connection: sqlite3.Connection, limit: int) -> list[PrintRequested]:
    """Return what is to be printed and not yet queued or refused, oldest first."""
    rows = connection.execute(SELECT_REQUESTS, (limit,)).fetchall()
    notices: list[Notice] = [decode_notice(data) for (data,) in rows]
    return [notice for notice in notices if isinstance(notice, PrintRequested)]


def end_print_request(connection: sqlite3.Connection, code: str) -> bool:
    """Note that a request is queued or refused; return False if it was before."""
    ended = connection.execute(END_REQUEST, (code,)).rowcount == 1
    if ended:
        connection.execute(FORGET_REQUESTS, (PRINT_REQUESTS_KEPT_MAX,))
    return ended


def keep_settlements(connection: sqlite3.Connection, settled: Sequence[Settled]) -> None:
    """Keep what was settled, of each discrepancy the last time, of all the newest."""
    connection.executemany(KEEP_SETTLED, [(one.discrepancy, encode_notice(one)) for one in settled])
    connection.execute(FORGET_SETTLED, (SETTLEMENTS_KEPT_MAX,))


def load_settlements(connection: sqlite3.Connection, limit: int) -> tuple[Settled, ...]:
    """Return what was settled, newest first."""
    rows = connection.execute(SELECT_SETTLED, (limit,)).fetchall()
    notices: list[Notice] = [decode_notice(data) for (data,) in rows]
    return tuple(notice for notice in notices if isinstance(notice, Settled))


def _follows(kept: Reference, known_revision: int, *, revision: int) -> bool:
    """Return whether what is kept is central's, or a file's that is not newer than central's."""
    return kept.revision == known_revision or kept.revision <= revision
