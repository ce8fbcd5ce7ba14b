"""The part of the configuration that tells where the journal is backed up. Pure."""

from typing import Annotated

import msgspec

from central.contract.backup_files import RECIPIENTS_MAX

PLACES_MAX = 8
KEPT_COUNT_MAX = 1000

KeyHex = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Folder = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
KeptCount = Annotated[int, msgspec.Meta(ge=1, le=KEPT_COUNT_MAX)]

# What to write, by key; the examples of the error messages.
BACKUP_EXAMPLES = {
    "backup": "[backup]",
    "backup.recipients": 'recipients = ["64 hexadecimal digits"]',
    "backup.places": 'places = ["/media/stick/dockledger", "/mnt/nas/dockledger"]',
    "backup.daily": "daily = 7",
    "backup.weekly": "weekly = 5",
    "backup.monthly": "monthly = 12",
}


class BackupSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """recipients: public keys of whoever may read backups. places: folders, each on its own medium.

    Without places there are no backups. daily, weekly, monthly: of how many days, weeks and months
    the newest is kept in each place.
    """

    recipients: Annotated[tuple[KeyHex, ...], msgspec.Meta(max_length=RECIPIENTS_MAX)] = ()
    places: Annotated[tuple[Folder, ...], msgspec.Meta(max_length=PLACES_MAX)] = ()
    daily: KeptCount = 7
    weekly: KeptCount = 5
    monthly: KeptCount = 12

    def __post_init__(self) -> None:
        if self.places and not self.recipients:
            raise ValueError("places need recipients: the public key of whoever may read backups")
