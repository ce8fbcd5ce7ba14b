"""What a scanner is told in plain text, and its answers, told apart from codes. Pure.

    LON CR  -->                  Keyence SR-750: trigger on
            <--  OK,LON CR       taken; the code follows as a line of its own
            <--  ER,LON,10 CR    refused, with the reader's own number
    SYN T CR -->                 Honeywell, serial: trigger on; SYN U CR: off; no answer

An answer is known by the command that it repeats, at any time: one that comes late is never taken
for a code. Numbers at the end of a command (the bank in "LON01") may be missing in the answer.

Sources: Keyence SR-750 series user's manual, sections 8-1 and 8-2 (commands, answers, their order);
Honeywell N86XX user's guide, chapter 10, "Trigger Commands" (SYN T CR, SYN U CR).
"""

import re
from dataclasses import dataclass

from drivers.api import CommandResult, DeviceCommand

_CONTROLS = "".join(map(chr, (*range(0x21), 0x7F)))


@dataclass(frozen=True, slots=True)
class ScannerCommands:
    """The texts of each command, ends and control characters included; "" if there is none.

    answer_ok, answer_error: what stands before the repeated command in an answer, such as "OK,"
        and "ER,"; both "" if the scanner answers no command.
    """

    trigger_on: str = ""
    trigger_off: str = ""
    good_read: str = ""
    bad_read: str = ""
    answer_ok: str = ""
    answer_error: str = ""


NO_COMMANDS = ScannerCommands()


@dataclass(frozen=True, slots=True)
class Answers:
    """Tells answers from codes; the first group is the command that is repeated."""

    accepted: re.Pattern[bytes]
    refused: re.Pattern[bytes]

    def result(self, line: bytes) -> tuple[str, CommandResult] | None:
        """Return (command, what became of it) of an answer, None if the line is none."""
        accepted = self.accepted.fullmatch(line)
        if accepted:
            return accepted[1].decode(), CommandResult("done")
        refused = self.refused.fullmatch(line)
        if refused:
            says = f"the scanner says {line.decode('latin-1')}"
            return refused[1].decode(), CommandResult("refused", says)
        return None


def stem_of(text: str) -> str:
    """Return what an answer repeats of a command: no control characters, no number at its end."""
    return text.strip(_CONTROLS).rstrip("0123456789")


def text_of(command: DeviceCommand, commands: ScannerCommands) -> str:
    """Return what to send for a command, "" if the scanner has nothing for it."""
    match command.name:
        case "trigger_on":
            return commands.trigger_on
        case "trigger_off":
            return commands.trigger_off
        case "signal" if command.signal == "success":
            return commands.good_read
        case "signal" if command.signal in {"warning", "error"}:
            return commands.bad_read
    return ""


def answers_of(commands: ScannerCommands) -> Answers | None:
    """Return what tells the answers of a scanner, None if it gives none."""
    texts = (commands.trigger_on, commands.trigger_off, commands.good_read, commands.bad_read)
    stems = {stem_of(text) for text in texts} - {""}
    if not stems or not (commands.answer_ok and commands.answer_error):
        return None
    repeated = b"(" + b"|".join(re.escape(stem.encode()) for stem in sorted(stems)) + b")[0-9]*"
    return Answers(
        accepted=re.compile(re.escape(commands.answer_ok.encode()) + repeated),
        refused=re.compile(re.escape(commands.answer_error.encode()) + repeated + b"(?:,.*)?"),
    )
