"""Which character each key gives, by country: the keyboards a scanner can pretend to be. Pure.

Keys are numbered as Linux numbers them (include/uapi/linux/input-event-codes.h): by place, not by
what is printed on them. Characters follow the Windows layouts, which are what scanners imitate.
"""

from dataclasses import dataclass, field
from typing import Literal

LayoutName = Literal["us", "uk", "de", "fr"]
Level = Literal["plain", "shift", "alt_gr"]

# The places of one text below: the key left of 1, the digit row, three letter rows, the key left
# of Enter (ISO) or above it (ANSI), the key right of the left shift (ISO only).
_PLACES = (41, *range(2, 14), *range(16, 28), *range(30, 41), 43, 86, *range(44, 54))
_NO_CHARACTER = "�"

KEY_SPACE = 57
_KEYPAD_PLACES = (98, 55, 74, 78, 71, 72, 73, 75, 76, 77, 79, 80, 81, 82, 83)
KEYPAD = dict(zip(_KEYPAD_PLACES, "/*-+7894561230.", strict=True))


@dataclass(frozen=True, slots=True)
class Layout:
    """What the keys of one country's keyboard give alone, with Shift and with AltGr.

    dead: keys (with "plain", "shift" or "alt_gr") that show nothing until the next key; the bare
        character is typed as that key and then a space.
    """

    plain: dict[int, str]
    shift: dict[int, str]
    alt_gr: dict[int, str] = field(default_factory=dict)
    dead: frozenset[tuple[Level, int]] = frozenset()

    def character(self, level: Level, key: int) -> str | None:
        """Return what `key` gives at `level`; None if this keyboard has no such character."""
        if key == KEY_SPACE:
            return " "
        if key in KEYPAD:
            return KEYPAD[key]
        characters = {"plain": self.plain, "shift": self.shift, "alt_gr": self.alt_gr}[level]
        return characters.get(key)


def _row(*rows: str) -> dict[int, str]:
    pairs = zip(_PLACES, "".join(rows), strict=True)
    return {place: character for place, character in pairs if character != _NO_CHARACTER}


LAYOUTS: dict[LayoutName, Layout] = {
    "us": Layout(
        plain=_row("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "\\", "<", "zxcvbnm,./"),
        shift=_row("~!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"', "|", ">", "ZXCVBNM<>?"),
    ),
    "uk": Layout(
        plain=_row("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "#", "\\", "zxcvbnm,./"),
        shift=_row('¬!"£$%^&*()_+', "QWERTYUIOP{}", "ASDFGHJKL:@", "~", "|", "ZXCVBNM<>?"),
        alt_gr={41: "¦", 5: "€"},
    ),
    "de": Layout(
        plain=_row("^1234567890ß´", "qwertzuiopü+", "asdfghjklöä", "#", "<", "yxcvbnm,.-"),
        shift=_row('°!"§$%&/()=?`', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ", "'", ">", "YXCVBNM;:_"),
        alt_gr=dict(
            zip((3, 4, 8, 9, 10, 11, 12, 16, 18, 27, 86, 50), "²³{[]}\\@€~|µ", strict=True)
        ),
        dead=frozenset({("plain", 41), ("plain", 13), ("shift", 13)}),
    ),
    "fr": Layout(
        plain=_row("²&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù", "*", "<", "wxcvbn,;:!"),
        shift=_row("�1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%", "µ", ">", "WXCVBN?./§"),
        alt_gr=dict(zip((*range(3, 14), 18, 27), "~#{[|`\\^@]}€¤", strict=True)),
        dead=frozenset({("plain", 26), ("shift", 26), ("alt_gr", 3), ("alt_gr", 8)}),
    ),
}
