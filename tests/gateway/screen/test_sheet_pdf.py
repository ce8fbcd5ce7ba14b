"""The command sheet on paper: every code is read from the print, and the Chinese is in the file."""

import msgspec
import pypdfium2
import pytest
import zxingcpp

from central.contract.reference import Operator
from gateway.screen.sheet import command_sheet
from gateway.screen.sheet_pdf import sheet_pdf
from gateway.screen.translation import translator
from gateway.station.catalogue import Catalogue
from tests.gateway.screen.served import served
from tests.gateway.station.bench import REFERENCE

DOTS_PER_INCH = 300  # Of any office printer.
LONG = "P" * 60


def sheet_of(language, *, operators=()):
    reference = msgspec.structs.replace(
        REFERENCE,
        operators=(*REFERENCE.operators, *operators, Operator(code=LONG, name="x" * 4000)),
    )
    catalogue = Catalogue(reference, warehouse="sh1")
    return command_sheet(catalogue, language=language, translate=translator(language))


def codes_on(page):
    picture = page.render(scale=DOTS_PER_INCH / 72).to_pil().convert("L")
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.Code128)
    return {one.text for one in found}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_code_of_the_sheet_is_read_from_the_print(language):
    sheet = sheet_of(language, operators=[Operator(code="wei", name="王伟 \u202eabc")])
    document = pypdfium2.PdfDocument(sheet_pdf(sheet))
    try:
        read = set().union(*(codes_on(page) for page in document))
        texts = "".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()
    wanted = {card.code for section in sheet.sections for card in section.cards}
    assert read == wanted
    assert "王伟" in texts, "the Chinese can be read and searched, whatever the language"
    assert all(section.title in texts for section in sheet.sections)
    assert "\u202e" not in texts


def test_the_font_travels_with_the_file():
    data = sheet_pdf(sheet_of("zh"))
    assert b"/FontFile2" in data
    assert b"STSong" not in data


def test_the_page_gives_the_pdf_and_the_gateway_keeps_nothing_of_what_drew_it(tmp_path):
    import httpx

    with served(tmp_path) as (_, server), httpx.Client(base_url=server.url, timeout=60) as client:
        assert 'href="/sheet.pdf?lang=zh"' in client.get("/sheet?lang=zh").text
        answer = client.get("/sheet.pdf?lang=zh")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
