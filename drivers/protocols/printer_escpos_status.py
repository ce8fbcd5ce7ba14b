"""What an ESC/POS printer answers to DLE EOT 1 to 4 and GS r 1, as PrinterStatus. Pure.

Each answer to DLE EOT n is one byte with bits 1 and 4 set, bits 0 and 7 clear:

    1  bit 3 off line  5 waits to be on line again  6 feed key pressed
    2  bit 2 cover open  3 feeding by key  5 stopped for lack of paper  6 error
    3  bit 2 error that a key clears  3 cutter  5 error for good  6 error that clears itself (heat)
    4  bits 2, 3 paper near its end  5, 6 no paper

DLE EOT is answered at once, GS r 1 in its turn, so it tells that all before it has been worked
off; its byte has bits 4 and 7 clear, and bits 2, 3 where paper is out. Paper near its end stops
nothing and is the warning `paper_low`. The four bytes of an automatic
status (bits 0, 1, 7 clear and 4 set in the first) are passed over.

Source: Epson, ESC/POS command reference: DLE EOT, GS r, GS a.
"""

from drivers.protocols.printer_conditions import gravest_first
from drivers.readings import PrinterCondition, PrinterStatus, PrinterWarning

STATUS_COMMANDS = tuple(b"\x10\x04" + bytes([number]) for number in (1, 2, 3, 4))
AUTOMATIC_STATUS_BYTES = 4

_PAPER_NEAR_END = 0x0C
_BITS: tuple[dict[int, PrinterCondition], ...] = (
    {0x20: "paused", 0x40: "busy"},
    {0x04: "head_open", 0x08: "busy", 0x20: "paper_out", 0x40: "error"},
    {0x04: "error", 0x08: "error", 0x20: "error", 0x40: "over_temperature"},
    {0x20: "paper_out", 0x40: "paper_out"},
)
_OFF_LINE = 0x08


class EscPosConversation:
    """Asks one printer on one line the four questions, one after the other.

    A job counts as printed when GS r 1 at its end was answered and the printer was ready after it.
    """

    asks_while_printing = True

    def __init__(self) -> None:
        self._answers = b""
        self._status: PrinterStatus | None = None
        self._passed_over_count = 0
        self._is_worked_off = False
        self._was_worked_off = False  # Before the first of the four questions of this round.
        self._is_printed = False

    def ask(self) -> bytes:
        """Return the first question; the others follow from `receive_data`."""
        self._answers = b""
        self._status = None
        self._was_worked_off = self._is_worked_off
        return STATUS_COMMANDS[0]

    def receive_data(self, data: bytes) -> bytes:
        """Take bytes as they come; return the next question, b"" if there is none."""
        question = b""
        for value in data:
            if self._passed_over_count:
                self._passed_over_count -= 1
            elif value & 0x93 == 0x10:
                self._passed_over_count = AUTOMATIC_STATUS_BYTES - 1
            elif value & 0x93 == 0x12:
                question = self._take_answer(value)
            elif value & 0x90 == 0 and not value & 0x0C:
                self._is_worked_off = True
        return question

    def next_status(self) -> PrinterStatus | None:
        """Return the state as soon as all four questions are answered, and forget it."""
        status, self._status = self._status, None
        return status

    def forget(self) -> None:
        """Drop what was said so far, for example an answer that nobody waits for."""
        self._answers = b""
        self._status = None
        self._is_worked_off = False

    def begin_job(self, _copies_count: int, /) -> None:
        """Note that from now on the printer has the whole job."""
        self._is_printed = False

    def is_printed(self) -> bool:
        """Return True once the job must have been printed."""
        return self._is_printed

    def _take_answer(self, value: int) -> bytes:
        if len(self._answers) == len(STATUS_COMMANDS) or self._status is not None:
            return b""  # Nobody asked.
        self._answers += bytes([value])
        if len(self._answers) < len(STATUS_COMMANDS):
            return STATUS_COMMANDS[len(self._answers)]
        self._status = parse_answers(self._answers)
        self._is_printed = self._was_worked_off and self._status.ready
        return b""


def parse_answers(answers: bytes) -> PrinterStatus:
    """Return the state in the four answers."""
    found = {
        condition
        for value, bits in zip(answers, _BITS, strict=True)
        for bit, condition in bits.items()
        if value & bit
    }
    if answers[0] & _OFF_LINE and not found:
        found.add("paused")  # Off line for no reason that it names: by a key.
    is_low = answers[3] & _PAPER_NEAR_END and "paper_out" not in found
    warnings: tuple[PrinterWarning, ...] = ("paper_low",) if is_low else ()
    return PrinterStatus(gravest_first(found), raw=answers, warnings=warnings)
