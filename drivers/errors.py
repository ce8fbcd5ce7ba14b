"""What can go wrong between us and a device. Pure.

DriverError             has `retriable` and a `hint`: what a person can do
|-- DeviceLost          the line, port or socket is gone; open it again later
|-- DeviceSilent        the line is there, the device does not answer
|-- SettingsInvalid     the settings can never work; retrying does not help
`-- LabelInvalid        the label cannot be put on this printer; nothing was sent
"""


class DriverError(Exception):
    """A device, its line or its settings failed.

    `str(error)` says what and which; `hint` is one imperative sentence for whoever can mend it.
    """

    retriable: bool = False

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class DeviceLost(DriverError):
    """The line to the device is gone (unplugged, port closed, host unreachable)."""

    retriable = True


class DeviceSilent(DriverError):
    """The line is open, but the device does not answer in time."""

    retriable = True


class SettingsInvalid(DriverError):
    """The settings of a device are wrong; only a changed configuration helps."""


class LabelInvalid(DriverError):
    """The label holds something that this printer cannot print; nothing was sent."""
