"""Bar code scanner that types like a USB keyboard: key events to readings. Pure.

Events come as records of 8 bytes, the kernel's `struct input_event` without its time:

    | type u16 | code u16 | value i32 |     little endian
      EV_KEY     the key    1 down, 0 up, 2 repeated (ignored)
      EV_SYN     SYN_REPORT ends a batch; SYN_DROPPED: the kernel lost events, up to SYN_REPORT;
                 SYN_PAUSE, the transport's own: so many ms passed before the event that follows

A scan ends with Enter, keypad Enter or Tab; if the scanner sends none, with a pause. FNC1 (GS)
arrives as Ctrl+], as F8 or as a substitute text, as the scanner is set. Any character may come as
Alt held and its number on the keypad.

Sources: Linux Documentation/input/event-codes.rst (EV_SYN, SYN_DROPPED) and
include/uapi/linux/input-event-codes.h; Datalogic Gryphon product reference guide, "Control
Character Emulation" (Ctrl+key); Windows documentation of Alt codes (0ddd is Windows-1252, ddd OEM
code page 437).
"""

import struct
from collections.abc import Sequence

from drivers.protocols.keyboard_layouts import KEYPAD, LAYOUTS, LayoutName, Level
from drivers.protocols.scanner_text import ScannerText, read_line
from drivers.readings import DeviceFault, FaultCode, Reading

EVENT = struct.Struct("<HHi")
KEYS_MAX = 8192  # The largest QR code holds 7089 digits.
ALT_DIGITS_MAX = 4

EV_SYN = 0
EV_KEY = 1
SYN_REPORT = 0
SYN_DROPPED = 3
SYN_PAUSE = 0x7F00  # No kernel's: SYN_MAX is 15.
KEY_UP = 0
KEY_DOWN = 1

KEY_RIGHT_BRACE = 27
KEY_LEFT_ALT = 56
KEY_F8 = 66
END_KEYS = frozenset({28, 96, 15})  # Enter, keypad Enter, Tab.
CONTROL_KEYS = frozenset({29, 97})
SHIFT_KEYS = frozenset({42, 54})
ALT_GR_KEY = 100
MODIFIER_KEYS = CONTROL_KEYS | SHIFT_KEYS | {KEY_LEFT_ALT, ALT_GR_KEY}

GS = "\x1d"
_END_CHARACTERS = frozenset("\r\n\t")
# Evidence of one key: its modifiers (1 Shift, 2 Ctrl, 4 AltGr, 8 Alt) and its code.
_RAW_KEY = struct.Struct("<BH")
RAW_KEY_BYTES = _RAW_KEY.size


