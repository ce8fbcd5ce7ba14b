"""Which characters a TrueType or OpenType font has. Pure.

    collection (.ttc):  'ttcf' version numFonts offset[0] ...
    font:               sfntVersion numTables ... { tag checksum offset length } ...
    cmap:               version numTables { platform encoding offset } ... subtables

Only the Unicode subtables of format 4 (up to U+FFFF) and 12 (all of Unicode) are read; a font
without either has no character here.

Source: OpenType specification 1.9, chapters "OpenType font file" and "cmap".
"""

import struct
from bisect import bisect_right
from dataclasses import dataclass

from drivers.errors import LabelInvalid

RUNS_MAX = 200_000
TABLES_MAX = 256
CODE_POINT_MAX = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Coverage:
    """The covered characters as runs: starts ascending, ends[i] the last one of starts[i]'s run."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def missing(self, text: str) -> str:
        """Return the characters of `text` that the font does not have, each once, in order."""
        return "".join(dict.fromkeys(sign for sign in text if not self._covers(ord(sign))))

    def _covers(self, code_point: int) -> bool:
        run = bisect_right(self.starts, code_point) - 1
        return run >= 0 and code_point <= self.ends[run]


def parse_coverage(font: memoryview) -> Coverage:
    """Return what the font, the first one of a collection, covers. Raises LabelInvalid."""
    try:
        return _parse(font)
    except (struct.error, ValueError) as error:
        raise LabelInvalid(
            f"not a readable font: {error}", hint="Name another font in font_file."
        ) from error


def _parse(font: memoryview) -> Coverage:
    start = struct.unpack_from(">I", font, 12)[0] if bytes(font[:4]) == b"ttcf" else 0
    tables_count = min(struct.unpack_from(">H", font, start + 4)[0], TABLES_MAX)
    for index in range(tables_count):
        tag, _, offset, length = struct.unpack_from(">4sIII", font, start + 12 + 16 * index)
        if tag == b"cmap":
            return _parse_cmap(bytes(font[offset : offset + length]))
    return Coverage((), ())


def _parse_cmap(cmap: bytes) -> Coverage:
    subtables_count = min(struct.unpack_from(">H", cmap, 2)[0], TABLES_MAX)
    found: dict[int, bytes] = {}
    for index in range(subtables_count):
        platform, encoding, offset = struct.unpack_from(">HHI", cmap, 4 + 8 * index)
        unicode_encodings = {0: (3, 4, 6), 3: (1, 10)}.get(platform, ())
        if encoding in unicode_encodings:
            subtable = cmap[offset:]
            found[struct.unpack_from(">H", subtable)[0]] = subtable
    if 12 in found:
        return _joined(_runs_of_format_12(found[12]))
    return _joined(_runs_of_format_4(found[4])) if 4 in found else Coverage((), ())


def _runs_of_format_12(subtable: bytes) -> list[tuple[int, int]]:
    groups_count = min(struct.unpack_from(">I", subtable, 12)[0], RUNS_MAX)
    groups = struct.unpack_from(f">{3 * groups_count}I", subtable, 16)
    return [
        (first + (glyph == 0), min(last, CODE_POINT_MAX))  # Glyph 0 is the sign for "missing".
        for first, last, glyph in zip(groups[::3], groups[1::3], groups[2::3], strict=True)
    ]


def _runs_of_format_4(subtable: bytes) -> list[tuple[int, int]]:
    segments_count = struct.unpack_from(">H", subtable, 6)[0] // 2
    words = struct.unpack_from(f">{(len(subtable) - 14) // 2}H", subtable, 14)
    ends = words[:segments_count]
    starts = words[segments_count + 1 : 2 * segments_count + 1]
    deltas = words[2 * segments_count + 1 : 3 * segments_count + 1]
    offsets = words[3 * segments_count + 1 : 4 * segments_count + 1]
    runs: list[tuple[int, int]] = []
    unread = 0  # Segments ascend and do not overlap: no character is looked at twice.
    for index, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for code_point in range(max(first, unread), min(last, 0xFFFE) + 1):
            glyph = code_point
            if offsets[index]:
                # The offset counts bytes from its own place in the table.
                place = 3 * segments_count + 1 + index + offsets[index] // 2 + code_point - first
                glyph = words[place] if place < len(words) else 0
                if glyph == 0:
                    continue
            if (glyph + deltas[index]) & 0xFFFF:
                runs.append((code_point, code_point))
        unread = max(unread, last + 1)
    return runs


def _joined(runs: list[tuple[int, int]]) -> Coverage:
    """Return the runs in order, neighbours as one."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(runs):
        if last < first:
            continue
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return Coverage(tuple(run[0] for run in joined), tuple(run[1] for run in joined))
