"""The one error that unreadable or impossible input raises in the contract. Pure."""


class ContractError(ValueError):
    """Something from outside (bytes, text, a file) does not keep the contract.

    `str(error)` says what and which; `hint` is one sentence that says what a person can do.
    """

    def __init__(self, message: str, *, hint: str = "Check the sender's version and data.") -> None:
        super().__init__(message)
        self.hint = hint
