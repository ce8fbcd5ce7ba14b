"""What a Brother QL printer says of itself, as PrinterStatus. Pure.

32 bytes, as an answer to ESC i S and by itself while it prints:

     0  80 20 42         always
     8  error 1: bits 0 no media  1 media at its end  2 cutter  4 in use  5 switched off  7 fan
     9  error 2: bits 0 wrong media  1 buffer full  2 line  3 buffer  4 cover open  6 feed  7 system
    10  width of the media in mm     11  kind: 0A, 4A tape, 0B, 4B die-cut     17  its length in mm
    18  0 answer  1 printed  2 error  4 switched off  5 notice  6 another phase
    19  phase: 0 waits for data  1 prints                22  notice: 3 cooling  4 cooled down

It must not be asked while it prints; it tells each label that it printed. Only USB was described to
do so; on a network the reference draws no answers.

Source: Brother, Raster Command Reference QL-800/810W/820NWB, section 4 "ESC i S" and section 5.
"""

from drivers.protocols.printer_brother_ql import Media
from drivers.protocols.printer_conditions import gravest_first
from drivers.readings import PrinterCondition, PrinterStatus

STATUS_COMMAND = bytes(400) + b"\x1b@\x1biS"
HEAD = b"\x80\x20\x42"
STATUS_BYTES = 32
BUFFER_BYTES_MAX = 1024

_ERROR_1: dict[int, PrinterCondition] = {0x01: "paper_out", 0x02: "paper_out", 0x10: "busy"}
_ERROR_2: dict[int, PrinterCondition] = {0x01: "paper_out", 0x10: "head_open"}
_ANSWER, _PRINTED, _ERROR, _OFF, _NOTICE, _PHASE = 0, 1, 2, 4, 5, 6
_PRINTS = 1
_COOLING = 3


class BrotherConversation:
    """Listens to one printer on one line. Other media than `media` counts as none: `paper_out`."""

    asks_while_printing = False

    def __init__(self, media: Media) -> None:
        self._media = media
        self._buffer = b""
        self._copies_left_count = 0

    def ask(self) -> bytes:
        """Return the bytes of one question."""
        return STATUS_COMMAND

    def receive_data(self, data: bytes) -> bytes:
        """Take bytes as they come; nothing more is to be asked."""
        self._buffer = (self._buffer + data)[-BUFFER_BYTES_MAX:]
        return b""

    def next_status(self) -> PrinterStatus | None:
        """Return the oldest thing said and forget it; None if there is none yet."""
        start = self._buffer.find(HEAD)
        if start == -1 or len(self._buffer) - start < STATUS_BYTES:
            return None
        said = self._buffer[start : start + STATUS_BYTES]
        self._buffer = self._buffer[start + STATUS_BYTES :]
        self._copies_left_count -= said[18] == _PRINTED
        return parse_status(said, self._media)

    def forget(self) -> None:
        """Drop what was said so far, for example an answer that nobody waits for."""
        self._buffer = b""

    def begin_job(self, copies_count: int, /) -> None:
        """Note that so many labels are to be told as printed."""
        self._copies_left_count = copies_count

    def is_printed(self) -> bool:
        """Return True once the printer told every label as printed."""
        return self._copies_left_count <= 0


def parse_status(said: bytes, media: Media) -> PrinterStatus:
    """Return the state in 32 bytes of a printer that should hold `media`."""
    found: set[PrinterCondition] = set()
    for value, names in ((said[8], _ERROR_1), (said[9], _ERROR_2)):
        found |= {names.get(1 << bit, "error") for bit in range(8) if value & 1 << bit}
    kind, phase = said[18], said[19]
    if kind == _ANSWER and not _is_media(said, media):
        found.add("paper_out")
    if kind not in {_ANSWER, _PRINTED, _NOTICE, _PHASE} and not found:
        found.add("error")
    if phase == _PRINTS and kind != _PRINTED:
        found.add("busy")
    if kind == _NOTICE and said[22] == _COOLING:
        found.add("over_temperature")
    return PrinterStatus(gravest_first(found), raw=said)


def _is_media(said: bytes, media: Media) -> bool:
    is_die_cut = said[11] & 0x0F == 0x0B
    return (said[10], said[17] if is_die_cut else 0) == (media.width_mm, media.length_mm)
