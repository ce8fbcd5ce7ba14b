"""UHF modules R200, YRM100, M100, JRD-4035: frames to tag reads, commands to bytes. Pure.

    BB 02 22 00 11 C9 34 00 30 75 ... 0D 70 3A 76 EF 7E
    |  |  |  |     |  |     |               |     |  `-- end
    |  |  |  |     |  |     |               |     `-- checksum: sum of type to the last parameter
    |  |  |  |     |  |     |               `-- the tag's CRC, 2 bytes
    |  |  |  |     |  |     `-- EPC: what is left, 12 bytes as a rule, 2 to 62 possible
    |  |  |  |     |  `-- protocol control word, 2 bytes
    |  |  |  |     `-- signal strength in dBm, two's complement
    |  |  |  `-- number of parameter bytes, high byte first
    |  |  `-- command: 22 one round, 27 many rounds, 28 stop, 03 who are you, B6 power, FF error
    |  `-- type: 00 command, 01 answer, 02 tag
    `-- head

An error frame `BB 01 FF 00 01 15 16 7E` ends a round in which no tag answered: no fault.
Sources: the frames that several public programs for these modules log, each with its checksum
computed again; the names of the error codes are those of a public C header (ypdr200.h). The
makers' manual was not at hand. The region is never set: it is a matter of law, not of the gateway.
"""

import re
from collections.abc import Sequence

from drivers.protocols.rfid_frames import Cut, FrameCutter, FrameForm
from drivers.readings import DeviceFault, Reading, TagRead

HEAD, END = 0xBB, 0x7E
FRAME_EXTRA_BYTES = 7
TAG_EXTRA_BYTES = 5  # Strength, protocol control, CRC: not the EPC.
EPC_BYTES_MAX = 62
ROUNDS_COUNT = 0xFFFF

TYPE_ANSWER, TYPE_TAG = 0x01, 0x02
ONE_ROUND, MANY_ROUNDS, STOP, WHO, SET_POWER, ERROR = 0x22, 0x27, 0x28, 0x03, 0xB6, 0xFF
NO_TAG = 0x15
ERROR_TEXTS = {
    0x16: "a tag did not take an access command",
    0x17: "it does not know the command",
    0x20: "it found no free channel in its region",
}


class UhfR200Protocol:
    """Feed bytes in, take readings out; never raises on anything a module can send.

    heard_count: frames with a right checksum so far; a module that says "no tag" is alive.
    """

    def __init__(self) -> None:
        self._cutter = FrameCutter(_FORM)
        self.heard_count = 0
        self.name = ""

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        readings = [self._read(cut) for cut in self._cutter.receive_data(data)]
        return [reading for reading in readings if reading is not None]

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet in the middle of a frame; the half frame is a fault."""
        begun = self._cutter.idle()
        return [DeviceFault("unreadable", "half a frame", begun)] if begun else []

    def _read(self, cut: Cut) -> Reading | None:
        if cut.kind == "noise":
            return DeviceFault("unreadable", "no frame of this module; right speed?", cut.data)
        frame = cut.data
        if cut.kind == "damaged":
            return DeviceFault("unreadable", "a frame with a wrong checksum", frame)
        self.heard_count += 1
        kind, command, parameters = frame[1], frame[2], frame[5:-2]
        if kind == TYPE_TAG and command == ONE_ROUND:
            return _tag(parameters, frame)
        if kind == TYPE_ANSWER and command == ERROR:
            return _error(parameters, frame)
        if kind == TYPE_ANSWER and command == WHO:
            text = parameters[1:].decode("ascii", "replace")  # The first byte: which of its texts.
            self.name = "".join(letter for letter in text if letter.isprintable()).strip()
        return None  # Answers to our commands; echoes.


def command(code: int, parameters: bytes = b"") -> bytes:
    """Return a command as bytes."""
    body = bytes((0x00, code)) + len(parameters).to_bytes(2, "big") + parameters
    return bytes((HEAD,)) + body + bytes((sum(body) & 0xFF, END))


def start_rounds() -> bytes:
    """Return the command that lets the module search for tags, as many rounds as it can count."""
    return command(MANY_ROUNDS, b"\x22" + ROUNDS_COUNT.to_bytes(2, "big"))


def set_power(power_cdbm: int) -> bytes:
    """Return the command that sets the transmitting power, in hundredths of dBm."""
    return command(SET_POWER, power_cdbm.to_bytes(2, "big"))


def ask_who() -> bytes:
    """Return the command that asks for the name of the hardware."""
    return command(WHO, b"\x00")


def _tag(parameters: bytes, frame: bytes) -> Reading:
    epc = parameters[3:-2]
    if len(parameters) <= TAG_EXTRA_BYTES or len(epc) > EPC_BYTES_MAX:
        return DeviceFault("unreadable", "a tag without an EPC, or with too long a one", frame)
    strength_dbm = int.from_bytes(parameters[:1], "big", signed=True)
    return TagRead(epc=epc.hex().upper(), rssi_cdbm=strength_dbm * 100, raw=frame)


def _error(parameters: bytes, frame: bytes) -> Reading | None:
    code = parameters[0] if parameters else 0
    if code == NO_TAG:
        return None
    text = ERROR_TEXTS.get(code, "an error of its own")
    return DeviceFault("reader_error", f"the module reports {code:02X}: {text}", frame)


# At most 128 parameter bytes: a tag of 496 bits has 67, the longest text of a module some 30.
_FORM = FrameForm(
    head=bytes((HEAD,)),
    begin=re.compile(rb"\xBB[\x00-\x02].\x00[\x00-\x80]", re.DOTALL),
    begin_bytes=5,
    length_of=lambda begin: begin[4] + FRAME_EXTRA_BYTES,
    is_framed=lambda frame: frame[-1] == END,
    is_checked=lambda frame: sum(frame[1:-2]) & 0xFF == frame[-2],
)
