"""Makes the journal anew from its copy on a second medium. Edge of SQLite and the file system.

Facts, numbers and chain are those of the copy; derived tables are computed anew. What was recorded
after the copy's last second is not in it, so nothing that could be given out a second time goes on
where the copy ends: serial references of SSCC and alibi numbers skip ahead, labels that were still
to be printed end as "unknown". The start after it mints a new epoch, as every start does.
"""

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.errors import JournalError, RestoreRefused
from gateway.journal.chain_check import check_chain
from gateway.journal.copy_file import COPY_FILE
from gateway.journal.files import check_header, connect_reader, connect_writer
from gateway.journal.opening import check_identity
from gateway.journal.pruned import load_pruned
from gateway.journal.rebuild import Rebuilt, rebuild
from gateway.journal.swap import declare_ready, finish_swap, new_path, remove_leftovers
from gateway.journal.transactions import journal_error, reading, transaction

SSCC_GAP_COUNT = 10_000
ALIBI_GAP_COUNT = 1_000
GAP_REASON = "skipped when the journal was restored from its copy"
FACTS_PER_STEP = 1000

SELECT_NEWEST = "SELECT coalesce(max(number), (SELECT number FROM pruned)) FROM facts"
SELECT_EPOCHS = """
    SELECT start_count, first_number, head_seq, acked_seq FROM epochs ORDER BY start_count
"""
SELECT_DIGEST = "SELECT digest FROM facts WHERE number = ?"
DELETE_EPOCHS = "DELETE FROM epochs WHERE first_number > ? AND start_count <> ?"
# It keeps the start counter going, as a start that recorded nothing.
EMPTY_EPOCH = """
    UPDATE epochs SET first_number = ?, previous_epoch_head = ? WHERE start_count = ?
"""
# As in any journal, the newest epoch is open: the next start ends it where the facts end.
END_EPOCHS = """
    UPDATE epochs SET head_seq = CASE start_count WHEN ?2 THEN NULL
    ELSE min(head_seq, ?1 - first_number + 1) END
"""
CLAMP_POSITIONS = """
    UPDATE epochs SET
    acked_seq = min(acked_seq, coalesce(head_seq, ?1 - first_number + 1)),
    stable_seq = min(stable_seq, coalesce(head_seq, ?1 - first_number + 1))
"""
SKIP_SSCC = "UPDATE identity SET sscc_reference = sscc_reference + ? RETURNING sscc_reference"
SELECT_SCALES = "SELECT scale, alibi_number FROM scales ORDER BY scale"
INSERT_GAP = "INSERT INTO alibi_gaps VALUES (?, ?, ?, ?)"
SKIP_ALIBI = "UPDATE scales SET alibi_number = alibi_number + ?"
# What was in hand when the medium was lost is not where it was.
FORGET_SESSIONS = "DELETE FROM station_sessions"
ABANDON_JOBS = "UPDATE print_jobs SET state = 'claimed', claimed_by = 0 WHERE state <> 'over'"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored journal holds, and what it is known to lack.

    last_number: its newest fact, counted through all epochs. missing_count: facts after it that are
    known to have been recorded, None if nobody knows; missing_acked_count: of these, what the
    ledger had acknowledged. kept: the journal before, "" if there was none.
    sscc_reference, alibi_skipped_count: where numbers go on. labels_count: labels of which nobody
    knows whether they were printed.
    """

    facts_count: int
    last_number: int
    sscc_reference: int
    alibi_skipped_count: int
    labels_count: int
    missing_count: int | None = None
    missing_acked_count: int = 0
    kept: str = ""


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far a journal had come: its newest fact, and the newest that the ledger has."""

    newest: int
    acked: int


