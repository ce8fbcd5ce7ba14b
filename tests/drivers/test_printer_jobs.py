"""The bytes of a job in each language, compared with what the manuals say. Pure."""

import time
from decimal import Decimal

import pytest

from drivers.bitmap import Bitmap
from drivers.errors import LabelInvalid
from drivers.protocols import printer_brother_ql, printer_epl, printer_escpos, printer_tspl
from drivers.protocols.printer_brother_ql import MEDIA, Media

SMALL = Bitmap(9, 2, bytes.fromhex("8080 7f00"))


def dot(width: int, height: int, x: int, y: int) -> Bitmap:
    """Return a white picture with one black dot."""
    row_bytes = (width + 7) // 8
    rows = bytearray(row_bytes * height)
    rows[y * row_bytes + x // 8] = 0x80 >> x % 8
    return Bitmap(width, height, bytes(rows))


def test_a_tspl_job() -> None:
    job = printer_tspl.render_bitmap(
        SMALL,
        width_mm=Decimal("1E+2"),
        height_mm=Decimal("0.25"),
        gap_mm=Decimal("2.5"),
        direction=1,
        copies_count=3,
    )
    assert job == (
        b"SIZE 100 mm,0.25 mm\r\nGAP 2.5 mm,0 mm\r\nDIRECTION 1,0\r\nREFERENCE 0,0\r\nCLS\r\n"
        b"BITMAP 0,0,2,2,0,\x7f\x7f\x80\xff\r\nPRINT 1,3\r\n"
    )


def test_an_epl_job() -> None:
    job = printer_epl.render_bitmap(SMALL, gap_dots=24, copies_count=3)
    assert job == b"\nN\nq9\nQ2,24\nZT\nGW0,0,2,2,\x7f\x7f\x80\xff\nP3\n"


def test_an_escpos_job_is_cut_into_low_bands() -> None:
    bitmap = Bitmap(9, 65, b"\xaa\x80" * 65)
    job = printer_escpos.render_bitmap(
        bitmap, width_dots=576, feed_lines=4, cuts=True, is_confirmed=True, copies_count=1
    )
    assert job == (
        b"\x1b@\x1dv0\x00\x02\x00\x40\x00" + b"\xaa\x80" * 64 + b"\x1dv0\x00\x02\x00\x01\x00"
        b"\xaa\x80\x1bd\x04\x1dVB\x00\x1dr\x01"
    )


def test_an_escpos_job_without_cutter_and_confirmation() -> None:
    job = printer_escpos.render_bitmap(
        SMALL, width_dots=576, feed_lines=0, cuts=False, is_confirmed=False, copies_count=2
    )
    label = b"\x1dv0\x00\x02\x00\x02\x00\x80\x80\x7f\x00\x1bd\x00"
    assert job == b"\x1b@" + label + label


def brother_rows(job: bytes, rows_count: int) -> list[bytes]:
    start = job.index(b"M\x00g\x00\x5a") + 2
    rows = [job[start + index * 93 :][:93] for index in range(rows_count)]
    assert all(row[:3] == b"g\x00\x5a" for row in rows)
    return [row[3:] for row in rows]


def test_a_brother_job_on_tape() -> None:
    bitmap = dot(732, 200, 18, 0)
    job = printer_brother_ql.render_bitmap(bitmap, media=MEDIA["62"], copies_count=1)
    head = bytes(400) + bytes.fromhex(
        "1b40 1b696101 1b692100 1b697a 86 0a 3e 00 c8000000 00 00"
        "1b694d40 1b694101 1b694b08 1b69642300 4d00"
    )
    assert job.startswith(head) and job.endswith(bytes(90) + b"\x1a")
    assert len(job) == len(head) + 200 * 93 + 1
    # The leftmost dot that can be printed is the last of 696 pins, 12 pins from the first.
    assert int.from_bytes(brother_rows(job, 1)[0], "big") == 1 << (719 - 12 - 695)


def test_two_brother_labels_are_two_pages() -> None:
    job = printer_brother_ql.render_bitmap(dot(696, 150, 0, 0), media=MEDIA["62"], copies_count=2)
    assert job.count(b"\x1biz\x86\x0a\x3e\x00\x96\x00\x00\x00\x00\x00") == 1
    assert job.count(b"\x0c\x1biz\x86\x0a\x3e\x00\x96\x00\x00\x00\x01\x00") == 1


@pytest.mark.parametrize(("x", "pin"), [(2, 164), (166, 0), (3, 163)])
def test_a_picture_lies_in_the_middle_of_a_die_cut_label(x: int, pin: int) -> None:
    job = printer_brother_ql.render_bitmap(
        dot(170, 600, x, 17), media=MEDIA["17x54"], copies_count=1
    )
    assert bytes.fromhex("1b697a 8e 0b 11 36 36020000 00 00") in job
    assert b"\x1bid\x00\x00" in job
    rows = brother_rows(job, 566)
    assert int.from_bytes(rows[0], "big") == 1 << (719 - pin)
    assert not any(b"".join(rows[1:]))


def test_a_small_picture_is_filled_up_with_white() -> None:
    job = printer_brother_ql.render_bitmap(
        dot(101, 200, 50, 0), media=MEDIA["29x42"], copies_count=1
    )
    rows = brother_rows(job, 425)
    assert [index for index, row in enumerate(rows) if any(row)] == [112]
    assert int.from_bytes(rows[112], "big") == 1 << (719 - 6 - (305 - 103 - 50))


@pytest.mark.parametrize(
    "bitmap",
    [dot(170, 600, 1, 300), dot(170, 600, 167, 300), dot(170, 600, 80, 16), dot(170, 600, 80, 583)],
    ids=["left", "right", "top", "bottom"],
)
def test_something_black_that_cannot_be_printed_is_refused(bitmap: Bitmap) -> None:
    with pytest.raises(LabelInvalid) as wrong:
        printer_brother_ql.render_bitmap(bitmap, media=MEDIA["17x54"], copies_count=1)
    assert wrong.value.hint


@pytest.mark.parametrize("media", MEDIA.values(), ids=list(MEDIA))
def test_every_roll_fits_the_head(media: Media) -> None:
    assert media.first_pin + media.pins_count <= printer_brother_ql.HEAD_PINS
    bitmap = Bitmap(media.pins_count, 150, b"\xff" * ((media.pins_count + 7) // 8 * 150))
    black = (1 << media.pins_count) - 1
    width = bitmap.row_bytes * 8
    row = (black << (width - media.pins_count)).to_bytes(bitmap.row_bytes, "big")
    bitmap = Bitmap(media.pins_count, 150, row * 150)
    job = printer_brother_ql.render_bitmap(bitmap, media=media, copies_count=1)
    rows = brother_rows(job, max(150, media.rows_count))
    assert int.from_bytes(rows[len(rows) // 2], "big").bit_count() == media.pins_count


@pytest.mark.parametrize(
    ("width", "copies_count"), [(577, 1), (576, 0), (576, 1000)], ids=["wide", "none", "many"]
)
def test_what_a_receipt_printer_cannot_take_is_refused(width: int, copies_count: int) -> None:
    with pytest.raises(LabelInvalid):
        printer_escpos.render_bitmap(
            dot(width, 10, 0, 0),
            width_dots=576,
            feed_lines=2,
            cuts=True,
            is_confirmed=True,
            copies_count=copies_count,
        )


def test_a_large_label_becomes_bytes_in_a_millisecond_or_two() -> None:
    bitmap = Bitmap(800, 1200, (b"\xcc\x33" * 50) * 1200)
    tape = Bitmap(696, 1181, (b"\xcc" * 87) * 1181)
    jobs = {
        "tspl": lambda: printer_tspl.render_bitmap(
            bitmap,
            width_mm=Decimal(100),
            height_mm=Decimal(150),
            gap_mm=Decimal(2),
            copies_count=1,
        ),
        "epl": lambda: printer_epl.render_bitmap(bitmap, gap_dots=24, copies_count=1),
        "escpos": lambda: printer_escpos.render_bitmap(
            bitmap, width_dots=832, feed_lines=2, cuts=True, is_confirmed=True, copies_count=1
        ),
        "brother-ql": lambda: printer_brother_ql.render_bitmap(
            tape, media=MEDIA["62"], copies_count=1
        ),
    }
    for name, render in jobs.items():
        took_s = []
        for _ in range(7):
            began = time.thread_time()
            render()
            took_s.append(time.thread_time() - began)
        assert min(took_s) < 0.02, f"{name} took {min(took_s) * 1000:.1f} ms"
