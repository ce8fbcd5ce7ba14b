"""What the gateway can fail with, apart from its devices. Pure.

GatewayError            has `retriable` and a `hint`: what a person can do
|-- ConfigInvalid       the configuration file is wrong; names line, key and what to write
|-- TemplateInvalid     a label template is wrong; names file, element and what to write
|-- JournalError        the journal cannot be used; nothing acknowledged is touched
|   |-- JournalNotOurs  the file is no journal, or another gateway's, or a newer version's
|   |-- JournalDamaged  the file or its chain of digests is broken
|   |-- JournalLocked   another process holds the journal
|   |-- BackupUnusable  an encrypted copy cannot be written or read
|   |-- RestoreRefused  there is no copy to restore from, or no need to
|   `-- JournalFull     the disk took no more; the last step was not recorded
|-- IdentityUnusable    what the gateway is known by cannot be read or written
|-- DevicesUnseen       the kernel cannot be asked what is plugged in
|-- ClaimsDamaged       the file of claims cannot be understood; it is kept aside
|-- ClaimsUnwritable    the file of claims cannot be written
|-- ClaimRefused        a claim would make two devices of one, or give two the same name
|-- DeviceCommandFailed a device was not locked, unlocked, asked or told as wanted
`-- LinkLost            the broker is not reachable; it will be tried again
"""


class GatewayError(Exception):
    """The gateway cannot go on with something.

    `str(error)` says what and which; `hint` is one imperative sentence for whoever can mend it.
    """

    retriable: bool = False

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class ConfigInvalid(GatewayError):
    """The configuration file cannot be used as it is."""


class TemplateInvalid(GatewayError):
    """A label template cannot be used as it is."""


class JournalError(GatewayError):
    """The journal cannot be used."""


class JournalNotOurs(JournalError):
    """The file is not a journal of this gateway."""


class JournalDamaged(JournalError):
    """The journal's file or its chain of digests is broken."""


class JournalLocked(JournalError):
    """Another process has the journal open."""


class BackupUnusable(JournalError):
    """An encrypted copy of the journal cannot be written or read; the journal is untouched."""


class RestoreRefused(JournalError):
    """The journal is not restored from a copy; nothing was changed."""


class JournalFull(JournalError):
    """The disk is full or failing; what was being recorded is not recorded."""

    retriable = True


class DeviceCommandFailed(GatewayError):
    """What a person wanted with a device was not done."""


class LinkLost(GatewayError):
    """The broker cannot be reached."""

    retriable = True


class IdentityUnusable(GatewayError):
    """The enrolment file, key or certificate of the gateway cannot be used."""


class DevicesUnseen(GatewayError):
    """The kernel cannot be asked what is plugged in."""


class ClaimsDamaged(GatewayError):
    """The file of claims cannot be understood."""


class ClaimsUnwritable(GatewayError):
    """The file of claims cannot be written; nothing was claimed or released."""

    retriable = True


class ClaimRefused(GatewayError):
    """A claim or release that contradicts what is claimed already."""
