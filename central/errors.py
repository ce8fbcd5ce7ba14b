"""What central can fail with, apart from unreadable input. Pure.

CentralError              has `retriable` and a `hint`: what a person can do
|-- ConfigInvalid         the configuration file is wrong; names line, key and what to write
|-- DatabaseUnusable      the database cannot be opened
|   |-- DatabaseNotOurs   it holds other tables, or those of a newer program
|   `-- DatabaseOutdated  it was made by an older program and is not migrated yet
|-- LedgerUnavailable     nothing of this attempt is committed; try it again
|-- ReferenceRefused      the reference data is older than what is loaded
|-- EnrolmentRefused      the gateway cannot be enrolled as asked
|-- TrustUnusable         the authorities, or what they write for the broker, cannot be used
|-- BackupRefused         a backup cannot be made, confirmed or read as asked
|-- BackupFailed          no usable backup was made; the ledger is as it was
|-- RestoreRefused        a backup is not put where it was asked to; nothing is changed there
|-- GatewayUnknown        nobody enrolled the gateway that something is for
|-- OrderRefused          what was ordered of a gateway cannot be, as things are
|-- DeskRefused           what was asked at the desk cannot be done; nothing of it is
|   |-- NotThere          it is about something that is not there
|   |-- Unusable          a value in it cannot be
|   |-- Conflict          it contradicts what is there, e.g. the state of an order
|   `-- Outdated          somebody else has changed the object meanwhile
|-- SignInRefused         whoever signs in is not let in, or not yet
|-- LinkLost              the broker is not reachable; it will be tried again
`-- IntakeEnded           the thread that takes facts has died; the program must end

Unreadable bytes, text and files raise `central.contract.errors.ContractError`.
"""


class CentralError(Exception):
    """Central cannot go on with something.

    `str(error)` says what and which; `hint` is one imperative sentence for whoever can mend it.
    """

    retriable: bool = False

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class ConfigInvalid(CentralError):
    """The configuration file cannot be used as it is."""


class DatabaseUnusable(CentralError):
    """The database cannot be opened or used."""


class DatabaseNotOurs(DatabaseUnusable):
    """The database is not one of this program, or is one of a newer program."""


class DatabaseOutdated(DatabaseUnusable):
    """The database has not been migrated to this program's schema."""


class LedgerUnavailable(CentralError):
    """The database did not commit (locked, deadlock, lost, full); nothing may be acknowledged."""

    retriable = True


class ReferenceRefused(CentralError):
    """The reference data is older than what the ledger has, or contradicts its stock."""


class EnrolmentRefused(CentralError):
    """The gateway cannot be enrolled as asked."""


class TrustUnusable(CentralError):
    """The authorities' files, or what is written for the broker, cannot be used."""


class GatewayUnknown(CentralError):
    """The gateway that something is for is not enrolled."""


class OrderRefused(CentralError):
    """What was ordered of a gateway contradicts what is there, or finds no room."""


class BackupRefused(CentralError):
    """A backup cannot be made, confirmed or read as asked."""


class BackupFailed(CentralError):
    """No usable backup was made; the ledger is as it was."""

    retriable = True


class RestoreRefused(CentralError):
    """A backup is not put where it was asked to; nothing is changed there."""


class DeskRefused(CentralError):
    """What was asked at the desk cannot be done as things are; nothing of it is done.

    fields: what a program needs to show it, e.g. which lines and why; values are JSON-ready.
    """

    def __init__(self, message: str, *, hint: str, fields: dict[str, object] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.fields = fields or {}


class NotThere(DeskRefused):
    """The object is not there."""


class Unusable(DeskRefused):
    """A value cannot be: of the wrong form, out of range, unknown."""


class Conflict(DeskRefused):
    """What is there forbids it: a state, a code that is taken, stock that is not there."""


class Outdated(DeskRefused):
    """The object has another version than the one that the caller has seen."""


class SignInRefused(CentralError):
    """Whoever signs in is not let in, or not yet. wait_s: how long to wait, 0 for not at all."""

    def __init__(self, message: str, *, hint: str, wait_s: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.wait_s = wait_s


class LinkLost(CentralError):
    """The broker cannot be reached."""

    retriable = True


class IntakeEnded(CentralError):
    """The thread that takes facts from the broker has died; only a new start brings it back."""

    retriable = True
