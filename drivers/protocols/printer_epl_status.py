"""What an EPL2 printer answers to ^ee, as PrinterStatus. Pure.

    00 CR LF              nothing is wrong
    07,11 CR LF           codes of two digits, 07 also as 07Pnnn: so many labels are left

    01 02 03 04 05 08 09 10   a command could not be carried out; the printer goes on
    07 out of media or ribbon   11 head open   62 head too hot   92 paused   others: an error

A code of a command says nothing of the next label: it does not keep a job back. Where one appears
after a job that was not there before, the job went wrong. There is no answer that says "printed".

Source: Zebra, EPL2 Programmer's Manual 980352-001, ^ee; Intermec, ESim for the PC4 and PF8,
appendix A.
"""

import re

from drivers.protocols.printer_conditions import gravest_first
from drivers.readings import PrinterCondition, PrinterStatus

STATUS_COMMAND = b"\r\n^ee\r\n"
BUFFER_BYTES_MAX = 1024

_REPLY = re.compile(
    rb"(?<![0-9,])[0-9]{2}(?:P[0-9]{1,5})?(?:, ?[0-9]{2}(?:P[0-9]{1,5})?){0,15}\r\n"
)
_COMMAND_CODES = frozenset({1, 2, 3, 4, 5, 8, 9, 10})
_CONDITIONS: dict[int, PrinterCondition] = {
    7: "paper_out",
    11: "head_open",
    62: "over_temperature",
    92: "paused",
}


class EplConversation:
    """Asks one printer on one line. It never confirms a job; see the module."""

    asks_while_printing = True

    def __init__(self) -> None:
        self._buffer = b""
        self._old_codes: frozenset[int] = _COMMAND_CODES  # Until a job begins, none counts.
        self._seen_codes: frozenset[int] = frozenset()

    def ask(self) -> bytes:
        """Return the bytes of one question."""
        return STATUS_COMMAND

    def receive_data(self, data: bytes) -> bytes:
        """Take bytes as they come; nothing more is to be asked."""
        self._buffer = (self._buffer + data)[-BUFFER_BYTES_MAX:]
        return b""

    def next_status(self) -> PrinterStatus | None:
        """Return the newest whole answer and forget it; None if there is none yet."""
        newest = None
        while (found := _REPLY.search(self._buffer)) is not None:
            self._buffer = self._buffer[found.end() :]
            codes = parse_codes(found[0])
            self._seen_codes = codes
            newest = _status(codes - (self._old_codes & _COMMAND_CODES), found[0])
        return newest

    def forget(self) -> None:
        """Drop what was said so far, for example an answer that nobody waits for."""
        self._buffer = b""

    def begin_job(self, _copies_count: int, /) -> None:
        """Note that from now on the printer has the whole job: new codes are about it."""
        self._old_codes = self._seen_codes

    def is_printed(self) -> bool:
        """Return False: an EPL2 printer cannot say so."""
        return False


def parse_codes(reply: bytes) -> frozenset[int]:
    """Return the codes in a whole answer; 00 is not among them."""
    return frozenset(int(code[:2]) for code in re.findall(rb"[0-9]{2}(?:P[0-9]+)?", reply)) - {0}


def _status(codes: frozenset[int], reply: bytes) -> PrinterStatus:
    return PrinterStatus(gravest_first({_CONDITIONS.get(one, "error") for one in codes}), raw=reply)
