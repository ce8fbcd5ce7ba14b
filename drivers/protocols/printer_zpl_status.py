"""What a ZPL printer answers to ~HS and ~HQES, as PrinterStatus. Pure.

~HS, host status: three strings, each STX ... ETX CR LF, fields separated by commas:

    1: aaa,b,c,dddd,eee,f,g,h,iii,j,k,l   b paper out, c paused, eee formats in the buffer,
                                          f buffer full, g diagnostic mode, h partial format,
                                          j corrupt RAM, k too cold, l too hot
    2: mmm,n,o,p,q,r,s,t,uuuuuuuu,v,www   o head up, p ribbon out, uuuuuuuu labels left
    3: xxxx,y

~HS gets NO answer while media or ribbon are out, the head is open or too hot. Silence is then
neither "ready" nor "switched off": ~HQES must be asked next.

~HQES, error status: one string, STX ... ETX, with the lines

    ERRORS:         f gggggggg nnnnnnnn   f 1 = any; g group 2, n group 1, both hexadecimal
    WARNINGS:       f gggggggg nnnnnnnn

Source: Zebra ZPL II programming guide, ~HS and ~HQ; the group 1 bits also in Oki LE840 manual
p. 98 and CUPS lprint. Warnings never stop a printer and are not reported.
"""

import re
from collections.abc import Callable

from drivers.readings import PrinterCondition, PrinterStatus

HOST_STATUS_COMMAND = b"~HS\r\n"
ERROR_STATUS_COMMAND = b"~HQES\r\n"

BUFFER_BYTES_MAX = 4096  # A whole reply has under 200.

SILENT = PrinterStatus(("silent",))


class StatusReplies:
    """Collects the bytes of a printer and finds the replies among them.

    Noise between replies is skipped; of noise without end only the last bytes are kept.
    """

    def __init__(self) -> None:
        self._buffer = b""

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they come, in pieces of any size."""
        self._buffer = (self._buffer + data)[-BUFFER_BYTES_MAX:]

    def clear(self) -> None:
        """Forget what came so far, for example a reply nobody waits for."""
        self._buffer = b""

    def next_host_status(self) -> PrinterStatus | None:
        """Return the oldest complete reply to ~HS and forget it; None if there is none yet."""
        return self._next(_HOST_STATUS, parse_host_status)

    def next_error_status(self) -> PrinterStatus | None:
        """Return the oldest complete reply to ~HQES and forget it; None if there is none yet."""
        return self._next(_ERROR_STATUS, parse_error_status)

    def _next(
        self, reply: re.Pattern[bytes], parse: Callable[[bytes], PrinterStatus]
    ) -> PrinterStatus | None:
        found = reply.search(self._buffer)
        if found is None:
            return None
        self._buffer = self._buffer[found.end() :]
        return parse(found[0])


def parse_host_status(reply: bytes) -> PrinterStatus:
    """Return the state in a whole ~HS reply; the condition "error" where it cannot be read."""
    found = _HOST_STATUS.fullmatch(reply.strip(b"\r\n"))
    if found is None:
        return _unreadable(reply)
    first, second = (text.split(b",") for text in found.groups())
    flags = (*first[1:3], *first[5:8], *first[9:12], second[2], second[3])
    counts = (first[4], second[8])
    if not all(flag in {b"0", b"1"} for flag in flags):
        return _unreadable(reply)
    if not all(re.fullmatch(rb"[0-9]{1,8}", count) for count in counts):
        return _unreadable(reply)
    paper_out, paused, full, diagnostic, partial, corrupt, cold, hot, head_up, ribbon_out = (
        flag == b"1" for flag in flags
    )
    found_conditions: dict[PrinterCondition, bool] = {
        "head_open": head_up,
        "paper_out": paper_out,
        "ribbon_out": ribbon_out,
        "over_temperature": hot,
        # In diagnostic mode it prints the bytes of a label in hexadecimal instead of the label.
        "error": corrupt or diagnostic or cold,
        "paused": paused,
        # After a partial format the next label would become a part of that one.
        "busy": full or partial,
    }
    return PrinterStatus(_conditions(found_conditions), int(first[4]), int(second[8]), raw=reply)


def parse_error_status(reply: bytes) -> PrinterStatus:
    """Return the state in a whole ~HQES reply; it knows nothing of labels that wait."""
    found = _ERRORS_LINE.search(reply)
    if found is None:
        return _unreadable(reply)
    any_error = found[1] == b"1"
    group_2 = int(found[2], 16)
    group_1 = int(found[3], 16)
    found_conditions: dict[PrinterCondition, bool] = {
        "head_open": bool(group_1 & _HEAD_OPEN),
        "paper_out": bool(group_1 & _MEDIA_OUT),
        "ribbon_out": bool(group_1 & _RIBBON_OUT),
        "over_temperature": bool(group_1 & _TOO_HOT),
        "error": bool(group_1 & ~_EXPLAINED or group_2 or (any_error and not group_1)),
        "paused": bool(group_1 & _PAUSED),
    }
    return PrinterStatus(_conditions(found_conditions), raw=reply)


# A string never holds a control character, so noise or a lost ETX cannot merge two of them.
_HOST_STATUS = re.compile(
    rb"\x02([^,\x00-\x1f]{0,16}(?:,[^,\x00-\x1f]{0,16}){11,15})\x03[\r\n]{0,4}"
    rb"\x02([^,\x00-\x1f]{0,16}(?:,[^,\x00-\x1f]{0,16}){10,15})\x03[\r\n]{0,4}"
    rb"\x02[^,\x00-\x1f]{0,16},[^,\x00-\x1f]{0,16}\x03"
)
_ERROR_STATUS = re.compile(rb"\x02[^\x02\x03]{0,256}?ERRORS:[^\x02\x03]{0,256}\x03")
_ERRORS_LINE = re.compile(rb"ERRORS:\s+([01])\s+([0-9A-Fa-f]{8})\s+([0-9A-Fa-f]{8})\b")

_MEDIA_OUT = 0x1
_RIBBON_OUT = 0x2
_HEAD_OPEN = 0x4
_TOO_HOT = 0x30  # Print head 10, motor 20.
_PAUSED = 0x10000
_EXPLAINED = _MEDIA_OUT | _RIBBON_OUT | _HEAD_OPEN | _TOO_HOT | _PAUSED


def _conditions(found: dict[PrinterCondition, bool]) -> tuple[PrinterCondition, ...]:
    """Return what is found, in the order of `found`: first what a person must mend first."""
    return tuple(condition for condition, is_so in found.items() if is_so) or ("ready",)


def _unreadable(reply: bytes) -> PrinterStatus:
    return PrinterStatus(("error",), raw=reply)
