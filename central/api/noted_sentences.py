"""Sentences that other programs and the system note in English, and pages say later. Pure."""

# Why the update agent of a gateway gave a release up (`provisioning/updating`).
RELEASE_REASONS = (
    "not healthy in time: {0}",
    "on probation: {0}",
    "it does not answer",
    "version {0} answers",
    "its journal cannot be written",
    "devices that worked do not: {0}",
    "it does not reach the broker",
    "it was started again: it crashed or its watchdog ended it",
    "the machine booted {0} times on probation",
    "the release holds no pip to install it with",
    "{0} takes more than {1} s",
    "{0} ended with {1}: {2}",
)
# Why a backup or a drill is not good, where it is no refusal (`central/backup`).
BACKUP_FAULTS = (
    "no place has the backup",
    "the restored ledger has {0} faults",
    "it ends at {0}, not at {1}",
    "the newest usable backup is {0} hours old",
    "{0} cannot be copied: {1}",
    "{0} cannot be written: {1}",
)
# What Linux says of files and connections.
SYSTEM_ERRORS = (
    "Connection refused",
    "Connection timed out",
    "Disk quota exceeded",
    "File too large",
    "Host is down",
    "Input/output error",
    "Is a directory",
    "No such device",
    "No such file or directory",
    "No space left on device",
    "Not a directory",
    "Operation not permitted",
    "Permission denied",
    "Read-only file system",
    "Stale file handle",
    "Transport endpoint is not connected",
)
NOTED = (*RELEASE_REASONS, *BACKUP_FAULTS, *SYSTEM_ERRORS)
