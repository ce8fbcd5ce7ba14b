"""Templates that no editor writes by itself: none of them stops a gateway or its page."""

import os
import resource

import pytest

from drivers.bitmap import Bitmap
from drivers.drawing.png import png_bytes
from gateway.errors import TemplateInvalid
from gateway.screen.label_routes import page_html
from gateway.station.templates.files import SHIPPED_FOLDER, load_templates
from gateway.station.templates.parse import parse_template

SHIPPED_BIN = (SHIPPED_FOLDER / "bin.toml").read_text("utf-8")
SIDE = "width_mm = 100"


@pytest.mark.parametrize("width", ["1" * 5000, "1e-999999999", "4.9", "0x" + "f" * 20_000])
def test_a_width_that_cannot_be_is_refused_and_costs_no_memory(width, tmp_path):
    text = SHIPPED_BIN.replace(SIDE, f"width_mm = {width}")
    with pytest.raises(TemplateInvalid):
        parse_template(text, file_name="mine.toml")
    (tmp_path / "mine.toml").write_text(text)
    (fault,) = load_templates(tmp_path).faults
    assert fault.file == "mine.toml"


def test_a_file_name_that_is_no_text_is_shown_on_the_page(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.toml")).write_text(SHIPPED_BIN)
    (fault,) = load_templates(tmp_path).faults
    assert fault.file == "?.toml"
    assert b"?.toml" in page_html(tmp_path, "en").encode()


def test_a_file_with_the_mark_of_utf_8_is_a_template(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + SHIPPED_BIN.encode())
    found = load_templates(tmp_path)
    assert found.find("mine") is not None and not found.faults


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "mine.toml")
    (fault,) = load_templates(tmp_path).faults
    assert "is no file" in fault.reason


def test_a_small_file_with_a_huge_picture_is_refused_before_it_is_unpacked(tmp_path):
    (tmp_path / "logo.png").write_bytes(
        png_bytes(Bitmap(8192, 8192, bytes(8 << 20)), dots_per_mm=8)
    )
    picture = '[[element]]\nkind = "picture"\nx_mm = 5\ny_mm = 2\nwidth_mm = 8\nfile = "logo.png"\n'
    (tmp_path / "mine.toml").write_text(SHIPPED_BIN + picture)
    before = peak_mb()
    (fault,) = load_templates(tmp_path).faults
    assert "8192 x 8192" in fault.reason and peak_mb() - before < 50


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
