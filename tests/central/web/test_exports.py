"""Every table is in its Excel file as it is on the screen, and nothing in it is ever a formula."""

import html
import io
import re
import zipfile

import pytest

from central.orders.spreadsheets.workbook_reading import read_workbook
from central.web.listing import ROWS_PER_PAGE
from central.web.screens.all_screens import LISTINGS
from tests.central.api.example_walk import settlements
from tests.central.clients import ask, call
from tests.central.migrated import open_migrated
from tests.central.printing.test_printed_pages import CODES, Paper
from tests.central.web.desk_scene import furnished_desk
from tests.central.web.hostile_desk import (
    FREE,
    MARK,
    OF_A_FORM,
    HostileDesk,
    nested,
    strings_of,
)

# Names as somebody types them who wants to be computed, or to be drawn as something else.
HOSTILE = (
    '=HYPERLINK("http://127.0.0.1","x")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "-2+3",
    "<b>&amp;</b>",
    "长" * 200,
)
# Pages begin at tables and lead on to what is in them.
STARTS = (
    "/",
    "/stock",
    "/warehouses/SH2",
    "/warehouses/SH2/places/BIN-7",
    "/catalogue/items/BOLT-M8",
    "/items/BOLT?lot=LOT-1",
    "/catalogue/warehouses/SH2",
    "/catalogue/places/SH2/BIN-7",
)
LINK = re.compile(r'data-href="(/[^"]*)"')
# Typed over by what was typed later, and of what was deleted.
TYPED_OVER = re.compile(
    r"^(Item|Warehouse|Place|Partner)(Body|Patch)\.|^NewPartnerBody\.certificates"
)
# Whom the table is of, where the page that it stands on says so.
FIXED = {"item": "BOLT", "warehouse": "SH1", "location": "DOCK-1", "period": "2026-05"}
ROW = re.compile(r"(?s)<tr data-key.*?</tr>")
CELL = re.compile(r"(?s)<t[hd] [^>]*>(.*?)</t[hd]>")
MARKUP = re.compile(r"(?s)<[^>]*>")
FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    database = open_migrated(tmp_path_factory.mktemp("exports") / "ledger.db", generation="g")
    walk = furnished_desk(database, HostileDesk)
    settlements(walk)
    for path in ("/items", "/warehouses", "/warehouses/SH2/places"):
        walk.post(path)  # Once more: the walk has deleted what it had made.
    for number, name in enumerate(HOSTILE):
        card = {"code": f"EVIL-{number}", "name": name}
        walk.post("/items", card | {"unit": "C62"})
        walk.post("/partners", card | {"kind": "customer"})
        walk.move("BOLT", "1", "supplier", "DOCK-1", lot=f"{name[:18]}\u202e")  # As scanned.
    yield walk
    database.close()


def query_of(listing):
    fixed = [one.name for one in listing.filters if one.kind == "fixed"]
    return "&".join(f"{name}={FIXED[name]}" for name in fixed if name in FIXED)


def drawn(desk, address):
    answer = ask(desk.app, address, headers={"accept-language": "en"})
    assert answer.status_code == 200, (address, answer.text[:300])
    return answer


@pytest.mark.parametrize("name", sorted(LISTINGS))
def test_a_table_is_its_excel_file_and_nothing_in_it_is_computed(desk, name):
    listing = LISTINGS[name]
    query = query_of(listing)
    shown = ROW.findall(drawn(desk, f"/tables/{name}?{query}").text)
    book = drawn(desk, f"/tables/{name}.xlsx?{query}").content
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        for member in archive.namelist():
            assert not FORMULA.search(archive.read(member)), member
    filed_rows = read_workbook(book).rows[1:]  # Below the heading.
    assert len(filed_rows) == len(shown) or len(shown) == ROWS_PER_PAGE
    for row, filed in zip(shown, filed_rows, strict=False):
        text = " ".join(html.unescape(MARKUP.sub(" ", CELL.findall(row)[0])).split())
        first = filed[0]
        assert not first or first in text or "UTC" in text or listing.columns[0].kind == "date"


def test_a_hostile_name_is_in_the_file_as_it_was_typed(desk):
    book = read_workbook(drawn(desk, "/tables/items.xlsx?search=EVIL").content)
    found = {text for row in book.rows for text in row}
    assert set(HOSTILE) <= found


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("长" * 4000, id="four-thousand-characters"),
        pytest.param("bolt\u202etlob", id="a-mark-that-turns-the-text"),
        pytest.param("bolt\x07", id="a-control-character"),
    ],
)
def test_a_name_that_nobody_can_read_is_refused_before_it_is_on_any_page(desk, name):
    body = {"code": "EVIL-9", "name": name, "unit": "C62"}
    answer = call(desk.app, "POST", "/api/v1/items", json=body)
    assert answer.status_code == 422 and answer.json()["hint"]
    assert "EVIL-9" not in drawn(desk, "/tables/items?search=EVIL").text


def test_every_text_of_every_body_is_known_as_free_or_as_of_a_form(desk):
    unknown = set()
    schemas = desk.document["components"]["schemas"]
    for operations in desk.document["paths"].values():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {})
            todo = [content["application/json"]["schema"]] if "application/json" in content else []
            while todo:
                schema = todo.pop()
                schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
                unknown |= strings_of(desk.document, schema).keys() - FREE - OF_A_FORM
                todo += [inner for _, inner in nested(desk.document, schema)]
    assert unknown == set()
    assert set() == FREE & OF_A_FORM


def test_what_is_typed_into_any_field_is_text_on_every_page(desk):
    seen, text = set(), ""
    todo = [*STARTS, *(one.path for one in LISTINGS.values() if "{" not in one.path)]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            page = drawn(desk, path).text
            assert f"<{MARK}" not in page, path
            text += html.unescape(page)
            todo += map(html.unescape, LINK.findall(page))
    assert len(seen) > 100
    fields = {field for field, _ in desk.typed if not TYPED_OVER.match(field)}
    assert fields - {field for field, typed in desk.typed if typed in text} == set()


@pytest.mark.parametrize(("kind", "code"), sorted(CODES.items()))
def test_what_is_typed_into_any_field_is_text_on_paper(desk, kind, code):
    paper = Paper(drawn(desk, f"/print/{kind}/{code}.pdf").content, scanned=False)
    assert code in paper.text
    typed = re.findall(r"=1\+\d+<" + MARK + r"[^\r\n]{0,3}", paper.text)
    assert typed or kind in {"count-sheet", "transfer-note", "transfer-picks", "goods-receipt"}, (
        paper.text
    )
