"""Pages of documents: each kind, in each language, with each action that is possible."""

import html
import re

import pytest

from central.orders.document_lists import (
    HEADS,
    HeadsWanted,
    count_by_state,
    open_discrepancies_of,
    page_of_codes,
)
from central.orders.look_ups import (
    propose_documents,
    propose_items,
    propose_partners,
    propose_places,
    propose_units,
)
from central.web.documents.all_tables import DOCUMENT_TABLES, KINDS
from central.web.screens.catalogue_tables import CURSOR_TABLES
from tests.central.clients import ask
from tests.central.migrated import open_migrated
from tests.central.web.desk_scene import furnished_desk

LANGUAGES = ("en", "zh")
# Codes of the wire that no person should read; fields that are codes by themselves are no words.
CODES = re.compile(r"\b[a-z]+_[a-z_]+\b")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A desk on SQLite for all tests that only look."""
    database = open_migrated(tmp_path_factory.mktemp("desk") / "ledger.db", generation="g")
    yield furnished_desk(database)
    database.close()


@pytest.fixture
def either_desk(database):
    """A desk on both databases."""
    walk = furnished_desk(database)
    walk.database = database
    return walk


def page(desk, path, language):
    mark = "&" if "?" in path else "?"
    answer = ask(desk.app, f"{path}{mark}lang={language}", headers={"accept": "text/html"})
    assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
    return answer.text


def shown(text):
    """What people read of a page: no addresses, no names of fields, no script."""
    text = re.sub(r"(?s)<script.*?</script>", "", text)
    return html.unescape(re.sub(r"<[^>]*>", " ", text))


def test_each_table_and_each_document_has_a_page_in_words(desk):
    paths = [told.kind.path for told in DOCUMENT_TABLES] + [told.path for told in CURSOR_TABLES]
    seen, forms = set(), set()
    for path in paths:
        found = set(re.findall(r'data-href="([^"]+)"', page(desk, path, "en")))
        seen |= {html.unescape(one) for one in found}
    assert len(seen) > len(KINDS) * 2
    for path in sorted(seen | set(paths)):
        for language in LANGUAGES:
            text = page(desk, path, language)
            left = set(CODES.findall(shown(text))) - {"quality_hold"}
            assert not left, (path, language, left)
            forms |= set(re.findall(r'data-api="(\w+)" data-url="([^"]+)"', text))
    # Every action of a page is one that the interface for programs has.
    routes = [
        (method, re.compile(re.sub(r"\{\w+\}", "[^/]+", address) + "$"))
        for address, operations in desk.document["paths"].items()
        for method in map(str.upper, operations)
    ]
    strange = [
        (method, url)
        for method, url in forms
        if not any(method == known and form.match(url) for known, form in routes)
    ]
    assert not strange
    assert len(forms) > 60


def test_actions_are_those_of_the_state_and_forms_hold_what_is_there(desk):
    code = desk.codes["transfers"]
    text = page(desk, f"/transfers/{code}", "en")
    urls = re.findall(r'data-url="/api/v1/transfers/[^/"]+/?([\w-]*)"', text)
    assert urls == desk.get(f"/transfers/{code}")["actions"] == ["reserve", "close"]
    closing = re.search(r'(?s)data-repeat="closings".*?<template', text)[0]
    assert re.findall(r'data-name="(item|lot|quantity)".*?value="([^"]*)"', closing)[:3] == [
        ("item", "BOLT"), ("quantity", "2"), ("lot", "L7"),
    ]  # fmt: skip
    order = desk.codes["purchase-orders"]
    text = page(desk, f"/purchase-orders/{order}", "en")
    assert 'data-api="PATCH"' in text
    editing = re.search(r'(?s)data-api="PATCH".*?</form>', text)[0]
    assert 'name="promised_date"' in editing
    assert 'name="supplier"' not in editing  # It is sent: its supplier stays.
    assert f"/api/v1/purchase-orders/{order}/lines/1/close" in text


def test_the_board_shows_what_is_under_way_and_for_how_long(desk):
    text = page(desk, "/transfers", "zh")
    board = re.search(r'(?s)data-part="board".*?data-listing', text)[0]
    assert desk.codes["transfers"] in board
    assert "4 天" in board
    assert "收货中" in board


# Address of a table -> a code that is among its rows, one that is not; "" for none to look for.
NARROWED = {
    "/purchase-orders?state=sent": ("PO-000004", "PO-000003"),
    "/purchase-orders?warehouse=BJ1": ("", "PO-000004"),
    "/purchase-orders?q=po-000004": ("PO-000004", "PO-000001"),
    "/purchase-orders?item=NUT": ("", "PO-000004"),
    "/transfers?state=receiving": ("TR-000005", "TR-000003</a>"),
    "/transfers?warehouse=BJ1": ("TR-000005", ""),
    "/inspections?state=open": ("QI-000002", "QI-000003"),
    "/sales-orders?customer=SHOP&group=state": ("SO-000004", ""),
    "/counts?state=review": ("CNT-000006", "CNT-000001"),
    "/catalogue/items?search=bol": ("BOLT", "RICE"),
    "/catalogue/partners?kind=customer": ("SHOP", "ACME"),
}


def test_what_tables_read_is_alike_on_both_databases(either_desk):
    _check_narrowed(either_desk)
    _check_heads(either_desk)
    _check_proposals(either_desk)


def _check_narrowed(desk):
    for path, (there, gone) in NARROWED.items():
        rows = re.search(r'(?s)<div class="rows".*', page(desk, path, "en"))[0]
        assert there in rows, path
        assert not gone or gone not in rows, path


def _check_heads(desk):
    with desk.database.read() as connection:
        for kind, heads in HEADS.items():
            every, total = page_of_codes(connection, kind, HeadsWanted(limit=1000))
            assert total == len(every)
            first, same = page_of_codes(connection, kind, HeadsWanted(limit=2))
            second, _ = page_of_codes(connection, kind, HeadsWanted(limit=2, offset=2))
            assert (*first, *second) == every[:4]
            assert same == total
            if heads.state is not None:
                counts = count_by_state(connection, kind, HeadsWanted())
                assert sum(counts.values()) == total
                for state, count in counts.items():
                    wanted = HeadsWanted(equal={"state": state}, group="state")
                    assert page_of_codes(connection, kind, wanted)[1] == count
        newest, _ = page_of_codes(
            connection, "transfer", HeadsWanted(sort="code", descending=True, limit=1)
        )
        assert newest == (desk.codes["transfers"],)
        assert open_discrepancies_of(connection, ("PO-1", "nothing")).get("nothing") is None


def _check_proposals(desk):
    with desk.database.read() as connection:
        assert [one.code for one in propose_items(connection, "bo")] == ["BOLT"]
        assert [one.code for one in propose_items(connection, "lt bo")] == ["BOLT"]
        assert [one.code for one in propose_items(connection, "ric")] == ["RICE"]
        assert len(propose_items(connection, "")) == 4
        assert propose_items(connection, "100%") == []
        assert [one.code for one in propose_partners(connection, "", kind="customer")] == ["SHOP"]
        places = propose_places(connection, "bin", warehouse="SH1")
        assert [one.code for one in places] == ["BIN-1", "BIN-2", "BIN-3"]
        assert [one.code for one in propose_units(connection, item="BOLT")] == ["C62", "CT"]
        assert propose_units(connection, item="nothing") == []
        found = propose_documents(connection, "sales_order", "so-", warehouse="SH1")
        assert found[0].code > found[-1].code
    options = ask(desk.app, "/look-up/items?q=<b>&lang=zh")
    assert options.text == ""
    assert ask(desk.app, "/look-up/nonsense?q=x").text == ""


def test_an_area_leads_to_the_stock_of_all_that_is_in_it(desk):
    html = {"accept": "text/html"}
    areas = ask(desk.app, "/catalogue/places?warehouse=SH1&parent=COLD", headers=html).text
    assert "/stock?warehouse=SH1&amp;within=COLD" in areas
    page = ask(desk.app, "/stock?warehouse=SH1&within=COLD", headers=html)
    assert page.status_code == 200 and 'value="COLD"' in page.text


def test_a_page_of_nothing_is_a_refusal_for_people(desk):
    for path in (
        "/transfers/TR-9",
        "/counts/x",
        "/catalogue/items/a%2Fb",
        "/catalogue/places/SH1/no",
    ):
        answer = ask(desk.app, path, headers={"accept": "text/html"})
        assert answer.status_code in {404, 422}, path
        assert "<html" in answer.text