def restore(
    path: Path, folder: Path, *, gateway: str, warehouse: str, sscc_gap_count: int = SSCC_GAP_COUNT
) -> Restored:
    """Put a journal made of the copy in `folder` into the place of the one in `path`.

    The caller holds the journal's lock. Raises RestoreRefused if there is no copy or the journal
    is whole and newer, JournalNotOurs for another gateway's copy, JournalDamaged for a damaged one.
    """
    copy = folder / COPY_FILE
    if not copy.exists():
        raise RestoreRefused(
            f"there is no copy {copy}", hint="Name the folder of [journal] copy_directory."
        )
    try:
        finish_swap(path)
        check_header(copy)
        with closing(connect_reader(copy)) as source, reading():
            check_identity(source, copy, gateway=gateway, warehouse=warehouse)
            copied = _reach(source)
            before = _reach_of(path)
            known = before or copied
            (copy_newest,) = source.execute(SELECT_NEWEST).fetchone()
            _refuse_if_whole(path, gateway=gateway, copy_newest=copy_newest)
            rebuilt = rebuild(source, new_path(path))
        with closing(connect_writer(new_path(path))) as target, transaction(target):
            restored = _adjust(target, rebuilt, sscc_gap_count=sscc_gap_count)
        declare_ready(path)
    except sqlite3.Error as error:
        raise journal_error(error) from error
    finally:
        remove_leftovers(path)
    kept = finish_swap(path)
    return replace(
        restored,
        kept=str(kept or ""),
        missing_count=None if before is None else max(0, before.newest - rebuilt.last_number),
        missing_acked_count=max(0, known.acked - rebuilt.last_number),
    )


def _reach_of(path: Path) -> _Reach | None:
    """Return how far the journal had come that stands there, None if it cannot be read."""
    if not path.exists():
        return None
    with suppress(JournalError), closing(connect_reader(path)) as connection, reading():
        return _reach(connection)
    return None


def _reach(connection: sqlite3.Connection) -> _Reach:
    (newest,) = connection.execute(SELECT_NEWEST).fetchone()
    acked = 0
    for _start_count, first_number, head_seq, acked_seq in connection.execute(SELECT_EPOCHS):
        newest = max(newest, first_number + (head_seq or 0) - 1)
        acked = max(acked, first_number + acked_seq - 1 if acked_seq else 0)
    return _Reach(newest, acked)


def _refuse_if_whole(path: Path, *, gateway: str, copy_newest: int) -> None:
    """Never put a copy in the place of a journal that is whole and has as much."""
    newest = _whole_up_to(path, gateway=gateway)
    if newest is not None and newest >= copy_newest:
        raise RestoreRefused(
            f"{path} is whole, up to fact number {newest}; the copy has {copy_newest}",
            hint="Start the gateway; to use the copy all the same, move the journal away.",
        )


def _whole_up_to(path: Path, *, gateway: str) -> int | None:
    """Return the newest fact of a journal whose chain is whole, None if it is not, or is gone."""
    if not path.exists():
        return None
    with suppress(JournalError), closing(connect_reader(path)) as connection, reading():
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            return None
        at = load_pruned(connection)
        while True:
            last = check_chain(connection, gateway=gateway, after=at, facts_max=FACTS_PER_STEP)
            if last == at:
                return last.number
            at = last
    return None


def _adjust(target: sqlite3.Connection, rebuilt: Rebuilt, *, sscc_gap_count: int) -> Restored:
    """Let the journal end where its facts end, and every number go on behind a gap."""
    last = rebuilt.last_number
    epochs = target.execute(SELECT_EPOCHS).fetchall()
    newest_start, newest_first = epochs[-1][:2] if epochs else (0, 0)
    target.execute(DELETE_EPOCHS, (last, newest_start))
    if newest_first > last:
        head = _digest_at(target, last)
        target.execute(EMPTY_EPOCH, (last + 1, head, newest_start))
    target.execute(END_EPOCHS, (last, newest_start))
    target.execute(CLAMP_POSITIONS, (last,))
    (reference,) = target.execute(SKIP_SSCC, (sscc_gap_count,)).fetchone()
    scales = target.execute(SELECT_SCALES).fetchall()
    target.executemany(
        INSERT_GAP,
        [(scale, number + 1, number + ALIBI_GAP_COUNT, GAP_REASON) for scale, number in scales],
    )
    target.execute(SKIP_ALIBI, (ALIBI_GAP_COUNT,))
    target.execute(FORGET_SESSIONS)
    return Restored(
        facts_count=rebuilt.facts_count,
        last_number=last,
        sscc_reference=reference,
        alibi_skipped_count=ALIBI_GAP_COUNT if scales else 0,
        labels_count=target.execute(ABANDON_JOBS).rowcount,
    )


def _digest_at(target: sqlite3.Connection, number: int) -> bytes:
    row = target.execute(SELECT_DIGEST, (number,)).fetchone()
    return row[0] if row else load_pruned(target).digest
