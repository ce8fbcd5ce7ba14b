"""What a switch of the root can fail with. Pure.

RootRefused   this machine cannot have such a root; nothing was switched
"""


class RootRefused(Exception):
    """The root stays as it is. `str(error)` says why; `hint` is one imperative sentence."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
