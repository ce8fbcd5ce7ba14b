"""Types text on an imaginary keyboard: text to key event records. Pure."""

from drivers.protocols.keyboard_layouts import KEY_SPACE, LAYOUTS
from drivers.protocols.scanner_keyboard import EV_KEY, EV_SYN, EVENT, SYN_REPORT

ENTER = 28
LEFT_SHIFT = 42
LEFT_CTRL = 29
LEFT_ALT = 56
ALT_GR = 100
RIGHT_BRACE = 27
EV_MSC = 4
SYNC = EVENT.pack(EV_SYN, SYN_REPORT, 0)
LEVEL_KEYS = {"plain": (), "shift": (LEFT_SHIFT,), "alt_gr": (ALT_GR,)}


def press(key, *, held=()):
    """Return the events of one key pressed and let go while others are held, as a scanner sends."""
    downs = [EVENT.pack(EV_MSC, 4, 0x70000 + key), *(EVENT.pack(EV_KEY, one, 1) for one in held)]
    ups = [EVENT.pack(EV_KEY, one, 0) for one in held]
    down = [*downs, EVENT.pack(EV_KEY, key, 1), SYNC]
    return b"".join([*down, EVENT.pack(EV_KEY, key, 0), *ups, SYNC])


def type_text(text, *, layout="us", end=ENTER):
    """Return the events of a whole scan; GS is typed as Ctrl+]. `end` None leaves it open."""
    events = [_type_character(character, LAYOUTS[layout]) for character in text]
    return b"".join(events) + (press(end) if end is not None else b"")


def type_alt_code(digits):
    """Return the events of a number typed on the keypad while Alt is held."""
    keypad = dict(zip("7894561230", (71, 72, 73, 75, 76, 77, 79, 80, 81, 82), strict=True))
    down = EVENT.pack(EV_KEY, LEFT_ALT, 1)
    return down + b"".join(press(keypad[one]) for one in digits) + EVENT.pack(EV_KEY, LEFT_ALT, 0)


def _type_character(character, layout):
    if character == "\x1d":
        return press(RIGHT_BRACE, held=(LEFT_CTRL,))
    if character == " ":
        return press(KEY_SPACE)
    for level, held in LEVEL_KEYS.items():
        for key, printed in getattr(layout, level).items():
            if printed == character:
                dead = (level, key) in layout.dead
                return press(key, held=held) + (press(KEY_SPACE) if dead else b"")
    raise AssertionError(f"no key for {character!r}")
