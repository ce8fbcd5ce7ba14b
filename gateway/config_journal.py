"""The part of the configuration that tells how the journal is kept. Pure."""

from typing import Annotated

import msgspec

QUOTA_BYTES_MIN = 64 * 1024 * 1024

# What to write, by key; the examples of the error messages.
JOURNAL_EXAMPLES = {
    "journal": "[journal]",
    "journal.copy_directory": 'copy_directory = "/mnt/dockledger-copy"',
    "journal.quota_bytes": "quota_bytes = 4_000_000_000",
    "journal.keep_days": "keep_days = 14",
    "journal.alibi_keep_days": "alibi_keep_days = 90",
}


class JournalSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the journal is kept. copy_directory "": no copy. quota_bytes 0: the whole disk.

    keep_days, alibi_keep_days: days of running after which facts that the ledger holds safely, and
    weighings, may be forgotten.
    """

    copy_directory: str = ""
    quota_bytes: Annotated[int, msgspec.Meta(ge=0, le=2**50)] = 0
    keep_days: Annotated[int, msgspec.Meta(ge=14, le=3650)] = 14
    alibi_keep_days: Annotated[int, msgspec.Meta(ge=90, le=3650)] = 90

    def __post_init__(self) -> None:
        if 0 < self.quota_bytes < QUOTA_BYTES_MIN:
            raise ValueError(f"quota_bytes is 0 for none, or at least {QUOTA_BYTES_MIN}")
