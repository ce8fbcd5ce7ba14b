"""What staff and their machines get wrong: two tabs, lost answers, clocks, double clicks, texts."""

import re
from contextlib import contextmanager

import pytest

from central.web.app import notify_of_app
from tests.browser.central_pages import page_of
from tests.browser.chromium import opened_browser
from tests.central.access.people import People
from tests.central.clients import served
from tests.central.migrated import open_migrated
from tests.central.web.desk_scene import desk_over

pytestmark = pytest.mark.browser
ENDS = {"source_warehouse": "SH1", "destination_warehouse": "BJ1"}
DRAFT = {**ENDS, "lines": [{"item": "BOLT", "quantity": "10"}]}
DAY_MS = 86_400_000
SHOWN_AS_TYPED = {
    "html": "<img src=x onerror=document.title='owned'>",
    "formula": '=HYPERLINK("http://evil","x")',
    "one word": "W" * 256,
    "template": "{{ 7 * 7 }}${x}%(y)s",
}
REFUSED = {
    "4,000 characters": ("长" * 4000, "at most 256 characters"),
    "right to left": ("\u202eknat", "U+202E"),
    "control characters": ("A\x07B", "U+0007"),
}


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    database = open_migrated(tmp_path_factory.mktemp("bad") / "ledger.db", generation="g")
    walk = desk_over(database)
    with served(walk.app) as url:
        walk.url = url
        yield walk
    database.close()


@contextmanager
def opened(browser, desk, path, **options):
    with page_of(browser, desk.url + path, **options) as page:
        page.set_default_timeout(30_000)
        page.sent = []
        page.on("request", lambda one: page.sent.append(one) if one.method != "GET" else None)
        yield page


def unfolded(page):
    page.click("#act-edit > summary")
    return page.locator("#act-edit [name=note]")


def told(page):
    page.wait_for_selector("#act-edit .refusal tr.theirs")
    return [
        row.split("\t") for row in page.locator("#act-edit .refusal tr.theirs").all_inner_texts()
    ]


def test_two_tabs_on_one_document_overwrite_nothing_not_even_after_a_reload(browser, desk):
    code = desk.post("/transfers", DRAFT)["code"]
    with opened(browser, desk, f"/transfers/{code}") as mine:
        theirs = mine.context.new_page()
        theirs.goto(mine.url)
        unfolded(mine).fill("mine")
        unfolded(theirs).fill("theirs")
        theirs.click("#act-edit button:text-is('Save')")
        theirs.wait_for_selector("dd:text-is('theirs')")
        for reloaded in (False, True):
            if reloaded:
                mine.reload()
                mine.click("#act-edit > summary")
                assert mine.locator("#act-edit [name=note]").input_value() == "mine"
            mine.click("#act-edit button:text-is('Save')")
            assert told(mine) == [["Note", "", "theirs", "mine"]]
            assert desk.get(f"/transfers/{code}")["note"] == "theirs"
        mine.click("#act-edit .refusal button:first-of-type")
        mine.wait_for_selector("dd:text-is('mine')")
        assert len([one for one in mine.sent if one.method == "PATCH"]) == 3
    assert desk.get(f"/transfers/{code}")["note"] == "mine"


def test_a_lost_answer_and_a_reload_make_one_document(browser, desk):
    with opened(browser, desk, "/transfers/new") as page:
        for name, code in ENDS.items():
            page.select_option(f"[name={name}]", code)
        page.fill("[name='lines.0.item']", "NUT")
        page.fill("[name='lines.0.quantity']", "3")
        page.fill("[name=note]", "said once")

        def lose(route):
            route.fetch()
            route.abort()

        page.route("**/api/v1/transfers", lose)
        page.click("button.go:text-is('Save')")
        page.wait_for_selector(".refusal:has-text('nothing is done twice')")
        page.unroute("**/api/v1/transfers")
        page.reload()
        page.wait_for_selector("#told:not(:empty)")
        assert page.input_value("[name=note]") == "said once"
        page.dblclick("button.go:text-is('Save')")
        page.wait_for_url("**/transfers/TR-*")
        assert len({one.headers["idempotency-key"] for one in page.sent}) == 1
        page.go_back()  # What was sent is not there to be sent again.
        page.wait_for_selector("h1:text-is('New transfer')")
        assert page.input_value("[name=note]") == ""
    notes = [one["note"] for one in desk.get("/transfers")["transfers"]]
    assert notes.count("said once") == 1


