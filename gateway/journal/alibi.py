"""Looks weighings up by scale and alibi number, with the link that proves each. Edge of SQLite."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlite_utils import Database

from central.contract.errors import ContractError
from central.contract.facts import Weighing, chain_next, chain_start, decode_fact
from central.contract.identifiers import Epoch, FactId
from gateway.errors import JournalDamaged
from gateway.journal.append import KIND_TAGS
from gateway.journal.chain_check import VERIFY_HINT
from gateway.journal.pruned import load_pruned
from gateway.journal.transactions import reading

SELECT_RECORDS = """
    SELECT start_count, nonce, seq, previous_digest, digest, data FROM alibi_records
    WHERE scale = ? ORDER BY number
"""
SELECT_WEIGHINGS = "SELECT number, digest, data FROM facts WHERE kind = ? ORDER BY number"
SELECT_DIGEST = "SELECT digest FROM facts WHERE number = ?"
SELECT_EPOCH = """
    SELECT start_count, nonce, first_number, previous_epoch_head FROM epochs
    WHERE first_number <= ? ORDER BY start_count DESC LIMIT 1
"""
SELECT_GATEWAY = "SELECT gateway FROM identity"


@dataclass(frozen=True, slots=True)
class AlibiRecord:
    """One weighing with its proof: SHA-256 of the digest before it and its own bytes.

    is_proven: that this holds. In hexadecimal digits: previous_digest, digest, data.
    """

    fact_id: FactId
    weighing: Weighing
    previous_digest: str
    digest: str
    data: str
    is_proven: bool


def find_weighings(database: Database, scale: str, *, number: int | None) -> list[AlibiRecord]:
    """Return the weighings of a scale that are here, oldest first, or the one of that number.

    Raises JournalDamaged if a record cannot even be read.
    """
    with reading():
        gateway = database.execute(SELECT_GATEWAY).fetchone()[0]
        found = [*_records(database, scale, gateway=gateway), *_facts(database, gateway=gateway)]
    return [
        one
        for one in found
        if one.weighing.scale == scale and number in (None, one.weighing.alibi_number)
    ]


def _records(database: Database, scale: str, *, gateway: str) -> Iterator[AlibiRecord]:
    for start_count, nonce, seq, previous, digest, data in database.execute(
        SELECT_RECORDS, (scale,)
    ):
        epoch = Epoch(start_count=start_count, nonce=int(nonce, 16))
        yield _record(FactId(gateway=gateway, epoch=epoch, seq=seq), previous, digest, data)


def _facts(database: Database, *, gateway: str) -> Iterator[AlibiRecord]:
    pruned = load_pruned(database.conn)
    kind = KIND_TAGS[Weighing]
    for number, digest, data in database.execute(SELECT_WEIGHINGS, (kind,)).fetchall():
        start_count, nonce, first_number, head = database.execute(
            SELECT_EPOCH, (number,)
        ).fetchone()
        epoch = Epoch(start_count=start_count, nonce=int(nonce, 16))
        if number == first_number:
            previous = chain_start(gateway=gateway, epoch=epoch, previous_epoch_head=head)
        elif number == pruned.number + 1:
            previous = pruned.digest
        else:
            row = database.execute(SELECT_DIGEST, (number - 1,)).fetchone()
            previous = row[0] if row else b""
        fact_id = FactId(gateway=gateway, epoch=epoch, seq=number - first_number + 1)
        yield _record(fact_id, previous, digest, data)


def _record(fact_id: FactId, previous: bytes, digest: bytes, data: bytes) -> AlibiRecord:
    try:
        fact = decode_fact(data)
    except ContractError as error:
        raise JournalDamaged(
            f"the record of the weighing {fact_id} is not readable: {error}", hint=VERIFY_HINT
        ) from error
    assert isinstance(fact, Weighing)
    return AlibiRecord(
        fact_id=fact_id,
        weighing=fact,
        previous_digest=previous.hex(),
        digest=digest.hex(),
        data=data.hex(),
        is_proven=chain_next(previous, data) == digest,
    )
