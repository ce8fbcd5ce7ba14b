"""What is printed: every document in both languages, readable by eyes and by scanners."""

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest
import zxingcpp

from central.contract.gs1 import check_digit
from central.errors import Unusable
from central.printing.sheets import (
    LABELS_MAX,
    ROWS_MAX,
    BarCode,
    Column,
    Label,
    LabelPages,
    Sheet,
    SheetCell,
    printable,
)
from central.printing.typesetting import labels_pdf, sheet_pdf
from central.web.sheets.kinds import PRINTED
from tests.central.api.example_walk import catalogue, counts, purchasing, sales, transfers
from tests.central.api.test_openapi import prepared
from tests.central.clients import ask
from tests.central.migrated import open_migrated
from tests.central.scenery import NOW_MS

MM = 72 / 25.4
SSCC = "34012345000000001"
SSCC += check_digit(SSCC)
CODES = {
    "sales-order": "SO-000001",
    "delivery-note": "SO-000001",
    "pick-list": "SO-000001",
    "pick-round": "PW-000001",
    "purchase-order": "PO-000001",
    "goods-receipt": "PO-000001",
    "transfer-note": "TR-000001",
    "transfer-picks": "TR-000004",
    "count-sheet": "CNT-000001",
}
TITLES = {
    "sales-order": ("Sales order", "销售订单"),
    "delivery-note": ("Delivery note", "送货单"),
    "pick-list": ("Pick list", "拣货单"),
    "pick-round": ("Pick round", "拣货波次"),
    "purchase-order": ("Purchase order", "采购订单"),
    "goods-receipt": ("Goods receipt", "收货单"),
    "transfer-note": ("Transfer note", "调拨单"),
    "transfer-picks": ("Pick list", "拣货单"),
    "count-sheet": ("Count sheet", "盘点表"),
}


class Paper:
    """A PDF as somebody reads it who did not write it."""

    def __init__(self, body, *, scanned=True):
        document = pdfium.PdfDocument(body)
        self.pages = [page.get_textpage().get_text_range() for page in document]
        self.text = "\n".join(self.pages)
        self.sizes_mm = [tuple(round(side / MM) for side in page.get_size()) for page in document]
        self.bar_codes = [self._read(page) for page in document if scanned]
        self.fonts_embedded = [one for page in document for one in self._embedded(page)]
        document.close()

    def _read(self, page):
        picture = page.render(scale=200 / 72).to_pil()
        found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.Code128)
        return [(one.text, one.content_type) for one in found]

    def _embedded(self, page):
        for piece in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_TEXT]):
            font = pdfium_c.FPDFTextObj_GetFont(piece.raw)
            yield pdfium_c.FPDFFont_GetIsEmbedded(font) == 1


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """An application over a ledger in which there is one of everything that is printed."""
    database = open_migrated(tmp_path_factory.mktemp("printed") / "ledger.db", generation="g")
    walk = prepared(database)
    for way in (catalogue, purchasing, transfers, sales, counts):
        way(walk)
    yield walk.app
    database.close()