class KeyboardDecoder:
    """Feed event records in, take readings out; never raises on anything a keyboard can send.

    Holds the modifiers and the scan in progress of one device; it never mixes two devices.
    end_by_gap: a pause ends a scan as Enter does; else it breaks a scan off.
    """

    def __init__(self, *, layout: LayoutName, text: ScannerText, end_by_gap: bool = False) -> None:
        self._layout = LAYOUTS[layout]
        self._text = text
        # What a key alone types, where nothing else is to be thought of.
        self._simple = {
            key: character
            for key, character in self._layout.plain.items()
            if ("plain", key) not in self._layout.dead
        }
        self._end_by_gap = end_by_gap
        self._pending = b""
        self._held: set[int] = set()
        self._until_report = False
        self._dropping = False
        self._characters: list[str] = []
        self._raw = bytearray()
        self._problem = ""
        self._dead = ""
        self._alt_digits = ""

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`, oldest first; empty if none."""
        if self._pending:
            data = self._pending + data
        whole = len(data) - len(data) % EVENT.size
        self._pending = data[whole:]
        readings: list[Reading] = []
        # One number an event is twice as fast as three; most events are neither a key nor a loss.
        for event in struct.unpack(f"<{whole // EVENT.size}Q", data[:whole]):
            kind, code = event & 0xFFFF, event >> 16 & 0xFFFF
            if kind == EV_KEY:
                if self._until_report:
                    continue
                value = event >> 32
                if code in MODIFIER_KEYS:
                    readings += self._hold(code, value)
                elif value == KEY_DOWN:
                    if code in END_KEYS:
                        readings += self._end()
                    elif not self._dropping:
                        readings += self._press(code)
            elif kind == EV_SYN and (code != SYN_REPORT or self._until_report):
                readings += self._synchronize(code)
        return readings

    def idle(self) -> Sequence[Reading]:
        """Tell that no key was pressed for the idle limit: a scan without an end becomes a fault.

        Where scans end with a pause, it is the end. What comes next begins a new scan: two halves
        are never joined.
        """
        if self._dropping or not self._raw:
            self._forget_scan()
            return ()
        self._held.clear()  # A scanner that fell silent in mid scan may have lost a key up as well.
        if self._end_by_gap:
            return self._end()
        detail = "the scan broke off; is the scanner set to end a scan with Enter or Tab?"
        return self._fault(detail)

    def _synchronize(self, code: int) -> Sequence[Reading]:
        if code == SYN_REPORT:
            self._until_report = False
        if code == SYN_PAUSE:
            return self.idle()
        if code != SYN_DROPPED or self._until_report:
            return ()
        reading = self._fault("the system lost key events")
        self._held.clear()
        self._until_report = True
        # The end of the broken scan may still come; it must not pass as a code of its own.
        self._dropping = True
        return reading

    def _hold(self, code: int, value: int) -> Sequence[Reading]:
        if value == KEY_DOWN:
            self._held.add(code)
        elif value == KEY_UP:
            self._held.discard(code)
            if code == KEY_LEFT_ALT and self._alt_digits:
                return self._type(self._alt_character())
        return ()

    def _press(self, code: int) -> Sequence[Reading]:
        if not self._held and not self._dead and code in self._simple:
            self._raw += _RAW_KEY.pack(0, code)
            self._characters.append(self._simple[code])
            return () if len(self._raw) <= KEYS_MAX * RAW_KEY_BYTES else self._overflow()
        self._raw += _RAW_KEY.pack(self._modifier_bits(), code)
        if len(self._raw) > KEYS_MAX * RAW_KEY_BYTES:
            return self._overflow()
        level = self._level()
        if KEY_LEFT_ALT in self._held and level != "alt_gr":
            self._press_with_alt(code)
            return ()
        character = self._layout.character(level, code)
        if code == KEY_F8 or (self._held & CONTROL_KEYS and code == KEY_RIGHT_BRACE):
            character = GS
        elif self._held & CONTROL_KEYS and level != "alt_gr":
            character = _control_character(character)
        if character is None:
            self._refuse(f"key {code} has no character in this layout; is it the right one?")
            return ()
        if (level, code) in self._layout.dead and not self._dead:
            self._dead = character
            return ()
        return self._type(character)

    def _overflow(self) -> Sequence[Reading]:
        readings = self._fault(f"more than {KEYS_MAX} keys without Enter", code="unreadable")
        self._dropping = True
        return readings

    def _press_with_alt(self, code: int) -> None:
        digit = KEYPAD.get(code, "")
        if not digit.isdecimal() or len(self._alt_digits) >= ALT_DIGITS_MAX:
            self._refuse(f"key {code} with Alt means nothing")
        else:
            self._alt_digits += digit

    def _type(self, character: str | None) -> Sequence[Reading]:
        if character is None:
            self._refuse("an Alt code that is no character")
            return ()
        if self._dead:
            if character != " ":
                self._refuse(f"a dead key {self._dead!r} before {character!r}")
                return ()
            character, self._dead = self._dead, ""
        if character in _END_CHARACTERS:
            return self._end()
        self._characters.append(character)
        return ()

    def _end(self) -> Sequence[Reading]:
        if self._dropping or not (self._characters or self._dead or self._problem):
            self._forget_scan()  # As with the LF of a CR LF that was typed as two keys.
            return ()
        if self._dead or self._alt_digits:
            self._refuse("the scan ends within a character")
        if self._problem:
            return self._fault(self._problem, code="unreadable")
        readings = read_line("".join(self._characters), raw=bytes(self._raw), text=self._text)
        self._forget_scan()
        return readings

    def _refuse(self, problem: str) -> None:
        # The rest of the scan is awaited, so that its end does not look like another scan.
        self._problem = self._problem or problem

    def _fault(self, detail: str, *, code: FaultCode = "scan_again") -> Sequence[Reading]:
        raw = bytes(self._raw)
        self._forget_scan()
        return (DeviceFault(code, detail, raw),)

    def _forget_scan(self) -> None:
        self._characters.clear()
        self._raw.clear()
        self._problem = self._dead = self._alt_digits = ""
        self._dropping = False

    def _level(self) -> Level:
        if ALT_GR_KEY in self._held or (self._held & CONTROL_KEYS and KEY_LEFT_ALT in self._held):
            return "alt_gr"  # Windows takes Ctrl+Alt for AltGr, and scanners know it.
        return "shift" if self._held & SHIFT_KEYS else "plain"

    def _modifier_bits(self) -> int:
        return (
            bool(self._held & SHIFT_KEYS)
            + 2 * bool(self._held & CONTROL_KEYS)
            + 4 * (ALT_GR_KEY in self._held)
            + 8 * (KEY_LEFT_ALT in self._held)
        )

    def _alt_character(self) -> str | None:
        digits, self._alt_digits = self._alt_digits, ""
        number = int(digits)
        if number > 0xFF:
            return None
        try:
            return bytes([number]).decode("cp1252" if digits.startswith("0") else "cp437")
        except UnicodeDecodeError:
            return None


def _control_character(character: str | None) -> str | None:
    """Return what Ctrl makes of a character: 0x40 less than its capital (ASCII columns 4 and 5)."""
    if character is None or not "@" <= character.upper() <= "_":
        return None
    return chr(ord(character.upper()) - 0x40)
