"""Builds who lets people in, as the configuration says. Root."""

from central.access.access import Access
from central.access.refusals import Refusals
from central.access.sealed_secrets import read_seal
from central.clock import SystemClock
from central.config_access import AccessSection
from central.ledger.desk import Desk
from central.storage.database import Database


def build_access(
    section: AccessSection, database: Database, desk: Desk, refusals: Refusals
) -> Access | None:
    """Return who lets people in, None where whoever reaches the address is the administrator.

    Raises ConfigInvalid for the key of secrets.
    """
    if section.mode == "open":
        return None
    seal = read_seal(section.sealing_key_file)
    return Access(
        database,
        desk=desk,
        clock=SystemClock(),
        section=section,
        seal=seal,
        refusals=refusals,
    )