@pytest.mark.parametrize("kind", PRINTED)
def test_a_document_is_printed_in_both_languages_with_embedded_fonts(app, kind):
    code = CODES[kind]
    for language, title in zip(("en", "zh"), TITLES[kind], strict=True):
        answer = ask(app, f"/print/{kind}/{code}.pdf?lang={language}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.headers["content-disposition"] == f'inline; filename="{code}.pdf"'
        paper = Paper(answer.content, scanned=language == "en")
        assert paper.sizes_mm == [(210, 297)]
        assert title in paper.text
        assert code in paper.text
        assert ("第 1 页，共 1 页" if language == "zh" else "Page 1 of 1") in paper.text
        assert paper.fonts_embedded
        assert all(paper.fonts_embedded)
        scanned = code if kind == "pick-round" else f"DOC-{code}"
        assert not paper.bar_codes or scanned in [text for text, _ in paper.bar_codes[0]]


def test_a_blind_count_sheet_shows_places_to_scan_and_no_quantity(app):
    text = Paper(ask(app, "/print/count-sheet/CNT-000001.pdf?lang=en").content)
    assert "Expected" not in text.text
    assert any(code.startswith("LOC-") for code, _ in text.bar_codes[0])


def test_labels_of_places_are_pages_of_their_size_that_a_station_reads(app):
    paper = Paper(ask(app, "/print/bin-labels/SH1.pdf?place=BIN-2&place=DOCK-1").content)
    assert paper.sizes_mm == [(100, 50), (100, 50)]
    assert [[text for text, _ in page] for page in paper.bar_codes] == [
        ["LOC-BIN-2"],
        ["LOC-DOCK-1"],
    ]
    whole = Paper(ask(app, "/print/bin-labels/SH1.pdf").content)
    assert len(whole.pages) >= 3
    assert not any("LOC-DOCK" in page for page in whole.pages)


def test_the_label_of_a_pallet_is_gs1(app):
    paper = Paper(ask(app, f"/print/pallet-label/{SSCC}.pdf").content)
    ((text, form),) = paper.bar_codes[0]
    assert text.replace("(", "").replace(")", "") == f"00{SSCC}"
    assert form == zxingcpp.ContentType.GS1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/print/invoice/SO-000001.pdf", 404, id="nothing-of-that-kind"),
        pytest.param("/print/sales-order/SO-999999.pdf", 404, id="no-such-document"),
        pytest.param("/print/bin-labels/SH9.pdf", 404, id="no-such-warehouse"),
        pytest.param("/print/bin-labels/SH1.pdf?place=NOWHERE", 404, id="no-such-place"),
        pytest.param("/print/pallet-label/340123450000000010.pdf", 422, id="wrong-check-digit"),
        pytest.param("/print/pallet-label/abc.pdf", 422, id="no-sscc"),
    ],
)
def test_what_cannot_be_printed_is_refused_with_a_hint(app, path, status):
    answer = ask(app, path, headers={"accept": "application/json"})
    assert answer.status_code == status
    assert answer.json()["hint"]


def sheet(rows, **fields):
    return Sheet(
        title="Sheet",
        code="X-1",
        language="zh",
        bar_code=None,
        rows=rows,
        empty="-",
        foot="",
        page_words=("Page ", " of ", ""),
        **{"facts": [], "columns": [Column("A", 3), Column("B", 1, "right")]} | fields,
    )


HOSTILE = [
    pytest.param('#let x = 1; #eval("1+1")', id="code"),
    pytest.param("#include \"/etc/passwd\"", id="a-file"),
    pytest.param("*bold* _slanted_ $x^2$ `raw` = heading - list", id="markup"),
    pytest.param("<label> @reference // comment /* */", id="labels"),
    pytest.param("\\u{41} ~ -- ... 'quotes' \"too\"", id="shorthands"),
    pytest.param("<script>alert(1)</script> & =1+1", id="of-other-languages"),
    pytest.param("螺栓 M8×40 不锈钢", id="chinese"),
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_printed_letter_by_letter(text):
    made = sheet_pdf(sheet([[SheetCell(text), SheetCell("1", text)]]), printed_ms=NOW_MS)
    printed = "".join(Paper(made).text.split()).replace("\u200b", "")
    assert printed.count("".join(text.split())) == 2


def test_what_cannot_be_seen_or_turns_the_writing_round_is_left_out():
    assert printable("a\u202eb\x00c\nd\u200be") == "a b c d e"
    assert len(printable("x" * 4000).replace("\u200b", "")) == 300
    made = sheet_pdf(sheet([[SheetCell("x" * 4000), SheetCell("y" * 900)]]), printed_ms=NOW_MS)
    assert len(Paper(made).pages) == 1


def test_a_long_table_goes_on_over_pages_with_its_heading_on_each():
    rows = [[SheetCell(f"row {number}"), SheetCell(str(number))] for number in range(120)]
    paper = Paper(sheet_pdf(sheet(rows), printed_ms=NOW_MS))
    assert len(paper.pages) > 2
    assert all("A" in page.splitlines()[0] or "Sheet" in page for page in paper.pages)
    last = len(paper.pages)
    assert f"Page {last} of {last}" in paper.pages[-1]
    assert "row 119" in paper.pages[-1]


def test_the_same_page_is_made_of_the_same_bytes():
    made = [sheet_pdf(sheet([]), printed_ms=NOW_MS) for _ in range(2)]
    assert made[0] == made[1]


def test_a_code_that_no_scanner_would_read_is_left_to_eyes():
    code = "A" * 64
    label = Label(code, BarCode(f"LOC-{code}"), f"LOC-{code}")
    paper = Paper(labels_pdf(LabelPages("L", "en", [label]), printed_ms=NOW_MS))
    assert paper.bar_codes == [[]]
    assert code in "".join(paper.text.replace("\u200b", "").split())


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda: sheet([[]] * (ROWS_MAX + 1)), id="rows"),
        pytest.param(lambda: LabelPages("L", "en", []), id="no-labels"),
        pytest.param(lambda: LabelPages("L", "en", [None] * (LABELS_MAX + 1)), id="labels"),
    ],
)
def test_paper_has_an_end(made):
    with pytest.raises(Unusable):
        made()


