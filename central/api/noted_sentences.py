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
# Why it took none that was offered, and what to do about it.
RELEASE_REFUSALS = (
    "refused: {0}",
    "the manifest is not signed by a key that this gateway knows, or was changed",
    "the signature is cut off or no signature",
    "the manifest has more than {0} bytes",
    "the manifest cannot be read: {0}",
    "{0} is not what was signed: it was changed",
    "{0} has {1} bytes instead of {2}",
    "{0} has more than the {1} bytes that were signed",
    "{0} has more than {1} bytes",
    "a release of {0} is offered",
    "release {0} has nothing for Python {1} on {2}",
    "Find out who put it there; sign releases with the key of this gateway.",
    "Make the release again with `dockledger-provision release`; nothing was changed here.",
    "Add the wheels of this kind of machine to the release.",
    "Name the gateways' source.",
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
# What still needs an object, beside the orders that name themselves (`orders/catalogue/uses`).
USES = (
    "stock at {0} {1}",
    "stock of item {0}",
    "home place of item {0}",
    "place {0}",
    "area {0}",
    "gateway {0}",
    "document {0}",
    "document {0} of {1}",
)
# What is told of goods that were shipped too late (`ledger/goods_rules`).
SHIPPED_LATE = (
    "it expires on {0} and was shipped on {1}",
    "it expires on {0} and was shipped on {1}, {2} days before are asked for",
)
NOTED = (
    *(*RELEASE_REASONS, *RELEASE_REFUSALS, *BACKUP_FAULTS, *SYSTEM_ERRORS, *USES),
    *SHIPPED_LATE,
)
