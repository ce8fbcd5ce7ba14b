"""What making a release or a package can fail with. Pure.

PackagingError    has a `hint`: what a person can do
|-- WheelMissing  a wheel is not to be had, or is not the one that is locked
`-- ToolFailed    a program that is needed is not there, or ended with an error
"""


class PackagingError(Exception):
    """Nothing was made. `str(error)` says why; `hint` is one imperative sentence."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class WheelMissing(PackagingError):
    """A wheel is missing, or has another digest than the locked one."""


class ToolFailed(PackagingError):
    """A program could not do what it was asked."""
