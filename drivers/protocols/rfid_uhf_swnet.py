"""UHF readers that answer 43 54 to 53 57: frames to tag reads, questions to bytes. Pure.

    43 54 00 36 00 01 01 00 03 0F 01 02 E2 00 ... 92 0F 49   E4
    |     |     |  |  |  |     |  |  |  |              |     `-- check: all bytes sum to 0
    |     |     |  |  |  |     |  |  |  |              `-- strength, in a unit that is not stated
    |     |     |  |  |  |     |  |  |  `-- EPC, 12 bytes as a rule
    |     |     |  |  |  |     |  |  `-- antenna
    |     |     |  |  |  |     |  `-- kind of tag
    |     |     |  |  |  |     `-- length of what follows of this tag; then the next tag
    |     |     |  |  |  `-- tags in this frame, 2 bytes; 1 byte behind a serial number (45)
    |     |     |  |  `-- status, 01 done, 00 nothing: no tag
    |     |     |  `-- command: 01 search, 10 who are you, 45 a reader that speaks unasked
    |     |     `-- address of the reader
    |     `-- length of all that follows
    `-- head; 53 57 in the other direction

Source: the examples of "UHF RFID Reader User's Manual V2.0", as public programs quote them. Its
words ("from Len") and its examples differ on where the sum begins; the examples are followed, all
of which sum to 0 with the head. Everything that is not in them is left out.
"""

import re
from collections.abc import Sequence

from drivers.protocols.rfid_frames import Cut, FrameCutter, FrameForm
from drivers.readings import DeviceFault, Reading, TagRead

HEAD = b"\x43\x54"
HEAD_OUT = b"\x53\x57"
ANY_ADDRESS = 0xFF
SEARCH, WHO, UNASKED = 0x01, 0x10, 0x45
STATUS_DONE = 0x01
SERIAL_NUMBER_BYTES = 7
TAG_EXTRA_BYTES = 3  # Kind, antenna, strength.
EPC_BYTES_MAX = 62


class UhfSwnetProtocol:
    """Feed bytes in, take readings out; never raises on anything a reader can send.

    heard_count: frames with a right checksum so far; a reader that saw no tag is alive.
    """

    def __init__(self) -> None:
        self._cutter = FrameCutter(_FORM)
        self.heard_count = 0
        self.name = ""

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        return [reading for cut in self._cutter.receive_data(data) for reading in self._read(cut)]

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a frame; the half frame is a fault."""
        begun = self._cutter.idle()
        return [DeviceFault("unreadable", "half a frame", begun)] if begun else []

    def _read(self, cut: Cut) -> Sequence[Reading]:
        if cut.kind == "noise":
            return [DeviceFault("unreadable", "no frame of this reader; right speed?", cut.data)]
        frame = cut.data
        if cut.kind == "damaged":
            return [DeviceFault("unreadable", "a frame with a wrong checksum", frame)]
        self.heard_count += 1
        code, body = frame[5], frame[6:-1]
        if code == WHO and body:
            self.name = f"53 57 reader {body[1:].hex().upper()}"
        if code not in {SEARCH, UNASKED} or body[:1] != bytes((STATUS_DONE,)):
            return ()
        if code == SEARCH:
            return _tags(body[3:], int.from_bytes(body[1:3], "big"), frame)
        tags_at = 1 + SERIAL_NUMBER_BYTES + 1
        return _tags(body[tags_at:], int.from_bytes(body[tags_at - 1 : tags_at], "big"), frame)


def question(code: int) -> bytes:
    """Return a question to whatever reader is on the line."""
    frame = HEAD_OUT + (3).to_bytes(2, "big") + bytes((ANY_ADDRESS, code))
    return frame + bytes((-sum(frame) & 0xFF,))


def _tags(rest: bytes, count: int, frame: bytes) -> list[Reading]:
    """Return the tags, or one fault: a frame whose parts do not add up yields none."""
    readings: list[Reading] = []
    while rest:
        length, tag, rest = rest[0], rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
        epc = tag[2:-1]
        if len(tag) != length or not 0 < len(epc) <= EPC_BYTES_MAX:
            break
        readings.append(TagRead(epc=epc.hex().upper(), antenna=tag[1], raw=frame))
    else:
        if len(readings) == count:
            return readings
    return [DeviceFault("unreadable", "the tags of a frame do not add up", frame)]


# A length of 3 (address, command, check) to 2047: some hundred tags.
_FORM = FrameForm(
    head=HEAD,
    begin=re.compile(rb"CT(?:\x00[\x03-\xFF]|[\x01-\x07].)", re.DOTALL),
    begin_bytes=4,
    length_of=lambda begin: int.from_bytes(begin[2:4], "big") + len(begin),
    is_framed=lambda _: True,
    is_checked=lambda frame: sum(frame) & 0xFF == 0,
)
