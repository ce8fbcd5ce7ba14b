"""Pages of documents in a real browser: main actions, two people, restarts, the way back."""

from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from central.web.app import notify_of_app
from tests.browser.chromium import opened_browser
from tests.central.clients import served
from tests.central.migrated import open_migrated
from tests.central.web.desk_scene import application, furnished_desk

pytestmark = pytest.mark.browser

SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
DRAFT = {
    "source_warehouse": "SH1",
    "destination_warehouse": "BJ1",
    "lines": [{"item": "BOLT", "quantity": "10"}],
}


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A desk with something of everything, served for all tests of the module."""
    database = open_migrated(tmp_path_factory.mktemp("desk") / "ledger.db", generation="g")
    walk = furnished_desk(database)
    walk.database = database
    with served(walk.app) as url:
        walk.url = url
        yield walk
    database.close()


@contextmanager
def opened(browser, url="", *, size="desktop", language="en"):
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    context.add_cookies(
        [{"name": "dockledger_language", "value": language, "domain": "127.0.0.1", "path": "/"}]
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.errors, page.hosts = [], set()
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("request", lambda request: page.hosts.add(urlsplit(request.url).hostname))
    try:
        if url:
            page.goto(url)
        yield page
        assert page.errors == []
        assert page.hosts <= {"127.0.0.1"}
    finally:
        context.close()


def state_of(page, word):
    page.wait_for_selector(f'.standing .chip:has-text("{word}")')


def press(page, name):
    page.click(f'.heading .actions button:text-is("{name}")')


def unfold(page, action):
    page.click(f"#act-{action} > summary")


def field(page, name):
    return page.locator(f'[name="{name}"]')


def requests_to(page, path):
    """The requests that change something below a path, as they come."""
    seen = []
    page.on(
        "request",
        lambda request: (
            seen.append(request) if request.method != "GET" and path in request.url else None
        ),
    )
    return seen


def test_a_transfer_is_made_and_released_from_the_pages(browser, desk):
    with opened(browser, desk.url + "/transfers") as page:
        page.click("text=New transfer")
        field(page, "source_warehouse").select_option("SH1")
        field(page, "destination_warehouse").select_option("BJ1")
        item = field(page, "lines.0.item")
        item.fill("bo")
        page.click("[role=option][data-value=BOLT]")
        assert item.input_value() == "BOLT"
        item.fill("BOLT")
        field(page, "lines.0.quantity").fill("10")
        page.click("button[data-add=lines]")
        field(page, "lines.1.item").fill("NUT")
        field(page, "lines.1.quantity").fill("5")
        page.click("button[data-add=lines]")
        page.click("[data-row]:nth-child(3) button[data-remove]")
        page.dblclick("button.go:text-is('Save')")
        page.wait_for_url("**/transfers/TR-*")
        state_of(page, "Draft")
        code = page.url.rsplit("/", 1)[1]
        assert [line["item"] for line in desk.get(f"/transfers/{code}")["lines"]] == ["BOLT", "NUT"]
        press(page, "Submit")
        state_of(page, "Requested")
        press(page, "Approve")
        state_of(page, "Approved")
        press(page, "Release")
        state_of(page, "Released")
        page.wait_for_selector(".history li:has-text('released it')")
        unfold(page, "cancel")
        page.click("#act-cancel button.bad")
        page.wait_for_selector("#act-cancel .refusal:not([hidden])")  # It needs a reason.
        page.locator("#act-cancel [name=reason]").fill("nobody needs it")
        page.click("#act-cancel button.bad")
        state_of(page, "Cancelled")
        assert desk.get(f"/transfers/{code}")["ended_reason"] == "nobody needs it"
        codes = {one["code"] for one in desk.get("/transfers")["transfers"]}
        assert len([one for one in codes if one > code]) == 0  # Pressed twice, made once.


def test_what_is_under_way_is_closed_with_a_reason_for_each_remainder(browser, desk):
    code = desk.codes["transfers"]
    with opened(browser, f"{desk.url}/transfers/{code}", language="zh", size="phone") as page:
        state_of(page, "收货中")
        unfold(page, "close")
        field(page, "closings.0.quantity").fill("1")
        field(page, "closings.0.reason").select_option("lost")
        page.click("button[data-add=closings]")
        for name, text in (("item", "BOLT"), ("unit", "C62"), ("quantity", "1"), ("lot", "L7")):
            field(page, f"closings.1.{name}").fill(text)
        field(page, "closings.1.reason").select_option("damaged")
        page.click("#act-close button:text-is('关闭')")
        state_of(page, "已关闭")
        page.wait_for_selector("#table-closings >> text=丢失")
    closings = desk.get(f"/transfers/{code}")["closings"]
    assert [(one["quantity"], one["reason"]) for one in closings] == [
        ("1", "lost"),
        ("1", "damaged"),
    ]


def test_two_people_on_one_order_see_what_differs_and_nothing_is_overwritten(browser, desk):
    code = desk.post("/transfers", DRAFT)["code"]
    with opened(browser, f"{desk.url}/transfers/{code}") as page:
        unfold(page, "edit")
        field(page, "note").fill("mine")
        field(page, "lines.0.quantity").fill("12")
        theirs = {"note": "theirs", "lines": [{"item": "BOLT", "quantity": "11"}]}
        desk.patch(f"/transfers/{code}", theirs)
        page.click("#act-edit button:text-is('Save')")
        page.wait_for_selector("#act-edit .refusal table")
        told = page.locator("#act-edit .refusal tr.theirs").all_inner_texts()
        assert [row.split("\t") for row in told] == [
            ["Note", "", "theirs", "mine"], ["Quantity", "10", "11", "12"],
        ]  # fmt: skip
        assert desk.get(f"/transfers/{code}")["note"] == "theirs"
        page.click("#act-edit .refusal button:first-of-type")
        page.wait_for_selector("dd:text-is('mine')")
    there = desk.get(f"/transfers/{code}")
    assert (there["note"], there["lines"][0]["requested"]) == ("mine", "12")


def test_a_server_that_restarts_mid_form_loses_nothing_and_does_nothing_twice(browser, desk):
    with ExitStack() as first, ExitStack() as open_page:
        url = first.enter_context(served(application(desk.database)))
        page = open_page.enter_context(opened(browser, url + "/purchase-orders/new"))
        field(page, "warehouse").select_option("SH1")
        field(page, "supplier").fill("ACME")
        field(page, "lines.0.item").fill("BOLT")
        field(page, "lines.0.quantity").fill("7")
        field(page, "note").fill("before the restart")
        seen = requests_to(page, "/api/v1/")
        first.close()
        page.click("button.go:text-is('Save')")
        page.wait_for_selector(".refusal:has-text('nothing is done twice')")
        with served(application(desk.database), port=urlsplit(url).port):
            page.click("button.go:text-is('Save')")
            page.wait_for_url("**/purchase-orders/PO-*")
            page.go_back()
            page.wait_for_selector("h1:text-is('New purchase order')")
            assert (
                field(page, "note").input_value() == ""
            )  # It is made: nothing is to be sent again.
        keys = {request.headers["idempotency-key"] for request in seen}
        assert (len(seen), len(keys)) == (2, 1)
    notes = [one["note"] for one in desk.get("/purchase-orders")["purchase_orders"]]
    assert notes.count("before the restart") == 1


def test_a_form_that_is_left_and_loaded_again_still_holds_what_was_typed(browser, desk):
    with opened(browser, desk.url + "/sales-orders/new") as page:
        field(page, "warehouse").select_option("SH1")
        field(page, "customer").fill("SHOP")
        page.click("button[data-add=lines]")
        field(page, "lines.1.item").fill("NUT")
        page.reload()
        page.wait_for_selector("#told:not(:empty)")
        assert field(page, "customer").input_value() == "SHOP"
        assert field(page, "lines.1.item").input_value() == "NUT"
        page.goto(desk.url + "/sales-orders")
        page.go_back()
        assert field(page, "warehouse").input_value() == "SH1"


def test_goods_are_inspected_and_an_order_is_signed(browser, desk):
    inspection, order = desk.codes["inspections"], desk.codes["sales-orders"]
    with opened(browser, f"{desk.url}/inspections/{inspection}") as page:
        unfold(page, "decide")
        field(page, "decisions.0.decision").select_option("accept")
        field(page, "decisions.0.quantity").fill("15")
        page.click("button[data-add=decisions]")
        field(page, "decisions.1.decision").select_option("reject")
        field(page, "decisions.1.quantity").fill("5")
        field(page, "decisions.1.reason").fill("wet")
        page.click("#act-decide button.go")
        state_of(page, "Decided")
        there = desk.get(f"/inspections/{inspection}")
        assert (there["accepted"], there["rejected"]) == ("15", "5")
        page.goto(f"{desk.url}/sales-orders/{order}")
        unfold(page, "short_pick-1-1")
        page.locator("#act-short_pick-1-1 [name=found]").fill("4")
        page.click("#act-short_pick-1-1 button.go, #act-short_pick-1-1 form button")
        page.wait_for_selector(".history li:has-text('found less')")
        assert desk.get(f"/sales-orders/{order}")["picks"]


def test_a_sheet_is_entered_without_what_nobody_counted(browser, desk):
    asked = {"warehouse": "SH1", "lines": [{"location": "BIN-1"}, {"location": "BIN-2"}]}
    code = desk.post("/counts", asked)["code"]
    with opened(browser, f"{desk.url}/counts/{code}") as page:
        press(page, "Release")
        state_of(page, "Released")
        unfold(page, "entries")
        field(page, "counted_by").fill("an")
        field(page, "entries.0.item").fill("BOLT")
        field(page, "entries.0.quantity").fill("3")
        page.click("#act-entries form > button, #act-entries button:text-is('Enter a sheet')")
        state_of(page, "Counting")
        assert desk.get(f"/counts/{code}")["observations_count"] == 1
        press(page, "Finish the round")
        page.wait_for_selector(".history li:has-text('finished the round')")


def test_a_count_under_review_is_counted_again_at_the_lines_that_are_ticked(browser, desk):
    code = desk.codes["counts"]
    with opened(browser, f"{desk.url}/counts/{code}") as page:
        state_of(page, "Under review")
        seen = requests_to(page, "/recount")
        unfold(page, "recount")
        assert page.locator("#act-recount [data-choose-row]").count() == 2
        page.check("#act-recount [data-row]:nth-child(1) [data-choose-row]")
        page.click("#act-recount button:text-is('Count again')")
        state_of(page, "Counted again")
        assert [line["location"] for line in seen[0].post_data_json["lines"]] == ["BIN-1"]


def test_an_item_is_added_changed_and_a_file_is_checked_before_it_is_imported(
    browser, desk, tmp_path
):
    with opened(browser, desk.url + "/catalogue/items/new") as page:
        for name, text in (("code", "WASHER"), ("name", "Washer"), ("unit", "C62")):
            field(page, name).fill(text)
        page.click("button.go:text-is('Save')")
        page.wait_for_url("**/catalogue/items/WASHER")
        unfold(page, "edit")
        field(page, "name_zh").fill("垫圈")
        page.click("button[data-add=packs]")
        field(page, "packs.0.unit").fill("CT")
        field(page, "packs.0.numerator").fill("100")
        page.click("#act-edit button:text-is('Save')")
        page.wait_for_selector("#table-packs >> text=100")
        file = tmp_path / "items.csv"
        file.write_text("item,name,unit,min\nCLIP,Clip,C62,5\nCLAMP,Clamp,C62,many\n")
        page.goto(desk.url + "/catalogue/import")
        page.set_input_files("input[type=file]", str(file))
        page.click("button[data-step=check]")
        page.wait_for_selector(".faults td:text-is('3')")
        assert page.is_hidden("button[data-step=import]")
        assert "CLIP" not in {one["code"] for one in desk.get("/items")["items"]}
        page.click("button[data-step=valid]")
        page.wait_for_selector("#report :text('1 new')")
        codes = {one["code"] for one in desk.get("/items")["items"]}
        assert {"CLIP", "WASHER"} <= codes
        assert "CLAMP" not in codes


def test_a_plan_of_counts_is_made_under_the_code_that_is_typed(browser, desk):
    desk.move("NUT", "5", "supplier", "BIN-3")
    with opened(browser, desk.url + "/count-plans/new") as page:
        field(page, "warehouse").select_option("SH1")
        page.click("button.go:text-is('Save')")
        assert page.locator("[data-in-address]").get_attribute("aria-invalid") == "true"
        page.fill("[data-in-address]", "B-SH1")
        page.click("button.go:text-is('Save')")
        page.wait_for_url("**/count-plans/B-SH1")
        press(page, "Draw a count")
        page.wait_for_url("**/counts/CNT-*")
        state_of(page, "Planned")


def test_a_page_follows_what_others_do_but_not_below_somebodys_hands(browser, desk):
    code = desk.post("/transfers", DRAFT)["code"]
    with opened(browser, f"{desk.url}/transfers/{code}") as page:
        page.wait_for_selector("#live.good")
        unfold(page, "edit")
        field(page, "note").fill("half a sen")
        desk.steps(f"/transfers/{code}", "request")
        notify_of_app(desk.app)()
        state_of(page, "Requested")
        assert field(page, "note").input_value() == "half a sen"


@pytest.mark.parametrize("text", ["<b>x</b>", "=1+1", "{{ 7 * 7 }}"])
def test_strange_text_is_shown_as_text(browser, desk, text):
    made = desk.post("/transfers", DRAFT | {"note": text})
    with opened(browser, f"{desk.url}/transfers/{made['code']}") as page:
        assert page.locator(f'dd:text-is("{text}")').count() == 1
        assert page.locator("dd b").count() == 0
