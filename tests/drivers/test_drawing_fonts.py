"""What a font covers is what it draws; a broken font is refused, never a crash."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from drivers.drawing.font_coverage import parse_coverage
from drivers.drawing.fonts import FONTS, find_font
from drivers.errors import LabelInvalid

INSTALLED = [path for _, path in FONTS if path.is_file()]
SIGNS = [chr(code) for code in (*range(0x21, 0x250), *range(0x4E00, 0x5200, 7), 0x20AC, 0x1F600)]


@pytest.mark.parametrize("path", INSTALLED, ids=lambda path: path.name)
def test_a_font_draws_what_it_covers_and_its_sign_for_missing_otherwise(path: Path) -> None:
    coverage = parse_coverage(memoryview(path.read_bytes()))
    font = ImageFont.truetype(str(path), 24, layout_engine=ImageFont.Layout.BASIC)
    nothing = bytes(font.getmask("\uffff"))
    drawn = {sign: bytes(font.getmask(sign)) for sign in SIGNS}
    missing = coverage.missing("".join(SIGNS))
    assert all(drawn[sign] == nothing for sign in missing)
    # Some fonts have letters without ink: soft hyphen, no-break space.
    assert all(drawn[sign] != nothing or not any(drawn[sign]) for sign in set(SIGNS) - set(missing))


def test_a_chinese_font_is_installed_and_found() -> None:
    assert find_font("收货 250g") in INSTALLED


def font_of(cmap: bytes) -> bytes:
    head = struct.pack(">IHHHH", 0x00010000, 1, 0, 0, 0)
    return head + struct.pack(">4sIII", b"cmap", 0, 28, len(cmap)) + cmap


def cmap_of(subtable: bytes, *, encoding: int) -> bytes:
    return struct.pack(">HHHHI", 0, 1, 3, encoding, 12) + subtable


def format_4(*segments: tuple[int, int, int]) -> bytes:
    """Segments of (first, last, delta) without an array of glyphs."""
    count = len(segments)
    words = [last for _, last, _ in segments] + [0] + [first for first, _, _ in segments]
    words += [delta & 0xFFFF for _, _, delta in segments] + [0] * count
    return struct.pack(f">HHHHHHH{len(words)}H", 4, 0, 0, 2 * count, 0, 0, 0, *words)


def test_both_kinds_of_tables_are_read() -> None:
    short = font_of(
        cmap_of(format_4((65, 90, -64), (97, 97, -97), (0xFFFF, 0xFFFF, 1)), encoding=1)
    )
    assert parse_coverage(memoryview(short)).missing("AZ[a\uffff") == "[a\uffff"
    groups = struct.pack(">HHIII6I", 12, 0, 0, 0, 2, 65, 70, 1, 0x1F600, 0x1F601, 0)
    long = font_of(cmap_of(groups, encoding=10))
    assert parse_coverage(memoryview(long)).missing("AFG\U0001f600\U0001f601") == "G\U0001f600"


def test_a_table_whose_segments_overlap_is_read_once() -> None:
    crowded = font_of(cmap_of(format_4(*[(0, 0xFFFE, 0)] * 8000), encoding=1))
    assert parse_coverage(memoryview(crowded)).missing("A") == ""


@given(st.binary(max_size=300), st.sampled_from([b"", b"ttcf", font_of(b"")[:28]]))
def test_any_bytes_are_a_font_or_refused(data: bytes, head: bytes) -> None:
    try:
        parse_coverage(memoryview(head + data))
    except LabelInvalid as refused:
        hint = refused.hint
        assert "font_file" in hint
