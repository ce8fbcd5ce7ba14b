"""Toledo continuous output: frames that an indicator sends by itself, to readings. Pure.

    02 A B C wwwwww tttttt 0D [ck]      17 bytes, 18 with checksum; 11 or 12 in the short form
    |  |     |      |         `-- two's complement of the sum of the low 7 bits of all before it
    |  |     |      `-- tare, 6 digits without point, absent in the short form
    |  |     `-- weight, gross or net, likewise
    |  `-- status
    `-- STX

    A  bits 0-2 where the point stands: 0 XXXXXX00, 1 XXXXXX0, 2 XXXXXX, 3 XXXXX.X ... 7 X.XXXXX
       bits 3-4 increment   5 always 1
    B  bit 0 net   1 negative   2 out of range   3 in motion   4 kg, else lb   5 always 1
       bit 6 switched on and not zeroed yet
    C  bits 0-2 unit: 0 as bit 4 of B, 1 g, 2 t, 3 oz   3 print request   4 expanded x10
       bit 5 always 1

Makers differ; what differs is a Profile. In the expanded mode no value is given: the manuals do not
say whether the point counts the digit more, and a factor of ten is not to be guessed.

Sources: KERN FTC manual, section 5.2 (frame, checksum, P T Z C with CR LF); Wildcat manual, tables
6-9 to 6-11 (status); Cardinal 225 manual, page 118 (short forms); Ohaus Defender 5000 manual, page
27 (units of C); Fairbanks FB2550 manual, appendix II; Liden LUW2001 manual, appendix 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from drivers.api import CommandName, CommandResult, DeviceCommand
from drivers.protocols.scale_commands import CommandAnswer
from drivers.protocols.scale_units import decimal_of
from drivers.readings import DeviceFault, Reading, WeightMeasured

NOISE_BYTES_MAX = 36
FrameForm = Literal["tare", "short"]
ProfileName = Literal["standard", "fairbanks", "liden"]

_STX, _CR = 0x02, 0x0D
_FRAME_BYTES: dict[FrameForm, int] = {"tare": 17, "short": 11}
_NET, _NEGATIVE, _OUT, _MOTION, _KG, _NOT_ZEROED = 0x01, 0x02, 0x04, 0x08, 0x10, 0x40
_EXPANDED = 0x10
_COMMANDS: dict[CommandName, bytes] = {
    "zero": b"Z\r\n",
    "tare": b"T\r\n",
    "clear_tare": b"C\r\n",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """What one maker does.

    exponents: of ten, by bits 0-2 of A; what is not in it cannot be read.
    constant_bits: mask and value of the bits of A, B and C that never change.
    units: by bits 0-2 of C; None: as bit 4 of B says, kg or lb.
    has_expanded: bit 4 of C tells the expanded mode.
    """

    exponents: Mapping[int, int]
    constant_bits: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    units: Mapping[int, str | None]
    has_expanded: bool


_EXPONENTS = {0: 2, 1: 1, 2: 0, 3: -1, 4: -2, 5: -3, 6: -4, 7: -5}

PROFILES: dict[ProfileName, Profile] = {
    "standard": Profile(
        exponents=_EXPONENTS,
        constant_bits=((0x60, 0x20), (0x20, 0x20), (0x60, 0x20)),
        units={0: None, 1: "GRM", 2: "TNE", 3: "ONZ"},
        has_expanded=True,
    ),
    "fairbanks": Profile(
        exponents=_EXPONENTS,
        constant_bits=((0x20, 0x20), (0x20, 0x00), (0x37, 0x20)),  # Bit 6 of C: keyboard tare.
        units={0: None},
        has_expanded=False,
    ),
    "liden": Profile(
        exponents={code: _EXPONENTS[code] for code in range(2, 7)},
        constant_bits=((0x78, 0x50), (0x70, 0x30), (0x7E, 0x30)),
        units={0: "KGM", 1: "LBR"},
        has_expanded=False,
    ),
}


class ToledoContinuousProtocol:
    """Feed bytes in, take readings out; never raises. Also a CommandProtocol.

    The indicator does not answer commands: "done" is what its next frames show. What comes before
    the first frame is dropped in silence, it is the end of one.
    """

    def __init__(
        self,
        *,
        profile: ProfileName = "standard",
        form: FrameForm = "tare",
        has_checksum: bool = False,
    ) -> None:
        self._profile = PROFILES[profile]
        self._has_checksum = has_checksum
        self._frame_bytes = _FRAME_BYTES[form] + has_checksum
        self._buffer = bytearray()
        self._noise = bytearray()
        self._synchronised = False
        self._answer = CommandAnswer()

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        readings: list[Reading] = []
        for start in range(0, len(data), NOISE_BYTES_MAX):
            self._buffer += data[start : start + NOISE_BYTES_MAX]
            self._take_frames(readings)
        return readings

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet; what is not a whole frame becomes a fault."""
        begun = bytes(self._noise + self._buffer)
        reported = [_unreadable(begun)] if begun and self._synchronised else []
        self._noise.clear()
        self._buffer.clear()
        self._synchronised = False
        return reported

    def begin(self, command: DeviceCommand) -> bytes:
        """Return the bytes of a command; frames that show its effect belong to it."""
        self._answer.begin(command.name)
        if command.name in _COMMANDS:
            return _COMMANDS[command.name]
        self._answer.finish("refused", "no such command in this protocol")
        return b""

    def result(self) -> CommandResult | None:
        """Return what became of the command, None while its effect is not seen."""
        return self._answer.result()

    def _take_frames(self, readings: list[Reading]) -> None:
        buffer = self._buffer
        while buffer:
            if buffer[0] == _STX:
                if len(buffer) < self._frame_bytes:
                    return
                frame = bytes(buffer[: self._frame_bytes])
                if self._is_frame(frame):
                    del buffer[: self._frame_bytes]
                    self._report_noise(readings)
                    self._synchronised = True
                    readings.append(self._read(frame))
                    continue
            skipped = buffer.find(_STX, 1)
            skipped = len(buffer) if skipped == -1 else skipped
            self._noise += buffer[:skipped]
            del buffer[:skipped]
            while len(self._noise) >= NOISE_BYTES_MAX:
                self._synchronised = True  # So much is not the end of one frame.
                self._report_noise(readings)

    def _report_noise(self, readings: list[Reading]) -> None:
        if self._noise and self._synchronised:
            readings.append(_unreadable(bytes(self._noise[:NOISE_BYTES_MAX])))
            del self._noise[:NOISE_BYTES_MAX]
        else:
            self._noise.clear()

    def _is_frame(self, frame: bytes) -> bool:
        end = len(frame) - self._has_checksum
        for status, (mask, value) in zip(frame[1:4], self._profile.constant_bits, strict=True):
            if status & 0x80 or status & mask != value:
                return False
        return (
            frame[end - 1] == _CR
            and frame[4:10].lstrip(b" ").isdigit()
            and (end == _FRAME_BYTES["short"] or frame[10:16].lstrip(b" ").isdigit())
            and (not self._has_checksum or sum(byte & 0x7F for byte in frame) & 0x7F == 0)
        )

    def _read(self, frame: bytes) -> Reading:
        a, b, c = frame[1:4]
        if b & _NOT_ZEROED:
            detail = "switched on and not zeroed yet: zero the scale"
            return DeviceFault("zero_error", detail, frame)
        if b & _OUT:
            detail = "the load is out of the range of the scale"
            return DeviceFault("underload" if b & _NEGATIVE else "overload", detail, frame)
        if self._profile.has_expanded and c & _EXPANDED:
            return DeviceFault("not_ready", "the indicator is in its expanded mode (x10)", frame)
        exponent = self._profile.exponents.get(a & 0x07)
        unit = self._profile.units.get(c & 0x07, "")
        if exponent is None or unit == "":
            detail = "unit or decimal point that this profile does not know"
            return DeviceFault("unreadable", detail, frame)
        has_tare = b & _NET and len(frame) > _FRAME_BYTES["short"] + 1
        value = _scaled(frame[4:10], exponent)
        weight = WeightMeasured(
            value.copy_negate() if b & _NEGATIVE else value,
            unit or ("KGM" if b & _KG else "LBR"),
            "net" if b & _NET else "gross",
            stable=not b & _MOTION,
            raw=frame,
            tare=_scaled(frame[10:16], exponent) if has_tare else None,
        )
        if self._answer.waiting is not None:
            self._finish(weight, self._answer.waiting)
        return weight

    def _finish(self, weight: WeightMeasured, waiting: CommandName) -> None:
        is_zero = weight.stable and weight.value == 0
        done = {
            "zero": is_zero and weight.kind == "gross",
            "tare": is_zero and weight.kind == "net",
            "clear_tare": weight.kind == "gross",
        }
        if done.get(waiting, False):
            self._answer.finish("done", "the scale shows it")


def _scaled(digits: bytes, exponent: int) -> Decimal:
    if exponent > 0:
        return decimal_of(digits + b"0" * exponent)
    return decimal_of(digits).scaleb(exponent)


def _unreadable(noise: bytes) -> DeviceFault:
    return DeviceFault("unreadable", "bytes that are no frame: speed, form, checksum?", noise)
