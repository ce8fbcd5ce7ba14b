"""The bar codes of the command sheet are read by an independent decoder."""

import re

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from gateway.screen.code128 import code128_svg
from gateway.screen.sheet import command_sheet, sheet_html
from gateway.screen.translation import translator
from gateway.station.catalogue import Catalogue
from gateway.station.commands import Command
from tests.gateway.station.bench import REFERENCE

SCALE = 3
BAR = re.compile(r"M(\d+) 0h(\d+)v(\d+)h-\d+z")


def picture(svg: str) -> Image.Image:
    """Draw the bars of an SVG as a browser would."""
    width, height = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    image = Image.new("L", (width * SCALE, height * SCALE), 255)
    draw = ImageDraw.Draw(image)
    for left, bar, tall in (map(int, match) for match in BAR.findall(svg)):
        draw.rectangle(
            (left * SCALE, 0, (left + bar) * SCALE - 1, tall * SCALE - 1),
            fill=0,
        )
    return image


def decoded(svg: str) -> str:
    (found,) = zxingcpp.read_barcodes(picture(svg), formats=zxingcpp.BarcodeFormat.Code128)
    return found.text


@pytest.mark.parametrize(
    "data",
    [
        "CMD-RECEIVE",
        "LOC-A-01-03",
        "CMD-QTY-0.5",
        "x",
        "123456",
        "12345-A",
        "~ !\"#$%&'()*+,/:;<=>?@[]^_`{|}",
    ],
)
def test_a_bar_code_says_what_was_asked_for(data):
    assert decoded(code128_svg(data, height=40)) == data


@pytest.mark.parametrize("data", ["", "é", "x" * 81])
def test_what_code_128_cannot_hold_is_our_mistake(data):
    with pytest.raises(AssertionError):
        code128_svg(data, height=40)


def test_every_code_of_the_sheet_is_read_and_stands_beneath_its_bars():
    catalogue = Catalogue(REFERENCE, warehouse="sh1")
    sheet = command_sheet(catalogue, language="zh", translate=translator("zh"))
    html = sheet_html(sheet, translate=translator("zh"))
    svgs = re.findall(r"<svg.*?</svg>", html)
    codes = re.findall(r"<code>(.*?)</code>", html)
    assert [decoded(svg) for svg in svgs] == codes
    assert {str(command) for command in Command} - {"CMD-QTY"} <= set(codes)
    assert {"DOC-PO-7", "LOC-A-01-03", "OPR-ann"} <= set(codes)
    assert "Tea &amp; Co" in html
    assert "收货" in html
