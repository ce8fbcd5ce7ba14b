"""What a TSPL printer answers to <ESC>!? and <ESC>!S, as PrinterStatus. Pure.

<ESC>!?  one byte, 00 ready:

    bit 0 head open   1 paper jam   2 out of paper   3 out of ribbon
        4 paused      5 printing    6 cover open     7 too hot or too cold

<ESC>!S  eight bytes, 02 m w e p 03 0D 0A, each of the four 40 when all is well:

    m  60 paused  42 backing  43 cutting  45 error  46 feeding  4B waits for the print key
       4C waits for the label to be taken  50 printing  57 drawing
    w  48 receive buffer full; other bits are not in use
    e  bits 0 head too hot  1 motor too hot  3 cutter jam  4 out of memory
    p  bits 0 out of paper  1 paper jam  2 out of ribbon  3 ribbon jam  5 head open

Both are answered at any time, also when the printer stands still. Many printers of other makers
never answer, least of all on USB.

Source: TSC, TSPL/TSPL2 Programming (TTP-244 Plus p. 85); Gprinter GP-2120T manual p. 34.
"""

from drivers.protocols.printer_conditions import gravest_first
from drivers.readings import PrinterCondition, PrinterStatus

STATUS_BYTE_COMMAND = b"\x1b!?"
STATUS_STRING_COMMAND = b"\x1b!S"
CONFIRMATIONS_COUNT = 2  # So often in a row the printer must be ready after it was printing.
BUFFER_BYTES_MAX = 256
STRING_BYTES = 8

_BITS_OF_BYTE: tuple[PrinterCondition, ...] = (
    "head_open",
    "error",
    "paper_out",
    "ribbon_out",
    "paused",
    "busy",
    "head_open",
    "over_temperature",
)
_MESSAGES: dict[int, PrinterCondition] = {
    0x60: "paused",
    0x42: "busy",
    0x43: "busy",
    0x45: "error",
    0x46: "busy",
    0x4B: "paused",
    0x4C: "busy",
    0x50: "busy",
    0x57: "busy",
}
_WARNING_BUFFER_FULL = 0x08
_ERRORS: dict[int, PrinterCondition] = {0x01: "over_temperature", 0x02: "over_temperature"}
_PAPER_ERRORS: dict[int, PrinterCondition] = {
    0x01: "paper_out",
    0x04: "ribbon_out",
    0x20: "head_open",
}


class TsplConversation:
    """Asks one printer on one line, and knows when a job must have been printed.

    The printer confirms nothing by itself. A job counts as printed when the printer was seen to
    print after the last byte, and then to be ready, twice in a row, no answer outstanding.
    long_status: ask for the eight bytes instead of the one.
    """

    asks_while_printing = True

    def __init__(self, *, long_status: bool) -> None:
        self._long_status = long_status
        self._buffer = b""
        self._unanswered_count = 0
        self._was_printing = False
        self._ready_count = 0

    def ask(self) -> bytes:
        """Return the bytes of one question."""
        self._unanswered_count += 1
        return STATUS_STRING_COMMAND if self._long_status else STATUS_BYTE_COMMAND

    def receive_data(self, data: bytes) -> bytes:
        """Take bytes as they come; nothing more is to be asked."""
        self._buffer = (self._buffer + data)[-BUFFER_BYTES_MAX:]
        return b""

    def next_status(self) -> PrinterStatus | None:
        """Return the newest whole answer and forget it; None if there is none yet."""
        newest = None
        while (status := self._take()) is not None:
            newest = status
            self._unanswered_count = max(0, self._unanswered_count - 1)
            self._note(status)
        return newest

    def forget(self) -> None:
        """Drop what was said so far, for example an answer that nobody waits for."""
        self._buffer = b""

    def begin_job(self, _copies_count: int, /) -> None:
        """Note that from now on the printer has the whole job."""
        self._was_printing = False
        self._ready_count = 0

    def is_printed(self) -> bool:
        """Return True once the job must have been printed."""
        return self._ready_count >= CONFIRMATIONS_COUNT and self._unanswered_count == 0

    def _take(self) -> PrinterStatus | None:
        if not self._long_status:
            answer, self._buffer = self._buffer[:1], self._buffer[1:]
            return parse_status_byte(answer[0]) if answer else None
        while (start := self._buffer.find(b"\x02")) != -1:
            if len(self._buffer) - start < STRING_BYTES:
                return None
            answer = self._buffer[start : start + STRING_BYTES]
            if answer[5:] == b"\x03\r\n":
                self._buffer = self._buffer[start + STRING_BYTES :]
                return parse_status_string(answer)
            self._buffer = self._buffer[start + 1 :]
        return None

    def _note(self, status: PrinterStatus) -> None:
        self._was_printing = self._was_printing or "busy" in status.conditions
        self._ready_count = self._ready_count + 1 if status.ready and self._was_printing else 0


def parse_status_byte(value: int) -> PrinterStatus:
    """Return the state in the answer to <ESC>!?."""
    found = {one for bit, one in enumerate(_BITS_OF_BYTE) if value & 1 << bit}
    return PrinterStatus(gravest_first(found), raw=bytes([value]))


def parse_status_string(answer: bytes) -> PrinterStatus:
    """Return the state in a whole answer to <ESC>!S, 02 to 0A; what is not known is an error."""
    message, warning, error, paper = answer[1:5]
    found: set[PrinterCondition] = set()
    if message != 0x40:
        found.add(_MESSAGES.get(message, "error"))
    if warning & _WARNING_BUFFER_FULL:
        found.add("busy")
    for value, names in ((error, _ERRORS), (paper, _PAPER_ERRORS)):
        found |= {names.get(1 << bit, "error") for bit in range(6) if value & 1 << bit}
        if value & 0xC0 != 0x40:
            found.add("error")
    return PrinterStatus(gravest_first(found), raw=answer)
