"""What can keep the lab from working, each with what a person does about it. Pure."""


class LabUnusable(Exception):
    """Something that the lab needs is missing or broken. hint: one sentence, what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class GuestFailed(Exception):
    """A guest did not start, fell silent or ended; the message has its last words."""
