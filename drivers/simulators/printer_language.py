"""What a virtual printer and the language it speaks have to say to each other. Pure."""

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from drivers.bitmap import Bitmap


@dataclass(frozen=True, slots=True)
class Command:
    """One command as the printer understood it. name: "" for bytes that are no command.

    picture, copies_count: of a command that prints. reply: what it answers, in its turn.
    confirms: the reply says that what came before is printed.
    """

    name: str
    picture: Bitmap | None = None
    copies_count: int = 1
    reply: bytes = b""
    confirms: bool = False


@dataclass(frozen=True, slots=True)
class MachineState:
    """What the machine is like at a moment."""

    paper_out: bool
    paper_near_end: bool
    head_open: bool
    ribbon_out: bool
    paused: bool
    printing: bool

    @property
    def stopped(self) -> bool:
        return self.paper_out or self.head_open or self.ribbon_out


class Interpreter(Protocol):
    """A printer language.

    real_time: commands that are obeyed wherever they stand.
    real_time_starts: what a read may end with that could become one.
    waits_when_stopped: a stopped printer reads nothing but real-time commands.
    """

    real_time: re.Pattern[bytes]
    real_time_starts: tuple[bytes, ...]
    waits_when_stopped: bool

    def answer(self, command: bytes, state: MachineState, /) -> bytes:
        """Return the answer to a real-time command."""
        ...

    def take(self, buffer: bytearray, state: MachineState, /) -> Command | None:
        """Remove one command from the buffer and return it; None while it is not whole."""
        ...

    def told(self, what: Literal["begun", "printed", "stopped"], state: MachineState, /) -> bytes:
        """Return what the printer says unasked, b"" nothing."""
        ...
