"""What preparing a card can fail with. Pure.

CardRefused    the card cannot be prepared; has a `hint`
"""


class CardRefused(Exception):
    """Nothing usable was written. `str(error)` says why; `hint` is one imperative sentence."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