@pytest.mark.parametrize("data", ["", "货位", "x" * 81], ids=["empty", "chinese", "long"])
def test_what_does_not_fit_a_bar_code_is_refused(data):
    label = Label("a", BarCode(data), "a")
    with pytest.raises(Unusable):
        labels_pdf(LabelPages("L", "en", [label]), printed_ms=NOW_MS)


def test_the_bar_code_of_a_place_has_room_beside_what_stands_in_the_next_column():
    columns = [Column(name, share) for name, share in (("Place", 4), ("Item", 5), ("Lot", 6))]
    places = ("BIN-1", "RACK-12-03-LEFT-4")
    rows = [
        [SheetCell(one, "", BarCode(f"LOC-{one}")), SheetCell("@"), SheetCell("L")]
        for one in places
    ]
    made = sheet_pdf(sheet(rows, columns=columns), printed_ms=NOW_MS)
    (page,) = pdfium.PdfDocument(made)
    scale = 400 / 72
    found = zxingcpp.read_barcodes(page.render(scale=scale).to_pil())
    assert {one.text for one in found} == {f"LOC-{one}" for one in places}
    words = page.get_textpage()
    item_left = words.get_charbox(words.get_text_range().index("@"))[0] * scale
    assert max(one.position.top_right.x for one in found) < item_left


def test_a_pick_list_names_pallets_and_numbers_and_leaves_out_what_was_taken(tmp_path):
    database = open_migrated(tmp_path / "ledger.db", generation="g")
    walk = prepared(database)
    for place, fields in (("BIN-1", {}), ("BIN-2", {"sscc": SSCC}), ("BIN-3", {"serial": "SN-77"})):
        walk.move("BOLT", "1", "supplier", place, **fields)
    ends = {"source_warehouse": "SH1", "destination_warehouse": "BJ1"}
    asked = {**ends, "lines": [{"item": "BOLT", "quantity": "3"}]}
    code = walk.post("/transfers/release", asked)["code"]
    ready = {"document": code, "document_line": 1, "business_step": "picking"}
    walk.move("BOLT", "1", "BIN-1", "DOCK-1", **ready)
    assert [
        one["location"] for one in walk.get(f"/transfers/{code}")["picks"] if one["picked"]
    ] == ["DOCK-1"]
    for language in ("en", "zh"):
        paper = Paper(ask(walk.app, f"/print/transfer-picks/{code}.pdf?lang={language}").content)
        assert f"SSCC {SSCC}" in paper.text
        assert "SN-77" in paper.text
        codes = {text for text, _ in paper.bar_codes[0]}
        assert codes == {f"DOC-{code}", "LOC-BIN-2", "LOC-BIN-3"}
    database.close()


def test_a_number_that_is_wider_than_its_column_is_broken_and_covers_nothing():
    columns = [Column("Item", 8), Column("Serial", 1), Column("Quantity", 1)]
    rows = [[SheetCell("BOLT"), SheetCell(one), SheetCell("@")] for one in ("7" * 19, "7 7")]
    (page,) = pdfium.PdfDocument(sheet_pdf(sheet(rows, columns=columns), printed_ms=NOW_MS))
    words = page.get_textpage()
    places = {one: [] for one in "7@"}
    for at, one in enumerate(words.get_text_range()):
        if one in places:
            left, _, right, _ = words.get_charbox(at)
            places[one].append((left, right))
    assert (len(places["7"]), len(places["@"])) == (19 + 2, 2)
    assert max(right for _, right in places["7"]) < min(left for left, _ in places["@"])
