"""What all pages share, in a real browser: tables, forms that are sent once, live parts, keys."""

import pytest
from fastapi import APIRouter

from central.web import listing_routes
from central.web.asking import Asked, Table
from central.web.cells import link_cell, number_cell, text_cell
from central.web.listing import Column, Filter, Found, Row
from central.web.shell import listing_page
from tests.browser.axe import violations
from tests.browser.central_pages import DESKTOP, PHONE, central_at, page_of
from tests.browser.chromium import opened_browser

pytestmark = pytest.mark.browser
ROWS = [f"ROW-{number:03d}" for number in range(120)]
ATTACK = "<img src=x onerror=document.title='owned'>"


def rows_of(asking, wanted):
    found = [code for code in ROWS if wanted.values["q"].upper() in code]
    if wanted.descending:
        found.reverse()
    chosen = found[wanted.offset : wanted.offset + wanted.limit]
    return Found(
        rows=tuple(
            Row(
                key=code,
                cells=(
                    link_cell(code, "/"),
                    text_cell(ATTACK if code == "ROW-000" else "plain"),
                    number_cell(int(code[4:]), asking.texts),
                ),
                href="/" if code == "ROW-001" else "",
                group=code[:5],
            )
            for code in chosen
        ),
        total=len(found),
    )


TRIAL = Table(
    name="trial",
    title="Trial",
    path="/trial",
    columns=(
        Column("code", "Item", sortable=True),
        Column("text", "Name", phone=False),
        Column("figure", "Total", "number"),
    ),
    filters=(Filter("q", "Search item or name"),),
    groups=("text",),
    sort="code",
    kinds=("partner",),
    read=rows_of,
)


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def central(tmp_path):
    with central_at(tmp_path) as scene:
        router = APIRouter()

        @router.get("/trial")
        def trial(asking: Asked):
            return listing_page(asking, TRIAL)

        scene.app.include_router(router)
        listing_routes.LISTINGS["trial"] = TRIAL
        yield scene
        del listing_routes.LISTINGS["trial"]


def keys(page):
    return page.eval_on_selector_all("tr[data-key]", "rows => rows.map((row) => row.dataset.key)")


def wait_first(page, key):
    page.wait_for_selector(f'.rows tbody tr:first-child[data-key="{key}"]')


def test_a_table_is_filtered_sorted_and_paged_without_leaving_the_page(browser, central):
    with page_of(browser, central.url + "/trial") as page:
        page.evaluate("window.neverReloaded = true")
        assert (keys(page)[0], len(keys(page))) == ("ROW-000", 50)
        assert page.text_content("tr[data-key='ROW-000'] td").strip() == ATTACK
        page.click("a[data-sort]")
        wait_first(page, "ROW-119")
        page.click("a[rel=next]")
        wait_first(page, "ROW-069")
        assert page.url.endswith("/trial?sort=-code&page=2")
        page.fill(".filters input[name=q]", "row-01")
        wait_first(page, "ROW-019")
        assert (len(keys(page)), page.url.split("?")[1]) == (10, "q=row-01&sort=-code")
        assert page.evaluate("window.neverReloaded")
        page.reload()
        assert keys(page)[0] == "ROW-019"


def test_keys_go_through_the_rows_open_one_and_find_the_search(browser, central):
    with page_of(browser, central.url + "/trial") as page:
        page.keyboard.press("j")
        page.keyboard.press("j")
        focused = "document.activeElement.dataset.key"
        assert page.evaluate(focused) == "ROW-001"
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "find"
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(central.url + "/")


def test_a_change_elsewhere_draws_the_table_anew_but_not_the_field_somebody_types_in(
    browser, central
):
    with page_of(browser, central.url + "/trial") as page:
        page.wait_for_selector("#live.good")
        body = {"code": "ACME", "name": "Acme"}
        with page.expect_response(lambda answer: "/tables/trial" in answer.url):
            assert central.ask("POST", "/partners", body).status_code == 201
            central.tell()


def test_a_lost_server_is_told_and_what_is_shown_is_greyed_until_it_is_back(browser, central):
    with page_of(browser, central.url + "/trial") as page:
        page.wait_for_selector("#live.good")
        page.context.set_offline(True)
        central.app.state.changes.close()
        page.wait_for_selector("body.stale")
        assert "Connection lost" in page.text_content("#lost")
        page.context.set_offline(False)
        page.wait_for_selector("body:not(.stale) #live.good")
        assert page.text_content("#lost") == ""


def test_the_excel_file_holds_what_the_filter_leaves(browser, central):
    with page_of(browser, central.url + "/trial?q=ROW-01") as page:
        with page.expect_download() as expected:
            page.click("a.export")
        assert expected.value.suggested_filename == "trial.xlsx"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_frame_offends_nobody_and_scrolls_only_downwards(browser, central, size, language):
    with page_of(browser, central.url + "/trial", size=size, language=language) as page:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_unknown_address_is_told_as_a_page_to_people(browser, central):
    with page_of(browser, central.url + "/nowhere", language="zh") as page:
        assert "Dockledger" in page.title()
        assert page.locator(".refused").count() == 1


def test_a_view_is_kept_under_a_name_found_again_and_forgotten(browser, central):
    with page_of(browser, central.url + "/trial?q=ROW-01&sort=-code") as page:
        page.click(".views summary")
        page.fill(".views input", ATTACK)
        page.keyboard.press("Enter")
        page.wait_for_selector(".views li a")
        page.goto(central.url + "/trial")
        page.click(".views summary")
        page.click(".views li a")
        wait_first(page, "ROW-019")
        assert page.url.endswith("/trial?q=ROW-01&sort=-code")
        page.click(".views summary")
        page.click(".views li button")
        page.wait_for_selector(".views ul:empty", state="attached")
        assert violations(page) == []
