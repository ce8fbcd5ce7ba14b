"""The ledger's voice: the key with which it signs what gateways believe. Edge of cryptography.

The key lies in the database, made when that is first migrated, so that every worker and every
restored backup speaks with one voice. Whoever can read the database can speak for the ledger.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from central.errors import DatabaseUnusable
from central.storage.database import Database
from central.storage.tables import ledger_state

READ_KEY = select(ledger_state.c.value).where(ledger_state.c.key == "signing_key")


class LedgerKey:
    """Signs with Ed25519. Several threads may use it at once."""

    def __init__(self, private_key_hex: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private_key_hex))

    @property
    def public_key_hex(self) -> str:
        """Return what gateways pin, 64 hexadecimal digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> bytes:
        """Return the signature of `data`, 64 bytes."""
        return self._key.sign(data)


def load_ledger_key(database: Database) -> LedgerKey:
    """Return the key of a migrated database. Raises DatabaseUnusable, LedgerUnavailable."""
    with database.read() as connection:
        text = connection.execute(READ_KEY).scalar_one_or_none()
    try:
        return LedgerKey(text or "")
    except ValueError as error:
        raise DatabaseUnusable(
            "the database holds no usable signing key",
            hint="Run `dockledger-central migrate`, or restore the row signing_key of the table"
            " ledger_state from a backup.",
        ) from error
