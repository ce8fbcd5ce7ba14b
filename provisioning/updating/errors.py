"""What an update can fail with. Pure.

UpdateError              has a `hint`: what a person can do
|-- SettingsInvalid      update.toml cannot be used
|-- ReleaseRefused       what the source offers is not to be trusted, or does not fit here
|-- SourceUnreachable    the source does not answer; it is asked again
|-- NoRoom               the disk has no room for a second environment
|-- EnvironmentBroken    the release was taken, but cannot be made to run
`-- BuildInterrupted     somebody ended the building; it is begun again
"""


class UpdateError(Exception):
    """An update does not go on. `str(error)` says what; `hint` is one imperative sentence."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class SettingsInvalid(UpdateError):
    """The settings of the agent, or its key, cannot be used."""


class ReleaseRefused(UpdateError):
    """What is offered is forged, changed, cut off, or does not fit this machine."""


class SourceUnreachable(UpdateError):
    """The source cannot be read just now."""


class NoRoom(UpdateError):
    """There is no room on the disk."""


class EnvironmentBroken(UpdateError):
    """The environment of a release cannot be built, or does not start."""


class BuildInterrupted(UpdateError):
    """A program that builds was ended from outside: the machine goes down, or memory was short."""
