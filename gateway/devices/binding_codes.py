"""Short codes on the screen that stand for a device: one use each, ten minutes at most. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.station.claiming import BINDING_PREFIX

CODE_LIFE_NS = 600 * 1_000_000_000
# While a code has less than this left the page already shows its successor; both are taken.
OVERLAP_NS = 120 * 1_000_000_000
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # No 0 O 1 I: people also type them.
CODE_LETTERS = 4
CODES_MAX = 512


@dataclass(frozen=True, slots=True)
class BindingCode:
    """A code and the device (`key`) that it stands for."""

    code: str
    key: str
    expires_ns: int


@dataclass(frozen=True, slots=True)
class BindingCodes:
    """All codes that are valid, oldest first."""

    codes: tuple[BindingCode, ...] = ()

    def shown(self, key: str) -> str:
        """Return the newest code of a device, "" if it has none."""
        return next((one.code for one in reversed(self.codes) if one.key == key), "")

    def key(self, code: str, *, now_ns: int) -> str:
        """Return the device that a code stands for, "" if it is unknown, used or expired."""
        text = code.strip().upper()
        return next(
            (one.key for one in self.codes if one.code == text and one.expires_ns > now_ns), ""
        )


def refreshed(
    codes: BindingCodes, keys: Iterable[str], *, now_ns: int, random: Callable[[], int]
) -> BindingCodes:
    """Return codes so that each of `keys` has one that lasts; others and expired ones are dropped.

    random: returns 64 random bits.
    """
    wanted = list(dict.fromkeys(keys))
    kept = [one for one in codes.codes if one.key in wanted and one.expires_ns > now_ns]
    lasting = {one.key for one in kept if one.expires_ns - now_ns > OVERLAP_NS}
    used = {one.code for one in kept}
    for key in wanted:
        if key in lasting or len(kept) >= CODES_MAX:
            continue
        code = _new_code(random())
        while code in used:
            code = _new_code(random())
        used.add(code)
        kept.append(BindingCode(code, key, now_ns + CODE_LIFE_NS))
    return BindingCodes(tuple(kept))


def without(codes: BindingCodes, key: str) -> BindingCodes:
    """Return the codes without those of a device: it was claimed, or its code was used."""
    return BindingCodes(tuple(one for one in codes.codes if one.key != key))


def _new_code(bits: int) -> str:
    letters = "".join(LETTERS[bits >> 5 * place & 31] for place in range(CODE_LETTERS))
    return BINDING_PREFIX + letters
