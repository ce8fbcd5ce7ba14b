"""Which command a scale was given, and what became of it. Pure."""

from typing import Literal

from drivers.api import CommandName, CommandResult

# Tared all the same, it would send net weights as gross ones, and a tare would be taken off twice.
TARE_UNSTATED = "the weights of this scale do not say that a tare is active: tare at the station"


class CommandAnswer:
    """Holds the one command that waits for its answer; a protocol tells it what the scale said.

    waiting: the command begun and not answered yet, None if there is none. It stays when the
        gateway gives up waiting, so that a late answer is known for what it is.
    """

    def __init__(self) -> None:
        self.waiting: CommandName | None = None
        self._result: CommandResult | None = None

    def begin(self, name: CommandName) -> None:
        """Note that `name` is being sent; forgets the command before it."""
        self.waiting = name
        self._result = None

    def finish(self, outcome: Literal["done", "refused", "unknown"], detail: str) -> None:
        """Note what the scale answered; nothing happens if no command waits."""
        if self.waiting is not None:
            self._result = CommandResult(outcome, f"{self.waiting}: {detail}")
            self.waiting = None

    def finish_if(self, *, done: bool, otherwise: str) -> None:
        """Note "done" or, with what the scale did instead, "refused"."""
        if done:
            self.finish("done", "the scale confirms it")
        else:
            self.finish("refused", otherwise)

    def result(self) -> CommandResult | None:
        """Return what became of the command begun last, None while nothing is known."""
        return self._result
