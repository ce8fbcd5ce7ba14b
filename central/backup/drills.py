"""Proves that the newest backup could be used: restores it aside and computes it anew. Edge of all.

A backup that was never restored is a hope. The drill uses what a person would use on the day: the
files in the places, the private key, an empty place.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from central.backup.postgresql_programs import scratch_database
from central.backup.reading import look_at, newest_usable
from central.backup.restoring import Renew, restore
from central.clock import Clock, random_64
from central.contract.backup_files import Contents
from central.contract.errors import ContractError
from central.errors import BackupRefused, CentralError
from central.ledger.state import read_state
from central.ledger.verify import Proof, VerifyReport, verify_ledger
from central.storage.database import open_database

BACKUP_AGE_S_MAX = 26 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What a drill found. age_s: of the backup.

    detail: why it is not good, one sentence a line, "" if it is.
    """

    good: bool
    backup: str
    taken_ms: int
    age_s: int
    began_ms: int
    ended_ms: int
    record_no: int = 0
    facts_count: int = 0
    lines_count: int = 0
    balances_count: int = 0
    faults_count: int = 0
    detail: str = ""


def drill(
    places: list[Path],
    *,
    url: str,
    secret: bytes,
    ledger_key: str,
    programs_folder: str,
    scratch: Path | None,
    clock: Clock,
    renew: Renew,
    proofs: tuple[Proof, ...],
) -> Drill:
    """Restore the newest backup of some places into a scratch place, prove it, throw it away.

    url: of the ledger's own database: what is made of PostgreSQL is restored on the same server,
    beside it. scratch: a folder with room for it, None for the machine's own.
    """
    began_ms = clock.now_ms()
    found: Contents | None = None
    try:
        path = newest_usable(places, ledger_key=ledger_key)
        found = look_at(path).contents
        with _scratch(url, folder=scratch, programs_folder=programs_folder) as scratch_url:
            restored = restore(
                path,
                url=scratch_url,
                secret=secret,
                ledger_key=ledger_key,
                programs_folder=programs_folder,
                renew=renew,
            )
            report, record_no = _proven(scratch_url, proofs)
    except (CentralError, ContractError) as error:
        return Drill(
            good=False,
            backup=found.name if found else "",
            taken_ms=found.taken_ms if found else 0,
            age_s=(began_ms - found.taken_ms) // 1000 if found else 0,
            began_ms=began_ms,
            ended_ms=clock.now_ms(),
            detail=f"{error}\n{error.hint}",
        )
    age_s = (began_ms - restored.contents.taken_ms) // 1000
    detail = _complaint(report, record_no, restored.contents, age_s=age_s)
    return Drill(
        good=not detail,
        backup=restored.contents.name,
        taken_ms=restored.contents.taken_ms,
        age_s=age_s,
        began_ms=began_ms,
        ended_ms=clock.now_ms(),
        record_no=record_no,
        facts_count=report.facts_count,
        lines_count=report.lines_count,
        balances_count=report.balances_count,
        faults_count=report.faults_count,
        detail=detail,
    )


def not_begun(error: CentralError, *, now_ms: int) -> Drill:
    """Return the drill that could not even begin."""
    return Drill(
        good=False,
        backup="",
        taken_ms=0,
        age_s=0,
        began_ms=now_ms,
        ended_ms=now_ms,
        detail=f"{error}\n{error.hint}",
    )


def _proven(url: str, proofs: tuple[Proof, ...]) -> tuple[VerifyReport, int]:
    """Return what computing everything anew found, and the last fact that is there."""
    database = open_database(url)
    try:
        report = verify_ledger(database, proofs=proofs)
        with database.read() as connection:
            return report, read_state(connection).record_no
    finally:
        database.close()


def _complaint(report: VerifyReport, record_no: int, contents: Contents, *, age_s: int) -> str:
    if report.faults_count:
        return f"the restored ledger has {report.faults_count} faults"
    if record_no != contents.record_no:
        return f"it ends at {record_no}, not at {contents.record_no}"
    if age_s > BACKUP_AGE_S_MAX:
        return f"the newest usable backup is {age_s // 3600} hours old"
    return ""


@contextmanager
def _scratch(url: str, *, folder: Path | None, programs_folder: str) -> Iterator[str]:
    """Yield the URL of an empty database that is thrown away afterwards."""
    if make_url(url).get_backend_name() == "postgresql":
        name = f"dockledger_drill_{random_64():016x}"
        with scratch_database(url, name=name, folder=programs_folder) as scratch_url:
            yield scratch_url
        return
    try:
        with tempfile.TemporaryDirectory(prefix="dockledger-drill-", dir=folder) as made:
            yield f"sqlite:///{made}/ledger.db"
    except OSError as error:
        raise BackupRefused(
            f"there is no scratch place: {error.strerror}",
            hint="Name a folder with room for the ledger: --scratch.",
        ) from error
