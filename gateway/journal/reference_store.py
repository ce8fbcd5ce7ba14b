"""The reference data that the journal keeps for the time without central. Edge of SQLite."""

import sqlite3

import msgspec

from central.contract.errors import ContractError
from central.contract.reference import Reference

SELECT_REVISION = "SELECT revision FROM reference_data"
SELECT_DATA = "SELECT data FROM reference_data"
STORE = "INSERT OR REPLACE INTO reference_data (id, revision, data) VALUES (1, ?, ?)"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Reference)


def store_reference(connection: sqlite3.Connection, reference: Reference) -> bool:
    """Keep reference data of a higher revision; return False, with nothing changed, otherwise."""
    row = connection.execute(SELECT_REVISION).fetchone()
    if row is not None and reference.revision <= row[0]:
        return False
    put_reference(connection, reference)
    return True


def put_reference(connection: sqlite3.Connection, reference: Reference) -> None:
    """Keep reference data of any revision: central's word."""
    connection.execute(STORE, (reference.revision, _encoder.encode(reference)))


def load_reference(connection: sqlite3.Connection) -> Reference | None:
    """Return the reference data, None if none was ever stored. Raises ContractError."""
    row = connection.execute(SELECT_DATA).fetchone()
    if row is None:
        return None
    try:
        return _decoder.decode(row[0])
    except msgspec.DecodeError as error:
        raise ContractError(
            f"the journal's reference data is not readable: {error}",
            hint="Give the gateway the reference data anew, with a higher revision.",
        ) from error