def test_a_button_that_is_pressed_twice_does_one_thing(browser, desk):
    code = desk.post("/transfers", DRAFT)["code"]
    with opened(browser, desk, f"/transfers/{code}") as page:
        page.dblclick(".heading .actions button:text-is('Submit')")
        page.wait_for_selector('.standing .chip:has-text("Requested")')
        assert len(page.sent) == 1
    told = desk.get(f"/history/transfer/{code}")["events"]
    assert [one["action"] for one in told].count("requested") == 1


def test_a_clock_that_is_set_back_keeps_no_page_from_being_current(browser, desk):
    code = desk.post("/transfers", DRAFT)["code"]
    with page_of(browser, "about:blank") as page:
        page.set_default_timeout(30_000)
        page.clock.install()
        page.goto(f"{desk.url}/transfers/{code}")
        page.wait_for_selector("#live.good")
        for note, jump_ms in (("first", 0), ("second", -DAY_MS), ("third", 3 * DAY_MS)):
            page.evaluate(
                "jump => { const now = Date.now; Date.now = () => now() + jump; }", jump_ms
            )
            desk.patch(f"/transfers/{code}", {"note": note})
            notify_of_app(desk.app)()
            page.wait_for_selector(f"dd:text-is('{note}')")


def test_a_connection_that_says_nothing_is_not_called_live(browser, desk):
    code = desk.post("/transfers", DRAFT)["code"]
    for path in (f"/transfers/{code}", "/"):
        with page_of(browser, "about:blank") as page:
            page.set_default_timeout(30_000)
            page.clock.install()
            streams, states = [], []
            page.on("request", lambda one, to=streams: _note_stream(to, one))
            page.expose_function("noted", lambda text, to=states: to.append(text))
            page.goto(desk.url + path)
            page.wait_for_selector("#live.good")
            page.evaluate(
                "new MutationObserver(() => noted(document.getElementById('lost').textContent))"
                ".observe(document.getElementById('lost'), {childList: true})"
            )
            page.clock.fast_forward(10_000)
            assert len(streams) == 1
            page.clock.fast_forward(60_000)  # As after a sleep: nothing was heard for a minute.
            page.wait_for_selector("#live.good")
            page.wait_for_function("document.getElementById('lost').textContent === ''")
            assert (len(streams), bool(states and states[0])) == (2, True)


def _note_stream(to, request):
    if re.search(r"/(changes|live)\?", request.url):
        to.append(request.url)


@pytest.mark.parametrize("number", range(len(SHOWN_AS_TYPED)), ids=list(SHOWN_AS_TYPED))
def test_a_strange_name_is_kept_and_shown_letter_by_letter(browser, desk, number):
    name, code = list(SHOWN_AS_TYPED.values())[number], f"ODD-{number}"
    with opened(browser, desk, "/catalogue/items/new", size=(390, 844)) as page:
        for field, text in (("code", code), ("name", name), ("unit", "C62")):
            page.fill(f"[name={field}]", text)
        page.click("button.go:text-is('Save')")
        page.wait_for_url(f"**/catalogue/items/{code}")
        for path in (
            f"/catalogue/items/{code}",
            f"/items/{code}",
            "/catalogue/items",
            "/",
            "/search?q=ODD",
        ):
            page.goto(desk.url + path)
            assert name in page.locator("main").inner_text().replace("\n", ""), path
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
            assert "owned" not in page.title()


@pytest.mark.parametrize(("name", "why"), REFUSED.values(), ids=list(REFUSED))
def test_a_name_that_cannot_be_kept_is_refused_and_stays_in_its_field(browser, desk, name, why):
    with opened(browser, desk, "/catalogue/items/new") as page:
        for field, text in (("code", "BAD-1"), ("name", name), ("unit", "C62")):
            page.fill(f"[name={field}]", text)
        page.click("button.go:text-is('Save')")
        page.wait_for_selector(f".refusal:has-text('{why}')")
        assert page.input_value("[name=name]") == name
        assert page.get_attribute("[name=name]", "aria-invalid") == "true"
    assert "BAD-1" not in {one["code"] for one in desk.get("/items")["items"]}


def test_what_one_person_typed_is_not_shown_to_the_next_at_the_same_screen(browser, tmp_path):
    database = open_migrated(tmp_path / "ledger.db", generation="g")
    people = People(database)
    with served(people.app) as url, page_of(browser, url + "/login") as page:
        page.set_default_timeout(30_000)
        for name, seen in (("keeper", ""), ("supervisor", ""), ("keeper", "not for others")):
            secret = people.browser(name).cookies["dockledger"]
            page.context.add_cookies([{"name": "dockledger", "value": secret, "url": url}])
            page.goto(url + "/transfers/new")
            assert name in page.inner_text(".who summary")
            assert page.input_value("[name=note]") == seen
            if name == "keeper" and not seen:
                page.fill("[name=note]", "not for others")
    database.close()
