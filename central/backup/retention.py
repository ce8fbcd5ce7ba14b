"""Which backups of the ledger are kept in a place, by their names. Pure."""

from collections.abc import Iterable

from central.backup.manifests import taken_at
from central.contract.backup_keeping import Keeping, superfluous_of

__all__ = ["Keeping", "superfluous"]


def superfluous(names: Iterable[str], keeping: Keeping, *, made_now: str) -> list[str]:
    """Return the names of backups that need not be kept, the oldest first.

    made_now: the one that was just made and read back; it is never among them. Names of anything
    else are never returned.
    """
    known = ((moment, name) for name in names if (moment := taken_at(name)) is not None)
    return superfluous_of(known, keeping, made_now=made_now)
